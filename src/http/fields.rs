//! Reading JSON into domain types: every fault is noted with its path, nothing is read twice.
//!
//! A type that implements [`Field`] checks itself, so a struct made of such types by [`input!`](crate::input) or
//! [`patch!`](crate::patch) is checked when it exists; `#[resource]` writes both for resources. Unknown fields are faults: a typing mistake never passes silently.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Faults;
use kernel::calendar::{TimeOfDay, Weekdays};
use kernel::spelled::Spelled;
use kernel::text::{InvalidText, Text, is_unreadable};
use kernel::*;

/// Where in a document we are: `connectors[0].id`.
#[derive(Debug, Clone, Copy)]
pub enum Path<'a> {
    /// The document itself.
    Root,
    /// A field of an object.
    Field(&'a Path<'a>, &'a str),
    /// An element of an array.
    Element(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Path::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value that can be read from JSON.
pub trait Field: Sized {
    /// Reads it, or notes what is wrong.
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self>;
    /// What an absent field means: a fault, unless the type says otherwise.
    fn absent(at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        faults.add(at, "required", "is required");
        None
    }
}

/// Gives a type the JSON schema that is written out, where the derive cannot know it.
#[macro_export]
macro_rules! json_schema {
    ($name:ty, $schema:tt) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                kernel::schemas::written(serde_json::json!($schema))
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}

/// Notes a wrong type.
pub fn wrong<T>(at: Path<'_>, faults: &mut Faults, must: impl fmt::Display) -> Option<T> {
    faults.add(at, "invalid", format!("must be {must}"));
    None
}

impl<T: Field> Field for Option<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value, at, faults).map(Some) }
    }
    fn absent(_: Path<'_>, _: &mut Faults) -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Patch<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        if value.is_null() { Some(Self::Null) } else { T::read(value, at, faults).map(Self::Value) }
    }
    fn absent(_: Path<'_>, _: &mut Faults) -> Option<Self> {
        Some(Self::Absent)
    }
}

/// A value that must be said, and may be null: to leave it out is a fault, where null does something that nobody wants by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidOrNull<T>(pub Option<T>);

impl<T: Field> Field for SaidOrNull<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        if value.is_null() { Some(Self(None)) } else { T::read(value, at, faults).map(|value| Self(Some(value))) }
    }
}

/// Applying a patch to a field that must never be empty.
pub trait Mandatory<T> {
    /// Replaces the field; null is a fault.
    fn set(self, field: &mut T, name: &str, faults: &mut Faults);
}

impl<T> Mandatory<T> for Patch<T> {
    fn set(self, field: &mut T, name: &str, faults: &mut Faults) {
        match self {
            Self::Absent => {}
            Self::Null => faults.add(name, "required", "cannot be null"),
            Self::Value(value) => *field = value,
        }
    }
}

/// Elements that one array of a body may have.
const LONGEST_ARRAY: usize = 5_000;

impl<T: Field> Field for Vec<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Array(items) = value else {
            return wrong(at, faults, "an array");
        };
        if items.len() > LONGEST_ARRAY {
            return wrong(at, faults, format_args!("an array of at most {LONGEST_ARRAY} elements"));
        }
        // Every element is read before the outcome is judged, so that all their faults are noted.
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(index, item)| T::read(item, Path::Element(&at, index), faults)).collect();
        read.into_iter().collect()
    }
}

impl Field for bool {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        value.as_bool().or_else(|| wrong(at, faults, "true or false"))
    }
}

impl Field for f64 {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        value.as_f64().or_else(|| wrong(at, faults, "a number"))
    }
}

impl Field for i64 {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        value.as_i64().or_else(|| wrong(at, faults, "a whole number"))
    }
}

impl Field for u32 {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let number = value.as_u64().and_then(|number| Self::try_from(number).ok());
        number.or_else(|| wrong(at, faults, "a whole number that is not negative"))
    }
}

impl Field for i32 {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let number = value.as_i64().and_then(|number| Self::try_from(number).ok());
        number.or_else(|| wrong(at, faults, "a whole number"))
    }
}

impl Field for Value {
    fn read(value: &Value, _: Path<'_>, _: &mut Faults) -> Option<Self> {
        Some(value.clone())
    }
}

/// Free JSON that belongs to the client: `meta_data`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MetaData(pub Map<String, Value>);

crate::json_schema!(MetaData, {"type": "object", "additionalProperties": true, "example": {"order": "A1"}});

/// Bytes that a free JSON object may take.
const LARGEST_META_DATA: usize = 16 * 1024;

impl Field for MetaData {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(map) if value.to_string().len() <= LARGEST_META_DATA => Some(Self(map.clone())),
            Value::Object(_) => wrong(at, faults, format_args!("at most {LARGEST_META_DATA} bytes of JSON")),
            _ => wrong(at, faults, "an object"),
        }
    }
}

/// Key-value pairs of text: `custom_fields`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomFields(pub BTreeMap<String, String>);

