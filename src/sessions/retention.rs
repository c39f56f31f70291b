//! Forgetting what sessions consist of: readings, transaction events and what meters signed go after a time; the session itself
//! stays, with its energy, its times and its cost. Orphans go whole.

use std::time::Duration;

use diesel::prelude::*;

use crate::db::schema::{
    connectors, meter_evidence, meter_values, session_tariffs, sessions, transaction_events,
};
use crate::db::{Conn, StoreResult};
use crate::events::{Forgotten, Horizon};
use crate::kernel::*;

/// Sessions, or connectors, whose rows are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 20;
/// Orphans that are deleted in one go.
const ORPHANS_AT_ONCE: i64 = 100;
/// How long a session may last that is met by its beginning.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3_600);

/// Sessions that are over, by the second of their ids.
fn over(
    conn: &mut Conn,
    horizon: Horizon,
    after: Option<RawId>,
) -> StoreResult<Vec<(SessionId, OrganizationId)>> {
    let first = RawId::first_of(horizon.from - LONGEST);
    Ok(sessions::table
        .filter(sessions::id.gt(after.unwrap_or(first).to_string()))
        .filter(sessions::id.lt(RawId::first_of(horizon.to).to_string()))
        .filter(sessions::ended_at.lt(horizon.to))
        .order(sessions::id)
        .limit(AT_ONCE)
        .select((sessions::id, sessions::organization_id))
        .load(conn)?)
}

/// Runs `delete` for some sessions that are over.
fn of_sessions(
    conn: &mut Conn,
    (horizon, after): (Horizon, Option<RawId>),
    delete: fn(&mut Conn, SessionId) -> diesel::QueryResult<usize>,
) -> StoreResult<Forgotten> {
    let mut forgotten = Forgotten::default();
    for (id, organization) in over(conn, horizon, after)? {
        forgotten.count(organization, delete(conn, id)?);
        forgotten.next = id.to_string().parse().ok();
    }
    Ok(forgotten)
}

/// Deletes readings of some sessions.
pub fn forget_readings(
    conn: &mut Conn,
    horizon: Horizon,
    after: Option<RawId>,
) -> StoreResult<Forgotten> {
    of_sessions(conn, (horizon, after), |conn, id| {
        diesel::delete(meter_values::table.filter(meter_values::session_id.eq(id))).execute(conn)
    })
}

/// Deletes transaction events of some sessions.
pub fn forget_events(
    conn: &mut Conn,
    horizon: Horizon,
    after: Option<RawId>,
) -> StoreResult<Forgotten> {
    of_sessions(conn, (horizon, after), |conn, id| {
        diesel::delete(transaction_events::table.filter(transaction_events::session_id.eq(id)))
            .execute(conn)
    })
}

/// Deletes what was signed in some sessions.
pub fn forget_evidence(
    conn: &mut Conn,
    horizon: Horizon,
    after: Option<RawId>,
) -> StoreResult<Forgotten> {
    of_sessions(conn, (horizon, after), |conn, id| {
        diesel::delete(meter_evidence::table.filter(meter_evidence::session_id.eq(id)))
            .execute(conn)
    })
}

/// Deletes readings of some connectors that belong to no session.
pub fn forget_loose_readings(
    conn: &mut Conn,
    horizon: Horizon,
    after: Option<RawId>,
) -> StoreResult<Forgotten> {
    let first = after.map(|id| id.to_string()).unwrap_or_default();
    let some: Vec<(ConnectorId, OrganizationId)> = connectors::table
        .filter(connectors::id.gt(first))
        .order(connectors::id)
        .limit(AT_ONCE)
        .select((connectors::id, connectors::organization_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    for (id, organization) in some {
        let loose = meter_values::table
            .filter(meter_values::connector_id.eq(id))
            .filter(meter_values::at.ge(horizon.from - LONGEST))
            .filter(meter_values::at.lt(horizon.to))
            .filter(meter_values::session_id.is_null());
        forgotten.count(organization, diesel::delete(loose).execute(conn)?);
        forgotten.next = id.to_string().parse().ok();
    }
    Ok(forgotten)
}

/// Deletes some orphans, with all that belongs to them.
pub fn forget_orphans(
    conn: &mut Conn,
    horizon: Horizon,
    _: Option<RawId>,
) -> StoreResult<Forgotten> {
    let some: Vec<(SessionId, OrganizationId)> = sessions::table
        .filter(sessions::orphan)
        .filter(sessions::created_at.lt(horizon.to))
        .filter(sessions::ended_at.is_not_null())
        .limit(ORPHANS_AT_ONCE)
        .select((sessions::id, sessions::organization_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    for (id, organization) in some {
        diesel::delete(meter_values::table.filter(meter_values::session_id.eq(id)))
            .execute(conn)?;
        diesel::delete(session_tariffs::table.filter(session_tariffs::session_id.eq(id)))
            .execute(conn)?;
        let rows = diesel::delete(sessions::table.filter(sessions::id.eq(id))).execute(conn)?;
        forgotten.count(organization, rows);
        forgotten.next = id.to_string().parse().ok();
    }
    Ok(forgotten)
}
