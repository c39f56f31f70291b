//! Which phases a car uses, learnt from its meter: one that charges on one phase of three takes a third of the power that
//! the same current would be on all of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use kernel::{Milliamps, PhaseSet, Timestamp};

/// A phase with more current than this is in use.
const IN_USE: Milliamps = Milliamps(1_000);
/// A car is believed to use fewer phases than it is offered when it did for so long …
const LASTS: Duration = Duration::from_secs(60);
/// … and in so many readings.
const SAMPLES: u32 = 2;

/// What the meter reported of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct UsedPhases {
    /// The phases it uses, where they are fewer than it is offered.
    pub sure: Option<PhaseSet>,
    /// Those it was last seen to use.
    seen: Option<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    phases: PhaseSet,
    since: Timestamp,
    samples: u32,
}

impl UsedPhases {
    /// Takes in the current of every phase; true when a phase is in use that was believed not to be.
    pub(super) fn observe(&mut self, at: Timestamp, currents: [Milliamps; 3], offered: PhaseSet) -> bool {
        let in_use = PhaseSet::from_fn(|phase| currents.get(phase).is_some_and(|it| *it > IN_USE));
        if in_use.count() == 0 {
            return false;
        }
        let seen = match self.seen.filter(|seen| seen.phases == in_use) {
            Some(seen) => Seen { samples: seen.samples + 1, ..seen },
            None => Seen { phases: in_use, since: at, samples: 1 },
        };
        self.seen = Some(seen);
        let surprises = self.sure.is_some_and(|sure| in_use.indices().any(|phase| !sure.contains(phase)));
        if surprises {
            self.sure = None;
        } else if in_use.count() < offered.count() && seen.samples >= SAMPLES && at.since(seen.since) >= LASTS {
            self.sure = Some(in_use);
        }
        surprises
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(used: &mut UsedPhases, second: i64, amps: [i64; 3]) -> bool {
        let currents = amps.map(|amps| Milliamps(amps * 1_000));
        let at = Timestamp::from_unix_seconds(1_800_000_000 + second);
        used.observe(at, currents, PhaseSet::ALL)
    }

    #[test]
    fn one_phase_is_believed_after_a_minute_and_doubted_at_once() {
        let mut used = UsedPhases::default();
        assert!(!seen(&mut used, 0, [0, 16, 0]));
        assert!(!seen(&mut used, 30, [0, 16, 0]));
        assert_eq!(used.sure, None, "for half a minute only");
        assert!(!seen(&mut used, 60, [0, 16, 1]));
        assert_eq!(used.sure, Some(PhaseSet::L2));
        assert!(!seen(&mut used, 90, [0, 0, 0]), "a pause says nothing");
        assert_eq!(used.sure, Some(PhaseSet::L2));
        assert!(seen(&mut used, 120, [8, 8, 8]));
        assert_eq!(used.sure, None);
    }

    #[test]
    fn three_phases_teach_nothing() {
        let mut used = UsedPhases::default();
        for second in [0, 60, 120] {
            assert!(!seen(&mut used, second, [16, 16, 16]));
        }
        assert_eq!(used.sure, None);
    }
}
