//! What a car has shown to use, so that it can lend what it leaves to others.
//!
//! A car that draws clearly less than it may, for a minute and in two readings, is taken to need only a little more than
//! that. When its draw comes up to this estimate, the estimate rises, doubles with the next reading that does and is dropped
//! with the third; and every half hour it is offered more without having asked, because a car that was cold or slow may have
//! changed its mind.
//!
//! Lending must not cost the lender anything. A one-phase car on three phases draws a third of what it is offered and needs
//! all of the current, so its reading counts as if all phases drew as much as the highest. Where only power is known, a draw
//! that falls after the limit did is a suspicion, the limit is given back, and if the draw rises then, the car lends no more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use kernel::{Timestamp, Watts};

/// How long a limit must stand before a reading says something about the car and not about the change.
const SETTLED_AFTER: Duration = Duration::from_secs(20);
/// How long a car must draw less, …
const LASTS: Duration = Duration::from_secs(60);
/// … and in how many readings.
const SAMPLES: u32 = 2;
/// How often it is offered more.
const PROBE_EVERY: Duration = Duration::from_secs(1_800);

/// What a car has shown to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Demand {
    /// The most it uses, with a margin; unknown while it takes what it is given.
    pub estimate: Option<Watts>,
    /// Since when it draws less than it may.
    below_since: Option<Timestamp>,
    /// In how many readings.
    samples: u32,
    /// How many readings in a row came up to the estimate.
    wants_more: u32,
    /// When it was last offered more.
    probed_at: Option<Timestamp>,
    /// What it drew when the estimate was made.
    basis: Option<Watts>,
    /// What it drew when the estimate was suspected to have cost it something.
    suspicion: Option<Watts>,
    /// It drew less because it was offered less: it does not lend.
    needs_all: bool,
}

/// A reading, and what it is to be compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    /// When it was measured.
    pub at: Timestamp,
    /// What the car drew.
    pub draw: Watts,
    /// What it may draw, confirmed by its station, and since when.
    pub limit: (Watts, Timestamp),
    /// The least it is ever given.
    pub minimum: Watts,
    /// The power of one ampere on all its phases.
    pub ampere: Watts,
}

impl Demand {
    /// Learns from a reading.
    pub(super) fn observe(&mut self, seen: &Observed) {
        let Observed { at, draw, limit: (limit, since), minimum, ampere } = *seen;
        if self.needs_all || at < since + SETTLED_AFTER {
            return;
        }
        let margin = |of: Watts| ampere.max(Watts(of.get() / 20));
        if self.was_hurt(draw, limit, margin(draw)) {
            return;
        }
        match self.estimate {
            // Half an ampere, because the margin is a whole one: a steady draw must not count as wanting more.
            Some(estimate) if draw + Watts(ampere.get() / 2) >= estimate => {
                self.wants_more += 1;
                self.estimate = match self.wants_more {
                    1 => Some(estimate + ampere.max(Watts(estimate.get() / 10))),
                    2 => Some(estimate + estimate),
                    _ => None,
                };
                (self.below_since, self.samples) = (None, 0);
            }
            _ if limit - draw > margin(limit) => {
                self.wants_more = 0;
                self.samples += 1;
                let since = *self.below_since.get_or_insert(at);
                if self.samples >= SAMPLES && at.since(since) >= LASTS {
                    self.settle(at, draw, (draw + margin(draw)).max(minimum));
                }
            }
            _ => (self.below_since, self.samples) = (None, 0),
        }
        self.probe(at);
    }

    /// Takes an estimate, unless there is a lower one.
    fn settle(&mut self, at: Timestamp, draw: Watts, estimate: Watts) {
        if self.estimate.is_none_or(|before| estimate < before) {
            (self.estimate, self.basis) = (Some(estimate), Some(draw));
        }
        self.probed_at.get_or_insert(at);
        (self.below_since, self.samples, self.suspicion) = (None, 0, None);
    }

    /// Whether the estimate may have cost the car something; then it is withdrawn, and the next readings decide.
    fn was_hurt(&mut self, draw: Watts, limit: Watts, margin: Watts) -> bool {
        if let (Some(_), Some(basis)) = (self.estimate, self.basis)
            && limit >= basis
            && draw + margin < basis
        {
            *self = Self { suspicion: Some(draw), probed_at: self.probed_at, ..Self::default() };
            return true;
        }
        self.needs_all = self.suspicion.is_some_and(|suspected| draw > suspected + margin);
        self.needs_all
    }

