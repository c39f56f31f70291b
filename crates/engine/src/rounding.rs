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
            grid.places.iter().zip(&shared).map(|(place, claim)| floor_to_step(place, claim.watts())).collect();
        let mut room = available.to_vec();
        for (place, given) in grid.places.iter().zip(&watts) {
            take(&mut room, grid.uses(place), *given);
        }
        hand_out_rests(grid, &mut room, claims, &shared, &mut watts);
        if !reopen(grid, &room, claims, &watts, &mut open) {
            return watts;
        }
    }
}

/// Gives one step more to those it fits, tightest row and largest remainder first.
fn hand_out_rests(grid: &Grid<'_>, room: &mut [i128], claims: &[Claim], shared: &[Claim], watts: &mut [i64]) {
    let mut rests: Vec<_> = grid
        .places
        .iter()
        .zip(claims)
        .zip(shared.iter().zip(watts))
        .filter(|((place, claim), (_, given))| **given + step_of(place) <= claim.watts())
        .map(|((place, _), (shared, given))| {
            let rest = shared.most() - (*given << FRACTION_BITS);
            let order = (shared.cut_at(), Reverse(rest / step_of(place)), place.member.connector);
            (order, place, given)
        })
        .collect();
    rests.sort_by_key(|(order, ..)| *order);
    for (_, place, given) in rests {
        let step = step_of(place);
        if grid.bottleneck(place, room, step).is_none() {
            take(room, grid.uses(place), step);
            *given += step;
        }
    }
}

/// Lets those who still find room for a step claim more of it, the others what they have. False when there are none.
fn reopen(grid: &Grid<'_>, room: &[i128], claims: &[Claim], watts: &[i64], open: &mut [Claim]) -> bool {
    let mut any = false;
    let members = grid.places.iter().zip(claims).zip(watts.iter().zip(open));
    for ((place, claim), (given, open)) in members {
        let step = step_of(place);
        let wants = *given + step <= claim.watts() && grid.bottleneck(place, room, step).is_none();
        any |= wants;
        *open = claim.between(*given, if wants { claim.watts() } else { *given });
    }
    any
}

/// The step of a member in watts, at least one.
pub(super) fn step_of(place: &GridEntry<'_>) -> i64 {
    place.member.step.get().max(1)
}

fn floor_to_step(place: &GridEntry<'_>, watts: i64) -> i64 {
    watts - watts.rem_euclid(step_of(place))
}
