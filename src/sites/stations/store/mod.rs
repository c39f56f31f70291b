//! Stations, EVSEs and connectors in the database; every query of an integrator is bounded by the organization.

use crate::store::{Conn, StoreResult};

use super::model::station::{Station, StationView};

pub mod answers;
pub mod connectors;
pub mod dynamic_profiles;
pub mod evses;
pub mod external_limits;
pub mod layout;
pub mod passwords;
pub mod policies;
pub mod pushed;
mod station_states;
pub mod stations;
pub mod statuses;

/// The whole station, as clients and events see it.
pub fn station_view(conn: &mut Conn, station: Station, base: &str) -> StoreResult<StationView> {
    let connectors = connectors::views_of_station(conn, station.id)?;
    Ok(StationView::new(station, connectors, base))
}