    fn probe(&mut self, at: Timestamp) {
        if let (Some(estimate), Some(last)) = (self.estimate, self.probed_at)
            && at.since(last) >= PROBE_EVERY
        {
            self.estimate = Some(estimate + Watts(estimate.get() / 5));
            self.probed_at = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    /// A car that may draw 7 kW and draws this much at these seconds.
    fn learn(demand: &mut Demand, limit: i64, readings: &[(u64, i64)]) {
        for (second, draw) in readings {
            demand.observe(&Observed {
                at: NOON + Duration::from_secs(*second),
                draw: Watts(*draw),
                limit: (Watts(limit), NOON),
                minimum: Watts(1_380),
                ampere: Watts(230),
            });
        }
    }

    #[test]
    fn a_minute_of_less_is_an_estimate_and_a_moment_is_none() {
        let mut demand = Demand::default();
        learn(&mut demand, 7_000, &[(10, 0), (30, 3_600), (60, 3_600)]);
        assert_eq!(demand.estimate, None, "half a minute");
        learn(&mut demand, 7_000, &[(90, 3_600)]);
        assert_eq!(demand.estimate, Some(Watts(3_830)));

        let mut full = Demand::default();
        learn(&mut full, 7_000, &[(30, 6_800), (60, 6_700), (120, 6_900)]);
        assert_eq!(full.estimate, None, "within the margin");
        let mut spikes = Demand::default();
        learn(&mut spikes, 7_000, &[(30, 3_000), (60, 7_000), (100, 3_000)]);
        assert_eq!(spikes.estimate, None, "not in between");
    }

    #[test]
    fn the_estimate_follows_a_car_that_wants_more() {
        let mut demand = Demand::default();
        learn(&mut demand, 7_000, &[(30, 2_000), (90, 2_000)]);
        assert_eq!(demand.estimate, Some(Watts(2_230)));
        learn(&mut demand, 2_230, &[(120, 2_200), (150, 2_460)]);
        assert_eq!(demand.estimate, Some(Watts(4_920)), "doubled");
        learn(&mut demand, 4_920, &[(180, 4_900)]);
        assert_eq!(demand.estimate, None);
    }

    proptest! {
        /// Cars share what there is; each draws what it wants, up to its limit. One that wants more after lending for a while
        /// has its equal share back within three readings.
        #[test]
        fn i15_who_lent_has_its_share_back_within_three_readings(
            wants in prop::collection::vec(0..7_000_i64, 2..6),
            capacity in 12_000..30_000_i64,
            then in 0..7_000_i64,
        ) {
            let mut wants = wants;
            let (share, mut demands) = (
                capacity / i64::try_from(wants.len()).expect("few"),
                vec![Demand::default(); wants.len()],
            );
            let mut second = 0;
            let mut round = |wants: &[i64], demands: &mut [Demand]| {
                let most = |demand: &Demand| demand.estimate.map_or(7_000, |it| it.get().min(7_000));
                let limits = water_filling(capacity, &demands.iter().map(most).collect::<Vec<_>>());
                second += 60;
                for ((demand, limit), wants) in demands.iter_mut().zip(&limits).zip(wants) {
                    learn(demand, *limit, &[(second, *limit.min(wants))]);
                }
                limits
            };
            for _ in 0..6 {
                prop_assert!(round(&wants, &mut demands).iter().sum::<i64>() <= capacity);
            }
            wants[0] = then;
            for _ in 0..3 {
                round(&wants, &mut demands);
            }
            let limit = round(&wants, &mut demands)[0];
            // Estimates have a margin, so nothing is lost below what it wants; the level is found to ten watts.
            prop_assert!(limit + 10 >= share.min(then), "{limit} W of {share} W, wants {then} W");
        }
    }

    /// The same for all, at most what each takes.
    fn water_filling(capacity: i64, most: &[i64]) -> Vec<i64> {
        let level = (0..=capacity)
            .rev()
            .step_by(10)
            .find(|level| most.iter().map(|most| *most.min(level)).sum::<i64>() <= capacity);
        let level = level.unwrap_or(0);
        most.iter().map(|most| *most.min(&level)).collect()
    }

    #[test]
    fn a_car_that_draws_less_because_it_may_lends_no_more() {
        let mut demand = Demand::default();
        learn(&mut demand, 11_000, &[(30, 3_600), (90, 3_600)]);
        assert_eq!(demand.estimate, Some(Watts(3_830)));
        learn(&mut demand, 3_830, &[(120, 1_300)]);
        assert_eq!(demand.estimate, None, "a one-phase car that only reports its power");
        learn(&mut demand, 11_000, &[(150, 3_600), (180, 3_600), (300, 3_600)]);
        assert_eq!(demand.estimate, None);
    }

    #[test]
    fn a_battery_that_fills_lends_more_and_more() {
        let mut demand = Demand::default();
        learn(&mut demand, 7_000, &[(30, 3_600), (90, 3_600)]);
        learn(&mut demand, 3_830, &[(120, 3_000)]);
        assert_eq!(demand.estimate, None, "a suspicion");
        learn(&mut demand, 7_000, &[(150, 2_900), (210, 2_900)]);
        assert_eq!(demand.estimate, Some(Watts(3_130)), "which was none");
    }

    #[test]
    fn it_is_never_below_the_minimum_and_is_offered_more_now_and_then() {
        let mut demand = Demand::default();
        learn(&mut demand, 7_000, &[(30, 0), (90, 0)]);
        assert_eq!(demand.estimate, Some(Watts(1_380)));
        learn(&mut demand, 1_380, &[(1_889, 0)]);
        assert_eq!(demand.estimate, Some(Watts(1_380)));
        learn(&mut demand, 1_380, &[(1_890, 0)]);
        assert_eq!(demand.estimate, Some(Watts(1_656)), "a fifth more after half an hour");
    }
}
