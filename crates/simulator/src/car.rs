//! A car: a battery that wants energy, a charger on board that can take so much of it, and a short lag.

use std::time::Duration;

use kernel::{Milliamps, Millivolts, PhaseSet, WattHours, Watts};

use super::limit::{LEAST_CURRENT, Limit};

/// How fast the charger on board raises its current, in mA a second.
const RISE_PER_SECOND: i64 = 8_000;
/// How fast it lowers it; IEC 61851-1 allows five seconds, most are quicker.
const FALL_PER_SECOND: i64 = 40_000;
/// From this state of charge on the battery takes less and less, in parts per thousand.
const TAPER_FROM: i64 = 900;
/// Watts times milliseconds in a watt-hour.
const MILLIJOULES: i64 = 3_600_000;

/// How many times faster than real ones batteries fill and drivers come and go.
///
/// Power, meters and the clock of OCPP stay real, so that a limit and its duration mean what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(pub u32);

impl Scale {
    /// As in life.
    pub const REAL: Self = Self(1);

    /// What `span` of life takes in this world.
    pub fn shorten(self, span: Duration) -> Duration {
        span / self.0.max(1)
    }
}

/// What kind of car it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarModel {
    /// The energy of a full battery.
    pub battery: WattHours,
    /// The most its charger takes on each phase.
    pub maximum: Milliamps,
    /// The phases its charger uses.
    pub phases: PhaseSet,
}

impl CarModel {
    /// A car that charges on one phase with up to 32 A.
    pub const fn single_phase(battery: WattHours) -> Self {
        Self { battery, maximum: Milliamps(32_000), phases: PhaseSet::L1 }
    }
}

/// A car at a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car {
    model: CarModel,
    stored_millijoules: i64,
    current: Milliamps,
    phases: PhaseSet,
}

impl Car {
    /// A car that arrives with so many percent in its battery.
    pub fn arriving(model: CarModel, percent: i64) -> Self {
        Self {
            model,
            stored_millijoules: model.battery.get() * MILLIJOULES / 100 * percent.clamp(0, 100),
            current: Milliamps::ZERO,
            phases: model.phases,
        }
    }

    /// State of charge in percent.
    pub fn percent(&self) -> i64 {
        self.per_thousand() / 10
    }

    fn per_thousand(&self) -> i64 {
        match self.model.battery.get() * MILLIJOULES {
            0 => 1_000,
            capacity => self.stored_millijoules.saturating_mul(1_000) / capacity,
        }
    }

    /// Whether its battery takes no more.
    pub fn is_full(&self) -> bool {
        self.stored_millijoules >= self.model.battery.get() * MILLIJOULES
    }

    /// What it draws on each of its phases.
    pub const fn current(&self) -> Milliamps {
        self.current
    }

    /// The phases it draws from.
    pub const fn phases(&self) -> PhaseSet {
        self.phases
    }

    /// What it draws.
    pub fn power(&self, voltage: Millivolts) -> Watts {
        self.current.to_power(voltage, self.phases)
    }

    /// What it would draw if it could: less near the end, nothing when full.
    fn wanted(&self) -> Milliamps {
        let (full, charge) = (self.model.maximum, self.per_thousand());
        if self.is_full() {
            Milliamps::ZERO
        } else if charge < TAPER_FROM {
            full
        } else {
            let left = Milliamps(full.get() * (1_000 - charge) / (1_000 - TAPER_FROM));
            left.max(LEAST_CURRENT)
        }
    }

    /// Lets time pass under a limit, and gives the energy that flowed in watts times milliseconds.
    pub fn advance(&mut self, limit: Limit, voltage: Millivolts, span: Duration, scale: Scale) -> i64 {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let drawn = self.power(voltage).get().saturating_mul(millis);
        let charged = drawn.saturating_mul(i64::from(scale.0));
        self.stored_millijoules =
            (self.stored_millijoules.saturating_add(charged)).min(self.model.battery.get() * MILLIJOULES);
        self.follow(limit, millis);
        drawn
    }

    /// Moves the current towards what is both wanted and allowed; a pause and a full battery cut it at once.
    fn follow(&mut self, limit: Limit, millis: i64) {
        self.phases = PhaseSet::from_fn(|index| self.model.phases.contains(index) && limit.phases.contains(index));
        let target = self.wanted().min(limit.current);
        self.current = if !limit.is_enough() || target < LEAST_CURRENT {
            Milliamps::ZERO
        } else {
            let up = self.current.get() + RISE_PER_SECOND.saturating_mul(millis) / 1_000;
            let down = self.current.get() - FALL_PER_SECOND.saturating_mul(millis) / 1_000;
            Milliamps(target.get().clamp(down.min(up), up.max(down)))
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLTAGE: Millivolts = Millivolts(230_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn amps(amps: i64) -> Limit {
        Limit { current: Milliamps(amps * 1_000), phases: PhaseSet::L1 }
    }

    fn half_full() -> Car {
        Car::arriving(CarModel::single_phase(WattHours(40_000)), 50)
    }

    fn wait(car: &mut Car, limit: Limit, seconds: u32) {
        for _ in 0..seconds {
            car.advance(limit, VOLTAGE, SECOND, Scale::REAL);
        }
    }

    #[test]
    fn it_follows_its_limit_after_a_short_lag() {
        let mut car = half_full();
        wait(&mut car, amps(16), 1);
        assert_eq!(car.current(), Milliamps(8_000));
        wait(&mut car, amps(16), 1);
        assert_eq!(car.current(), Milliamps(16_000));
        wait(&mut car, amps(6), 1);
        assert_eq!(car.current(), Milliamps(6_000));
        wait(&mut car, amps(5), 1);
        assert_eq!(car.current(), Milliamps::ZERO);
    }

    #[test]
    fn its_charger_on_board_is_a_limit_too() {
        let mut car = half_full();
        wait(&mut car, amps(63), 20);
        assert_eq!(car.current(), Milliamps(32_000));
    }

    #[test]
    fn it_tapers_and_stops_when_full() {
        let mut car = Car::arriving(CarModel::single_phase(WattHours(40_000)), 95);
        wait(&mut car, amps(32), 10);
        assert!(car.current() < Milliamps(17_000), "{:?}", car.current());
        for _ in 0..600 {
            car.advance(amps(32), VOLTAGE, SECOND, Scale(60));
        }
        assert!(car.is_full());
        assert_eq!((car.percent(), car.current()), (100, Milliamps::ZERO));
    }

    #[test]
    fn an_hour_at_32_amperes_is_seven_kilowatt_hours() {
        let mut car = half_full();
        let hour: i64 = (0..3_600).map(|_| car.advance(amps(32), VOLTAGE, SECOND, Scale::REAL)).sum();
        let watt_hours = hour / MILLIJOULES;
        assert!((7_340..=7_360).contains(&watt_hours), "{watt_hours}");
        assert_eq!(car.percent(), 50 + watt_hours / 400);
    }
}
