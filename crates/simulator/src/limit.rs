//! What an outlet can give and what a limit leaves of it: amperes on each phase, whatever unit it was sent in.

use kernel::{Milliamps, Millivolts, PhaseSet, Watts};
use ocpp::v16::charging_profile::{RateUnit, SchedulePeriod};

/// Below this a car cannot charge (IEC 61851-1), so a lower limit means a pause.
pub const LEAST_CURRENT: Milliamps = Milliamps(6_000);

/// Phases a station assumes when a limit does not say (OCPP 1.6 §7.14).
const ASSUMED_PHASES: usize = 3;

/// The electrical side of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlet {
    /// Between a phase and neutral.
    pub voltage: Millivolts,
    /// The phases it has.
    pub phases: PhaseSet,
    /// The most on each phase.
    pub maximum: Milliamps,
}

impl Outlet {
    /// An outlet on one phase of 230 V that gives this power.
    pub fn single_phase(power: Watts) -> Self {
        let voltage = Millivolts(230_000);
        Self { voltage, phases: PhaseSet::L1, maximum: power.to_current(voltage, PhaseSet::L1) }
    }

    /// What it gives when nobody limits it.
    pub const fn unlimited(&self) -> Limit {
        Limit { current: self.maximum, phases: self.phases }
    }

    /// What one period of a schedule leaves.
    pub fn under(&self, period: &SchedulePeriod, unit: RateUnit) -> Limit {
        let count = period.number_phases.map_or(ASSUMED_PHASES, |count| count as usize);
        let phases = PhaseSet::from_fn(|index| index < count && self.phases.contains(index));
        let tenths = i64::from(period.limit.0);
        let current = match unit {
            RateUnit::Amperes => Milliamps(tenths * 100),
            RateUnit::Watts => Watts(tenths.div_euclid(10)).to_current(self.voltage, phases),
        };
        Limit { current: current.at_least_zero(), phases }
    }

    /// The power of a limit.
    pub fn power(&self, limit: Limit) -> Watts {
        limit.current.to_power(self.voltage, limit.phases)
    }
}

/// What may be drawn from an outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// On each phase.
    pub current: Milliamps,
    /// From these phases.
    pub phases: PhaseSet,
}

impl Limit {
    /// What both allow.
    pub fn and(self, other: Self) -> Self {
        Self {
            current: self.current.min(other.current),
            phases: PhaseSet::from_fn(|index| self.phases.contains(index) && other.phases.contains(index)),
        }
    }

    /// Whether a car can charge at all.
    pub fn is_enough(self) -> bool {
        self.current >= LEAST_CURRENT && self.phases.count() > 0
    }

    /// An equal share of it for each of `count` cars.
    pub fn shared_by(self, count: usize) -> Self {
        let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        Self { current: Milliamps(self.current.get() / count), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocpp::tenths::Tenths;

    fn period(tenths: i32, number_phases: Option<u32>) -> SchedulePeriod {
        SchedulePeriod { start_period: 0, limit: Tenths(tenths), number_phases }
    }

    #[test]
    fn watts_become_amperes_of_the_phases_that_are_used() {
        let three = Outlet { phases: PhaseSet::ALL, maximum: Milliamps(32_000), ..Outlet::single_phase(Watts(7_360)) };
        let watts = |phases| three.under(&period(110_400, phases), RateUnit::Watts);
        assert_eq!(watts(None).current, Milliamps(16_000));
        assert_eq!(watts(Some(1)).current, Milliamps(48_000));
        assert_eq!(three.power(watts(Some(1))), Watts(11_040));
    }

    #[test]
    fn a_limit_in_watts_is_never_exceeded_by_rounding() {
        let outlet = Outlet::single_phase(Watts(7_000));
        for watts in 0..7_000 {
            let limit = outlet.under(&period(watts * 10, None), RateUnit::Watts);
            assert!(outlet.power(limit) <= Watts(i64::from(watts)));
        }
    }

    #[test]
    fn less_than_six_amperes_is_a_pause() {
        let outlet = Outlet::single_phase(Watts(7_000));
        assert!(outlet.under(&period(60, None), RateUnit::Amperes).is_enough());
        assert!(!outlet.under(&period(59, None), RateUnit::Amperes).is_enough());
    }
}
