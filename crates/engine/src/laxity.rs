//! Deadlines: who can least afford to wait gets more, and where not all demands can be met, all are cut alike.
//!
//! The laxity of a session is the time it could still lose and be ready in time. Sharing so that laxities become equal
//! one period later is affine water-filling (smoothed least laxity first: Chen, Kurniawan, Nakahira, Chen and Low, "Smoothed
//! Least-Laxity-First Algorithm for EV Charging", arXiv 2102.08610). Laxities are taken of demands that were scaled by the
//! largest fraction everybody present can still reach, so that overload hits all in proportion and nobody alone.

use super::grid::{Grid, GridEntry};
use super::level::{Claim, FRACTION_BITS};
use super::offer::{AdmissionState, Offer};
use super::snapshot::{Algorithm, Session, Settings};
use kernel::Timestamp;

/// The period after which laxities are to be equal, and after which such shares are worth planning again.
pub(super) const PERIOD_SECONDS: u32 = 300;
/// Time is counted in milliseconds here, energy in watt-milliseconds.
const PERIOD: i64 = PERIOD_SECONDS as i64 * 1_000;
const HOUR: i64 = 3_600_000;
/// Who leaves later than in thirty days is in no hurry at all; so a gigawatt for that long still fits 64 bits.
const FARTHEST: i64 = 30 * 24 * HOUR;
/// No session needs more watt hours than this.
const MOST_ENERGY: i64 = 1_000_000_000_000;
/// Fractions are counted in 1/2³⁰: what is lost is less than a watt.
const WHOLE_BITS: u32 = 30;
const WHOLE: i64 = 1 << WHOLE_BITS;
/// Bases beyond this many watts change nothing: such a session has its minimum or its maximum.
const FARTHEST_BASE: i128 = 1_000_000_000_000;
/// After so many cuts the search for the fraction halves.
const MOST_CUTS: u32 = 12;

/// What a session still wants: milliseconds, watts and watt-milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Demand {
    rate: i64,
    time_left: i64,
    energy: i64,
    received: i64,
}

impl Demand {
    /// The demand of a session that can draw `rate` watts. What is unknown is replaced by the defaults, and so is a
    /// departure that has passed: it was wrong, which makes nobody urgent.
    fn of(session: &Session, rate: i64, settings: &Settings, now: Timestamp) -> Self {
        let deadline = session.deadline;
        let to_come = deadline.filter(|deadline| deadline.departure > now);
        let time_left = to_come.map_or(i64::from(settings.default_stay_seconds) * 1_000, |deadline| {
            (deadline.departure.micros().saturating_sub(now.micros()) / 1_000).max(1)
        });
        let energy = deadline.map_or(settings.default_energy, |deadline| deadline.energy);
        Self {
            rate: rate.max(1),
            time_left: time_left.min(FARTHEST),
            energy: energy.get().clamp(0, MOST_ENERGY) * HOUR,
            received: session.attained.get().clamp(0, MOST_ENERGY) * HOUR,
        }
    }

    /// The most that can be delivered in time.
    #[inline]
    const fn deliverable(&self) -> i64 {
        self.rate * self.time_left
    }

    /// What is missing to this fraction of its demand, as far as it can be delivered in time.
    #[inline]
    fn missing(&self, fraction: i64) -> i64 {
        let wanted = (i128::from(self.energy) * i128::from(fraction)) >> WHOLE_BITS;
        let missing = i64::try_from(wanted).unwrap_or(i64::MAX) - self.received;
        missing.clamp(0, self.deliverable())
    }

    /// What must be delivered up to an instant: all that is missing but what can still be delivered after it.
    #[inline]
    fn needed(&self, fraction: i64, until: i64) -> i64 {
        let later = self.rate * (self.time_left - until).max(0);
        (self.missing(fraction) - later).max(0)
    }

    /// The time it could lose.
    fn laxity(&self, fraction: i64) -> i64 {
        self.time_left - self.missing(fraction) / self.rate
    }

