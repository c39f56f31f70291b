//! `evenwatt reaction`: how long it takes from a meter's reading at the API until the last station obeys a lower limit.
//!
//! Server and stations run in this process and share its processors. All stations are in one group and charge; the meter of
//! the building shows a little more load each time, so that every station must be lowered each time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use futures_util::future::join_all;
use serde_json::json;

use super::demo::depot::location;
use super::demo::{ANY_PORT, TemporaryFolder, db_key};
use crate::app::{Config, Dependencies, start};
use crate::cli::rest::Rest;
use clock::{SharedClock, SystemClock};
use kernel::{WattHours, Watts};
use ocpp::v16::common::IdTag;
use simulator::statistics::Histogram;
use simulator::{Car, CarModel, Endpoint, Fleet, FleetPlan, Handle, Outlet, Scale, StationView, Wish};

/// What a station gives at most.
const CONNECTOR: Watts = Watts(7_000);
/// How much each station is lowered in a round.
const STEP: Watts = Watts(100);
/// The most rounds: every station keeps 2 kW.
const MOST_ROUNDS: u32 = 50;
/// The card of every driver.
const CARD: &str = "REACTION";
/// The pause between two rounds.
const PAUSE: Duration = Duration::from_millis(500);
/// How long all stations may take to begin, and to obey.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures how long it takes from a meter's reading until the last station obeys
#[derive(Debug, Clone, Args)]
pub(super) struct ReactionArgs {
    /// How many stations, one run each
    #[arg(long, value_delimiter = ',', default_values_t = [50, 500, 5_000])]
    pub stations: Vec<usize>,
    /// How often, at most 50
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROUNDS)))]
    pub rounds: u32,
    /// Seconds between two readings of a station
    #[arg(long, default_value_t = 60)]
    pub meter_interval: u64,
}

/// Runs it for every number of stations and prints a line each.
pub(super) async fn run(args: ReactionArgs) -> Result<()> {
    println!(
        "{:>9}{:>8}{:>12}{:>12}{:>12}{:>12}",
        "stations", "rounds", "first p50", "last p50", "last p99", "at station"
    );
    for stations in &args.stations {
        let reaction = measure(*stations, &args).await?;
        let (first, last) = (&reaction.first, &reaction.last);
        #[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
        let each = last.percentile(50).as_secs_f64() * 1e6 / *stations as f64;
        println!(
            "{stations:>9}{:>8}{:>9.1} ms{:>9.1} ms{:>9.1} ms{each:>9.0} µs",
            last.count(),
            millis(first.percentile(50)),
            millis(last.percentile(50)),
            millis(last.percentile(99)),
        );
    }
    Ok(())
}

/// From the reading to the first and to the last station that obeyed.
#[derive(Default)]
struct Reaction {
    first: Histogram,
    last: Histogram,
}

async fn measure(stations: usize, args: &ReactionArgs) -> Result<Reaction> {
    let folder = TemporaryFolder::new()?;
    let config = configuration(&folder.0.join("reaction.db"))?;
    let running = start(&config, Dependencies::default()).await?;
    let rest = Rest::new(&format!("http://{}", running.address), &db_key(&running).await?);
    let (endpoints, meter) = make(&rest, stations).await?;
    let fleet = switch_on(endpoints, args)?;
    let reaction = rounds(&rest, &meter, &fleet, args.rounds).await;
    fleet.stop().await;
    running.stop().await?;
    reaction
}

fn configuration(file: &Path) -> Result<Config> {
    let url = format!("sqlite://{}", file.display());
    let options = [
        ("EVENWATT_HTTP_LISTEN", ANY_PORT),
        ("EVENWATT_HTTP_RATE_PER_SECOND", "1000000"),
        ("EVENWATT_HTTP_RATE_BURST", "1000000"),
        ("DATABASE_URL", &url),
    ];
    let options = options.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Config::load(None, options).map_err(|error| anyhow!(error))
}

