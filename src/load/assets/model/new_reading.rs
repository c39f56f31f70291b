//! Readings as they come: power, or current, voltage and power factor, turned into power and current of each phase.

use std::time::Duration;

use serde_json::Value;

use super::asset::Asset;
use super::reading::Reading;
use super::signs::{self, Signs};
use crate::http::Faults;
use crate::http::fields::{Field, Path, wrong};
use crate::http::quantities::{SignedAmps, SignedKilowatts, Volts};
use crate::sites::locations::Location;
use crate::sites::stations::CurrentType;
use crate::{input, json_schema};
use kernel::*;

/// How far ahead of ours a meter's clock may be.
const FURTHEST_FUTURE: Duration = Duration::from_secs(24 * 3_600);
/// How old a reading may be: ten years, for those who bring their history along.
const FURTHEST_PAST: Duration = Duration::from_secs(3_653 * 24 * 3_600);

/// One number, or one for each phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerPhase<T>(Vec<T>);

/// How it is described.
struct Numbers;

json_schema!(Numbers, {"oneOf": [
    {"type": "number"},
    {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3}
]});

impl<T: Field> Field for PerPhase<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Array(items) if matches!(items.len(), 1..=3) => Vec::read(value, at, faults).map(Self),
            Value::Array(_) | Value::Object(_) => wrong(at, faults, "a number, or one for each phase"),
            one => T::read(one, at, faults).map(|one| Self(vec![one])),
        }
    }
}

input! {
    /// A reading: power, or current of each phase, at one instant. Of smart meters of a site or a building, of consumers
    /// and of others, positive means drawing and negative feeding in; of producers, batteries and meters of production,
    /// positive means giving and negative drawing (a battery that is charged).
    pub(crate) struct NewReading {
        /// When it was measured; now when absent. At most 24 hours ahead and ten years ago.
        pub at: Option<Timestamp>,
        /// The power of all phases together, in kW; computed from `phase_power` or `current` when absent.
        #[schema(example = 12.5)]
        pub power: Option<SignedKilowatts>,
        /// The current of each phase in A, with the sign of power; one number where there is one phase, or DC. Currents of
        /// a meter that knows no sign are taken as negative where its power is, with a warning.
        #[schema(value_type = Option<Numbers>)]
        pub current: Option<PerPhase<SignedAmps>>,
        /// The voltage in V, for all phases or for each, in the asset's voltage type; the asset's voltage when absent.
        #[schema(value_type = Option<Numbers>)]
        pub voltage: Option<PerPhase<Volts>>,
        /// The power of each phase, in kW.
        #[schema(value_type = Option<Numbers>)]
        pub phase_power: Option<PerPhase<SignedKilowatts>>,
        /// The energy register in Wh.
        pub energy: Option<i64>,
    }
}

impl NewReading {
    /// What it says of an asset, and whether its currents had no sign; every fault is noted by its field.
    pub(crate) fn reading_of(
        self,
        asset: &Asset,
        location: &Location,
        now: Timestamp,
    ) -> Result<(Reading, Signs), Faults> {
        let mut faults = Faults::default();
        let at = whole_millis(self.at.unwrap_or(now));
        if at > now + FURTHEST_FUTURE {
            faults.add("at", "out_of_range", "lies more than 24 hours ahead");
        } else if at < now - FURTHEST_PAST {
            faults.add("at", "out_of_range", "lies more than ten years ago");
        }
        if self.energy.is_some_and(|energy| energy < 0) {
            faults.add("energy", "out_of_range", "must be at least 0");
        }
        let electrics = Electrics::of(asset);
        let measured = self.voltage.is_some();
        let current = electrics.phases(self.current, "current", &mut faults);
        let given = electrics.phases(self.phase_power, "phase_power", &mut faults);
        let voltage = electrics.voltage(self.voltage, asset, location, &mut faults);
        let current = current.map(|one| one.map(|SignedAmps(current)| current));
        let given = given.map(|one| one.map(|SignedKilowatts(power)| power));
        let sent = self.power.map(|SignedKilowatts(power)| power);
        let carried = zip(current, voltage).map(|(current, voltage)| Some(electrics.power(current?, voltage?)));
        let (current, signs) = signs::put(current, carried, (sent, given));
        let phase_power = zip(zip(current, voltage), given)
            .map(|(carried, given)| given.or_else(|| Some(electrics.power(carried.0?, carried.1?))));
        let sum: Option<Watts> = phase_power.iter().take(electrics.count).copied().sum();
        let power = sent.or(sum);
        if faults.is_empty() && power.is_none() {
            if current.iter().any(Option::is_some) {
                let message = "is required, here or of the asset, to know the power of a current";
                faults.add("voltage", "required", message);
            } else {
                let message = "is required, unless there is `current` or `phase_power`";
                faults.add("power", "required", message);
            }
        }
        let Some(power) = power.filter(|_| faults.is_empty()) else {
            return Err(faults);
        };
        let current = electrics.current(current, phase_power, voltage, power);
        // A voltage that nobody measured matters only as what a current was computed with.
        let voltage = zip(voltage, current).map(|(volts, amps)| volts.filter(|_| measured || amps.is_some()));
        let reading = Reading { at, power, phase_power, current, voltage, energy: self.energy.map(WattHours) };
        Ok((reading, signs))
    }
}

