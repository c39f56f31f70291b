//! Stations, EVSEs and connectors in the database; every query of an integrator is bounded by the organization.

use std::collections::BTreeMap;

use super::model::station::{Station, StationView};
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, StationId, Timestamp};

pub(super) mod answers;
pub(super) mod connectors;
pub(super) mod counts;
pub(super) mod dynamic_profiles;
pub(super) mod evses;
pub(super) mod external_limits;
pub(super) mod layout;
pub(super) mod memberships;
pub(super) mod passwords;
pub(super) mod policies;
pub(super) mod public;
pub(super) mod pushed;
mod station_states;
pub(super) mod stations;
pub(super) mod statuses;

/// The whole station, as clients and events see it at `now`; `base` is how the server is reached.
pub fn station_view(conn: &mut Conn, station: Station, base: &str, now: Timestamp) -> StoreResult<StationView> {
    let connectors = connectors::views_of_station(conn, station.id)?;
    let membership = memberships::membership_of(conn, station.id)?;
    Ok(StationView::new(station, (connectors, membership), (base, now)))
}

/// The views of these stations, in their order: as many queries for a page as for one.
pub(super) fn station_views(
    conn: &mut Conn,
    stations: Vec<Station>,
    (base, now): (&str, Timestamp),
) -> StoreResult<Vec<StationView>> {
    let ids: Vec<StationId> = stations.iter().map(|station| station.id).collect();
    let mut connectors = connectors::views_by_station(conn, &ids)?;
    let memberships = memberships::memberships_of(conn, &ids)?;
    let view = |station: Station| {
        let own = connectors.remove(&station.id).unwrap_or_default();
        let membership = memberships.get(&station.id).copied().unwrap_or_default();
        StationView::new(station, (own, membership), (base, now))
    };
    Ok(stations.into_iter().map(view).collect())
}

/// The views of the organization's stations with these ids, for rows that include them.
pub fn views_of(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[StationId],
    (base, now): (&str, Timestamp),
) -> StoreResult<BTreeMap<StationId, StationView>> {
    let found = stations::find_many(conn, organization, ids)?;
    let views = station_views(conn, found, (base, now))?;
    Ok(views.into_iter().map(|view| (view.id, view)).collect())
}
