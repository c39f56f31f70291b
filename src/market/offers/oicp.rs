//! Offers as pricing product data and EVSE pricing of OICP 2.3, and such data as drafts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::*;
use super::exchange::{self, Operator, ReceivedPrice};
use super::model::{NewServiceOffer, OfferName, ServiceOffer};
use crate::http::money::Amount;
use crate::http::{ApiResult, Faults};
use crate::input;
use crate::market::networks::NetworkEvseView;
use kernel::calendar::Weekdays;
use kernel::*;
use pricing::Window;

crate::spelled! {
    /// What a price is for one of.
    pub enum OicpUnit {
        /// An hour.
        Hour = "HOUR",
        /// A kWh.
        KilowattHour = "KILOWATT_HOUR",
        /// A minute.
        Minute = "MINUTE",
    }
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OicpPeriod {
    /// `HH:MM`.
    pub begin: String,
    /// `HH:MM`; 24:00 is the end of the day.
    pub end: String,
}

/// The hours of some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OicpTimes {
    /// The hours.
    #[serde(rename = "Periods", alias = "Period")]
    pub periods: Vec<OicpPeriod>,
    /// Everyday, Workdays, Weekend, or a day.
    pub on: String,
}

/// A price besides the base price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OicpAddition {
    /// START FEE, FIXED FEE, PARKING FEE, MINIMUM FEE or MAXIMUM FEE.
    pub additional_reference: String,
    /// For one of what.
    pub additional_reference_unit: OicpUnit,
    /// What one costs, before tax.
    pub price_per_additional_reference_unit: Amount,
}

/// A pricing product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OicpProduct {
    /// Its id.
    #[serde(rename = "ProductID")]
    pub product_id: String,
    /// For one of what the base price is.
    pub reference_unit: OicpUnit,
    /// In what it is paid.
    pub product_price_currency: Currency,
    /// The base price, before tax.
    pub price_per_reference_unit: Amount,
    /// The most power, in kW (the specification says kWh).
    pub maximum_product_charging_power: f64,
    /// Whether it holds around the clock.
    #[serde(rename = "IsValid24hours")]
    pub is_valid_24_hours: bool,
    /// When it holds otherwise.
    pub product_availability_times: Vec<OicpTimes>,
    /// Prices besides the base price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_references: Vec<OicpAddition>,
}

/// The pricing products of an operator for a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PricingProductData {
    /// The operator.
    #[serde(rename = "OperatorID")]
    pub operator_id: String,
    /// The provider; `*` is everybody.
    #[serde(rename = "ProviderID")]
    pub provider_id: String,
    /// What EVSEs cost that are not listed.
    pub pricing_default_price: Amount,
    /// In what that is paid.
    pub pricing_default_price_currency: Currency,
    /// For one of what.
    pub pricing_default_reference_unit: OicpUnit,
    /// The products.
    pub pricing_product_data_records: Vec<OicpProduct>,
}

/// eRoamingPushPricingProductData.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PushPricingProductData {
    /// fullLoad.
    pub action_type: String,
    /// The data.
    pub pricing_product_data: PricingProductData,
}

/// The products of an EVSE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct OicpEvsePricing {
    /// The EVSE.
    #[serde(rename = "EvseID")]
    pub evse_id: String,
    /// The provider; `*` is everybody.
    #[serde(rename = "ProviderID")]
    pub provider_id: String,
    /// Its products.
    #[serde(rename = "EvseIDProductList")]
    pub products: Vec<String>,
}

/// eRoamingPushEVSEPricing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct PushEvsePricing {
    /// fullLoad.
    #[serde(rename = "ActionType")]
    pub action_type: String,
    /// The EVSEs.
    #[serde(rename = "EVSEPricing")]
    pub evse_pricing: Vec<OicpEvsePricing>,
}

/// An offer in OICP's form.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct OicpExport {
    /// A message for each provider.
    pub pricing_product_data: Vec<PushPricingProductData>,
    /// The EVSEs with their products.
    pub evse_pricing: PushEvsePricing,
    /// What OICP cannot say.
    pub notes: Vec<String>,
}

/// What a whole set is pushed as.
const FULL_LOAD: &str = "fullLoad";

