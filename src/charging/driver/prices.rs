//! Prices as drivers are shown them: with tax, per kilowatt-hour, then per minute, then per session.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::http::money::{Amount, Percent};
use kernel::{Currency, TimeZone, Timestamp};
use pricing::{Component, Kind, Tariff, Unit};

/// Digits after the point that a price is shown with.
const DIGITS: u32 = 6;
const MINUTES: Decimal = Decimal::from_parts(60, 0, 0, false, 0);

/// A price.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct DriverPrice {
    /// ENERGY, TIME (of charging), PARKING_TIME (plugged in without charging), BLOCKING_FEE or FLAT.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Kind,
    /// What it is for one of: kWh, min or session.
    #[schema(value_type = String)]
    unit: Unit,
    /// What one unit costs, with tax.
    price: Amount,
    /// The tax in it, in percent.
    tax: Percent,
    /// How many minutes of it cost nothing.
    #[schema(example = 15)]
    free_minutes: i64,
}

/// What charging costs for who starts now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct DriverRate {
    /// What it is called on the bill.
    name: String,
    /// In what it is paid.
    currency: Currency,
    /// The prices that hold now: per kWh, then per minute, then per session.
    price_components: Vec<DriverPrice>,
    /// The least that a session costs, with tax.
    minimum_amount: Option<Amount>,
}

/// Where a price stands among others.
fn place(kind: Kind) -> u32 {
    match kind {
        Kind::Energy => 0,
        Kind::Time => 1,
        Kind::ParkingTime => 2,
        Kind::BlockingFee => 3,
        Kind::Flat => 4,
        Kind::Minimum => 5,
    }
}

impl From<&Component> for DriverPrice {
    fn from(component: &Component) -> Self {
        let with_tax = component.price * (Decimal::ONE + component.tax / Decimal::ONE_HUNDRED);
        let (unit, price) = match component.unit {
            Unit::Hour => (Unit::Minute, with_tax / MINUTES),
            unit => (unit, with_tax),
        };
        Self {
            kind: component.kind,
            unit,
            price: Amount(price.round_dp(DIGITS).normalize()),
            tax: Percent(component.tax),
            free_minutes: component.grace_seconds / 60,
        }
    }
}

impl DriverRate {
    /// What a tariff asks of a session that begins at this instant.
    pub(super) fn at(tariff: &Tariff, at: Timestamp, zone: TimeZone) -> Option<Self> {
        let (name, components) = tariff.prices_at(at, zone)?;
        let mut price_components: Vec<DriverPrice> = components.into_iter().map(DriverPrice::from).collect();
        price_components.sort_by_key(|price| place(price.kind));
        Some(Self {
            name: name.to_owned(),
            currency: tariff.currency,
            price_components,
            minimum_amount: tariff.minimum.map(Amount),
        })
    }
}
