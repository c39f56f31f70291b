//! What a location is, and what may be said about one.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filters;
use crate::http::address::Address;
use crate::http::fields::{CustomFields, Field, Mandatory, MetaData, Path, wrong};
use crate::http::quantities::{Volts, shown};
use crate::http::{Faults, Versioned};
use crate::people::organizations::{ConcurrentCards, UnknownCards};
use crate::store::Json;
use crate::store::schema::locations;
use crate::{input, json_schema, patch};
use kernel::text::{Code, Name, Note};
use kernel::*;

crate::spelled! {
    /// What balancing counts at this place.
    pub enum BalancingBasis {
        /// Watts.
        Power = "power",
        /// Amps per phase.
        Current = "current",
    }
}
crate::text_column!(spelled BalancingBasis);

/// Degrees: longitude first, as GeoJSON and eDRV v1.1 have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "[f64; 2]")]
pub struct Coordinates {
    /// −180 to 180.
    pub longitude: f64,
    /// −90 to 90.
    pub latitude: f64,
}

json_schema!(Coordinates, {
    "type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2, "example": [4.8952, 52.3702]
});

impl From<Coordinates> for [f64; 2] {
    fn from(place: Coordinates) -> Self {
        [place.longitude, place.latitude]
    }
}

impl Field for Coordinates {
    /// Reads `[lng, lat]`, or v1's `{"latitude": …, "longitude": …}`.
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let pair = match value {
            Value::Array(items) if items.len() == 2 => (value.get(0), value.get(1)),
            Value::Object(_) => (value.get("longitude"), value.get("latitude")),
            _ => (None, None),
        };
        let degrees = (pair.0.and_then(Value::as_f64), pair.1.and_then(Value::as_f64));
        match degrees {
            (Some(longitude), Some(latitude)) if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 => {
                Some(Self { longitude, latitude })
            }
            _ => wrong(at, faults, "[longitude, latitude] in degrees"),
        }
    }
}

/// A window of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningWindow {
    /// `hh:mm`, local time.
    #[serde(rename = "startTime")]
    pub start_time: String,
    /// `hh:mm`, local time; 24:00 is the end of the day.
    #[serde(rename = "endTime")]
    pub end_time: String,
}

/// Opening hours by day of the week, `"0"` being Sunday; no entry at all means always open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpeningHours(pub BTreeMap<String, Vec<OpeningWindow>>);

json_schema!(OpeningHours, {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {
        "type": "object", "required": ["startTime", "endTime"],
        "properties": {"startTime": {"type": "string"}, "endTime": {"type": "string"}}
    }},
    "example": {"1": [{"startTime": "08:00", "endTime": "20:00"}]}
});

impl Field for OpeningHours {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Object(days) = value else {
            return wrong(at, faults, "an object with days \"0\" to \"6\"");
        };
        let mut hours = BTreeMap::new();
        for (day, windows) in days {
            let at = Path::Field(&at, day);
            if !matches!(day.as_str(), "0" | "1" | "2" | "3" | "4" | "5" | "6") {
                wrong::<()>(at, faults, "a day from \"0\" (Sunday) to \"6\"");
            }
            hours.insert(day.clone(), Vec::<OpeningWindow>::read(windows, at, faults)?);
        }
        Some(Self(hours))
    }
}

impl Field for OpeningWindow {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let time = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| minutes(text).is_some());
        match (time("startTime"), time("endTime")) {
            (Some(start), Some(end)) if minutes(start) < minutes(end) => {
                Some(Self { start_time: start.to_owned(), end_time: end.to_owned() })
            }
            _ => wrong(at, faults, "{\"startTime\": \"hh:mm\", \"endTime\": \"hh:mm\"}, the end after the start"),
        }
    }
}

/// Minutes since midnight of `hh:mm`, up to 24:00.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

