//! What commands in the words of any version share: reading what a caller gave.

use serde_json::Value;

use crate::sites::stations::link::LinkError;
use kernel::Timestamp;
use ocpp::text::Exact;

/// An action and its payload, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireCall {
    /// The action.
    pub action: String,
    /// The payload as JSON.
    pub payload: String,
}

/// The error for a command that cannot be said.
pub fn invalid(message: impl Into<String>) -> LinkError {
    LinkError::Invalid(vec![message.into()])
}

/// A number of a part of a station.
pub fn number(value: i32, name: &str) -> Result<u32, LinkError> {
    u32::try_from(value).map_err(|_| invalid(format!("{name} must not be negative")))
}

/// The same where there is one.
pub fn optional_number(value: Option<i32>, name: &str) -> Result<Option<u32>, LinkError> {
    value.map(|value| number(value, name)).transpose()
}

/// The number that status notifications repeat: the caller's, or the second in which we ask.
pub fn request_id(given: Option<i32>, now: Timestamp) -> i64 {
    given.map_or(now.unix_seconds(), i64::from)
}

/// A text that must not be cut.
pub fn exact<const MAX: usize, const FORMER: usize>(text: &str, name: &str) -> Result<Exact<MAX, FORMER>, LinkError> {
    Exact::new(text).map_err(|_| invalid(format!("{name} must have at most {MAX} characters")))
}

/// Reads a payload part that a caller wrote by hand.
pub fn by_hand<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Result<T, LinkError> {
    serde_json::from_value(value.clone()).map_err(|error| invalid(format!("{name}: {error}")))
}
