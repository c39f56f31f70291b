//! Offers as tariffs of OCPI 2.2.1 and 2.3.0, and such tariffs as drafts.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::*;
use super::exchange::{self, Operator, ReceivedPrice};
use super::model::{NewServiceOffer, OfferName, ServiceOffer};
use crate::filters;
use crate::http::money::{Amount, Percent};
use crate::http::{ApiError, ApiResult, Faults};
use crate::input;
use crate::market::networks::NetworkEvseView;
use kernel::calendar::Weekdays;
use kernel::*;
use pricing::Window;

crate::spelled! {
    /// A version of OCPI.
    pub enum OcpiVersion {
        /// 2.2.1.
        V221 = "2.2.1",
        /// 2.3.0.
        V230 = "2.3.0",
    }
}

filters! {
    /// In which version.
    pub(crate) struct OcpiFilter {
        /// 2.2.1 (when absent) or 2.3.0.
        #[param(inline)]
        pub version: OcpiVersion,
        /// Your operator id, such as NL*EWT; read from your EVSE ids when absent.
        pub operator: String,
    }
}

crate::spelled! {
    /// What a price is for.
    pub enum DimensionType {
        /// A kWh.
        Energy = "ENERGY",
        /// The session.
        Flat = "FLAT",
        /// An hour without charging.
        ParkingTime = "PARKING_TIME",
        /// An hour of charging.
        Time = "TIME",
    }
}

/// A price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OcpiPrice {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: DimensionType,
    /// What one costs, before tax.
    pub price: Amount,
    /// Tax in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<Percent>,
    /// Billed in steps of this many Wh or seconds.
    pub step_size: i64,
}

/// When an element holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OcpiRestrictions {
    /// From this time of day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Until this time of day; 00:00 is the end of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// From this many seconds of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_duration: Option<i64>,
    /// On these days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub day_of_week: Vec<String>,
}

/// Prices with the hours in which they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OcpiElement {
    /// The prices.
    pub price_components: Vec<OcpiPrice>,
    /// When they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<OcpiRestrictions>,
}

/// A tariff.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct OcpiTariff {
    /// The country of the operator.
    pub country_code: String,
    /// The operator.
    pub party_id: String,
    /// Its id.
    pub id: String,
    /// In what it is paid.
    pub currency: Currency,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its prices.
    pub elements: Vec<OcpiElement>,
    /// Of 2.3.0: whether the prices include taxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_included: Option<&'static str>,
    /// From when it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date_time: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date_time: Option<Timestamp>,
    /// When it last changed.
    pub last_updated: Timestamp,
}

/// Which tariff an EVSE has.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct OcpiEvseTariff {
    /// The EVSE's id for roaming.
    pub evse_id: String,
    /// Its tariff.
    pub tariff_id: String,
}

/// An offer in OCPI's form.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct OcpiExport {
    /// The version of OCPI.
    pub version: OcpiVersion,
    /// The tariffs.
    pub tariffs: Vec<OcpiTariff>,
    /// Which EVSE has which.
    pub evse_tariffs: Vec<OcpiEvseTariff>,
    /// What OCPI cannot say.
    pub notes: Vec<String>,
}

