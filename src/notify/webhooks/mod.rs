//! Webhooks: where events are sent to, and how each delivery went.
//!
//! Whatever happens is in the log of events. The dispatcher takes new events of the log over into deliveries, one for each endpoint
//! that wants them, together with the endpoint's place in the log, and sends deliveries until each was received: at least
//! once, in order per station, under the same event id at every try. All of it is in the store, so a restart loses nothing.

mod alerts;
mod api;
mod delivery;
mod dispatcher;
mod guard;
mod model;
mod observed;
mod resend;
pub mod retention;
mod secret_store;
mod secrets;
mod sender;
mod settle;
mod signature;
mod store;

pub use api::routes;
pub use dispatcher::{Dispatcher, DispatcherFault, WebhookSettings};
pub use observed::{Backlog, backlog};
