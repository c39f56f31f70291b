//! `evenwatt simulate`: many virtual stations against a server, and a report of how it took that.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use reqwest::StatusCode;
use serde_json::json;

use crate::cli::rest::{Rest, RestError};
use clock::{SharedClock, SystemClock};
use kernel::Protocol;
use kernel::Watts;
use ocpp::v16::common::IdTag;
use simulator::driver::Rhythm;
use simulator::statistics::{ActionStatistics, Summary};
use simulator::{Endpoint, Fleet, FleetPlan, Outlet, Scale};

/// Power of each connector, in kW.
const CONNECTOR_KW: f64 = 7.0;
/// The name of the group that is made.
const GROUP_NAME: &str = "Simulated depot";
/// The card that is made.
const CARD: &str = "SIMULATED";
/// Ticks of the processor clock in a second (`getconf CLK_TCK`, 100 on every Linux).
const TICKS_PER_SECOND: u64 = 100;

/// Loads a server with virtual charge stations and reports latency and throughput
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// How many stations
    #[arg(long, default_value_t = 100)]
    pub stations: usize,
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
    /// Milliseconds between two readings of a transaction
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
    /// What the stations speak: 1.6, 2.0.1 or 2.1, or several of them alternating, separated by commas
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
    /// The server's process, to report its processor time and memory
    #[arg(long)]
    pub pid: Option<u32>,
}

/// Runs the stations and prints the report.
pub async fn run(args: SimulateArgs) -> Result<()> {
    let mut endpoints = endpoints(&args).await?;
    for (endpoint, version) in endpoints.iter_mut().zip(args.ocpp.iter().cycle()) {
        endpoint.version = *version;
    }
    let stagger = match args.connect_rate {
        0 => Duration::ZERO,
        rate => Duration::from_secs(1) / rate,
    };
    let plan = FleetPlan {
        outlets: vec![Outlet::single_phase(Watts(7_000)); args.connectors],
        meter_interval: Duration::from_millis(args.meter_interval),
        scale: Scale(args.scale.max(1)),
        rhythm: Some(Rhythm {
            gap: Duration::from_secs(10)..Duration::from_secs(600),
            stay: Duration::from_secs(1_800)..Duration::from_secs(14_400),
        }),
        id_tag: IdTag::new(args.id_tag.as_deref().unwrap_or(CARD))?,
        free: args.id_tag.is_none() && args.api.is_none(),
        seed: args.seed,
        stagger,
        endpoints,
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let process = || args.pid.map(Process::read).transpose();
    let alone = process()?;
    let began = Instant::now();
    let fleet = Fleet::start(&plan, &clock)?;
    let ramp = stagger * u32::try_from(plan.endpoints.len()).unwrap_or(u32::MAX);
    eprintln!("{} stations connect to the server", plan.endpoints.len());
    let connected_after = settle(&fleet, began, ramp + Duration::from_secs(60)).await;
    let (connected, calls) = (process()?, fleet.statistics.summary().calls());
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(args.seconds)) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    let took = began.elapsed();
    let (accepted, summary) = (fleet.accepted(), fleet.statistics.summary());
    let after = process()?;
    fleet.stop().await;

    let mut report = report(&summary, took);
    let stations = plan.endpoints.len();
    let pace = stations_per_second(accepted, connected_after);
    writeln!(
        report,
        "connected: {accepted} of {stations} stations, {pace:.0} a second; handshake p50 {}, p99 {}, max {}",
        millis(summary.connects.percentile(50)),
        millis(summary.connects.percentile(99)),
        millis(summary.connects.longest()),
    )?;
    if let (Some(alone), Some(connected), Some(after)) = (alone, connected, after) {
        writeln!(
            report,
            "server: {:.1} µs of processor time a call once all were connected; {:.1} kB of memory a connected station",
            after.micros_since(&connected, summary.calls() - calls),
            connected.kilobytes_since(&alone, accepted),
        )?;
    }
    print!("{report}");
    if accepted == 0 {
        let why = summary.last_failure.unwrap_or_default();
        bail!("no station was accepted: {why}");
    }
    Ok(())
}

/// Waits until every station was accepted, but not for ever; gives how long it took.
async fn settle(fleet: &Fleet, began: Instant, longest: Duration) -> Duration {
    while fleet.accepted() < fleet.stations.len() && began.elapsed() < longest {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    began.elapsed()
}

/// Where the stations connect to: from the file, or made over the REST API.
async fn endpoints(args: &SimulateArgs) -> Result<Vec<Endpoint>> {
    match (&args.url, &args.endpoints_file, &args.api, &args.api_key) {
        (Some(url), Some(file), ..) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let found: Vec<_> = lines.take(args.stations).map(|line| endpoint(url, line)).collect();
            if found.is_empty() {
                bail!("{} has no endpoints", file.display());
            }
            Ok(found)
        }
        (_, _, Some(api), Some(key)) => make_stations(&Rest::new(api, key), args).await,
        _ => Err(anyhow!("give either --url with --endpoints-file, or --api with --api-key")),
    }
}

