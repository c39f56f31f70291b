//! Prices, amounts and percentages as bodies carry them: JSON numbers outside, exact decimals inside.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::error::Faults;
use super::fields::{Field, Path, wrong};
use crate::json_schema;

/// Digits after the point that a price may have.
const FINEST: u32 = 6;

/// The decimal that somebody wrote: 0.1 is a tenth.
fn exactly(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok().map(|number| number.normalize())
}

/// A price or an amount in the major unit of its currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub Decimal);

json_schema!(Amount, {"type": "number", "minimum": 0, "maximum": 1_000_000, "example": 0.39});

impl Field for Amount {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let most = Decimal::from(1_000_000);
        match exactly(value) {
            Some(amount) if (Decimal::ZERO..=most).contains(&amount) && amount.scale() <= FINEST => Some(Self(amount)),
            Some(_) => {
                let range = format!("must be between 0 and {most}, with at most {FINEST} decimals");
                faults.add(at, "out_of_range", range);
                None
            }
            None => wrong(at, faults, "a number such as 0.39"),
        }
    }
}

/// A tax rate in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percent(pub Decimal);

json_schema!(Percent, {"type": "number", "minimum": 0, "maximum": 100, "example": 21});

impl Field for Percent {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match exactly(value) {
            Some(percent) if (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&percent) && percent.scale() <= FINEST => {
                Some(Self(percent))
            }
            Some(_) => {
                faults.add(at, "out_of_range", "must be between 0 and 100");
                None
            }
            None => wrong(at, faults, "a percentage between 0 and 100"),
        }
    }
}

macro_rules! numbers {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self.0.to_i64() {
                    Some(whole) if self.0.is_integer() => to.serialize_i64(whole),
                    _ => to.serialize_f64(self.0.to_f64().unwrap_or_default()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(from)?;
                exactly(&value).map(Self).ok_or_else(|| serde::de::Error::custom("a number"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = rust_decimal::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

numbers!(Amount, Percent);
crate::text_column!(Amount);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prices_stay_what_was_written() {
        let mut faults = Faults::default();
        for (written, given) in [("0.1", "0.1"), ("12", "12"), ("1e-3", "0.001"), ("0.390", "0.39")] {
            let value: Value = serde_json::from_str(written).expect("a number");
            let amount = Amount::read(&value, Path::Root, &mut faults).expect("an amount");
            assert_eq!(serde_json::to_string(&amount).expect("JSON"), given);
        }
        assert!(faults.is_empty());
        for wrong in [json!(-0.01), json!(0.000_000_1), json!(2_000_000), json!("1")] {
            assert_eq!(Amount::read(&wrong, Path::Root, &mut faults), None);
        }
        assert_eq!(Percent::read(&json!(101), Path::Root, &mut faults), None);
        assert_eq!(faults.0.len(), 5);
    }
}
