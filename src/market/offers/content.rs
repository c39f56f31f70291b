//! What an offer says: tariffs, which of them holds when in which group, for whom, and on what terms.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::http::Faults;
use crate::http::fields::{DaysOfWeek, Field, Path, wrong};
use crate::http::money::Amount;
use crate::{input, json_schema};
use kernel::text::Text;
use kernel::*;
use pricing::{Component, Conditions, Counted, Element, Kind, Selection, Tariff, Unit, Window};

/// Seconds of a day.
pub(super) const DAY: u32 = 86_400;

crate::spelled! {
    /// What an offer is for.
    pub enum ServiceType {
        /// Charging.
        Authorization = "Authorization",
        /// Reserving.
        Reservation = "Reservation",
    }
}

crate::spelled! {
    /// What a price is for.
    pub enum OfferComponentType {
        /// Energy.
        ChargingEnergy = "CHARGING_ENERGY",
        /// Time of charging.
        ChargingTime = "CHARGING_TIME",
        /// Time parked there.
        Parking = "PARKING",
        /// The session itself.
        Session = "SESSION",
        /// Time of blocking the connector.
        BlockingFee = "BLOCKING_FEE",
    }
}

crate::spelled! {
    /// What a price is for one of.
    pub enum ReferenceUnit {
        /// A kWh.
        KilowattHour = "KILOWATT_HOUR",
        /// A minute.
        Minute = "MINUTE",
        /// The session.
        None = "NONE",
    }
}

crate::spelled! {
    /// From when a fee counts.
    pub enum FeeStart {
        /// From the start of the session.
        SessionStart = "SESSION_START",
        /// From the end of charging.
        ChargingEnd = "CHARGING_END",
    }
}

crate::spelled! {
    /// Which slot prices a session that crosses into another.
    pub enum SlotRule {
        /// Each its own part.
        ByTime = "by_time",
        /// The one of the start, all of it.
        AtStart = "at_start",
    }
}

crate::spelled! {
    /// How a slot is drawn.
    pub enum SlotColor {
        /// Powder blue.
        PowderBlue = "Powder blue",
        /// Iceberg.
        Iceberg = "Iceberg",
        /// Indigo.
        Indigo = "Indigo",
        /// Water blue.
        WaterBlue = "Water blue",
        /// Carolina.
        Carolina = "Carolina",
    }
}

crate::spelled! {
    /// What a partner must send before it is accepted.
    pub enum MasterDataField {
        /// Tax id.
        TaxId = "taxId",
        /// Brand.
        BrandName = "brandName",
        /// E-mail address for bills.
        BillingContactEmail = "billingContactEmail",
        /// Telephone for bills.
        BillingContactPhone = "billingContactPhone",
        /// First name for bills.
        BillingContactFirstName = "billingContactFirstName",
        /// Last name for bills.
        BillingContactLastName = "billingContactLastName",
        /// City for bills.
        BillingAddressCity = "billingAddressCity",
        /// Country for bills.
        BillingAddressCountry = "billingAddressCountry",
        /// Postal code for bills.
        BillingAddressPostalCode = "billingAddressPostalCode",
        /// Street for bills.
        BillingAddressStreet = "billingAddressStreet",
    }
}

/// A second of the day: `08:59:59`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotTime(pub u32);

json_schema!(SlotTime, {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$", "example": "08:59:59"});

/// A text that is no time of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time such as 08:59:59, from 00:00:00 to 23:59:59")]
pub struct InvalidSlotTime;

impl FromStr for SlotTime {
    type Err = InvalidSlotTime;
    fn from_str(text: &str) -> Result<Self, InvalidSlotTime> {
        let two = |part: &str, below: u32| {
            let right = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
            right.then(|| part.parse::<u32>().ok()).flatten().filter(|number| *number < below)
        };
        let mut parts = text.split(':');
        let mut next = |below: u32| parts.next().and_then(|part| two(part, below));
        let (hours, minutes, seconds) = (next(24), next(60), next(60));
        match (hours, minutes, seconds, parts.next()) {
            (Some(hours), Some(minutes), Some(seconds), None) => Ok(Self(hours * 3_600 + minutes * 60 + seconds)),
            _ => Err(InvalidSlotTime),
        }
    }
}

impl fmt::Display for SlotTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}")
    }
}

