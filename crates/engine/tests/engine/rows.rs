//! The limits of a snapshot once more, in exact fractions and without any of the engine's code.

use std::collections::BTreeMap;

use engine::*;
use kernel::*;

/// A limit on a sum, built the slow way: which members count, with which exact cost a watt (numerator, denominator).
pub(crate) struct Row {
    pub capacity: i128,
    pub costs: BTreeMap<ConnectorId, (i128, i128)>,
}

impl Row {
    fn load(&self, limits: &BTreeMap<ConnectorId, i64>) -> i128 {
        let cost = |(id, (over, under)): (&ConnectorId, &(i128, i128))| {
            (i128::from(limits.get(id).copied().unwrap_or_default()) * over * 1_000).div_euclid(*under)
        };
        self.costs.iter().map(cost).sum()
    }
    pub(crate) fn room(&self, limits: &BTreeMap<ConnectorId, i64>) -> i128 {
        self.capacity * 1_000 - self.load(limits)
    }
    pub(crate) fn needs(&self, id: ConnectorId, watts: i64) -> i128 {
        self.costs.get(&id).map_or(0, |(over, under)| (i128::from(watts) * over * 1_000).div_euclid(*under))
    }
}

fn is_below(snapshot: &Snapshot, member: &Member, top: GroupId) -> bool {
    let mut at = Some(member.node);
    while let Some(node) = at {
        if node == top {
            return true;
        }
        at = snapshot.nodes.iter().find(|one| one.id == node).and_then(|one| one.parent);
    }
    false
}

/// Every limit of a snapshot.
pub(crate) fn rows(snapshot: &Snapshot) -> Vec<Row> {
    let mut rows = Vec::new();
    for node in &snapshot.nodes {
        let kept = i128::from(1_000_000 - node.buffer_ppm);
        let usable = i128::from(node.limit.get()) * kept / 1_000_000;
        let most = node.rating.map_or(usable, |rating| usable.max(i128::from(rating.get())));
        let below: Vec<&Member> =
            snapshot.members.iter().filter(|member| is_below(snapshot, member, node.id)).collect();
        let reserved = |cost: &dyn Fn(&Member) -> (i128, i128)| -> i128 {
            let up = |member: &&Member| {
                let (over, under) = cost(member);
                (i128::from(member.reserved().get()) * over + under - 1) / under
            };
            below.iter().map(up).sum()
        };
        let power = (usable - i128::from(node.uncontrolled_load.get())).clamp(0, most);
        rows.push(Row {
            capacity: (power - reserved(&|_| (1, 1))).max(0),
            costs: below.iter().map(|member| (member.connector, (1, 1))).collect(),
        });
        let lightest = node.phase_load.iter().map(|load| load.get()).min().unwrap_or_default();
        for phase in 0..3 {
            let load = i128::from(node.phase_load[phase].get());
            let on =
                |member: &Member| member.phases.count() == 0 || !member.rotation_known || member.phases.contains(phase);
            let cost = |member: &Member| {
                (1_000_000, i128::from(member.voltage.get()) * i128::from(member.phases.count().max(1)))
            };
            if let Some(limits) = node.phase_limits {
                let usable = i128::from(limits[phase].get()) * kept / 1_000_000;
                let here = |member: &Member| if on(member) { cost(member) } else { (0, 1) };
                rows.push(Row {
                    capacity: ((usable - load).clamp(0, usable) - reserved(&here)).max(0),
                    costs: below.iter().filter(|member| on(member)).map(|one| (one.connector, cost(one))).collect(),
                });
            }
            if let Some(limit) = node.imbalance_limit {
                let uneven = |member: &Member| on(member) && member.phases.count() < 3;
                let here = |member: &Member| if uneven(member) { cost(member) } else { (0, 1) };
                let ahead = load - i128::from(lightest);
                rows.push(Row {
                    capacity: ((i128::from(limit.get()) - ahead).max(0) - reserved(&here)).max(0),
                    costs: below.iter().filter(|member| uneven(member)).map(|one| (one.connector, cost(one))).collect(),
                });
            }
        }
    }
    rows
}
