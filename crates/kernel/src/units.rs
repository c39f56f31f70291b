//! Electrical quantities as integers: no sum of limits is ever off by a rounding error.
//!
//! JSON speaks kilowatts, as eDRV does; here it is watts. Conversions that could raise a limit round down. What is too
//! large for a sum stands at the end of the range: nothing wraps, whatever a meter says.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($($(#[$meta:meta])* $name:ident $symbol:literal)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);
            /// The number alone, in this unit.
            pub const fn get(self) -> i64 { self.0 }
            /// Itself, or zero when negative.
            pub fn at_least_zero(self) -> Self { self.max(Self::ZERO) }
            /// Rounded down to a multiple of `step`; a step of zero or less means no steps.
            pub const fn floor_to(self, step: Self) -> Self {
                if step.0 <= 1 { self } else { Self(self.0 - self.0.rem_euclid(step.0)) }
            }
        }
        impl Add for $name { type Output = Self; fn add(self, other: Self) -> Self { Self(self.0.saturating_add(other.0)) } }
        impl Sub for $name { type Output = Self; fn sub(self, other: Self) -> Self { Self(self.0.saturating_sub(other.0)) } }
        impl Neg for $name { type Output = Self; fn neg(self) -> Self { Self(self.0.saturating_neg()) } }
        impl AddAssign for $name { fn add_assign(&mut self, other: Self) { *self = *self + other; } }
        impl SubAssign for $name { fn sub_assign(&mut self, other: Self) { *self = *self - other; } }
        impl Sum for $name { fn sum<I: Iterator<Item = Self>>(all: I) -> Self { all.fold(Self::ZERO, Self::add) } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!("{} ", $symbol), self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
    )*};
}

unit! {
    /// Power.
    Watts "W"
    /// Current of one phase.
    Milliamps "mA"
    /// Voltage between a phase and neutral.
    Millivolts "mV"
    /// Energy.
    WattHours "Wh"
    /// Energy of short intervals.
    MilliwattHours "mWh"
}

impl Watts {
    /// From kilowatts as JSON has them, to the nearest watt; `None` when it is no number or absurdly large.
    pub fn from_kilowatts(kilowatts: f64) -> Option<Self> {
        let watts = (kilowatts * 1000.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "bounded in the line before")]
        (watts.is_finite() && watts.abs() <= 1e12).then_some(Self(watts as i64))
    }

    /// As JSON has it: 7000 W is 7.0, and 16.1 kW prints as 16.1.
    #[expect(clippy::cast_precision_loss, reason = "powers stay far below 2^53")]
    pub fn kilowatts(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The current per phase that draws at most this power at `voltage` (phase to neutral), rounded down.
    pub fn to_current(self, voltage: Millivolts, phases: PhaseSet) -> Milliamps {
        let divisor = voltage.0.saturating_mul(phases.count());
        if divisor <= 0 { Milliamps::ZERO } else { Milliamps(self.0.saturating_mul(1_000_000).div_euclid(divisor)) }
    }
}

impl Milliamps {
    /// The power of this current on each of `phases` at `voltage`, rounded up: what a limit in amps may really draw.
    pub fn to_power(self, voltage: Millivolts, phases: PhaseSet) -> Watts {
        let micro = self.0.saturating_mul(voltage.0).saturating_mul(phases.count());
        Watts(micro.div_euclid(1_000_000) + i64::from(micro.rem_euclid(1_000_000) > 0))
    }
}

/// Which of the three phases something is connected to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhaseSet(u8);

impl PhaseSet {
    /// The first phase alone.
    pub const L1: Self = Self(1);
    /// The second phase alone.
    pub const L2: Self = Self(2);
    /// The third phase alone.
    pub const L3: Self = Self(4);
    /// All three phases.
    pub const ALL: Self = Self(7);

    /// The set of phases whose index (0, 1, 2) satisfies the test.
    pub fn from_fn(test: impl Fn(usize) -> bool) -> Self {
        Self((0..3).filter(|&index| test(index)).map(|index| 1 << index).sum())
    }
    /// How many phases are in it.
    pub const fn count(self) -> i64 {
        self.0.count_ones() as i64
    }
    /// Whether the phase with this index (0, 1, 2) is in it.
    pub const fn contains(self, index: usize) -> bool {
        index < 3 && self.0 & (1 << index) != 0
    }
    /// The indices that are in it, ascending.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        (0..3).filter(move |&index| self.contains(index))
    }
}

impl fmt::Debug for PhaseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.indices().map(|index| index + 1)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilowatts_keep_tenths_exactly() {
        assert_eq!(Watts::from_kilowatts(16.1), Some(Watts(16_100)));
        assert_eq!(Watts(16_100).kilowatts().to_string(), "16.1");
        assert_eq!(Watts::from_kilowatts(f64::NAN), None);
    }

    #[test]
    fn limits_round_down_and_loads_round_up() {
        let volt = Millivolts(230_000);
        assert_eq!(Watts(7_000).to_current(volt, PhaseSet::ALL), Milliamps(10_144));
        assert_eq!(Milliamps(10_144).to_power(volt, PhaseSet::ALL), Watts(7_000));
        assert_eq!(Milliamps(6_000).to_power(volt, PhaseSet::L1), Watts(1_380));
    }

    #[test]
    fn steps_floor() {
        assert_eq!(Watts(6_049).floor_to(Watts(100)), Watts(6_000));
        assert_eq!(Watts(6_049).floor_to(Watts(0)), Watts(6_049));
    }

    #[test]
    fn phase_sets_count_and_contain() {
        let two = PhaseSet::from_fn(|index| index != 1);
        assert_eq!((two.count(), two.contains(0), two.contains(1)), (2, true, false));
    }
}
