//! One server on a store: a lock that is held as long as the server lives, and the gate that keeps writes out without it.
//!
//! Two servers on one store would both balance, and together hand out the power twice. PostgreSQL keeps the lock as an
//! advisory lock of a session of its own, which is watched; SQLite as the operating system's lock of a file beside the
//! database. Both vanish with the process, however it ends. Only servers take it: other commands work beside one.

mod file;
mod session;

pub use session::{Holding, end, holding};

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::connection::{Conn, StoreUrl};
use super::error::{StoreError, StoreResult};
use kernel::Timestamp;
use kernel::id::RawId;

/// How often it is looked whether the lock is still held.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// A lock that was not seen for so long may be held by another server: those of a cluster wait eight seconds.
const SEEN_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait between attempts to hold it again.
const AGAIN_EVERY: Duration = Duration::from_millis(500);

/// Who wants to hold a store, as it is shown to those who come second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The number of its process.
    pub process: u32,
    /// The machine it runs on.
    pub host: String,
    /// When it started.
    pub since: Timestamp,
    /// What no other server has.
    pub token: u32,
}

impl Holder {
    /// This process, started at this instant; `id` is one that nobody else has.
    pub fn this_process(id: RawId, since: Timestamp) -> Self {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(id.as_bytes()));
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            process: std::process::id(),
            host: match host.trim() {
                "" => "this machine".to_owned(),
                host => host.to_owned(),
            },
            since,
            token: u32::from_be_bytes([a, b, c, d]),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {}", self.process, self.host, self.since)
    }
}

/// Why a store cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another server holds it.
    #[error(
        "another server holds the {store}: {holder}. Two servers on one store would hand out the same power twice; stop the \
         other one first"
    )]
    Held {
        /// Which store.
        store: String,
        /// What is known of the other server.
        holder: String,
    },
    /// It could not be tried.
    #[error("the lock of the {store} cannot be taken: {why}")]
    Failed {
        /// Which store.
        store: String,
        /// Why not.
        why: String,
    },
}

/// What came of one attempt.
enum Attempt<T> {
    Taken(T),
    /// Somebody else has it; what is known of that server.
    Held(String),
}

/// How this server stands to its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockState {
    /// It holds the lock.
    Held,
    /// It lost sight of the lock, because the database restarted for example, and tries to hold it again.
    Waiting,
    /// Another server holds it now.
    Lost(String),
    /// It let go of it: it stops.
    Released,
}

/// What every write passes.
#[derive(Debug)]
pub struct Gate {
    lock_state: watch::Sender<LockState>,
    /// Names the session that holds the lock in PostgreSQL; none in SQLite.
    token: Option<AtomicU32>,
    /// How often the lock was taken again: another server may have held it in between.
    retaken: AtomicU64,
    /// When the lock was seen to be held last.
    seen_at: Mutex<Instant>,
}

impl Gate {
    /// Whether writes may pass at this instant.
    pub fn is_open(&self) -> bool {
        *self.lock_state.borrow() == LockState::Held
    }

    /// Whether what stations are asked to do may still be asked. A server that stood still, and whose store another one may have
    /// taken over meanwhile, first looks whether it still holds it: what waited in its memory is not sent late. The lock of a
    /// file cannot be taken away.
    pub fn may_command(&self) -> bool {
        let seen_at = *self.seen_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.token.is_none() || (self.is_open() && seen_at.elapsed() < SEEN_WITHIN)
    }

