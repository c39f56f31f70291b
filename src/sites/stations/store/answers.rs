//! What other slices ask of stations, EVSEs and connectors: facts of some of them, and selections of ids for their own
//! queries.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::auto_type;
use diesel::prelude::*;

use crate::each;
use crate::http::fields::CustomFields;
use crate::sites::locations;
use crate::sites::stations::model::condition::ConnectorStatus;
use crate::sites::stations::model::connector::PowerType;
use crate::store::schema::{chargestations, connectors, evses};
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// EVSEs that are looked up in one query.
const AT_ONCE: usize = 500;

/// Selects the stations at a location.
#[auto_type]
pub fn ids_at(location: LocationId) -> _ {
    chargestations::table.filter(chargestations::location_id.eq(location)).select(chargestations::id)
}

/// Selects the stations at any of these locations.
#[auto_type]
pub fn ids_at_any(locations: Vec<LocationId>) -> _ {
    chargestations::table.filter(chargestations::location_id.eq_any(locations)).select(chargestations::id)
}

/// Selects the EVSEs with a connector of this kind of power.
#[auto_type]
pub fn evses_of_power_type(power_type: PowerType) -> _ {
    connectors::table.filter(connectors::power_type.eq(power_type)).select(connectors::evse_id)
}

/// Selects the EVSEs with a connector of at least this power.
#[auto_type]
pub fn evses_giving(least: Watts) -> _ {
    connectors::table.filter(connectors::power.ge(least)).select(connectors::evse_id)
}

/// Selects the EVSEs with a connector of more than this power.
#[auto_type]
pub fn evses_giving_more(than: Watts) -> _ {
    connectors::table.filter(connectors::power.gt(than)).select(connectors::evse_id)
}

/// How many stations there are at a location.
pub fn count_at(conn: &mut Conn, location: LocationId) -> StoreResult<i64> {
    Ok(chargestations::table.filter(chargestations::location_id.eq(location)).count().get_result(conn)?)
}

/// How many connectors are priced by a rate, or a schedule of rates.
pub fn count_priced_by(conn: &mut Conn, rate: RateId) -> StoreResult<i64> {
    Ok(connectors::table.filter(connectors::rate.eq(rate)).count().get_result(conn)?)
}

/// The rates, and schedules of rates, that price connectors at a location.
pub fn rates_at(conn: &mut Conn, organization: OrganizationId, location: LocationId) -> StoreResult<Vec<RateId>> {
    Ok(connectors::table
        .filter(connectors::organization_id.eq(organization))
        .filter(connectors::chargestation_id.eq_any(ids_at(location)))
        .filter(connectors::rate.is_not_null())
        .select(connectors::rate.assume_not_null())
        .distinct()
        .load(conn)?)
}

/// Where each of these stations stands.
pub fn locations_of(conn: &mut Conn, stations: &[StationId]) -> StoreResult<BTreeMap<StationId, Option<LocationId>>> {
    let found: Vec<(StationId, Option<LocationId>)> = chargestations::table
        .filter(chargestations::id.eq_any(stations))
        .select((chargestations::id, chargestations::location_id))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Of those of some ids that are of stations, EVSEs or connectors: the station.
pub fn stations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(RawId, StationId)>> {
    let own: Vec<StationId> = chargestations::table
        .filter(chargestations::id.eq_any(ids.iter().copied().map(StationId::from)))
        .select(chargestations::id)
        .load(conn)?;
    let of_evses: Vec<(EvseId, StationId)> = evses::table
        .filter(evses::id.eq_any(ids.iter().copied().map(EvseId::from)))
        .select((evses::id, evses::chargestation_id))
        .load(conn)?;
    let of_connectors: Vec<(ConnectorId, StationId)> = connectors::table
        .filter(connectors::id.eq_any(ids.iter().copied().map(ConnectorId::from)))
        .select((connectors::id, connectors::chargestation_id))
        .load(conn)?;
    let mut found: Vec<(RawId, StationId)> = own.into_iter().map(|id| (id.raw(), id)).collect();
    found.extend(of_evses.into_iter().map(|(id, station)| (id.raw(), station)));
    found.extend(of_connectors.into_iter().map(|(id, station)| (id.raw(), station)));
    Ok(found)
}

/// What these stations are called: their names, else their codes, else their endpoints.
pub fn names_of(conn: &mut Conn, stations: &[StationId]) -> StoreResult<BTreeMap<StationId, String>> {
    type Row = (StationId, Option<String>, Option<String>, String);
    let found: Vec<Row> = chargestations::table
        .filter(chargestations::id.eq_any(stations))
        .select((chargestations::id, chargestations::name, chargestations::code, chargestations::endpoint))
        .load(conn)?;
    Ok(found.into_iter().map(|(id, name, code, endpoint)| (id, name.or(code).unwrap_or(endpoint))).collect())
}

/// When a station booted last, as far as that is known.
pub fn booted_at(conn: &mut Conn, station: StationId) -> StoreResult<Option<Timestamp>> {
    Ok(each!(conn, |conn| chargestations::table.find(station).select(chargestations::last_boot_at).first(conn))?)
}

/// Whether a station is connected, and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// Whether it is connected.
    pub online: bool,
    /// When its connection ended last.
    pub left_at: Option<Timestamp>,
    /// When it was heard last.
    pub heard_at: Option<Timestamp>,
}

