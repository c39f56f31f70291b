//! Locations: places with charge stations (eDRV location, Tridens charging area).
//!
//! A location gives its stations an address, coordinates, a time zone and opening hours, and groups their voltage and
//! whether balancing counts power or current. One that still has stations, groups or assets cannot be deleted.

mod api;
mod hours;
mod model;
mod store;

pub use api::routes;
pub use model::{Address, Coordinates, Location, LocationView};
pub use store::{common_time_zone, find, require, with_hours};
