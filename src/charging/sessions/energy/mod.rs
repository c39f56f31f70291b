//! What a session is billed for: evidence of registers, bounded by what its plug can give. Pure: no clock, no store.
//!
//! A meter's words are evidence, not truth. An [`EnergyLedger`] keeps the registers of a session apart by what distinguishes
//! them, sums what they rose by, and bounds each step and the whole by the connector's rating and the time that passed.
//! What was cut off is kept and named, so that somebody can look. `ElapsedTime` says how much time passed
//! where the clock of a station may be wrong; `Chain` follows one register through dips, restarts and
//! wild values.

mod chain;
mod deviation;
mod drawing;
mod elapsed_time;
mod intervals;
mod ledger;
mod power;
#[cfg(test)]
mod tests;

pub use deviation::EnergyDeviation;
pub use elapsed_time::{Mark, believed, marks_of_one_message};
pub use ledger::{EnergyLedger, Observed, Series};
pub use power::power_between;

use kernel::Watts;

/// What a plug may give in percent of its rating: mains run up to a tenth above their nominal voltage (EN 50160), and
/// meters of class A err by two percent.
const PERCENT_OF_RATING: i64 = 110;
/// Time that is allowed for on top of what passed: clocks of stations and meters are seconds to a minute apart, and a
/// value may wait as long before it is sent.
const CLOCK_ROOM_MICROS: i64 = 120 * MICROS;
/// The rating of a plug that is not known: more than any plug gives but those of ships and heavy trucks.
const UNKNOWN_RATING: Watts = Watts(1_000_000);
/// A register beyond this, in Wh, is no register: a plug of 1 MW needs a thousand years for it.
const MOST_REGISTER: i64 = 10_000_000_000_000;

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;
/// Microseconds in an hour.
const MICROS_AN_HOUR: i64 = 3_600 * MICROS;

/// The power that a plug of this rating can give at most.
pub fn most_power(rating: Watts) -> Watts {
    Watts(rating.get().saturating_mul(PERCENT_OF_RATING) / 100)
}

/// What a plug of this rating can have given in a span, in Wh, with room for clocks and metering errors.
fn most_in(rating: Watts, micros: i64) -> i64 {
    let span = i128::from(micros.max(0)) + i128::from(CLOCK_ROOM_MICROS);
    let percent = i128::from(rating.get().max(0)) * i128::from(PERCENT_OF_RATING);
    let energy = percent * span / (100 * i128::from(MICROS_AN_HOUR));
    i64::try_from(energy).unwrap_or(i64::MAX)
}