/// The offer as messages of OICP 2.3.
pub(super) fn export(offer: &ServiceOffer, evses: &[NetworkEvseView], operator: Option<&str>) -> ApiResult<OicpExport> {
    let operator = Operator::of(operator, evses)?;
    let content = &offer.content.0;
    let mut notes = Vec::new();
    let mut records: Vec<OicpProduct> = Vec::new();
    let mut by_group: BTreeMap<EvseGroupId, Vec<String>> = BTreeMap::new();
    for (group, product) in (1..).zip(&content.products) {
        let members = evses.iter().filter(|evse| evse.group == Some(product.group));
        let power = members.map(|evse| evse.output).fold(0.0, f64::max);
        for (number, tariff) in (1..).zip(&content.tariffs) {
            let times = availability(product, tariff, &mut notes);
            if times.is_empty() {
                continue;
            }
            // A product id is used once in all offers: the offer's own id makes it so.
            let product_id = format!("{}-{group}-{number}", offer.id);
            let record = record(product_id.clone(), tariff, power, times, &mut notes);
            by_group.entry(product.group).or_default().push(product_id);
            records.push(record);
        }
    }
    let providers: Vec<String> = if content.offer_to_all {
        vec!["*".to_owned()]
    } else {
        content.partners.iter().map(|one| one.0.clone()).collect()
    };
    let default = content.products.first().map(|product| product.currency);
    let pushes = providers.iter().filter_map(|provider| {
        Some(PushPricingProductData {
            action_type: FULL_LOAD.to_owned(),
            pricing_product_data: PricingProductData {
                operator_id: format!("{}*{}", operator.country, operator.party),
                provider_id: provider.clone(),
                pricing_default_price: Amount::default(),
                pricing_default_price_currency: default?,
                pricing_default_reference_unit: OicpUnit::KilowattHour,
                pricing_product_data_records: records.clone(),
            },
        })
    });
    let listed = evses.iter().flat_map(|evse| {
        let products = evse.group.and_then(|group| by_group.get(&group));
        let known = evse.evse_id.clone().zip(products.cloned());
        let each = |(evse_id, products): (String, Vec<String>)| {
            let pricing = move |provider: &String| OicpEvsePricing {
                evse_id: evse_id.clone(),
                provider_id: provider.clone(),
                products: products.clone(),
            };
            providers.iter().map(pricing).collect::<Vec<_>>()
        };
        known.map(each).unwrap_or_default()
    });
    notes.sort();
    notes.dedup();
    Ok(OicpExport {
        pricing_product_data: pushes.collect(),
        evse_pricing: PushEvsePricing { action_type: FULL_LOAD.to_owned(), evse_pricing: listed.collect() },
        notes,
    })
}