/// The offer as tariffs: one for each group, and a free one for EVSEs in no group.
pub(super) fn export(offer: &ServiceOffer, evses: &[NetworkEvseView], filter: &OcpiFilter) -> ApiResult<OcpiExport> {
    let operator = Operator::of(filter.operator.as_deref(), evses)?;
    if !operator.country.chars().all(|c| c.is_ascii_alphabetic()) {
        let message = "OCPI knows operators by the letters of a country: name yours by operator=NL*EWT";
        return Err(ApiError::conflict(message));
    }
    let version = filter.version.unwrap_or(OcpiVersion::V221);
    let content = &offer.content.0;
    let mut notes = Vec::new();
    let tariff = |number: usize, currency, elements| OcpiTariff {
        country_code: operator.country.clone(),
        party_id: operator.party.clone(),
        id: format!("{}-{number}", offer.id),
        currency,
        kind: "REGULAR",
        elements,
        tax_included: (version == OcpiVersion::V230).then_some("NO"),
        start_date_time: offer.valid_from,
        end_date_time: offer.ends_at.or(content.valid_to),
        last_updated: offer.updated_at,
    };
    let mut tariffs = Vec::new();
    for (index, product) in content.products.iter().enumerate() {
        let elements = elements(product, &content.tariffs, &mut notes);
        tariffs.push(tariff(index + 1, product.currency, elements));
    }
    let number_of = |evse: &NetworkEvseView| {
        let mut products = content.products.iter();
        let place = products.position(|product| Some(product.group) == evse.group);
        place.map_or(0, |index| index + 1)
    };
    let evse_tariffs: Vec<OcpiEvseTariff> = evses
        .iter()
        .filter_map(|evse| {
            Some(OcpiEvseTariff {
                evse_id: evse.evse_id.clone()?,
                tariff_id: format!("{}-{}", offer.id, number_of(evse)),
            })
        })
        .collect();
    let currency = content.products.first().map(|product| product.currency);
    if let Some(currency) = currency.filter(|_| evses.iter().any(|evse| number_of(evse) == 0)) {
        let free = price(DimensionType::Flat, Decimal::ZERO);
        let free = OcpiElement { price_components: vec![free], restrictions: None };
        tariffs.push(tariff(0, currency, vec![free]));
    }
    notes.dedup();
    Ok(OcpiExport { version, tariffs, evse_tariffs, notes })
}

fn price(kind: DimensionType, price: Decimal) -> OcpiPrice {
    OcpiPrice { kind, price: Amount(price.normalize()), vat: None, step_size: 1 }
}

fn elements(product: &OfferProduct, tariffs: &[OfferTariff], notes: &mut Vec<String>) -> Vec<OcpiElement> {
    let mut elements = Vec::new();
    for plan in &product.time_plans {
        for slot in &plan.slots {
            let Some(tariff) = tariffs.iter().find(|tariff| tariff.name == slot.tariff) else {
                continue;
            };
            let hours = hours(plan, slot, notes);
            for (seconds, price_components) in stages(tariff, notes) {
                let restrictions = OcpiRestrictions { min_duration: (seconds > 0).then_some(seconds), ..hours.clone() };
                elements.push(OcpiElement {
                    price_components,
                    restrictions: (restrictions != OcpiRestrictions::default()).then_some(restrictions),
                });
            }
        }
    }
    elements
}

/// The hours of a slot; nothing for a whole week.
fn hours(plan: &TimePlan, slot: &TimeSlot, notes: &mut Vec<String>) -> OcpiRestrictions {
    let (from, to) = (slot.start_time.0, slot.end_time.0 + 1);
    if from % 60 + to % 60 > 0 {
        notes.push("Hours are written to the minute".to_owned());
    }
    let whole_day = from == 0 && to == DAY;
    let days = plan.days_of_week.0;
    OcpiRestrictions {
        start_time: (!whole_day).then(|| exchange::minute(from)),
        end_time: (!whole_day).then(|| exchange::minute(to % DAY)),
        min_duration: None,
        day_of_week: if days == Weekdays::ALL { Vec::new() } else { days.names().map(str::to_uppercase).collect() },
    }
}

