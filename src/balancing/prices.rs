//! What energy costs groups of home users.

use std::collections::BTreeMap;

use crate::http::fields::CustomFields;
use crate::load::groups::{EnergyPrices, Group};
use crate::sites::rates;
use crate::store::{Conn, StoreResult};
use kernel::*;
use pricing::Tariff;

/// What energy costs a group.
#[derive(Debug, Clone)]
pub(super) enum Prices {
    Published(EnergyPrices),
    Rate(Box<Tariff>),
}

impl Prices {
    /// What is known of the prices of these groups of home users.
    pub(super) fn of_groups<'a>(
        conn: &mut Conn,
        groups: impl Iterator<Item = &'a Group>,
    ) -> StoreResult<BTreeMap<GroupId, Self>> {
        let mut known = BTreeMap::new();
        for group in groups {
            if let Some(prices) = Self::of(conn, group)? {
                known.insert(group.id, prices);
            }
        }
        Ok(known)
    }

    fn of(conn: &mut Conn, group: &Group) -> StoreResult<Option<Self>> {
        let Some(prices) = &group.energy_prices else {
            return Ok(None);
        };
        let Some(rate) = prices.0.rate else {
            return Ok(Some(Self::Published(prices.0.clone())));
        };
        let none: &[CustomFields] = &[];
        let priced = rates::tariff_of(conn, group.organization_id, rate, none);
        let priced = crate::store::error::optional(priced)?.flatten(); // the rate may be gone
        Ok(priced.map(|priced| Self::Rate(Box::new(priced.tariff))))
    }

    /// A kilowatt hour at an instant.
    pub(super) fn at(&self, at: Timestamp, zone: TimeZone) -> Option<i64> {
        match self {
            Self::Published(prices) => prices.published_at(at),
            Self::Rate(tariff) => tariff.energy_price_at(at, zone),
        }
    }

    /// The currency, where it is known.
    pub(super) fn currency(&self) -> Option<Currency> {
        match self {
            Self::Published(prices) => prices.currency,
            Self::Rate(tariff) => Some(tariff.currency),
        }
    }
}
