//! The threads that own the connections, and group commit.
//!
//! Handlers hand closures to a bounded queue; a full queue is an error at once, not a wait. Reads run on the threads of their
//! lane (see [`super::reads`]). A writer takes every write that is waiting, up to `LARGEST_GROUP`, runs them in one
//! transaction, each in a savepoint of its own, commits once, and only then answers all of them: a thousand messages
//! of stations share one fsync, and nobody gets the answer "stored" before it is. Writes that nobody waits for with impatience,
//! such as meter values, wait `PATIENCE` for company. Of the API's writes a group takes `API_SHARE` at most, after those of
//! stations, so that no client's burst is before a station's message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::r2d2::Pool;
use tokio::sync::{oneshot, watch};

use super::beside;
use super::connection::{Conn, Opener, StoreUrl};
use super::error::{StoreError, StoreResult};
use super::lock::Gate;
use super::reads::{Lane, Reads};
use super::settings::StoreSettings;
use super::threads::{Held, spawn};

/// Writes that share one commit at most: large enough to hide the commit, small enough to keep the lock short.
const LARGEST_GROUP: usize = 256;
/// Writes of the API in one group at most: enough for a commit that is shared, few enough to end soon.
const API_SHARE: usize = 32;
/// How long a patient write waits for others to share its commit.
const PATIENCE: Duration = Duration::from_millis(10);
/// Attempts at a write that lost a race for a lock.
const ATTEMPTS: u32 = 5;

/// A write in a queue: it may be run again when its group could not be committed.
trait WriteJob: Send {
    /// Runs it and keeps the outcome; false means its changes must be rolled back.
    fn run(&mut self, conn: &mut Conn) -> Ran;
    /// Sends the caller the kept outcome.
    fn answer(self: Box<Self>);
    /// Sends the caller the error that it could not be stored.
    fn fail(self: Box<Self>, error: StoreError);
}

enum Ran {
    Stored,
    Refused,
    Collided,
}

struct Write<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E>
where
    Self: WriteJob + 'static,
{
    fn queued(work: F) -> (Box<dyn WriteJob>, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self { work, outcome: None, reply };
        (Box::new(job), answer)
    }
}

impl<F, T, E> WriteJob for Write<F, T, E>
where
    F: FnMut(&mut Conn) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send + StoreFailure,
{
    fn run(&mut self, conn: &mut Conn) -> Ran {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(conn)))
            .unwrap_or_else(|_| Err(StoreError::Failed("a query panicked".into()).into()));
        let ran = match &outcome {
            Ok(_) => Ran::Stored,
            Err(error) if matches!(error.store_failure(), Some(StoreError::Busy)) => Ran::Collided,
            Err(_) => Ran::Refused,
        };
        self.outcome = Some(outcome);
        ran
    }
    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            let _ = self.reply.send(outcome);
        }
    }
    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error.into()));
    }
}

/// An error that may be a store error underneath, so that a lost race can be distinguished from a refusal.
pub trait StoreFailure {
    /// The store error it carries, where it does.
    fn store_failure(&self) -> Option<&StoreError>;
}

impl StoreFailure for StoreError {
    fn store_failure(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// What wakes a writer.
enum Wake {
    /// Work that is to be done now.
    Job(Box<dyn WriteJob>),
    /// Patient work, or work of the API, is waiting.
    Other,
}

/// One end of the queues of the writers.
struct Writes<Wakes, Jobs> {
    wakes: Wakes,
    patient: Jobs,
    /// What the API wants, at once but after the others.
    api: Jobs,
    /// Whether a [`Wake::Other`] is on its way.
    announced: Arc<AtomicBool>,
}

type WriteSenders = Writes<flume::Sender<Wake>, flume::Sender<Box<dyn WriteJob>>>;
type WriteQueues = Writes<flume::Receiver<Wake>, flume::Receiver<Box<dyn WriteJob>>>;

/// The store, cheap to clone.
#[derive(Clone)]
pub struct Db {
    lane: Lane,
    reads: Arc<Reads>,
    writes: Arc<WriteSenders>,
    commits: Arc<watch::Sender<()>>,
    settings: Arc<StoreSettings>,
    gate: Option<Arc<Gate>>,
}

impl Db {
    /// Opens the pool and starts its threads. The schema must be current (see [`super::migrate`]).
    pub fn open(settings: StoreSettings) -> StoreResult<Self> {
        Self::open_behind(settings, None)
    }

    /// The same for a server: nothing is written while its store is not held (see [`super::lock`]).
    pub fn open_behind(settings: StoreSettings, gate: Option<Arc<Gate>>) -> StoreResult<Self> {
        let writers = match settings.url {
            StoreUrl::Sqlite(_) => 1,
            StoreUrl::Postgres(_) => settings.writers.max(1),
        };
        // One for balancing; see `Reads::start`.
        let readers = settings.readers.max(1) + settings.station_readers.max(1) + 1;
        let opener = Opener { url: settings.url.clone(), synchronous: settings.synchronous };
        let pool = Pool::builder()
            .max_size(u32::try_from(readers + writers).unwrap_or(u32::MAX))
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(10))
            .build(opener)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let (writes, write_queues) = write_queues(settings.queue);
        let write_queues = Arc::new(write_queues);
        let commits = Arc::new(watch::Sender::new(()));
        let reads = Arc::new(Reads::start(&settings, &pool)?);
        for index in 0..writers {
            let (pool, queues) = (pool.clone(), Arc::clone(&write_queues));
            let (commits, gate) = (Arc::clone(&commits), gate.clone());
            spawn(format!("db-write-{index}"), move || write_loop(&pool, &queues, &commits, gate.as_deref()))?;
        }
        Ok(Self { lane: Lane::Stations, reads, writes: Arc::new(writes), commits, settings: Arc::new(settings), gate })
    }

    /// The same store for other work.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Reads of the API that are asked and not yet answered or given up.
    pub fn open_reads(&self) -> usize {
        self.reads.open()
    }

    /// Whether anything can be written at this instant: this server holds its store.
    pub fn is_held(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.is_open())
    }

