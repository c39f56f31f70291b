//! What every tree was like after its last cycle, in memory: how all groups are doing is shown without a query for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::gather::{Site, SiteConnector};
use super::ledger_rows::plan_stage;
use super::loads::{Loads, loads};
use super::site_readiness::warnings;
use super::state::State;
use crate::http::Reach;
use crate::load::groups::{Group, PlanStage};
use engine::Plan;
use kernel::{GroupId, OrganizationId, StationId, Timestamp, Watts};

/// The trees that are balanced; cheap to clone.
#[derive(Clone, Default)]
pub struct CurrentTrees(Arc<Mutex<BTreeMap<GroupId, Arc<CurrentTree>>>>);

/// A tree after a cycle.
pub(super) struct CurrentTree {
    pub site: Arc<Site>,
    pub state: Arc<State>,
    pub plan: Arc<Plan>,
    /// Groups in which more may be drawn than they have.
    pub over_limit: usize,
}

/// How a group is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupNow {
    /// The group.
    pub group: GroupId,
    /// Whether no other group is above it.
    pub is_top: bool,
    /// How far the newest plan of its tree has come.
    pub stage: PlanStage,
    /// What everything below it may draw, after the buffer and what else draws.
    pub capacity: Watts,
    /// What connectors were given.
    pub granted: Watts,
    /// What they draw by their meters.
    pub drawn: Watts,
    /// What they draw at most when this server is not heard of.
    pub alone: Watts,
    /// How many warnings its status has.
    pub warnings: usize,
    /// Stations directly in it that do not keep their limits.
    pub disobeying: BTreeSet<StationId>,
}

impl GroupNow {
    /// A group that nothing is known of but itself: no station is in its tree, or no cycle has come so far.
    pub fn idle(group: &Group, zone: kernel::TimeZone, now: Timestamp) -> Self {
        let (capacity, _) = group.capacity_at(now, zone);
        Self {
            group: group.id,
            is_top: group.parent_id.is_none(),
            stage: PlanStage::Planned,
            capacity: group.without_buffer(capacity),
            granted: Watts::ZERO,
            drawn: Watts::ZERO,
            alone: Watts::ZERO,
            warnings: 0,
            disobeying: BTreeSet::new(),
        }
    }
}

impl CurrentTrees {
    /// How many there are.
    pub fn count(&self) -> i32 {
        i32::try_from(self.lock().len()).unwrap_or(i32::MAX)
    }

    pub(super) fn note(&self, root: GroupId, tree: CurrentTree) {
        self.lock().insert(root, Arc::new(tree));
    }

    pub(super) fn forget(&self, root: GroupId) {
        self.lock().remove(&root);
    }

    /// How many trees there are, and how many of their groups have too little for what may be drawn.
    pub fn tally(&self) -> (usize, usize) {
        let trees = self.lock();
        (trees.len(), trees.values().map(|tree| tree.over_limit).sum())
    }

    /// How the groups of an organization are doing, as far as they are balanced.
    pub fn groups_of(
        &self,
        organization: OrganizationId,
        reach: &Reach,
        now: Timestamp,
    ) -> BTreeMap<GroupId, GroupNow> {
        let trees = self.lock();
        let is_within =
            |tree: &CurrentTree| tree.site.groups.first().is_some_and(|top| reach.includes(top.location_id));
        let own = trees.values().filter(|tree| tree.site.organization == organization && is_within(tree));
        let own: Vec<Arc<CurrentTree>> = own.cloned().collect();
        drop(trees); // nobody who balances waits for the sums
        own.iter().flat_map(|tree| tree.groups(now)).map(|group| (group.group, group)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<GroupId, Arc<CurrentTree>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CurrentTree {
    fn groups(&self, now: Timestamp) -> Vec<GroupNow> {
        let loads = loads(&self.site, &self.state, now);
        self.site.groups.iter().map(|group| self.group(group, &loads, now)).collect()
    }

    fn group(&self, group: &Group, loads: &Loads, now: Timestamp) -> GroupNow {
        let Self { site, state, plan, .. } = self;
        let below: Vec<&SiteConnector> = site.connectors_below(group.id).collect();
        let sum = |part: &dyn Fn(&SiteConnector) -> Watts| below.iter().map(|one| part(one)).sum::<Watts>();
        let within: Vec<GroupId> =
            site.groups.iter().map(|one| one.id).filter(|one| site.is_below(*one, group.id)).collect();
        let budget = plan.nodes.iter().find(|budget| budget.node == group.id);
        let disobeys = |one: &&&SiteConnector| one.group == group.id && state.obeys(one.connector) == Some(false);
        GroupNow {
            group: group.id,
            is_top: group.parent_id.is_none(),
            stage: plan_stage(state.stage),
            capacity: budget.map(|budget| budget.capacity).unwrap_or_default(),
            granted: budget.map(|budget| budget.granted).unwrap_or_default(),
            drawn: sum(&|one| state.drawn(one, now).unwrap_or_default()),
            alone: sum(&|one| state.alone(one)),
            warnings: warnings(site, state, loads, &within, now).len(),
            disobeying: below.iter().filter(disobeys).map(|one| one.station).collect(),
        }
    }
}
