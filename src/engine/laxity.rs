//! Deadlines: who can least afford to wait gets more, and where not all demands can be met, all are cut alike.
//!
//! The laxity of a session is the time it could still lose and be ready in time. Sharing so that laxities become equal
//! one period later is affine water-filling (smoothed least laxity first: Chen, Kurniawan, Nakahira, Chen and Low, "Smoothed
//! Least-Laxity-First Algorithm for EV Charging", arXiv 2102.08610). Laxities are taken of demands that were scaled by the
//! largest fraction everybody present can still reach, so that overload hits all in proportion and nobody alone.

use super::grid::{Grid, Place};
use super::level::Claim;
use super::offer::{Offer, Standing};
use super::snapshot::{Algorithm, Session, Settings};
use crate::kernel::Timestamp;

/// The period after which laxities are to be equal, and after which such shares are worth planning again.
pub(super) const PERIOD_SECONDS: u32 = 300;
const SECOND: i128 = 1_000_000;
const PERIOD: i128 = PERIOD_SECONDS as i128 * SECOND;
const HOUR: i128 = 3_600 * SECOND;
/// Fractions are counted in 1/2²⁰, a millionth: finer than any meter.
const WHOLE: i128 = 1 << 20;
/// Bases beyond this many watts change nothing: such a session has its minimum or its maximum.
const FARTHEST_BASE: i128 = 1_000_000_000_000;

/// What a session still wants: microseconds, watts and watt-microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Demand {
    rate: i128,
    time_left: i128,
    energy: i128,
    received: i128,
}

impl Demand {
    /// The demand of a session that can draw `rate` watts; a departure that is unknown or past is replaced by the defaults.
    fn of(session: &Session, rate: i64, settings: &Settings, now: Timestamp) -> Self {
        let deadline = session.deadline.filter(|deadline| deadline.departure > now);
        let time_left = deadline.map_or(
            i128::from(settings.default_stay_seconds) * SECOND,
            |deadline| i128::from(deadline.departure.micros()) - i128::from(now.micros()),
        );
        let energy = deadline.map_or(settings.default_energy, |deadline| deadline.energy);
        Self {
            rate: i128::from(rate.max(1)),
            time_left,
            energy: i128::from(energy.at_least_zero().get()) * HOUR,
            received: i128::from(session.attained.at_least_zero().get()) * HOUR,
        }
    }

    /// What is missing to this fraction of its demand, as far as it can be delivered in time.
    fn missing(&self, fraction: i128) -> i128 {
        let wanted = self.energy * fraction / WHOLE - self.received;
        wanted.clamp(0, self.rate * self.time_left)
    }

    /// The time it could lose.
    fn laxity(&self, fraction: i128) -> i128 {
        self.time_left - self.missing(fraction) / self.rate
    }
}

/// The time a session could lose if all of its demand is to be met, in microseconds: its key in a queue by laxity.
pub(super) fn laxity(session: &Session, rate: i64, settings: &Settings, now: Timestamp) -> i128 {
    Demand::of(session, rate, settings, now).laxity(WHOLE)
}

/// Replaces the claims of members that share by deadlines. True when there are some.
///
/// In a group where nobody named a departure the shares stay equal.
pub(super) fn claim_by_laxity(
    grid: &Grid<'_>,
    available: &[i128],
    settings: &Settings,
    standings: &[Standing],
    now: Timestamp,
    claims: &mut [Claim],
) -> bool {
    let by_deadline = nodes_with_deadlines(grid, standings, now);
    if !by_deadline.contains(&true) {
        return false;
    }
    let demands: Vec<Option<Demand>> = grid
        .places
        .iter()
        .zip(standings)
        .map(|(place, standing)| demand_of(place, standing, settings, now))
        .collect();
    let mut fractions: Vec<i128> = Vec::with_capacity(grid.nodes.len());
    for branch in &grid.nodes {
        let below = demands.get(branch.members.clone()).unwrap_or_default();
        let below: Vec<Demand> = below.iter().flatten().copied().collect();
        let capacity = available.get(branch.power_row).copied().unwrap_or_default();
        let above = branch
            .parent
            .and_then(|parent| fractions.get(parent))
            .copied();
        fractions.push(reachable_fraction(&below, capacity).min(above.unwrap_or(WHOLE)));
    }
    let members = grid
        .places
        .iter()
        .zip(standings)
        .zip(demands.iter().zip(claims));
    for ((place, standing), (demand, claim)) in members {
        let node = place
            .node
            .filter(|node| by_deadline.get(*node) == Some(&true));
        let fraction = node.and_then(|node| fractions.get(node));
        if let (Standing::In(offer), Some(demand), Some(fraction)) = (standing, demand, fraction) {
            *claim = affine(offer, demand, *fraction);
        }
    }
    true
}

/// Which nodes share by deadlines and have a member that named one.
fn nodes_with_deadlines(grid: &Grid<'_>, standings: &[Standing], now: Timestamp) -> Vec<bool> {
    let mut found = vec![false; grid.nodes.len()];
    for (place, standing) in grid.places.iter().zip(standings) {
        let deadline = place.member.session().and_then(|session| session.deadline);
        let counts = matches!(standing, Standing::In(_))
            && deadline.is_some_and(|deadline| deadline.departure > now);
        let node = place
            .node
            .filter(|_| counts && grid.algorithm(place) == Algorithm::Deadline);
        if let Some(found) = node.and_then(|node| found.get_mut(node)) {
            *found = true;
        }
    }
    found
}

