//! Evenwatt shares a limited grid connection between electric cars.
//!
//! One binary is a REST API that eDRV v1.1 clients can use unchanged, an OCPP gateway that real chargers connect to,
//! and a balancing engine that keeps every group under its limit. Imports point down only, and
//! `tests/architecture.rs` proves it:
//!
//! ```text
//! crates/   kernel  <-  { clock, engine, pricing, ocpp }  <-  simulator;  resource
//! src/      store  <-  http  <-  events  <-  slices  <-  { gateway, balancing, cluster }  <-  app  <-  cli  <-  main
//! ```

#![allow(
    missing_docs,
    reason = "a program: its columns are described where clients see them, its options in `default.toml`"
)]

pub mod app;
pub mod balancing;
pub mod charging;
pub mod cli;
pub mod cluster;
pub mod control;
pub mod events;
pub mod gateway;
pub mod home;
pub mod http;
pub mod load;
pub mod market;
pub mod notify;
pub mod panel;
pub mod people;
pub mod sites;
pub mod store;
