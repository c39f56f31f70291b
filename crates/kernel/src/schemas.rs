//! How our types are described in the OpenAPI document.

use serde_json::json;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, SchemaFormat};

use crate::calendar::{TimeOfDay, Weekdays};
use crate::text::Text;
use crate::{Currency, TimeZone, Timestamp};

pub use utoipa; // for the macros below, in crates that do not name it

/// Describes a type by an expression.
#[macro_export]
macro_rules! text_schema {
    ($name:ty, $schema:expr) => {
        impl $crate::schemas::utoipa::PartialSchema for $name {
            fn schema() -> $crate::schemas::utoipa::openapi::RefOr<$crate::schemas::utoipa::openapi::schema::Schema> {
                $schema
            }
        }
        impl $crate::schemas::utoipa::ToSchema for $name {}
    };
}

/// A typed id.
pub fn id() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9a-fA-F]{24}$"))
        .examples([json!("650000000000000000000001")])
        .into()
}

/// A schema that is written out as JSON.
pub fn written(schema: serde_json::Value) -> RefOr<Schema> {
    serde_json::from_value::<Schema>(schema).unwrap_or_default().into()
}

text_schema!(
    Currency,
    written(json!({
        "type": "string", "pattern": "^[A-Za-z]{3}$", "description": "A currency of ISO 4217", "example": "EUR"
    }))
);

text_schema!(
    TimeOfDay,
    written(json!({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", "example": "07:30"}))
);

text_schema!(
    Weekdays,
    written(json!({
        "type": "array", "items": {"type": "string", "enum": [
            "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"
        ]},
        "example": ["monday", "friday"]
    }))
);

text_schema!(
    Timestamp,
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples([json!("2026-05-01T08:30:00.000Z")])
        .into()
);

text_schema!(TimeZone, ObjectBuilder::new().schema_type(Type::String).examples([json!("Europe/Amsterdam")]).into());

impl<const MIN: usize, const MAX: usize, const LINES: bool> utoipa::PartialSchema for Text<MIN, MAX, LINES> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(MIN)).max_length(Some(MAX)).into()
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> utoipa::ToSchema for Text<MIN, MAX, LINES> {}
