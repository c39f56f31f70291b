//! EVSEs in the database.

use std::collections::BTreeMap;

use diesel::dsl::not;
use diesel::prelude::*;

use super::layout::note_change;
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::sites::locations::{self, Coordinates};
use crate::sites::stations::model::condition::{ConnectorStatus, DetailedStatus};
use crate::sites::stations::model::connector::CurrentType;
use crate::sites::stations::model::evse::{Evse, EvseFilter, NewEvse, StationPlace, folded_contract_id};
use crate::sites::stations::model::number::first_free;
use crate::sites::stations::model::station::{OperationalStatus, Station};
use crate::sites::stations::store::answers::{ids_at, ids_at_any};
use crate::sites::stations::store::station_states::station_states;
use crate::sites::stations::uses::Uses;
use crate::store::query::{contains, lower, replace};
use crate::store::schema::{chargestations, connectors, evses};
use crate::store::{Conn, StoreResult};
use kernel::{EvseId, LocationId, Moment, OrganizationId, Page, StationId, Timestamp};

pub(crate) fn insert(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    let taken: i64 = evses::table
        .filter(evses::chargestation_id.eq(evse.chargestation_id).and(evses::number.eq(evse.number)))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(ApiError::field("number", "already_exists", "the station already has an EVSE of this number"));
    }
    require_free_code(conn, evse)?;
    require_free_contract_id(conn, evse)?;
    diesel::insert_into(evses::table).values(evse).execute(conn)?;
    note_change(evse.chargestation_id);
    Ok(())
}

/// Another EVSE with the code of this one is a fault of that field: a QR code leads to one EVSE of the server.
pub(crate) fn require_free_code(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    let taken: i64 =
        evses::table.filter(evses::code.eq(&evse.code)).filter(evses::id.ne(evse.id)).count().get_result(conn)?;
    match taken {
        0 => Ok(()),
        _ => Err(ApiError::field("code", "already_exists", "another EVSE has this code; codes are unique on a server")),
    }
}

/// Another EVSE of the organization with the `evse_id` of this one is a fault of that field: partners know an EVSE by it alone.
fn require_free_contract_id(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    let Some(id) = &evse.evse_id else {
        return Ok(());
    };
    let bare = |text: &str| text.replace(['*', '+'], "");
    let stars = replace(evses::evse_id, "*", "");
    let alike: Vec<Option<String>> = evses::table
        .filter(evses::organization_id.eq(evse.organization_id))
        .filter(evses::id.ne(evse.id))
        .filter(replace(stars, "+", "").eq(bare(id)))
        .select(evses::evse_id)
        .load(conn)?;
    let mut others = alike.iter().flatten();
    if others.any(|other| folded_contract_id(other) == folded_contract_id(id)) {
        return Err(ApiError::field(
            "evse_id",
            "already_exists",
            "another EVSE of your organization has this evse_id; separators make no difference",
        ));
    }
    Ok(())
}

/// EVSEs that a published service offer prices keep what partners know of them. `what` says in a sentence what they would lose.
pub(crate) fn require_not_offered(
    conn: &mut Conn,
    uses: &Uses,
    evses: &[EvseId],
    now: Timestamp,
    what: &str,
) -> ApiResult<()> {
    match (uses.offer_showing)(conn, evses, now)? {
        None => Ok(()),
        Some((id, name)) => Err(ApiError::conflict(format!(
            "{what}, and the service offer \"{name}\" shows it to partners: cancel the offer first (POST /v1.1/service_offers/{id}/cancel), \
             and do this when it is over"
        ))),
    }
}

/// The EVSEs of a station.
pub(crate) fn evses_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Vec<EvseId>> {
    Ok(evses::table.filter(evses::chargestation_id.eq(station)).select(evses::id).load(conn)?)
}

/// The EVSE of this number at a station, which is made where there is none.
pub(crate) fn find_or_insert(
    conn: &mut Conn,
    station: &Station,
    number: i32,
    electric_current_type: CurrentType,
    moment: &Moment,
) -> ApiResult<EvseId> {
    let numbers = numbers(conn, &[station.id])?;
    if let Some((id, _)) = numbers.iter().find(|(_, taken)| *taken == number) {
        return Ok(*id);
    }
    let template = NewEvse { electric_current_type: Some(electric_current_type), ..NewEvse::default() };
    let evse = Evse::new(template, station.organization_id, station.id, number, moment);
    insert(conn, &evse)?;
    Ok(evse.id)
}

pub fn find(conn: &mut Conn, organization: OrganizationId, id: EvseId) -> StoreResult<Evse> {
    Ok(evses::table
        .filter(evses::organization_id.eq(organization).and(evses::id.eq(id)))
        .select(Evse::as_select())
        .first(conn)?)
}