fn endpoint(url: &str, line: &str) -> Endpoint {
    let (name, password) = match line.split_once(':') {
        Some((name, password)) => (name, Some(password.to_owned())),
        None => (line, None),
    };
    Endpoint { url: format!("{}/{name}", url.trim_end_matches('/')), password, version: Protocol::V16 }
}

async fn make_stations(rest: &Rest, args: &SimulateArgs) -> Result<Vec<Endpoint>> {
    let location = rest.make("/locations", &super::demo::depot::location()).await?;
    if args.id_tag.is_none() {
        make_card(rest).await?;
    }
    let group = match args.group_kw {
        Some(kilowatts) => {
            let body = json!({
                "name": GROUP_NAME, "location": location, "maximum_capacity": kilowatts,
                "minimum_connector_capacity": 1.4, "buffer": 0,
            });
            Some(rest.make("/load_management/groups", &body).await?)
        }
        None => None,
    };
    let connector = json!({"type": "Type2", "power_type": "AC Single Phase", "power": CONNECTOR_KW});
    let mut endpoints = Vec::with_capacity(args.stations);
    for number in 1..=args.stations {
        let station = json!({"name": format!("Simulated {number}"), "location": location});
        let made = rest.make_station(station, &connector, args.connectors).await?;
        if let Some(group) = &group {
            let path = format!("/load_management/groups/{group}/chargestations");
            rest.post(&path, &json!({"chargestation": made.id})).await?;
        }
        endpoints.push(made.endpoint);
    }
    Ok(endpoints)
}

/// Makes the card, unless an earlier run did.
async fn make_card(rest: &Rest) -> Result<()> {
    let card = json!({"physicalId": CARD, "type": "Central"});
    match rest.post("/tokens", &card).await {
        Ok(_) | Err(RestError::Refused(_, StatusCode::CONFLICT, _)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn report(summary: &Summary, took: Duration) -> String {
    let mut text = format!(
        "{:<22}{:>10}{:>10}{:>11}{:>11}{:>11}{:>8}\n",
        "call", "count", "a second", "p50", "p99", "max", "failed"
    );
    let mut line = |name: &str, one: &ActionStatistics| {
        let latency = &one.latency;
        #[expect(clippy::cast_precision_loss, reason = "a rate for a person")]
        let rate = latency.count() as f64 / took.as_secs_f64();
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{name:<22}{:>10}{rate:>10.1}{:>11}{:>11}{:>11}{:>8}",
            latency.count(),
            millis(latency.percentile(50)),
            millis(latency.percentile(99)),
            millis(latency.longest()),
            one.failures,
        );
    };
    for (action, one) in &summary.actions {
        line(action, one);
    }
    line("all", &summary.total());
    for (action, count) in &summary.obeyed {
        let _ = writeln!(text, "obeyed: {count} {action}");
    }
    if summary.failed_connects > 0 || summary.disconnects > 0 {
        let _ = writeln!(
            text,
            "lost: {} connections; {} attempts failed, the last one: {}",
            summary.disconnects,
            summary.failed_connects,
            summary.last_failure.as_deref().unwrap_or("none"),
        );
    }
    text
}

fn millis(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1_000.0)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for a person")]
fn stations_per_second(stations: usize, took: Duration) -> f64 {
    stations as f64 / took.as_secs_f64().max(0.001)
}

/// What Linux reports of a process.
#[derive(Debug, Clone, Copy)]
struct Process {
    ticks: u64,
    resident_kilobytes: u64,
}

impl Process {
    fn read(pid: u32) -> Result<Self> {
        let file = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        Self::parse(&file("stat")?, &file("status")?).ok_or_else(|| anyhow!("/proc/{pid} is not as Linux writes it"))
    }

    /// From `stat`, fields 14 and 15 (proc(5)) counted behind the name in brackets, and `status`.
    fn parse(stat: &str, status: &str) -> Option<Self> {
        let (_, behind) = stat.rsplit_once(')')?;
        let mut fields = behind.split_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(Self { ticks: user + system, resident_kilobytes: resident.split_whitespace().next()?.parse().ok()? })
    }

    /// Processor time for each of so many calls.
    #[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
    fn micros_since(&self, before: &Self, calls: u64) -> f64 {
        let micros = (self.ticks - before.ticks) * (1_000_000 / TICKS_PER_SECOND);
        micros as f64 / calls.max(1) as f64
    }

    /// Memory for each of so many stations; unknown when the process gave some back.
    #[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
    fn kilobytes_since(&self, before: &Self, stations: usize) -> f64 {
        let grown = self.resident_kilobytes.saturating_sub(before.resident_kilobytes);
        grown as f64 / stations.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_also_when_the_name_has_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 4 0 1 1 1 1";
        let process = Process::parse(stat, "Name:\ta\nVmRSS:\t  2048 kB\n").expect("read");
        assert_eq!((process.ticks, process.resident_kilobytes), (42, 2_048));
    }

    #[test]
    fn a_line_of_the_file_may_carry_a_password() {
        let plain = endpoint("ws://h/ocpp/", "abc");
        assert_eq!((plain.url.as_str(), plain.password), ("ws://h/ocpp/abc", None));
        let secret = endpoint("ws://h/ocpp", "abc:pass:word");
        assert_eq!(secret.password.as_deref(), Some("pass:word"));
    }
}