/// When a tariff holds in a group.
fn availability(product: &OfferProduct, tariff: &OfferTariff, notes: &mut Vec<String>) -> Vec<OicpTimes> {
    let mut times = Vec::new();
    for plan in &product.time_plans {
        let slots = plan.slots.iter().filter(|slot| slot.tariff == tariff.name);
        let periods: Vec<OicpPeriod> = slots
            .map(|slot| {
                let (from, to) = (slot.start_time.0, slot.end_time.0 + 1);
                if from % 60 + to % 60 > 0 {
                    notes.push("Hours are written to the minute".to_owned());
                }
                OicpPeriod { begin: exchange::minute(from), end: exchange::minute(to) }
            })
            .collect();
        if periods.is_empty() {
            continue;
        }
        let names: Vec<&str> = plan.days_of_week.0.names().collect();
        let on = |on: &str| OicpTimes { periods: periods.clone(), on: on.to_owned() };
        match names.as_slice() {
            [_, _, _, _, _, _, _] => times.push(on("Everyday")),
            ["monday", "tuesday", "wednesday", "thursday", "friday"] => times.push(on("Workdays")),
            ["sunday", "saturday"] => times.push(on("Weekend")),
            names => times.extend(names.iter().map(|name| on(&capital(name)))),
        }
    }
    times
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn record(
    product_id: String,
    tariff: &OfferTariff,
    power: f64,
    times: Vec<OicpTimes>,
    notes: &mut Vec<String>,
) -> OicpProduct {
    let find = |kind| {
        let mut components = tariff.components.iter();
        components.find(move |component: &&OfferComponent| component.kind == kind)
    };
    let (energy, time) = (find(OfferComponentType::ChargingEnergy), find(OfferComponentType::ChargingTime));
    let (reference_unit, base) = match (energy, time) {
        (Some(energy), _) => (OicpUnit::KilowattHour, energy.price),
        (None, Some(time)) => (OicpUnit::Minute, time.price),
        (None, None) => (OicpUnit::KilowattHour, Amount::default()),
    };
    let mut note = |what: &str| notes.push(format!("Tariff {}: {what}", tariff.name.as_str()));
    if energy.is_some() && time.is_some() {
        note("OICP has one base price: the price of charging time is left out");
    }
    let mut additional = Vec::new();
    let mut add = |reference: &str, unit, price| {
        additional.push(OicpAddition {
            additional_reference: reference.to_owned(),
            additional_reference_unit: unit,
            price_per_additional_reference_unit: price,
        });
    };
    if let Some(session) = find(OfferComponentType::Session) {
        add("START FEE", reference_unit, session.price);
    }
    let (parking, blocking) = (find(OfferComponentType::Parking), find(OfferComponentType::BlockingFee));
    for fee in [parking, blocking].into_iter().flatten() {
        add("PARKING FEE", OicpUnit::Minute, fee.price);
        if fee.grace_period.unwrap_or(0) > 0 || fee.fee_start.is_some() {
            note("OICP does not say from when a parking fee counts: the text of the offer has to");
        }
    }
    let whole_day =
        |times: &OicpTimes| matches!(times.periods.as_slice(), [only] if only.begin == "00:00" && only.end == "24:00");
    let always = matches!(times.as_slice(), [only] if only.on == "Everyday" && whole_day(only));
    OicpProduct {
        product_id,
        reference_unit,
        product_price_currency: tariff.currency,
        price_per_reference_unit: base,
        maximum_product_charging_power: power,
        is_valid_24_hours: always,
        product_availability_times: if always { Vec::new() } else { times },
        additional_references: additional,
    }
}

input! {
    /// Messages of OICP 2.3 that are to become a draft.
    #[schema(example = json!({
        "name": "From OICP", "network": "650000000000000000000001",
        "pricing_product_data": {"ActionType": "fullLoad", "PricingProductData": {
            "OperatorID": "NL*EWT", "ProviderID": "*", "PricingDefaultPrice": 0, "PricingDefaultPriceCurrency": "EUR",
            "PricingDefaultReferenceUnit": "KILOWATT_HOUR", "PricingProductDataRecords": [{
                "ProductID": "AC 3", "ReferenceUnit": "KILOWATT_HOUR", "ProductPriceCurrency": "EUR",
                "PricePerReferenceUnit": 0.49, "MaximumProductChargingPower": 22, "IsValid24hours": true,
                "ProductAvailabilityTimes": []}]}},
        "evse_pricing": {"ActionType": "fullLoad", "EVSEPricing": [
            {"EvseID": "NL*EWT*E000123", "ProviderID": "*", "EvseIDProductList": ["AC 3"]}]}
    }))]
    pub(crate) struct OicpImport {
        /// What the draft is called.
        pub name: OfferName,
        /// Its network, whose groups have EVSEs already.
        pub network: EvseNetworkId,
        /// eRoamingPushPricingProductData.
        #[schema(value_type = Object)]
        pub pricing_product_data: Value,
        /// eRoamingPushEVSEPricing; the EVSEs of a group have the same products.
        #[schema(value_type = Object)]
        pub evse_pricing: Value,
    }
}

