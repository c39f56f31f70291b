//! EVSE networks: EVSEs in groups, each group with prices of its own once a service offer is published (Hubject: EVSE
//! network and EVSE group).
//!
//! An EVSE is in one group of one network at most. A draft may be arranged at will; publishing an offer makes its network
//! active, and from then on EVSEs that are in no group may be added, and nothing else may change.

mod api;
mod assign;
mod evses;
mod model;
mod store;
mod uses;

pub use api::routes;
pub use evses::{NetworkEvseFilter, NetworkEvseView, Scope, list as list_evses, unassigned};
pub use model::{EvseGroup, EvseNetwork, NetworkStatus};
pub use store::{activate, find as find_network, group_of, groups_of, is_any_in, networks_of, require};
pub use uses::Uses;
