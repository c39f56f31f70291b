//! What each group and each asset of a tree does at this moment, for its history.

use std::collections::BTreeMap;

use super::gather::Site;
use super::history::Level;
use super::loads::Loads;
use super::state::State;
use engine::Plan;
use kernel::{GroupId, RawId, Timestamp, Watts};

/// The levels of a tree.
pub(super) fn levels(site: &Site, state: &State, plan: &Plan, loads: &Loads, now: Timestamp) -> BTreeMap<RawId, Level> {
    let mut drawn: BTreeMap<GroupId, Watts> = site.groups.iter().map(|group| (group.id, Watts::ZERO)).collect();
    for connector in &site.connectors {
        if let Some(power) = state.drawn(connector, now) {
            *drawn.entry(connector.group).or_default() += power;
        }
    }
    // Parents come before their children, so from the end each is complete when it is added to its parent.
    for group in site.groups.iter().rev() {
        if let Some(parent) = group.parent_id {
            let own = drawn.get(&group.id).copied().unwrap_or_default();
            *drawn.entry(parent).or_default() += own;
        }
    }
    let of_groups = site.groups.iter().map(|group| {
        let budget = plan.nodes.iter().find(|budget| budget.node == group.id);
        let load = match loads.by_group.get(&group.id) {
            Some(load) => load.power,
            None => Some(Watts::ZERO),
        };
        let level = Level {
            drawn: drawn.get(&group.id).copied(),
            granted: budget.map(|budget| budget.granted),
            capacity: Some(group.capacity_at(now, site.zone).0),
            usable: budget.map(|budget| budget.capacity),
            load,
        };
        (group.id.raw(), level)
    });
    let of_assets = loads.by_asset.iter().map(|(asset, contribution)| {
        let level = Level { load: contribution.load, ..Level::default() };
        (asset.raw(), level)
    });
    of_groups.chain(of_assets).collect()
}
