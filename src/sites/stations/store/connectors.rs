//! Connectors in the database.

use std::collections::BTreeMap;

use diesel::dsl::not;
use diesel::prelude::*;

use super::answers::{ids_at, ids_at_any};
use super::evses;
use super::layout::note_change;
use super::station_states::station_states;
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::sites::rates;
use crate::sites::stations::model::condition::{Condition, ConnectorStatus, DetailedStatus};
use crate::sites::stations::model::connector::{Connector, ConnectorView};
use crate::sites::stations::model::connector_filter::ConnectorFilter;
use crate::sites::stations::model::number::first_free;
use crate::sites::stations::model::station::OperationalStatus;
use crate::sites::stations::uses::Uses;
use crate::store::query::{contains, lower};
use crate::store::schema::{chargestations, connectors};
use crate::store::{Conn, Searched, StoreError, StoreResult};
use kernel::{ConnectorId, EvseId, OrganizationId, Page, StationId, Timestamp, Watts};

pub(crate) fn insert(conn: &mut Conn, connector: &Connector) -> ApiResult<()> {
    let taken: i64 = connectors::table
        .filter(connectors::chargestation_id.eq(connector.chargestation_id))
        .filter(connectors::number.eq(connector.number))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(ApiError::field("number", "already_exists", "the station already has a connector of this number"));
    }
    diesel::insert_into(connectors::table).values(connector).execute(conn)?;
    note_change(connector.chargestation_id);
    Ok(())
}

/// The organization's connector with this id.
pub fn find_connector(conn: &mut Conn, organization: OrganizationId, id: ConnectorId) -> StoreResult<Connector> {
    Ok(each!(conn, |conn| connectors::table
        .filter(connectors::organization_id.eq(organization).and(connectors::id.eq(id)))
        .select(Connector::as_select())
        .first(conn))?)
}

/// A station's connectors in the order of their numbers.
pub fn connectors_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Vec<Connector>> {
    Ok(each!(conn, |conn| connectors::table
        .filter(connectors::chargestation_id.eq(station))
        .order(connectors::number)
        .select(Connector::as_select())
        .load(conn))?)
}

