//! Load-management groups: stations that share a limited connection (eDRV's "Manage Groups").
//!
//! A group has a limit in kW, a buffer that is reserved, and members: connectors with a maximum and a minimum of their
//! own. A station is in one group at most; groups may nest below a parent at the same location. Who gets what is
//! decided in `balancing`. Under `consumer_tou` a group belongs to a home user, who says when it does not charge.

mod answers;
mod api;
mod capacity;
mod exclusion;
mod home;
mod in_force;
mod membership;
mod model;
mod prices;
mod store;
mod uses;

pub use answers::{
    count_at, count_of_user, group_of_station, is_connector_member, is_member, location_of_station, owner_of,
    stations_in_group,
};
pub use api::routes;
pub use capacity::CapacitySource;
pub use exclusion::{ExclusionTimes, ExclusionWarning, GroupExclusionTimes};
pub use home::{give_to, groups_of_user, replan, set_exclusion_times};
pub use membership::{GroupConnector, GroupStation};
#[cfg(test)]
pub use model::NewGroup;
pub use model::{Algorithm, Group, GroupView, PlanStage};
pub use prices::EnergyPrices;
pub use store::{
    all_roots, count, find as find_group, listed, locations_of, members_of, root_of, root_of_station, stations_of,
    take_in, tree_of, trees_of, views_of,
};
pub use uses::Uses;
