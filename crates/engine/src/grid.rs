//! The snapshot laid out for arithmetic: members in tree order and every limit as a row of a sum.
//!
//! A row is "these members together at most this much": the power of a node, the current of one of its phases, or how far
//! that phase may be ahead of the others. The members below a node lie next to each other, so that a subtree is a range.

use std::ops::Range;

use super::reason::Bound;
use super::snapshot::{Algorithm, MILLION, Member, Node, Snapshot};
use kernel::{GroupId, Milliamps, Watts};

/// Groups deeper than this are not balanced; a real tree is about five deep, and a cycle is infinitely deep.
pub const DEEPEST_TREE: usize = 32;
/// One gigawatt: larger powers are read as this, so that no sum overflows.
pub const MOST_POWER: Watts = Watts(1_000_000_000);
/// The finest unit of current: there are never more than this many units in a thousand amps.
const FINEST: i128 = 1_000_000_000_000;
/// Millionths in a whole.
const MICRO: i128 = 1_000_000;
/// The voltage that is assumed when none is given, in millivolts.
const NOMINAL_VOLTAGE_MV: i64 = 230_000;

/// A limit on a sum. Power is counted in watts, current in the units of [`Grid::units_per_kiloamp`].
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The node it belongs to, as an index of [`Grid::nodes`].
    pub node: usize,
    /// What is limited.
    pub kind: RowKind,
    /// The most the members may draw together, before anything is reserved for those that cannot be steered.
    pub capacity: i128,
}

/// What a row limits. Phases are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    Power,
    Current(usize),
    Imbalance(usize),
}

/// One node with the range of members below it.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    pub node: &'a Node,
    pub parent: Option<usize>,
    pub members: Range<usize>,
    pub power_row: usize,
}

/// One member and the rows it draws from.
#[derive(Debug)]
pub(super) struct GridEntry<'a> {
    pub member: &'a Member,
    /// The node it hangs below; `None` when its group is not part of a tree.
    pub node: Option<usize>,
    uses: Range<usize>,
}

/// How much of a row one watt of a member takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub row: usize,
    pub cost: i64,
}

