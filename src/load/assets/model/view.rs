//! An asset and its readings as clients see them.

use serde::Serialize;
use serde_json::Value;

use super::asset::{Asset, AssetType, MeterScope, VoltageType};
use super::plausible::RefusedReading;
use super::reading::{Measured, Reading};
use crate::http::Versioned;
use crate::http::envelope::Reference;
use crate::http::fields::{CustomFields, MetaData};
use crate::http::quantities::shown;
use crate::sites::locations::{Coordinates, Location, LocationView};
use crate::sites::stations::CurrentType;
use kernel::*;

/// An asset as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AssetView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: AssetId,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// A code of your own.
    pub code: Option<String>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: AssetType,
    /// What kind of current flows.
    pub electric_current_type: CurrentType,
    /// Between what `voltage` is measured.
    pub electric_voltage_type: VoltageType,
    /// Its voltage in V; null means the location's.
    pub voltage: Option<f64>,
    /// Real power by apparent power.
    pub power_factor: f64,
    /// Where it is: an id, or with `include_location=true` the whole location.
    #[schema(value_type = Reference<LocationId, LocationView>)]
    pub location: Value,
    /// Where exactly it is: its own coordinates, else the location's.
    #[schema(inline)]
    pub coordinates: Coordinates,
    /// The load-management group whose power it concerns.
    pub group: Option<GroupId>,
    /// What a smart meter sees.
    pub meter_scope: Option<MeterScope>,
    /// What a consumer counts with at least when its data is stale, in kW.
    pub static_power: Option<f64>,
    /// What is added to what it draws, and taken off what it gives, in kW.
    pub fluctuation_margin: f64,
    /// What a smart meter counts with when its data is stale, in kW: the load without the chargers.
    pub fallback_power: Option<f64>,
    /// Whether a battery is on; null for all others.
    pub on: Option<bool>,
    /// Whether it counts.
    pub active: bool,
    /// Its latest reading.
    pub latest_reading: Option<ReadingView>,
    /// The last reading since then that was refused because no hardware gives it; null as soon as a better one came.
    pub refused_reading: Option<RefusedReading>,
    /// When the latest reading was measured by our clock, or when it came if that was earlier.
    pub latest_at: Option<Timestamp>,
    /// How long ago that was.
    pub age_seconds: Option<i64>,
    /// Whether its data is too old to go by: no reading for three times the usual spacing and at least a minute.
    pub stale: bool,
    /// The usual spacing of its readings, as it was learnt.
    pub interval_seconds: Option<i64>,
    /// How far its meter's clock is ahead of ours, negative where it is behind, as its readings show; they count as measured
    /// that much earlier or later.
    pub clock_offset_seconds: Option<i64>,
    /// Texts of your own.
    pub custom_fields: CustomFields,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed; readings do not change it.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl AssetView {
    /// The view of an asset at its location, as things are at `now`.
    pub fn new(asset: Asset, location: &Location, now: Timestamp) -> Self {
        let stale = asset.is_stale(now);
        let coordinates = asset.own_coordinates().unwrap_or(location.coordinates);
        let clock_offset_seconds = asset.measured.clock_offset_seconds();
        let Asset {
            id,
            organization_id: _,
            location_id,
            group_id,
            name,
            description,
            code,
            kind,
            electric_current_type,
            electric_voltage_type,
            voltage,
            power_factor,
            longitude: _,
            latitude: _,
            meter_scope,
            static_power,
            fluctuation_margin,
            fallback_power,
            switched_on,
            active,
            measured,
            custom_fields,
            meta_data,
            created_at,
            updated_at,
        } = asset;
        let Measured {
            latest,
            latest_at,
            fresh_until: _,
            interval_seconds,
            reported_at: _,
            received_at: _,
            peaks: _,
            meter_clock: _,
            refused,
        } = measured;
        Self {
            id,
            name,
            description,
            code,
            kind,
            electric_current_type,
            electric_voltage_type,
            voltage: voltage.map(|voltage| shown(voltage.get())),
            power_factor: shown(power_factor) / 1000.0,
            location: Value::String(location_id.to_string()),
            coordinates,
            group: group_id,
            meter_scope,
            static_power: static_power.map(Watts::kilowatts),
            fluctuation_margin: fluctuation_margin.kilowatts(),
            fallback_power: fallback_power.map(Watts::kilowatts),
            on: switched_on,
            active,
            latest_reading: latest.map(|reading| ReadingView::from(reading.0)),
            refused_reading: refused.map(|refused| refused.0),
            latest_at,
            age_seconds: latest_at.map(|at| now.seconds_since(at)),
            stale,
            interval_seconds,
            clock_offset_seconds,
            custom_fields: custom_fields.0,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl Versioned for AssetView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

/// A reading as clients see it; or, where a resolution was asked for, the readings of one span.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ReadingView {
    /// When it was measured, by the meter's clock; or the beginning of the span.
    pub at: Timestamp,
    /// The power of all phases together, in kW; or its mean. Signs are those of the asset's type.
    pub power: f64,
    /// The lowest power of the span, in kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_power: Option<f64>,
    /// The highest power of the span, in kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_power: Option<f64>,
    /// How many readings the span has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readings: Option<i64>,
    /// The power of each phase, in kW; of one phase, or DC, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_power: Option<Vec<Option<f64>>>,
    /// The current of each phase, in A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Vec<Option<f64>>>,
    /// The voltage of each phase to neutral, in V.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage: Option<Vec<Option<f64>>>,
    /// The energy register, in Wh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<i64>,
}

impl From<Reading> for ReadingView {
    fn from(reading: Reading) -> Self {
        fn each(phases: [Option<i64>; 3]) -> Option<Vec<Option<f64>>> {
            let known = phases.iter().any(Option::is_some);
            known.then(|| phases.map(|one| one.map(shown)).to_vec())
        }
        let Reading { at, power, phase_power, current, voltage, energy } = reading;
        Self {
            at,
            power: power.kilowatts(),
            minimum_power: None,
            maximum_power: None,
            readings: None,
            phase_power: each(phase_power.map(|one| one.map(Watts::get))),
            current: each(current.map(|one| one.map(Milliamps::get))),
            voltage: each(voltage.map(|one| one.map(Millivolts::get))),
            energy: energy.map(WattHours::get),
        }
    }
}

/// What became of readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// How many were stored.
    #[schema(example = 1)]
    pub accepted: usize,
    /// How many were known already, and are not stored twice.
    #[schema(example = 0)]
    pub duplicates: usize,
    /// Those that were refused, each with its reason.
    pub rejected: Vec<Rejection>,
    /// What is odd about those that were stored.
    pub warnings: Vec<ReadingWarning>,
}

/// What is odd about a reading that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReadingWarning {
    /// Which one, from 0.
    pub index: usize,
    /// Which of its fields.
    pub field: String,
    /// `unsigned`: its currents had no sign and were taken as negative, as its power is. `below_zero`: it says that more
    /// power is fed in than what is known to produce there, and only that counts.
    pub code: String,
    /// What a person needs to put it right.
    pub message: String,
}

/// Why a reading was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rejection {
    /// Which one, from 0.
    pub index: usize,
    /// Which of its fields.
    pub field: String,
    /// What kind of fault: `required`, `invalid`, `unknown`, `out_of_range`, or `conflict` where another reading has
    /// this time.
    pub code: String,
    /// What a person needs to put it right.
    pub message: String,
}
