//! Which stations are in a load-management group, for the filters of lists: the groups themselves are a slice above.

use diesel::prelude::*;

use crate::store::schema::{group_stations, load_groups};
use crate::store::{Conn, StoreResult};
use kernel::{GroupId, OrganizationId, StationId};

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
