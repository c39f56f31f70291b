//! The threads that own the connections, and group commit.
//!
//! Handlers hand closures to a bounded queue; a full queue is an error at once, not a wait. Reads run on the threads of their
//! lane (see [`super::reads`]). A writer takes every write that is waiting, up to `LARGEST_GROUP`, runs them in one
//! transaction, commits once, and only then answers all of them: a thousand messages of stations share one fsync, and nobody
//! gets the answer "stored" before it is. Writes of the API, which are refused now and then, run in savepoints of their own; those
//! of stations only where one of them was refused. Writes that nobody waits for with impatience, such as meter values, wait
//! `PATIENCE` for company. Of the API's writes a group takes `API_SHARE` at most, after those of stations, so that no client's
//! burst is before a station's message.
//!
//! On PostgreSQL the first of several writers owns the [`Memory`] of the store, and does what is known to change that. The others do all
//! else from queues of their own, and hand over what turns out to change it.

mod held;
pub(super) mod observed;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::r2d2::Pool;
use tokio::sync::{oneshot, watch};

use super::beside;
use super::cause::{self, Cause};
use super::changes;
use super::connection::{Conn, Opener, StoreUrl};
use super::error::{StoreError, StoreResult};
use super::lock::Gate;
use super::mailbox::{self, Mailbox};
use super::memory::{self, Memory};
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
pub(super) trait WriteJob: Send {
    /// Runs it and keeps the outcome.
    fn run(&mut self, conn: &mut Conn) -> Ran;
    /// Whether it is likely to be refused, and then has to be undone alone.
    fn is_apart(&self) -> bool;
    /// Where the caller's thread takes answers, if it does.
    fn mailbox(&self) -> Option<Arc<Mailbox>>;
    /// Sends the caller the kept outcome.
    fn answer(self: Box<Self>);
    /// Sends the caller the error that it could not be stored.
    fn fail(self: Box<Self>, error: StoreError);
}

pub(super) enum Ran {
    Stored,
    /// Its changes must be undone, and it is answered.
    Refused,
    /// It lost a race.
    Collided,
    /// Another writer must do it.
    Misplaced,
}

struct Write<F, T, E> {
    work: F,
    apart: bool,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    mailbox: Option<Arc<Mailbox>>,
}

impl<F, T, E> Write<F, T, E>
where
    Self: WriteJob + 'static,
{
    fn queued(work: F, apart: bool) -> (Box<dyn WriteJob>, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self { work, apart, outcome: None, reply, mailbox: mailbox::here() };
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
            _ if memory::was_misplaced() => Ran::Misplaced,
            Ok(_) => Ran::Stored,
            Err(error) if matches!(error.store_failure(), Some(StoreError::Busy)) => Ran::Collided,
            Err(_) => Ran::Refused,
        };
        self.outcome = Some(outcome);
        ran
    }
    fn is_apart(&self) -> bool {
        self.apart
    }
    fn mailbox(&self) -> Option<Arc<Mailbox>> {
        self.mailbox.clone()
    }
    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            let _ = self.reply.send(outcome);
        }
    }
    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(observed::counted(error).into()));
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
    /// The queues of the writer that owns the memory.
    owner: Arc<WriteSenders>,
    /// Those of the others; the same where there are none.
    others: Arc<WriteSenders>,
    commits: Arc<watch::Sender<()>>,
    settings: Arc<StoreSettings>,
    gate: Option<Arc<Gate>>,
}

impl Db {
    /// Opens the pool and starts its threads. The schema must be current (see [`super::migrate`]).
    pub fn open(settings: StoreSettings) -> StoreResult<Self> {
        Self::open_with(settings, None, None)
    }

    /// The same for a server: nothing is written while its store is not held (see [`super::lock`]), and its threads share what it keeps
    /// in memory.
    pub fn open_with(
        settings: StoreSettings,
        gate: Option<Arc<Gate>>,
        memory: Option<Arc<dyn Memory>>,
    ) -> StoreResult<Self> {
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
        let (owner, owner_queues) = write_queues(settings.queue);
        let owner = Arc::new(owner);
        let (others, other_queues) = match writers {
            1 => (Arc::clone(&owner), None),
            _ => {
                let (others, queues) = write_queues(settings.queue);
                (Arc::new(others), Some(Arc::new(queues)))
            }
        };
        let commits = Arc::new(watch::Sender::new(()));
        let reads = Arc::new(Reads::start(&settings, &pool, memory.as_ref())?);
        let writer = |queues, owner| Writer {
            queues,
            owner,
            commits: Arc::clone(&commits),
            gate: gate.clone(),
            memory: memory.clone(),
            retaken: 0,
        };
        let mut all = vec![writer(Arc::new(owner_queues), None)];
        if let Some(queues) = other_queues {
            all.extend((1..writers).map(|_| writer(Arc::clone(&queues), Some(owner.wakes.clone()))));
        }
        for (index, writer) in all.into_iter().enumerate() {
            let pool = pool.clone();
            spawn(format!("db-write-{index}"), move || writer.run(&pool))?;
        }
        Ok(Self { lane: Lane::Stations, reads, owner, others, commits, settings: Arc::new(settings), gate })
    }