    /// `rate × (level + 1 − laxity)`, laxity in periods.
    fn claim(&self, offer: &Offer, fraction: i64) -> Claim {
        let spare = i128::from(self.deliverable() - self.missing(fraction)) << FRACTION_BITS;
        let base = (i128::from(self.rate) << FRACTION_BITS) - spare / i128::from(PERIOD);
        let farthest = FARTHEST_BASE << FRACTION_BITS;
        let base = i64::try_from(base.clamp(-farthest, farthest)).unwrap_or_default();
        Claim::from_fine_base(offer.maximum, base, offer.minimum, offer.maximum)
    }
}

/// Who shares by deadlines, and how urgent each of them is.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    /// By grid entry: the demand, and the fraction of it that is within reach. Empty where nobody shares by deadlines.
    urgencies: Vec<Option<(Demand, i64)>>,
}

impl Outlook {
    /// Looks at everybody who can take part, whether their minimum will fit or not.
    ///
    /// In a group where nobody named a departure there is nothing to look at: its shares stay equal.
    pub(crate) fn new(
        grid: &Grid<'_>,
        available: &[i128],
        settings: &Settings,
        admissions: &[AdmissionState],
        now: Timestamp,
    ) -> Self {
        let by_deadline = nodes_with_deadlines(grid, admissions, now);
        if !by_deadline.contains(&true) {
            return Self::default();
        }
        let demands: Vec<Option<Demand>> = grid
            .entries
            .iter()
            .zip(admissions)
            .map(|(entry, admission)| demand_of(entry, admission, settings, now))
            .collect();
        let mut fractions: Vec<i64> = Vec::with_capacity(grid.nodes.len());
        for branch in &grid.nodes {
            let below = demands.get(branch.members.clone()).unwrap_or_default();
            let below: Vec<Demand> = below.iter().flatten().copied().collect();
            let capacity = available.get(branch.power_row).copied().unwrap_or_default();
            let above = branch.parent.and_then(|parent| fractions.get(parent)).copied();
            fractions.push(reachable_fraction(&below, capacity).min(above.unwrap_or(WHOLE)));
        }
        let urgency = |(entry, demand): (&GridEntry<'_>, Option<Demand>)| {
            let group = grid.sharing_group(entry)?;
            by_deadline.get(group).filter(|it| **it)?;
            Some((demand?, *fractions.get(entry.node?)?))
        };
        Self { urgencies: grid.entries.iter().zip(demands).map(urgency).collect() }
    }

    /// Whether nobody shares by deadlines.
    pub(crate) fn is_empty(&self) -> bool {
        self.urgencies.is_empty()
    }

    fn urgency(&self, entry: usize) -> Option<(&Demand, i64)> {
        let (demand, fraction) = self.urgencies.get(entry)?.as_ref()?;
        Some((demand, *fraction))
    }

    /// The milliseconds that an entry could lose and still reach what all can reach; none where it shares otherwise.
    pub(crate) fn laxity(&self, entry: usize) -> Option<i64> {
        let (demand, fraction) = self.urgency(entry)?;
        Some(demand.laxity(fraction))
    }

    /// What an entry claims of the power; none where it shares otherwise.
    pub(crate) fn claim(&self, entry: usize, offer: &Offer) -> Option<Claim> {
        let (demand, fraction) = self.urgency(entry)?;
        Some(demand.claim(offer, fraction))
    }
}

/// Which nodes share by deadlines and have a member that named one.
fn nodes_with_deadlines(grid: &Grid<'_>, admissions: &[AdmissionState], now: Timestamp) -> Vec<bool> {
    let mut found = vec![false; grid.nodes.len()];
    for (entry, admission) in grid.entries.iter().zip(admissions) {
        let deadline = entry.member.session().and_then(|session| session.deadline);
        let counts =
            matches!(admission, AdmissionState::In(_)) && deadline.is_some_and(|deadline| deadline.departure > now);
        let group = grid.sharing_group(entry).filter(|_| counts && grid.algorithm(entry) == Algorithm::Deadline);
        if let Some(found) = group.and_then(|group| found.get_mut(group)) {
            *found = true;
        }
    }
    found
}

fn demand_of(entry: &GridEntry<'_>, admission: &AdmissionState, settings: &Settings, now: Timestamp) -> Option<Demand> {
    match admission {
        AdmissionState::In(offer) if !offer.left_over => {
            Some(Demand::of(entry.member.session()?, offer.maximum, settings, now))
        }
        AdmissionState::In(_) | AdmissionState::Out(_) => None,
    }
}

