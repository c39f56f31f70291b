//! Texts with a longest length, in two kinds: those that describe may be cut, those that identify must stay whole.
//!
//! Some may be longer in OCPP 2.1 than in 2.0.1: `Exact<255, 36>` has 255 characters there and 36 here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::wire::{LenientReader, NO_CONTAINER, Problem, Repair, Wire};

/// How many times its length an [`Exact`] text of a sloppy station may have before it is refused.
const TOLERATED_FACTOR: usize = 2;

/// A text that is too long for its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most {0} characters")]
pub struct TooLong(pub usize);

macro_rules! bounded_text {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name<const MAX: usize, const FORMER: usize = MAX>(String);

        impl<const MAX: usize, const FORMER: usize> $name<MAX, FORMER> {
            /// The text when it is short enough.
            pub fn new(text: impl Into<String>) -> Result<Self, TooLong> {
                let text = text.into();
                if longer_than(&text, MAX) { Err(TooLong(MAX)) } else { Ok(Self(text)) }
            }
            /// Nothing, where something must stand.
            pub const fn empty() -> Self { Self(String::new()) }
            /// The text itself.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl<const MAX: usize, const FORMER: usize> From<$name<MAX, FORMER>> for String {
            fn from(text: $name<MAX, FORMER>) -> Self { text.0 }
        }
        impl<const MAX: usize, const FORMER: usize> fmt::Debug for $name<MAX, FORMER> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(&self.0, f) }
        }
        impl<'de, const MAX: usize, const FORMER: usize> Deserialize<'de> for $name<MAX, FORMER> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

bounded_text! {
    /// A text that describes something; when it is longer than `MAX` characters it is cut and the raw text kept as a deviation.
    Label
}
bounded_text! {
    /// A text that means something only when it is whole; when it is longer than `MAX` characters it is kept and
    /// noted as a deviation, up to twice the length.
    Exact
}

impl<const MAX: usize, const FORMER: usize> Wire for Label<MAX, FORMER> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        let most = reader.since_21(MAX, FORMER);
        let text = String::read_leniently(value, reader)?;
        if !longer_than(&text, most) {
            return Some(Self(text));
        }
        let cut = text.chars().take(most).collect();
        reader.note_deviation(Repair::TooLong(most), &Value::String(text));
        Some(Self(cut))
    }
}

impl<const MAX: usize, const FORMER: usize> Wire for Exact<MAX, FORMER> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        match value {
            Value::Array(_) | Value::Object(_) => return reader.fault(NO_CONTAINER),
            Value::Null | Value::Bool(_) => return reader.fault(Problem::WrongType("a text")),
            Value::String(_) | Value::Number(_) => {}
        }
        let most = reader.since_21(MAX, FORMER);
        let text = String::read_leniently(value, reader)?;
        if longer_than(&text, most * TOLERATED_FACTOR) {
            return reader.fault(Problem::NotAllowed(format!("at most {most} characters")));
        }
        if longer_than(&text, most) {
            reader.note_deviation(Repair::TooLong(most), &Value::String(text.clone()));
        }
        Some(Self(text))
    }
}

/// Counts characters only when there are enough bytes to make it worth while.
fn longer_than(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().count() > max
}
