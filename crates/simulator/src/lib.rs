//! Virtual charge stations and cars that speak real OCPP 1.6J over real sockets.
//!
//! From the inside out: a [`car`] draws power under a [`limit`]; [`profiles`] say what that limit is; a [`station`]
//! is a state machine without I/O around them; a [`client`] pumps one station's socket; a [`fleet`] is many of them
//! with drivers that come and go; a [`load`] is many of them that say the same messages as fast as they are
//! answered. `evenwatt simulate`, `evenwatt demo`, tests and benches use it.

pub mod car;
pub mod client;
pub mod driver;
pub mod fleet;
pub mod limit;
pub mod load;
pub mod profiles;
pub mod settings;
pub mod station;
pub mod statistics;

pub use car::{Car, CarModel, Scale};
pub use client::{Client, Endpoint, Handle, Wish};
pub use fleet::{Fleet, FleetPlan};
pub use limit::{Limit, Outlet};
pub use station::{Station, StationSpec, StationView};
pub use statistics::Statistics;
