//! `evenwatt simulate`: many virtual stations against a server, and a report of how it took that.
//!
//! Either drivers come and go as in the field, or all stations say the same few messages as a load that is measured.

mod drivers;
mod load;
mod stations;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};

use kernel::Protocol;
use simulator::load::Workload;

/// The card that is made.
const CARD: &str = "SIMULATED";
/// How many stations there are where drivers come and go.
const DRIVEN_STATIONS: usize = 100;

/// Loads a server with virtual charge stations and reports latency and throughput
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// What stations do: drivers come and go, or all say the same over and over, each as soon as it was answered
    #[arg(long, value_enum, default_value_t = Work::Drivers)]
    pub workload: Work,
    /// How many stations; where absent 100 with drivers, 50 that talk, 6000 in a rhythm, 5000 that arrive, 1000 idle
    #[arg(long, visible_alias = "connections", value_name = "NUMBER")]
    pub stations: Option<usize>,
    /// Where they connect to, such as ws://127.0.0.1:8080/ocpp/; with --endpoints-file
    #[arg(long, requires = "endpoints_file")]
    pub url: Option<String>,
    /// A file with an endpoint a line, the last part of a `connection_url`; `endpoint:password` where it has one
    #[arg(long, requires = "url", value_name = "FILE")]
    pub endpoints_file: Option<PathBuf>,
    /// The server whose REST API makes the stations, such as http://127.0.0.1:8080
    #[arg(long, requires = "api_key", conflicts_with = "url")]
    pub api: Option<String>,
    /// The API key for that
    #[arg(long, env = "EVENWATT_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// How long to measure, once every station was started
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Milliseconds between two readings of a transaction, where drivers come and go
    #[arg(long, default_value_t = 10_000)]
    pub meter_interval: u64,
    /// Connectors of each station
    #[arg(long, default_value_t = 1)]
    pub connectors: usize,
    /// Puts all stations into one balanced group with so many kW
    #[arg(long, requires = "api")]
    pub group_kw: Option<f64>,
    /// A card that the server knows; without one, and without --api, stations let everybody charge
    #[arg(long)]
    pub id_tag: Option<String>,
    /// What the stations speak where drivers come and go: 1.6, 2.0.1 or 2.1, or several of them alternating
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', default_value = "1.6",
        value_parser = Protocol::from_name)]
    pub ocpp: Vec<Protocol>,
    /// How many times faster than real drivers come and go
    #[arg(long, default_value_t = 60)]
    pub scale: u32,
    /// Stations that connect a second; 0: all at once
    #[arg(long, default_value_t = 500)]
    pub connect_rate: u32,
    /// Begins the dice of drivers
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The server's process, to report its processor time, what it writes, and its memory
    #[arg(long)]
    pub pid: Option<u32>,
    #[command(flatten)]
    pub load: LoadArgs,
}

/// What only a load has
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With a workload other than drivers")]
pub struct LoadArgs {
    /// Seconds from one message of a station to its next, answered or not; where absent the next follows the answer
    /// (31 in a rhythm)
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub every: Option<Duration>,
    /// Seconds without a call of the server until it counts as done with asking; more than its `ocpp.settle_seconds`
    #[arg(long, default_value_t = 7)]
    pub settle: u64,
    /// Seconds of load before anything is counted
    #[arg(long, default_value_t = 3)]
    pub warm_up: u64,
    /// Counts at least so many messages, however long that takes
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub messages: u64,
    /// Leaves the transaction's number out of MeterValues, as some stations do
    #[arg(long)]
    pub omit_transaction_id: bool,
    /// The process that was started of the server's PostgreSQL; all its processes are counted together
    #[arg(long, value_name = "PID")]
    pub postgres_pid: Option<u32>,
    /// Prints one line of JSON instead of a report
    #[arg(long)]
    pub json: bool,
}

