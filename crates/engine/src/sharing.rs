//! The max-min fair share of a whole tree, exactly.
//!
//! With power limits alone the limits are laminar and one pass from the leaves to the root is exact: when a node has too
//! little, everybody below it is cut to the level that fills it. Let `v` be the last node that cut a member. `v` was full
//! then. A later ancestor either settles at a higher level, and leaves everybody below `v` alone, or at a lower one, and
//! then it would have cut this member too. So `v` is still full, and nobody below it has more than this member without
//! needing it for a minimum: the bottleneck certificate of max-min fairness (Radunović and Le Boudec 2007).
//!
//! Limits per phase are not laminar: a three-phase car that is cut elsewhere leaves room on phases that others share.
//! There the level rises for all at once, and whoever meets a full row stays where it is (progressive filling).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::grid::{Grid, GridEntry, sane};
use super::level::{Claim, FRACTION_BITS, highest_level};
use super::snapshot::Snapshot;
use kernel::Watts;

/// The sharing of one snapshot, without queue, steps and reasons: for those who measure it.
#[derive(Debug)]
pub struct Sharing<'a> {
    grid: Grid<'a>,
    available: Vec<i128>,
    claims: Vec<Claim>,
}

impl<'a> Sharing<'a> {
    /// Lays a snapshot out; every member claims from its minimum to its maximum.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let grid = Grid::new(snapshot);
        let claim = |entry: &GridEntry<'_>| {
            let (member, weight) = (entry.member, i64::from(entry.member.weight));
            Claim::new(weight, 0, sane(member.minimum), sane(member.maximum))
        };
        Self { available: grid.available(), claims: grid.entries.iter().map(claim).collect(), grid }
    }

    /// Shares; gives the sum of all shares.
    pub fn share(&self) -> Watts {
        let mut claims = self.claims.clone();
        share(&self.grid, &self.available, &mut claims);
        Watts(claims.iter().map(Claim::watts).sum())
    }
}

/// Cuts the maximum of each claim (in tree order) to what it is given of the `available` rows.
///
/// The minimums must fit.
pub(super) fn share(grid: &Grid<'_>, available: &[i128], claims: &mut [Claim]) {
    if grid.has_phases {
        fill(grid, available, claims);
    } else {
        truncate_upwards(grid, available, claims);
    }
}

/// One pass from the leaves to the roots.
fn truncate_upwards(grid: &Grid<'_>, available: &[i128], claims: &mut [Claim]) {
    for branch in grid.nodes.iter().rev() {
        let below = claims.get_mut(branch.members.clone()).unwrap_or_default();
        let capacity = available.get(branch.power_row).copied().unwrap_or_default();
        if let Some(level) = highest_level(below.iter().map(|claim| (1, claim)), capacity << FRACTION_BITS) {
            below.iter_mut().for_each(|claim| claim.truncate(level));
        }
    }
}

/// Raises one level for everybody; the row that is full first stops its members.
///
/// A row's own level only rises while others stop below it, so an outdated one is a lower bound: the heap hands out the
/// lowest, which is computed anew and either still the lowest or put back.
fn fill(grid: &Grid<'_>, available: &[i128], claims: &mut [Claim]) {
    let rows = members_by_row(grid);
    let level_of = |row: usize, claims: &[Claim]| {
        let members = rows.get(row).map(Vec::as_slice).unwrap_or_default();
        let parts = members.iter().filter_map(|one| Some((one.cost, claims.get(one.entry)?)));
        let capacity = available.get(row).copied().unwrap_or_default();
        let level = highest_level(parts.clone(), capacity << FRACTION_BITS)?;
        parts.clone().any(|(_, claim)| !claim.is_fixed()).then_some(level)
    };
    let mut lowest: BinaryHeap<Reverse<(i64, usize)>> =
        (0..rows.len()).filter_map(|row| Some(Reverse((level_of(row, claims)?, row)))).collect();
    while let Some(Reverse((_, row))) = lowest.pop() {
        let Some(level) = level_of(row, claims) else {
            continue;
        };
        if lowest.peek().is_some_and(|Reverse(next)| *next < (level, row)) {
            lowest.push(Reverse((level, row)));
            continue;
        }
        for one in rows.get(row).into_iter().flatten() {
            if let Some(claim) = claims.get_mut(one.entry) {
                claim.freeze(level);
            }
        }
    }
}

/// A member of a row and what a watt of it costs there.
struct Part {
    entry: usize,
    cost: i64,
}

fn members_by_row(grid: &Grid<'_>) -> Vec<Vec<Part>> {
    let mut rows: Vec<Vec<Part>> = grid.rows.iter().map(|_| Vec::new()).collect();
    for (entry, member) in grid.entries.iter().enumerate() {
        for one in grid.uses(member) {
            if let Some(row) = rows.get_mut(one.row) {
                row.push(Part { entry, cost: one.cost });
            }
        }
    }
    rows
}