/// The largest fraction of their demands that all can reach with this capacity in watts.
///
/// Where a fraction is too much, some instant shows it most clearly. What is needed up to that instant alone bounds the
/// fraction from above, and tightly so, so that few instants have to be looked at until a fraction is within reach.
fn reachable_fraction(demands: &[Demand], capacity: i128) -> i64 {
    let mut cuts = Cuts::new(demands);
    let (mut reachable, mut beyond, mut guess, mut tries) = (0, WHOLE + 1, WHOLE, 0);
    while beyond - reachable > 1 {
        match cuts.fullest_instant(demands, guess, capacity) {
            None if tries <= MOST_CUTS => return guess,
            None => reachable = guess,
            Some(instant) => {
                beyond = guess;
                guess = fraction_at(demands, instant, capacity, guess);
            }
        }
        tries += 1;
        if tries > MOST_CUTS {
            guess = reachable + (beyond - reachable) / 2;
        }
    }
    reachable
}

/// The largest fraction below `beyond` for which no more is needed up to an instant than the capacity delivers until then.
///
/// What is needed never falls as the fraction rises: false position, and halving when that is slow.
fn fraction_at(demands: &[Demand], instant: i64, capacity: i128, beyond: i64) -> i64 {
    let room = capacity * i128::from(instant);
    let excess = |fraction| {
        let needed = demands.iter().map(|one| i128::from(one.needed(fraction, instant)));
        needed.sum::<i128>() - room
    };
    let (mut low, mut high) = (0, beyond);
    let (mut below, mut above) = (excess(low), excess(high));
    let mut sweeps = 0_u32;
    while high - low > 1 {
        let span = i128::from(high - low);
        let halve = sweeps % 3 == 2 || above <= below;
        let step = if halve { span / 2 } else { span * -below / (above - below) };
        let fraction = low + i64::try_from(step).unwrap_or_default().clamp(1, high - low - 1);
        let over = excess(fraction);
        if over <= 0 {
            (low, below) = (fraction, over);
        } else {
            (high, above) = (fraction, over);
        }
        sweeps += 1;
    }
    low
}

/// The instants at which somebody leaves: what is needed grows fastest just before them, so only they are looked at.
struct Cuts {
    /// In order, each once.
    instants: Vec<i64>,
    /// By demand: where its departure is among them.
    exits: Vec<usize>,
    /// By instant: by how much more is needed from there on, and how much faster that grows with time.
    needs: Vec<(i128, i128)>,
}

impl Cuts {
    fn new(demands: &[Demand]) -> Self {
        let mut instants: Vec<i64> = demands.iter().map(|demand| demand.time_left).collect();
        instants.sort_unstable();
        instants.dedup();
        let exit = |demand: &Demand| instants.partition_point(|at| *at < demand.time_left);
        Self { exits: demands.iter().map(exit).collect(), needs: vec![(0, 0); instants.len() + 1], instants }
    }