    /// The same store for other work.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Reads of the API that are asked and not yet answered or given up.
    pub fn open_reads(&self) -> usize {
        self.reads.open()
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
        self.write_by(&self.others, work).await
    }

    /// Like [`Db::write`], for what is known to change the memory of the store: it need not be handed over.
    pub async fn write_to_memory<T, E>(
        &self,
        work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        self.write_by(&self.owner, work).await
    }

    /// Like [`Db::write_to_memory`], but waits a little for other writes: for what comes often and is not waited for.
    pub async fn write_with_others<T, E>(
        &self,
        work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        let (job, answer) = Write::queued(accompanied(self.lane, work), false);
        self.owner.send_patiently(job)?;
        Self::outcome(answer).await
    }

    async fn write_by<T, E>(
        &self,
        queues: &WriteSenders,
        work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        let (job, answer) = Write::queued(accompanied(self.lane, work), self.lane == Lane::Api);
        match self.lane {
            Lane::Api => queues.send_for_api(job)?,
            Lane::Stations | Lane::Balancing => queues.send_now(job)?,
        }
        Self::outcome(answer).await
    }

    async fn outcome<T, E: From<StoreError>>(answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
        answer.await.unwrap_or_else(|_| Err(StoreError::Failed("the store stopped".into()).into()))
    }
}

