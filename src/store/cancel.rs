//! Ending reads of PostgreSQL that nobody waits for; on SQLite `in_time()` does it (see [`super::limit`]).

use std::sync::Arc;

use diesel::RunQueryDsl;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Integer;

use super::connection::{Conn, Opener};
use super::limit::Ticket;

/// Held by whoever waits for a read: gives it up when it goes away, with a client or because the time is over.
pub(super) struct Waiting {
    pub(super) ticket: Arc<Ticket>,
    pub(super) canceller: Option<Canceller>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.ticket.give_up();
        if let Some(canceller) = self.canceller.as_ref().filter(|_| self.ticket.runs()) {
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
pub(super) fn process_of(conn: &mut Conn) -> Option<i32> {
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
                ticket.cancel_at(|process| {
                    if conn.is_none() {
                        conn = Conn::open(&opener.url, opener.synchronous).ok();
                    }
                    if let Some(Conn::Pg(open)) = &mut conn {
                        let cancel = diesel::sql_query("SELECT pg_cancel_backend($1)");
                        if let Err(error) = cancel.bind::<Integer, _>(process).execute(open) {
                            tracing::warn!(%error, "a query could not be cancelled");
                            conn = None;
                        }
                    }
                });
            }
        };
        (Self(sender), work)
    }
}
