//! Numbers of OCPP 2, which have no bound on their decimal places: kept as they were written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decimal::Decimal;
use super::tenths::Tenths;
use super::wire::{LenientReader, Problem, Repair, Wire};

/// A number as JSON writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Number(serde_json::Number);

impl Number {
    /// The number times a thousand, to the nearest integer.
    pub fn milli(&self) -> Option<i64> {
        self.scaled(3)
    }

    /// The number times ten to the power of this, to the nearest integer.
    pub fn scaled(&self, power: i32) -> Option<i64> {
        Decimal::parse(&self.0.to_string())?.nearest(power)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

/// An amount of money; nothing for what is no number.
impl TryFrom<f64> for Number {
    type Error = ();
    fn try_from(number: f64) -> Result<Self, ()> {
        serde_json::Number::from_f64(number).map(Self).ok_or(())
    }
}

/// Limits keep to one decimal place, as 1.6 wants it and 2.x advises.
impl From<Tenths> for Number {
    fn from(tenths: Tenths) -> Self {
        let exact = match serde_json::to_value(tenths) {
            Ok(Value::Number(number)) => number,
            _ => (tenths.0 / 10).into(),
        };
        Self(exact)
    }
}

impl Wire for Number {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        match &value {
            Value::Number(number) => Some(Self(number.clone())),
            Value::String(text) => {
                let read = text.trim().parse::<serde_json::Number>();
                reader.note_deviation(Repair::Quoted, &value);
                match read {
                    Ok(number) => Some(Self(number)),
                    Err(_) => reader.fault(Problem::WrongType("a number")),
                }
            }
            _ => reader.fault(Problem::WrongType("a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Milliamps;

    #[test]
    fn numbers_keep_their_places_and_limits_have_one() {
        let read: Number = serde_json::from_str("16.12345").expect("a number");
        assert_eq!(read.milli(), Some(16_123));
        let limit = Number::from(Tenths::from(Milliamps(16_190)));
        assert_eq!(serde_json::to_string(&limit).ok().as_deref(), Some("16.1"));
    }
}