/// The same work, with what this task stores beside each of its writes (see [`beside`]), and with its [`cause`].
fn accompanied<T, E: From<StoreError>>(
    lane: Lane,
    mut work: impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static,
) -> impl FnMut(&mut Conn) -> Result<T, E> + Send + 'static {
    let beside = beside::here();
    let cause = cause::here().or_else(|| (lane == Lane::Balancing).then_some(Cause::Balancing));
    move |conn| {
        cause::run(cause.as_ref(), || {
            let done = work(conn)?;
            if let Some(beside) = &beside {
                beside(conn)?;
            }
            Ok(done)
        })
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
        self.wakes.try_send(Wake::Job(job)).map_err(|_| observed::full("writes"))
    }

    fn send_patiently(&self, job: Box<dyn WriteJob>) -> StoreResult<()> {
        self.patient.try_send(job).map_err(|_| observed::full("writes"))?;
        self.announce();
        Ok(())
    }

    fn send_for_api(&self, job: Box<dyn WriteJob>) -> StoreResult<()> {
        self.api.try_send(job).map_err(|_| observed::full("writes"))?;
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

/// A thread that writes.
struct Writer {
    queues: Arc<WriteQueues>,
    /// Where work goes that only the owner of the memory can do; none for the owner.
    owner: Option<flume::Sender<Wake>>,
    commits: Arc<watch::Sender<()>>,
    gate: Option<Arc<Gate>>,
    memory: Option<Arc<dyn Memory>>,
    /// How often the store's lock had been taken again when its memory was read.
    retaken: u64,
}

impl Writer {
    fn run(mut self, pool: &Pool<Opener>) {
        memory::settle(self.memory.clone(), self.owner.is_none());
        if self.owner.is_some() {
            self.memory = None;
        }
        let mut held = Held::new(pool);
        let mut some_are_left = false;
        while let Some(group) = self.queues.next_group(some_are_left) {
            some_are_left = self.queues.leaves_some(group.len());
            if group.is_empty() {
                continue;
            }
            metrics::histogram!("evenwatt_store_group_size").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
            match held.get() {
                Ok(conn) => {
                    self.run_group(conn, group);
                    self.commits.send_replace(());
                }
                Err(error) => {
                    tracing::error!(%error, "no connection to the store");
                    group.into_iter().for_each(|job| job.fail(StoreError::Failed("no connection to the store".into())));
                }
            }
        }
    }

    /// Runs a group in one transaction. Where one of it is refused that was not expected to be, it is run again with each undone alone;
    /// where the group cannot be committed, each is run alone.
    fn run_group(&mut self, conn: &mut Conn, mut group: Vec<Box<dyn WriteJob>>) {
        if group.len() > 1 {
            let mut outcome = self.run_together(conn, &mut group, false);
            if matches!(outcome, Err(Undo::Refused)) {
                outcome = self.run_together(conn, &mut group, true);
            }
            if outcome.is_ok() {
                mailbox::answer_all(group);
                return;
            }
        }
        group.into_iter().for_each(|job| self.run_alone(conn, job));
    }

    fn run_together(&mut self, conn: &mut Conn, group: &mut [Box<dyn WriteJob>], all_apart: bool) -> Result<(), Undo> {
        let memory = self.memory.clone();
        self.in_transaction(conn, |conn| {
            for job in group {
                let ran = match all_apart || job.is_apart() {
                    true => in_savepoint(conn, job.as_mut(), memory.as_deref()),
                    false => job.run(conn),
                };
                match (ran, all_apart || job.is_apart()) {
                    (Ran::Stored, _) | (Ran::Refused, true) => {}
                    (Ran::Refused, false) => return Err(Undo::Refused),
                    (Ran::Collided | Ran::Misplaced, _) => return Err(Undo::Store(StoreError::Busy)),
                }
            }
            Ok(())
        })
    }

    fn run_alone(&mut self, conn: &mut Conn, mut job: Box<dyn WriteJob>) {
        let mut failure = StoreError::Busy;
        for _ in 0..ATTEMPTS {
            let outcome = self.in_transaction(conn, |conn| match job.run(conn) {
                Ran::Stored => Ok(()),
                Ran::Refused => Err(Undo::Refused),
                Ran::Collided => Err(Undo::Store(StoreError::Busy)),
                Ran::Misplaced => Err(Undo::Misplaced),
            });
            match outcome {
                Ok(()) | Err(Undo::Refused) => return job.answer(),
                Err(Undo::Misplaced) => return self.hand_over(job),
                Err(Undo::Store(error)) => failure = error,
            }
            if !matches!(failure, StoreError::Busy) {
                break;
            }
        }
        job.fail(failure);
    }

    /// Gives work to the owner of the memory.
    fn hand_over(&self, job: Box<dyn WriteJob>) {
        let sent = self.owner.as_ref().map(|owner| owner.try_send(Wake::Job(job)));
        let refused = match sent {
            Some(Err(flume::TrySendError::Full(wake) | flume::TrySendError::Disconnected(wake))) => wake,
            Some(Ok(())) | None => return,
        };
        if let Wake::Job(job) = refused {
            job.fail(StoreError::Busy);
        }
    }

    /// Runs `work` in a transaction that passes the gate, with the memory in step.
    fn in_transaction(
        &mut self,
        conn: &mut Conn,
        work: impl FnOnce(&mut Conn) -> Result<(), Undo>,
    ) -> Result<(), Undo> {
        conn.begin()?;
        let worked = self.admit(conn).map_err(Undo::Store).and_then(|()| {
            work(conn)?;
            match &self.memory {
                Some(memory) => memory.before_commit(conn).map_err(Undo::Store),
                None => Ok(()),
            }
        });
        let outcome = match worked {
            Ok(()) => conn.commit().map_err(|error| {
                // It may have come through all the same.
                self.memory.iter().for_each(|memory| memory.forget());
                Undo::from(error)
            }),
            Err(undo) => {
                conn.rollback();
                Err(undo)
            }
        };
        changes::count();
        if let Some(memory) = &self.memory {
            match outcome {
                Ok(()) => memory.committed(),
                Err(_) => memory.rolled_back(),
            }
        }
        outcome
    }

    /// Lets a transaction that just began pass the gate, where there is one, and have the memory ready.
    fn admit(&mut self, conn: &mut Conn) -> StoreResult<()> {
        if let Some(gate) = &self.gate {
            gate.admit(conn)?;
        }
        let Some(memory) = &self.memory else {
            return Ok(());
        };
        let retaken = self.gate.as_ref().map_or(0, |gate| gate.retaken());
        if retaken != self.retaken {
            self.retaken = retaken;
            memory.forget(); // another server may have written meanwhile
        }
        memory.begin(conn)
    }
}

fn in_savepoint(conn: &mut Conn, job: &mut dyn WriteJob, memory: Option<&dyn Memory>) -> Ran {
    memory.inspect(|memory| memory.mark());
    let outcome = conn.transaction(|conn| match job.run(conn) {
        Ran::Stored => Ok(()),
        Ran::Refused => Err(Undo::Refused),
        Ran::Collided => Err(Undo::Store(StoreError::Busy)),
        Ran::Misplaced => Err(Undo::Misplaced),
    });
    if outcome.is_err() {
        memory.inspect(|memory| memory.undo());
    }
    match outcome {
        Ok(()) => Ran::Stored,
        Err(Undo::Refused) => Ran::Refused,
        Err(Undo::Misplaced) => Ran::Misplaced,
        Err(Undo::Store(_)) => Ran::Collided,
    }
}

enum Undo {
    Refused,
    Misplaced,
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
