//! A load from its first connection to its figures: all connect, get ready and are left alone by the server; then all begin
//! at once, warm up, and a window is counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use clock::SharedClock;
use kernel::Watts;
use ocpp::text::TooLong;

use super::connection::{Connection, Counted};
use super::process::{Spent, Usage};
use super::script::Script;
use super::workload::Workload;
use crate::statistics::Summary;
use crate::{Endpoint, Outlet, Station, StationSpec};

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long all may need to get ready once the last one began to connect.
const READY_WITHIN: Duration = Duration::from_secs(300);
/// A server that never is, is measured with it.
const QUIET_WITHIN: Duration = Duration::from_secs(120);
/// A window ends after so long, however few messages were counted.
const MESSAGES_WITHIN: Duration = Duration::from_secs(3_600);
/// The longest that everything that is said once may take.
const SINGLE_WITHIN: Duration = Duration::from_secs(120);

/// Who makes a load, and of what.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// What is said.
    pub workload: Workload,
    /// One station each.
    pub endpoints: Vec<Endpoint>,
    /// The card that all show.
    pub card: String,
    /// Time from one message of a station to its next; without it the next follows the answer.
    pub every: Option<Duration>,
    /// Whether MeterValues name their transaction.
    pub names_transaction: bool,
    /// How long to wait between the connections of two stations.
    pub stagger: Duration,
}

/// How a load is measured.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// How long the server may need until it asks stations what they can (`ocpp.settle_seconds` after they booted), and how
    /// long it must have asked nothing until it counts as done with that.
    pub settle: Duration,
    /// How long nothing is counted yet.
    pub warm_up: Duration,
    /// How long is counted at least.
    pub window: Duration,
    /// How many messages are counted at least.
    pub messages: u64,
    /// The server's process.
    pub server: Option<u32>,
    /// The process that was started of the server's PostgreSQL.
    pub postgres: Option<u32>,
}

