//! What must stand in a message that is answered all the same where it does not.
//!
//! A station repeats a StopTransaction that is answered with an error for ever, and with it everything that waits behind
//! it, so such a message is never refused for one field of it: the field counts as missing, and that is noted as a deviation.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{LenientReader, Repair, Wire};

/// A field that must be sent, and is nothing where it is missing or cannot be read. An object or a list instead is a fault
/// all the same, unless `ANYTHING` may stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Due<T, const ANYTHING: bool = false>(pub Option<T>);

impl<T, const ANYTHING: bool> From<T> for Due<T, ANYTHING> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

/// Strictly it must be there, so that what is missing is repaired and noted as a deviation.
impl<'de, T: Deserialize<'de>, const ANYTHING: bool> Deserialize<'de> for Due<T, ANYTHING> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(|value| Self(Some(value)))
    }
}

impl<T: Wire, const ANYTHING: bool> Wire for Due<T, ANYTHING> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        if value.is_null() {
            reader.note_deviation(Repair::Null, &value);
            return Some(Self(None));
        }
        if !ANYTHING && (value.is_object() || value.is_array()) {
            return T::read_leniently(value, reader).map(|value| Self(Some(value)));
        }
        Some(Self(reader.spare(value)))
    }

    fn missing(reader: &mut LenientReader) -> Option<Self> {
        reader.note_deviation(Repair::Missing, &Value::Null);
        Some(Self(None))
    }

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}
