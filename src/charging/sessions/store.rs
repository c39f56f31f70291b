//! Sessions in the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;

use super::model::{Session, SessionFilter, SessionStatus, SessionView};
use super::open::{self, Open};
use super::packed::Stored;
use super::shelf;
use crate::each;
use crate::events::{Change, EventKind};
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::load::groups;
use crate::people::tokens;
use crate::sites::stations;
use crate::store::query::lower;
use crate::store::schema::sessions;
use crate::store::{Conn, Searched, StoreError, StoreResult, counters};
use crate::{cached_insert, cached_update, fetch_page};
use kernel::*;

/// Records an event with the whole session, in the order of its station.
pub(super) fn record(conn: &mut Conn, moment: &Moment, session: &Session, kind: EventKind) -> StoreResult<()> {
    let view = SessionView::from(session.clone());
    Change::new(conn, session.organization_id, moment).record_at(session.chargestation_id, kind, &view)
}

/// Stores a new session.
pub(super) fn insert(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    let memory = open::to_change()?;
    InsertSession(session).save(conn)?;
    memory.iter().for_each(|memory| memory.note_begin(session));
    memory.map_or(Ok(()), |memory| memory.put(conn, Arc::new(session.clone()), true))
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

/// Hands all columns of a session but its id to a macro.
macro_rules! with_columns {
    ($with:ident! { $($statement:tt)* }) => {
        $with! { $($statement)* [organization_id, chargestation_id, connector_id, user_id, token_id, id_tag, status, type_, orphan, transaction_id, start_key, stop_key, started_at, ended_at, meter_start, meter_stop, energy, energy_period, latest, latest_at, power, charging_state, charging_activity, stop_reason, target, configurations, departure_at, energy_need, power_limit, reported_at, meta_data, created_at, updated_at, rate_id, rate_version, cost, service_offer_id, transaction_name, start_request, car_schedule, energy_ledger, flags, begun_at, corrections, restartable, reports] }
    };
}

with_columns!(cached_insert! {
    /// Stores every field of a session.
    InsertSession of Session in sessions by id:
});

with_columns!(cached_update! {
    /// Writes every field of a session.
    SaveSession of Session in sessions by id:
});

cached_update! {
    /// Writes all that changes after the start of a session: no index of what it is has to be written again.
    SaveCourse of Session in sessions by id: [status, stop_key, ended_at, meter_start, meter_stop, energy, energy_period, latest, latest_at, power, charging_state, charging_activity, stop_reason, target, configurations, departure_at, energy_need, power_limit, reported_at, meta_data, updated_at, rate_id, rate_version, cost, service_offer_id, car_schedule, energy_ledger, flags, corrections, restartable, reports]
}

cached_update! {
    /// The same without its end.
    SaveState of Session in sessions by id: [meter_start, energy, energy_period, latest, latest_at, power, charging_state, charging_activity, target, configurations, departure_at, energy_need, power_limit, reported_at, meta_data, updated_at, rate_id, rate_version, cost, service_offer_id, car_schedule, energy_ledger, flags, reports]
}

cached_update! {
    /// Writes what readings change.
    SaveMetrics of Session in sessions by id: [energy, energy_period, meter_start, latest, latest_at, power, reported_at, updated_at, cost, energy_ledger, flags, reports]
}

/// What is written at the start of a session, and seldom later.
fn identity(session: &Session) -> impl PartialEq + '_ {
    let place = (session.organization_id, session.chargestation_id, session.connector_id);
    let card = (session.user_id, session.token_id, &session.id_tag);
    let begin = (session.started_at, session.begun_at, session.created_at, &session.type_, session.orphan);
    let names = (session.transaction_id, &session.transaction_name, session.start_request, &session.start_key);
    (place, card, begin, names)
}

/// What is written at its end, and seldom before.
fn ending(session: &Session) -> impl PartialEq + '_ {
    let end = (session.status, session.ended_at, session.meter_stop);
    (end, &session.stop_key, &session.stop_reason, &session.corrections, session.restartable)
}

/// Stores every field of a session. SQLite writes each index anew that a statement names a column of, whatever is in it: the
/// statement names those that can differ from what memory knows to be in the row.
pub(super) fn update(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    let memory = open::to_change()?;
    match memory.as_ref().and_then(|memory| memory.get(session.id)) {
        Some(known) if identity(&known.session) != identity(session) => SaveSession(session).save(conn)?,
        Some(known) if ending(&known.session) != ending(session) => SaveCourse(session).save(conn)?,
        Some(_) => SaveState(session).save(conn)?,
        None => SaveSession(session).save(conn)?,
    }
    memory.map_or(Ok(()), |memory| memory.put(conn, Arc::new(session.clone()), true))
}

