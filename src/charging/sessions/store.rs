//! Sessions in the database.

use std::time::Duration;

use diesel::prelude::*;

use super::model::{Session, SessionFilter, SessionStatus, SessionView};
use crate::events::{Change, EventKind};
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::load::groups;
use crate::sites::stations;
use crate::store::schema::{meter_values, sessions};
use crate::store::{Conn, Searched, StoreResult, counters};
use kernel::*;

/// Records an event with the whole session, in the order of its station.
pub(super) fn record(conn: &mut Conn, moment: &Moment, session: &Session, kind: EventKind) -> StoreResult<()> {
    let view = SessionView::from(session.clone());
    Change::new(conn, session.organization_id, moment).record_at(session.chargestation_id, kind, &view)
}

pub(super) fn insert(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    diesel::insert_into(sessions::table).values(session).execute(conn)?;
    Ok(())
}

/// Orphans of one station in a day that are kept: no honest queue has so many, and a station in a loop has no end of them.
pub(super) const MOST_ORPHANS: i64 = 200;

/// Whether a station has so many orphans of the last day that no more are kept.
pub(super) fn is_full_of_orphans(conn: &mut Conn, station: StationId, now: Timestamp) -> StoreResult<bool> {
    let orphans: i64 = sessions::table
        .filter(sessions::orphan)
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::created_at.gt(now - Duration::from_secs(24 * 3_600)))
        .count()
        .get_result(conn)?;
    Ok(orphans >= MOST_ORPHANS)
}

/// Records that a station is full of orphans, where this one filled it.
pub(super) fn record_orphans_full(conn: &mut Conn, moment: &Moment, session: &Session) -> StoreResult<()> {
    let station = session.chargestation_id;
    if !session.orphan || !is_full_of_orphans(conn, station, moment.now)? {
        return Ok(());
    }
    let data = serde_json::json!({"chargestation": station, "orphans": MOST_ORPHANS});
    Change::new(conn, session.organization_id, moment).record_at(station, EventKind::StationOrphansFull, &data)
}

/// Stores every field of a session.
pub(super) fn update(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    diesel::update(sessions::table.find(session.id)).set(session).execute(conn)?;
    Ok(())
}

