//! The names of a station: the one by which it connects, the last part of its URL and the user name of HTTP Basic; and its
//! serial number, which certificates may have as well.

use serde_json::Value;

use crate::http::Faults;
use crate::http::fields::{Field, Path, wrong};
use crate::json_schema;

/// Characters of the longest identity (OCPP 2.0.1 part 4 §3.1.1).
const LONGEST: usize = 48;
/// What an identity may contain besides letters and digits (`identifierString` of OCPP 2).
const SIGNS: &str = "*-_=:+|@.";
/// Parts of a path that mean this folder and the one above: no URL ends in them once it is read.
const NORMALIZED_AWAY: [&str; 2] = [".", ".."];

/// An identity as the station spells it; two that differ in the case of their letters only are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(String);

json_schema!(Identity, {
    "type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[A-Za-z0-9*_=:+|@.-]+$", "example": "CP-0001",
});

impl Identity {
    /// The text itself.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Field for Identity {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let plain = |text: &&str| {
            (1..=LONGEST).contains(&text.len())
                && !NORMALIZED_AWAY.contains(text)
                && text.chars().all(|c| c.is_ascii_alphanumeric() || SIGNS.contains(c))
        };
        let text = value.as_str().filter(plain);
        text.map(|text| Self(text.to_owned())).or_else(|| {
            wrong(at, faults, format_args!("1 to {LONGEST} characters: letters, digits and {SIGNS}, not . or .. alone"))
        })
    }
}

/// Characters of the longest serial number: OCPP has 25 of 1.6, stations more.
const LONGEST_SERIAL: usize = 50;

/// A serial number as its operator entered it. Plain characters only, so that every store and certificate agrees on which two
/// are the same: those that differ in the case of their letters only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialNumber(String);

json_schema!(SerialNumber, {
    "type": "string", "minLength": 1, "maxLength": LONGEST_SERIAL, "pattern": "^[!-~]([ -~]*[!-~])?$", "example": "SN-4711",
});

impl From<SerialNumber> for String {
    fn from(serial: SerialNumber) -> Self {
        serial.0
    }
}

impl Field for SerialNumber {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let plain = |text: &&str| {
            (1..=LONGEST_SERIAL).contains(&text.len())
                && text.trim() == *text
                && text.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        };
        let text = value.as_str().filter(plain);
        text.map(|text| Self(text.to_owned())).or_else(|| {
            wrong(
                at,
                faults,
                format_args!("1 to {LONGEST_SERIAL} plain characters (ASCII), without a space around them"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_what_may_stand_in_the_url_of_a_station() {
        let read = |text: &str| {
            let mut faults = Faults::default();
            Identity::read(&text.into(), Path::Root, &mut faults).map(Identity::into_text)
        };
        for good in ["CP-0001", "DE*ABC*E001", "a", "...", ".a", "x@y.z:1", &"9".repeat(48)] {
            assert_eq!(read(good).as_deref(), Some(good));
        }
        for bad in ["", " ", ".", "..", "a b", "a/b", "ä", "a%20b", "a?b", &"9".repeat(49)] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
