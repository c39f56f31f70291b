//! Acceptance tests: whether a station that was connected does what load management needs of it.
//!
//! A test looks for the station's boot, statuses and meter values, sends a limit that is lower than what may be drawn, proves that
//! it is obeyed, and takes it back. By the meter, where a car charges; else by the schedule that the station says it keeps.
//!
//! The limit of the test can neither stay nor raise anything. A station that balancing steers is sent none: balancing is given a
//! lower maximum for the connector, which ends by itself, and sends it in its own way. Any other station gets the live limit that
//! balancing would send, which runs out by itself; where it takes only limits that do not, `left_profile` of the test remembers to
//! remove it, also after a restart of the server.

mod api;
mod limits;
mod looks;
mod model;
mod run;
mod store;
mod sweep;
mod uses;

pub use api::routes;
pub use sweep::start;
pub use uses::{Running, Uses};
