//! The lock of a PostgreSQL store: advisory locks of a session of its own.
//!
//! The session holds [`SERVER`], which there is once, and a lock with its own token. Each writing transaction shares
//! [`WRITES`] and then looks for the token: when another server has taken [`SERVER`], it waits once for everybody who
//! shares [`WRITES`], and ends who does not end; later transactions of the old server do not find their token. Session locks do not work through a
//! pooler that gives a session's statements to different connections.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};

use super::{Attempt, Holder};

/// The first number of the two locks below: "ewat" in ASCII.
const NAMESPACE: i32 = 0x6577_6174;
/// The first number of a holder's own lock: "ewho".
const HOLDERS: i32 = 0x6577_686f;
/// Held by the one server.
const SERVER: i32 = 1;
/// Shared by transactions that write.
const WRITES: i32 = 2;
/// How long a lock may be missing when a server starts: a killed server's session ends a little later than the server.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the transactions of a server may take that held the lock before.
const WRITES_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait before the next look meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes of an application's name in PostgreSQL.
const LONGEST_NAME: usize = 63;

/// A session that holds the lock.
pub(super) struct Session(PgConnection);

impl Drop for Session {
    /// At once; a session that is merely left ends a little later.
    fn drop(&mut self) {
        let _ = self.0.batch_execute("SELECT pg_advisory_unlock_all()");
    }
}

/// Whether the session is still there, and with it its locks.
pub(super) fn answers(session: &mut Session) -> bool {
    session.0.batch_execute("SELECT 1").is_ok()
}

/// Takes the lock; waits a little for a server that was killed.
pub(super) fn take_patiently(url: &str, holder: &Holder) -> Result<Attempt<Session>, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match take(url, holder)? {
            Attempt::Held(_) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            attempt => return Ok(attempt),
        }
    }
}

/// Takes the lock in a session of its own.
pub(super) fn take(url: &str, holder: &Holder) -> Result<Attempt<Session>, String> {
    let mut conn = PgConnection::establish(url).map_err(|error| error.to_string())?;
    let attempt = attempt(&mut conn, holder).map_err(|error| error.to_string())?;
    Ok(match attempt {
        Attempt::Taken(()) => Attempt::Taken(Session(conn)),
        Attempt::Held(other) => Attempt::Held(other),
    })
}

fn attempt(conn: &mut PgConnection, holder: &Holder) -> QueryResult<Attempt<()>> {
    let name = name_of(holder);
    // A machine that lost its power does not close its connection: the database notices within half a minute.
    sql_query(
        "SELECT set_config('application_name', $1, false), set_config('tcp_keepalives_idle', '10', false), \
         set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false), \
         set_config('lock_timeout', '10s', false)",
    )
    .bind::<Text, _>(&name)
    .execute(conn)?;
    let ask = format!("SELECT pg_try_advisory_lock({NAMESPACE}, {SERVER}) AS yes");
    if !sql_query(&ask).get_result::<Answer>(conn)?.yes {
        let other = other(conn)?;
        if other.as_ref().is_none_or(|other| other.application != name) {
            return Ok(Attempt::Held(
                other.map_or_else(|| "a session that is just ending".to_owned(), |other| other.to_string()),
            ));
        }
        // A session of ours whose connection was lost; it would hold the lock until the database notices.
        end(conn, other.map_or(0, |other| other.process))?;
        let wait = format!("SELECT pg_advisory_lock({NAMESPACE}, {SERVER})");
        conn.batch_execute(&wait)?;
    }
    conn.batch_execute(&format!("SELECT pg_advisory_lock({HOLDERS}, {})", signed(holder.token)))?;
    wait_for_writes(conn)?;
    Ok(Attempt::Taken(()))
}