fn demand_of(
    place: &Place<'_>,
    standing: &Standing,
    settings: &Settings,
    now: Timestamp,
) -> Option<Demand> {
    match standing {
        Standing::In(offer) if !offer.left_over => Some(Demand::of(
            place.member.session()?,
            offer.maximum,
            settings,
            now,
        )),
        Standing::In(_) | Standing::Out(_) => None,
    }
}

/// `rate × (level + 1 − laxity)`, laxity in periods.
fn affine(offer: &Offer, demand: &Demand, fraction: i128) -> Claim {
    let base = demand.rate * (PERIOD - demand.laxity(fraction)) / PERIOD;
    let base = base.clamp(-FARTHEST_BASE, FARTHEST_BASE);
    let base = i64::try_from(base).unwrap_or_default();
    Claim::new(offer.maximum, base, offer.minimum, offer.maximum)
}

/// The largest fraction of their demands that all can reach with this capacity in watts.
fn reachable_fraction(demands: &[Demand], capacity: i128) -> i128 {
    let (mut reachable, mut beyond) = (0, WHOLE + 1);
    let mut guess = WHOLE;
    while beyond - reachable > 1 {
        if can_reach(demands, guess, capacity) {
            reachable = guess;
        } else {
            beyond = guess;
        }
        guess = reachable + (beyond - reachable) / 2;
    }
    reachable
}

/// Whether this fraction of all demands can be delivered in time.
///
/// It can when up to every instant no more is needed than the capacity delivers: a session needs nothing until its laxity
/// is used up, then its rate until it leaves. What is needed grows fastest just before somebody leaves, so only those
/// instants are looked at.
fn can_reach(demands: &[Demand], fraction: i128, capacity: i128) -> bool {
    let mut events: Vec<(i128, bool, i128)> = Vec::with_capacity(demands.len() * 2);
    for demand in demands {
        if demand.missing(fraction) > 0 {
            events.push((demand.laxity(fraction), false, demand.rate));
            events.push((demand.time_left, true, demand.rate));
        }
    }
    events.sort_unstable();
    let (mut at, mut rate, mut needed) = (0_i128, 0_i128, 0_i128);
    for (time, leaves, own_rate) in events {
        needed += rate * (time - at);
        at = time;
        if leaves {
            if needed > capacity * at {
                return false;
            }
            rate -= own_rate;
        } else {
            rate += own_rate;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn demand(rate: i128, seconds: i128, energy: i128) -> Demand {
        Demand {
            rate,
            time_left: seconds * SECOND,
            energy: energy * SECOND,
            received: 0,
        }
    }

    #[test]
    fn enough_for_all_is_a_whole_and_half_is_a_half() {
        let both = [demand(10, 10, 50), demand(10, 10, 50)];
        assert_eq!(reachable_fraction(&both, 10), WHOLE);
        assert_eq!(reachable_fraction(&both, 5), WHOLE / 2);
        assert_eq!(reachable_fraction(&both, 0), 0);
        assert_eq!(reachable_fraction(&[], 0), WHOLE);
    }

    #[test]
    fn an_early_departure_is_the_bottleneck_not_the_sum() {
        // The first needs 8 W throughout its two seconds; there are 6.
        let both = [demand(8, 2, 16), demand(8, 100, 16)];
        assert_eq!(reachable_fraction(&both, 6), WHOLE * 3 / 4);
    }

    /// The energy that can be delivered in seconds of at most `capacity`, by augmenting paths from sessions to seconds.
    fn most_deliverable(demands: &[(i64, usize, i64)], capacity: i64) -> i64 {
        let seconds = demands
            .iter()
            .map(|demand| demand.1)
            .max()
            .unwrap_or_default();
        let mut flow = vec![vec![0_i64; seconds]; demands.len()];
        let mut total = 0;
        for start in 0..demands.len() {
            while flow[start].iter().sum::<i64>() < demands[start].2 {
                let mut seen = (vec![false; demands.len()], vec![false; seconds]);
                if !augment(start, demands, capacity, &mut flow, &mut seen) {
                    break;
                }
                total += 1;
            }
        }
        total
    }

    /// Moves one unit more into some second that `session` can use, pushing others to other seconds if need be.
    fn augment(
        session: usize,
        demands: &[(i64, usize, i64)],
        capacity: i64,
        flow: &mut [Vec<i64>],
        seen: &mut (Vec<bool>, Vec<bool>),
    ) -> bool {
        seen.0[session] = true;
        for second in 0..demands[session].1 {
            if seen.1[second] || flow[session][second] >= demands[session].0 {
                continue;
            }
            seen.1[second] = true;
            let full = flow.iter().map(|session| session[second]).sum::<i64>() >= capacity;
            let mut moved = !full;
            for other in 0..demands.len() {
                if !moved
                    && !seen.0[other]
                    && flow[other][second] > 0
                    && augment(other, demands, capacity, flow, seen)
                {
                    flow[other][second] -= 1;
                    moved = true;
                }
            }
            if moved {
                flow[session][second] += 1;
                return true;
            }
        }
        false
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_can_be_reached_is_what_a_flow_delivers(
            demands in vec((1..6_i64, 1..6_usize, 0..20_i64), 1..5),
            capacity in 0..12_i64,
        ) {
            let demands: Vec<(i64, usize, i64)> = demands
                .into_iter()
                .map(|(rate, seconds, energy)| (rate, seconds, energy.min(rate * seconds as i64)))
                .collect();
            let all: i64 = demands.iter().map(|demand| demand.2).sum();
            let fluid: Vec<Demand> = demands
                .iter()
                .map(|(rate, seconds, energy)| demand((*rate).into(), *seconds as i128, (*energy).into()))
                .collect();
            let flows = most_deliverable(&demands, capacity) == all;
            prop_assert_eq!(can_reach(&fluid, WHOLE, capacity.into()), flows);
        }
    }
}