/// Makes the group with its stations and the meter of the building: where stations connect to, and where readings go.
async fn make(rest: &Rest, stations: usize) -> Result<(Vec<Endpoint>, String)> {
    let location = rest.make("/locations", &location()).await?;
    let card = json!({"physicalId": CARD, "type": "Central"});
    rest.post("/tokens", &card).await?;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand stations")]
    let capacity = CONNECTOR.kilowatts() * stations as f64;
    let group = json!({
        "name": "Depot", "location": location, "maximum_capacity": capacity, "raise_step": 1_000,
        "minimum_connector_capacity": 1.4, "buffer": 0,
    });
    let group = rest.make("/load_management/groups", &group).await?;
    let meter = json!({
        "name": "Building", "type": "smart_meter", "meter_scope": "building", "location": location, "group": group,
        "electric_current_type": "AC_three_phase",
    });
    let meter = rest.make("/assets", &meter).await?;
    let readings = format!("/assets/{meter}/readings");
    rest.post(&readings, &json!({"power": 0})).await?;
    let connector = json!({
        "type": "Type2", "power_type": "AC Single Phase", "power": CONNECTOR.kilowatts(),
    });
    let mut endpoints = Vec::with_capacity(stations);
    for number in 1..=stations {
        let station = json!({"name": format!("Bay {number}"), "location": location});
        let made = rest.make_station(station, &connector, 1).await?;
        let path = format!("/load_management/groups/{group}/chargestations");
        rest.post(&path, &json!({"chargestation": made.id})).await?;
        endpoints.push(made.endpoint);
    }
    Ok((endpoints, readings))
}

fn switch_on(endpoints: Vec<Endpoint>, args: &ReactionArgs) -> Result<Fleet> {
    let clock: SharedClock = Arc::new(SystemClock);
    let plan = FleetPlan {
        endpoints,
        outlets: vec![Outlet::single_phase(CONNECTOR)],
        meter_interval: Duration::from_secs(args.meter_interval),
        scale: Scale::REAL,
        rhythm: None,
        id_tag: IdTag::new(CARD)?,
        free: false,
        seed: 0,
        stagger: Duration::from_millis(2),
    };
    Ok(Fleet::start(&plan, &clock)?)
}

/// Lowers everybody, round after round.
async fn rounds(rest: &Rest, readings: &str, fleet: &Fleet, rounds: u32) -> Result<Reaction> {
    let begin = join_all(fleet.stations.iter().map(begin));
    within_patience(begin, "stations did not begin").await.with_context(|| {
        let views: Vec<_> = fleet.stations.iter().map(Handle::view).collect();
        let waiting = views.iter().find(|view| !has_begun(view));
        format!("{} began; one that did not: {waiting:?}", views.iter().filter(|view| has_begun(view)).count())
    })?;
    let mut reaction = Reaction::default();
    for round in 1..=rounds {
        tokio::time::sleep(PAUSE).await;
        let lowered = Watts(STEP.get() * i64::from(round));
        #[expect(clippy::cast_precision_loss, reason = "a few thousand stations")]
        let load = lowered.kilowatts() * fleet.stations.len() as f64;
        let asked = Instant::now();
        let obeyed = fleet.stations.iter().map(|station| async {
            station.until(|view| limit_of(view).is_some_and(|limit| limit <= CONNECTOR - lowered)).await;
            asked.elapsed()
        });
        let reading = json!({"power": load});
        let (posted, obeyed) =
            tokio::join!(rest.post(readings, &reading), within_patience(join_all(obeyed), "stations did not obey"));
        posted?;
        let obeyed = obeyed?;
        reaction.first.add(obeyed.iter().min().copied().unwrap_or_default());
        reaction.last.add(obeyed.iter().max().copied().unwrap_or_default());
    }
    Ok(reaction)
}

/// Plugs a car in and waits until it may charge at full power.
async fn begin(station: &Handle) {
    station.until(|view| view.accepted).await;
    let car = Car::arriving(CarModel::single_phase(WattHours(100_000)), 10);
    if let Ok(card) = IdTag::new(CARD) {
        station.wish(Wish::PlugIn(1, car, card)).await;
    }
    station.until(has_begun).await;
}

/// Whether a station charges at full power; a tenth of an ampere may be missing.
fn has_begun(view: &StationView) -> bool {
    let charging = view.connectors.iter().all(|one| one.in_transaction);
    charging && limit_of(view) >= Some(CONNECTOR - STEP)
}

fn limit_of(view: &StationView) -> Option<Watts> {
    view.connectors.first().map(|one| one.limit)
}

async fn within_patience<T>(work: impl Future<Output = T>, what: &'static str) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.context(what)
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}
