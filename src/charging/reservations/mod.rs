//! Reservations: connectors that are kept for somebody for a short while.
//!
//! Connectors of an EVSE that cannot be used at the same time are kept together, others alone. A station knows each
//! kept connector by a number of ours. A reservation ends when its holder starts to charge, when its time is over, or
//! when it is cancelled.

mod api;
mod includes;
mod life_cycle;
mod model;
pub mod retention;
mod store;
mod uses;

pub use api::routes;
pub use includes::{ChargingIncludes, ServerNow};
pub use life_cycle::{Beginning, expire, is_kept_for_another, take_up};
pub use model::{Reservation, ReservationStatus, ReservationView};
pub use store::{count_open, skip_numbers, stations_of};
pub use uses::Uses;