input! {
    /// A new location.
    #[schema(example = json!({
        "operatorName": "Depot North", "coordinates": [4.8952, 52.3702], "timezone": "Europe/Amsterdam",
        "address": {"streetAndNumber": "Havenweg 1", "postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"},
        "openingHours": {"1": [{"startTime": "08:00", "endTime": "20:00"}]}
    }))]
    pub struct NewLocation {
        /// Who runs it.
        #[schema(example = "Depot North")]
        pub operator_name as "operatorName": Name,
        /// Display name.
        pub name: Option<Name>,
        /// A code of your own.
        pub code: Option<Code>,
        /// For your own use.
        pub notes: Option<Note>,
        /// Whether it is in use.
        pub active: Option<bool>,
        /// Postal address.
        pub address: Address,
        /// Where it is.
        pub coordinates: Coordinates,
        /// IANA time zone; UTC when absent.
        pub timezone: Option<TimeZone>,
        /// When it is open.
        pub opening_hours as "openingHours": Option<OpeningHours>,
        /// What balancing counts: power (the default) or current.
        pub balancing_basis: Option<BalancingBasis>,
        /// Volts between a phase and neutral; 230 when absent.
        pub voltage: Option<Volts>,
        /// What a card gets here that no token knows: refuse, accept, or free_vending (it may charge and its session has no
        /// price); as the organization says when absent.
        pub unknown_cards: Option<UnknownCards>,
        /// What a card gets here that is in use at another connector: accept, or refuse (stations are answered ConcurrentTx); as
        /// the organization says when absent.
        pub concurrent_cards: Option<ConcurrentCards>,
        /// Texts of your own.
        pub custom_fields: Option<CustomFields>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a location (JSON merge patch).
    #[schema(example = json!({"notes": "Gate code 4711", "custom_fields": {"cost centre": "4711"}}))]
    pub struct LocationPatch {
        /// Who runs it.
        pub operator_name as "operatorName": Name,
        /// Display name.
        pub name: Name,
        /// A code of your own.
        pub code: Code,
        /// For your own use.
        pub notes: Note,
        /// Whether it is in use.
        pub active: bool,
        /// Postal address; replaced as a whole.
        pub address: Address,
        /// Where it is.
        pub coordinates: Coordinates,
        /// IANA time zone.
        pub timezone: TimeZone,
        /// When it is open.
        pub opening_hours as "openingHours": OpeningHours,
        /// What balancing counts.
        pub balancing_basis: BalancingBasis,
        /// Volts between a phase and neutral.
        pub voltage: Volts,
        /// What a card gets here that no token knows; null means as the organization says.
        pub unknown_cards: UnknownCards,
        /// What a card gets here that is in use at another connector; null means as the organization says.
        pub concurrent_cards: ConcurrentCards,
        /// Texts of your own.
        pub custom_fields: CustomFields,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored location.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = locations, treat_none_as_null = true)]
pub struct Location {
    pub id: LocationId,
    pub organization_id: OrganizationId,
    pub operator_name: String,
    pub name: Option<String>,
    pub code: Option<String>,
    pub notes: Option<String>,
    pub active: bool,
    pub address: Json<Address>,
    pub longitude: f64,
    pub latitude: f64,
    pub timezone: String,
    pub opening_hours: Json<OpeningHours>,
    pub balancing_basis: BalancingBasis,
    pub voltage: Millivolts,
    pub custom_fields: Json<CustomFields>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub unknown_cards: Option<UnknownCards>,
    pub concurrent_cards: Option<ConcurrentCards>,
}

/// Mains voltage where nothing else is said.
const MAINS: Millivolts = Millivolts(230_000);