/// The prices of a tariff, by the seconds of the session from which they hold, the last first: fees that count from the
/// start of the session begin when their grace period is over.
fn stages(tariff: &OfferTariff, notes: &mut Vec<String>) -> Vec<(i64, Vec<OcpiPrice>)> {
    let per_hour = |component: &OfferComponent| component.price.0 * Decimal::from(60);
    let (mut base, mut charging, mut after) = (Vec::new(), None, None);
    let mut fees: Vec<(i64, Decimal)> = Vec::new();
    for component in &tariff.components {
        let fee_start = match component.kind {
            OfferComponentType::ChargingEnergy => {
                base.push(price(DimensionType::Energy, component.price.0));
                continue;
            }
            OfferComponentType::Session => {
                base.push(price(DimensionType::Flat, component.price.0));
                continue;
            }
            OfferComponentType::ChargingTime => {
                charging = Some(per_hour(component));
                continue;
            }
            OfferComponentType::Parking => component.fee_start.unwrap_or(FeeStart::ChargingEnd),
            OfferComponentType::BlockingFee => component.fee_start.unwrap_or(FeeStart::SessionStart),
        };
        let grace = component.grace_period.unwrap_or(0) * 60;
        match fee_start {
            FeeStart::SessionStart => fees.push((grace, per_hour(component))),
            FeeStart::ChargingEnd => {
                if grace > 0 {
                    notes.push("OCPI has no grace period after charging: left out".to_owned());
                }
                after = Some(after.unwrap_or(Decimal::ZERO) + per_hour(component));
            }
        }
    }
    let mut thresholds: Vec<i64> = fees.iter().map(|(grace, _)| *grace).chain([0]).collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    let stage = |threshold: i64| {
        let begun: Vec<Decimal> =
            fees.iter().filter(|(grace, _)| *grace <= threshold).map(|(_, price)| *price).collect();
        let sum = |own: Option<Decimal>| -> Option<Decimal> {
            (own.is_some() || !begun.is_empty()).then(|| own.unwrap_or(Decimal::ZERO) + begun.iter().sum::<Decimal>())
        };
        let mut components = if threshold == 0 { base.clone() } else { Vec::new() };
        components.extend(sum(charging).map(|sum| price(DimensionType::Time, sum)));
        components.extend(sum(after).map(|sum| price(DimensionType::ParkingTime, sum)));
        (threshold, components)
    };
    let stages = thresholds.into_iter().rev().map(stage);
    stages.filter(|(_, components)| !components.is_empty()).collect()
}

input! {
    /// A tariff of OCPI and the group it is for.
    pub(crate) struct GroupTariff {
        /// The group.
        pub group: EvseGroupId,
        /// The tariff, of OCPI 2.2.1 or 2.3.0.
        #[schema(value_type = Object)]
        pub tariff: Value,
    }
}

input! {
    /// Tariffs of OCPI that are to become a draft.
    #[schema(example = json!({
        "name": "From OCPI", "network": "650000000000000000000001",
        "tariffs": [{"group": "650000000000000000000001", "tariff": {
            "country_code": "NL", "party_id": "EWT", "id": "1", "currency": "EUR", "last_updated": "2030-01-01T00:00:00Z",
            "elements": [{"price_components": [{"type": "ENERGY", "price": 0.49, "step_size": 1}]}]
        }}]
    }))]
    pub(crate) struct OcpiImport {
        /// What the draft is called.
        pub name: OfferName,
        /// Its network.
        pub network: EvseNetworkId,
        /// A tariff for each group.
        pub tariffs: Vec<GroupTariff>,
    }
}

/// What is read of a tariff.
#[derive(Debug, Deserialize)]
struct ReadTariff {
    currency: Currency,
    elements: Vec<OcpiElement>,
    #[serde(default)]
    min_price: Option<Value>,
    #[serde(default)]
    max_price: Option<Value>,
    #[serde(default)]
    tax_included: Option<String>,
}

