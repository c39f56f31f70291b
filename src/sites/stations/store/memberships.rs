//! In which load-management group stations are, and whether they keep its limits, as balancing wrote it down: what lists show of a
//! page of stations, and filter all of them by.

use std::collections::BTreeMap;

use diesel::dsl::auto_type;
use diesel::prelude::*;

use crate::each;
use crate::sites::stations::model::station::Membership;
use crate::store::schema::{balancing_members, group_stations};
use crate::store::{Conn, StoreResult};
use kernel::{GroupId, StationId};

/// Selects the stations with a connector that does, or does not, keep its limits.
#[auto_type]
pub fn with_member_that(keeps_limits: bool) -> _ {
    balancing_members::table
        .filter(balancing_members::obeying.eq(keeps_limits))
        .select(balancing_members::chargestation_id.assume_not_null())
}

/// Selects the stations that are in a group.
#[auto_type]
pub(super) fn in_groups() -> _ {
    group_stations::table.select(group_stations::chargestation_id)
}

/// One connector that does not obey makes its station one that does not.
fn all_obey(members: impl Iterator<Item = bool>) -> Option<bool> {
    members.reduce(|all, one| all && one)
}

/// What load management says of a station.
pub(super) fn membership_of(conn: &mut Conn, station: StationId) -> StoreResult<Membership> {
    let group: Option<GroupId> = each!(conn, |conn| group_stations::table
        .filter(group_stations::chargestation_id.eq(station))
        .select(group_stations::group_id)
        .first(conn))
    .optional()?;
    if group.is_none() {
        return Ok(Membership::default());
    }
    let members: Vec<Option<bool>> = each!(conn, |conn| balancing_members::table
        .filter(balancing_members::chargestation_id.eq(station))
        .select(balancing_members::obeying)
        .load(conn))?;
    Ok(Membership { group, obeying: all_obey(members.into_iter().flatten()) })
}

/// The same of many in two queries; those in no group are left out.
pub(super) fn memberships_of(conn: &mut Conn, stations: &[StationId]) -> StoreResult<BTreeMap<StationId, Membership>> {
    let groups: Vec<(StationId, GroupId)> = group_stations::table
        .filter(group_stations::chargestation_id.eq_any(stations))
        .select((group_stations::chargestation_id, group_stations::group_id))
        .load(conn)?;
    let members: Vec<(StationId, bool)> = balancing_members::table
        .filter(balancing_members::chargestation_id.eq_any(stations))
        .filter(balancing_members::obeying.is_not_null())
        .select((balancing_members::chargestation_id.assume_not_null(), balancing_members::obeying.assume_not_null()))
        .load(conn)?;
    let mut obeying: BTreeMap<StationId, Vec<bool>> = BTreeMap::new();
    for (station, obeys) in members {
        obeying.entry(station).or_default().push(obeys);
    }
    let membership = |(station, group): (StationId, GroupId)| {
        let members = obeying.get(&station).into_iter().flatten().copied();
        (station, Membership { group: Some(group), obeying: all_obey(members) })
    };
    Ok(groups.into_iter().map(membership).collect())
}

#[cfg(test)]
mod tests {
    use super::all_obey;

    #[test]
    fn a_station_obeys_where_all_of_it_does_as_far_as_that_is_known() {
        assert_eq!(all_obey([].into_iter()), None);
        assert_eq!(all_obey([true, true].into_iter()), Some(true));
        assert_eq!(all_obey([true, false].into_iter()), Some(false));
        assert_eq!(all_obey([false].into_iter()), Some(false));
    }
}