    /// Where the data lives.
    pub fn url(&self) -> &StoreUrl {
        &self.settings.url
    }

    /// Wakes whoever waits after each commit; several may arrive as one.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.commits.subscribe()
    }

    /// Runs a query that changes nothing. For the API it is ended after a time, and when the answer is waited for no more.
    pub async fn read<T, E>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.reads.run(self.lane, work).await
    }

    /// Runs changes in a transaction; answers after they are committed. `work` runs again when its group of writes
    /// lost a race, so it must compute the same from the same rows.
    pub async fn write<T, E>(&self, work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        let (job, answer) = Write::queued(accompanied(work));
        match self.lane {
            Lane::Api => self.writes.send_for_api(job)?,
            Lane::Stations | Lane::Balancing => self.writes.send_now(job)?,
        }
        Self::outcome(answer).await
    }

    /// Like [`Db::write`], but waits a little for other writes: for what comes often and is not waited for.
    pub async fn write_with_others<T, E>(
        &self,
        work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        let (job, answer) = Write::queued(accompanied(work));
        self.writes.send_patiently(job)?;
        Self::outcome(answer).await
    }

    async fn outcome<T, E: From<StoreError>>(answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
        answer.await.unwrap_or_else(|_| Err(StoreError::Failed("the store stopped".into()).into()))
    }
}

/// The same work, with what this task stores beside each of its writes (see [`beside`]).
fn accompanied<T, E: From<StoreError>>(
    mut work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
) -> impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static {
    let beside = beside::here();
    move |conn| {
        let done = work(conn)?;
        if let Some(beside) = &beside {
            beside(conn)?;
        }
        Ok(done)
    }
}

fn write_queues(longest: usize) -> (WriteSenders, WriteQueues) {
    let (wakes, wake_queue) = flume::bounded(longest);
    let (patient, patient_queue) = flume::bounded(longest);
    let (api, api_queue) = flume::bounded(longest);
    let announced = Arc::new(AtomicBool::new(false));
    let senders = Writes { wakes, patient, api, announced: Arc::clone(&announced) };
    let queues = Writes { wakes: wake_queue, patient: patient_queue, api: api_queue, announced };
    (senders, queues)
}

impl WriteSenders {
    fn send_now(&self, job: Box<dyn WriteJob>) -> StoreResult<()> {
        let sent = self.wakes.try_send(Wake::Job(job));
        sent.map_err(|_| StoreError::Busy)
    }

    fn send_patiently(&self, job: Box<dyn WriteJob>) -> StoreResult<()> {
        let sent = self.patient.try_send(job);
        sent.map_err(|_| StoreError::Busy)?;
        self.announce();
        Ok(())
    }

    fn send_for_api(&self, job: Box<dyn WriteJob>) -> StoreResult<()> {
        let sent = self.api.try_send(job);
        sent.map_err(|_| StoreError::Busy)?;
        self.announce();
        Ok(())
    }

    fn announce(&self) {
        if !self.announced.swap(true, Ordering::AcqRel) && self.wakes.try_send(Wake::Other).is_err() {
            // The writers have enough to do, and look at the others each time.
            self.announced.store(false, Ordering::Release);
        }
    }
}

