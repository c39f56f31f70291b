//! What the balancing engine promises, tried on random sites, cars and bad luck.
//!
//! `world` invents snapshots, `plans` and `queue` judge plans against `rows`, `ledger` plays stations that lose, double and refuse messages.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a panic is how a test fails")]

mod ledger;
mod plans;
mod queue;
mod rows;
mod world;
