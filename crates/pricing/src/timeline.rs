//! What happened in a session: stretches of time without a gap, each with its energy.

#[cfg(test)]
use std::time::Duration;

use kernel::{Timestamp, WattHours, Watts};

/// Average draw below which a car counts as not charging.
const DRAWING: Watts = Watts(100);
/// What registers may count in besides whole Wh: kWh without or with decimal places.
const COARSE: [i64; 3] = [1_000, 100, 10];
/// So many rises by whole steps show that a register counts in them.
const ENOUGH_STEPS: usize = 3;
/// A step that took so many times as long as those beside it came after a pause.
const SLOWER: i64 = 4;

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
        let (passed, length) = (i128::from(at.micros() - self.from.micros()), i128::from(self.micros()));
        if passed >= length {
            return self.energy;
        }
        let energy = i128::from(self.energy.get()) * passed.max(0) / length;
        WattHours(i64::try_from(energy).unwrap_or(i64::MAX))
    }

    /// Its average power.
    pub(super) fn power(&self) -> Watts {
        let watts = i128::from(self.energy.get()) * 3_600_000_000 / i128::from(self.micros().max(1));
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

    /// A session from `start` to `end` that delivered `total`, as these points show it. Points outside are moved to the
    /// nearest end, and energy never runs backwards or beyond the total.
    pub fn from_points(
        (start, end): (Timestamp, Timestamp),
        total: WattHours,
        points: impl IntoIterator<Item = Point>,
    ) -> Self {
        let end = end.max(start);
        let mut points: Vec<Point> = points.into_iter().collect();
        points.sort_by_key(|point| point.at);
        let last = Point { at: end, energy: Some(total), power: None };
        let (mut from, mut before, mut power) = (start, WattHours::ZERO, None);
        let mut stretches = Vec::new();
        let mut silent = Vec::new();
        for point in points.into_iter().chain([last]) {
            let to = point.at.clamp(from, end);
            let Some(energy) = point.energy else {
                power = point.power.or(power);
                continue; // the stretch lasts until energy is known again
            };
            let energy = energy.clamp(before, total.max(before));
            let mut stretch = Stretch { from, to, energy: energy - before, charging: false };
            stretch.charging = stretch.power() >= DRAWING || power.is_some_and(|power| power >= DRAWING);
            if to > from || stretch.energy > WattHours::ZERO {
                stretches.push(stretch);
                silent.push(power.is_none());
            }
            (from, before, power) = (to, energy, point.power);
        }
        bridge(&mut stretches, &silent);
        Self { start, stretches }
    }

    /// The end of what is known.
    pub fn end(&self) -> Timestamp {
        self.stretches.last().map_or(self.start, |stretch| stretch.to)
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
            let stretch = Stretch { from, to, energy: WattHours(energy), charging: energy > 0 };
            from = to;
            stretch
        });
        Self { start, stretches: stretches.collect() }
    }
}

/// Stretches without power, of which the last one alone has energy.
#[derive(Debug, Clone, Copy)]
struct Step {
    first: usize,
    last: usize,
    together: Stretch,
}

/// A register that counts in steps stands still between them though energy flows. Where no power is reported and it rose by one
/// step at most, what it stood still before was charging, too, if that is a draw over the whole time, and took not much
/// longer than the step before or after.
fn bridge(stretches: &mut [Stretch], silent: &[bool]) {
    let steps = steps_in(stretches, silent);
    // The first may begin, and the last may end, at a register that is reported in Wh.
    let until_end = steps.last().is_some_and(|step| step.last.saturating_add(1) == stretches.len());
    let shown = steps.len().saturating_sub(usize::from(until_end));
    let between = steps.get(1..shown).unwrap_or(&[]);
    let divides = |size: &i64| {
        let is_whole = |step: &&Step| step.together.energy.get() % size == 0;
        let whole = steps.iter().filter(is_whole).count();
        whole >= ENOUGH_STEPS && between.iter().all(|step| is_whole(&step))
    };
    let Some(size) = COARSE.into_iter().find(divides) else {
        return;
    };
    for (index, step) in steps.iter().enumerate() {
        let beside = [index.checked_sub(1), index.checked_add(1)];
        let beside = beside.into_iter().flatten().filter_map(|at| steps.get(at));
        let longest = beside.map(|step| step.together.micros()).max().unwrap_or(0);
        let keeps_pace = step.together.micros() <= longest.saturating_mul(SLOWER);
        let is_step = step.together.energy.get() <= size && step.together.power() >= DRAWING;
        if is_step && keeps_pace {
            let still = stretches.get_mut(step.first..step.last).unwrap_or_default();
            still.iter_mut().for_each(|one| one.charging = true);
        }
    }
}

fn steps_in(stretches: &[Stretch], silent: &[bool]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut still: Option<(usize, Timestamp)> = None;
    for (last, (stretch, is_silent)) in stretches.iter().zip(silent).enumerate() {
        if !is_silent {
            still = None;
        } else if stretch.energy == WattHours::ZERO {
            still.get_or_insert((last, stretch.from));
        } else {
            let (first, from) = still.take().unwrap_or((last, stretch.from));
            let together = Stretch { from, ..*stretch };
            steps.push(Step { first, last, together });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A timeline of an hour by what was delivered at the end of each minute.
    fn by_minute(delivered: impl Fn(i64) -> i64, power: Option<Watts>) -> Timeline {
        let at = |minute: i64| Timestamp::from_unix_seconds(1_777_000_000 + 60 * minute);
        let point = |minute: i64| Point { at: at(minute), energy: Some(WattHours(delivered(minute))), power };
        let total = WattHours(delivered(60));
        Timeline::from_points((at(0), at(60)), total, (1..60).map(point))
    }

    fn charging_minutes(timeline: &Timeline) -> i64 {
        let charging = timeline.stretches.iter().filter(|one| one.charging);
        charging.map(Stretch::micros).sum::<i64>() / 60_000_000
    }

    #[test]
    fn a_register_in_tenths_of_a_kilowatt_hour_charges_between_its_steps() {
        // 2 kW: 100 Wh every three minutes.
        let timeline = by_minute(|minute| minute / 3 * 100, None);
        assert_eq!(charging_minutes(&timeline), 60);
    }

    #[test]
    fn a_register_in_whole_kilowatt_hours_charges_until_its_last_step() {
        // 5 kW: 1 kWh every twelve minutes.
        let timeline = by_minute(|minute| minute / 12 * 1_000, None);
        assert_eq!(charging_minutes(&timeline), 60);
        // The car is full after 49 minutes.
        let timeline = by_minute(|minute| minute.min(49) / 12 * 1_000, None);
        assert_eq!(charging_minutes(&timeline), 48);
    }

    #[test]
    fn a_register_that_stands_still_in_whole_watt_hours_does_not_charge() {
        // 1,001 Wh every ten minutes, in its last minute; and the same where power says so.
        let timeline = by_minute(|minute| minute / 10 * 1_001, None);
        assert_eq!(charging_minutes(&timeline), 6);
        let timeline = by_minute(|minute| minute / 10 * 1_000, Some(Watts(0)));
        assert_eq!(charging_minutes(&timeline), 6);
    }

    #[test]
    fn a_pause_before_a_rise_of_several_steps_is_one() {
        // 10 kWh in whole kWh over the first and the last ten minutes.
        let delivered = |minute: i64| (minute.min(10) + (minute - 50).max(0)) * 1_000;
        assert_eq!(charging_minutes(&by_minute(delivered, None)), 20);
    }
}