/// To the millisecond, as answers show it: what a client reads and sends again is the same reading.
fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.millis() * 1_000)
}

/// What turns current into power and back.
struct Electrics {
    /// Phases that readings have numbers for.
    count: usize,
    power_factor: i128,
    /// Whether the asset gives: then numbers are rounded down, else up, so that the load is never too small.
    produces: bool,
}

impl Electrics {
    fn of(asset: &Asset) -> Self {
        Self {
            count: match asset.electric_current_type {
                CurrentType::AcThreePhase => 3,
                CurrentType::Dc | CurrentType::AcSinglePhase => 1,
            },
            power_factor: i128::from(asset.power_factor),
            produces: asset.produces(),
        }
    }

    /// One number a phase, or none at all.
    fn phases<T: Copy>(&self, given: Option<PerPhase<T>>, field: &str, faults: &mut Faults) -> [Option<T>; 3] {
        match given {
            Some(PerPhase(numbers)) if numbers.len() == self.count => {
                [0, 1, 2].map(|phase| numbers.get(phase).copied())
            }
            Some(PerPhase(numbers)) => {
                let message = format!(
                    "must have {} number(s) by the asset's electric_current_type, not {}",
                    self.count,
                    numbers.len()
                );
                faults.add(field, "invalid", message);
                [None; 3]
            }
            None => [None; 3],
        }
    }

    /// The voltage of each phase to neutral: the reading's, else the asset's, else the location's.
    fn voltage(
        &self,
        given: Option<PerPhase<Volts>>,
        asset: &Asset,
        location: &Location,
        faults: &mut Faults,
    ) -> [Option<Millivolts>; 3] {
        let known = match given {
            Some(PerPhase(numbers)) if numbers.len() == 1 => {
                let one = numbers.first().map(|voltage| asset.to_neutral(voltage.0));
                [one; 3]
            }
            None => [asset.phase_voltage(location); 3],
            several => {
                self.phases(several, "voltage", faults).map(|one| one.map(|voltage: Volts| asset.to_neutral(voltage.0)))
            }
        };
        let mut used = [None; 3];
        for (place, voltage) in used.iter_mut().zip(known).take(self.count) {
            *place = voltage;
        }
        used
    }

    fn divided(&self, dividend: i128, divisor: i128) -> i64 {
        let down = dividend.div_euclid(divisor);
        let up = i128::from(!self.produces && dividend.rem_euclid(divisor) > 0);
        i64::try_from(down + up).unwrap_or(i64::MAX)
    }

    fn power(&self, current: Milliamps, voltage: Millivolts) -> Watts {
        let product = i128::from(current.get()) * i128::from(voltage.get()) * self.power_factor;
        Watts(self.divided(product, 1_000_000_000_000))
    }

    /// The currents that were measured; else those of the phases' power, where their voltage is known.
    fn current(
        &self,
        measured: [Option<Milliamps>; 3],
        phase_power: [Option<Watts>; 3],
        voltage: [Option<Millivolts>; 3],
        power: Watts,
    ) -> [Option<Milliamps>; 3] {
        let of_one = (self.count == 1).then_some(power);
        zip(measured, zip(phase_power, voltage)).map(|(measured, (power, voltage))| {
            measured.or_else(|| {
                let (power, voltage) = (power.or(of_one)?, voltage?);
                let divisor = i128::from(voltage.get()) * self.power_factor;
                (divisor > 0).then(|| {
                    let dividend = i128::from(power.get()) * 1_000_000_000_000;
                    Milliamps(self.divided(dividend, divisor))
                })
            })
        })
    }
}

/// Pairs of the same phase.
fn zip<A, B>(left: [A; 3], right: [B; 3]) -> [(A, B); 3] {
    let ([l1, l2, l3], [r1, r2, r3]) = (left, right);
    [(l1, r1), (l2, r2), (l3, r3)]
}
