//! Evenwatt shares a limited grid connection between electric cars.
//!
//! One binary is a REST API that eDRV v1.1 clients can use unchanged, an OCPP gateway that real chargers connect to,
//! and a balancing engine that keeps every group under its limit. Imports point down only, and
//! `tests/architecture.rs` proves it:
//!
//! ```text
//! kernel <- { engine, pricing, db } <- http <- slices <- { ocpp, balancing } <- simulator <- app <- main
//! ```

pub mod actions;
pub mod app;
pub mod assets;
pub mod balancing;
pub mod commissioning;
pub mod db;
pub mod events;
pub mod gateway;
pub mod groups;
pub mod http;
pub mod locations;
pub mod networks;
pub mod offers;
pub mod organizations;
pub mod portal;
pub mod priority;
pub mod profiles;
pub mod rates;
pub mod realtime;
pub mod reservations;
pub mod sessions;
pub mod stations;
pub mod templates;
pub mod tokens;
pub mod users;
pub mod webhooks;
