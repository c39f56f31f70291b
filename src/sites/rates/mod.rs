//! Rates: what charging costs (eDRV's rates and its day-and-night schedules).
//!
//! A rate has prices of up to four kinds; a schedule says which rate holds in which hours, and for which custom fields of
//! an EVSE or connector. Either is attached to a connector. A session keeps the prices of the instant at which it started,
//! so that a rate may change at any time.

mod api;
mod model;
mod schedule;
mod store;
mod uses;

pub use api::routes;
pub use model::{Rate, RateView};
pub use schedule::{AnyRateView, RateSchedule};
pub use store::{Priced, require, tariff_of, views_of};
pub use uses::Uses;
