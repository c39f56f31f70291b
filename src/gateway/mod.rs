//! Where charging stations connect: sockets, connections, what is answered to their messages and how commands are sent.
//!
//! The crate `ocpp` has the language; this is what Evenwatt does with it.

pub mod access;
pub mod answer;
pub mod answer16;
pub mod answer2;
pub mod api;
pub mod attempts;
pub mod auth_guard;
pub mod authority;
pub mod clock;
pub mod commands;
pub mod connections;
pub mod costs;
pub mod dependencies;
pub mod dispatch;
pub mod dynamic;
pub mod in_force;
pub mod limit_strategy;
pub mod profile_variants;
pub mod recorder;
pub mod refusal_events;
pub mod refusals;
pub mod reports;
pub mod socket;
mod state;
pub mod station_connection;
pub mod stops;
pub mod throttle;
