//! What a rate is.

use diesel::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::filters;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::money::{Amount, Percent};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::rates;
use crate::{input, patch};
use kernel::text::{Name, Note};
use kernel::*;
use pricing::{Component, Conditions, Counted, Element, Kind, Unit};

crate::spelled! {
    /// What a price is for.
    pub enum ComponentType {
        /// Once a session.
        Flat = "FLAT",
        /// A kWh.
        Energy = "ENERGY",
        /// An hour of charging.
        Time = "TIME",
        /// An hour plugged in without charging.
        ParkingTime = "PARKING_TIME",
    }
}

input! {
    /// A price of a rate.
    #[derive(Serialize, Deserialize)]
    pub struct PriceComponent {
        /// What it is for: FLAT (once a session), ENERGY (a kWh), TIME (an hour of charging), PARKING_TIME (an hour plugged in
        /// without charging).
        #[serde(rename = "type")]
        pub kind as "type": ComponentType,
        /// What one costs, before tax.
        pub price: Amount,
        /// Tax in percent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub tax: Option<Percent>,
        /// Hours that cost nothing; of PARKING_TIME only.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub grace_period: Option<Amount>,
        /// Billed in whole steps of this many Wh or seconds.
        #[schema(minimum = 1)]
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub step_size: Option<i64>,
    }
}

/// Steps that somebody may be billed in: a day, or 86.4 kWh.
const LARGEST_STEP: i64 = 86_400;

impl PriceComponent {
    fn component(&self) -> Component {
        let (kind, counted, unit) = match self.kind {
            ComponentType::Flat => (Kind::Flat, Counted::Session, Unit::Session),
            ComponentType::Energy => (Kind::Energy, Counted::Energy, Unit::KilowattHour),
            ComponentType::Time => (Kind::Time, Counted::Charging, Unit::Hour),
            ComponentType::ParkingTime => (Kind::ParkingTime, Counted::NotCharging, Unit::Hour),
        };
        let grace = self.grace_period.unwrap_or_default().0 * Decimal::from(3_600);
        Component {
            kind,
            counted,
            unit,
            price: self.price.0,
            tax: self.tax.unwrap_or_default().0,
            grace_seconds: grace.round().to_i64().unwrap_or(0),
            step: self.step_size.unwrap_or(1),
        }
    }
}

input! {
    /// A new rate.
    #[schema(example = json!({
        "name": "Standard", "currency": "EUR", "minimum_amount": 0.5, "price_components": [
            {"type": "FLAT", "price": 0.35, "tax": 21}, {"type": "ENERGY", "price": 0.39, "tax": 21},
            {"type": "PARKING_TIME", "price": 3, "tax": 21, "grace_period": 0.25, "step_size": 60}
        ]
    }))]
    pub struct NewRate {
        /// Display name; it stands on the bill.
        pub name: Name,
        /// Description.
        pub description: Option<Note>,
        /// In what it is paid.
        pub currency: Currency,
        /// The prices, at most one of each type.
        pub price_components: Vec<PriceComponent>,
        /// The least that a session costs, with tax.
        pub minimum_amount: Option<Amount>,
        /// Whether it prices sessions; true when absent.
        pub active: Option<bool>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a rate (JSON merge patch); sessions that already started keep the prices they began with.
    #[schema(example = json!({"description": "Since the summer", "price_components": [{"type": "ENERGY", "price": 0.42, "tax": 21}]}))]
    pub struct RatePatch {
        /// Display name.
        pub name: Name,
        /// Description.
        pub description: Note,
        /// In what it is paid.
        pub currency: Currency,
        /// The prices; replaced as a whole.
        pub price_components: Vec<PriceComponent>,
        /// The least that a session costs, with tax.
        pub minimum_amount: Amount,
        /// Whether it prices sessions.
        pub active: bool,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored rate.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rates, treat_none_as_null = true)]
pub struct Rate {
    pub id: RateId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub description: Option<String>,
    pub currency: Currency,
    pub price_components: Json<Vec<PriceComponent>>,
    pub minimum_amount: Option<Amount>,
    pub active: bool,
    pub version: i64,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Rate {
    /// The rate that `new` describes.
    pub(super) fn new(new: NewRate, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            name: new.name.into(),
            description: new.description.map(String::from),
            currency: new.currency,
            price_components: Json(new.price_components),
            minimum_amount: new.minimum_amount,
            active: new.active.unwrap_or(true),
            version: 1,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: RatePatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.description.map(String::from).apply(&mut self.description);
        patch.currency.set(&mut self.currency, "currency", &mut faults);
        patch.price_components.map(Json).set(&mut self.price_components, "price_components", &mut faults);
        patch.minimum_amount.apply(&mut self.minimum_amount);
        patch.active.apply_or(&mut self.active, true);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.version += 1;
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { self.check() } else { Err(faults) }
    }

    /// What must hold between its fields.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let components = &self.price_components.0;
        if components.is_empty() {
            faults.add("price_components", "required", "needs at least one price");
        }
        for (index, component) in components.iter().enumerate() {
            let at = |name: &str| format!("price_components[{index}].{name}");
            let same = |other: &PriceComponent| other.kind == component.kind;
            if components.iter().take(index).any(same) {
                let message = format!("{} is there already", component.kind);
                faults.add(at("type"), "invalid", message);
            }
            if component.grace_period.is_some() && component.kind != ComponentType::ParkingTime {
                faults.add(at("grace_period"), "invalid", "belongs to PARKING_TIME only");
            }
            if component.step_size.is_some_and(|step| !(1..=LARGEST_STEP).contains(&step)) {
                let message = format!("must be between 1 and {LARGEST_STEP}");
                faults.add(at("step_size"), "out_of_range", message);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Its prices, under these conditions.
    pub(super) fn element(&self, when: Conditions) -> Element {
        let components = self.price_components.0.iter();
        Element { name: self.name.clone(), when, components: components.map(PriceComponent::component).collect() }
    }
}

/// A rate as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RateView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: RateId,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// In what it is paid.
    pub currency: Currency,
    /// The prices.
    pub price_components: Vec<PriceComponent>,
    /// The least that a session costs, with tax.
    pub minimum_amount: Option<Amount>,
    /// Whether it prices sessions.
    pub active: bool,
    /// How often it was changed, from 1.
    pub version: i64,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Rate> for RateView {
    fn from(rate: Rate) -> Self {
        let Rate {
            id,
            organization_id: _,
            name,
            description,
            currency,
            price_components,
            minimum_amount,
            active,
            version,
            meta_data,
            created_at,
            updated_at,
        } = rate;
        Self {
            id,
            name,
            description,
            currency,
            price_components: price_components.0,
            minimum_amount,
            active,
            version,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl Versioned for RateView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of rates and their schedules.
    pub struct RateFilter {
        /// Only those that price sessions.
        pub active: bool,
        /// Only those in this currency.
        pub currency: String,
    }
}