/// Stores what readings change: the part of a session that changes every minute. Of one that is in memory the journal has it.
pub(super) fn save_metrics(conn: &mut Conn, session: &Arc<Session>) -> StoreResult<()> {
    match open::to_change()?.filter(|memory| memory.get(session.id).is_some()) {
        Some(memory) => memory.put(conn, Arc::clone(session), false),
        None => write_metrics(conn, session),
    }
}

/// Writes what readings change into the row of a session.
pub(super) fn write_metrics(conn: &mut Conn, session: &Session) -> StoreResult<()> {
    SaveMetrics(session).save(conn)
}

/// Whether the row of a session has the same energy and times, by which it is billed.
pub(super) fn is_billed_alike(conn: &mut Conn, session: &Session) -> StoreResult<bool> {
    let found: Option<(WattHours, Option<Timestamp>, Option<Timestamp>)> = sessions::table
        .find(session.id)
        .select((sessions::energy, sessions::started_at, sessions::ended_at))
        .first(conn)
        .optional()?;
    Ok(found == Some((session.energy, session.started_at, session.ended_at)))
}

/// Of a question for one session.
fn one(conn: &mut Conn, found: diesel::QueryResult<Session>) -> StoreResult<Option<Session>> {
    let mut found: Vec<Session> = found.optional()?.into_iter().collect();
    open::freshen(conn, &mut found)?;
    Ok(found.pop())
}

/// Of a question for several.
pub(super) fn some(conn: &mut Conn, mut found: Vec<Session>) -> StoreResult<Vec<Session>> {
    open::freshen(conn, &mut found)?;
    Ok(found)
}

fn sessions_of(found: Vec<Arc<Open>>) -> Vec<Session> {
    found.into_iter().map(|open| Session::clone(&open.session)).collect()
}

/// The organization's session with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: SessionId) -> StoreResult<Session> {
    if let Some(open) = open::known().and_then(|known| known.get(id))
        && open.session.organization_id == organization
    {
        return Ok(Session::clone(&open.session));
    }
    let found = each!(conn, |conn| sessions::table
        .filter(sessions::organization_id.eq(organization).and(sessions::id.eq(id)))
        .select(Session::as_select())
        .first(conn));
    one(conn, found)?.ok_or(StoreError::NotFound)
}

/// The session of a transaction of this station.
pub fn find_by_transaction(conn: &mut Conn, station: StationId, transaction: i64) -> StoreResult<Option<Session>> {
    let running = open::known().and_then(|known| {
        known.at_station(station).into_iter().find(|open| open.session.transaction_id == Some(transaction))
    });
    if let Some(open) = running {
        return Ok(Some(Session::clone(&open.session)));
    }
    let found = each!(conn, |conn| sessions::table
        .filter(sessions::transaction_id.eq(transaction).and(sessions::chargestation_id.eq(station)))
        .select(Session::as_select())
        .first(conn));
    one(conn, found)
}

pub(super) fn find_by_start_key(conn: &mut Conn, key: &str) -> StoreResult<Option<Session>> {
    let found = each!(conn, |conn| sessions::table
        .filter(sessions::start_key.eq(key))
        .select(Session::as_select())
        .first(conn));
    one(conn, found)
}

/// Takes the key of a start from the session that has it: another start says the same.
pub(super) fn release_start_key(conn: &mut Conn, mut session: Session) -> StoreResult<()> {
    session.start_key = None;
    update(conn, &session)
}

pub(super) fn find_by_stop_key(conn: &mut Conn, key: &str) -> StoreResult<Option<Session>> {
    let found =
        each!(conn, |conn| sessions::table.filter(sessions::stop_key.eq(key)).select(Session::as_select()).first(conn));
    one(conn, found)
}

/// Takes the key of a stop from the session that has it: another stop says the same.
pub(super) fn release_stop_key(conn: &mut Conn, mut session: Session) -> StoreResult<()> {
    session.stop_key = None;
    update(conn, &session)
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
    /// How long before its start a session was created at most, generously: only so many of its connector are looked at.
    const CREATED_BEFORE: Duration = Duration::from_secs(86_400);
    let begin = session.started_at.zip(session.begun_at);
    let Some((connector, (start, begun))) = session.connector_id.zip(begin) else {
        return Ok(None);
    };
    if open::to_change()?.is_some_and(|memory| memory.is_latest(session)) {
        return Ok(None);
    }
    let found = each!(conn, |conn| sessions::table
        .filter(sessions::connector_id.eq(connector))
        .filter(sessions::id.ne(session.id))
        .filter(sessions::orphan.eq(false))
        .filter(sessions::created_at.ge(begun - CREATED_BEFORE))
        .filter(sessions::status.eq(SessionStatus::Started).or(sessions::status.eq(SessionStatus::Ended)))
        .filter(sessions::started_at.gt(start))
        .filter(sessions::begun_at.ge(begun))
        .order(sessions::started_at)
        .select(Session::as_select())
        .first(conn));
    one(conn, found)
}

