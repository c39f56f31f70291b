//! Limits as stations are sent them: at most one decimal place, so 16.1 is never written as 16.100000001.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use kernel::{Milliamps, Watts};

use super::decimal::Decimal;
use super::wire::{LenientReader, Problem, Wire};

const DUE: &str = "a number with at most one decimal place";

/// A number in tenths: 16.1 is 161.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenths(pub i32);

/// Amperes, rounded down to a tenth so that a limit is never raised.
impl From<Milliamps> for Tenths {
    fn from(current: Milliamps) -> Self {
        Self(saturated(current.get().div_euclid(100)))
    }
}

/// Watts.
impl From<Watts> for Tenths {
    fn from(power: Watts) -> Self {
        Self(saturated(power.get().saturating_mul(10)))
    }
}

/// A limit in the unit a station understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// On each phase.
    Current(Milliamps),
    /// Over all phases.
    Power(Watts),
}

/// Never above the ceiling.
impl From<Ceiling> for Tenths {
    fn from(ceiling: Ceiling) -> Self {
        match ceiling {
            Ceiling::Current(current) => current.into(),
            Ceiling::Power(power) => power.into(),
        }
    }
}

fn saturated(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

impl fmt::Debug for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 10.0)
    }
}

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 % 10 == 0 {
            to.serialize_i32(self.0 / 10)
        } else {
            // The quotient is the double nearest to the decimal, which is what its shortest text prints.
            to.serialize_f64(f64::from(self.0) / 10.0)
        }
    }
}

impl<'de> Deserialize<'de> for Tenths {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Tenths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DUE)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Tenths, E> {
        exactly(&number.to_string())
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Tenths, E> {
        exactly(&number.to_string())
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Tenths, E> {
        exactly(&number.to_string())
    }
}

fn exactly<E: Error>(text: &str) -> Result<Tenths, E> {
    Decimal::parse(text)
        .filter(|number| number.fits(1))
        .and_then(|number| i32::try_from(number.floor(1)?).ok())
        .map(Tenths)
        .ok_or_else(|| E::custom(DUE))
}

impl Wire for Tenths {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        let tenths = reader.fixed(&value, 1, DUE)?;
        i32::try_from(tenths)
            .ok()
            .map(Self)
            .or_else(|| reader.fault(Problem::NotAllowed("a smaller number".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_prints_exactly_and_reads_back() {
        for tenths in -5_000..50_000 {
            let sign = if tenths < 0 { "-" } else { "" };
            let (whole, rest) = (i32::abs(tenths) / 10, i32::abs(tenths) % 10);
            let expected = match rest {
                0 => format!("{sign}{whole}"),
                _ => format!("{sign}{whole}.{rest}"),
            };
            let text = serde_json::to_string(&Tenths(tenths)).expect("a number");
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Tenths>(&text).ok(), Some(Tenths(tenths)));
        }
    }

    #[test]
    fn limits_round_down() {
        assert_eq!(Tenths::from(Milliamps(16_199)), Tenths(161));
        assert_eq!(Tenths::from(Watts(7_360)), Tenths(73_600));
        assert_eq!(Tenths::from(Watts(i64::MAX)), Tenths(i32::MAX));
    }
}