/// Waits until the transactions are over that another server began while it held the lock. A server that stands still, or was cut
/// off, never ends its own: those are ended after a moment. Nobody was answered that they are stored.
fn wait_for_writes(conn: &mut PgConnection) -> QueryResult<()> {
    let until = Instant::now() + WRITES_WITHIN;
    let ask = format!("SELECT pg_try_advisory_lock({NAMESPACE}, {WRITES}) AS yes");
    while !sql_query(&ask).get_result::<Answer>(conn)?.yes {
        if Instant::now() < until {
            std::thread::sleep(LOOK_EVERY);
            continue;
        }
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = {NAMESPACE} \
             AND objid = {WRITES} AND objsubid = 2 AND mode = 'ShareLock' AND pid <> pg_backend_pid() \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        );
        conn.batch_execute(&end)?;
        conn.batch_execute(&format!("SELECT pg_advisory_lock({NAMESPACE}, {WRITES})"))?;
        break;
    }
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({NAMESPACE}, {WRITES})"))
}

/// Locks are named by signed numbers and listed by unsigned ones.
const fn signed(token: u32) -> i32 {
    i32::from_ne_bytes(token.to_ne_bytes())
}

/// How a server is called among the database's sessions; unique, so that it knows its own.
fn name_of(holder: &Holder) -> String {
    let mut name = format!("evenwatt {:08x} process {} on {}", holder.token, holder.process, holder.host);
    while name.len() > LONGEST_NAME {
        name.pop();
    }
    name
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// The session that holds the lock.
#[derive(QueryableByName)]
struct Other {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    process: i32,
    #[diesel(sql_type = Text)]
    application: String,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    since: Option<String>,
}

impl std::fmt::Display for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process, application, address, since } = self;
        let shown = |text: &Option<String>, otherwise: &str| text.clone().unwrap_or_else(|| otherwise.to_owned());
        write!(
            f,
            "\"{application}\" from {}, since {} (session {process} of the database)",
            shown(address, "this machine"),
            shown(since, "an unknown time")
        )
    }
}

fn other(conn: &mut PgConnection) -> QueryResult<Option<Other>> {
    let found: Vec<Other> = sql_query(format!(
        "SELECT l.pid AS process, coalesce(a.application_name, '') AS application, host(a.client_addr) AS address, \
         to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since \
         FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {NAMESPACE} AND l.objid = {SERVER} AND l.objsubid = 2 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ))
    .load(conn)?;
    Ok(found.into_iter().next())
}

/// The session that holds the lock, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The number of its process in the database.
    pub process: i32,
    /// The token of the server whose session it is, where that can be seen.
    pub token: Option<u32>,
}

/// Who holds the lock of a database, if anybody does.
pub fn holding(conn: &mut PgConnection) -> QueryResult<Option<Holding>> {
    let token = |name: &str| u32::from_str_radix(name.strip_prefix("evenwatt ")?.get(..8)?, 16).ok();
    Ok(other(conn)?.map(|other| Holding { process: other.process, token: token(&other.application) }))
}

/// Ends a session, and with it what it holds.
pub fn end(conn: &mut PgConnection, process: i32) -> QueryResult<()> {
    sql_query("SELECT pg_terminate_backend($1)").bind::<diesel::sql_types::Integer, _>(process).execute(conn)?;
    Ok(())
}

/// The session that holds the lock of this database.
pub(super) fn held_by(url: &str) -> Result<Option<String>, String> {
    let mut conn = PgConnection::establish(url).map_err(|error| error.to_string())?;
    Ok(other(&mut conn).map_err(|error| error.to_string())?.map(|other| other.to_string()))
}

/// Whether the session with this token holds its lock; until the transaction ends, nobody else can take it and go on.
pub(super) fn is_held(conn: &mut PgConnection, token: u32) -> QueryResult<bool> {
    IsHeld { token: token.into() }.get_result(conn)
}

/// A query that is prepared once. `CASE` has its parts done in order.
#[derive(Debug, QueryId)]
struct IsHeld {
    token: i64,
}

impl Query for IsHeld {
    type SqlType = Bool;
}

impl RunQueryDsl<PgConnection> for IsHeld {}

impl QueryFragment<Pg> for IsHeld {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&format!(
            "SELECT CASE WHEN pg_advisory_xact_lock_shared({NAMESPACE}, {WRITES})::text IS NULL THEN false ELSE EXISTS (SELECT 1 \
             FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = {HOLDERS} AND objsubid = 2 \
             AND objid::bigint = "
        ));
        out.push_bind_param::<BigInt, _>(&self.token)?;
        out.push_sql(") END");
        Ok(())
    }
}
