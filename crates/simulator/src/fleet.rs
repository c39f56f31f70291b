//! Many stations at once, each a task of its own, all counting into the same statistics.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use clock::SharedClock;
use ocpp::text::TooLong;
use ocpp::v16::common::IdTag;

use super::car::Scale;
use super::client::{Client, Endpoint, Handle, Wish};
use super::driver::{Driver, Rhythm};
use super::limit::Outlet;
use super::station::{Station, StationSpec};
use super::statistics::Statistics;

/// How long stations may take to leave.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a fleet is made of.
#[derive(Debug, Clone)]
pub struct FleetPlan {
    /// One station each.
    pub endpoints: Vec<Endpoint>,
    /// The connectors of each.
    pub outlets: Vec<Outlet>,
    /// How often a transaction is metered.
    pub meter_interval: Duration,
    /// How fast batteries fill and drivers come and go.
    pub scale: Scale,
    /// When drivers come and go by themselves; without it only [`Handle::wish`] moves cars.
    pub rhythm: Option<Rhythm>,
    /// The card all drivers use.
    pub id_tag: IdTag,
    /// See [`StationSpec::free`].
    pub free: bool,
    /// Begins the dice.
    pub seed: u64,
    /// How long to wait between the connections of two stations.
    pub stagger: Duration,
}

/// Running stations.
pub struct Fleet {
    /// Each of them, in the order of the plan.
    pub stations: Vec<Handle>,
    /// What they count.
    pub statistics: Arc<Statistics>,
    tasks: JoinSet<()>,
}

impl Fleet {
    /// Switches every station on.
    pub fn start(plan: &FleetPlan, clock: &SharedClock) -> Result<Self, TooLong> {
        let statistics = Arc::new(Statistics::default());
        let (mut stations, mut tasks) = (Vec::new(), JoinSet::new());
        let (mut seed, mut delay) = (plan.seed, Duration::ZERO);
        for (number, endpoint) in (1..).zip(&plan.endpoints) {
            let mut spec = StationSpec::new(&serial(number), plan.outlets.clone())?;
            spec.meter_interval = plan.meter_interval;
            spec.scale = plan.scale;
            spec.free = plan.free;
            spec.version = endpoint.version;
            let now = clock.now();
            let driver = plan.rhythm.clone().map(|rhythm| {
                let connectors = u32::try_from(plan.outlets.len()).unwrap_or(u32::MAX);
                Driver::new(seed, rhythm, plan.scale, plan.id_tag.clone(), connectors, now)
            });
            let (client, handle) =
                Client::new(Station::new(spec, now), driver, endpoint.clone(), clock.clone(), statistics.clone());
            stations.push(handle);
            tasks.spawn(async move {
                sleep(delay).await;
                client.run().await;
            });
            seed = seed.wrapping_add(1);
            delay += plan.stagger;
        }
        Ok(Self { stations, statistics, tasks })
    }

    /// How many are connected and accepted.
    pub fn accepted(&self) -> usize {
        let views = self.stations.iter().map(Handle::view);
        views.filter(|view| view.accepted).count()
    }

    /// Switches every station off.
    pub async fn stop(mut self) {
        let farewell = async {
            for station in &self.stations {
                station.wish(Wish::SwitchOff).await;
            }
            while self.tasks.join_next().await.is_some() {}
        };
        // Those that are still busy are cut off when the set is dropped.
        drop(timeout(FAREWELL, farewell).await);
    }
}

fn serial(number: u32) -> String {
    format!("EW-{number:06}")
}
