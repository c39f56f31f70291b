//! Provisioning: what is done with a station once it has settled after connecting.
//!
//! In order: what its boot configuration switches on, its charging profiles, its configuration templates, and a look
//! at what it can do where that is not known yet. Every question is an action, so the log of actions shows each step.
//! Afterwards [`hours`] keeps it to the opening hours of its location.

mod api;
mod capabilities;
pub mod hours;
mod listener;
mod password;
mod steps;
mod uses;

pub use api::routes;
pub use listener::{Settling, start};
pub use uses::Uses;