/// What the stations do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Drivers come and go, cars fill, stations report
    Drivers,
    /// OCPP 1.6: Heartbeat
    Heartbeat,
    /// OCPP 1.6: MeterValues of a running transaction
    MeterValues,
    /// OCPP 1.6: Heartbeat and MeterValues alternating
    Mixed,
    /// OCPP 1.6: StartTransaction, MeterValues, StopTransaction
    #[value(name = "transactions-1.6")]
    Transactions16,
    /// OCPP 2.0.1: TransactionEvent Started, Updated, Ended
    #[value(name = "transactions-2.0.1")]
    Transactions201,
    /// OCPP 1.6: all in session, each a MeterValues in the rhythm of the field
    Rhythm,
    /// OCPP 1.6: a StartTransaction of each in the same instant
    Arrival,
    /// OCPP 1.6: connected and silent, for the memory of a station
    Idle,
}

impl Work {
    /// The load that it is, if it is one.
    const fn workload(self) -> Option<Workload> {
        match self {
            Self::Drivers => None,
            Self::Heartbeat => Some(Workload::Heartbeat),
            Self::MeterValues => Some(Workload::MeterValues),
            Self::Mixed => Some(Workload::Mixed),
            Self::Transactions16 => Some(Workload::Transactions16),
            Self::Transactions201 => Some(Workload::Transactions201),
            Self::Rhythm => Some(Workload::Rhythm),
            Self::Arrival => Some(Workload::Arrival),
            Self::Idle => Some(Workload::Idle),
        }
    }
}

impl SimulateArgs {
    fn stations(&self) -> usize {
        let by_itself = self.workload.workload().map_or(DRIVEN_STATIONS, Workload::stations);
        self.stations.unwrap_or(by_itself)
    }

    /// How long to wait between the connections of two stations.
    fn stagger(&self) -> Duration {
        match self.connect_rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs(1) / rate,
        }
    }

    fn card(&self) -> &str {
        self.id_tag.as_deref().unwrap_or(CARD)
    }
}

/// Runs the stations and prints the report.
pub async fn run(args: SimulateArgs) -> Result<()> {
    match args.workload.workload() {
        None => drivers::run(&args).await,
        Some(workload) => load::run(workload, &args).await,
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string()).and_then(|span| {
        let is_some = !span.is_zero();
        is_some.then_some(span).ok_or_else(|| "must be more than nothing".to_owned())
    })
}

fn millis(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        simulate: SimulateArgs,
    }

    fn read(line: &[&str]) -> Result<SimulateArgs, clap::Error> {
        Line::try_parse_from([&["simulate"], line].concat()).map(|line| line.simulate)
    }

    #[test]
    fn drivers_come_and_go_where_nothing_is_said() {
        let args = read(&[]).expect("arguments");
        assert_eq!((args.workload, args.stations(), args.stagger()), (Work::Drivers, 100, Duration::from_millis(2)));
        assert_eq!(read(&["--stations", "7"]).expect("arguments").stations(), 7);
    }

    #[test]
    fn a_workload_brings_its_number_of_connections_and_its_rhythm() {
        let args = read(&["--workload", "transactions-2.0.1"]).expect("arguments");
        let workload = args.workload.workload().expect("a load");
        assert_eq!((workload, args.stations(), workload.every()), (Workload::Transactions201, 50, None));
        let args = read(&["--workload", "rhythm", "--every", "0.5"]).expect("arguments");
        assert_eq!((args.stations(), args.load.every), (6_000, Some(Duration::from_millis(500))));
        assert_eq!(Workload::Rhythm.every(), Some(Duration::from_secs(31)));
        let args = read(&["--workload", "idle", "--connections", "10000"]).expect("arguments");
        assert_eq!(args.stations(), 10_000);
    }

    #[test]
    fn a_rhythm_without_time_is_refused() {
        for wrong in ["0", "-1", "soon", "inf"] {
            assert!(read(&[&format!("--every={wrong}")]).is_err(), "{wrong}");
        }
    }
}