crate::json_schema!(CustomFields, {
    "type": "object", "additionalProperties": {"type": "string", "maxLength": 500}, "maxProperties": 100,
    "example": {"cost centre": "4711"}
});

impl Field for CustomFields {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Object(map) = value else {
            return wrong(at, faults, "an object of texts");
        };
        if map.len() > 100 {
            return wrong(at, faults, "an object with at most 100 keys");
        }
        let mut fields = BTreeMap::new();
        for (key, value) in map {
            match value.as_str() {
                Some(text)
                    if text.chars().any(|letter| is_unreadable(letter, true))
                        || key.chars().any(|letter| is_unreadable(letter, false)) =>
                {
                    let error = InvalidText::ControlCharacter;
                    faults.add(Path::Field(&at, key), "invalid", error.to_string());
                    return None;
                }
                Some(text) if text.chars().count() <= 500 && key.chars().count() <= 100 => {
                    fields.insert(key.clone(), text.to_owned());
                }
                _ => wrong(Path::Field(&at, key), faults, "a text of at most 500 characters")?,
            }
        }
        Some(Self(fields))
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> Field for Text<MIN, MAX, LINES> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Some(text) = value.as_str() else {
            return wrong(at, faults, "a text");
        };
        match text.parse() {
            Ok(text) => Some(text),
            Err(error) => {
                let error: kernel::text::InvalidText = error;
                faults.add(at, "invalid", error.to_string());
                None
            }
        }
    }
}

/// Reads an enumeration by any of its spellings.
pub fn read_spelled<T: Spelled>(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<T> {
    value.as_str().and_then(T::from_spelling).or_else(|| wrong(at, faults, format_args!("one of {}", T::choices())))
}

/// Declares an enumeration as [`kernel::spelled!`] does, and reads it from bodies and from the query.
#[macro_export]
macro_rules! spelled {
    ($(#[doc = $doc:literal])* pub enum $name:ident $values:tt) => {
        kernel::spelled! { $(#[doc = $doc])* pub enum $name $values }
        $crate::spelled_fields!($name);
    };
}

/// Reads enumerations of the pure crates from bodies and from the query.
#[macro_export]
macro_rules! spelled_fields {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::http::fields::Field for $name {
            fn read(
                value: &serde_json::Value,
                at: $crate::http::fields::Path<'_>,
                faults: &mut $crate::http::Faults,
            ) -> Option<Self> {
                $crate::http::fields::read_spelled(value, at, faults)
            }
        }
        impl $crate::http::query::Parameter for $name {
            fn expectation() -> String {
                format!("one of {}", <Self as kernel::spelled::Spelled>::choices())
            }
            fn from_parameter(text: &str) -> Option<Self> {
                kernel::spelled::Spelled::from_spelling(text)
            }
        }
    )*};
}

spelled_fields!(kernel::Protocol, pricing::Kind, pricing::Counted, pricing::Unit, pricing::Selection);

macro_rules! parsed_fields {
    ($($type:ty: $must:literal),* $(,)?) => {$(
        impl Field for $type {
            fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
                value.as_str().and_then(|text| text.parse().ok()).or_else(|| wrong(at, faults, $must))
            }
        }
    )*};
}

parsed_fields! {
    OrganizationId: "an id of 24 hexadecimal characters",
    ApiKeyId: "an id of 24 hexadecimal characters",
    LocationId: "an id of 24 hexadecimal characters",
    StationId: "an id of 24 hexadecimal characters",
    EvseId: "an id of 24 hexadecimal characters",
    ConnectorId: "an id of 24 hexadecimal characters",
    UserId: "an id of 24 hexadecimal characters",
    TokenId: "an id of 24 hexadecimal characters",
    SessionId: "an id of 24 hexadecimal characters",
    GroupId: "an id of 24 hexadecimal characters",
    AssetId: "an id of 24 hexadecimal characters",
    ReservationId: "an id of 24 hexadecimal characters",
    ChargingProfileId: "an id of 24 hexadecimal characters",
    TemplateId: "an id of 24 hexadecimal characters",
    RateId: "an id of 24 hexadecimal characters",
    RateScheduleId: "an id of 24 hexadecimal characters",
    EvseNetworkId: "an id of 24 hexadecimal characters",
    EvseGroupId: "an id of 24 hexadecimal characters",
    ServiceOfferId: "an id of 24 hexadecimal characters",
    EventId: "an id of 24 hexadecimal characters",
    Currency: "a currency of ISO 4217 such as EUR",
    Timestamp: "a date and time like 2026-05-01T08:30:00Z",
    TimeZone: "an IANA time zone such as Europe/Amsterdam",
    TimeOfDay: "a time of day such as 07:30, from 00:00 to 24:00",
}

/// Days of the week as eDRV, Hubject and OCPI write them: `MONDAY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysOfWeek(pub Weekdays);

crate::json_schema!(DaysOfWeek, {
    "type": "array", "items": {"type": "string", "enum": [
        "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"
    ]},
    "example": ["SATURDAY", "SUNDAY"]
});

impl Serialize for DaysOfWeek {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.names().map(str::to_uppercase))
    }
}

