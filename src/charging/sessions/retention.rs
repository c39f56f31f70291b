//! Forgetting what sessions consist of: readings are thinned and go after a time, as do transaction events and what meters signed; the
//! session itself stays for years, with its energy, its times and its cost. Orphans go whole.

use std::time::Duration;

use diesel::prelude::*;

use super::{chunks, open, thinning};
use crate::events::{Forgotten, Horizon, Mark};
use crate::sites::stations;
use crate::store::schema::{meter_evidence, meter_values, session_tariffs, sessions, transaction_events};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// What the readings of sessions are called where it is kept how far they were forgotten.
pub const READINGS: &str = "readings";
/// What thinning them is called there.
pub const FULL_READINGS: &str = "full_readings";
/// Sessions, or connectors, that are looked at in one go.
const AT_ONCE: i64 = 100;
/// Rows that are deleted in one go, so that others can write in between; a little more, where one session has more.
const ROWS_AT_ONCE: usize = 2_000;
/// How far back sessions are looked at whose end became known late.
const LATE: Duration = Duration::from_secs(31 * 24 * 3_600);

/// Deletes the oldest rows of a session: as many as are deleted in one go. Where so many were there may be more.
macro_rules! delete_some {
    ($conn:expr, $table:ident, $session:expr, $order:ident: $type:ty) => {{
        let own = || $table::table.filter($table::session_id.eq($session));
        let last: Option<$type> = own()
            .order($table::$order)
            .offset(i64::try_from(ROWS_AT_ONCE - 1).unwrap_or(i64::MAX))
            .select($table::$order)
            .first($conn)
            .optional()?;
        let rows = match last {
            Some(last) => diesel::delete(own().filter($table::$order.le(last))).execute($conn)?,
            None => diesel::delete(own()).execute($conn)?,
        };
        StoreResult::Ok(rows)
    }};
}

/// When the session ended that ended first.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(sessions::table
        .filter(sessions::ended_at.is_not_null())
        .order(sessions::ended_at)
        .select(sessions::ended_at.assume_not_null())
        .first(conn)
        .optional()?)
}

/// Sessions that are over, the one first that ended first.
fn over(conn: &mut Conn, horizon: Horizon, mark: &Mark) -> StoreResult<Vec<(SessionId, OrganizationId, Timestamp)>> {
    let ended = sessions::ended_at.assume_not_null();
    Ok(sessions::table
        .filter(sessions::ended_at.ge(mark.instant()))
        .filter(sessions::ended_at.lt(horizon.to))
        .filter(sessions::ended_at.gt(mark.instant()).or(sessions::id.gt(mark.id.clone())))
        .order((sessions::ended_at, sessions::id))
        .limit(AT_ONCE)
        .select((sessions::id, sessions::organization_id, ended))
        .load(conn)?)
}

/// What went of a session.
pub(super) struct Went {
    pub(super) rows: usize,
    /// Rows that were looked at for it.
    pub(super) looked_at: usize,
    /// Whether there is no more to do.
    pub(super) is_all: bool,
}

impl Went {
    /// Of what deletes [`ROWS_AT_ONCE`] where there may be more.
    const fn deleted(rows: usize) -> Self {
        Self { rows, looked_at: rows, is_all: rows < ROWS_AT_ONCE }
    }
}

/// Runs `forget` for some sessions that are over.
fn of_sessions(
    conn: &mut Conn,
    (horizon, after): (Horizon, Option<Mark>),
    forget: fn(&mut Conn, SessionId) -> StoreResult<Went>,
) -> StoreResult<Forgotten> {
    let mut mark = after.unwrap_or_else(|| Mark::at("", horizon.from - LATE));
    let (mut forgotten, mut looked_at) = (Forgotten::default(), 0);
    for (id, organization, ended) in over(conn, horizon, &mark)? {
        let went = forget(conn, id)?;
        forgotten.count(organization, went.rows);
        looked_at += went.looked_at;
        if went.is_all {
            mark = Mark::at(id, ended);
        }
        forgotten.next = Some(mark.clone());
        if looked_at >= ROWS_AT_ONCE || !went.is_all {
            break;
        }
    }
    Ok(forgotten)
}

fn forget_readings_of(conn: &mut Conn, session: SessionId) -> StoreResult<usize> {
    let chunks = chunks::forget_of_session(conn, session)?;
    Ok(chunks + delete_some!(conn, meter_values, session, at: Timestamp)?)
}