    /// The instant up to which most is needed beyond what the capacity delivers until then; none if that is enough.
    ///
    /// A session needs nothing until its laxity is used up, then its rate until it leaves.
    fn fullest_instant(&mut self, demands: &[Demand], fraction: i64, capacity: i128) -> Option<i64> {
        self.needs.fill((0, 0));
        for (demand, exit) in demands.iter().zip(&self.exits) {
            let missing = demand.missing(fraction);
            if missing == 0 {
                continue;
            }
            let laxity = (demand.deliverable() - missing) / demand.rate;
            let start = self.instants.partition_point(|at| *at <= laxity);
            let (rate, whole) = (i128::from(demand.rate), i128::from(demand.deliverable()));
            if let Some((needed, growth)) = self.needs.get_mut(start) {
                *needed += i128::from(missing) - whole;
                *growth += rate;
            }
            if let Some((needed, growth)) = self.needs.get_mut(exit + 1) {
                *needed += whole;
                *growth -= rate;
            }
        }
        let (mut needed, mut growth, mut most, mut fullest) = (0_i128, 0_i128, 0_i128, None);
        for (at, (more, faster)) in self.instants.iter().zip(&self.needs) {
            needed += more;
            growth += faster;
            let excess = needed + (growth - capacity) * i128::from(*at);
            if excess > most {
                (most, fullest) = (excess, Some(*at));
            }
        }
        fullest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn demand(rate: i64, seconds: i64, energy: i64) -> Demand {
        Demand { rate, time_left: seconds * 1_000, energy: energy * 1_000, received: 0 }
    }

    /// As near as whole watt-milliseconds of so small demands allow.
    fn assert_near(fraction: i64, wanted: i64) {
        assert!((fraction - wanted).abs() < WHOLE / 10_000, "{fraction}");
    }

    #[test]
    fn enough_for_all_is_a_whole_and_half_is_a_half() {
        let both = [demand(10, 10, 50), demand(10, 10, 50)];
        assert_eq!(reachable_fraction(&both, 10), WHOLE);
        assert_near(reachable_fraction(&both, 5), WHOLE / 2);
        assert_near(reachable_fraction(&both, 0), 0);
        assert_eq!(reachable_fraction(&[], 0), WHOLE);
    }

    #[test]
    fn an_early_departure_is_the_bottleneck_not_the_sum() {
        // The first needs 8 W throughout its two seconds; there are 6.
        let both = [demand(8, 2, 16), demand(8, 100, 16)];
        assert_near(reachable_fraction(&both, 6), WHOLE / 4 * 3);
    }

    /// The energy that can be delivered in seconds of at most `capacity`, by augmenting paths from sessions to seconds.
    fn most_deliverable(demands: &[(i64, usize, i64)], capacity: i64) -> i64 {
        let seconds = demands.iter().map(|demand| demand.1).max().unwrap_or_default();
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
                if !moved && !seen.0[other] && flow[other][second] > 0 && augment(other, demands, capacity, flow, seen)
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
        fn i16_what_can_be_reached_is_what_a_flow_delivers(
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
                .map(|(rate, seconds, energy)| demand(*rate, *seconds as i64, *energy))
                .collect();
            let flows = most_deliverable(&demands, capacity) == all;
            prop_assert_eq!(Cuts::new(&fluid).fullest_instant(&fluid, WHOLE, capacity.into()).is_none(), flows);
        }

        #[test]
        fn i16_the_fraction_within_reach_is_the_one_a_flow_delivers(
            quarters in vec((1..6_i64, 1..6_usize, 0..8_i64), 1..5),
            capacity in 0..12_i64,
        ) {
            let fluid: Vec<Demand> =
                quarters.iter().map(|(rate, seconds, energy)| demand(*rate, *seconds as i64, energy * 4)).collect();
            let fraction = reachable_fraction(&fluid, capacity.into());
            for quarter in 1..=4 {
                let part: Vec<(i64, usize, i64)> = quarters
                    .iter()
                    .map(|(rate, seconds, energy)| (*rate, *seconds, (energy * quarter).min(rate * *seconds as i64)))
                    .collect();
                let all: i64 = part.iter().map(|demand| demand.2).sum();
                let flows = most_deliverable(&part, capacity) == all;
                prop_assert_eq!(fraction >= WHOLE / 4 * quarter, flows, "{} quarters", quarter);
            }
        }

        #[test]
        fn i16_no_larger_fraction_is_within_reach(
            sessions in vec((1..20_000_i64, 1..90_000_i64, 0..80_000_i64, 0..40_000_i64), 1..40),
            capacity in 0..120_000_i64,
        ) {
            let fluid: Vec<Demand> = sessions
                .iter()
                .map(|(rate, seconds, energy, received)| Demand {
                    received: received * HOUR,
                    ..demand(*rate, *seconds, energy * 3_600)
                })
                .collect();
            let fraction = reachable_fraction(&fluid, capacity.into());
            let fits = |fraction| fluid.iter().all(|one| {
                let needed: i128 = fluid.iter().map(|other| i128::from(other.needed(fraction, one.time_left))).sum();
                needed <= i128::from(capacity) * i128::from(one.time_left)
            });
            prop_assert!(fits(fraction));
            prop_assert!(fraction == WHOLE || !fits(fraction + 1));
        }
    }
}
