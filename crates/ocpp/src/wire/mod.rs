//! What may stand in a payload, and how each kind of thing is read when it is not quite right.
//!
//! A payload type is declared once with [`message!`](crate::message) or [`choice!`](crate::choice). serde reads what
//! obeys the specification; [`Wire::read_leniently`] reads what does not, notes each repair as a [`Deviation`] and each thing beyond
//! repair as a [`Fault`], all with their paths. [`mod@super::decode`] decides which of the two runs.

mod due;
mod lenient;
mod object;
mod presented;
mod report;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use kernel::Timestamp;

use super::time::{ReadTime, read_time, since_1970};

pub use due::Due;
pub use lenient::{LenientReader, MOST_DEVIATIONS};
pub use object::{Fields, from_object};
pub use presented::PresentedCard;
pub use report::{Deviation, Fault, Problem, Repair};

/// Anything that may stand in a payload.
pub trait Wire: Serialize + DeserializeOwned {
    /// Reads it as well as it can be read; `None` after noting a fault.
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self>;

    /// What stands for it when the field is not there; `None` after noting a fault, for all but optional fields.
    fn missing(reader: &mut LenientReader) -> Option<Self> {
        reader.fault(Problem::Missing)
    }

    /// Whether it is not written at all, so that no payload of ours carries null.
    fn is_absent(&self) -> bool {
        false
    }

    /// The JSON of it.
    #[expect(
        clippy::expect_used,
        reason = "writing to memory fails only for maps whose keys are no texts, and no payload has a map"
    )]
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("payloads have no maps")
    }
}

/// A container where a text belongs is a mistake of another kind than a number: nothing that could be meant is in it, so it is
/// never left out either.
pub(super) const NO_CONTAINER: Problem = Problem::WrongType("a text, not an object or a list");

impl Wire for String {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            Value::Null => reader.fault(Problem::WrongType("a text")),
            Value::Array(_) | Value::Object(_) => reader.fault(NO_CONTAINER),
            other => {
                reader.note_deviation(Repair::NotText, &other);
                Some(other.to_string())
            }
        }
    }
}

macro_rules! integer {
    ($($type:ty: $due:literal),*) => {$(
        impl Wire for $type {
            fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
                let number = reader.fixed(&value, 0, $due)?;
                Self::try_from(number).ok().or_else(|| reader.fault(Problem::NotAllowed($due.to_owned())))
            }
        }
    )*};
}
integer!(i64: "an integer", i32: "an integer", u32: "an integer that is not negative");

impl Wire for bool {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        let truth = match &value {
            Value::Bool(truth) => return Some(*truth),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => true,
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => false,
            _ => return reader.fault(Problem::WrongType("true or false")),
        };
        reader.note_deviation(Repair::Quoted, &value);
        Some(truth)
    }
}

impl Wire for Timestamp {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        let read = match &value {
            Value::String(text) => read_time(text),
            Value::Number(number) => number.as_i64().and_then(since_1970).map(ReadTime::Odd),
            _ => return reader.fault(Problem::WrongType("a date and time in quotes")),
        };
        let (at, repair) = match read {
            Some(ReadTime::Exact(at)) => return Some(at),
            Some(ReadTime::Odd(at)) => (at, Repair::OddTime),
            Some(ReadTime::WithoutZone(at)) => (at, Repair::TimeWithoutZone),
            None => (reader.received_at, Repair::UnreadableTime),
        };
        reader.note_deviation(repair, &value);
        Some(at)
    }
}

/// Anything at all, where a vendor decides what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Any(pub Value);

impl Wire for Any {
    fn read_leniently(value: Value, _: &mut LenientReader) -> Option<Self> {
        Some(Self(value))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        if value.is_null() {
            reader.note_deviation(Repair::Null, &value);
            return Some(None);
        }
        Some(reader.optional(value))
    }

    fn missing(_: &mut LenientReader) -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        let items = match value {
            Value::Array(items) => {
                if items.is_empty() && reader.wants_full_lists() {
                    reader.note_deviation(Repair::EmptyList, &Value::Array(Vec::new()));
                }
                items
            }
            lone @ Value::Object(_) => {
                reader.note_deviation(Repair::NotAList, &lone);
                vec![lone]
            }
            _ => return reader.fault(Problem::WrongType("a list")),
        };
        let read = items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| reader.within(&format!("[{index}]"), |reader| reader.spare(item)));
        Some(read.collect())
    }
}
