//! Stations, EVSEs and connectors in the database; every query of an integrator is bounded by the organization.

use crate::store::{Conn, StoreResult};

use super::model::station::{Station, StationView};

pub(super) mod answers;
pub(super) mod connectors;
pub(super) mod dynamic_profiles;
pub(super) mod evses;
pub(super) mod external_limits;
pub(super) mod layout;
pub(super) mod passwords;
pub(super) mod policies;
pub(super) mod public;
pub(super) mod pushed;
mod station_states;
pub(super) mod stations;
pub(super) mod statuses;

/// The whole station, as clients and events see it.
pub fn station_view(conn: &mut Conn, station: Station, base: &str) -> StoreResult<StationView> {
    let connectors = connectors::views_of_station(conn, station.id)?;
    Ok(StationView::new(station, connectors, base))
}
