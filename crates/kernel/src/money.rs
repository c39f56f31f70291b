//! Currencies of ISO 4217. Amounts are exact decimals of the major unit; they are rounded to the minor unit only where
//! somebody gets a sum.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency, by its three letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Digits of its minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// An amount as it can be paid, a half away from zero.
    pub fn round(self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.digits(), RoundingStrategy::MidpointAwayFromZero)
    }
}

/// A text that is no code of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency of ISO 4217 such as EUR")]
pub struct InvalidCurrency;

impl FromStr for Currency {
    type Err = InvalidCurrency;
    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        // Codes without a minor unit, such as XXX and XAU, are nothing that anybody pays in.
        iso_currency::Currency::from_code(&text.to_ascii_uppercase())
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(InvalidCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_to_what_can_be_paid() {
        let rounded = |code: &str, amount: &str| -> String {
            let currency: Currency = code.parse().expect("a currency");
            currency.round(amount.parse().expect("a number")).to_string()
        };
        assert_eq!(rounded("EUR", "1.005"), "1.01");
        assert_eq!(rounded("eur", "-1.005"), "-1.01");
        assert_eq!(rounded("JPY", "12.5"), "13");
        assert_eq!(rounded("KWD", "0.0004"), "0.000");
        for wrong in ["EURO", "XXX", "XAU", ""] {
            assert_eq!(wrong.parse::<Currency>(), Err(InvalidCurrency));
        }
    }
}
