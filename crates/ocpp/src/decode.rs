//! From a raw payload to a typed one: strictly first, leniently only where that fails, the specification's error when even
//! that does not help.

use serde_json::Value;
use serde_json::value::RawValue;

use kernel::Timestamp;

use super::wire::{Deviation, Fault, LenientReader, Problem, Wire};
use super::{CallError, ErrorCode};
use kernel::Protocol;

/// A payload that could be read, and what had to be repaired for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The payload.
    pub value: T,
    /// Empty for a station that keeps to the specification.
    pub deviations: Vec<Deviation>,
}

impl<T> Decoded<T> {
    /// The same deviations around something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Decoded<U> {
        Decoded { value: turn(self.value), deviations: self.deviations }
    }
}

/// Reads a payload of this version that was received at this instant; the error is the one to be sent back.
pub fn decode<T: Wire>(payload: &RawValue, received_at: Timestamp, version: Protocol) -> Result<Decoded<T>, CallError> {
    // serde would take a list for an object whose fields it has in their order.
    let is_object = payload.get().starts_with('{');
    let strict = is_object.then(|| serde_json::from_str(payload.get()));
    match strict {
        Some(Ok(value)) => Ok(Decoded { value, deviations: Vec::new() }),
        _ => read_leniently(payload, LenientReader::new(received_at, version)),
    }
}

#[cold]
fn read_leniently<T: Wire>(payload: &RawValue, mut reader: LenientReader) -> Result<Decoded<T>, CallError> {
    let value = serde_json::from_str::<Value>(payload.get())
        .map_err(|error| CallError::new(ErrorCode::FormationViolation, error.to_string()))?;
    let read = T::read_leniently(value, &mut reader);
    match read {
        Some(value) if reader.faults.is_empty() => Ok(Decoded { value, deviations: reader.deviations }),
        _ => Err(refusal(&reader.faults)),
    }
}

/// Everything about this payload that is not as the specification of this version wants it, each with its path.
pub fn check<T: Wire>(payload: &RawValue, version: Protocol) -> Result<(), Vec<String>> {
    let value = serde_json::from_str::<Value>(payload.get()).map_err(|error| vec![error.to_string()])?;
    let mut reader = LenientReader::new(Timestamp::default(), version);
    T::read_leniently(value, &mut reader);
    let faults = reader.faults.iter().map(sentence);
    let deviations =
        reader.deviations.iter().map(|deviation| format!("{} {}", place(&deviation.path), deviation.repair));
    let all: Vec<String> = faults.chain(deviations).collect();
    if all.is_empty() { Ok(()) } else { Err(all) }
}

/// The code of the first fault (OCPP-J §4.2.3), and all of them in words.
fn refusal(faults: &[Fault]) -> CallError {
    let code = match faults.first().map(|fault| &fault.problem) {
        Some(Problem::Missing) => ErrorCode::OccurenceConstraintViolation,
        Some(Problem::WrongType(_)) => ErrorCode::TypeConstraintViolation,
        Some(Problem::NotAllowed(_)) => ErrorCode::PropertyConstraintViolation,
        Some(Problem::NotAnObject) | None => ErrorCode::FormationViolation,
    };
    let sentences: Vec<String> = faults.iter().map(sentence).collect();
    CallError::new(code, sentences.join("; "))
}

fn sentence(fault: &Fault) -> String {
    format!("{} {}", place(&fault.path), fault.problem)
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the payload" } else { path }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