/// The whole layout.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    /// Each node comes before those below it.
    pub nodes: Vec<Branch<'a>>,
    /// The members in the order of the tree, then those that are in none.
    pub entries: Vec<GridEntry<'a>>,
    /// All limits; those of a node next to each other, power first.
    pub rows: Vec<Row>,
    /// How current is counted: so that one watt of any member is a whole number of units, where such a count exists.
    pub units_per_kiloamp: i128,
    /// Whether some limit is not on power alone.
    pub has_phases: bool,
    uses: Vec<Use>,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let mut grid = Self {
            nodes: Vec::with_capacity(snapshot.nodes.len()),
            entries: Vec::with_capacity(snapshot.members.len()),
            rows: Vec::with_capacity(snapshot.nodes.len()),
            units_per_kiloamp: common_multiple(&snapshot.members),
            has_phases: false,
            uses: Vec::with_capacity(snapshot.members.len()),
        };
        let mut children: Vec<&Node> = snapshot.nodes.iter().collect();
        children.sort_by_key(|node| node.id);
        children.dedup_by_key(|node| node.id);
        children.sort_by_key(|node| (node.parent, node.id));
        let mut members: Vec<&Member> = snapshot.members.iter().collect();
        members.sort_by_key(|member| member.connector);
        members.dedup_by_key(|member| member.connector);
        members.sort_by_key(|member| (member.node, member.connector));
        for root in with_key(&children, None, |node| node.parent) {
            grid.descend(root, None, 0, &children, &members);
        }
        grid.add_without_group(&members);
        grid
    }

    /// Lays out one node, its own members, then what hangs below it.
    fn descend(
        &mut self,
        node: &'a Node,
        parent: Option<usize>,
        depth: usize,
        children: &[&'a Node],
        members: &[&'a Member],
    ) {
        if depth >= DEEPEST_TREE {
            return;
        }
        let (index, first) = (self.nodes.len(), self.entries.len());
        self.nodes.push(Branch { node, parent, members: first..first, power_row: self.rows.len() });
        for (kind, capacity) in limits_of(node, self.units_per_kiloamp) {
            self.has_phases |= kind != RowKind::Power;
            self.rows.push(Row { node: index, kind, capacity });
        }
        for member in with_key(members, node.id, |member| member.node) {
            self.entry(member, Some(index));
        }
        for child in with_key(children, Some(node.id), |child| child.parent) {
            self.descend(child, Some(index), depth + 1, children, members);
        }
        let end = self.entries.len();
        if let Some(branch) = self.nodes.get_mut(index) {
            branch.members = first..end;
        }
    }

    fn entry(&mut self, member: &'a Member, node: Option<usize>) {
        let first = self.uses.len();
        let mut above = node;
        while let Some(branch) = above.and_then(|index| self.nodes.get(index)) {
            let rows = self.rows.iter().enumerate().skip(branch.power_row);
            let own = rows.take_while(|(_, row)| Some(row.node) == above);
            for (row, Row { kind, .. }) in own {
                let cost = self.cost_of(member, *kind);
                if cost > 0 {
                    self.uses.push(Use { row, cost });
                }
            }
            above = branch.parent;
        }
        let uses = first..self.uses.len();
        self.entries.push(GridEntry { member, node, uses });
    }

    fn add_without_group(&mut self, members: &[&'a Member]) {
        let mut known: Vec<GroupId> = self.nodes.iter().map(|branch| branch.node.id).collect();
        known.sort_unstable();
        for member in members {
            if known.binary_search(&member.node).is_err() {
                self.entry(member, None);
            }
        }
    }

    /// What a member draws from, its own node first.
    #[inline]
    pub(crate) fn uses(&self, entry: &GridEntry<'_>) -> &[Use] {
        self.uses.get(entry.uses.clone()).unwrap_or_default()
    }

    /// What each row has for the members that can be steered: its capacity without what is reserved, never below zero.
    pub(crate) fn available(&self) -> Vec<i128> {
        let mut room = self.room(self.entries.iter().map(|entry| entry.member.reserved()));
        for left in &mut room {
            *left = (*left).max(0);
        }
        room
    }

    /// What is left of each row's capacity when the members, in tree order, draw this much; negative when overdrawn.
    pub(crate) fn room(&self, draws: impl Iterator<Item = Watts>) -> Vec<i128> {
        let mut room: Vec<i128> = self.rows.iter().map(|row| row.capacity).collect();
        for (entry, draw) in self.entries.iter().zip(draws) {
            if draw > Watts::ZERO {
                take(&mut room, self.uses(entry), draw.get());
            }
        }
        room
    }

    /// The algorithm a member shares by.
    pub(crate) fn algorithm(&self, entry: &GridEntry<'_>) -> Algorithm {
        let branch = entry.node.and_then(|node| self.nodes.get(node));
        branch.map(|branch| branch.node.algorithm).unwrap_or_default()
    }

    /// The group that a member shares in, as an index of its nodes: external limits stand between both.
    pub(crate) fn sharing_group(&self, entry: &GridEntry<'_>) -> Option<usize> {
        let mut node = entry.node?;
        while let Some(branch) = self.nodes.get(node).filter(|it| it.node.is_external) {
            node = branch.parent?;
        }
        Some(node)
    }

    /// Whether a member may be paused because it has time.
    pub(crate) fn allows_pause(&self, entry: &GridEntry<'_>) -> bool {
        let branch = entry.node.and_then(|node| self.nodes.get(node));
        branch.is_some_and(|branch| branch.node.allow_pause)
    }

    /// The first row on the way up that cannot bear `watts` more.
    pub(crate) fn bottleneck(&self, entry: &GridEntry<'_>, room: &[i128], watts: i64) -> Option<usize> {
        let mut uses = self.uses(entry).iter();
        uses.find(|one| room.get(one.row).is_none_or(|left| *left < one.of(watts))).map(|one| one.row)
    }

    /// How much of a row one watt of this member takes, rounded up.
    fn cost_of(&self, member: &Member, kind: RowKind) -> i64 {
        let phases = member.phases.count();
        let (phase, concerns) = match kind {
            RowKind::Power => return 1,
            RowKind::Current(phase) => (phase, true),
            RowKind::Imbalance(phase) => (phase, phases < 3),
        };
        let draws_on = phases == 0 || !member.rotation_known || member.phases.contains(phase);
        if !(concerns && draws_on) {
            return 0;
        }
        let divisor = divisor(member);
        i64::try_from((self.units_per_kiloamp + divisor - 1) / divisor).unwrap_or(i64::MAX)
    }

    /// A current in whole milliamps, rounded down.
    pub(crate) fn milliamps_below(&self, units: i128) -> Milliamps {
        Milliamps(i64::try_from((units * MICRO).div_euclid(self.units_per_kiloamp)).unwrap_or(i64::MAX))
    }

    /// The group a row belongs to.
    pub(crate) fn group_of(&self, row: usize) -> Option<GroupId> {
        let node = self.rows.get(row)?.node;
        self.nodes.get(node).map(|branch| branch.node.id)
    }

    /// A row in words, with what it had to share.
    pub(crate) fn bound(&self, row: usize, available: &[i128]) -> Bound {
        let shared = available.get(row).copied().unwrap_or_default();
        let amps = self.milliamps_below(shared);
        let watts = Watts(i64::try_from(shared).unwrap_or(i64::MAX));
        let row = self.rows.get(row);
        let node = row.and_then(|row| self.nodes.get(row.node));
        let is_external = node.is_some_and(|branch| branch.node.is_external);
        match row.map(|row| row.kind) {
            Some(RowKind::Current(phase)) if is_external => {
                Bound::ExternalCurrent { phase: number(phase), available: amps }
            }
            Some(RowKind::Power) if is_external => Bound::ExternalPower { available: watts },
            Some(RowKind::Current(phase)) => Bound::Current { phase: number(phase), available: amps },
            Some(RowKind::Imbalance(phase)) => Bound::Imbalance { phase: number(phase), available: amps },
            Some(RowKind::Power) | None => Bound::Power { available: watts },
        }
    }
}

impl Use {
    /// What this many watts take.
    #[inline]
    pub(crate) fn of(self, watts: i64) -> i128 {
        i128::from(self.cost) * i128::from(watts)
    }

    /// How many watts this row still bears.
    pub(crate) fn bears(self, room: &[i128]) -> Option<i64> {
        let watts = room.get(self.row)?.div_euclid(i128::from(self.cost.max(1)));
        Some(i64::try_from(watts).unwrap_or(i64::MAX))
    }
}

/// Takes the power of a member out of every row above it.
#[inline]
pub(super) fn take(room: &mut [i128], uses: &[Use], watts: i64) {
    for one in uses {
        if let Some(left) = room.get_mut(one.row) {
            *left -= one.of(watts);
        }
    }
}

/// A power without the absurd: at least zero, at most [`MOST_POWER`].
pub(super) fn sane(power: Watts) -> i64 {
    power.clamp(Watts::ZERO, MOST_POWER).get()
}

/// The number a person gives a phase, from 1.
fn number(phase: usize) -> u8 {
    u8::try_from(phase + 1).unwrap_or(u8::MAX)
}

/// The part of a sorted list that has this key.
fn with_key<'s, 'a, T, K: Ord>(sorted: &'s [&'a T], key: K, of: impl Fn(&T) -> K) -> &'s [&'a T] {
    let start = sorted.partition_point(|one| of(one) < key);
    let end = sorted.partition_point(|one| of(one) <= key);
    sorted.get(start..end).unwrap_or_default()
}