/// The created and started sessions of a station, oldest first.
pub(super) fn open_at(conn: &mut Conn, station: StationId) -> StoreResult<Vec<Session>> {
    if let Some(known) = open::known() {
        return Ok(sessions_of(known.at_station(station)));
    }
    let found = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::status.eq(SessionStatus::Created).or(sessions::status.eq(SessionStatus::Started)))
        .order((sessions::created_at, sessions::id))
        .select(Session::as_select())
        .load(conn)?;
    some(conn, found)
}

/// The started sessions of a station, oldest first.
pub fn running_at(conn: &mut Conn, station: StationId) -> StoreResult<Vec<Session>> {
    let mut open = open_at(conn, station)?;
    open.retain(|session| session.status == SessionStatus::Started);
    Ok(open)
}

/// The session that was created by API and whose station was asked to start it by this number.
pub(super) fn find_asked(conn: &mut Conn, station: StationId, request: i64) -> StoreResult<Option<Session>> {
    let open = open_at(conn, station)?;
    let asked = |session: &Session| session.start_request == Some(request) && session.status == SessionStatus::Created;
    Ok(open.into_iter().find(asked))
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
    let draws = |one: &Stored| one.reading.power.is_some_and(|power| power > DRAWING);
    let is_since = |one: &Stored| one.received_at >= received && one.at >= measured;
    // What was received last shows it for most of those that are asked again and again.
    if shelf::latest_of(conn, session)?.iter().any(|one| is_since(one) && draws(one)) {
        return Ok(true);
    }
    let readings = shelf::readings_of(conn, session, connector)?;
    let (since, before): (Vec<_>, Vec<_>) = readings.iter().partition(|one| is_since(one));
    if since.iter().any(|one| draws(one)) {
        return Ok(true);
    }
    let now = since.iter().filter_map(|one| one.reading.energy).max();
    let before = before.iter().filter_map(|one| one.reading.energy).max().or(session.meter_start);
    Ok(now.zip(before).is_some_and(|(now, before)| now > before))
}

/// The newest session of a transaction to which this station gave this name.
pub(super) fn find_by_transaction_name(
    conn: &mut Conn,
    station: StationId,
    name: &str,
) -> StoreResult<Option<Session>> {
    let running = open::known().and_then(|known| {
        let named = |open: &Arc<Open>| open.session.transaction_name.as_deref() == Some(name);
        known.at_station(station).into_iter().rfind(named)
    });
    if let Some(open) = running {
        return Ok(Some(Session::clone(&open.session)));
    }
    let found = each!(conn, |conn| sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::transaction_name.eq(name))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(Session::as_select())
        .first(conn));
    one(conn, found)
}

/// The session that runs at a connector.
pub fn open_session_on(conn: &mut Conn, connector: ConnectorId) -> StoreResult<Option<Session>> {
    let open = open_on_connectors(conn, &[connector])?;
    Ok(open.into_iter().rfind(|session| session.status == SessionStatus::Started))
}

/// The created and started sessions of these connectors, oldest first.
pub fn open_on_connectors(conn: &mut Conn, connectors: &[ConnectorId]) -> StoreResult<Vec<Session>> {
    if let Some(known) = open::known() {
        let found = connectors.iter().flat_map(|connector| known.at_connector(*connector));
        let mut found = sessions_of(found.collect());
        found.sort_by_key(|session| (session.created_at, session.id));
        return Ok(found);
    }
    let found = sessions::table
        .filter(sessions::connector_id.eq_any(connectors))
        .filter(sessions::status.eq(SessionStatus::Created).or(sessions::status.eq(SessionStatus::Started)))
        .order((sessions::created_at, sessions::id))
        .select(Session::as_select())
        .load(conn)?;
    some(conn, found)
}

/// The started sessions of an organization, or this one of them while it is.
pub fn running(conn: &mut Conn, organization: OrganizationId, only: Option<SessionId>) -> StoreResult<Vec<Session>> {
    if let Some(known) = open::known() {
        let wanted = |session: &Session| {
            session.organization_id == organization
                && session.status == SessionStatus::Started
                && only.is_none_or(|id| session.id == id)
        };
        let mut found = sessions_of(known.all(wanted));
        found.sort_by_key(|session| session.id);
        return Ok(found);
    }
    let mut rows = sessions::table
        .filter(sessions::organization_id.eq(organization))
        .filter(sessions::status.eq(SessionStatus::Started))
        .into_boxed();
    if let Some(id) = only {
        rows = rows.filter(sessions::id.eq(id));
    }
    let found = rows.order(sessions::id).select(Session::as_select()).load(conn)?;
    some(conn, found)
}