impl Serialize for SlotTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SlotTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Field for SlotTime {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let time = value.as_str().and_then(|text| text.parse().ok());
        time.or_else(|| wrong(at, faults, InvalidSlotTime))
    }
}

/// A roaming partner, by its provider id: `DE-XYZ`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(pub String);

json_schema!(PartnerId, {"type": "string", "pattern": "^[A-Za-z]{2}[*-]?[A-Za-z0-9]{3}$", "example": "DE-XYZ"});

impl FromStr for PartnerId {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let letters: Vec<char> = text.chars().collect();
        let (country, rest) = letters.split_at_checked(2).ok_or(())?;
        let rest = match rest {
            ['*' | '-', rest @ ..] => rest,
            rest => rest,
        };
        let right = country.iter().all(char::is_ascii_alphabetic)
            && rest.len() == 3
            && rest.iter().all(char::is_ascii_alphanumeric);
        right.then(|| Self(text.to_ascii_uppercase())).ok_or(())
    }
}

impl PartnerId {
    /// Whether both name the same partner: separators do not matter.
    pub(super) fn is(&self, other: &Self) -> bool {
        let letters = |id: &Self| -> String {
            let letters = id.0.chars().filter(char::is_ascii_alphanumeric);
            letters.collect()
        };
        letters(self) == letters(other)
    }
}

impl Field for PartnerId {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.or_else(|| wrong(at, faults, "a provider id such as DE-XYZ"))
    }
}

/// What a tariff is called.
pub(super) type TariffName = Text<1, 100>;

input! {
    /// A price of a tariff, before tax.
    #[derive(Serialize, Deserialize)]
    pub struct OfferComponent {
        /// CHARGING_ENERGY, CHARGING_TIME, PARKING, SESSION or BLOCKING_FEE.
        #[serde(rename = "type")]
        pub kind as "type": OfferComponentType,
        /// KILOWATT_HOUR of energy, MINUTE of time, NONE of a session.
        pub reference_unit: ReferenceUnit,
        /// What one costs.
        pub price: Amount,
        /// Minutes that cost nothing; of PARKING and BLOCKING_FEE only.
        #[schema(minimum = 0)]
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub grace_period: Option<i64>,
        /// From when PARKING or BLOCKING_FEE counts; CHARGING_END for parking and SESSION_START for blocking when absent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub fee_start: Option<FeeStart>,
    }
}

impl OfferComponent {
    fn component(&self) -> Component {
        let fee = |absent| match self.fee_start.unwrap_or(absent) {
            FeeStart::SessionStart => Counted::Connected,
            FeeStart::ChargingEnd => Counted::AfterCharging,
        };
        let (kind, counted) = match self.kind {
            OfferComponentType::ChargingEnergy => (Kind::Energy, Counted::Energy),
            OfferComponentType::ChargingTime => (Kind::Time, Counted::Charging),
            OfferComponentType::Parking => (Kind::ParkingTime, fee(FeeStart::ChargingEnd)),
            OfferComponentType::Session => (Kind::Flat, Counted::Session),
            OfferComponentType::BlockingFee => (Kind::BlockingFee, fee(FeeStart::SessionStart)),
        };
        Component {
            kind,
            counted,
            price: self.price.0,
            unit: match self.reference_unit {
                ReferenceUnit::KilowattHour => Unit::KilowattHour,
                ReferenceUnit::Minute => Unit::Minute,
                ReferenceUnit::None => Unit::Session,
            },
            tax: Decimal::ZERO,
            grace_seconds: self.grace_period.unwrap_or(0).saturating_mul(60),
            step: 1,
        }
    }
}