impl<'de> Deserialize<'de> for DaysOfWeek {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Weekdays::deserialize(from).map(Self)
    }
}

impl Field for DaysOfWeek {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        Weekdays::read(value, at, faults).map(Self)
    }
}

impl Field for Weekdays {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let names: Option<Vec<&str>> = value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
        let days = names.and_then(|names| Self::from_names(names).ok());
        days.or_else(|| wrong(at, faults, "an array of days such as [\"monday\", \"friday\"]"))
    }
}

/// Declares what a request may contain, and how it is read:
/// `pub struct NewGroup { pub name: Name, pub buffer: Option<Fraction>, pub kind as "type": Kind }`.
///
/// An example belongs to the whole body, `#[schema(example = json!({…}))]` above `pub struct`: it is what Swagger UI
/// shows and Postman sends, and utoipa drops the examples of single inlined fields.
#[macro_export]
macro_rules! input {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident $(as $json:literal)? : $type:ty),* $(,)? }) => {
        #[derive(Debug, Clone, PartialEq, utoipa::ToSchema)]
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* #[schema(inline $(, rename = $json)?)] pub $field: $type),* }
        $crate::input!(@read $name { $($field $(as $json)? : $type),* });
    };
    (@read $name:ident { $($field:ident $(as $json:literal)? : $type:ty),* }) => {
        impl $crate::http::fields::Field for $name {
            fn read(
                value: &serde_json::Value,
                at: $crate::http::fields::Path<'_>,
                faults: &mut $crate::http::Faults,
            ) -> Option<Self> {
                const KNOWN: &[&str] = &[$($crate::input!(@name $field $($json)?)),*];
                let object = $crate::http::fields::object(value, KNOWN, at, faults)?;
                $(let $field = $crate::http::fields::member::<$type>(
                    object, $crate::input!(@name $field $($json)?), at, faults);)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $json:literal) => { $json };
}

/// Declares a merge patch: every field may be absent, null or a value.
#[macro_export]
macro_rules! patch {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident $(as $json:literal)? : $type:ty),* $(,)? }) => {
        #[derive(Debug, Clone, PartialEq, Default, utoipa::ToSchema)]
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* #[schema(inline, value_type = Option<$type> $(, rename = $json)?)]
            pub $field: ::kernel::Patch<$type>),*
        }
        $crate::input!(@read $name { $($field $(as $json)? : ::kernel::Patch<$type>),* });
    };
}

/// The object behind `value`, with every unknown field noted.
pub fn object<'a>(
    value: &'a Value,
    known: &[&str],
    at: Path<'_>,
    faults: &mut Faults,
) -> Option<&'a Map<String, Value>> {
    let Value::Object(object) = value else {
        return wrong(at, faults, "an object");
    };
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let field = Path::Field(&at, key);
        if matches!(key.as_str(), "_id" | "createdAt" | "updatedAt" | "organization") {
            faults.add(field, "read_only", "is set by the server");
        } else {
            faults.add(field, "unknown", format!("is unknown; known fields are {}", known.join(", ")));
        }
    }
    Some(object)
}

/// One field of an object.
pub fn member<T: Field>(object: &Map<String, Value>, name: &str, at: Path<'_>, faults: &mut Faults) -> Option<T> {
    let at = Path::Field(&at, name);
    match object.get(name) {
        Some(value) => T::read(value, at, faults),
        None => T::absent(at, faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::text::Name;
    use serde_json::json;

    input! {
        /// A thing.
        pub(crate) struct NewThing {
            /// Its name.
            pub name: Name,
            /// Its parts.
            pub parts: Option<Vec<NewThing>>,
            /// What kind.
            pub kind as "type": Option<bool>,
        }
    }

    #[test]
    fn all_faults_are_noted_with_their_paths() {
        let mut faults = Faults::default();
        let body = json!({"nam": "x", "type": 3, "parts": [{"name": ""}, {"name": "ok"}, 7], "_id": "1"});
        assert_eq!(NewThing::read(&body, Path::Root, &mut faults), None);
        let mut fields: Vec<_> = faults.0.iter().map(|fault| (fault.field.as_str(), fault.code.as_str())).collect();
        fields.sort_unstable();
        let expected = [
            ("_id", "read_only"),
            ("nam", "unknown"),
            ("name", "required"),
            ("parts[0].name", "invalid"),
            ("parts[2]", "invalid"),
            ("type", "invalid"),
        ];
        assert_eq!(fields, expected);
    }

    patch! {
        /// Changes of a thing.
        pub(crate) struct ThingPatch {
            /// Its name.
            pub name: Name,
            /// What kind.
            pub kind as "type": bool,
        }
    }

    #[test]
    fn a_patch_distinguishes_absent_from_null() {
        let mut faults = Faults::default();
        let patch = ThingPatch::read(&json!({"type": null}), Path::Root, &mut faults);
        assert_eq!(patch, Some(ThingPatch { name: Patch::Absent, kind: Patch::Null }));
    }
}