/// The draft that these tariffs make, or what an offer cannot say of them.
pub(super) fn import(received: &OcpiImport) -> Result<NewServiceOffer, Faults> {
    let mut faults = Faults::default();
    let mut read = Vec::new();
    for (index, one) in received.tariffs.iter().enumerate() {
        let at = format!("tariffs[{index}].tariff");
        match serde_json::from_value::<ReadTariff>(one.tariff.clone()) {
            Err(error) => faults.add(at, "invalid", error.to_string()),
            Ok(tariff) => {
                let limited = [("min_price", &tariff.min_price), ("max_price", &tariff.max_price)];
                for (name, limit) in limited {
                    if limit.is_some() {
                        faults.add(format!("{at}.{name}"), "invalid", "an offer has no price limits");
                    }
                }
                if tariff.tax_included.as_deref() == Some("YES") {
                    let message = "prices of offers are before tax";
                    faults.add(format!("{at}.tax_included"), "invalid", message);
                }
                let elements = tariff.elements.iter().enumerate();
                let elements: Vec<ReceivedPrice> = elements
                    .filter_map(|(index, element)| element_of(element, &format!("{at}.elements[{index}]"), &mut faults))
                    .collect();
                read.push((one.group, tariff.currency, elements));
            }
        }
    }
    let Some(currency) = read.first().map(|(_, currency, _)| *currency) else {
        faults.add("tariffs", "required", "names no tariff");
        return Err(faults);
    };
    if read.iter().any(|(_, other, _)| *other != currency) {
        faults.add("tariffs", "invalid", "must all be in one currency");
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut tariffs = exchange::Tariffs::new(currency);
    let product = |(group, currency, received): (EvseGroupId, Currency, Vec<ReceivedPrice>)| OfferProduct {
        group,
        currency,
        time_plans: tariffs.plans(&received, true),
    };
    let products = read.into_iter().map(product).collect();
    Ok(exchange::draft(&received.name, received.network, tariffs, products))
}

fn element_of(element: &OcpiElement, at: &str, faults: &mut Faults) -> Option<ReceivedPrice> {
    let hours = element.restrictions.clone().unwrap_or_default();
    if hours.min_duration.is_some() {
        let field = format!("{at}.restrictions.min_duration");
        faults.add(field, "invalid", "prices of offers do not change with duration");
    }
    let weekdays = if hours.day_of_week.is_empty() {
        Some(Weekdays::ALL)
    } else {
        Weekdays::from_names(hours.day_of_week.iter().map(String::as_str)).ok()
    };
    let time = |text: &Option<String>, absent: u32| text.as_deref().map_or(Some(absent), exchange::second);
    let (from, to) = (time(&hours.start_time, 0), time(&hours.end_time, DAY));
    let (Some(weekdays), Some(from), Some(to)) = (weekdays, from, to) else {
        let message = "must have times such as 08:00 and days such as MONDAY";
        faults.add(format!("{at}.restrictions"), "invalid", message);
        return None;
    };
    let to = if to == 0 { DAY } else { to };
    let components: Vec<OfferComponent> = element
        .price_components
        .iter()
        .enumerate()
        .map(|(index, component)| {
            if component.vat.is_some_and(|vat| vat.0 > Decimal::ZERO) {
                let field = format!("{at}.price_components[{index}].vat");
                faults.add(field, "invalid", "prices of offers are without tax");
            }
            if component.step_size > 1 {
                let field = format!("{at}.price_components[{index}].step_size");
                faults.add(field, "invalid", "offers bill what was used, without steps");
            }
            component_of(component)
        })
        .collect();
    Some(ReceivedPrice { name: None, windows: vec![Window { weekdays, from, to }], components })
}

fn component_of(component: &OcpiPrice) -> OfferComponent {
    /// Digits of a price by the minute.
    const FINEST: u32 = 6;
    let (kind, reference_unit, fee_start) = match component.kind {
        DimensionType::Energy => (OfferComponentType::ChargingEnergy, ReferenceUnit::KilowattHour, None),
        DimensionType::Flat => (OfferComponentType::Session, ReferenceUnit::None, None),
        DimensionType::Time => (OfferComponentType::ChargingTime, ReferenceUnit::Minute, None),
        DimensionType::ParkingTime => (OfferComponentType::Parking, ReferenceUnit::Minute, Some(FeeStart::ChargingEnd)),
    };
    let price = match reference_unit {
        ReferenceUnit::Minute => (component.price.0 / Decimal::from(60)).round_dp(FINEST),
        ReferenceUnit::KilowattHour | ReferenceUnit::None => component.price.0,
    };
    OfferComponent { kind, reference_unit, price: Amount(price.normalize()), grace_period: None, fee_start }
}