input! {
    /// A tariff: prices that hold together.
    #[derive(Serialize, Deserialize)]
    pub struct OfferTariff {
        /// Its name, unique in the offer; slots refer to it.
        pub name: TariffName,
        /// In what it is paid.
        pub currency: Currency,
        /// Its prices, at most one of each type.
        pub components: Vec<OfferComponent>,
    }
}

input! {
    /// Hours in which a tariff holds, both ends inclusive.
    #[derive(Serialize, Deserialize)]
    pub struct TimeSlot {
        /// The first second.
        pub start_time: SlotTime,
        /// The last second, such as 08:59:59.
        pub end_time: SlotTime,
        /// The name of the tariff.
        pub tariff: TariffName,
        /// How it is drawn.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub color: Option<SlotColor>,
    }
}

input! {
    /// The slots of some days.
    #[derive(Serialize, Deserialize)]
    pub struct TimePlan {
        /// The days.
        pub days_of_week: DaysOfWeek,
        /// The slots; they cover each day once, from 00:00:00 to 23:59:59.
        pub slots: Vec<TimeSlot>,
    }
}

input! {
    /// What a group of the network costs, and when.
    #[derive(Serialize, Deserialize)]
    pub struct OfferProduct {
        /// The group.
        pub group: EvseGroupId,
        /// In what it is paid; its tariffs have the same.
        pub currency: Currency,
        /// Its slots; together the plans have every day of the week once.
        pub time_plans: Vec<TimePlan>,
    }
}

impl OfferProduct {
    /// As prices that sessions are computed with.
    pub(super) fn tariff(&self, tariffs: &[OfferTariff], rule: SlotRule) -> Tariff {
        let slots = self.time_plans.iter().flat_map(|plan| plan.slots.iter().map(|slot| (plan.days_of_week.0, slot)));
        let elements = slots.filter_map(|(weekdays, slot)| {
            let tariff = tariffs.iter().find(|tariff| tariff.name == slot.tariff)?;
            let window = Window { weekdays, from: slot.start_time.0, to: slot.end_time.0 + 1 };
            Some(Element {
                name: tariff.name.to_string(),
                when: Conditions { window: Some(window), ..Conditions::default() },
                components: tariff.components.iter().map(OfferComponent::component).collect(),
            })
        });
        Tariff {
            currency: self.currency,
            elements: elements.collect(),
            selection: Selection::WholeElement,
            decided_at_start: rule == SlotRule::AtStart,
            minimum: None,
        }
    }

    /// The slot that holds on this day of the week (Sunday is 0) at this second.
    pub(super) fn slot_at(&self, weekday: u32, second: u32) -> Option<&TimeSlot> {
        let plans = self.time_plans.iter();
        plans
            .filter(|plan| plan.days_of_week.0.contains(weekday))
            .flat_map(|plan| &plan.slots)
            .find(|slot| (slot.start_time.0..=slot.end_time.0).contains(&second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_of_one_day() {
        assert_eq!("08:59:59".parse(), Ok(SlotTime(32_399)));
        assert_eq!(SlotTime(32_399).to_string(), "08:59:59");
        for wrong in ["24:00:00", "08:59", "8:59:59", "08:60:00", "08:00:00:00", "+1:00:00"] {
            assert_eq!(wrong.parse::<SlotTime>(), Err(InvalidSlotTime), "{wrong}");
        }
    }

    #[test]
    fn partners_are_the_same_whatever_stands_between() {
        let id = |text: &str| text.parse::<PartnerId>();
        assert!(id("DE-XYZ").is_ok_and(|one| id("de*xyz").is_ok_and(|other| one.is(&other))));
        for wrong in ["", "D", "DE-XY", "DE--XYZ", "12-XYZ"] {
            assert_eq!(id(wrong), Err(()), "{wrong}");
        }
    }
}