    fn note_held(&self) {
        *self.seen_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How often the lock was taken again after it was lost.
    pub(super) fn retaken(&self) -> u64 {
        self.retaken.load(Ordering::Acquire)
    }

    /// Lets a transaction that just began pass. In PostgreSQL the transaction itself sees to it that the lock is held, and
    /// is over before another server can hold it: no write of this server comes after the first of another.
    pub(super) fn admit(&self, conn: &mut Conn) -> StoreResult<()> {
        if !self.is_open() {
            return Err(StoreError::NotHeld);
        }
        let (Conn::Pg(conn), Some(token)) = (conn, &self.token) else {
            return Ok(());
        };
        if session::is_held(conn, token.load(Ordering::Relaxed))? {
            return Ok(());
        }
        self.change(&LockState::Held, LockState::Waiting);
        Err(StoreError::NotHeld)
    }

    /// Changes the state, unless it is another than it was.
    fn change(&self, from: &LockState, to: LockState) {
        self.lock_state.send_if_modified(|lock_state| {
            let changes = lock_state == from;
            if changes {
                *lock_state = to;
            }
            changes
        });
    }

    fn set(&self, lock_state: LockState) {
        self.lock_state.send_replace(lock_state);
    }
}

/// Who holds a store, where a server does: for those who only want to know. It looks by trying, for an instant.
pub fn held_by(url: &StoreUrl) -> Result<Option<String>, String> {
    match url {
        StoreUrl::Sqlite(path) => file::held_by(path),
        StoreUrl::Postgres(url) => session::held_by(url),
    }
}

/// A store that is held until this value is dropped.
#[derive(Debug)]
pub struct StoreLock {
    gate: Arc<Gate>,
    stop: Option<flume::Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl StoreLock {
    /// Holds a store, or says who does.
    pub fn take(url: &StoreUrl, holder: &Holder) -> Result<Self, LockError> {
        let failed = |why: String| LockError::Failed { store: url.to_string(), why };
        let held = |holder: String| LockError::Held { store: url.to_string(), holder };
        let (stop, stopped) = flume::bounded(1);
        let gate = Arc::new(Gate {
            lock_state: watch::Sender::new(LockState::Held),
            token: matches!(url, StoreUrl::Postgres(_)).then(|| AtomicU32::new(holder.token)),
            retaken: AtomicU64::new(0),
            seen_at: Mutex::new(Instant::now()),
        });
        let keeper = Keeper { gate: Arc::clone(&gate), stopped, holder: holder.clone() };
        let body: Box<dyn FnOnce() + Send> = match url {
            StoreUrl::Sqlite(path) => match file::take(path, holder).map_err(failed)? {
                Attempt::Taken(lock) => {
                    let path = path.clone();
                    Box::new(move || keeper.keep(lock, file::is_held, move |me| file::take(&path, me)))
                }
                Attempt::Held(other) => return Err(held(other)),
            },
            StoreUrl::Postgres(url) => match session::take_patiently(url, holder).map_err(failed)? {
                Attempt::Taken(lock) => {
                    let url = url.clone();
                    Box::new(move || {
                        keeper.keep(lock, session::answers, move |me| session::take(&url, me));
                    })
                }
                Attempt::Held(other) => return Err(held(other)),
            },
        };
        let watcher = std::thread::Builder::new()
            .name("db-lock".to_owned())
            .spawn(body)
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { gate, stop: Some(stop), watcher: Some(watcher) })
    }

    /// What writes pass.
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Waits until another server holds the store; returns what is known of it.
    pub fn lost(&self) -> impl Future<Output = String> + use<> {
        let mut lock_state = self.gate.lock_state.subscribe();
        async move {
            let lost = lock_state.wait_for(|one| matches!(one, LockState::Lost(_)));
            if let Ok(lock_state) = lost.await
                && let LockState::Lost(other) = &*lock_state
            {
                return other.clone();
            }
            std::future::pending().await // it was dropped, so nobody takes it away any more
        }
    }
}

impl Drop for StoreLock {
    /// Closes the gate, then lets go: what is still to be written fails instead of coming after another server's writes.
    fn drop(&mut self) {
        self.gate.set(LockState::Released);
        self.stop = None;
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}

/// The thread that watches the lock.
struct Keeper {
    gate: Arc<Gate>,
    stopped: flume::Receiver<()>,
    holder: Holder,
}

impl Keeper {
    /// Watches the lock until it is to be let go of, or another server has it.
    fn keep<T>(
        self,
        first: T,
        mut is_held: impl FnMut(&mut T) -> bool,
        take: impl Fn(&Holder) -> Result<Attempt<T>, String>,
    ) {
        let mut lock = Some(first);
        while self.waited(WATCH_EVERY) {
            if lock.as_mut().is_some_and(&mut is_held) {
                self.gate.note_held();
                // A write may have seen the lock's session before it could be seen.
                self.gate.change(&LockState::Waiting, LockState::Held);
                continue;
            }
            self.gate.change(&LockState::Held, LockState::Waiting);
            tracing::error!("the store's lock is not held any more; nothing is written until it is");
            lock = None;
            while lock.is_none() {
                match take(&self.holder) {
                    Ok(Attempt::Taken(again)) => {
                        tracing::warn!("the store's lock is held again");
                        lock = Some(again);
                        self.gate.note_held();
                        self.gate.retaken.fetch_add(1, Ordering::AcqRel);
                        self.gate.change(&LockState::Waiting, LockState::Held);
                    }
                    Ok(Attempt::Held(other)) => {
                        tracing::error!(other, "another server holds the store now");
                        return self.gate.change(&LockState::Waiting, LockState::Lost(other));
                    }
                    Err(error) => {
                        tracing::warn!(error, "the store's lock cannot be taken yet");
                        if !self.waited(AGAIN_EVERY) {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Waits; false when it is time to let go.
    fn waited(&self, span: Duration) -> bool {
        matches!(self.stopped.recv_timeout(span), Err(flume::RecvTimeoutError::Timeout))
    }
}
