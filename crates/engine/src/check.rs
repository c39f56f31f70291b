//! An independent judge of plans: it sums up again, the slow and obvious way, and shares no code with the planner.
//!
//! The shell asks it before a plan is sent, the tests ask it about everything.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::Plan;
use super::snapshot::{Member, MemberState, Node, Snapshot};
use kernel::{ConnectorId, GroupId, Watts};

/// A promise that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The limits are not sorted by connector, each once.
    NotSorted,
    /// A member has no limit.
    Missing(ConnectorId),
    /// A limit belongs to no member.
    Unknown(ConnectorId),
    /// A limit is negative or lies between zero and the minimum.
    BelowMinimum(ConnectorId),
    /// A limit is above the maximum.
    AboveMaximum(ConnectorId),
    /// A limit is not a multiple of the step.
    OffStep(ConnectorId),
    /// A connector that must not charge has a limit above zero.
    TakesPart(ConnectorId),
    /// The members of a group may draw more than it has, by this much.
    Power(GroupId, Watts),
    /// The members of a group may draw more on this phase (1, 2 or 3) than it bears.
    Current(GroupId, u8),
    /// This phase (1, 2 or 3) of a group may get further ahead of another than it should.
    Imbalance(GroupId, u8),
}

/// Every promise the plan breaks; none for a plan that may be sent.
pub fn violations(snapshot: &Snapshot, plan: &Plan) -> Vec<Violation> {
    let members: BTreeMap<ConnectorId, &Member> =
        snapshot.members.iter().map(|member| (member.connector, member)).collect();
    let limits: BTreeMap<ConnectorId, Watts> = plan.limits.iter().map(|limit| (limit.connector, limit.limit)).collect();
    let mut found = Vec::new();
    if !plan.limits.iter().map(|limit| limit.connector).is_sorted_by(|left, right| left < right) {
        found.push(Violation::NotSorted);
    }
    found.extend(members.keys().filter(|id| !limits.contains_key(id)).copied().map(Violation::Missing));
    for (id, limit) in &limits {
        match members.get(id) {
            Some(member) => found.extend(faults_of(member, *limit)),
            None => found.push(Violation::Unknown(*id)),
        }
    }
    for node in &snapshot.nodes {
        let below = groups_below(snapshot, node.id);
        let drawing: Vec<(&Member, i128)> = members
            .values()
            .filter(|member| below.contains(&member.node))
            .map(|member| {
                let limit = limits.get(&member.connector).copied().unwrap_or_default();
                (*member, i128::from(limit.get()))
            })
            .collect();
        found.extend(overloads(node, &drawing));
    }
    found
}

fn faults_of(member: &Member, limit: Watts) -> Vec<Violation> {
    let id = member.connector;
    let mut found = Vec::new();
    if limit == Watts::ZERO {
        return found;
    }
    if limit < member.minimum || limit < Watts::ZERO {
        found.push(Violation::BelowMinimum(id));
    }
    if limit > member.maximum {
        found.push(Violation::AboveMaximum(id));
    }
    if limit.floor_to(member.step) != limit {
        found.push(Violation::OffStep(id));
    }
    let may_charge = match &member.state {
        MemberState::Active(session) | MemberState::Suspended { session, .. } => {
            session.priority_charge || !session.excluded
        }
        MemberState::Idle { .. } | MemberState::Uncontrolled { .. } => false,
    };
    if !may_charge {
        found.push(Violation::TakesPart(id));
    }
    found
}

/// The group itself and all that hang below it.
fn groups_below(snapshot: &Snapshot, top: GroupId) -> BTreeSet<GroupId> {
    let mut below = BTreeSet::from([top]);
    loop {
        let before = below.len();
        for node in &snapshot.nodes {
            if node.parent.is_some_and(|parent| below.contains(&parent)) {
                below.insert(node.id);
            }
        }
        if below.len() == before {
            return below;
        }
    }
}

fn overloads(node: &Node, drawing: &[(&Member, i128)]) -> Vec<Violation> {
    let mut found = Vec::new();
    let kept = i128::from(1_000_000 - node.buffer_ppm.min(1_000_000));
    let usable = (i128::from(node.limit.get()) * kept).div_euclid(1_000_000);
    let ceiling = node.rating.map_or(usable, |rating| usable.max(i128::from(rating.get())));
    let reserved: i128 = drawing.iter().map(|(member, _)| i128::from(member.reserved().get())).sum();
    let granted: i128 = drawing.iter().map(|(_, limit)| limit).sum();
    let left = (usable - i128::from(node.uncontrolled_load.get())).min(ceiling) - reserved;
    if granted > left.max(0) {
        let excess = i64::try_from(granted - left.max(0)).unwrap_or(i64::MAX);
        found.push(Violation::Power(node.id, Watts(excess)));
    }
    for (phase, label) in [(0, 1), (1, 2), (2, 3)] {
        // Milliamps × 1,000: fine enough that rounding down each draw never hides a whole milliamp of a real site.
        let current = |power: i128, member: &Member, uneven_only: bool| {
            let count = member.phases.count();
            let on_it = !member.rotation_known || count == 0 || member.phases.contains(phase);
            if !on_it || (uneven_only && count == 3) {
                return 0;
            }
            power * 1_000_000_000 / (i128::from(member.voltage.get().max(1)) * i128::from(count.max(1)))
        };
        let load = |index: usize| node.phase_load.get(index).map_or(0, |load| i128::from(load.get()));
        let sums = |uneven: bool| {
            let granted: i128 = drawing.iter().map(|(member, limit)| current(*limit, member, uneven)).sum();
            let reserved: i128 =
                drawing.iter().map(|(member, _)| current(i128::from(member.reserved().get()), member, uneven)).sum();
            (granted, reserved)
        };
        if let Some(limit) = node.phase_limits.and_then(|limits| limits.get(phase).copied()) {
            let usable = (i128::from(limit.get()) * kept).div_euclid(1_000_000);
            let (granted, reserved) = sums(false);
            if granted > ((usable - load(phase)).min(usable) * 1_000 - reserved).max(0) {
                found.push(Violation::Current(node.id, label));
            }
        }
        if let Some(limit) = node.imbalance_limit {
            let ahead = load(phase) - load(0).min(load(1)).min(load(2));
            let (granted, reserved) = sums(true);
            if granted > ((i128::from(limit.get()) - ahead) * 1_000 - reserved).max(0) {
                found.push(Violation::Imbalance(node.id, label));
            }
        }
    }
    found
}
