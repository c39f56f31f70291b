//! Cuts a timeline wherever a price may change, so that within a piece every condition either holds or does not.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Offset, TimeZone as _, Utc};

use super::tariff::{Conditions, Tariff};
use super::timeline::{Stretch, Timeline};
use kernel::{TimeZone, Timestamp, WattHours, Watts};

/// Seconds of a day.
const DAY: u32 = 86_400;

/// A part of a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub from: Timestamp,
    pub to: Timestamp,
    pub energy: WattHours,
    pub charging: bool,
    /// Of the whole stretch, on average.
    pub power: Watts,
    /// Drawn by the session before it.
    pub energy_before: WattHours,
}

/// What the conditions of an element are asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub energy: WattHours,
    pub seconds: i64,
    pub power: Watts,
    /// Day of the week (Sunday is 0) and second of the day, by the wall clock.
    pub wall: (u32, u32),
}

impl Conditions {
    /// Whether all of them hold.
    pub(super) fn hold(&self, state: &State) -> bool {
        let (weekday, second) = state.wall;
        self.window.is_none_or(|window| window.contains(weekday, second))
            && self.from_energy.is_none_or(|least| state.energy >= least)
            && self.below_energy.is_none_or(|most| state.energy < most)
            && self.from_seconds.is_none_or(|least| state.seconds >= least)
            && self.below_seconds.is_none_or(|most| state.seconds < most)
            && self.above_power.is_none_or(|least| state.power > least)
            && self.below_power.is_none_or(|most| state.power < most)
    }
}

/// The pieces of a timeline under a tariff.
pub(super) fn pieces(tariff: &Tariff, timeline: &Timeline, zone: TimeZone) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut before = WattHours::ZERO;
    for stretch in &timeline.stretches {
        let mut cuts = cuts(tariff, timeline.start, stretch, before, zone);
        cuts.insert(stretch.to);
        let mut from = stretch.from;
        for to in cuts {
            let (begin, end) = (stretch.energy_until(from), stretch.energy_until(to));
            pieces.push(Piece {
                from,
                to,
                energy: end - begin,
                charging: stretch.charging,
                power: stretch.power(),
                energy_before: before + begin,
            });
            from = to;
        }
        if stretch.micros() == 0 {
            // Energy that came in no time: nothing to cut.
            pieces.push(Piece {
                energy: stretch.energy,
                energy_before: before,
                from: stretch.from,
                to: stretch.to,
                charging: stretch.charging,
                power: stretch.power(),
            });
        }
        before += stretch.energy;
    }
    pieces
}

/// The instants inside a stretch at which a condition may change.
fn cuts(
    tariff: &Tariff,
    start: Timestamp,
    stretch: &Stretch,
    before: WattHours,
    zone: TimeZone,
) -> BTreeSet<Timestamp> {
    let mut cuts = BTreeSet::new();
    let mut seconds = BTreeSet::new();
    for conditions in tariff.elements.iter().map(|element| &element.when) {
        if let Some(window) = conditions.window.filter(|_| !tariff.decided_at_start) {
            seconds.extend([0, window.from % DAY, window.to % DAY]);
        }
        let durations = [conditions.from_seconds, conditions.below_seconds];
        for seconds in durations.into_iter().flatten() {
            cuts.insert(start + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        }
        let energies = [conditions.from_energy, conditions.below_energy];
        for energy in energies.into_iter().flatten() {
            cuts.extend(reaches(stretch, energy - before));
        }
    }
    if !seconds.is_empty() {
        cuts.extend(clock_cuts(stretch, &seconds, zone));
    }
    cuts.retain(|cut| stretch.from < *cut && *cut < stretch.to);
    cuts
}

/// When a stretch has drawn this much.
fn reaches(stretch: &Stretch, energy: WattHours) -> Option<Timestamp> {
    if energy <= WattHours::ZERO || energy >= stretch.energy {
        return None;
    }
    let (energy, all) = (i128::from(energy.get()), i128::from(stretch.energy.get()));
    let passed = (energy * i128::from(stretch.micros()) + all - 1) / all;
    let passed = u64::try_from(passed).ok()?;
    Some(stretch.from + Duration::from_micros(passed))
}

/// When wall clocks show one of these seconds of the day, and when they are put forward or back.
fn clock_cuts(stretch: &Stretch, seconds: &BTreeSet<u32>, zone: TimeZone) -> BTreeSet<Timestamp> {
    let mut cuts = BTreeSet::new();
    let mut date = stretch.from.to_chrono().with_timezone(&zone.0).date_naive();
    let last = stretch.to.to_chrono().with_timezone(&zone.0).date_naive();
    while date <= last {
        for second in seconds {
            let Some(time) = NaiveTime::from_num_seconds_from_midnight_opt(*second, 0) else {
                continue;
            };
            let shown = zone.0.from_local_datetime(&date.and_time(time));
            let shown = [shown.earliest(), shown.latest()];
            cuts.extend(shown.into_iter().flatten().map(|at| Timestamp::from(at.with_timezone(&Utc))));
        }
        let Some(next) = date.succ_opt() else { break };
        date = next;
    }
    cuts.extend(clock_changes(stretch.from, stretch.to, zone));
    cuts
}

/// The instants at which the zone's offset to UTC changes.
fn clock_changes(from: Timestamp, to: Timestamp, zone: TimeZone) -> Vec<Timestamp> {
    let offset = |unix: i64| {
        let at = DateTime::from_timestamp(unix, 0).unwrap_or_default();
        at.with_timezone(&zone.0).offset().fix().local_minus_utc()
    };
    let mut changes = Vec::new();
    let (mut low, end) = (from.unix_seconds(), to.unix_seconds());
    while low < end {
        let day = (low + i64::from(DAY)).min(end);
        if offset(low) != offset(day) {
            let (mut before, mut after) = (low, day);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if offset(middle) == offset(low) {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            changes.push(Timestamp::from_unix_seconds(after));
        }
        low = day;
    }
    changes
}
