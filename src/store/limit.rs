//! How long a query may take, and whether anybody still waits for it.
//!
//! A [`Ticket`] goes with each read. On SQLite the SQL function `in_time()`, which lists call for each row they look at, fails
//! when the time is over or nobody waits any more: no row is looked at in vain. On PostgreSQL `in_time()` is always true and
//! vanishes in planning; there `statement_timeout` ends a query, and [`Canceller`] cancels one that nobody waits for.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use diesel::deserialize::QueryableByName;
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::{Bool, Integer};
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl, SqliteConnection};

use super::connection::{Conn, Opener};
use super::error::StoreResult;

/// What SQLite says of a query that was ended; [`super::StoreError`] knows it by this.
pub(super) const TOO_SLOW: &str = "the query took too long";
/// `in_time()` looks at the clock at each of so many rows, because that costs more than a row.
const LOOK_EVERY: u32 = 64;

diesel::define_sql_function! {
    /// Whether the query may go on; it fails when it may not.
    fn in_time() -> Bool;
}

/// One read on its way.
#[derive(Debug)]
pub(super) struct Ticket {
    ends: Option<Instant>,
    given_up: AtomicBool,
    stage: Mutex<Stage>,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Waiting,
    /// Carries the process of PostgreSQL that works on it.
    Running(Option<i32>),
    Done,
}

impl Ticket {
    pub(super) fn new(ends: Option<Instant>) -> Arc<Self> {
        Arc::new(Self { ends, given_up: AtomicBool::new(false), stage: Mutex::new(Stage::Waiting) })
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is still worth its while.
    pub(super) fn is_wanted(&self) -> bool {
        !self.given_up.load(Ordering::Relaxed) && self.ends.is_none_or(|ends| Instant::now() < ends)
    }

    /// Runs `work`; until it returns, `in_time()` on this thread looks at this ticket.
    pub(super) fn during(self: Arc<Self>, backend: Option<i32>, work: impl FnOnce()) {
        *self.stage() = Stage::Running(backend);
        let rows = LOOK_EVERY;
        RUNNING.with_borrow_mut(|running| *running = Some((Arc::clone(&self), rows)));
        work();
        RUNNING.with_borrow_mut(|running| *running = None);
        *self.stage() = Stage::Done;
    }
}

thread_local! {
    /// The read of this thread, and the rows until the clock is looked at.
    static RUNNING: RefCell<Option<(Arc<Ticket>, u32)>> = const { RefCell::new(None) };
}

/// What `in_time()` returns.
#[derive(Debug)]
struct InTime(bool);

impl InTime {
    fn now() -> Self {
        Self(RUNNING.with_borrow_mut(|running| match running {
            None => true,
            Some((ticket, rows)) if *rows == 0 => {
                *rows = LOOK_EVERY;
                ticket.is_wanted()
            }
            Some((_, rows)) => {
                *rows -= 1;
                true
            }
        }))
    }
}

impl ToSql<Bool, Sqlite> for InTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> diesel::serialize::Result {
        if !self.0 {
            return Err(TOO_SLOW.into());
        }
        out.set_value(1_i32);
        Ok(IsNull::No)
    }
}

/// Makes `in_time()` known to a connection.
pub(super) fn register(conn: &SqliteConnection) -> StoreResult<()> {
    Ok(in_time_utils::register_nondeterministic_impl(conn, InTime::now)?)
}

/// Held by whoever waits for a read: gives it up when it goes away, with a client or because the time is over.
pub(super) struct Waiting {
    pub(super) ticket: Arc<Ticket>,
    pub(super) canceller: Option<Canceller>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.ticket.given_up.store(true, Ordering::Relaxed);
        let Some(canceller) = &self.canceller else {
            return;
        };
        // Where the lock is taken, the read is about to end or is being cancelled.
        let runs = self.ticket.stage.try_lock().is_ok_and(|stage| matches!(*stage, Stage::Running(_)));
        if runs {
            let _ = canceller.0.try_send(Arc::clone(&self.ticket));
        }
    }
}

/// Ends queries of PostgreSQL that nobody waits for, over a connection of its own.
#[derive(Debug, Clone)]
pub(super) struct Canceller(flume::Sender<Arc<Ticket>>);

#[derive(QueryableByName)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Which process of PostgreSQL serves the connection; none on SQLite.
pub(super) fn backend(conn: &mut Conn) -> Option<i32> {
    match conn {
        Conn::Sqlite(_) => None,
        Conn::Pg(conn) => {
            let asked = diesel::sql_query("SELECT pg_backend_pid() AS pid");
            asked.get_result::<Pid>(conn).ok().map(|row| row.pid)
        }
    }
}

impl Canceller {
    /// Its queue, and what its thread does until the store is closed.
    pub(super) fn new(opener: Opener, longest: usize) -> (Self, impl FnOnce() + Send + 'static) {
        let (sender, queue) = flume::bounded::<Arc<Ticket>>(longest);
        let work = move || {
            let mut conn: Option<Conn> = None;
            while let Ok(ticket) = queue.recv() {
                // While this is locked the backend cannot begin another query.
                let stage = ticket.stage();
                let Stage::Running(Some(pid)) = *stage else {
                    continue;
                };
                if conn.is_none() {
                    conn = Conn::open(&opener.url, opener.synchronous).ok();
                }
                if let Some(Conn::Pg(open)) = &mut conn {
                    let cancel = diesel::sql_query("SELECT pg_cancel_backend($1)");
                    if let Err(error) = cancel.bind::<Integer, _>(pid).execute(open) {
                        tracing::warn!(%error, "a query could not be cancelled");
                        conn = None;
                    }
                }
            }
        };
        (Self(sender), work)
    }
}
