//! The lenient walk through a payload: where we are, what was repaired, what cannot be.

use std::mem;

use serde_json::{Map, Value};

use crate::decimal::Decimal;
use kernel::Protocol;
use kernel::Timestamp;
use kernel::spelled::same_spelling;

use super::{Deviation, Fault, Problem, Repair, Wire};

/// Deviations one payload may collect; a hundred samples with the same fault need not say so a hundred times.
pub const MOST_DEVIATIONS: usize = 32;
/// Characters of a repaired value, and of its path, that its deviation keeps.
const LONGEST_RAW: usize = 500;

/// The state of reading one payload leniently.
#[derive(Debug)]
pub struct LenientReader {
    /// Stands in for a time that cannot be read.
    pub(super) received_at: Timestamp,
    version: Protocol,
    path: String,
    /// What was repaired so far.
    pub deviations: Vec<Deviation>,
    /// What could not be repaired.
    pub faults: Vec<Fault>,
}

impl LenientReader {
    /// Begins with a payload of this version that was received at this instant.
    pub const fn new(received_at: Timestamp, version: Protocol) -> Self {
        Self { received_at, version, path: String::new(), deviations: Vec::new(), faults: Vec::new() }
    }

    /// Notes a repair of `raw` at the current place.
    pub fn note_deviation(&mut self, repair: Repair, raw: &Value) {
        if self.deviations.len() < MOST_DEVIATIONS {
            self.deviations.push(Deviation { path: cut(&self.path), repair, raw: cut(&raw.to_string()) });
        }
    }

    /// Notes that the value at the current place is beyond repair.
    pub fn fault<T>(&mut self, problem: Problem) -> Option<T> {
        self.faults.push(Fault { path: self.path.clone(), problem });
        None
    }