impl Location {
    /// The location that `new` describes.
    pub(super) fn new(new: NewLocation, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            operator_name: new.operator_name.into(),
            name: new.name.map(String::from),
            code: new.code.map(String::from),
            notes: new.notes.map(String::from),
            active: new.active.unwrap_or(true),
            address: Json(new.address),
            longitude: new.coordinates.longitude,
            latitude: new.coordinates.latitude,
            timezone: new.timezone.unwrap_or_default().to_string(),
            opening_hours: Json(new.opening_hours.unwrap_or_default()),
            balancing_basis: new.balancing_basis.unwrap_or(BalancingBasis::Power),
            voltage: new.voltage.map_or(MAINS, |volts| volts.0),
            custom_fields: Json(new.custom_fields.unwrap_or_default()),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
            unknown_cards: new.unknown_cards,
            concurrent_cards: new.concurrent_cards,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: LocationPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.operator_name.map(String::from).set(&mut self.operator_name, "operatorName", &mut faults);
        patch.name.map(String::from).apply(&mut self.name);
        patch.code.map(String::from).apply(&mut self.code);
        patch.notes.map(String::from).apply(&mut self.notes);
        patch.active.apply_or(&mut self.active, true);
        patch.address.map(Json).set(&mut self.address, "address", &mut faults);
        let mut place = Coordinates { longitude: self.longitude, latitude: self.latitude };
        patch.coordinates.set(&mut place, "coordinates", &mut faults);
        (self.longitude, self.latitude) = (place.longitude, place.latitude);
        patch.timezone.map(|zone| zone.to_string()).apply_or(&mut self.timezone, TimeZone::default().to_string());
        patch.opening_hours.map(Json).apply_or(&mut self.opening_hours, Json::default());
        patch.balancing_basis.apply_or(&mut self.balancing_basis, BalancingBasis::Power);
        patch.voltage.map(|volts| volts.0).apply_or(&mut self.voltage, MAINS);
        patch.unknown_cards.apply(&mut self.unknown_cards);
        patch.concurrent_cards.apply(&mut self.concurrent_cards);
        patch.custom_fields.map(Json).apply_or(&mut self.custom_fields, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Where it is.
    pub fn coordinates(&self) -> Coordinates {
        Coordinates { longitude: self.longitude, latitude: self.latitude }
    }

    /// The time zone, for local hours.
    pub fn time_zone(&self) -> TimeZone {
        self.timezone.parse().unwrap_or_default()
    }
}

/// A location as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LocationView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: LocationId,
    /// Who runs it.
    #[serde(rename = "operatorName")]
    pub operator_name: String,
    /// Display name.
    pub name: Option<String>,
    /// A code of your own.
    pub code: Option<String>,
    /// For your own use.
    pub notes: Option<String>,
    /// Whether it is in use.
    pub active: bool,
    /// Postal address.
    pub address: Address,
    /// Where it is.
    #[schema(inline)]
    pub coordinates: Coordinates,
    /// IANA time zone.
    pub timezone: String,
    /// When it is open; empty means always.
    #[serde(rename = "openingHours")]
    #[schema(inline)]
    pub opening_hours: OpeningHours,
    /// What balancing counts.
    pub balancing_basis: BalancingBasis,
    /// Volts between a phase and neutral.
    pub voltage: f64,
    /// What a card gets here that no token knows: refuse, accept or free_vending; null means as the organization says.
    pub unknown_cards: Option<UnknownCards>,
    /// What a card gets here that is in use at another connector: accept or refuse; null means as the organization says.
    pub concurrent_cards: Option<ConcurrentCards>,
    /// Texts of your own.
    pub custom_fields: CustomFields,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl Versioned for LocationView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        let Location {
            id,
            organization_id: _,
            operator_name,
            name,
            code,
            notes,
            active,
            address,
            longitude,
            latitude,
            timezone,
            opening_hours,
            balancing_basis,
            voltage,
            custom_fields,
            meta_data,
            created_at,
            updated_at,
            unknown_cards,
            concurrent_cards,
        } = location;
        Self {
            id,
            operator_name,
            name,
            code,
            notes,
            active,
            address: address.0,
            coordinates: Coordinates { longitude, latitude },
            timezone,
            opening_hours: opening_hours.0,
            balancing_basis,
            voltage: shown(voltage.get()),
            unknown_cards,
            concurrent_cards,
            custom_fields: custom_fields.0,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

filters! {
    /// Filters of locations.
    pub struct LocationFilter [has_places] {
        /// Only those in use, or only those not.
        pub active: bool,
    }
}
