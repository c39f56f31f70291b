//! `evenwatt replay`: recorded charging sessions through the planner that steers real stations, and what came of it.
//!
//! `sessions` reads a record, `world` lets it happen again, `metrics` counts, `table` compares many replays.

mod metrics;
mod sessions;
mod table;
mod world;

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use engine::Algorithm;
use kernel::{Milliamps, Watts};
use metrics::Metrics;
use sessions::Recorded;
use world::Rules;

/// A minimum on-time of more than a day is a slip of the keyboard.
const LONGEST_ON_MINUTES: i64 = 24 * 60;

/// Replays recorded charging sessions through the balancing engine and says what came of it
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// A CSV file, a line a session; with --table the folder of all files
    sessions: PathBuf,
    /// What all cars may draw together, in kW
    #[arg(long, value_name = "KW", value_parser = parse_kilowatts, required_unless_present = "table")]
    capacity: Option<Watts>,
    /// How the cars share it
    #[arg(long, value_enum, required_unless_present = "table")]
    algorithm: Option<Sharing>,
    /// Lets cars that have time be paused; only with --algorithm deadline
    #[arg(long)]
    allow_pause: bool,
    /// What the planner knows of departure and energy
    #[arg(long, value_enum, default_value = "true")]
    estimates: Estimates,
    /// The least current worth sending; a limit is 0 or at least this
    #[arg(long, value_name = "AMPS", default_value = "6", value_parser = parse_amps)]
    minimum_amps: Milliamps,
    /// How long a car that was started keeps its power at least; a stopped one stays off for a third of it
    #[arg(long, value_name = "MINUTES", default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(0..=LONGEST_ON_MINUTES))]
    hold_minutes: u32,
    /// Limits are multiples of this
    #[arg(long, value_name = "WATTS", default_value_t = 1,
          value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    step_watts: i64,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Prints the tables of docs/BENCHMARKS.md instead
    #[arg(long, conflicts_with_all = ["capacity", "algorithm", "allow_pause", "json"])]
    table: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum Sharing {
    /// The same for everybody; the least served is next
    EqualShare,
    /// The same for everybody; who came first keeps its place
    FirstCome,
    /// More for those who have less time for what they need
    Deadline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Estimates {
    /// What really came
    True,
    /// What the drivers said, right or wrong; nothing of those who said nothing
    Driver,
}

impl ReplayArgs {
    /// What is wrong with the arguments together, though each is right.
    pub fn fault(&self) -> Option<String> {
        (self.allow_pause && self.algorithm != Some(Sharing::Deadline))
            .then(|| "--allow-pause goes with --algorithm deadline only".to_owned())
    }

    fn rules(&self) -> Rules {
        let algorithm = match self.algorithm {
            Some(Sharing::EqualShare) | None => Algorithm::EqualShare,
            Some(Sharing::FirstCome) => Algorithm::FirstCome,
            Some(Sharing::Deadline) => Algorithm::Deadline,
        };
        Rules {
            allow_pause: self.allow_pause,
            as_claimed: self.estimates == Estimates::Driver,
            minimum: self.minimum_amps,
            step: Watts(self.step_watts),
            minimum_on_seconds: self.hold_minutes * 60,
            ..Rules::new(self.capacity.unwrap_or_default(), algorithm)
        }
    }
}

fn parse_kilowatts(text: &str) -> Result<Watts, String> {
    let kilowatts = text.parse().ok().and_then(Watts::from_kilowatts);
    kilowatts
        .filter(|watts| (Watts::ZERO..=engine::MOST_POWER).contains(watts))
        .ok_or_else(|| "must be a number of kilowatts from 0 to 1000000".to_owned())
}

fn parse_amps(text: &str) -> Result<Milliamps, String> {
    // The same decimals: thousandths of an amp are milliamps as thousandths of a kilowatt are watts.
    let amps = text.parse().ok().and_then(Watts::from_kilowatts);
    amps.map(|thousandths| Milliamps(thousandths.get()))
        .filter(|milliamps| (0..=1_000_000).contains(&milliamps.get()))
        .ok_or_else(|| "must be a number of amps from 0 to 1000".to_owned())
}

/// What is printed of one replay.
#[derive(Debug, Serialize)]
struct Report {
    capacity_kw: f64,
    algorithm: Option<Sharing>,
    allow_pause: bool,
    estimates: Estimates,
    #[serde(flatten)]
    metrics: Metrics,
}

/// Does what the arguments say, and returns what is to be printed.
pub fn run(args: &ReplayArgs) -> Result<String> {
    if args.table {
        return table::of_folder(&args.sessions);
    }
    let rules = args.rules();
    let report = Report {
        capacity_kw: rules.capacity.kilowatts(),
        algorithm: args.algorithm,
        allow_pause: args.allow_pause,
        estimates: args.estimates,
        metrics: replay(&read(&args.sessions)?, &rules),
    };
    if args.json {
        return Ok(format!("{}\n", serde_json::to_string(&report)?));
    }
    Ok(report.metrics.table())
}

fn read(path: &Path) -> Result<Vec<Recorded>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    sessions::read(BufReader::new(file)).with_context(|| format!("{} cannot be replayed", path.display()))
}

fn replay(record: &[Recorded], rules: &Rules) -> Metrics {
    Metrics::of(record, &world::replay(record, rules))
}

impl Metrics {
    /// The figures for a person, a line each.
    fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, figure: String, meaning: &str| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{name:<27}{figure:>10}  {meaning}");
        };
        let two = |number: f64| format!("{number:.2}");
        line("sessions", self.sessions.to_string(), "");
        line("demand met", two(self.demand_met_pct), "% of the recorded energy");
        line("Jain index", format!("{:.3}", self.jain), "of the satisfied parts; 1 when all are alike");
        line("5th percentile", two(self.p05), "of the satisfied parts");
        line("worst", two(self.worst), "satisfied part");
        line("limit changes", two(self.limit_changes_per_ev_hour), "a connected hour");
        line("starts", two(self.starts_per_session), "a session");
        line("limits in the dead band", self.in_dead_band.to_string(), "must be 0");
        line("plans over capacity", self.over_capacity.to_string(), "must be 0");
        line("plan, mean", two(self.plan_us_mean), "µs");
        line("plan, 99th percentile", two(self.plan_us_p99), "µs");
        text
    }
}

#[cfg(test)]
mod tests;
