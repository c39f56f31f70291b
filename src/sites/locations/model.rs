//! What a location is, and what may be said about one.

use std::collections::BTreeMap;

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filters;
use crate::http::Faults;
use crate::http::address::Address;
use crate::http::fields::{CustomFields, Field, MetaData, Path, wrong};
use crate::http::quantities::Volts;
use crate::json_schema;
use crate::people::organizations::{ConcurrentCards, UnknownCards};
use crate::store::Json;
use crate::store::schema::locations;
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = locations)]
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

/// Mains voltage where nothing else is said.
const MAINS: Millivolts = Millivolts(230_000);

#[resource(
    new("A new location.", example = json!({
        "operatorName": "Depot North", "coordinates": [4.8952, 52.3702], "timezone": "Europe/Amsterdam",
        "address": {"streetAndNumber": "Havenweg 1", "postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"},
        "openingHours": {"1": [{"startTime": "08:00", "endTime": "20:00"}]}
    })),
    patch(
        "Changes of a location (JSON merge patch).",
        example = json!({"notes": "Gate code 4711", "custom_fields": {"cost centre": "4711"}})
    ),
    view("A location as clients see it.")
)]
/// A stored location.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = locations, treat_none_as_null = true)]
pub struct Location {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: LocationId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Who runs it.
    #[field(name = "operatorName", read = Name, new(example = "Depot North"))]
    pub operator_name: String,
    /// Display name.
    #[field(read = Name)]
    pub name: Option<String>,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// For your own use.
    #[field(read = Note)]
    pub notes: Option<String>,
    /// How drivers find it on site, as OCPI's `directions`.
    #[field(read = Note, new(example = "Level -2, behind the second barrier"))]
    pub directions: Option<String>,
    /// Whether it is in use.
    #[field(read, default = true)]
    pub active: bool,
    /// Postal address.
    #[field(read)]
    pub address: Json<Address>,
    /// Where it is.
    #[field(read, view(inline))]
    #[diesel(embed)]
    pub coordinates: Coordinates,
    /// IANA time zone.
    #[field(read = TimeZone, default, new("IANA time zone; UTC when absent."))]
    pub timezone: String,
    /// When it is open.
    #[field(name = "openingHours", read, default, view("When it is open; empty means always.", inline))]
    pub opening_hours: Json<OpeningHours>,
    /// What balancing counts.
    #[field(
        read,
        default = BalancingBasis::Power,
        new("What balancing counts: power (the default) or current.")
    )]
    pub balancing_basis: BalancingBasis,
    /// Volts between a phase and neutral.
    #[field(read = Volts, default = MAINS, shown = f64, new("Volts between a phase and neutral; 230 when absent."))]
    pub voltage: Millivolts,
    /// What a card gets here that no token knows: refuse, accept or free_vending; null means as the organization says.
    #[field(
        read,
        new("What a card gets here that no token knows: refuse, accept, or free_vending (it may charge and its session has no
            price); as the organization says when absent."),
        patch("What a card gets here that no token knows; null means as the organization says.")
    )]
    pub unknown_cards: Option<UnknownCards>,
    /// What a card gets here that is in use at another connector: accept or refuse; null means as the organization says.
    #[field(
        read,
        new("What a card gets here that is in use at another connector: accept, or refuse (stations are answered ConcurrentTx); as
            the organization says when absent."),
        patch("What a card gets here that is in use at another connector; null means as the organization says.")
    )]
    pub concurrent_cards: Option<ConcurrentCards>,
    /// Texts of your own.
    #[field(read, default)]
    pub custom_fields: Json<CustomFields>,
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

impl Location {
    /// The time zone, for local hours.
    pub fn time_zone(&self) -> TimeZone {
        self.timezone.parse().unwrap_or_default()
    }
}

filters! {
    /// Filters of locations.
    pub(crate) struct LocationFilter [has_places] {
        /// Only those in use, or only those not.
        pub active: bool,
    }
}
