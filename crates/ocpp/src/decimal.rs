//! Decimal numbers as stations write them, without the detour over floating point.

/// A decimal number: `digits` times ten to the power of `exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    exponent: i32,
}

/// Digits a number may have; more is garbage, and this many always fit.
const MOST_DIGITS: usize = 30;
/// The largest power of ten that is taken seriously.
const LARGEST_EXPONENT: i32 = 18;

impl Decimal {
    /// Reads `" 12.3 "`, `"\"12.3\""`, `"12,3"`, `"-7"`, `"1.2E3"`; `None` when it is no number or absurdly long.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse().ok()?),
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
        let count = whole.len() + fraction.len();
        if count == 0 || count > MOST_DIGITS || exponent_out_of_range(exponent) {
            return None;
        }
        let mut digits: i128 = 0;
        for letter in whole.chars().chain(fraction.chars()) {
            digits = digits * 10 + i128::from(letter.to_digit(10)?);
        }
        Some(Self {
            digits: if negative { -digits } else { digits },
            exponent: exponent - i32::try_from(fraction.len()).ok()?,
        })
    }

    /// The number times ten to the power of `power`, to the nearest integer: `12.3456` at 3 is 12346.
    pub fn nearest(self, power: i32) -> Option<i64> {
        self.at(power, |digits, unit| {
            let (quotient, rest) = (digits.div_euclid(unit), digits.rem_euclid(unit));
            quotient + i128::from(rest * 2 >= unit)
        })
    }

    /// The number times ten to the power of `power`, rounded down.
    pub fn floor(self, power: i32) -> Option<i64> {
        self.at(power, i128::div_euclid)
    }

    /// Whether nothing is lost when it is kept with this many decimal places.
    pub fn fits(self, places: i32) -> bool {
        let shift = self.exponent + places;
        shift >= 0 || 10_i128.checked_pow(shift.unsigned_abs()).is_some_and(|unit| self.digits % unit == 0)
    }

    fn at(self, power: i32, divide: impl Fn(i128, i128) -> i128) -> Option<i64> {
        let shift = self.exponent + power;
        let unit = 10_i128.checked_pow(shift.unsigned_abs())?;
        let scaled = if shift >= 0 { self.digits.checked_mul(unit)? } else { divide(self.digits, unit) };
        i64::try_from(scaled).ok()
    }
}

fn exponent_out_of_range(exponent: i32) -> bool {
    !(-LARGEST_EXPONENT..=LARGEST_EXPONENT).contains(&exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn milli(text: &str) -> Option<i64> {
        Decimal::parse(text).and_then(|number| number.nearest(3))
    }

    #[test]
    fn reads_what_stations_write() {
        for (text, expected) in [
            ("12.3", 12_300),
            (" 12.3 ", 12_300),
            ("\"12.3\"", 12_300),
            ("12,3", 12_300),
            ("-7", -7_000),
            ("+0.0005", 1),
            ("-0.0005", 0),
            ("1.2E3", 1_200_000),
            (".5", 500),
            ("5.", 5_000),
        ] {
            assert_eq!(milli(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", " ", "NaN", "inf", "1.2.3", "1,234.5", "0x10", "12 A", "1e99", &"9".repeat(40)] {
            assert_eq!(milli(text), None, "{text}");
        }
    }

    #[test]
    fn knows_when_digits_would_be_lost() {
        let fits = |text| Decimal::parse(text).is_some_and(|number| number.fits(1));
        assert!(fits("16.1") && fits("16") && fits("16.10") && fits("1E3"));
        assert!(!fits("16.15") && !fits("0.01"));
    }

    proptest! {
        #[test]
        fn agrees_with_integers(number in -1_000_000_000_i64..1_000_000_000) {
            let text = format!("{}{}.{:03}", if number < 0 { "-" } else { "" }, number.abs() / 1000, number.abs() % 1000);
            prop_assert_eq!(milli(&text), Some(number));
            prop_assert_eq!(Decimal::parse(&text).and_then(|d| d.floor(0)), Some(number.div_euclid(1000)));
        }
    }
}
