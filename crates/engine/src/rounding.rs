//! From exact shares to limits a station can be sent: multiples of its step, with nothing worth a step left over.

use std::cmp::Reverse;

use super::grid::{Grid, GridEntry, take};
use super::level::{Claim, FRACTION_BITS};
use super::sharing::share;

/// Watts for each claim (in tree order): its share rounded down to its member's step, then one step more for the largest
/// remainders first, ties by connector, as long as every row above bears it. What was freed in the tightest place is handed out
/// there first, so that nobody with more picks it up further up.
///
/// Rounding down may free several steps where members with small and large steps meet. What is still free after one round
/// is shared again on top of what was given, until no member that wants a step finds room for it.
pub(super) fn share_in_steps(grid: &Grid<'_>, available: &[i128], claims: &[Claim]) -> Vec<i64> {
    let mut open = claims.to_vec();
    loop {
        let mut shared = open.clone();
        share(grid, available, &mut shared);
        let mut watts: Vec<i64> =
            grid.entries.iter().zip(&shared).map(|(entry, claim)| floor_to_step(entry, claim.watts())).collect();
        let mut room = available.to_vec();
        for (entry, given) in grid.entries.iter().zip(&watts) {
            take(&mut room, grid.uses(entry), *given);
        }
        hand_out_remainders(grid, &mut room, claims, &shared, &mut watts);
        if !reopen(grid, &room, claims, &watts, &mut open) {
            return watts;
        }
    }
}

/// Gives one step more to those it fits, tightest row and largest remainder first.
fn hand_out_remainders(grid: &Grid<'_>, room: &mut [i128], claims: &[Claim], shared: &[Claim], watts: &mut [i64]) {
    let mut remainders: Vec<_> = grid
        .entries
        .iter()
        .zip(claims)
        .zip(shared.iter().zip(watts))
        .filter(|((entry, claim), (_, given))| **given + step_of(entry) <= claim.watts())
        .map(|((entry, _), (shared, given))| {
            let rest = shared.most() - (*given << FRACTION_BITS);
            let order = (shared.cut_at(), Reverse(rest / step_of(entry)), entry.member.connector);
            (order, entry, given)
        })
        .collect();
    remainders.sort_by_key(|(order, ..)| *order);
    for (_, entry, given) in remainders {
        let step = step_of(entry);
        if grid.bottleneck(entry, room, step).is_none() {
            take(room, grid.uses(entry), step);
            *given += step;
        }
    }
}

/// Lets those who still find room for a step claim more of it, the others what they have. False when there are none.
fn reopen(grid: &Grid<'_>, room: &[i128], claims: &[Claim], watts: &[i64], open: &mut [Claim]) -> bool {
    let mut any = false;
    let members = grid.entries.iter().zip(claims).zip(watts.iter().zip(open));
    for ((entry, claim), (given, open)) in members {
        let step = step_of(entry);
        let wants = *given + step <= claim.watts() && grid.bottleneck(entry, room, step).is_none();
        any |= wants;
        *open = claim.between(*given, if wants { claim.watts() } else { *given });
    }
    any
}

/// The step of a member in watts, at least one.
pub(super) fn step_of(entry: &GridEntry<'_>) -> i64 {
    entry.member.step.get().max(1)
}

fn floor_to_step(entry: &GridEntry<'_>, watts: i64) -> i64 {
    watts - watts.rem_euclid(step_of(entry))
}
