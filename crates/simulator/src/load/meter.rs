//! What the meter of a station shows: a time that is later than the last one, and values that go with each other.
//!
//! A register that did not rise as power and time want it, or a time that was there before, takes another way through a
//! server than real ones do; and values that never change flatter whoever compresses them.

use kernel::Timestamp;

/// What a charging car draws on average, in W: a tenth below the 7 kW of its plug, so that no bound cuts it.
const MEAN_POWER: i64 = 6_790;
/// Microseconds in an hour.
const MICROS_AN_HOUR: i64 = 3_600_000_000;
/// The state of charge at the start, in percent.
const FIRST_PERCENT: i64 = 20;
/// Energy of a percent of the battery, in Wh: of 60 kWh.
const WATT_HOURS_A_PERCENT: i64 = 600;
/// The state of charge that is not exceeded.
const LAST_PERCENT: i64 = 90;

/// A meter.
#[derive(Debug)]
pub(super) struct Meter {
    begun: Timestamp,
    first_register: i64,
    last_millis: i64,
    dice: u64,
}

/// One look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) at: Timestamp,
    /// Wh.
    pub(super) register: i64,
    /// W.
    pub(super) power: i64,
    /// Tenths of an ampere.
    pub(super) deciamps: i64,
    /// Tenths of a volt.
    pub(super) decivolts: i64,
    pub(super) percent: i64,
}

impl Meter {
    /// The meter of the station with this number, from now on.
    pub(super) fn new(station: u64, now: Timestamp) -> Self {
        let first_register = 1_000_000 + i64::try_from(station % 1_000_000).unwrap_or_default() * 1_003;
        Self { begun: now, first_register, last_millis: now.millis(), dice: mixed(station.wrapping_add(1)) }
    }

    /// A time in whole milliseconds, later than every one before.
    pub(super) fn time(&mut self, now: Timestamp) -> Timestamp {
        self.last_millis = now.millis().max(self.last_millis + 1);
        Timestamp::from_micros(self.last_millis * 1_000)
    }

    /// Reads it.
    pub(super) fn read(&mut self, now: Timestamp) -> Reading {
        let at = self.time(now);
        let passed = (at.micros() - self.begun.micros()).max(0);
        let energy = i64::try_from(i128::from(passed) * i128::from(MEAN_POWER) / i128::from(MICROS_AN_HOUR));
        let energy = energy.unwrap_or_default();
        self.dice = mixed(self.dice);
        let deciamps = 291 + drawn(self.dice, 10);
        let decivolts = 2_290 + drawn(self.dice >> 16, 21);
        Reading {
            at,
            register: self.first_register + energy,
            power: deciamps * decivolts / 100,
            deciamps,
            decivolts,
            percent: (FIRST_PERCENT + energy / WATT_HOURS_A_PERCENT).min(LAST_PERCENT),
        }
    }
}

/// One of so many numbers from 0 on.
fn drawn(dice: u64, numbers: u64) -> i64 {
    i64::try_from((dice & 0xffff) % numbers).unwrap_or_default()
}

/// Another number that looks unlike this one (splitmix64, Steele, Lea and Flood 2014): the same draws in every run.
pub(super) const fn mixed(seed: u64) -> u64 {
    let mut number = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
