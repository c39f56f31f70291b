//! Locations in the database; every query of an integrator is bounded by the organization.

use std::collections::BTreeMap;

use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::model::{Coordinates, Location, LocationFilter, LocationView};
use super::uses::Uses;
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::people::organizations::{ConcurrentCards, UnknownCards};
use crate::store::query::{contains, lower};
use crate::store::schema::locations;
use crate::store::{Conn, StoreResult};
use kernel::{LocationId, OrganizationId, Page, RawId, TimeZone};

pub(super) fn insert(conn: &mut Conn, location: &Location) -> StoreResult<()> {
    diesel::insert_into(locations::table).values(location).execute(conn)?;
    Ok(())
}

/// The organization's location with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: LocationId) -> StoreResult<Location> {
    Ok(locations::table
        .filter(locations::organization_id.eq(organization).and(locations::id.eq(id)))
        .select(Location::as_select())
        .first(conn)?)
}

/// The same for a reference in a body: an unknown id is a fault of that field.
pub fn require(conn: &mut Conn, organization: OrganizationId, id: LocationId, field: &str) -> ApiResult<Location> {
    match find(conn, organization, id) {
        Err(crate::store::StoreError::NotFound) => {
            Err(ApiError::field(field, "not_found", "there is no such location in your organization"))
        }
        other => Ok(other?),
    }
}

/// Those of these locations that exist.
pub fn find_many(conn: &mut Conn, ids: &[LocationId]) -> StoreResult<BTreeMap<LocationId, Location>> {
    let found: Vec<Location> =
        locations::table.filter(locations::id.eq_any(ids)).select(Location::as_select()).load(conn)?;
    Ok(found.into_iter().map(|location| (location.id, location)).collect())
}

/// Those of some ids that are of locations.
pub fn known(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<LocationId>> {
    let ids = ids.iter().copied().map(LocationId::from);
    Ok(locations::table.filter(locations::id.eq_any(ids)).select(locations::id).load(conn)?)
}

/// The views of the organization's locations with these ids, for rows that include them.
pub fn views_of(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[LocationId],
) -> StoreResult<BTreeMap<LocationId, LocationView>> {
    let found = find_many(conn, ids)?.into_iter().filter(|(_, location)| location.organization_id == organization);
    Ok(found.map(|(id, location)| (id, location.into())).collect())
}

/// Where these locations are.
pub fn coordinates_of(conn: &mut Conn, ids: &[LocationId]) -> StoreResult<BTreeMap<LocationId, Coordinates>> {
    let found: Vec<(LocationId, f64, f64)> = locations::table
        .filter(locations::id.eq_any(ids))
        .select((locations::id, locations::longitude, locations::latitude))
        .load(conn)?;
    Ok(found.into_iter().map(|(id, longitude, latitude)| (id, Coordinates { longitude, latitude })).collect())
}

/// Selects the locations between these degrees.
#[auto_type]
pub fn ids_within(longitudes: (f64, f64), latitudes: (f64, f64)) -> _ {
    let (west, east): (f64, f64) = longitudes;
    let (south, north): (f64, f64) = latitudes;
    let across = locations::longitude.between(west, east);
    let along = locations::latitude.between(south, north);
    locations::table.filter(across).filter(along).select(locations::id)
}

/// What each of these locations is called, by its operator where it has no name, and its time zone.
pub fn names_and_zones(conn: &mut Conn, ids: &[LocationId]) -> StoreResult<BTreeMap<LocationId, (String, TimeZone)>> {
    let found: Vec<(LocationId, Option<String>, String, String)> = locations::table
        .filter(locations::id.eq_any(ids))
        .select((locations::id, locations::name, locations::operator_name, locations::timezone))
        .load(conn)?;
    let named = |(id, name, operator, zone): (LocationId, Option<String>, String, String)| {
        (id, (name.unwrap_or(operator), zone.parse().unwrap_or_default()))
    };
    Ok(found.into_iter().map(named).collect())
}

/// The time zone of a location.
pub fn time_zone_of(conn: &mut Conn, id: LocationId) -> StoreResult<TimeZone> {
    let zone: String = each!(conn, |conn| locations::table.find(id).select(locations::timezone).first(conn))?;
    Ok(zone.parse().unwrap_or_default())
}

/// What a location itself says of cards that no token knows, and of those that are in use elsewhere.
pub fn card_rules(conn: &mut Conn, id: LocationId) -> StoreResult<(Option<UnknownCards>, Option<ConcurrentCards>)> {
    Ok(each!(conn, |conn| locations::table
        .find(id)
        .select((locations::unknown_cards, locations::concurrent_cards))
        .first(conn))?)
}

/// Every location that is not always open.
pub fn with_hours(conn: &mut Conn) -> StoreResult<Vec<Location>> {
    let mut rows: Vec<Location> =
        locations::table.filter(locations::active.eq(true)).select(Location::as_select()).load(conn)?;
    rows.retain(|location| !location.opening_hours.0.0.is_empty());
    Ok(rows)
}

/// The time zone of all of an organization's locations, where they have the same one; else UTC.
pub fn common_time_zone(conn: &mut Conn, organization: OrganizationId) -> StoreResult<TimeZone> {
    let zones: Vec<String> = locations::table
        .filter(locations::organization_id.eq(organization))
        .select(locations::timezone)
        .distinct()
        .limit(2)
        .load(conn)?;
    Ok(match zones.as_slice() {
        [zone] => zone.parse().unwrap_or_default(),
        _ => TimeZone::default(),
    })
}

pub(super) fn update(conn: &mut Conn, location: &Location) -> StoreResult<()> {
    diesel::update(locations::table.find(location.id)).set(location).execute(conn)?;
    Ok(())
}

/// Deletes it, unless something still stands there.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, location: &Location) -> ApiResult<()> {
    let stations = (uses.stations)(conn, location.id)?;
    let groups = (uses.groups)(conn, location.id)?;
    let assets = (uses.assets)(conn, location.id)?;
    if stations + groups + assets > 0 {
        return Err(ApiError::in_use(format!(
            "The location still has {stations} charge station(s), {groups} group(s) and {assets} asset(s)"
        )));
    }
    diesel::delete(locations::table.find(location.id)).execute(conn)?;
    Ok(())
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<LocationFilter>,
) -> ApiResult<Page<Location>> {
    let filtered = || {
        let mut rows = locations::table.filter(locations::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(locations::id.eq_any(within));
        }
        if let Some(active) = query.filter.active {
            rows = rows.filter(locations::active.eq(active));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(locations::operator_name.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(locations::name).like(pattern.clone()).escape('\\'))
                    .or(lower(locations::code).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, locations, filtered(), {
        "operatorName" => locations::operator_name,
        "name" => locations::name,
        "code" => locations::code,
    });
    Ok(Page { rows: rows.select(Location::as_select()).load(conn)?, total, request: query.page })
}