/// The next free number of an EVSE of this station.
pub(crate) fn next_number(conn: &mut Conn, station: StationId) -> StoreResult<i32> {
    let taken = evses::table.filter(evses::chargestation_id.eq(station)).select(evses::number).load(conn)?;
    Ok(first_free(taken))
}

/// The number of each EVSE of these stations.
pub(crate) fn numbers(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<(EvseId, i32)>> {
    let numbers = evses::table.select((evses::id, evses::number));
    match stations {
        [station] => Ok(each!(conn, |conn| numbers.filter(evses::chargestation_id.eq(station)).load(conn))?), // prepared once, as no list is
        _ => Ok(numbers.filter(evses::chargestation_id.eq_any(stations)).load(conn)?),
    }
}

pub(crate) fn update(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    require_free_contract_id(conn, evse)?;
    diesel::update(evses::table.find(evse.id)).set(evse).execute(conn)?;
    note_change(evse.chargestation_id);
    Ok(())
}

/// Deletes an EVSE, unless it still has connectors.
pub(crate) fn delete(conn: &mut Conn, uses: &Uses, evse: &Evse) -> ApiResult<()> {
    let connectors: i64 = connectors::table.filter(connectors::evse_id.eq(evse.id)).count().get_result(conn)?;
    if connectors > 0 {
        return Err(ApiError::in_use(format!("The EVSE still has {connectors} connector(s)")));
    }
    if (uses.are_in_network)(conn, &[evse.id])? {
        return Err(ApiError::in_use("The EVSE is in a group of an EVSE network"));
    }
    diesel::delete(evses::table.find(evse.id)).execute(conn)?;
    note_change(evse.chargestation_id);
    Ok(())
}

pub(crate) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<EvseFilter>,
) -> ApiResult<Page<Evse>> {
    let filtered = || {
        let mut rows = evses::table.filter(evses::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(evses::chargestation_id.eq_any(ids_at_any(within.to_vec())));
        }
        if let Some(station) = query.filter.chargestation {
            rows = rows.filter(evses::chargestation_id.eq(station));
        }
        if let Some(location) = query.filter.location {
            rows = rows.filter(evses::chargestation_id.eq_any(ids_at(location)));
        }
        if let Some(status) = query.filter.status {
            let closed = chargestations::table
                .filter(chargestations::operational_status.eq(OperationalStatus::Closed))
                .select(chargestations::id);
            let closed = evses::chargestation_id.eq_any(closed);
            let plugs = || connectors::table.select(connectors::evse_id);
            let doing =
                |these: Vec<ConnectorStatus>| evses::id.eq_any(plugs().filter(connectors::status.eq_any(these)));
            rows = match status.of_evse() {
                None => rows.filter(closed).filter(evses::id.eq_any(plugs())),
                Some((this, before)) => {
                    let so = not(closed).and(doing(vec![this])).and(not(doing(before)));
                    let bare = not(evses::id.eq_any(plugs()));
                    match status {
                        DetailedStatus::Unavailable => rows.filter(so.or(bare)),
                        _ => rows.filter(so),
                    }
                }
            };
        }
        if let Some(reservable) = query.filter.reservable {
            rows = rows.filter(evses::reservable.eq(reservable));
        }
        if let Some(roaming) = query.filter.roaming {
            rows = rows.filter(evses::roaming.eq(roaming));
        }
        if let Some(kind) = query.filter.electric_current_type {
            rows = rows.filter(evses::electric_current_type.eq(kind));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(evses::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(evses::code.nullable()).like(pattern.clone()).escape('\\'))
                    .or(lower(evses::evse_id).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, evses, filtered(), {
        "name" => evses::name,
        "code" => evses::code,
        "number" => evses::number,
    });
    Ok(Page { rows: rows.select(Evse::as_select()).load(conn)?, total, request: query.page })
}

/// Where these stations stand, and how they are doing.
pub(crate) fn places(conn: &mut Conn, stations: &[StationId]) -> StoreResult<BTreeMap<StationId, StationPlace>> {
    type Row = (StationId, Option<LocationId>, Option<f64>, Option<f64>);
    let rows: Vec<Row> = chargestations::table
        .filter(chargestations::id.eq_any(stations))
        .select((chargestations::id, chargestations::location_id, chargestations::longitude, chargestations::latitude))
        .load(conn)?;
    let at: Vec<LocationId> = rows.iter().filter_map(|row| row.1).collect();
    let known = locations::coordinates_of(conn, &at)?;
    let of_location = |id: Option<LocationId>| known.get(&id?).copied();
    let station_states = station_states(conn, stations)?;
    let place = |(station, location, longitude, latitude): Row| {
        let exact = longitude.zip(latitude).map(|(longitude, latitude)| Coordinates { longitude, latitude });
        let coordinates = exact.or_else(|| of_location(location));
        let station_state = station_states.get(&station).copied().unwrap_or_default();
        let place = StationPlace { location, coordinates, station_state };
        (station, place)
    };
    Ok(rows.into_iter().map(place).collect())
}