    /// The fields of an object; nothing at all counts as an object without fields.
    pub fn object(&mut self, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(fields) => Some(fields),
            Value::Null => {
                self.note_deviation(Repair::Null, &Value::Null);
                Some(Map::new())
            }
            _ => self.fault(Problem::NotAnObject),
        }
    }

    /// What holds since OCPP 2.1, or what held before.
    pub fn since_21<T>(&self, now: T, before: T) -> T {
        if self.version < Protocol::V21 { before } else { now }
    }

    /// Whether lists must not be empty, as everywhere in OCPP 2.
    pub(super) fn wants_full_lists(&self) -> bool {
        self.version > Protocol::V16
    }

    /// Takes the field whose Rust name this is out of the object, whatever its letter case, and reads it.
    pub fn field<T: Wire>(&mut self, fields: &mut Map<String, Value>, rust_name: &str) -> Option<T> {
        self.field_named(fields, &wire_name(rust_name))
    }

    /// The same for a field that may be missing since OCPP 2.1 only.
    pub fn optional_since_21<T: Wire>(
        &mut self,
        fields: &mut Map<String, Value>,
        rust_name: &str,
    ) -> Option<Option<T>> {
        if self.since_21(true, false) { self.field(fields, rust_name) } else { self.field(fields, rust_name).map(Some) }
    }

    /// The same for a field with this name on the wire.
    pub fn field_named<T: Wire>(&mut self, fields: &mut Map<String, Value>, name: &str) -> Option<T> {
        let found = fields.remove(name).map(|value| (value, false));
        let found = found.or_else(|| {
            let other = fields.keys().find(|key| same_spelling(key, name))?.clone();
            fields.remove(&other).map(|value| (value, true))
        });
        self.within(name, |reader| match found {
            None => T::missing(reader),
            Some((value, misspelled)) => {
                if misspelled {
                    reader.note_deviation(Repair::OtherSpelling, &value);
                }
                T::read_leniently(value, reader)
            }
        })
    }

    /// Notes the fields that nobody asked for; OCPP 2 lets every object have one for whatever a vendor likes.
    pub fn leftovers(&mut self, fields: Map<String, Value>) {
        let of_vendors = |name: &str| self.version > Protocol::V16 && name == "customData";
        let odd: Vec<_> = fields.into_iter().filter(|(name, _)| !of_vendors(name)).collect();
        for (name, value) in odd {
            self.within(&name, |reader| reader.note_deviation(Repair::UnknownField, &value));
        }
    }

    /// Reads something that may as well be left out.
    pub(super) fn spare<T: Wire>(&mut self, value: Value) -> Option<T> {
        self.tolerate(value, |_| true)
    }

    /// Reads a field that may be missing: what cannot be read is left out, except a container where a text belongs.
    pub(super) fn optional<T: Wire>(&mut self, value: Value) -> Option<T> {
        self.tolerate(value, |problem| *problem != super::NO_CONTAINER)
    }

    /// Notes faults that may be as deviations of what was left out, and keeps the others.
    fn tolerate<T: Wire>(&mut self, value: Value, may_be: impl Fn(&Problem) -> bool) -> Option<T> {
        let earlier = mem::take(&mut self.faults);
        let raw = value.clone();
        let read = T::read_leniently(value, self);
        let faults = mem::replace(&mut self.faults, earlier);
        let (left_out, kept): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| may_be(&fault.problem));
        self.faults.extend(kept);
        if let Some(Fault { path, problem }) = left_out.into_iter().next() {
            let here = mem::replace(&mut self.path, path);
            self.note_deviation(Repair::LeftOut(problem), &raw);
            self.path = here;
        }
        read
    }

    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !name.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(name);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// Reads a number written as a number or, repaired, as a text.
    fn number(&mut self, value: &Value, due: &'static str) -> Option<Decimal> {
        let read = match value {
            Value::Number(number) => Decimal::parse(&number.to_string()),
            Value::String(text) => {
                let read = Decimal::parse(text);
                if read.is_some() {
                    self.note_deviation(Repair::Quoted, value);
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
            self.note_deviation(Repair::Rounded, value);
        }
        let fixed = number.floor(places);
        fixed.or_else(|| self.fault(Problem::NotAllowed(due.to_owned())))
    }

    /// Reads one of the specified values or, since OCPP 2.1, any other.
    pub fn free_choice<T: Clone>(
        &mut self,
        value: Value,
        all: &[T],
        spelling: impl Fn(&T) -> &str,
        is_new: impl Fn(&T) -> bool,
        unknown: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        match value {
            Value::String(text) if self.since_21(true, false) && all.iter().all(|one| spelling(one) != text) => {
                unknown(text)
            }
            other => self.choice(other, all, spelling, is_new, unknown),
        }
    }

    /// Reads one of the specified values, whatever its case and separators, or what `unknown` makes of another.
    pub fn choice<T: Clone>(
        &mut self,
        value: Value,
        all: &[T],
        spelling: impl Fn(&T) -> &str,
        is_new: impl Fn(&T) -> bool,
        unknown: impl FnOnce(String) -> Option<T>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            return self.fault(Problem::WrongType("a text"));
        };
        if let Some(exact) = all.iter().find(|one| spelling(one) == text) {
            if self.since_21(false, is_new(exact)) {
                self.note_deviation(Repair::UnknownValue, &Value::String(text));
            }
            return Some(exact.clone());
        }
        let raw = Value::String(text.clone());
        if let Some(close) = all.iter().find(|one| same_spelling(spelling(one), &text)) {
            self.note_deviation(Repair::OtherSpelling, &raw);
            return Some(close.clone());
        }
        match unknown(text) {
            Some(kept) => {
                self.note_deviation(Repair::UnknownValue, &raw);
                Some(kept)
            }
            None => {
                let choices: Vec<&str> = all.iter().map(spelling).collect();
                self.fault(Problem::NotAllowed(format!("one of {}", choices.join(", "))))
            }
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_RAW).collect()
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
