//! Energy that a station tells by intervals instead of a register.

use serde::{Deserialize, Serialize};

use super::chain::Bound;
use super::course::Mark;
use super::flag::EnergyFlag;
use super::most_in;

/// Intervals that are remembered, so that one told twice counts once: an hour at one a minute, and some.
const REMEMBERED: usize = 64;

/// What intervals add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intervals {
    /// The ends of the latest, by the clock of the station, ascending.
    ends: Vec<i64>,
    last: Option<Mark>,
    counted: i64,
    cut: i64,
}

impl Intervals {
    /// Adds the interval that ends here, once; what its plug cannot have given since the one before is cut off.
    pub(super) fn observe(
        &mut self,
        energy: i64,
        mark: Mark,
        start: Mark,
        bound: Bound,
        flags: &mut Vec<EnergyFlag>,
    ) {
        let end = mark.told_micros();
        let forgotten =
            self.ends.len() >= REMEMBERED && self.ends.first().is_some_and(|first| end < *first);
        let Err(place) = self.ends.binary_search(&end) else {
            return;
        };
        if forgotten {
            return;
        }
        let before = place.checked_sub(1).and_then(|index| self.ends.get(index));
        let told = end.saturating_sub(before.copied().unwrap_or(start.told_micros()));
        let received = self
            .last
            .map_or_else(|| mark.since(start), |last| mark.since(last));
        self.ends.insert(place, end);
        if self.ends.len() > REMEMBERED {
            self.ends.remove(0);
        }
        self.last = Some(mark);
        let room = bound.most.saturating_sub(self.counted).max(0);
        let counted = energy
            .min(most_in(bound.rating, told.max(received)))
            .clamp(0, room);
        if counted < energy {
            flags.push(EnergyFlag::EnergyBounded);
        }
        self.counted = self.counted.saturating_add(counted);
        self.cut = self
            .cut
            .saturating_add(energy.saturating_sub(counted).max(0));
    }

    pub(super) const fn counted(&self) -> i64 {
        self.counted
    }

    pub(super) const fn cut(&self) -> i64 {
        self.cut
    }
}
