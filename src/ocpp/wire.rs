//! What may stand in a payload, and how each kind of thing is read when it is not quite right.
//!
//! A payload type is declared once with [`message!`](crate::message) or [`choice!`](crate::choice). serde reads what
//! obeys the specification; [`Wire::mend`] reads what does not, notes each repair as a [`Flag`] and each thing beyond
//! repair as a [`Fault`], all with their paths. [`super::decode`] decides which of the two runs.

use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::kernel::Timestamp;
use crate::kernel::spelled::same_spelling;

use super::decimal::Decimal;
use super::time::{ReadTime, read_time};

/// Flags one payload may collect; a hundred samples with the same fault need not say so a hundred times.
pub const MOST_FLAGS: usize = 32;
/// Characters of a mended value that its flag keeps.
const LONGEST_RAW: usize = 500;

/// How a value that broke the specification was mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Repair {
    /// A time without a zone was taken as UTC.
    #[error("is a time without a zone")]
    TimeWithoutZone,
    /// A time was readable, but not RFC 3339.
    #[error("is not written like 2026-05-01T08:30:00Z")]
    OddTime,
    /// What should be a time is none; the time of receipt stands in for it.
    #[error("is no time")]
    UnreadableTime,
    /// A text is longer than allowed; a description was cut, an identifier was kept whole.
    #[error("has more than {0} characters")]
    TooLong(usize),
    /// A value nobody specified was kept as text.
    #[error("is not a value of the specification")]
    UnknownValue,
    /// A name or value differs from the specification in case or separators.
    #[error("is spelled differently in the specification")]
    OtherSpelling,
    /// A number or something else stood where a text is due.
    #[error("must be a text")]
    NotText,
    /// A text stood where a number or a truth value is due.
    #[error("must not be in quotes")]
    Quoted,
    /// A number has more decimal places than allowed.
    #[error("has more decimal places than allowed")]
    Rounded,
    /// `null` stood where nothing should.
    #[error("must be left out instead of null")]
    Null,
    /// One item stood where a list is due.
    #[error("must be a list")]
    NotAList,
    /// An optional value or an item of a list could not be read and was left out.
    #[error("{0}")]
    LeftOut(Problem),
    /// A field nobody specified was ignored.
    #[error("is not a field of this message")]
    UnknownField,
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The payload is no JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// A required field is not there.
    #[error("is missing")]
    Missing,
    /// A value of another type stands there.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// The type is right and the value is not allowed.
    #[error("must be {0}")]
    NotAllowed(String),
}

/// One repair: where, what, and the text that stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Such as `meterValue[0].timestamp`.
    pub path: String,
    /// What was done.
    pub repair: Repair,
    /// The JSON that stood there, cut to 500 characters.
    pub raw: String,
}

/// One thing beyond repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Such as `idTag`; empty for the payload itself.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Anything that may stand in a payload.
pub trait Wire: Serialize + DeserializeOwned {
    /// Reads it as well as it can be read; `None` after noting a fault.
    fn mend(value: Value, mending: &mut Mending) -> Option<Self>;

