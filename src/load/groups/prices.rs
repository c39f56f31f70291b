//! Energy prices: what a kilowatt-hour costs a home user's group, hour by hour as they are published, or by a rate.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::http::fields::{Field, Path, wrong};
use crate::http::{ApiError, ApiResult, Faults};
use crate::{input, json_schema};
use kernel::*;

/// Prices that a group may have: a week of quarters of an hour, and some more.
const MOST_PRICES: usize = 1_000;
/// Millionths in a unit of the currency.
const MILLION: f64 = 1_000_000.0;

/// What a kilowatt-hour costs, in millionths of the currency; below zero when there is too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyPrice(pub i64);

json_schema!(EnergyPrice, {"type": "number", "minimum": -1000, "maximum": 1000, "example": 0.2134});

impl EnergyPrice {
    fn parse(value: &Value) -> Option<Self> {
        let number = value.as_f64().filter(|number| number.abs() <= 1_000.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most a thousand million")]
        Some(Self((number * MILLION).round() as i64))
    }
}

impl Field for EnergyPrice {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let must = "a price between -1000 and 1000";
        Self::parse(value).or_else(|| wrong(at, faults, must))
    }
}

impl Serialize for EnergyPrice {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(crate::http::quantities::shown(self.0) / 1_000.0)
    }
}

impl<'de> Deserialize<'de> for EnergyPrice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        Self::parse(&value).ok_or_else(|| serde::de::Error::custom("a price"))
    }
}

input! {
    /// What energy costs from one instant to another.
    #[derive(Serialize, Deserialize)]
    pub struct PricedHours {
        /// When it begins.
        pub from: Timestamp,
        /// When it is over.
        pub to: Timestamp,
        /// What a kilowatt-hour costs.
        pub price: EnergyPrice,
    }
}

input! {
    /// What energy costs a group: `prices` as they are published for the next day, or a `rate` (or schedule of rates).
    #[schema(example = json!({"currency": "EUR", "prices": [
        {"from": "2026-11-22T22:00:00Z", "to": "2026-11-22T23:00:00Z", "price": 0.2134},
        {"from": "2026-11-22T23:00:00Z", "to": "2026-11-23T00:00:00Z", "price": -0.012}
    ]}))]
    #[derive(Serialize, Deserialize)]
    pub struct EnergyPrices {
        /// The currency of `prices`.
        #[serde(default)]
        pub currency: Option<Currency>,
        /// Prices hour by hour, in any order; they must not overlap.
        #[serde(default)]
        pub prices: Option<Vec<PricedHours>>,
        /// The rate, or schedule of rates, whose price of energy counts; in place of `prices`.
        #[serde(default)]
        pub rate: Option<RateId>,
    }
}

impl EnergyPrices {
    /// What must be true between its fields.
    pub(super) fn check(&self) -> ApiResult<()> {
        let mut faults = Faults::default();
        let prices = match (&self.prices, self.rate) {
            (Some(prices), None) => prices.as_slice(),
            (None, Some(_)) => &[],
            _ => {
                let message = "give either prices or a rate";
                return Err(ApiError::field("prices", "required", message));
            }
        };
        if self.prices.is_some() != self.currency.is_some() {
            faults.add("currency", "invalid", "goes with prices, not with a rate");
        }
        if prices.len() > MOST_PRICES {
            faults.add("prices", "out_of_range", format!("has at most {MOST_PRICES} entries"));
        }
        let mut order: Vec<usize> = (0..prices.len()).collect();
        order.sort_by_key(|index| prices.get(*index).map(|one| one.from));
        let mut over: Option<Timestamp> = None;
        for index in order {
            let Some(one) = prices.get(index) else {
                continue;
            };
            if one.to <= one.from {
                faults.add(format!("prices[{index}].to"), "invalid", "must be after `from`");
            }
            if over.is_some_and(|over| one.from < over) {
                faults.add(format!("prices[{index}].from"), "invalid", "overlaps another entry");
            }
            over = over.max(Some(one.to));
        }
        faults.into_body_error()
    }

    /// The published price at this instant, in millionths.
    pub fn published_at(&self, at: Timestamp) -> Option<i64> {
        let mut prices = self.prices.iter().flatten();
        let holds = prices.find(|one| (one.from..one.to).contains(&at))?;
        Some(holds.price.0)
    }
}
