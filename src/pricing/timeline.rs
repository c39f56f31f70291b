//! What happened in a session: stretches of time without a gap, each with its energy.

#[cfg(test)]
use std::time::Duration;

use crate::kernel::{Timestamp, WattHours, Watts};

/// Average draw below which a car counts as not charging.
const DRAWING: Watts = Watts(100);

/// A stretch of a session; its energy flowed evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The energy drawn in it.
    pub energy: WattHours,
    /// Whether the car was charging.
    pub charging: bool,
}

impl Stretch {
    /// Its length in microseconds.
    pub(super) const fn micros(&self) -> i64 {
        self.to.micros() - self.from.micros()
    }

    /// The energy drawn in it up to an instant, in whole Wh.
    pub(super) fn energy_until(&self, at: Timestamp) -> WattHours {
        let (passed, length) = (
            i128::from(at.micros() - self.from.micros()),
            i128::from(self.micros()),
        );
        if passed >= length {
            return self.energy;
        }
        let energy = i128::from(self.energy.get()) * passed.max(0) / length;
        WattHours(i64::try_from(energy).unwrap_or(i64::MAX))
    }

    /// Its average power.
    pub(super) fn power(&self) -> Watts {
        let watts =
            i128::from(self.energy.get()) * 3_600_000_000 / i128::from(self.micros().max(1));
        Watts(i64::try_from(watts).unwrap_or(i64::MAX))
    }
}

/// What was known at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The instant.
    pub at: Timestamp,
    /// The energy delivered until then, where it was measured.
    pub energy: Option<WattHours>,
    /// The power drawn then, where it was measured.
    pub power: Option<Watts>,
}

/// A session from its start to its end, or to what is known so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    pub(super) start: Timestamp,
    pub(super) stretches: Vec<Stretch>,
}

impl Timeline {
    /// A session of these stretches, each beginning where the one before ended.
    pub fn new(start: Timestamp, stretches: Vec<Stretch>) -> Self {
        Self { start, stretches }
    }

    /// A session from `start` to `end` that delivered `total`, as these points tell it. Points outside are moved to the
    /// nearest end, and energy never runs backwards or beyond the total.
    pub fn from_points(
        (start, end): (Timestamp, Timestamp),
        total: WattHours,
        points: impl IntoIterator<Item = Point>,
    ) -> Self {
        let end = end.max(start);
        let mut points: Vec<Point> = points.into_iter().collect();
        points.sort_by_key(|point| point.at);
        let last = Point {
            at: end,
            energy: Some(total),
            power: None,
        };
        let (mut from, mut before, mut power) = (start, WattHours::ZERO, None);
        let mut stretches = Vec::new();
        for point in points.into_iter().chain([last]) {
            let to = point.at.clamp(from, end);
            let Some(energy) = point.energy else {
                power = point.power.or(power);
                continue; // the stretch lasts until energy is known again
            };
            let energy = energy.clamp(before, total.max(before));
            let mut stretch = Stretch {
                from,
                to,
                energy: energy - before,
                charging: false,
            };
            stretch.charging =
                stretch.power() >= DRAWING || power.is_some_and(|power| power >= DRAWING);
            if to > from || stretch.energy > WattHours::ZERO {
                stretches.push(stretch);
            }
            (from, before, power) = (to, energy, point.power);
        }
        Self { start, stretches }
    }

    /// The end of what is known.
    pub fn end(&self) -> Timestamp {
        self.stretches
            .last()
            .map_or(self.start, |stretch| stretch.to)
    }

    /// When it was charging for the last time.
    pub(super) fn charged_until(&self) -> Timestamp {
        let charging = self.stretches.iter().rev().find(|stretch| stretch.charging);
        charging.map_or(self.start, |stretch| stretch.to)
    }

    /// A timeline of one stretch after another: how long, how much energy; one without energy is not charging.
    #[cfg(test)]
    pub(super) fn of(start: &str, parts: &[(u64, i64)]) -> Self {
        let start: Timestamp = start.parse().expect("an instant");
        let mut from = start;
        let stretches = parts.iter().map(|&(seconds, energy)| {
            let to = from + Duration::from_secs(seconds);
            let stretch = Stretch {
                from,
                to,
                energy: WattHours(energy),
                charging: energy > 0,
            };
            from = to;
            stretch
        });
        Self {
            start,
            stretches: stretches.collect(),
        }
    }
}
