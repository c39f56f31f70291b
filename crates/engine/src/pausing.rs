//! Pauses: where a group allows it, cars that have time give way to those that have not.
//!
//! The least that a car can be given is six amps. Giving that to everybody takes power from those who leave soon, so a car
//! whose share by laxity is below half of its minimum waits at zero instead, and one above it gets the whole minimum. Who
//! gives way comes back when the others cannot take all there is, so that no power is lost.

use super::grid::{Grid, take};
use super::laxity::Outlook;
use super::level::Claim;
use super::offer::{AdmissionState, Offer};
use super::queue::is_within_minimum_on_time;
use super::reason::Reason;
use super::sharing::share;
use super::snapshot::{PriorityClass, Settings};
use kernel::Timestamp;

/// A car that gives way, with what it would ask for.
#[derive(Debug)]
pub(super) struct Paused {
    laxity: i64,
    entry: usize,
    offer: Offer,
}

/// Lets cars that have time give way: those that were not started a moment ago, and whose fluid share, as if there were
/// no minimums, is below half of their minimum. The most urgent comes first.
pub(super) fn pause(
    grid: &Grid<'_>,
    available: &[i128],
    settings: &Settings,
    outlook: &Outlook,
    admissions: &mut [AdmissionState],
    now: Timestamp,
) -> Vec<Paused> {
    let mut paused = Vec::new();
    if outlook.is_empty() || !grid.nodes.iter().any(|branch| branch.node.allow_pause) {
        return paused;
    }
    let mut fluid = super::claims(grid, outlook, admissions, |offer| offer.without_minimum());
    share(grid, available, &mut fluid);
    let members = grid.entries.iter().zip(admissions).zip(&fluid).enumerate();
    for (index, ((entry, admission), share)) in members {
        let (AdmissionState::In(offer), Some(laxity), Some(session)) =
            (&*admission, outlook.laxity(index), entry.member.session())
        else {
            continue;
        };
        let keeps = !grid.allows_pause(entry)
            || entry.member.effective_class() == PriorityClass::Urgent
            || is_within_minimum_on_time(session, settings, now)
            || share.watts() * 2 >= offer.minimum;
        if !keeps {
            paused.push(Paused { laxity, entry: index, offer: offer.clone() });
            *admission = AdmissionState::Out(Reason::CanWait);
        }
    }
    paused.sort_by_key(|one| (one.laxity, grid.entries.get(one.entry).map(|entry| entry.member.connector)));
    paused
}

/// Brings back those that gave way, the most urgent first, as long as the others leave power that would be lost.
pub(super) fn bring_back(
    grid: &Grid<'_>,
    available: &[i128],
    outlook: &Outlook,
    paused: &mut Vec<Paused>,
    admissions: &mut [AdmissionState],
) {
    while !paused.is_empty() {
        let mut claims = super::claims(grid, outlook, admissions, Offer::clone);
        let mut unclaimed = available.to_vec();
        for (entry, admission) in grid.entries.iter().zip(&*admissions) {
            if let AdmissionState::In(offer) = admission {
                take(&mut unclaimed, grid.uses(entry), offer.minimum);
            }
        }
        share(grid, available, &mut claims);
        let shared: Vec<i64> = claims.iter().map(Claim::watts_above).collect();
        let mut left = super::room_left(grid, available, &shared);
        let before = paused.len();
        paused.retain(|one| {
            let Some(entry) = grid.entries.get(one.entry) else {
                return false;
            };
            let lost = grid.uses(entry).iter().filter_map(|row| row.bears(&left)).min();
            let lost = lost.unwrap_or_default().min(one.offer.maximum);
            let fits = grid.bottleneck(entry, &unclaimed, one.offer.minimum).is_none();
            if !fits || lost * 8 < one.offer.minimum {
                return true;
            }
            take(&mut unclaimed, grid.uses(entry), one.offer.minimum);
            take(&mut left, grid.uses(entry), lost);
            if let Some(admission) = admissions.get_mut(one.entry) {
                *admission = AdmissionState::In(one.offer.clone());
            }
            false
        });
        if paused.len() == before {
            return;
        }
    }
}

/// Brings back those whose minimum fits beside what the others were given: steps may leave more than shares showed. True when
/// somebody is back, so that everything is to be shared anew.
pub(super) fn fit_after_all(
    grid: &Grid<'_>,
    room: &[i128],
    paused: &mut Vec<Paused>,
    admissions: &mut [AdmissionState],
) -> bool {
    let mut room = room.to_vec();
    let before = paused.len();
    paused.retain(|one| {
        let Some(entry) = grid.entries.get(one.entry) else {
            return false;
        };
        if grid.bottleneck(entry, &room, one.offer.minimum).is_some() {
            return true;
        }
        take(&mut room, grid.uses(entry), one.offer.minimum);
        if let Some(admission) = admissions.get_mut(one.entry) {
            *admission = AdmissionState::In(one.offer.clone());
        }
        false
    });
    paused.len() < before
}
