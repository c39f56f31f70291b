//! Pauses: where a group allows it, cars that have time give way to those that have not.
//!
//! The least that a car can be given is six amps. Giving that to everybody takes power from those who leave soon, so a car
//! whose share by laxity is below half of its minimum waits at zero instead, and one above it gets the whole minimum. Who
//! gives way comes back when the others cannot take all there is, so that no power is lost.

use super::grid::{Grid, take};
use super::laxity::Outlook;
use super::level::Claim;
use super::offer::{AdmissionState, Offer};
use super::queue::is_held;
use super::reason::Reason;
use super::sharing::share;
use super::snapshot::{PriorityClass, Settings};
use kernel::Timestamp;

/// A car that gives way, with what it would ask for.
#[derive(Debug)]
pub(super) struct Paused {
    laxity: i64,
    place: usize,
    offer: Offer,
}

/// Lets cars that have time give way: those that were not started a moment ago, and whose fluid share, as if there were
/// no minimums, is below half of their minimum. The most urgent comes first.
pub(super) fn stand_aside(
    grid: &Grid<'_>,
    available: &[i128],
    settings: &Settings,
    outlook: &Outlook,
    standings: &mut [AdmissionState],
    now: Timestamp,
) -> Vec<Paused> {
    let mut aside = Vec::new();
    if outlook.is_empty() || !grid.nodes.iter().any(|branch| branch.node.allow_pause) {
        return aside;
    }
    let mut fluid = super::claims(grid, outlook, standings, |offer| offer.without_minimum());
    share(grid, available, &mut fluid);
    let members = grid.places.iter().zip(standings).zip(&fluid).enumerate();
    for (index, ((place, standing), share)) in members {
        let (AdmissionState::In(offer), Some(laxity), Some(session)) =
            (&*standing, outlook.laxity(index), place.member.session())
        else {
            continue;
        };
        let keeps = !grid.allows_pause(place)
            || place.member.effective_class() == PriorityClass::Urgent
            || is_held(session, settings, now)
            || share.watts() * 2 >= offer.minimum;
        if !keeps {
            aside.push(Paused { laxity, place: index, offer: offer.clone() });
            *standing = AdmissionState::Out(Reason::CanWait);
        }
    }
    aside.sort_by_key(|one| (one.laxity, grid.places.get(one.place).map(|place| place.member.connector)));
    aside
}

/// Brings back those that gave way, the most urgent first, as long as the others leave power that would be lost.
pub(super) fn bring_back(
    grid: &Grid<'_>,
    available: &[i128],
    outlook: &Outlook,
    aside: &mut Vec<Paused>,
    standings: &mut [AdmissionState],
) {
    while !aside.is_empty() {
        let mut claims = super::claims(grid, outlook, standings, Offer::clone);
        let mut unclaimed = available.to_vec();
        for (place, standing) in grid.places.iter().zip(&*standings) {
            if let AdmissionState::In(offer) = standing {
                take(&mut unclaimed, grid.uses(place), offer.minimum);
            }
        }
        share(grid, available, &mut claims);
        let shared: Vec<i64> = claims.iter().map(Claim::watts_above).collect();
        let mut left = super::room_left(grid, available, &shared);
        let before = aside.len();
        aside.retain(|one| {
            let Some(place) = grid.places.get(one.place) else {
                return false;
            };
            let lost = grid.uses(place).iter().filter_map(|row| row.bears(&left)).min();
            let lost = lost.unwrap_or_default().min(one.offer.maximum);
            let fits = grid.bottleneck(place, &unclaimed, one.offer.minimum).is_none();
            if !fits || lost * 8 < one.offer.minimum {
                return true;
            }
            take(&mut unclaimed, grid.uses(place), one.offer.minimum);
            take(&mut left, grid.uses(place), lost);
            if let Some(standing) = standings.get_mut(one.place) {
                *standing = AdmissionState::In(one.offer.clone());
            }
            false
        });
        if aside.len() == before {
            return;
        }
    }
}

/// Brings back those whose minimum fits beside what the others were given: steps may leave more than shares showed. True when
/// somebody is back, so that everything is to be shared anew.
pub(super) fn fit_after_all(
    grid: &Grid<'_>,
    room: &[i128],
    aside: &mut Vec<Paused>,
    standings: &mut [AdmissionState],
) -> bool {
    let mut room = room.to_vec();
    let before = aside.len();
    aside.retain(|one| {
        let Some(place) = grid.places.get(one.place) else {
            return false;
        };
        if grid.bottleneck(place, &room, one.offer.minimum).is_some() {
            return true;
        }
        take(&mut room, grid.uses(place), one.offer.minimum);
        if let Some(standing) = standings.get_mut(one.place) {
            *standing = AdmissionState::In(one.offer.clone());
        }
        false
    });
    aside.len() < before
}