/// What the members of a node may take of each of its limits.
fn limits_of(node: &Node, units_per_kiloamp: i128) -> Vec<(RowKind, i128)> {
    let usable = without_buffer(node.limit.get(), node);
    let most = node.rating.map_or(usable, |rating| usable.max(i128::from(rating.get())));
    let power = (usable - i128::from(node.uncontrolled_load.get())).clamp(0, most.max(0));
    let in_units = |milliamps: i128| milliamps * units_per_kiloamp / MICRO;
    let mut limits = vec![(RowKind::Power, power)];
    if let Some(phase_limits) = node.phase_limits {
        for (phase, (limit, load)) in phase_limits.iter().zip(node.phase_load).enumerate() {
            let usable = without_buffer(limit.get(), node).max(0);
            let left = (usable - i128::from(load.get())).clamp(0, usable);
            limits.push((RowKind::Current(phase), in_units(left)));
        }
    }
    if let Some(limit) = node.imbalance_limit {
        // The loads that all phases share cancel out, and any car may stop at any time. So what the uneven loads put on a
        // phase, together with how far its other load is ahead of the lightest phase, must alone stay within the limit.
        let lightest = node.phase_load.iter().min().map_or(0, |load| load.get());
        for (phase, load) in node.phase_load.iter().enumerate() {
            let ahead = i128::from(load.get()) - i128::from(lightest);
            let left = (i128::from(limit.get()) - ahead).max(0);
            limits.push((RowKind::Imbalance(phase), in_units(left)));
        }
    }
    limits
}

/// A limit without the part that is never handed out, rounded down.
fn without_buffer(limit: i64, node: &Node) -> i128 {
    let kept = i128::from(MILLION.saturating_sub(node.buffer_ppm));
    (i128::from(limit) * kept).div_euclid(i128::from(MILLION))
}

/// What the current of one watt is divided by: millivolts times phases. A connector without phases counts as one-phase.
fn divisor(member: &Member) -> i128 {
    let voltage = if member.voltage.get() > 0 { member.voltage.get() } else { NOMINAL_VOLTAGE_MV };
    i128::from(voltage) * i128::from(member.phases.count().max(1))
}

/// The least number that every member's divisor divides, or the finest unit when that is finer still.
///
/// With one voltage everywhere currents are exact, so that two cars of 16 A do fit below 32 A.
fn common_multiple(members: &[Member]) -> i128 {
    members.iter().map(divisor).fold(1, |common, divisor| {
        let (mut left, mut right) = (common, divisor);
        while right != 0 {
            (left, right) = (right, left % right);
        }
        (common / left).saturating_mul(divisor).min(FINEST)
    })
}
