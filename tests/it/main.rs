//! The running server from outside: over HTTP and over OCPP sockets, on SQLite or PostgreSQL.
//!
//! `TEST_POSTGRES_URL=postgres://…` (a server, any database) runs every test on PostgreSQL instead of SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]
#![allow(unreachable_pub, reason = "nobody uses a crate of tests: `pub` says what its modules share")]

mod answers;
mod api;
mod balancing;
mod cli;
mod ocpp;
mod openapi;
mod panel;
mod security;
mod stored;
mod support;
mod trust;