impl WriteQueues {
    /// The next group of writes, at once where the last one left some behind; `None` when there will be no more.
    fn next_group(&self, some_are_left: bool) -> Option<Vec<Box<dyn WriteJob>>> {
        let wake = if some_are_left {
            self.wakes.try_recv().unwrap_or(Wake::Other)
        } else {
            match self.wakes.recv().ok()? {
                Wake::Other if self.api.is_empty() => {
                    let sooner = self.wakes.recv_deadline(Instant::now() + PATIENCE);
                    sooner.unwrap_or(Wake::Other)
                }
                other => other,
            }
        };
        let wakes = std::iter::once(wake).chain(self.wakes.try_iter());
        let jobs = wakes.filter_map(|wake| match wake {
            Wake::Job(job) => Some(job),
            Wake::Other => None,
        });
        let mut group: Vec<_> = jobs.take(LARGEST_GROUP).collect();
        // Now: later than the last wake was taken, on which whoever comes now would rely, and sooner than what it announced is. Whoever
        // comes from here on announces itself again.
        self.announced.store(false, Ordering::Release);
        group.extend(self.api.try_iter().take(API_SHARE.min(LARGEST_GROUP - group.len())));
        group.extend(self.patient.try_iter().take(LARGEST_GROUP - group.len()));
        Some(group)
    }

    /// Whether a group of this size has left some behind.
    fn leaves_some(&self, group: usize) -> bool {
        group == LARGEST_GROUP || !self.api.is_empty()
    }
}

fn write_loop(pool: &Pool<Opener>, queues: &WriteQueues, commits: &watch::Sender<()>, gate: Option<&Gate>) {
    let mut held = Held::new(pool);
    let mut some_are_left = false;
    while let Some(group) = queues.next_group(some_are_left) {
        some_are_left = queues.leaves_some(group.len());
        metrics::histogram!("evenwatt_store_group_size").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        match held.get() {
            Ok(conn) => {
                run_group(conn, group, gate);
                commits.send_replace(());
            }
            Err(error) => {
                tracing::error!(%error, "no connection to the store");
                group.into_iter().for_each(|job| job.fail(StoreError::Failed("no connection to the store".into())));
            }
        }
    }
}

/// Runs a group in one transaction; where that cannot be committed, each alone.
fn run_group(conn: &mut Conn, mut group: Vec<Box<dyn WriteJob>>, gate: Option<&Gate>) {
    if group.len() > 1 {
        let committed = conn.write(|conn| {
            admit(conn, gate)?;
            for job in &mut group {
                if matches!(in_savepoint(conn, job.as_mut()), Ran::Collided) {
                    return Err(StoreError::Busy);
                }
            }
            Ok(())
        });
        if committed.is_ok() {
            group.into_iter().for_each(|job| job.answer());
            return;
        }
    }
    group.into_iter().for_each(|job| run_alone(conn, job, gate));
}

/// Lets a transaction that just began pass the gate, where there is one.
fn admit(conn: &mut Conn, gate: Option<&Gate>) -> StoreResult<()> {
    gate.map_or(Ok(()), |gate| gate.admit(conn))
}

fn run_alone(conn: &mut Conn, mut job: Box<dyn WriteJob>, gate: Option<&Gate>) {
    let mut failure = StoreError::Busy;
    for _ in 0..ATTEMPTS {
        let outcome = conn.write(|conn| {
            admit(conn, gate).map_err(Undo::Store)?;
            match job.run(conn) {
                Ran::Stored => Ok(()),
                Ran::Refused => Err(Undo::Refused),
                Ran::Collided => Err(Undo::Store(StoreError::Busy)),
            }
        });
        match outcome {
            Ok(()) | Err(Undo::Refused) => return job.answer(),
            Err(Undo::Store(error)) => failure = error,
        }
        if !matches!(failure, StoreError::Busy) {
            break;
        }
    }
    job.fail(failure);
}

fn in_savepoint(conn: &mut Conn, job: &mut dyn WriteJob) -> Ran {
    let outcome = conn.transaction(|conn| match job.run(conn) {
        Ran::Stored => Ok(()),
        Ran::Refused => Err(Undo::Refused),
        Ran::Collided => Err(Undo::Store(StoreError::Busy)),
    });
    match outcome {
        Ok(()) => Ran::Stored,
        Err(Undo::Refused) => Ran::Refused,
        Err(Undo::Store(_)) => Ran::Collided,
    }
}

enum Undo {
    Refused,
    Store(StoreError),
}

impl From<diesel::result::Error> for Undo {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
