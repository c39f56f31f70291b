//! What the balancing engine promises, tried on random sites, cars and bad luck.
//!
//! `world` invents snapshots, `plans` judges single plans, `ledger` plays stations that lose, double and refuse messages.

#[path = "engine/ledger.rs"]
mod ledger;
#[path = "engine/plans.rs"]
mod plans;
#[path = "engine/queue.rs"]
mod queue;
#[path = "engine/world.rs"]
mod world;
