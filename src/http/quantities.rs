//! Electrical quantities as bodies carry them: kilowatts, watts, amps and volts as JSON numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::error::{ApiError, ApiResult, Faults};
use super::fields::{Field, Path, wrong};
use crate::json_schema;
use kernel::{Milliamps, Millivolts, PhaseSet, Watts};

/// A number times 1000, to the nearest whole, when it lies in the range.
fn thousandths(value: &Value, range: std::ops::RangeInclusive<f64>) -> Option<i64> {
    let number = value.as_f64().filter(|number| range.contains(number))?;
    #[expect(clippy::cast_possible_truncation, reason = "callers' ranges are far below 2^53")]
    Some((number * 1000.0).round() as i64)
}

macro_rules! quantity {
    ($($(#[$meta:meta])* $name:ident($inner:ident) $range:expr, $must:literal, $schema:tt;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $inner);

        json_schema!($name, $schema);

        impl From<$name> for $inner {
            fn from(quantity: $name) -> Self {
                quantity.0
            }
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }

        impl From<$name> for f64 {
            fn from(quantity: $name) -> Self {
                shown(quantity.0.get())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_f64(shown(self.0.get()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(from)?;
                let read = thousandths(&value, $range).map(|thousandths| Self($inner(thousandths)));
                read.ok_or_else(|| serde::de::Error::custom(concat!("must be ", $must)))
            }
        }

        impl Field for $name {
            fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
                match thousandths(value, $range) {
                    Some(thousandths) => Some(Self($inner(thousandths))),
                    None if value.is_number() => {
                        faults.add(at, "out_of_range", concat!("must be ", $must));
                        None
                    }
                    None => wrong(at, faults, $must),
                }
            }
        }
    )*};
}

quantity! {
    /// Power in kW.
    Kilowatts(Watts) 0.0..=1_000_000.0, "kilowatts between 0 and 1000000",
        {"type": "number", "minimum": 0, "maximum": 1_000_000, "example": 22};
    /// Power in kW that something is rated for: more than nothing.
    RatedKilowatts(Watts) 0.001..=1_000_000.0, "kilowatts of more than 0, at most 1000000",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000, "example": 22};
    /// Power in kW that may flow either way.
    SignedKilowatts(Watts) -1_000_000.0..=1_000_000.0, "kilowatts between -1000000 and 1000000",
        {"type": "number", "minimum": -1_000_000, "maximum": 1_000_000, "example": 12.5};
    /// Current in A.
    Amps(Milliamps) 0.0..=100_000.0, "amps between 0 and 100000",
        {"type": "number", "minimum": 0, "maximum": 100_000, "example": 32};
    /// Current in A that something is rated for: more than nothing.
    RatedAmps(Milliamps) 0.001..=100_000.0, "amps of more than 0, at most 100000",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 100_000, "example": 32};
    /// Current in A that may flow either way.
    SignedAmps(Milliamps) -100_000.0..=100_000.0, "amps between -100000 and 100000",
        {"type": "number", "minimum": -100_000, "maximum": 100_000, "example": 16};
    /// Voltage in V between a phase and neutral (or of a DC outlet).
    Volts(Millivolts) 90.0..=2_000.0, "volts between 90 and 2000",
        {"type": "number", "minimum": 90, "maximum": 2_000, "example": 230};
}

/// Power in W that something is rated for, as Tridens gives a connector's wattage limit: 22000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeWatts(pub Watts);

json_schema!(WholeWatts, {"type": "number", "minimum": 1, "maximum": 1_000_000_000, "example": 22000});

impl From<WholeWatts> for Watts {
    fn from(watts: WholeWatts) -> Self {
        watts.0
    }
}

impl From<Watts> for WholeWatts {
    fn from(watts: Watts) -> Self {
        Self(watts)
    }
}

impl From<WholeWatts> for i64 {
    fn from(watts: WholeWatts) -> Self {
        watts.0.get()
    }
}

impl Field for WholeWatts {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        const MUST: &str = "watts between 1 and 1000000000";
        match value.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "at most a billion")]
            Some(watts) if (1.0..=1e9).contains(&watts) => Some(Self(Watts(watts.round() as i64))),
            Some(_) => {
                faults.add(at, "out_of_range", format!("must be {MUST}"));
                None
            }
            None => wrong(at, faults, MUST),
        }
    }
}

/// Real power by apparent power, kept in parts per million: more than 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerFactor(pub i64);

json_schema!(PowerFactor, {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "example": 1});

impl Field for PowerFactor {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
            Some(factor) if (0.000_001..=1.0).contains(&factor) => Some(Self((factor * 1e6).round() as i64)),
            Some(_) => {
                faults.add(at, "out_of_range", "must be more than 0, at most 1");
                None
            }
            None => wrong(at, faults, "a number of more than 0, at most 1"),
        }
    }
}

impl From<PowerFactor> for f64 {
    /// As a number from 0 to 1.
    fn from(factor: PowerFactor) -> Self {
        shown(factor.0) / 1000.0
    }
}

/// Parts per million, as columns have them.
macro_rules! parts_per_million {
    ($($name:ident),*) => {$(
        impl From<$name> for i64 {
            fn from(parts: $name) -> Self {
                parts.0
            }
        }

        impl From<i64> for $name {
            fn from(parts: i64) -> Self {
                Self(parts)
            }
        }
    )*};
}

parts_per_million!(PowerFactor, Share);

/// A share from 0.0 to 1.0, kept in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub i64);

json_schema!(Share, {"type": "number", "minimum": 0, "maximum": 1, "example": 0.1});

impl Field for Share {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
            Some(share) if (0.0..=1.0).contains(&share) => Some(Self((share * 1e6).round() as i64)),
            Some(_) => {
                faults.add(at, "out_of_range", "must be between 0 and 1");
                None
            }
            None => wrong(at, faults, "a number between 0 and 1"),
        }
    }
}

impl From<Share> for f64 {
    /// As a number from 0 to 1.
    fn from(share: Share) -> Self {
        shown(share.0) / 1000.0
    }
}

crate::spelled! {
    /// In what a limit is given.
    pub enum LimitUnit {
        /// Watts.
        Power = "power" | "W",
        /// Amps per phase.
        Current = "current" | "A",
    }
}

impl LimitUnit {
    /// The limit in watts; refused when it is negative or absurdly large.
    pub fn watts(self, limit: f64, voltage: Millivolts, phases: PhaseSet) -> ApiResult<Watts> {
        if !(0.0..=1e7).contains(&limit) {
            return Err(ApiError::field("limit", "out_of_range", "must be between 0 and 10000000"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        Ok(match self {
            Self::Power => Watts(limit.floor() as i64),
            Self::Current => Milliamps((limit * 1000.0).floor() as i64).to_power(voltage, phases),
        })
    }
}

/// Thousandths as JSON shows them: 230000 mV is 230, 16100 W is 16.1.
#[expect(clippy::cast_precision_loss, reason = "quantities stay far below 2^53")]
pub fn shown(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_read_exactly_and_bounded() {
        let mut faults = Faults::default();
        assert_eq!(Kilowatts::read(&json!(16.1), Path::Root, &mut faults), Some(Kilowatts(Watts(16_100))));
        assert_eq!(Share::read(&json!(0.1), Path::Root, &mut faults), Some(Share(100_000)));
        assert!(faults.is_empty());
        assert_eq!(Kilowatts::read(&json!(-1), Path::Root, &mut faults), None);
        assert_eq!(Share::read(&json!(10), Path::Root, &mut faults), None);
        assert_eq!(faults.0.len(), 2);
    }
}