/// Whether a station is connected, and when it was.
pub fn presence_of(conn: &mut Conn, station: StationId) -> StoreResult<Presence> {
    let (online, left_at, heard_at) = chargestations::table
        .find(station)
        .select((chargestations::online, chargestations::last_disconnect_at, chargestations::last_message_at))
        .first(conn)?;
    Ok(Presence { online, left_at, heard_at })
}

/// What the price at a connector depends on.
#[derive(Debug, Clone)]
pub struct PriceTerms {
    /// Its EVSE.
    pub evse: EvseId,
    /// Its rate or schedule of rates.
    pub rate: Option<RateId>,
    /// The custom fields of the connector, and of its EVSE.
    pub custom_fields: [CustomFields; 2],
    /// The time zone of its location.
    pub zone: TimeZone,
}

/// What the price at a connector depends on.
pub fn price_terms(conn: &mut Conn, connector: ConnectorId) -> StoreResult<PriceTerms> {
    type Row = (EvseId, Option<RateId>, Json<CustomFields>, Json<CustomFields>, Option<LocationId>);
    let (evse, rate, own, of_evse, location): Row = each!(conn, |conn| connectors::table
        .inner_join(evses::table.on(evses::id.eq(connectors::evse_id)))
        .inner_join(chargestations::table.on(chargestations::id.eq(connectors::chargestation_id)))
        .filter(connectors::id.eq(connector))
        .select((
            connectors::evse_id,
            connectors::rate,
            connectors::custom_fields,
            evses::custom_fields,
            chargestations::location_id,
        ))
        .first(conn))?;
    let zone = match location {
        Some(location) => locations::time_zone_of(conn, location)?,
        None => TimeZone::default(),
    };
    Ok(PriceTerms { evse, rate, custom_fields: [own.0, of_evse.0], zone })
}

/// The power that a connector is made for; none where it is no more.
pub fn rating_of(conn: &mut Conn, connector: ConnectorId) -> StoreResult<Option<Watts>> {
    Ok(each!(conn, |conn| connectors::table.find(connector).select(connectors::power).first(conn)).optional()?)
}

/// How a connector is doing, and when that was heard last.
pub fn status_of(conn: &mut Conn, connector: ConnectorId) -> StoreResult<(ConnectorStatus, Option<Timestamp>)> {
    Ok(connectors::table.find(connector).select((connectors::status, connectors::status_heard_at)).first(conn)?)
}

/// Whose a connector is; none where it is no more.
pub fn owner_of_connector(conn: &mut Conn, connector: ConnectorId) -> StoreResult<Option<OrganizationId>> {
    Ok(connectors::table.find(connector).select(connectors::organization_id).first(conn).optional()?)
}

/// When the oldest connector was created, before which nothing was measured.
pub fn oldest_connector(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(connectors::table.order(connectors::id).select(connectors::created_at).first(conn).optional()?)
}

/// The kind of power and the power of the strongest connector of each of these EVSEs.
pub fn strongest_outlets(conn: &mut Conn, ids: &[EvseId]) -> StoreResult<BTreeMap<EvseId, (PowerType, Watts)>> {
    let outlets: Vec<(EvseId, PowerType, Watts)> = connectors::table
        .filter(connectors::evse_id.eq_any(ids))
        .order(connectors::power)
        .select((connectors::evse_id, connectors::power_type, connectors::power))
        .load(conn)?;
    // In the order of their power, so that the strongest connector of an EVSE stays.
    Ok(outlets.into_iter().map(|(evse, power_type, power)| (evse, (power_type, power))).collect())
}

/// Those of these EVSEs that the organization has, each with its id for roaming.
pub fn contract_ids(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[EvseId],
) -> StoreResult<BTreeMap<EvseId, Option<String>>> {
    let known: Vec<(EvseId, Option<String>)> = evses::table
        .filter(evses::organization_id.eq(organization))
        .filter(evses::id.eq_any(ids))
        .select((evses::id, evses::evse_id))
        .load(conn)?;
    Ok(known.into_iter().collect())
}

/// The stations of these EVSEs, and whose they are.
pub fn stations_of_evses(conn: &mut Conn, ids: &[EvseId]) -> StoreResult<BTreeSet<(OrganizationId, StationId)>> {
    let mut stations = BTreeSet::new();
    for some in ids.chunks(AT_ONCE) {
        let found: Vec<(OrganizationId, StationId)> = evses::table
            .filter(evses::id.eq_any(some))
            .select((evses::organization_id, evses::chargestation_id))
            .distinct()
            .load(conn)?;
        stations.extend(found);
    }
    Ok(stations)
}
