//! What the balancing engine promises, tried on random sites, cars and bad luck.
//!
//! `world` invents snapshots, `plans` and `queue` judge plans against `rows`, `ledger` plays stations that lose, double and refuse messages.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a panic is how a test fails")]

#[path = "engine/ledger.rs"]
mod ledger;
#[path = "engine/plans.rs"]
mod plans;
#[path = "engine/queue.rs"]
mod queue;
#[path = "engine/rows.rs"]
mod rows;
#[path = "engine/world.rs"]
mod world;
