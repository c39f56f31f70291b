//! Charging profiles (Tridens): schedules of limits that are attached to EVSEs.
//!
//! Of the profiles that apply to an EVSE at an instant, the one with the highest stack level counts. Where balancing
//! steers a connector, it takes the limit as one more maximum; elsewhere the station gets the coming day as one
//! schedule, on a level that every limit of balancing outranks. So a profile lowers what may be drawn and never raises it.

mod api;
mod model;
mod push;
mod schedule;
mod store;

pub use api::routes;
pub use push::{limits_at, push, refresh};
