//! How long a query may take, and whether anybody still waits for it.
//!
//! A `Ticket` goes with each read. On SQLite the SQL function `in_time()`, which lists call for each row they look at, fails
//! when the time is over or nobody waits any more: no row is looked at in vain. On PostgreSQL `in_time()` is always true and
//! vanishes in planning; there `statement_timeout` ends a query, and `store::cancel` cancels one that nobody waits for.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use diesel::SqliteConnection;
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use super::error::{StoreResult, TOO_SLOW};

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

    /// Notes that nobody waits for it any more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether a thread works on it at this instant; no, where that is about to change.
    pub(super) fn runs(&self) -> bool {
        self.stage.try_lock().is_ok_and(|stage| matches!(*stage, Stage::Running(_)))
    }

    /// Calls `cancel` with the process of PostgreSQL that works on it, if one does; meanwhile that cannot begin another query.
    pub(super) fn cancel_at(&self, cancel: impl FnOnce(i32)) {
        let stage = self.stage();
        if let Stage::Running(Some(process)) = *stage {
            cancel(process);
        }
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