/// The started sessions of an organization that began with this card.
pub(super) fn running_with_card(
    conn: &mut Conn,
    organization: OrganizationId,
    card: &str,
) -> StoreResult<Vec<Session>> {
    if let Some(known) = open::known() {
        let wanted = |session: &Session| {
            session.organization_id == organization
                && session.status == SessionStatus::Started
                && session.id_tag.as_deref().is_some_and(|tag| tokens::are_alike(tag, card))
        };
        return Ok(sessions_of(known.all(wanted)));
    }
    let found = sessions::table
        .filter(sessions::organization_id.eq(organization))
        .filter(sessions::status.eq(SessionStatus::Started))
        .filter(lower(sessions::id_tag).eq(tokens::fold(card)))
        .select(Session::as_select())
        .load(conn)?;
    some(conn, found)
}

/// When those of these sessions ended that are over.
pub(super) fn ends_of(conn: &mut Conn, ids: BTreeSet<SessionId>) -> StoreResult<BTreeMap<SessionId, Timestamp>> {
    /// Sessions that one question names.
    const AT_ONCE: usize = 1_000;
    let ids: Vec<SessionId> = ids.into_iter().collect();
    let mut ends = BTreeMap::new();
    for some in ids.chunks(AT_ONCE) {
        let found: Vec<(SessionId, Timestamp)> = sessions::table
            .filter(sessions::id.eq_any(some))
            .filter(sessions::ended_at.is_not_null())
            .select((sessions::id, sessions::ended_at.assume_not_null()))
            .load(conn)?;
        ends.extend(found);
    }
    Ok(ends)
}

/// Numbers that stations may have got since a backup was made. OCPP 1.6 has 2^31.
const SKIPPED: i64 = 1_000_000;

/// Leaves out transaction numbers that stations may have got since the backup of which this store was made: their transactions are
/// unknown here, and are still reported under them.
pub fn skip_numbers(conn: &mut Conn) -> StoreResult<()> {
    counters::skip(conn, "transaction", SKIPPED)
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
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(sessions::chargestation_id.eq_any(stations::ids_at_any(within.to_vec())));
        }
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
    let rows = rows.select(Session::as_select()).load(conn)?;
    // Where it goes on after the last one it must be the last one by what it shows.
    let rows = if is_by_readings(query) { rows } else { some(conn, rows)? };
    Ok(Page { rows, total, request: query.page })
}

/// Writes down what is only in memory and the journal: readings that have waited long enough for their chunk.
pub fn write_down(_: &mut Conn, now: Timestamp) -> StoreResult<()> {
    /// Sessions that are written in one go; the others in the next.
    const MOST_AT_ONCE: usize = 500;
    let Some(memory) = open::to_change()? else {
        return Ok(());
    };
    let waits = |open: &Open| open.waits_since().is_some_and(|since| now.since(since) >= open::WAIT);
    for session in memory.to_write(waits, MOST_AT_ONCE) {
        memory.write_now(session);
    }
    Ok(())
}

/// Whether a list is sorted by what readings change: rows are brought up to date for it ([`write_rows`]).
pub(super) fn is_by_readings(query: &ListQuery<SessionFilter>) -> bool {
    matches!(query.sort_by.as_str(), "updatedAt" | "energyConsumed")
}

/// Brings the rows of an organization's sessions up to date, so that they can be sorted by what readings change.
pub(super) fn write_rows(conn: &mut Conn, organization: OrganizationId) -> StoreResult<()> {
    let Some(memory) = open::to_change()? else {
        return Ok(());
    };
    let is_behind = |open: &Open| open.session.organization_id == organization && open.is_ahead();
    for id in memory.to_write(is_behind, usize::MAX) {
        if let Some(open) = memory.get(id) {
            write_metrics(conn, &open.session)?;
            memory.put(conn, Arc::clone(&open.session), true)?;
        }
    }
    Ok(())
}

/// Of those of some ids that are of sessions: the station.
pub fn stations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(RawId, StationId)>> {
    let ids = ids.iter().copied().map(SessionId::from);
    let found: Vec<(SessionId, StationId)> = sessions::table
        .filter(sessions::id.eq_any(ids))
        .select((sessions::id, sessions::chargestation_id))
        .load(conn)?;
    Ok(found.into_iter().map(|(id, station)| (id.raw(), station)).collect())
}
