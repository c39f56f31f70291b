//! Energy that a station reports by intervals instead of a register.

use serde::{Deserialize, Serialize};

use super::chain::{Bound, cap};
use super::deviation::EnergyDeviation;
use super::elapsed_time::Mark;
use super::most_in;

/// Intervals that are remembered, so that one reported twice counts once: an hour at one a minute, and some.
const REMEMBERED: usize = 64;
/// Thousandths.
const MILLI: i64 = 1_000;

/// What intervals add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intervals {
    /// The latest, by the clock of the station, ascending: when each ended, and its energy in mWh.
    #[serde(default)]
    known: Vec<(i64, i64)>,
    last: Option<Mark>,
    counted: i64,
    cut: i64,
    /// The mWh on top of both.
    #[serde(default)]
    rest: (i64, i64),
}

impl Intervals {
    /// Adds the interval that ends here, once, in mWh; what its plug cannot have given since the one before is cut off. One
    /// of the same time with another energy is another one: the clock went back, or stands still.
    pub(super) fn observe(
        &mut self,
        energy: i64,
        mark: Mark,
        start: Mark,
        bound: Bound,
        flags: &mut Vec<EnergyDeviation>,
    ) {
        let end = mark.station_micros();
        let forgotten = self.known.len() >= REMEMBERED && self.known.first().is_some_and(|(first, _)| end < *first);
        if forgotten || self.known.contains(&(end, energy)) {
            return;
        }
        let before = self.known.iter().rev().find(|(known, _)| *known < end);
        let before = before.map_or(start.station_micros(), |(known, _)| *known);
        let received = mark.since(self.last.unwrap_or(start));
        let span = end.saturating_sub(before).max(received);
        let place = self.known.partition_point(|(known, _)| *known <= end);
        self.known.insert(place, (end, energy));
        if self.known.len() > REMEMBERED {
            self.known.remove(0);
        }
        self.last = Some(mark);
        let milli = |watt_hours: i64| watt_hours.saturating_mul(MILLI);
        let room = milli(bound.most.saturating_sub(self.counted)).saturating_sub(self.rest.0);
        let counted = energy.min(milli(most_in(bound.rating, span))).clamp(0, room.max(0));
        if counted < energy {
            flags.push(EnergyDeviation::EnergyBounded);
        }
        add(&mut self.counted, &mut self.rest.0, counted);
        let cut = energy.saturating_sub(counted).max(0);
        add(&mut self.cut, &mut self.rest.1, cut);
    }

    pub(super) const fn counted(&self) -> i64 {
        self.counted
    }

    pub(super) const fn cut(&self) -> i64 {
        self.cut
    }

    /// No more can have been drawn than that: what its plug can give is known only now.
    pub(super) fn cap(&mut self, most: i64) {
        cap(&mut self.counted, &mut self.cut, most);
    }
}

/// Adds mWh to whole Wh and the rest on top of them.
fn add(whole: &mut i64, rest: &mut i64, milli: i64) {
    let sum = rest.saturating_add(milli);
    *whole = whole.saturating_add(sum.div_euclid(MILLI));
    *rest = sum.rem_euclid(MILLI);
}
