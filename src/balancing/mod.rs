//! Balancing: the shell around the pure engine. It gathers what is known of a tree of groups, lets the engine plan,
//! sends limits to the stations in two phases, and records what was decided and why.
//!
//! ```text
//!  signals ──► balancer ──► replan ──► tree          one task per root group, one cycle at a time
//!            look, once a tick ──┘     │
//!                                     │
//!     stores ── rows ── gather ──► Site ──► Snapshot ──► engine::plan ──► check
//!                                     │                                      │
//!              follow ── what changed ──► Ledger ◄── answers ── apply ◄── cuts first, then raises
//!                                     │
//!       ledger_rows, store, plan_rows ◄── state (before anything is sent, and after every answer), plans, events
//! ```
//!
//! Three things make it safe. The ledger knows the most each connector may draw, and nothing is raised into room that
//! is not confirmed free. The ledger is stored before a message leaves, so a killed server forgets nothing that a station
//! may have heard. And every live limit runs out by itself, into a fallback that the station has confirmed.

mod again;
mod api;
mod apply;
mod balancer;
mod because;
mod cheap_hours;
mod command_batch;
mod counted;
mod current;
mod cycle;
mod demand;
mod draws;
#[cfg(test)]
mod endings;
mod escalation;
mod explain;
mod external_limits;
mod follow;
mod gather;
mod history;
mod home;
mod ledger_rows;
mod levels;
mod load;
mod loads;
mod look;
mod meter;
#[cfg(test)]
mod overdraws;
mod phases;
mod plan_documents;
mod plan_rows;
mod power;
mod prices;
mod proposal;
#[cfg(test)]
mod rehearsal;
mod replan;
mod restart;
pub mod retention;
mod rows;
mod sent_limits;
mod settings;
mod site_readiness;
#[cfg(test)]
mod situations;
mod snapshot;
mod state;
mod status;
mod store;
mod stray;
mod strays;
mod timeline;
mod tree;
#[cfg(test)]
mod virtual_group;

pub use api::routes;
pub use balancer::Balancer;
pub use current::{CurrentTrees, GroupNow};
pub use home::portal_routes;
pub use ledger_rows::{doubt_all, stages};
pub use settings::Settings;
