//! Locations: places with charge stations (eDRV location, Tridens charging area).
//!
//! A location gives its stations an address, coordinates, a time zone and opening hours, and groups their voltage and
//! whether balancing counts power or current. One that still has stations, groups or assets cannot be deleted.

mod api;
mod hours;
mod model;
mod store;
mod uses;

pub use api::routes;
pub use model::{Coordinates, Location, LocationView};
pub use store::{
    card_rules, common_time_zone, coordinates_of, find, find_many, ids_within, known, names_and_zones, require,
    time_zone_of, views_of, with_hours,
};
pub use uses::Uses;
