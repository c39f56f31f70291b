//! The running server from outside: over HTTP and over OCPP sockets, on SQLite or PostgreSQL.
//!
//! `EVENWATT_TEST_POSTGRES=postgres://…` (a server, any database) runs every test on PostgreSQL instead of SQLite.

mod api;
mod cli;
mod ocpp;
mod support;
