//! For how long a car drew energy, and how much by power over time: what was reported of power, or else what the register
//! rose by.

use serde::{Deserialize, Serialize};

use super::{MICROS, MICROS_AN_HOUR};
use kernel::Watts;

/// Draw below which a car counts as not drawing, in W.
const DRAWING: i64 = 100;
/// A reading of power says nothing of what comes more than an hour after it.
const LONGEST_GAP: i64 = MICROS_AN_HOUR;
/// A register of whole Wh that stands still for so long shows that less than 100 W are drawn.
const SHORTEST: i64 = 36 * MICROS;
/// What registers may count in, in Wh: kWh without or with decimal places.
const STEPS: [i64; 4] = [1_000, 100, 10, 1];
/// A step that took so many times as long as the one before came after a pause.
const SLOWER: i64 = 4;

/// What one instant shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Microseconds since the session began.
    pub(super) elapsed: i64,
    /// The power, in W.
    pub(super) power: Option<i64>,
    /// What the register rose by since it was shown last, in Wh; nothing where it is not shown.
    pub(super) rise: Option<i64>,
}

/// The time of drawing so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Drawing {
    /// Microseconds of drawing.
    time: i64,
    /// What power over time proves, in µWh.
    by_power: i64,
    /// Until when that is counted, in microseconds since the session began.
    until: i64,
    /// Until when the register shows whether energy was drawn.
    register_at: i64,
    /// What it rose by since, in Wh.
    rise: i64,
    /// The power then, where it was reported.
    power: Option<i64>,
    /// For how long the register alone showed no rise, in microseconds, and that was taken for none.
    #[serde(default)]
    still: i64,
    /// How long its last rise took, in microseconds; 0 where there was none.
    #[serde(default)]
    pace: i64,
    /// The largest step that it may count in, as its values show; 0 where there are none.
    #[serde(default)]
    step: i64,
}

impl Drawing {
    /// Counts the time up to this instant.
    pub(super) fn note(&mut self, shown: Shown, rating: Watts) {
        self.rise = self.rise.saturating_add(shown.rise.unwrap_or(0).max(0));
        let since_register = shown.elapsed.saturating_sub(self.register_at).max(0);
        let reports = self.rise > 0 || since_register >= SHORTEST;
        let average = shown.rise.filter(|_| reports).map(|_| average(self.rise, since_register));
        if shown.power.is_none() && average.is_none() && self.power.is_none() {
            return; // nothing shows yet what was drawn since
        }
        let span = shown.elapsed.saturating_sub(self.until).max(0);
        self.bridge(shown, average, (span, since_register));
        let reported = self.power.filter(|_| span <= LONGEST_GAP);
        let steady = reported.unwrap_or(0).clamp(0, rating.get().max(0));
        self.by_power = self.by_power.saturating_add(micro_watt_hours(steady, span));
        if reported.max(average).is_some_and(|power| power >= DRAWING) {
            self.time = self.time.saturating_add(span);
        }
        let stands = shown.power.is_none() && (span == 0 || average.is_none());
        if !stands {
            self.power = shown.power;
        }
        self.until = self.until.max(shown.elapsed);
        if average.is_some() {
            (self.register_at, self.rise) = (shown.elapsed, 0);
        }
    }

    /// A register that counts in steps stands still between them though energy flows: where it rose by one step at most,
    /// that is a draw also over the time that it stood still, and took not much longer than the step before, this was
    /// drawing, too.
    fn bridge(&mut self, shown: Shown, watts: Option<i64>, (span, since_register): (i64, i64)) {
        if self.power.is_some() || (shown.power.is_some() && self.rise == 0) {
            (self.still, self.pace) = (0, 0);
        } else if self.rise > 0 {
            let took = self.still.saturating_add(since_register);
            let keeps_pace = self.pace == 0 || took <= self.pace.saturating_mul(SLOWER);
            if self.rise <= self.step && average(self.rise, took) >= DRAWING && keeps_pace {
                self.time = self.time.saturating_add(self.still);
            }
            (self.still, self.pace) = (0, took);
        } else if watts.is_some() {
            self.still = self.still.saturating_add(span);
        }
    }

    /// Learns from a value of the register, in Wh, in which steps it counts.
    pub(super) fn learn_step(&mut self, register: i64) {
        let divides = |step: &i64| register % step == 0 && self.step % step == 0;
        self.step = STEPS.into_iter().find(divides).unwrap_or(1);
    }

    /// Whole seconds of drawing.
    pub(super) const fn seconds(&self) -> i64 {
        self.time / MICROS
    }

    /// What power over time proves, in whole Wh.
    pub(super) const fn by_power(&self) -> i64 {
        self.by_power / 1_000_000
    }

    /// Goes on from here, where so many seconds were counted in another way.
    pub(super) fn carry(&mut self, elapsed: i64, seconds: i64) {
        self.time = seconds.saturating_mul(MICROS);
        (self.until, self.register_at) = (elapsed, elapsed);
    }

    /// The start is reported late by so many microseconds.
    pub(super) fn shift(&mut self, earlier: i64) {
        self.until = self.until.saturating_add(earlier).max(0);
        self.register_at = self.register_at.saturating_add(earlier).max(0);
    }
}

fn average(rise: i64, micros: i64) -> i64 {
    let watts = i128::from(rise) * i128::from(MICROS_AN_HOUR) / i128::from(micros.max(1));
    i64::try_from(watts).unwrap_or(i64::MAX)
}

fn micro_watt_hours(power: i64, micros: i64) -> i64 {
    let energy = i128::from(power) * i128::from(micros) * 1_000_000 / i128::from(MICROS_AN_HOUR);
    i64::try_from(energy).unwrap_or(i64::MAX)
}