    /// What stands for it when the field is not there; `None` after noting a fault, for all but optional fields.
    fn missing(mending: &mut Mending) -> Option<Self> {
        mending.fault(Problem::Missing)
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

/// The state of mending one payload.
#[derive(Debug)]
pub struct Mending {
    /// Stands in for a time that cannot be read.
    received_at: Timestamp,
    path: String,
    /// What was mended so far.
    pub flags: Vec<Flag>,
    /// What could not be mended.
    pub faults: Vec<Fault>,
}

impl Mending {
    /// Begins with a payload that was received at this instant.
    pub const fn new(received_at: Timestamp) -> Self {
        Self {
            received_at,
            path: String::new(),
            flags: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Notes a repair of `raw` at the current place.
    pub fn flag(&mut self, repair: Repair, raw: &Value) {
        if self.flags.len() < MOST_FLAGS {
            self.flags.push(Flag {
                path: self.path.clone(),
                repair,
                raw: raw.to_string().chars().take(LONGEST_RAW).collect(),
            });
        }
    }

    /// Notes that the value at the current place is beyond repair.
    pub fn fault<T>(&mut self, problem: Problem) -> Option<T> {
        self.faults.push(Fault {
            path: self.path.clone(),
            problem,
        });
        None
    }

    /// The fields of an object; nothing at all counts as an object without fields.
    pub fn object(&mut self, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(fields) => Some(fields),
            Value::Null => {
                self.flag(Repair::Null, &Value::Null);
                Some(Map::new())
            }
            _ => self.fault(Problem::NotAnObject),
        }
    }

    /// Takes the field whose Rust name this is out of the object, whatever its letter case, and reads it.
    pub fn field<T: Wire>(
        &mut self,
        fields: &mut Map<String, Value>,
        rust_name: &str,
    ) -> Option<T> {
        let name = wire_name(rust_name);
        let found = fields.remove(&name).map(|value| (value, false));
        let found = found.or_else(|| {
            let other = fields.keys().find(|key| same_spelling(key, &name))?.clone();
            fields.remove(&other).map(|value| (value, true))
        });
        self.within(&name, |mending| match found {
            None => T::missing(mending),
            Some((value, misspelled)) => {
                if misspelled {
                    mending.flag(Repair::OtherSpelling, &value);
                }
                T::mend(value, mending)
            }
        })
    }

    /// Notes the fields that nobody asked for.
    pub fn leftovers(&mut self, fields: Map<String, Value>) {
        for (name, value) in fields {
            self.within(&name, |mending| mending.flag(Repair::UnknownField, &value));
        }
    }

    /// Reads something that may as well be left out.
    fn spare<T: Wire>(&mut self, value: Value) -> Option<T> {
        let earlier = mem::take(&mut self.faults);
        let raw = value.clone();
        let read = T::mend(value, self);
        let mut faults = mem::replace(&mut self.faults, earlier);
        if read.is_none() && !faults.is_empty() {
            let Fault { path, problem } = faults.swap_remove(0);
            let here = mem::replace(&mut self.path, path);
            self.flag(Repair::LeftOut(problem), &raw);
            self.path = here;
        }
        read
    }

    fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !name.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(name);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// Reads a number written as a number or, mended, as a text.
    fn number(&mut self, value: &Value, due: &'static str) -> Option<Decimal> {
        let read = match value {
            Value::Number(number) => Decimal::parse(&number.to_string()),
            Value::String(text) => {
                let read = Decimal::parse(text);
                if read.is_some() {
                    self.flag(Repair::Quoted, value);
                }
                read
            }
            _ => None,
        };
        read.or_else(|| self.fault(Problem::WrongType(due)))
    }

    /// Reads a number with at most this many decimal places, rounded down and times ten for each place.
    pub fn fixed(&mut self, value: &Value, places: i32, due: &'static str) -> Option<i64> {
        let number = self.number(value, due)?;
        if !number.fits(places) {
            self.flag(Repair::Rounded, value);
        }
        let fixed = number.floor(places);
        fixed.or_else(|| self.fault(Problem::NotAllowed(due.to_owned())))
    }
}

impl Mending {
    /// Reads one of the specified values, whatever its case and separators, or what `unknown` makes of another.
    pub fn choice<T: Clone>(
        &mut self,
        value: Value,
        all: &[T],
        spelling: impl Fn(&T) -> &str,
        unknown: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            return self.fault(Problem::WrongType("a text"));
        };
        if let Some(exact) = all.iter().find(|one| spelling(one) == text) {
            return Some(exact.clone());
        }
        let raw = Value::String(text.clone());
        if let Some(close) = all.iter().find(|one| same_spelling(spelling(one), &text)) {
            self.flag(Repair::OtherSpelling, &raw);
            return Some(close.clone());
        }
        match unknown(text) {
            Some(kept) => {
                self.flag(Repair::UnknownValue, &raw);
                Some(kept)
            }
            None => {
                let choices: Vec<&str> = all.iter().map(spelling).collect();
                self.fault(Problem::NotAllowed(format!(
                    "one of {}",
                    choices.join(", ")
                )))
            }
        }
    }
}

/// `csChargingProfiles` for `cs_charging_profiles`, `type` for `r#type`: what serde's `camelCase` says, too.
fn wire_name(rust_name: &str) -> String {
    let mut name = String::with_capacity(rust_name.len());
    for (index, word) in rust_name.trim_start_matches("r#").split('_').enumerate() {
        match word.chars().next() {
            Some(first) if index > 0 => {
                name.push(first.to_ascii_uppercase());
                name.push_str(word.get(first.len_utf8()..).unwrap_or_default());
            }
            _ => name.push_str(word),
        }
    }
    name
}

impl Wire for String {
    fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            Value::Null => mending.fault(Problem::WrongType("a text")),
            other => {
                mending.flag(Repair::NotText, &other);
                Some(other.to_string())
            }
        }
    }
}

macro_rules! integer {
    ($($type:ty: $due:literal),*) => {$(
        impl Wire for $type {
            fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
                let number = mending.fixed(&value, 0, $due)?;
                Self::try_from(number).ok().or_else(|| mending.fault(Problem::NotAllowed($due.to_owned())))
            }
        }
    )*};
}
integer!(i64: "an integer", i32: "an integer", u32: "an integer that is not negative");

impl Wire for bool {
    fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
        let truth = match &value {
            Value::Bool(truth) => return Some(*truth),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => true,
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => false,
            _ => return mending.fault(Problem::WrongType("true or false")),
        };
        mending.flag(Repair::Quoted, &value);
        Some(truth)
    }
}

impl Wire for Timestamp {
    fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
        let Value::String(text) = &value else {
            return mending.fault(Problem::WrongType("a date and time in quotes"));
        };
        let (at, repair) = match read_time(text) {
            Some(ReadTime::Exact(at)) => return Some(at),
            Some(ReadTime::Odd(at)) => (at, Repair::OddTime),
            Some(ReadTime::WithoutZone(at)) => (at, Repair::TimeWithoutZone),
            None => (mending.received_at, Repair::UnreadableTime),
        };
        mending.flag(repair, &value);
        Some(at)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
        if value.is_null() {
            mending.flag(Repair::Null, &value);
            return Some(None);
        }
        Some(mending.spare(value))
    }

    fn missing(_: &mut Mending) -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn mend(value: Value, mending: &mut Mending) -> Option<Self> {
        let items = match value {
            Value::Array(items) => items,
            lone @ Value::Object(_) => {
                mending.flag(Repair::NotAList, &lone);
                vec![lone]
            }
            _ => return mending.fault(Problem::WrongType("a list")),
        };
        let read = items.into_iter().enumerate().filter_map(|(index, item)| {
            mending.within(&format!("[{index}]"), |mending| mending.spare(item))
        });
        Some(read.collect())
    }
}
