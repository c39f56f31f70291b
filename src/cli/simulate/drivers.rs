//! Drivers that come and go: stations live, and every call of theirs is counted.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{SimulateArgs, millis, stations};
use clock::{SharedClock, SystemClock};
use kernel::Watts;
use ocpp::v16::common::IdTag;
use simulator::driver::Rhythm;
use simulator::load::process::Usage;
use simulator::statistics::{ActionStatistics, Summary};
use simulator::{Fleet, FleetPlan, Outlet, Scale};

/// Runs the stations and prints the report.
pub(super) async fn run(args: &SimulateArgs) -> Result<()> {
    let mut endpoints = stations::endpoints(args).await?;
    for (endpoint, version) in endpoints.iter_mut().zip(args.ocpp.iter().cycle()) {
        endpoint.version = *version;
    }
    let stagger = args.stagger();
    let plan = FleetPlan {
        outlets: vec![Outlet::single_phase(Watts(7_000)); args.connectors],
        meter_interval: Duration::from_millis(args.meter_interval),
        scale: Scale(args.scale.max(1)),
        rhythm: Some(Rhythm {
            gap: Duration::from_secs(10)..Duration::from_secs(600),
            stay: Duration::from_secs(1_800)..Duration::from_secs(14_400),
        }),
        id_tag: IdTag::new(args.card())?,
        free: args.id_tag.is_none() && args.api.is_none(),
        seed: args.seed,
        stagger,
        endpoints,
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let process = || {
        let look = |pid| Usage::of_process(pid).with_context(|| format!("the process {pid} cannot be looked at"));
        args.pid.map(look).transpose()
    };
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
            each(after.since(&connected).processor.as_secs_f64() * 1e6, summary.calls() - calls),
            each(float(connected.kilobytes_since(&alone)), accepted as u64),
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

/// The table of calls.
pub(super) fn report(summary: &Summary, took: Duration) -> String {
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

#[expect(clippy::cast_precision_loss, reason = "a rate for a person")]
fn stations_per_second(stations: usize, took: Duration) -> f64 {
    stations as f64 / took.as_secs_f64().max(0.001)
}

/// A share of each; of nobody where there is none.
#[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
pub(super) fn each(sum: f64, count: u64) -> f64 {
    sum / count.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
pub(super) const fn float(whole: u64) -> f64 {
    whole as f64
}