/// The draft that these messages make for a network with these EVSEs, or what an offer cannot say of them.
pub(super) fn import(received: &OicpImport, evses: &[NetworkEvseView]) -> Result<NewServiceOffer, Faults> {
    let mut faults = Faults::default();
    let data = serde_json::from_value::<PushPricingProductData>(received.pricing_product_data.clone())
        .map_err(|error| faults.add("pricing_product_data", "invalid", error.to_string()));
    let pricing = serde_json::from_value::<PushEvsePricing>(received.evse_pricing.clone())
        .map_err(|error| faults.add("evse_pricing", "invalid", error.to_string()));
    let (Ok(data), Ok(pricing)) = (data, pricing) else {
        return Err(faults);
    };
    let data = data.pricing_product_data;
    let currency = data.pricing_default_price_currency;
    let mut known: BTreeMap<&str, ReceivedPrice> = BTreeMap::new();
    for (index, record) in data.pricing_product_data_records.iter().enumerate() {
        let at = format!("pricing_product_data.PricingProductData.PricingProductDataRecords[{index}]");
        if record.product_price_currency != currency {
            let field = format!("{at}.ProductPriceCurrency");
            faults.add(field, "invalid", "an offer has one currency");
        }
        let one = ReceivedPrice {
            name: Some(record.product_id.clone()),
            windows: windows(record, &at, &mut faults),
            components: components(record, &at, &mut faults),
        };
        known.insert(record.product_id.as_str(), one);
    }
    let mut by_group: BTreeMap<EvseGroupId, &OicpEvsePricing> = BTreeMap::new();
    for (index, one) in pricing.evse_pricing.iter().enumerate() {
        let at = format!("evse_pricing.EVSEPricing[{index}]");
        for product in &one.products {
            if !known.contains_key(product.as_str()) {
                let message = format!("there is no record of product {product}");
                faults.add(format!("{at}.EvseIDProductList"), "not_found", message);
            }
        }
        let evse = evses.iter().find(|evse| {
            let own = evse.evse_id.as_deref();
            own.is_some_and(|own| same_id(own, &one.evse_id))
        });
        let Some(group) = evse.and_then(|evse| evse.group) else {
            let message = "is in no group of the network";
            faults.add(format!("{at}.EvseID"), "not_found", message);
            continue;
        };
        let first = by_group.entry(group).or_insert(one);
        if first.products != one.products {
            let message = format!("differs from {}, which is in the same group", first.evse_id);
            faults.add(format!("{at}.EvseIDProductList"), "invalid", message);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut tariffs = exchange::Tariffs::new(currency);
    let product = |(group, pricing): (EvseGroupId, &OicpEvsePricing)| {
        let products = pricing.products.iter();
        let received: Vec<ReceivedPrice> =
            products.filter_map(|product| known.get(product.as_str()).cloned()).collect();
        OfferProduct { group, currency, time_plans: tariffs.plans(&received, false) }
    };
    let products = by_group.into_iter().map(product).collect();
    Ok(exchange::draft(&received.name, received.network, tariffs, products))
}

/// Separators and case do not matter in an EVSE id.
fn same_id(left: &str, right: &str) -> bool {
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(|c| *c != '*');
        letters.map(|c| c.to_ascii_uppercase()).collect()
    };
    letters(left) == letters(right)
}

fn windows(record: &OicpProduct, at: &str, faults: &mut Faults) -> Vec<Window> {
    if record.is_valid_24_hours {
        return Vec::new();
    }
    let mut windows = Vec::new();
    for (index, times) in record.product_availability_times.iter().enumerate() {
        let at = format!("{at}.ProductAvailabilityTimes[{index}]");
        let names: &[&str] = match times.on.as_str() {
            "Everyday" => &["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "Workdays" => &["mon", "tue", "wed", "thu", "fri"],
            "Weekend" => &["sat", "sun"],
            day => &[day],
        };
        let Ok(weekdays) = Weekdays::from_names(names.iter().copied()) else {
            faults.add(format!("{at}.on"), "invalid", "must be a day");
            continue;
        };
        for (position, period) in times.periods.iter().enumerate() {
            let bounds = (exchange::second(&period.begin), exchange::second(&period.end));
            let (Some(from), Some(to)) = bounds else {
                let field = format!("{at}.Periods[{position}]");
                faults.add(field, "invalid", "must have times such as 08:00");
                continue;
            };
            // Partners end the day at 00:00, at 24:00, or a minute before.
            let to = if to == 0 || to == DAY - 60 { DAY } else { to };
            windows.push(Window { weekdays, from, to });
        }
    }
    if windows.is_empty() {
        let field = format!("{at}.ProductAvailabilityTimes");
        faults.add(field, "required", "says of no hour that it holds");
    }
    windows
}

fn components(record: &OicpProduct, at: &str, faults: &mut Faults) -> Vec<OfferComponent> {
    let mut components = Vec::new();
    let mut add = |kind, reference_unit, price: Amount| {
        components.push(OfferComponent { kind, reference_unit, price, grace_period: None, fee_start: None });
    };
    let base = record.price_per_reference_unit;
    match record.reference_unit {
        OicpUnit::KilowattHour => add(OfferComponentType::ChargingEnergy, ReferenceUnit::KilowattHour, base),
        OicpUnit::Minute | OicpUnit::Hour => {
            add(OfferComponentType::ChargingTime, ReferenceUnit::Minute, by_minute(record.reference_unit, base))
        }
    }
    for (index, more) in record.additional_references.iter().enumerate() {
        let price = more.price_per_additional_reference_unit;
        match more.additional_reference.as_str() {
            "START FEE" | "FIXED FEE" => {
                add(OfferComponentType::Session, ReferenceUnit::None, price);
            }
            "PARKING FEE" if more.additional_reference_unit != OicpUnit::KilowattHour => add(
                OfferComponentType::Parking,
                ReferenceUnit::Minute,
                by_minute(more.additional_reference_unit, price),
            ),
            other => {
                let field = format!("{at}.AdditionalReferences[{index}].AdditionalReference");
                faults.add(field, "invalid", format!("an offer has no {other}"));
            }
        }
    }
    components
}

fn by_minute(unit: OicpUnit, price: Amount) -> Amount {
    /// Digits of a price by the minute.
    const FINEST: u32 = 6;
    match unit {
        OicpUnit::Hour => Amount((price.0 / rust_decimal::Decimal::from(60)).round_dp(FINEST).normalize()),
        OicpUnit::Minute | OicpUnit::KilowattHour => price,
    }
}
