//! From a raw payload to a typed one: strictly first, leniently only where that fails, the specification's error when even
//! that does not help.

use serde_json::Value;
use serde_json::value::RawValue;

use kernel::Timestamp;

use super::wire::{Fault, Flag, Mending, Problem, Wire};
use super::{CallError, ErrorCode};
use kernel::Protocol;

/// A payload that could be read, and what had to be repaired for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The payload.
    pub value: T,
    /// Empty for a station that keeps to the specification.
    pub flags: Vec<Flag>,
}

impl<T> Decoded<T> {
    /// The same deviations around something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Decoded<U> {
        Decoded { value: turn(self.value), flags: self.flags }
    }
}

/// Reads a payload of this version that was received at this instant; the error is the one to be sent back.
pub fn decode<T: Wire>(payload: &RawValue, received_at: Timestamp, version: Protocol) -> Result<Decoded<T>, CallError> {
    // serde would take a list for an object whose fields it has in their order.
    let is_object = payload.get().starts_with('{');
    let strict = is_object.then(|| serde_json::from_str(payload.get()));
    match strict {
        Some(Ok(value)) => Ok(Decoded { value, flags: Vec::new() }),
        _ => mend(payload, Mending::new(received_at, version)),
    }
}

#[cold]
fn mend<T: Wire>(payload: &RawValue, mut mending: Mending) -> Result<Decoded<T>, CallError> {
    let value = serde_json::from_str::<Value>(payload.get())
        .map_err(|error| CallError::new(ErrorCode::FormationViolation, error.to_string()))?;
    let read = T::mend(value, &mut mending);
    match read {
        Some(value) if mending.faults.is_empty() => Ok(Decoded { value, flags: mending.flags }),
        _ => Err(refusal(&mending.faults)),
    }
}

/// Everything about this payload that is not as the specification of this version wants it, each with its path.
pub fn check<T: Wire>(payload: &RawValue, version: Protocol) -> Result<(), Vec<String>> {
    let value = serde_json::from_str::<Value>(payload.get()).map_err(|error| vec![error.to_string()])?;
    let mut mending = Mending::new(Timestamp::default(), version);
    T::mend(value, &mut mending);
    let faults = mending.faults.iter().map(sentence);
    let flags = mending.flags.iter().map(|flag| format!("{} {}", place(&flag.path), flag.repair));
    let all: Vec<String> = faults.chain(flags).collect();
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
