//! Postal addresses, of locations and of people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Faults;
use super::fields::{Field, Path, wrong};
use crate::{input, json_schema};
use kernel::text::Line;

input! {
    /// A postal address.
    #[derive(Default, Serialize, Deserialize)]
    pub struct Address {
        /// Street and house number.
        #[serde(rename = "streetAndNumber", skip_serializing_if = "Option::is_none")]
        pub street_and_number as "streetAndNumber": Option<Line>,
        /// Postal code.
        #[serde(rename = "postalCode", skip_serializing_if = "Option::is_none")]
        pub postal_code as "postalCode": Option<Line>,
        /// City.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub city: Option<Line>,
        /// State or province.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub state: Option<Line>,
        /// Country, two letters (ISO 3166-1).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub country: Option<Country>,
    }
}

/// A country as two letters (ISO 3166-1 alpha-2), upper case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country(String);

json_schema!(Country, {"type": "string", "pattern": "^[A-Za-z]{2}$", "example": "NL"});

impl Field for Country {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_str() {
            Some(text) if text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic()) => {
                Some(Self(text.to_ascii_uppercase()))
            }
            _ => wrong(at, faults, "a country of two letters such as NL"),
        }
    }
}