/// Stores what readings change: the part of a session that is written every minute.
pub(super) fn save_metrics(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    diesel::update(sessions::table.find(session.id))
        .set((
            sessions::energy.eq(session.energy),
            sessions::energy_period.eq(session.energy_period),
            sessions::meter_start.eq(session.meter_start),
            sessions::latest.eq(session.latest.clone()),
            sessions::latest_at.eq(session.latest_at),
            sessions::power.eq(session.power),
            sessions::reported_at.eq(session.reported_at),
            sessions::updated_at.eq(session.updated_at),
            sessions::cost.eq(session.cost.clone()),
            sessions::energy_ledger.eq(session.energy_ledger.clone()),
            sessions::flags.eq(session.flags.clone()),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: SessionId) -> StoreResult<Session> {
    Ok(sessions::table
        .filter(sessions::organization_id.eq(organization).and(sessions::id.eq(id)))
        .select(Session::as_select())
        .first(conn)?)
}

/// The session of a transaction of this station.
pub fn find_by_transaction(conn: &mut Conn, station: StationId, transaction: i64) -> StoreResult<Option<Session>> {
    let found = sessions::table
        .filter(sessions::transaction_id.eq(transaction).and(sessions::chargestation_id.eq(station)))
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

pub(super) fn find_by_start_key(conn: &mut Conn, key: &str) -> StoreResult<Option<Session>> {
    let found = sessions::table.filter(sessions::start_key.eq(key)).select(Session::as_select()).first(conn);
    Ok(found.optional()?)
}

/// Takes the key of a start from the session that has it: another start says the same.
pub(super) fn release_start_key(conn: &mut Conn, key: &str) -> StoreResult<()> {
    diesel::update(sessions::table.filter(sessions::start_key.eq(key)))
        .set(sessions::start_key.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

pub(super) fn find_by_stop_key(conn: &mut Conn, key: &str) -> StoreResult<Option<Session>> {
    let found = sessions::table.filter(sessions::stop_key.eq(key)).select(Session::as_select()).first(conn);
    Ok(found.optional()?)
}

/// Takes the key of a stop from the session that has it: another stop says the same.
pub(super) fn release_stop_key(conn: &mut Conn, key: &str) -> StoreResult<()> {
    diesel::update(sessions::table.filter(sessions::stop_key.eq(key)))
        .set(sessions::stop_key.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

/// Whether a start was received from a station since an instant.
pub(super) fn began_since(conn: &mut Conn, station: StationId, since: Timestamp) -> StoreResult<bool> {
    let begun: i64 = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::begun_at.gt(since))
        .count()
        .get_result(conn)?;
    Ok(begun > 0)
}

/// The session that began next at the connector of a session, by its time and by its receipt.
pub(super) fn next_after(conn: &mut Conn, session: &Session) -> StoreResult<Option<Session>> {
    let begin = session.started_at.zip(session.begun_at);
    let Some((connector, (start, begun))) = session.connector_id.zip(begin) else {
        return Ok(None);
    };
    let found = sessions::table
        .filter(sessions::connector_id.eq(connector))
        .filter(sessions::id.ne(session.id))
        .filter(sessions::orphan.eq(false))
        .filter(sessions::status.eq_any([SessionStatus::Started, SessionStatus::Ended]))
        .filter(sessions::started_at.gt(start))
        .filter(sessions::begun_at.ge(begun))
        .order(sessions::started_at)
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// The created and started sessions of a station, oldest first.
pub(super) fn open_at(conn: &mut Conn, station: StationId) -> StoreResult<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::status.eq_any([SessionStatus::Created, SessionStatus::Started]))
        .order((sessions::created_at, sessions::id))
        .select(Session::as_select())
        .load(conn)?)
}

/// The started sessions of a station, oldest first.
pub fn running_at(conn: &mut Conn, station: StationId) -> StoreResult<Vec<Session>> {
    let mut open = open_at(conn, station)?;
    open.retain(|session| session.status == SessionStatus::Started);
    Ok(open)
}

/// The session that was created by API and whose station was asked to start it by this number.
pub(super) fn find_asked(conn: &mut Conn, station: StationId, request: i64) -> StoreResult<Option<Session>> {
    let found = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::start_request.eq(request))
        .filter(sessions::status.eq(SessionStatus::Created))
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// Whether what was received of a session since an instant, and measured since another, shows that it goes on: a draw, or a
/// register that rose.
pub(super) fn is_alive_since(
    conn: &mut Conn,
    session: &Session,
    (received, measured): (Timestamp, Timestamp),
) -> StoreResult<bool> {
    /// Draw below which a car counts as not drawing.
    const DRAWING: Watts = Watts(100);
    let Some(connector) = session.connector_id else {
        return Ok(false);
    };
    let own = || {
        meter_values::table
            .filter(meter_values::connector_id.eq(connector))
            .filter(meter_values::session_id.eq(session.id))
    };
    let since = || own().filter(meter_values::received_at.ge(received)).filter(meter_values::at.ge(measured));
    let draws: i64 = since().filter(meter_values::power.gt(DRAWING)).count().get_result(conn)?;
    if draws > 0 {
        return Ok(true);
    }
    let highest = diesel::dsl::max(meter_values::energy);
    let now: Option<i64> = since().select(highest).first(conn)?;
    let is_before = meter_values::received_at.lt(received).or(meter_values::at.lt(measured));
    let before: Option<i64> = own().filter(is_before).select(highest).first(conn)?;
    let before = before.or_else(|| session.meter_start.map(WattHours::get));
    Ok(now.zip(before).is_some_and(|(now, before)| now > before))
}

/// The newest session of a transaction to which this station gave this name.
pub(super) fn find_by_transaction_name(
    conn: &mut Conn,
    station: StationId,
    name: &str,
) -> StoreResult<Option<Session>> {
    let found = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::transaction_name.eq(name))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// The session that runs at a connector.
pub fn open_session_on(conn: &mut Conn, connector: ConnectorId) -> StoreResult<Option<Session>> {
    let found = sessions::table
        .filter(sessions::connector_id.eq(connector).and(sessions::status.eq(SessionStatus::Started)))
        .order(sessions::created_at.desc())
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// The created and started sessions of these connectors, oldest first.
pub fn open_on_connectors(conn: &mut Conn, connectors: &[ConnectorId]) -> StoreResult<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::connector_id.eq_any(connectors))
        .filter(sessions::status.eq_any([SessionStatus::Created, SessionStatus::Started]))
        .order((sessions::created_at, sessions::id))
        .select(Session::as_select())
        .load(conn)?)
}

/// The started sessions of an organization, or this one of them while it is.
pub fn running(conn: &mut Conn, organization: OrganizationId, only: Option<SessionId>) -> StoreResult<Vec<Session>> {
    let mut rows = sessions::table
        .filter(sessions::organization_id.eq(organization))
        .filter(sessions::status.eq(SessionStatus::Started))
        .into_boxed();
    if let Some(id) = only {
        rows = rows.filter(sessions::id.eq(id));
    }
    Ok(rows.order(sessions::id).select(Session::as_select()).load(conn)?)
}

/// The next transaction number: from 1, never used twice.
pub(super) fn next_transaction_id(conn: &mut Conn) -> StoreResult<i64> {
    counters::next(conn, "transaction")
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<SessionFilter>,
) -> ApiResult<Page<Session>> {
    let filter = &query.filter;
    let members = filter.group.map(|group| groups::stations_in_group(conn, organization, group)).transpose()?;
    let search = query.search.as_deref();
    let found = search.map(|text| Searched::Sessions.containing(conn, organization, text));
    let filtered = || {
        let mut rows = sessions::table.filter(sessions::organization_id.eq(organization)).into_boxed();
        if let Some(status) = filter.status {
            rows = rows.filter(sessions::status.eq(status));
        }
        if let Some(station) = filter.chargestation {
            rows = rows.filter(sessions::chargestation_id.eq(station));
        }
        if let Some(connector) = filter.connector {
            rows = rows.filter(sessions::connector_id.eq(connector));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(sessions::chargestation_id.eq_any(stations::ids_at(location)));
        }
        if let Some(members) = &members {
            rows = rows.filter(sessions::chargestation_id.eq_any(members));
        }
        if let Some(at) = filter.charging_from {
            rows = rows.filter(sessions::started_at.ge(at));
        }
        if let Some(at) = filter.charging_until {
            rows = rows.filter(sessions::started_at.le(at));
        }
        if let Some(at) = filter.stopped_from {
            rows = rows.filter(sessions::ended_at.ge(at));
        }
        if let Some(at) = filter.stopped_until {
            rows = rows.filter(sessions::ended_at.le(at));
        }
        if let Some(user) = filter.user {
            rows = rows.filter(sessions::user_id.eq(user));
        }
        if let Some(orphan) = filter.orphan {
            rows = rows.filter(sessions::orphan.eq(orphan));
        }
        if let Some(found) = &found {
            rows = rows.filter(found());
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, sessions, filtered(), {
        "status" => sessions::status,
        "energyConsumed" => sessions::energy,
        "chargingStart" => sessions::started_at,
        "chargingStop" => sessions::ended_at,
    });
    Ok(Page { rows: rows.select(Session::as_select()).load(conn)?, total, request: query.page })
}
