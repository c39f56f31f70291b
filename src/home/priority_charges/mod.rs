//! Priority charges: a home user, or the operator, lets a group charge although its exclusion times say no.
//!
//! One applies to every session of its group: at once where a car charges or waits, else from when one is plugged in. It ends
//! with the last of these sessions, on request, or when its time is over. It never lifts a limit. A request is approved,
//! denied or fails for a reason, and is kept either way.

mod api;
mod life_cycle;
mod model;
pub mod retention;
mod store;
mod uses;

pub use api::routes;
pub use life_cycle::{ask, end, end_on_request, expire, open_of, session_ended, session_started, untils};
pub use model::{NewPriorityCharge, PriorityChargeView};
pub use uses::Uses;
