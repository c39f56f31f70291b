//! Fewer messages: small changes that are not worth one are left out, but never a cut that somebody else needs.

use super::grid::{Grid, take};
use super::offer::AdmissionState;
use super::rounding::step_of;
use super::snapshot::{MILLION, Settings};

/// One member that keeps its limit although the plan would change it a little.
struct Change {
    entry: usize,
    from: i64,
    to: i64,
}

/// Puts members back to the limit they have where the change is small, and returns (in tree order) what they would have got.
///
/// Raises below the dead band are not made. Of the others the smallest are left out as long as all of them together stay
/// within the part of their tree's power that may go unused. The slack so gained, and only slack, keeps small cuts away.
pub(super) fn leave_out_small_changes(
    grid: &Grid<'_>,
    available: &[i128],
    settings: &Settings,
    admissions: &[AdmissionState],
    watts: &mut [i64],
) -> Vec<Option<i64>> {
    let mut wanted: Vec<Option<i64>> = vec![None; watts.len()];
    let (mut raises, mut cuts) = changes(grid, admissions, watts);
    raises.retain(|change| {
        let small = change.to - change.from < settings.dead_band.get();
        if small {
            keep(change, watts, &mut wanted);
        }
        !small
    });
    if settings.suppression_ppm == 0 {
        return wanted;
    }
    raises.sort_by_key(|change| change.to - change.from);
    cuts.sort_by_key(|change| change.from - change.to);
    for root in grid.nodes.iter().filter(|branch| branch.parent.is_none()) {
        let capacity = available.get(root.power_row).copied().unwrap_or_default();
        let mut spare = capacity * i128::from(settings.suppression_ppm.min(MILLION)) / i128::from(MILLION);
        for raise in raises.iter().filter(|change| root.members.contains(&change.entry)) {
            spare -= i128::from(raise.to - raise.from);
            if spare < 0 {
                break;
            }
            keep(raise, watts, &mut wanted);
        }
    }
    let mut room = available.to_vec();
    for (entry, given) in grid.entries.iter().zip(watts.iter()) {
        take(&mut room, grid.uses(entry), *given);
    }
    for cut in &cuts {
        let Some(entry) = grid.entries.get(cut.entry) else {
            continue;
        };
        if grid.bottleneck(entry, &room, cut.from - cut.to).is_none() {
            take(&mut room, grid.uses(entry), cut.from - cut.to);
            keep(cut, watts, &mut wanted);
        }
    }
    wanted
}

/// Raises and cuts of members whose present limit would still be a lawful one.
fn changes(grid: &Grid<'_>, admissions: &[AdmissionState], watts: &[i64]) -> (Vec<Change>, Vec<Change>) {
    let members = grid.entries.iter().zip(admissions).zip(watts).enumerate();
    let lawful = members.filter_map(|(entry, ((member, admission), to))| {
        let from = member.member.current.get();
        let AdmissionState::In(offer) = admission else {
            return None;
        };
        let keeps = (offer.minimum.max(1)..=offer.maximum).contains(&from) && from % step_of(member) == 0;
        (keeps && from != *to && *to >= offer.minimum).then_some(Change { entry, from, to: *to })
    });
    lawful.partition(|change| change.to > change.from)
}

fn keep(change: &Change, watts: &mut [i64], wanted: &mut [Option<i64>]) {
    if let (Some(given), Some(wanted)) = (watts.get_mut(change.entry), wanted.get_mut(change.entry)) {
        *given = change.from;
        *wanted = Some(change.to);
    }
}
