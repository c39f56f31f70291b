//! Why limits are, or were, what they are: the stored snapshot is planned again, which must give the stored plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::because::Because;
use super::plan_rows::StoredPlan;
use engine::{Limit, NodeBudget, Plan, Snapshot, plan};
use kernel::*;

/// A plan with its reasons.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ExplanationView {
    /// The plan.
    #[serde(rename = "_id")]
    pub id: PlanId,
    /// When it was made.
    pub at: Timestamp,
    /// What led to it.
    #[schema(example = "session started")]
    pub trigger: String,
    /// Whether planning the stored snapshot again gave exactly the stored plan.
    pub reproduced: bool,
    /// Where the power of each group went.
    pub groups: Vec<BudgetView>,
    /// What each connector may draw, and why.
    pub members: Vec<MemberExplanationView>,
}

/// Where the power of a group went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BudgetView {
    /// The group.
    pub group: GroupId,
    /// What everything below it may draw, in kW.
    pub capacity: f64,
    /// What is reserved, in kW.
    pub reserved: f64,
    /// What is left for the others, in kW.
    pub available: f64,
    /// What they were given, in kW.
    pub granted: f64,
}

/// What a connector may draw, and why.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MemberExplanationView {
    /// The connector.
    pub connector: ConnectorId,
    /// What it may draw, in kW.
    pub limit: f64,
    /// Why, in a sentence.
    pub reason: String,
    /// The same for programs, and to be said in other languages.
    pub because: Because,
    /// The rule's name.
    pub rule: &'static str,
    /// The group whose limit binds, where one does.
    pub binding_group: Option<GroupId>,
}

/// A plan in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlanView {
    /// The plan.
    #[serde(rename = "_id")]
    pub id: PlanId,
    /// When it was made.
    pub at: Timestamp,
    /// What led to it.
    pub trigger: String,
    /// Where the power of each group went.
    pub groups: Vec<BudgetView>,
    /// What each connector may draw, and why.
    pub members: Vec<MemberExplanationView>,
}

/// The reasons of a plan for everything below a group.
pub(super) fn explain(stored: StoredPlan, group: GroupId) -> ExplanationView {
    let reproduced = plan(&stored.snapshot, stored.plan.now) == stored.plan;
    let PlanView { id, at, trigger, groups, members } = show(stored, group);
    ExplanationView { id, at, trigger, reproduced, groups, members }
}

/// A plan as far as it concerns everything below a group.
pub(super) fn show(stored: StoredPlan, group: GroupId) -> PlanView {
    let (snapshot, plan) = (stored.snapshot, stored.plan);
    let below = below(&snapshot, group);
    let members: BTreeSet<ConnectorId> =
        snapshot.members.iter().filter(|member| below.contains(&member.node)).map(|member| member.connector).collect();
    let budgets = budgets(&snapshot, &plan, &below);
    let limits = plan.limits.iter().filter(|it| members.contains(&it.connector));
    PlanView {
        id: stored.id,
        at: stored.at,
        trigger: stored.trigger,
        groups: budgets,
        members: limits.map(MemberExplanationView::from).collect(),
    }
}

/// Where the power of these groups went; a station that somebody else limits is no group.
pub(super) fn budgets(snapshot: &Snapshot, plan: &Plan, below: &BTreeSet<GroupId>) -> Vec<BudgetView> {
    let is_group = |id: GroupId| {
        let mut nodes = snapshot.nodes.iter();
        nodes.any(|node| node.id == id && !node.is_external)
    };
    let shown = plan.nodes.iter().filter(|it| below.contains(&it.node));
    shown.filter(|it| is_group(it.node)).map(BudgetView::from).collect()
}

/// A group and everything below it.
pub(super) fn below(snapshot: &Snapshot, top: GroupId) -> BTreeSet<GroupId> {
    let mut below = BTreeSet::from([top]);
    loop {
        let before = below.len();
        let children = snapshot.nodes.iter().filter(|node| node.parent.is_some_and(|parent| below.contains(&parent)));
        let found: Vec<GroupId> = children.map(|node| node.id).collect();
        below.extend(found);
        if below.len() == before {
            return below;
        }
    }
}

impl From<&NodeBudget> for BudgetView {
    fn from(budget: &NodeBudget) -> Self {
        Self {
            group: budget.node,
            capacity: budget.capacity.kilowatts(),
            reserved: budget.reserved.kilowatts(),
            available: budget.available.kilowatts(),
            granted: budget.granted.kilowatts(),
        }
    }
}

impl From<&Limit> for MemberExplanationView {
    fn from(limit: &Limit) -> Self {
        Self {
            connector: limit.connector,
            limit: limit.limit.kilowatts(),
            reason: limit.explain(),
            because: Because::from(&limit.reason),
            rule: limit.reason.rule(),
            binding_group: limit.reason.node(),
        }
    }
}
