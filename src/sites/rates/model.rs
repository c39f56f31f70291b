//! What a rate is.

use diesel::prelude::*;
use resource::resource;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::filters;
use crate::http::Faults;
use crate::http::fields::MetaData;
use crate::http::money::{Amount, Percent};
use crate::input;
use crate::store::Json;
use crate::store::schema::rates;
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

#[resource(
    new("A new rate.", example = json!({
        "name": "Standard", "currency": "EUR", "minimum_amount": 0.5, "price_components": [
            {"type": "FLAT", "price": 0.35, "tax": 21}, {"type": "ENERGY", "price": 0.39, "tax": 21},
            {"type": "PARKING_TIME", "price": 3, "tax": 21, "grace_period": 0.25, "step_size": 60}
        ]
    })),
    patch(
        "Changes of a rate (JSON merge patch); sessions that already started keep the prices they began with.",
        function = merge,
        example = json!({"description": "Since the summer", "price_components": [{"type": "ENERGY", "price": 0.42, "tax": 21}]})
    ),
    view("A rate as clients see it.")
)]
/// A stored rate.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rates, treat_none_as_null = true)]
pub struct Rate {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: RateId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name, new("Display name; it stands on the bill."))]
    pub name: String,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// In what it is paid.
    #[field(read)]
    pub currency: Currency,
    /// The prices.
    #[field(read, new("The prices, at most one of each type."), patch("The prices; replaced as a whole."))]
    pub price_components: Json<Vec<PriceComponent>>,
    /// The least that a session costs, with tax.
    #[field(read)]
    pub minimum_amount: Option<Amount>,
    /// Whether it prices sessions.
    #[field(read, default = true, new("Whether it prices sessions; true when absent."))]
    pub active: bool,
    /// How often it was changed, from 1.
    #[field(initial = 1)]
    pub version: i64,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

impl Rate {
    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: RatePatch, moment: &Moment) -> Result<(), Faults> {
        self.version += 1;
        self.merge(patch, moment)?;
        self.check()
    }

    /// What must be true between its fields.
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

filters! {
    /// Filters of rates and their schedules.
    pub(crate) struct RateFilter {
        /// Only those that price sessions.
        pub active: bool,
        /// Only those in this currency.
        pub currency: String,
        /// Only those that price connectors at this location: `GET /connectors?location=&rate=` counts and lists these.
        pub location: LocationId,
    }
}
