//! `evenwatt deliveries`: how fast events reach an endpoint that answers at once, alone and beside five bad ones.
//!
//! Server and endpoints run in this process and share its processors. First many events happen at once, which shows how
//! many are delivered a second; then they come evenly, which shows how long each takes from its write until it is received.

mod endpoints;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use serde_json::json;

use self::endpoints::{Bad, Healthy};
use super::demo::{ANY_PORT, TemporaryFolder, db_key};
use crate::app::{Config, Dependencies, Running, start};
use crate::cli::rest::Rest;
use crate::events::{Change, EventKind};
use crate::store::StoreResult;
use kernel::{OrganizationId, RawId, StationId};
use simulator::statistics::Histogram;

/// Events that are written in one go.
const WRITTEN_AT_ONCE: usize = 250;
/// About as much as the view of a station.
const BYTES: usize = 1_200;
/// How long all events may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures how fast events reach a webhook, alone and beside bad ones
#[derive(Debug, Clone, Args)]
pub(super) struct DeliveriesArgs {
    /// How many events happen at once
    #[arg(long, default_value_t = 5_000)]
    pub events: usize,
    /// How many stations they are of; those of one station are sent one after the other
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..))]
    pub stations: u8,
    /// How many happen a second when they come evenly
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// For how many seconds
    #[arg(long, default_value_t = 20)]
    pub seconds: u32,
}

/// What came of one run.
struct Figures {
    per_second: f64,
    lag: Histogram,
}

/// Runs it twice and prints a line each, and a third that compares them.
pub(super) async fn run(args: DeliveriesArgs) -> Result<()> {
    println!("{:<22}{:>14}{:>12}{:>12}", "the healthy endpoint", "a second", "lag p50", "lag p99");
    let alone = measure(&args, false).await?;
    print("alone", &alone);
    let beside = measure(&args, true).await?;
    print("beside five bad ones", &beside);
    let ratio = |percent| seconds(&beside, percent) / seconds(&alone, percent);
    println!("{:<22}{:>14.2}{:>12.2}{:>12.2}", "ratio", beside.per_second / alone.per_second, ratio(50), ratio(99));
    Ok(())
}

fn print(name: &str, figures: &Figures) {
    println!(
        "{name:<22}{:>14.0}{:>9.1} ms{:>9.1} ms",
        figures.per_second,
        seconds(figures, 50) * 1_000.0,
        seconds(figures, 99) * 1_000.0
    );
}

fn seconds(figures: &Figures, percent: u64) -> f64 {
    figures.lag.percentile(percent).as_secs_f64()
}

async fn measure(args: &DeliveriesArgs, beside_bad_ones: bool) -> Result<Figures> {
    let folder = TemporaryFolder::new()?;
    let url = format!("sqlite://{}", folder.0.join("deliveries.db").display());
    let config = configuration(&url)?;
    let running = start(&config, Dependencies::default()).await?;
    let base = format!("http://{}", running.address);
    let rest = Rest::new(&base, &db_key(&running).await?);
    let healthy = Healthy::start()?;
    let bad = match beside_bad_ones {
        true => Some(Bad::start()?),
        false => None,
    };
    let urls = bad.iter().flat_map(Bad::urls).chain([healthy.url()]);
    for url in urls {
        let webhook = json!({"url": url, "events": "chargestation.updated"});
        rest.make("/webhooks", &webhook).await?;
    }
    let source = Source { organization: organization(&rest).await?, stations: args.stations, running: &running };
    let figures = tokio::time::timeout(PATIENCE, rounds(args, &source, &healthy)).await;
    drop(bad);
    running.stop().await?;
    figures.context("events did not arrive")?
}

async fn rounds(args: &DeliveriesArgs, source: &Source<'_>, healthy: &Healthy) -> Result<Figures> {
    let begun = Instant::now();
    for first in (0..args.events).step_by(WRITTEN_AT_ONCE) {
        let count = WRITTEN_AT_ONCE.min(args.events - first);
        source.write(first, count).await?;
    }
    let received = healthy.until(args.events).await;
    let last = received.iter().max().copied().unwrap_or(begun);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand events")]
    let per_second = args.events as f64 / (last - begun).as_secs_f64();

    let mut ticks = tokio::time::interval(Duration::from_secs(1) / args.rate);
    let mut written = Vec::new();
    for number in 0..(args.rate * args.seconds) as usize {
        ticks.tick().await;
        written.push(Instant::now());
        source.write(args.events + number, 1).await?;
    }
    let received = healthy.until(args.events + written.len()).await;
    let mut lag = Histogram::default();
    for (written, received) in written.iter().zip(received.iter().skip(args.events)) {
        lag.add(received.saturating_duration_since(*written));
    }
    Ok(Figures { per_second, lag })
}

fn configuration(url: &str) -> Result<Config> {
    let options = [
        ("EVENWATT_HTTP_LISTEN", ANY_PORT),
        ("EVENWATT_WEBHOOKS_ALLOW_PRIVATE", "true"),
        ("EVENWATT_WEBHOOKS_ALLOW_HTTP", "true"),
        ("DATABASE_URL", url),
    ];
    let options = options.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Config::load(None, options).map_err(|error| anyhow!(error))
}

async fn organization(rest: &Rest) -> Result<OrganizationId> {
    let found = rest.get("/organization").await?;
    let id = found.get("_id").and_then(|id| id.as_str());
    Ok(id.context("an organization")?.parse()?)
}

/// Where events come from.
struct Source<'a> {
    organization: OrganizationId,
    stations: u8,
    running: &'a Running,
}

impl Source<'_> {
    /// Writes events with these numbers, the stations alternating.
    async fn write(&self, first: usize, count: usize) -> Result<()> {
        let (organization, stations) = (self.organization, usize::from(self.stations));
        let moment = self.running.context.moment();
        let write = move |conn: &mut _| -> StoreResult<()> {
            for number in first..first + count {
                let station = u8::try_from(number % stations).unwrap_or_default();
                let station: StationId = RawId::from_bytes([station; 12]).into();
                let data = json!({"number": number, "padding": "x".repeat(BYTES)});
                Change::new(conn, organization, &moment).record_at(station, EventKind::StationUpdated, &data)?;
            }
            Ok(())
        };
        Ok(self.running.context.db.write(write).await?)
    }
}