/// What a window showed.
#[derive(Debug)]
pub struct Measured {
    /// Calls and their latencies.
    pub summary: Summary,
    /// How long it was.
    pub took: Duration,
    /// What the server used.
    pub server: Option<Spent>,
    /// What PostgreSQL used, all its processes together.
    pub postgres: Option<Spent>,
    /// Memory of the server before anybody was connected, and what it grew by until the window began, in kB.
    pub grown_kilobytes: Option<(u64, u64)>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Some stations did not get ready.
    #[error("{ready} of {stations} stations got ready; the last failure: {why}")]
    NotReady {
        /// Those that did.
        ready: usize,
        /// All.
        stations: usize,
        /// What went wrong with a connection last.
        why: String,
    },
    /// A process that is not there.
    #[error("the process {0} cannot be looked at: {1}")]
    Process(u32, io::Error),
    /// Never, as serial numbers are short.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Makes the load and counts a window of it. `say` hears what happens, such as `measuring` at the very begin of the window.
pub async fn measure(
    plan: &LoadPlan,
    conditions: &Conditions,
    clock: &SharedClock,
    mut say: impl FnMut(&str),
) -> Result<Measured, LoadError> {
    let alone = conditions.look()?;
    let load = Load::start(plan, clock)?;
    let stations = plan.endpoints.len();
    say(&format!("{stations} stations connect"));
    load.get_ready(plan.stagger * u32::try_from(stations).unwrap_or(u32::MAX)).await?;
    load.be_left_alone(conditions.settle).await;
    let connected = conditions.look()?;
    let is_single = plan.workload.is_single();
    if !is_single {
        load.begin();
        sleep(conditions.warm_up).await;
    }
    say("measuring");
    let (before, began) = (conditions.look()?, Instant::now());
    load.counted.statistics.take();
    if is_single {
        load.begin();
        while load.answered() < plan.endpoints.len() as u64 && began.elapsed() < SINGLE_WITHIN {
            sleep(Duration::from_millis(1)).await;
        }
    } else {
        let messages = if plan.workload == Workload::Idle { 0 } else { conditions.messages };
        let longest = conditions.window.max(MESSAGES_WITHIN);
        while began.elapsed() < conditions.window || (load.answered() < messages && began.elapsed() < longest) {
            sleep(LOOK.min(conditions.window)).await;
        }
    }
    let took = began.elapsed();
    let after = conditions.look()?;
    let summary = load.counted.statistics.take();
    say("measured");
    // What stations need that say nothing shows when they have said nothing for long.
    let quiet = if plan.workload == Workload::Idle { after } else { connected };
    let memory = alone.server.zip(quiet.server);
    Ok(Measured {
        summary,
        took,
        server: after.server.zip(before.server).map(|(after, before)| after.since(&before)),
        postgres: after.postgres.zip(before.postgres).map(|(after, before)| after.since(&before)),
        grown_kilobytes: memory.map(|(alone, quiet)| (alone.own_kilobytes(), quiet.kilobytes_since(&alone))),
    })
}

/// Looks at both processes at once.
#[derive(Debug, Clone, Copy)]
struct Look {
    server: Option<Usage>,
    postgres: Option<Usage>,
}

impl Conditions {
    fn look(&self) -> Result<Look, LoadError> {
        let look = |pid: Option<u32>, of: fn(u32) -> io::Result<Usage>| {
            pid.map(|pid| of(pid).map_err(|error| LoadError::Process(pid, error))).transpose()
        };
        Ok(Look { server: look(self.server, Usage::of_process)?, postgres: look(self.postgres, Usage::of_family)? })
    }
}

/// Running connections; they end when it is dropped.
struct Load {
    counted: Arc<Counted>,
    stations: usize,
    begin: watch::Sender<Option<Instant>>,
    _tasks: JoinSet<()>,
}

impl Load {
    fn start(plan: &LoadPlan, clock: &SharedClock) -> Result<Self, TooLong> {
        let (counted, (begin, begins), mut tasks) =
            (Arc::new(Counted::default()), watch::channel(None), JoinSet::new());
        let stations = plan.endpoints.len();
        let (mut delay, between) =
            (Duration::ZERO, plan.every.unwrap_or_default() / u32::try_from(stations.max(1)).unwrap_or(u32::MAX));
        for (number, endpoint) in (1..).zip(&plan.endpoints) {
            let mut spec = StationSpec::new(&format!("EW-{number:06}"), vec![Outlet::single_phase(Watts(7_000))])?;
            spec.version = endpoint.version;
            let now = clock.now();
            let connection = Connection {
                station: Station::new(spec, now),
                script: Script::new(plan.workload, u64::from(number), &plan.card, plan.names_transaction, now),
                endpoint: endpoint.clone(),
                clock: clock.clone(),
                counted: counted.clone(),
                begin: begins.clone(),
                every: plan.every,
                offset: between * number,
            };
            tasks.spawn(async move {
                sleep(delay).await;
                connection.run().await;
            });
            delay += plan.stagger;
        }
        Ok(Self { counted, stations, begin, _tasks: tasks })
    }

    async fn get_ready(&self, ramp: Duration) -> Result<(), LoadError> {
        let began = Instant::now();
        loop {
            let ready = self.counted.ready.load(Ordering::Relaxed);
            if ready >= self.stations {
                return Ok(());
            }
            if began.elapsed() > ramp + READY_WITHIN {
                let why = self.counted.statistics.summary().last_failure.unwrap_or_else(|| "none".to_owned());
                return Err(LoadError::NotReady { ready, stations: self.stations, why });
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until the server has asked everybody what it wants to know.
    async fn be_left_alone(&self, settle: Duration) {
        let began = Instant::now();
        let mut last = (self.counted.obeyed.load(Ordering::Relaxed), began);
        while began.elapsed() < QUIET_WITHIN {
            let obeyed = self.counted.obeyed.load(Ordering::Relaxed);
            if obeyed != last.0 {
                last = (obeyed, Instant::now());
            }
            if last.1.elapsed() > settle {
                return;
            }
            sleep(LOOK).await;
        }
    }

    fn begin(&self) {
        self.begin.send_replace(Some(Instant::now()));
    }

    /// Calls that were answered, or failed, since the last look at the statistics.
    fn answered(&self) -> u64 {
        self.counted.statistics.calls()
    }
}
