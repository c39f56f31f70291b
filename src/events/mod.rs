//! The log of events: what changed, in order, written in the same transaction as the change itself.
//!
//! Webhooks, streams and `GET /v1.1/events` read it by cursor, so nothing that was committed is ever untold.

mod api;
mod store;

pub use api::routes;
pub use store::{Event, latest_cursor, record};
