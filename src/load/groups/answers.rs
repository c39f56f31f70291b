//! What other slices ask of groups and their members.

use diesel::prelude::*;

use crate::each;
use crate::store::schema::{group_connectors, group_stations, load_groups};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, GroupId, LocationId, OrganizationId, StationId, UserId};

/// How many groups there are at a location.
pub fn count_at(conn: &mut Conn, location: LocationId) -> StoreResult<i64> {
    Ok(load_groups::table.filter(load_groups::location_id.eq(location)).count().get_result(conn)?)
}

/// How many groups a home user has.
pub fn count_of_user(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    Ok(load_groups::table.filter(load_groups::user_id.eq(user)).count().get_result(conn)?)
}

/// Whose a group is; none where it is no more.
pub fn owner_of(conn: &mut Conn, group: GroupId) -> StoreResult<Option<OrganizationId>> {
    Ok(load_groups::table.find(group).select(load_groups::organization_id).first(conn).optional()?)
}

/// The group that a station is in.
pub fn group_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Option<GroupId>> {
    Ok(each!(conn, |conn| group_stations::table
        .filter(group_stations::chargestation_id.eq(station))
        .select(group_stations::group_id)
        .first(conn))
    .optional()?)
}

/// Where the group is that a station is in.
pub fn location_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Option<LocationId>> {
    Ok(group_stations::table
        .inner_join(load_groups::table.on(load_groups::id.eq(group_stations::group_id)))
        .filter(group_stations::chargestation_id.eq(station))
        .select(load_groups::location_id)
        .first(conn)
        .optional()?)
}

/// Whether a station is in a group, so that balancing decides what its connectors may draw.
pub fn is_member(conn: &mut Conn, station: StationId) -> StoreResult<bool> {
    Ok(group_of_station(conn, station)?.is_some())
}

/// Whether a connector is in a group.
pub fn is_connector_member(conn: &mut Conn, connector: ConnectorId) -> StoreResult<bool> {
    let members: i64 =
        group_connectors::table.filter(group_connectors::connector_id.eq(connector)).count().get_result(conn)?;
    Ok(members > 0)
}

/// Levels that are looked at, from a group down; groups nest no deeper.
const LEVELS: usize = 10;

/// The stations of one of the organization's groups and of all groups below it; none where there is no such group.
pub fn stations_in_group(conn: &mut Conn, organization: OrganizationId, group: GroupId) -> StoreResult<Vec<StationId>> {
    let own = || load_groups::table.filter(load_groups::organization_id.eq(organization));
    let mut level: Vec<GroupId> = own().filter(load_groups::id.eq(group)).select(load_groups::id).load(conn)?;
    let mut all = Vec::new();
    for _ in 0..LEVELS {
        if level.is_empty() {
            break;
        }
        let below = own().filter(load_groups::parent_id.eq_any(&level)).select(load_groups::id).load(conn)?;
        all.extend(std::mem::replace(&mut level, below));
    }
    Ok(group_stations::table
        .filter(group_stations::group_id.eq_any(all))
        .select(group_stations::chargestation_id)
        .load(conn)?)
}
