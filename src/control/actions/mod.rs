//! Actions: the log of what stations were asked, and the endpoints that ask.
//!
//! Every command becomes an action with status `requested`, then `completed` or `failed` when the station answered, and
//! events `<type>.requested`, `.accepted` or `.rejected`. A caller may wait for the answer, or is notified by the event.

mod api;
mod commands;
mod device;
mod model;
mod performer;
mod pushed;
pub mod retention;
mod security;
mod store;

pub use api::routes;
pub use commands::SettingInput;
pub use model::{Action, ActionView};
pub use performer::{NewAction, Performer};
pub use store::{forget_station, stations_of};
