//! What a connector drew lately: a meter of the whole site shows the chargers as they were when it was read.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::meter::within;
use kernel::{Timestamp, Watts};

/// Readings that are kept: those of a few minutes.
const KEPT: usize = 8;
/// A reading says nothing of an instant that is further away than this.
const SAYS_SOMETHING_FOR: Duration = Duration::from_secs(300);

/// The latest readings, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Draws(Vec<(Timestamp, Watts)>);

impl Draws {
    /// Takes in a reading, if it is newer than all before.
    pub(super) fn note(&mut self, at: Timestamp, draw: Watts) {
        if self.0.last().is_some_and(|(last, _)| at <= *last) {
            return;
        }
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push((at, draw));
    }

    /// The least and the most that was drawn at an instant, by the readings before and after it. A limit that was sent after
    /// the last reading may show or not. Whatever readings say, it lies between nothing and what was allowed then: who claims
    /// more would hide what others draw.
    pub(super) fn around(
        &self,
        instant: Timestamp,
        limited_at: Option<Timestamp>,
        allowed: Watts,
    ) -> RangeInclusive<Watts> {
        within(self.reported(instant, limited_at, allowed), allowed)
    }

    /// What was claimed last before an instant, if that says something of it.
    pub(super) fn claimed(&self, instant: Timestamp) -> Option<Watts> {
        self.before(instant).map(|(_, draw)| draw)
    }

    fn before(&self, instant: Timestamp) -> Option<(Timestamp, Watts)> {
        let after = self.0.partition_point(|(at, _)| *at <= instant);
        let before = self.0.get(after.checked_sub(1)?).copied();
        before.filter(|(at, _)| instant.since(*at) <= SAYS_SOMETHING_FOR)
    }

    fn reported(&self, instant: Timestamp, limited_at: Option<Timestamp>, allowed: Watts) -> RangeInclusive<Watts> {
        let Some((read_at, draw)) = self.before(instant) else {
            return Watts::ZERO..=allowed;
        };
        match self.0.iter().find(|(at, _)| *at > instant) {
            Some((_, later)) => draw.min(*later)..=draw.max(*later),
            None if limited_at.is_some_and(|limited| limited >= read_at) => draw.min(allowed)..=draw.max(allowed),
            None => draw..=draw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Watts = Watts(11_000);

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    fn noted(readings: &[(i64, i64)]) -> Draws {
        let mut draws = Draws::default();
        for (at, draw) in readings {
            draws.note(second(*at), Watts(*draw));
        }
        draws
    }

    #[test]
    fn readings_on_both_sides_bound_what_was_drawn() {
        let draws = noted(&[(0, 7_000), (60, 3_000), (120, 5_000)]);
        let at = |instant| draws.around(second(instant), None, ALLOWED);
        assert_eq!(at(-1), Watts::ZERO..=ALLOWED, "nothing before");
        assert_eq!(at(30), Watts(3_000)..=Watts(7_000));
        assert_eq!(at(90), Watts(3_000)..=Watts(5_000));
        assert_eq!(at(200), Watts(5_000)..=Watts(5_000));
        assert_eq!(at(421), Watts::ZERO..=ALLOWED, "too long ago");
    }

    #[test]
    fn a_limit_sent_since_the_last_reading_may_show_or_not() {
        let draws = noted(&[(60, 3_000)]);
        let at = |limited, exposure| draws.around(second(70), Some(second(limited)), Watts(exposure));
        assert_eq!(at(65, 11_000), Watts(3_000)..=Watts(11_000));
        assert_eq!(at(65, 2_000), Watts(2_000)..=Watts(2_000));
        assert_eq!(at(59, 11_000), Watts(3_000)..=Watts(3_000));
    }

    #[test]
    fn nobody_drew_less_than_nothing_or_more_than_was_allowed() {
        let draws = noted(&[(0, 30_000), (60, 6_000_000), (120, -4_000)]);
        let at = |instant, allowed| draws.around(second(instant), None, Watts(allowed));
        assert_eq!(at(30, 6_000), Watts(6_000)..=Watts(6_000));
        assert_eq!(at(90, 6_000), Watts::ZERO..=Watts(6_000));
        assert_eq!(at(130, 6_000), Watts::ZERO..=Watts::ZERO);
        let limited = draws.around(second(60), Some(second(61)), Watts(6_000));
        assert_eq!(limited, Watts::ZERO..=Watts(6_000));
    }

    #[test]
    fn only_the_latest_are_kept() {
        let draws = noted(&(0..20).map(|at| (at, at)).collect::<Vec<_>>());
        assert_eq!(draws.0.len(), KEPT);
        assert_eq!(draws.around(second(19), None, ALLOWED), Watts(19)..=Watts(19));
    }
}
