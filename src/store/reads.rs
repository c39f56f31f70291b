//! Lanes of the reads: stations, balancing and the API each have threads of their own, so that no list of a client is before a
//! station's question.
//!
//! Reads of the API have a time limit, from the moment they are asked, and end when nobody waits for them (see [`super::limit`]).
//! Their threads leave the processor to the others on Linux, where niceness is each thread's own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::Pool;
use tokio::sync::oneshot;

use super::cancel::{Canceller, Waiting, process_of};
use super::connection::{Conn, Opener, StoreUrl};
use super::error::{StoreError, StoreResult};
use super::limit::Ticket;
use super::memory::{self, Memory};
use super::pool::observed;
use super::settings::StoreSettings;
use super::threads::{Held, spawn};

/// How much the threads of the API leave to the others: a tenth of the processor remains theirs when all want it.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Whose work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Stations and what is done for them.
    Stations,
    /// Sharing power.
    Balancing,
    /// Clients of the API.
    Api,
}

struct ReadJob {
    ticket: Arc<Ticket>,
    work: Box<dyn FnOnce(&mut Conn) + Send>,
}

/// The queues of all lanes.
pub(super) struct Reads {
    stations: flume::Sender<ReadJob>,
    balancing: flume::Sender<ReadJob>,
    api: flume::Sender<ReadJob>,
    limit: Duration,
    canceller: Option<Canceller>,
    /// Reads of the API that are asked and not answered.
    open: Arc<AtomicUsize>,
}

impl Reads {
    /// Starts the threads of all lanes.
    pub(super) fn start(
        settings: &StoreSettings,
        pool: &Pool<Opener>,
        memory: Option<&Arc<dyn Memory>>,
    ) -> StoreResult<Self> {
        let opener = Opener { url: settings.url.clone(), synchronous: settings.synchronous };
        let canceller = match settings.url {
            StoreUrl::Sqlite(_) => None,
            StoreUrl::Postgres(_) => {
                let (canceller, work) = Canceller::new(opener, settings.queue);
                spawn("db-cancel".to_owned(), work)?;
                Some(canceller)
            }
        };
        let lane = |lane: Lane, threads: usize| {
            let (jobs, queue) = flume::bounded::<ReadJob>(settings.queue);
            for index in 0..threads.max(1) {
                let (pool, queue, limit) = (pool.clone(), queue.clone(), settings.query_limit);
                let memory = memory.cloned();
                spawn(format!("db-{}-{index}", lane.name()), move || {
                    memory::settle(memory, false);
                    read_loop(&pool, &queue, lane, limit);
                })?;
            }
            StoreResult::Ok(jobs)
        };
        Ok(Self {
            stations: lane(Lane::Stations, settings.station_readers)?,
            balancing: lane(Lane::Balancing, 1)?,
            api: lane(Lane::Api, settings.readers)?,
            limit: settings.query_limit,
            canceller,
            open: Arc::default(),
        })
    }

    /// Reads of the API that are asked and not answered.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How much waits in each lane.
    pub(super) fn queue_lengths(&self) -> [(&'static str, usize); 3] {
        let Self { stations, balancing, api, .. } = self;
        [(Lane::Stations, stations), (Lane::Balancing, balancing), (Lane::Api, api)]
            .map(|(lane, queue)| (lane.name(), queue.len()))
    }

    /// Runs a query in its lane.
    pub(super) async fn run<T, E>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (queue, ends) = match lane {
            Lane::Stations => (&self.stations, None),
            Lane::Balancing => (&self.balancing, None),
            Lane::Api => (&self.api, Some(Instant::now() + self.limit)),
        };
        let ticket = Ticket::new(ends);
        let _counted = ends.map(|_| Counted::new(&self.open));
        let _waiting = Waiting { ticket: Arc::clone(&ticket), canceller: self.canceller.clone() };
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move |conn: &mut Conn| {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)))
                .unwrap_or_else(|_| Err(StoreError::Failed("a query panicked".into()).into()));
            let _ = reply.send(outcome);
        });
        let sent = queue.try_send(ReadJob { ticket, work });
        sent.map_err(|_| observed::full(lane.name()))?;
        let answer = match ends {
            Some(ends) => tokio::time::timeout_at(ends.into(), answer).await.map_err(|_| StoreError::TooSlow)?,
            None => answer.await,
        };
        answer.unwrap_or_else(|_| {
            // A reader drops what it finds too late.
            let is_late = ends.is_some_and(|ends| Instant::now() >= ends);
            let stopped = || StoreError::Failed("the store stopped".into());
            Err(if is_late { StoreError::TooSlow } else { stopped() }.into())
        })
    }
}

/// Counts a read until it goes away.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    const fn name(self) -> &'static str {
        match self {
            Self::Stations => "stations",
            Self::Balancing => "balancing",
            Self::Api => "api",
        }
    }
}

fn read_loop(pool: &Pool<Opener>, queue: &flume::Receiver<ReadJob>, lane: Lane, limit: Duration) {
    if lane == Lane::Api {
        yield_to_others();
    }
    let mut held = Held::new(pool);
    let mut backend = None;
    while let Ok(ReadJob { ticket, work }) = queue.recv() {
        if !ticket.is_wanted() {
            continue; // whoever asked has gone, or got the error that it takes too long
        }
        match held.get_fresh() {
            Ok((conn, is_fresh)) => {
                if is_fresh {
                    backend = process_of(conn);
                    if lane == Lane::Api {
                        set_timeout(conn, limit);
                    }
                }
                ticket.during(backend, || work(conn));
            }
            Err(error) => tracing::error!(%error, "no connection to the store"), // dropping the job answers it
        }
    }
}

fn set_timeout(conn: &mut Conn, limit: Duration) {
    if let Conn::Pg(conn) = conn {
        let statement = format!("SET statement_timeout = {}", limit.as_millis());
        if let Err(error) = conn.batch_execute(&statement) {
            tracing::warn!(%error, "queries have no time limit at the database");
        }
    }
}

#[cfg(target_os = "linux")]
fn yield_to_others() {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "threads of the API are not nicer than others");
    }
}

#[cfg(not(target_os = "linux"))]
fn yield_to_others() {}
