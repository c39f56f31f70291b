//! How far a meter's clock is behind ours, learnt from when its readings came; pure.
//!
//! A reading cannot come before it was taken, so one that is ahead of its receipt counts from its receipt, and the clock is
//! behind by no more than the youngest reading. That it is behind at all, and the readings are not merely old, is shown by
//! requests that keep their distance for a minute: whoever sends a history gives back hours in moments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use kernel::*;

/// Clocks that are so near are right: delays on the way, times in whole seconds.
const TOLERANCE: Duration = Duration::from_secs(10);
/// How alike the ages of readings must be that came live.
const ALIKE: Duration = Duration::from_secs(3);
/// How long, and in how many requests, they must be alike.
const AGREE_FOR: Duration = Duration::from_secs(60);
const AGREEING: u32 = 3;

/// The clock of a meter. Spans are in microseconds, as those of [`Timestamp`] are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterClock {
    /// How far it is behind, as far as that is shown.
    behind: i64,
    /// What would be shown if it went on.
    candidate: Option<Candidate>,
}

/// Readings that came alike late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    /// The lowest age of these at receipt.
    least: i64,
    /// That of the last one.
    last: i64,
    since: Timestamp,
    requests: u32,
}

impl MeterClock {
    /// Takes in the latest reading of a request.
    pub fn hear(&mut self, at: Timestamp, received: Timestamp) {
        let age = received.micros().saturating_sub(at.micros()).max(0);
        if age <= self.behind.saturating_add(micros(TOLERANCE)) {
            // No clock is further behind than its youngest reading.
            self.behind = if age <= micros(TOLERANCE) { 0 } else { age.min(self.behind) };
            self.candidate = None;
            return;
        }
        let alike = self.candidate.take();
        let alike = alike.filter(|one| one.last.abs_diff(age) <= micros(ALIKE).unsigned_abs());
        let candidate = alike.map_or(Candidate { least: age, last: age, since: received, requests: 1 }, |one| {
            Candidate { least: one.least.min(age), last: age, since: one.since, requests: one.requests + 1 }
        });
        let is_long = received.since(candidate.since) >= AGREE_FOR;
        if is_long && candidate.requests >= AGREEING {
            self.behind = candidate.least;
        } else {
            self.candidate = Some(candidate);
        }
    }

    /// When a reading was taken by our clock, which is never after its receipt.
    pub fn ours(&self, at: Timestamp, received: Timestamp) -> Timestamp {
        Timestamp::from_micros(at.micros().saturating_add(self.behind)).min(received)
    }

    /// How far it is behind.
    pub fn behind(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.behind).unwrap_or_default())
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + seconds)
    }

    /// How old each reading is taken to be, in seconds, of those heard as (time of the meter, receipt).
    fn ages(heard: impl IntoIterator<Item = (i64, i64)>) -> Vec<i64> {
        let mut clock = MeterClock::default();
        let mut age = |(sent, received)| {
            clock.hear(at(sent), at(received));
            at(received).seconds_since(clock.ours(at(sent), at(received)))
        };
        heard.into_iter().map(&mut age).collect()
    }

    #[test]
    fn a_clock_two_hours_behind_is_known_after_a_minute() {
        let live = (0..6).map(|n| (n * 20 - 7_200, n * 20));
        assert_eq!(ages(live), [7_200, 7_200, 7_200, 0, 0, 0]);
        let every_quarter = (0..4).map(|n| (n * 900 - 7_200, n * 900));
        assert_eq!(ages(every_quarter), [7_200, 7_200, 0, 0]);
    }

    #[test]
    fn a_clock_ahead_counts_from_receipt() {
        assert_eq!(ages([(7_200, 0), (7_220, 20), (40, 40)]), [0, 0, 0]);
    }

    #[test]
    fn a_history_that_is_sent_quickly_is_a_history() {
        let a_day_in_two_minutes = (0..120).map(|n| (n * 720 - 86_400, n));
        let ages = ages(a_day_in_two_minutes);
        assert_eq!((ages[0], ages[119]), (86_400, 86_400 - 119 * 719));
    }

    #[test]
    fn a_clock_that_is_set_right_is_right_with_its_first_reading() {
        let behind = (0..4).map(|n| (n * 30 - 7_200, n * 30));
        assert_eq!(ages(behind.chain([(120, 120), (150 - 7_200, 150)])), [7_200, 7_200, 0, 0, 0, 7_200]);
    }

    #[test]
    fn the_youngest_reading_says_how_far_a_clock_is_behind() {
        // Two were two seconds on their way.
        let heard = [(-3_602, 0), (30 - 3_600, 30), (60 - 3_602, 60)];
        assert_eq!(ages(heard), [3_602, 3_600, 2]);
    }

    proptest! {
        #[test]
        fn nothing_is_younger_than_it_can_be(
            heard in prop::collection::vec((0..100_000_i64, 0..200_000_i64), 1..40),
            skew in -10_000..10_000_i64,
        ) {
            // Each was taken, then waited; the clock is off by the same all the time.
            let mut clock = MeterClock::default();
            let mut received = 0;
            for (gap, waited) in heard {
                received += gap;
                let sent = at(received - waited + skew);
                clock.hear(sent, at(received));
                let ours = clock.ours(sent, at(received));
                prop_assert!(ours <= at(received));
                prop_assert!(ours >= sent.min(at(received)));
            }
        }

        #[test]
        fn a_constant_lag_is_learnt_whatever_the_spacing(lag in 11..86_400_i64, gap in 1..900_i64) {
            let requests = 60 / gap + 4;
            let ages = ages((0..requests).map(|n| (n * gap - lag, n * gap)));
            prop_assert_eq!(ages.last(), Some(&0));
        }
    }
}
