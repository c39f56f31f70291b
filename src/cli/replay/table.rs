//! Many replays side by side: the tables of `docs/BENCHMARKS.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use super::metrics::Metrics;
use super::sessions::Recorded;
use super::world::Rules;
use super::{read, replay};
use engine::Algorithm;
use kernel::Watts;

/// One record and the capacities, in kW, that it is replayed with.
struct Workload {
    file: &'static str,
    title: &'static str,
    capacities: &'static [i64],
    /// Rules of other programs with the same record, by capacity; published figures, not measured here.
    others: &'static [(&'static str, &'static [(i64, &'static str)])],
}

const WORKLOADS: [Workload; 3] = [
    Workload {
        file: "caltech_2019_03.csv",
        title: "Caltech garage, March 2019: 954 sessions, 54 EVSEs",
        capacities: &[10, 20, 30, 40],
        others: &[
            (
                "evcc",
                &[
                    (10, "54.55 / 0.591 / 0.00 / 0.00 / 0.2 / 0.6"),
                    (20, "80.31 / 0.852 / 0.00 / 0.00 / 0.3 / 0.9"),
                    (40, "98.08 / 0.986 / 0.98 / 0.00 / 0.3 / 1.0"),
                ],
            ),
            (
                "EVerest",
                &[
                    (10, "55.20 / 0.730 / 0.00 / 0.00 / 0.6 / 1.1"),
                    (20, "80.97 / 0.936 / 0.30 / 0.00 / 1.4 / 1.1"),
                    (40, "97.83 / 0.996 / 0.97 / 0.37 / 1.5 / 1.0"),
                ],
            ),
            (
                "OpenEMS",
                &[
                    (10, "54.78 / 0.723 / 0.00 / 0.00 / 0.4 / 1.1"),
                    (20, "80.54 / 0.932 / 0.26 / 0.00 / 0.5 / 1.1"),
                    (40, "97.92 / 0.996 / 0.98 / 0.18 / 0.5 / 1.0"),
                ],
            ),
            (
                "SAP Open e-Mobility",
                &[
                    (10, "54.77 / 0.830 / 0.15 / 0.05 / 2.0 / 5.7"),
                    (20, "80.10 / 0.951 / 0.36 / 0.12 / 1.8 / 6.1"),
                    (40, "97.28 / 0.995 / 0.96 / 0.27 / 1.2 / 4.0"),
                ],
            ),
        ],
    },
    Workload {
        file: "jpl_2019_05_week.csv",
        title: "JPL, 6 to 10 May 2019: 327 sessions, 52 EVSEs",
        capacities: &[40, 60, 80, 100, 120],
        others: &[
            (
                "evcc",
                &[
                    (40, "54.34 / 0.615 / 0.00 / 0.00 / 0.2 / 0.7"),
                    (80, "88.37 / 0.942 / 0.24 / 0.00 / 0.3 / 1.0"),
                    (120, "98.22 / 0.997 / 1.00 / 0.46 / 0.3 / 1.0"),
                ],
            ),
            (
                "EVerest",
                &[
                    (40, "55.63 / 0.825 / 0.06 / 0.00 / 1.2 / 1.1"),
                    (80, "89.58 / 0.985 / 0.65 / 0.32 / 2.6 / 1.0"),
                    (120, "99.38 / 1.000 / 1.00 / 0.66 / 1.9 / 1.0"),
                ],
            ),
            (
                "OpenEMS",
                &[
                    (40, "55.24 / 0.817 / 0.06 / 0.00 / 0.3 / 1.1"),
                    (80, "88.16 / 0.971 / 0.50 / 0.20 / 0.5 / 1.0"),
                    (120, "98.50 / 0.998 / 1.00 / 0.59 / 0.4 / 1.0"),
                ],
            ),
            (
                "SAP Open e-Mobility",
                &[
                    (40, "53.90 / 0.858 / 0.19 / 0.13 / 2.3 / 8.3"),
                    (80, "88.48 / 0.983 / 0.59 / 0.39 / 3.3 / 12.1"),
                    (120, "99.60 / 1.000 / 1.00 / 0.79 / 1.7 / 6.1"),
                ],
            ),
        ],
    },
    Workload {
        file: "overlay_500.csv",
        title: "One day of ten sites side by side: 483 sessions, 500 EVSEs",
        capacities: &[300, 400, 600],
        others: &[],
    },
];

/// A way to share, and whether the planner gets what drivers said.
struct Policy {
    name: &'static str,
    algorithm: Algorithm,
    allow_pause: bool,
    as_claimed: bool,
}