/// The connectors of these stations, station by station in the order of their numbers.
pub fn connectors_of_stations(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<Connector>> {
    Ok(connectors::table
        .filter(connectors::chargestation_id.eq_any(stations))
        .order((connectors::chargestation_id, connectors::number))
        .select(Connector::as_select())
        .load(conn)?)
}

/// These connectors, whoever owns them; for the balancing of a group that was found by its organization.
pub fn connectors_of_organization(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[ConnectorId],
) -> StoreResult<Vec<Connector>> {
    Ok(connectors::table
        .filter(connectors::organization_id.eq(organization).and(connectors::id.eq_any(ids)))
        .order(connectors::id)
        .select(Connector::as_select())
        .load(conn)?)
}

pub(crate) fn next_number(conn: &mut Conn, station: StationId) -> StoreResult<i32> {
    let taken =
        connectors::table.filter(connectors::chargestation_id.eq(station)).select(connectors::number).load(conn)?;
    Ok(first_free(taken))
}

pub(crate) fn update(conn: &mut Conn, connector: &Connector) -> StoreResult<()> {
    diesel::update(connectors::table.find(connector.id)).set(connector).execute(conn)?;
    note_change(connector.chargestation_id);
    Ok(())
}

/// Deletes a connector, unless sessions, a group or a service offer need it.
pub(crate) fn delete(conn: &mut Conn, uses: &Uses, connector: &Connector, now: Timestamp) -> ApiResult<()> {
    let others: i64 = connectors::table
        .filter(connectors::evse_id.eq(connector.evse_id))
        .filter(connectors::id.ne(connector.id))
        .count()
        .get_result(conn)?;
    if others == 0 {
        let what = "Its EVSE would lose its last connector";
        evses::require_not_offered(conn, uses, &[connector.evse_id], now, what)?;
    }
    if (uses.is_connector_in_group)(conn, connector.id)? {
        return Err(ApiError::in_use("The connector is in a load-management group; remove its station there first"));
    }
    let sessions = (uses.sessions_at_connector)(conn, connector.id)?;
    if sessions > 0 {
        return Err(ApiError::in_use(format!("The connector has {sessions} session(s); set active to false instead")));
    }
    diesel::delete(connectors::table.find(connector.id)).execute(conn)?;
    note_change(connector.chargestation_id);
    Ok(())
}

/// The view of a connector.
pub(crate) fn view_of(conn: &mut Conn, connector: Connector) -> StoreResult<ConnectorView> {
    with_evse_numbers(conn, vec![connector])?.pop().ok_or(StoreError::NotFound)
}

/// The views of the organization's connectors with these ids, for rows that include them.
pub fn views_of(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[ConnectorId],
) -> StoreResult<BTreeMap<ConnectorId, ConnectorView>> {
    let rows = connectors_of_organization(conn, organization, ids)?;
    Ok(with_evse_numbers(conn, rows)?.into_iter().map(|view| (view.id, view)).collect())
}

/// The views of a station's connectors.
pub(crate) fn views_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Vec<ConnectorView>> {
    let rows = connectors_of_station(conn, station)?;
    with_evse_numbers(conn, rows)
}

/// The views of many stations' connectors, by station.
pub(crate) fn views_by_station(
    conn: &mut Conn,
    stations: &[StationId],
) -> StoreResult<BTreeMap<StationId, Vec<ConnectorView>>> {
    let rows = connectors::table
        .filter(connectors::chargestation_id.eq_any(stations))
        .order((connectors::chargestation_id, connectors::number))
        .select(Connector::as_select())
        .load(conn)?;
    let mut views: BTreeMap<StationId, Vec<ConnectorView>> = BTreeMap::new();
    for view in with_evse_numbers(conn, rows)? {
        views.entry(view.chargestation).or_default().push(view);
    }
    Ok(views)
}

/// The views of the connectors of these stations, whoever owns them, without their rates.
pub fn views_of_stations(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<ConnectorView>> {
    let rows = connectors_of_stations(conn, stations)?;
    let numbers: BTreeMap<EvseId, i32> = evses::numbers(conn, stations)?.into_iter().collect();
    let states = station_states(conn, stations)?;
    let view = |row: Connector| {
        let number = numbers.get(&row.evse_id).copied().unwrap_or(0);
        let station = states.get(&row.chargestation_id).copied().unwrap_or_default();
        ConnectorView::new(row, number, station, None)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// How an EVSE is doing; one without connectors is out of use.
pub fn status_of_evse(conn: &mut Conn, evse: EvseId) -> StoreResult<DetailedStatus> {
    let condition = conditions_of_evses(conn, &[evse])?.remove(&evse);
    Ok(condition.map_or(DetailedStatus::Unavailable, |condition| condition.detailed))
}

/// How each of these EVSEs is doing, where it has connectors.
pub(crate) fn conditions_of_evses(conn: &mut Conn, evses: &[EvseId]) -> StoreResult<BTreeMap<EvseId, Condition>> {
    let rows: Vec<Connector> =
        connectors::table.filter(connectors::evse_id.eq_any(evses)).select(Connector::as_select()).load(conn)?;
    let stations: Vec<StationId> = rows.iter().map(|row| row.chargestation_id).collect();
    let station_states = station_states(conn, &stations)?;
    let condition = |row: &Connector| {
        let station = station_states.get(&row.chargestation_id).copied();
        Condition::of_connector(row.status, row.active, station.unwrap_or_default().operational)
    };
    Ok(evses
        .iter()
        .filter_map(|evse| {
            let own = rows.iter().filter(|row| row.evse_id == *evse);
            Some((*evse, Condition::of_evse(own.map(condition))?))
        })
        .collect())
}

/// Views of these connectors of one organization, each with the number of its EVSE, the status of its station and its rate.
pub(crate) fn with_evse_numbers(conn: &mut Conn, rows: Vec<Connector>) -> StoreResult<Vec<ConnectorView>> {
    let mut stations: Vec<StationId> = rows.iter().map(|row| row.chargestation_id).collect();
    stations.sort_unstable();
    stations.dedup();
    let numbers: BTreeMap<EvseId, i32> = evses::numbers(conn, &stations)?.into_iter().collect();
    let number_of = |evse: EvseId| numbers.get(&evse).copied().unwrap_or(0);
    let station_states = station_states(conn, &stations)?;
    let mut rates = BTreeMap::new();
    if let Some(organization) = rows.first().map(|row| row.organization_id) {
        let ids = rows.iter().filter_map(|row| row.rate);
        rates = rates::views_of(conn, organization, ids)?;
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let number = number_of(row.evse_id);
            let station = station_states.get(&row.chargestation_id).copied();
            let station = station.unwrap_or_default();
            let rate = row.rate.and_then(|rate| rates.get(&rate).cloned());
            ConnectorView::new(row, number, station, rate)
        })
        .collect())
}

pub(crate) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    query: &ListQuery<ConnectorFilter>,
) -> ApiResult<Page<ConnectorView>> {
    let filter = &query.filter;
    let members = filter.group.map(|group| (uses.stations_in_group)(conn, organization, group)).transpose()?;
    let search = query.search.as_deref();
    let of_stations = search.map(|text| Searched::StationsOfConnectors.containing(conn, organization, text));
    let filtered = || {
        let mut rows = connectors::table.filter(connectors::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(connectors::chargestation_id.eq_any(ids_at_any(within.to_vec())));
        }
        if let Some(station) = filter.chargestation {
            rows = rows.filter(connectors::chargestation_id.eq(station));
        }
        if let Some(evse) = filter.evse {
            rows = rows.filter(connectors::evse_id.eq(evse));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(connectors::chargestation_id.eq_any(ids_at(location)));
        }
        if let Some(members) = &members {
            rows = rows.filter(connectors::chargestation_id.eq_any(members));
        }
        if let Some(rate) = filter.rate {
            rows = rows.filter(connectors::rate.eq(rate));
        }
        if let Some(active) = filter.active {
            rows = rows.filter(connectors::active.eq(active));
        }
        if let Some(origin) = filter.created_by {
            rows = rows.filter(connectors::created_by.eq(origin));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(connectors::status.eq(status));
        }
        if let Some(wanted) = filter.operational_status {
            // As `Condition::of_connector` says it of one.
            let stations = |status: OperationalStatus| {
                chargestations::table.filter(chargestations::operational_status.eq(status)).select(chargestations::id)
            };
            let down = [ConnectorStatus::Unavailable, ConnectorStatus::Faulted];
            let closed = connectors::chargestation_id.eq_any(stations(OperationalStatus::Closed));
            let works = connectors::chargestation_id
                .eq_any(stations(OperationalStatus::Operative))
                .and(connectors::active.eq(true))
                .and(not(connectors::status.eq_any(down)));
            rows = match wanted {
                OperationalStatus::Closed => rows.filter(closed),
                OperationalStatus::Operative => rows.filter(works),
                OperationalStatus::Inoperative => rows.filter(not(closed)).filter(not(works)),
            };
        }
        if let Some(kind) = filter.kind {
            rows = rows.filter(connectors::type_.eq(kind));
        }
        if let Some(power_type) = filter.power_type {
            rows = rows.filter(connectors::power_type.eq(power_type));
        }
        if let Some(watts) = filter.minimum_power.and_then(Watts::from_kilowatts) {
            let by_limit = connectors::wattage_limit.ge(watts);
            let by_power = connectors::wattage_limit.is_null().and(connectors::power.ge(watts));
            rows = rows.filter(by_limit.or(by_power.nullable()));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            let own_name = lower(connectors::name).like(pattern.clone()).escape('\\');
            let own_code = lower(connectors::code).like(pattern).escape('\\');
            rows = match &of_stations {
                Some(found) => rows.filter(own_name.or(own_code).or(found().nullable())),
                None => rows.filter(own_name.or(own_code)),
            };
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, connectors, filtered(), {
        "name" => connectors::name,
        "number" => connectors::number,
        "power" => connectors::power,
        "status" => connectors::status,
    });
    let rows: Vec<Connector> = rows.select(Connector::as_select()).load(conn)?;
    Ok(Page { rows: with_evse_numbers(conn, rows)?, total, request: query.page })
}
