//! Where everything is that belongs to a location; here, because it asks slices of every wing.

use std::collections::BTreeMap;

use crate::charging::{reservations, sessions};
use crate::control::actions;
use crate::load::{assets, groups};
use crate::sites::{locations, stations};
use crate::store::{Conn, StoreResult};
use kernel::{LocationId, RawId, StationId};

/// See [`Whereabouts`](crate::http::Whereabouts).
pub(super) fn whereabouts(conn: &mut Conn, ids: &[RawId]) -> StoreResult<BTreeMap<RawId, Option<LocationId>>> {
    let mut at_stations = stations::stations_of(conn, ids)?;
    at_stations.extend(sessions::stations_of(conn, ids)?);
    at_stations.extend(reservations::stations_of(conn, ids)?);
    at_stations.extend(actions::stations_of(conn, ids)?);
    let of_stations: Vec<StationId> = at_stations.iter().map(|(_, station)| *station).collect();
    let of_stations = stations::locations_of(conn, &of_stations)?;
    let placed = at_stations.into_iter().map(|(id, station)| (id, of_stations.get(&station).copied().flatten()));
    let mut found: BTreeMap<RawId, Option<LocationId>> = placed.collect();
    found.extend(locations::known(conn, ids)?.into_iter().map(|id| (id.raw(), Some(id))));
    found.extend(groups::locations_of(conn, ids)?.into_iter().map(|(id, at)| (id.raw(), Some(at))));
    found.extend(assets::locations_of(conn, ids)?.into_iter().map(|(id, at)| (id.raw(), Some(at))));
    Ok(found)
}