const POLICIES: [Policy; 6] = [
    Policy { name: "**equal_share**", algorithm: Algorithm::EqualShare, allow_pause: false, as_claimed: false },
    Policy { name: "**first_come**", algorithm: Algorithm::FirstCome, allow_pause: false, as_claimed: false },
    Policy { name: "**deadline**", algorithm: Algorithm::Deadline, allow_pause: false, as_claimed: false },
    Policy {
        name: "**deadline, pauses allowed**",
        algorithm: Algorithm::Deadline,
        allow_pause: true,
        as_claimed: false,
    },
    Policy {
        name: "**deadline**, as drivers said",
        algorithm: Algorithm::Deadline,
        allow_pause: false,
        as_claimed: true,
    },
    Policy {
        name: "**deadline, pauses allowed**, as drivers said",
        algorithm: Algorithm::Deadline,
        allow_pause: true,
        as_claimed: true,
    },
];

/// All tables, from the folder that holds the records and `bounds.csv`.
pub(super) fn of_folder(folder: &Path) -> Result<String> {
    let bounds = folder.join("bounds.csv");
    let bounds = fs::read_to_string(&bounds).with_context(|| format!("{} cannot be read", bounds.display()))?;
    let mut text = String::new();
    for workload in &WORKLOADS {
        let record = read(&folder.join(workload.file))?;
        workload.write(&record, &bounds, &mut text)?;
    }
    Ok(text)
}

impl Workload {
    fn write(&self, record: &[Recorded], bounds: &str, text: &mut String) -> Result<()> {
        write!(text, "### {}\n\n| rule |", self.title)?;
        for capacity in self.capacities {
            write!(text, " {capacity} kW |")?;
        }
        write!(text, "\n|---|{}\n| no controller can deliver more |", "---|".repeat(self.capacities.len()))?;
        for capacity in self.capacities {
            let bound = bound_of(bounds, self.file, *capacity)?;
            write!(text, " {bound:.2} |")?;
        }
        let mut slowest = (0.0_f64, 0.0_f64);
        for policy in &POLICIES {
            if policy.as_claimed && record.iter().all(|session| session.claim.is_none()) {
                continue;
            }
            write!(text, "\n| {} |", policy.name)?;
            for capacity in self.capacities {
                let rules = Rules {
                    allow_pause: policy.allow_pause,
                    as_claimed: policy.as_claimed,
                    ..Rules::new(Watts(capacity * 1_000), policy.algorithm)
                };
                let metrics = replay(record, &rules);
                safe(&metrics)?;
                write!(text, " {} |", cell(&metrics))?;
                slowest = (slowest.0.max(metrics.plan_us_mean), slowest.1.max(metrics.plan_us_p99));
            }
        }
        for (name, cells) in self.others {
            write!(text, "\n| {name} |")?;
            for capacity in self.capacities {
                let found = cells.iter().find(|(one, _)| one == capacity);
                write!(text, " {} |", found.map_or("", |(_, cell)| *cell))?;
            }
        }
        writeln!(
            text,
            "\n\nThe slowest of these replays took {:.0} µs a plan, one plan in a hundred more than {:.0} µs.\n",
            slowest.0, slowest.1
        )?;
        Ok(())
    }
}

/// Tables are not made of replays that broke a promise.
fn safe(metrics: &Metrics) -> Result<()> {
    match metrics.in_dead_band + metrics.over_capacity {
        0 => Ok(()),
        faults => Err(anyhow!("{faults} limits in the dead band or plans over capacity")),
    }
}

fn cell(metrics: &Metrics) -> String {
    format!(
        "{:.2} / {:.3} / {:.2} / {:.2} / {:.1} / {:.1}",
        metrics.demand_met_pct,
        metrics.jain,
        metrics.p05,
        metrics.worst,
        metrics.limit_changes_per_ev_hour,
        metrics.starts_per_session
    )
}

/// The bound of a record in percent; `bounds.csv` has file, capacity, energy and percent.
fn bound_of(bounds: &str, file: &str, capacity: i64) -> Result<f64> {
    let found = bounds.lines().find_map(|line| {
        let mut fields = line.split(',').map(str::trim);
        let matches = fields.next() == Some(file)
            && fields.next().and_then(|field| field.parse().ok()) == Some(f64::from(i32::try_from(capacity).ok()?));
        fields.nth(1).filter(|_| matches)?.parse().ok()
    });
    found.ok_or_else(|| anyhow!("bounds.csv has no line for {file} with {capacity} kW"))
}