/// Deletes readings of some sessions.
pub fn forget_readings(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    open::to_change()?; // nobody else changes readings meanwhile
    of_sessions(conn, (horizon, after), |conn, session| Ok(Went::deleted(forget_readings_of(conn, session)?)))
}

/// Of readings of some sessions keeps one of each quarter of an hour.
pub fn thin_readings(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    open::to_change()?;
    of_sessions(conn, (horizon, after), thinning::thin)
}

/// Deletes transaction events of some sessions.
pub fn forget_events(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    of_sessions(conn, (horizon, after), |conn, session| {
        Ok(Went::deleted(delete_some!(conn, transaction_events, session, seq_no: i64)?))
    })
}

/// Deletes what was signed in some sessions.
pub fn forget_evidence(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    of_sessions(conn, (horizon, after), |conn, session| {
        Ok(Went::deleted(delete_some!(conn, meter_evidence, session, received_at: Timestamp)?))
    })
}

/// Deletes some sessions whole.
pub fn forget_sessions(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    open::to_change()?;
    of_sessions(conn, (horizon, after), |conn, session| Ok(Went::deleted(forget_whole(conn, session)?)))
}

fn forget_whole(conn: &mut Conn, session: SessionId) -> StoreResult<usize> {
    while forget_readings_of(conn, session)? >= ROWS_AT_ONCE {}
    diesel::delete(session_tariffs::table.find(session)).execute(conn)?;
    if let Some(memory) = open::to_change()? {
        memory.remove(session);
    }
    Ok(diesel::delete(sessions::table.find(session)).execute(conn)?)
}

/// Deletes readings of some connectors that belong to no session, also of connectors that are no more.
pub fn forget_loose_readings(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    open::to_change()?;
    let mut mark = after.unwrap_or_default();
    let (mut forgotten, mut deleted) = (Forgotten::default(), 0);
    for _ in 0..AT_ONCE {
        let next = next_connector(conn, &mark)?;
        let Some(connector) = next else {
            forgotten.next = None;
            break;
        };
        let organization = stations::owner_of_connector(conn, connector)?;
        let rows = forget_loose_of(conn, connector, horizon.to)?;
        if let Some(organization) = organization {
            forgotten.count(organization, rows);
        }
        deleted += rows;
        if rows < ROWS_AT_ONCE {
            mark = Mark::after(connector);
        }
        forgotten.next = Some(mark.clone());
        if deleted >= ROWS_AT_ONCE {
            break;
        }
    }
    Ok(forgotten)
}

/// The next connector that has readings.
pub(super) fn next_connector(conn: &mut Conn, mark: &Mark) -> StoreResult<Option<ConnectorId>> {
    let old: Option<ConnectorId> = meter_values::table
        .filter(meter_values::connector_id.ge(mark.id.clone()))
        .order(meter_values::connector_id)
        .select(meter_values::connector_id)
        .first(conn)
        .optional()?;
    let chunked = chunks::next_connector(conn, &mark.id)?;
    Ok(old.into_iter().chain(chunked).min())
}

fn forget_loose_of(conn: &mut Conn, connector: ConnectorId, before: Timestamp) -> StoreResult<usize> {
    let loose = || {
        meter_values::table
            .filter(meter_values::connector_id.eq(connector))
            .filter(meter_values::at.lt(before))
            .filter(meter_values::session_id.is_null())
    };
    let last: Option<Timestamp> = loose()
        .order(meter_values::at)
        .offset(i64::try_from(ROWS_AT_ONCE - 1).unwrap_or(i64::MAX))
        .select(meter_values::at)
        .first(conn)
        .optional()?;
    let some = loose().filter(meter_values::at.le(last.unwrap_or(before)));
    let old = diesel::delete(some).execute(conn)?;
    Ok(old + chunks::forget_loose(conn, connector, before)?)
}

/// Deletes some orphans, with all that belongs to them.
pub fn forget_orphans(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let some: Vec<(SessionId, OrganizationId)> = sessions::table
        .filter(sessions::orphan)
        .filter(sessions::created_at.lt(horizon.to))
        .filter(sessions::ended_at.is_not_null())
        .limit(AT_ONCE)
        .select((sessions::id, sessions::organization_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    for (id, organization) in some {
        forgotten.count(organization, forget_whole(conn, id)?);
        forgotten.next = Some(Mark::after(id));
    }
    Ok(forgotten)
}
