//! The log of events: what changed, in order, written in the same transaction as the change itself.
//!
//! Webhooks, streams and `GET /v1.1/events` read it by cursor, so nothing that was committed is ever left out. What can happen
//! at all is in one table, `catalogue`.

mod action;
mod actor;
mod api;
pub mod audit;
mod catalogue;
mod change;
pub mod docs;
mod feed;
mod filter;
mod frequent;
mod horizon;
mod listener;
mod near;
mod packs;
mod payload;
mod retention;
mod scopes;
mod selection;
mod setup;
mod store;
mod stream;
mod veil;
mod view;
mod wanted;

pub use action::ActionKind;
pub use actor::Sight;
pub use api::routes;
pub use catalogue::{EventKind, Payload, Step};
pub use change::{Change, Changing};
pub use feed::{Feed, Line};
pub use filter::EventTypes;
pub use horizon::{Forgotten, Horizon, Mark, Pace, Trust, forgotten_before, horizon, keep_horizon};
pub use listener::{Gone, Listener};
pub use packs::pack;
pub use payload::{WebhookPayload, payloads_after};
pub use retention::{forget, oldest};
pub use selection::{Selection, cursors_of, payloads_at};
pub use store::{latest_cursor, skip_cursors};
pub use veil::masked;
pub use wanted::Wanted;
