//! Calls as they are sent, and reading what a caller gave for them.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::sites::stations::link::LinkError;
use kernel::{Protocol, Timestamp};
use ocpp::text::Exact;
use ocpp::{v2, v16};

/// An action and its payload, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireCall {
    /// The action.
    pub action: String,
    /// The payload as JSON.
    pub payload: String,
}

impl WireCall {
    /// A request of OCPP 1.6.
    pub(super) fn v16(request: impl Into<v16::Command>) -> Self {
        let command = request.into();
        Self { action: command.action().to_owned(), payload: command.payload() }
    }

    /// A request of OCPP 2.
    pub(super) fn v2(request: impl Into<v2::Command>) -> Self {
        let command = request.into();
        Self { action: command.action().to_owned(), payload: command.payload() }
    }

    /// A payload that OCPP 1.6 does not allow is not sent, where it was written by hand.
    pub(super) fn check_v16(&self) -> Result<(), LinkError> {
        let payload = self.boxed()?;
        v16::check_raw(&self.action, &payload, Protocol::V16).map_err(LinkError::Invalid)?;
        let known = v16::Command::decode(&self.action, &payload, Timestamp::default(), Protocol::V16);
        known.map(drop).map_err(|error| invalid(error.description))
    }

    /// A payload that this version of OCPP 2 does not allow is not sent, whoever made it.
    pub(super) fn check_v2(&self, version: Protocol) -> Result<(), LinkError> {
        let payload = self.boxed()?;
        v2::check_raw(&self.action, &payload, version).map_err(LinkError::Invalid)?;
        let known = v2::Command::decode(&self.action, &payload, Timestamp::default(), version);
        known.map(drop).map_err(|error| invalid(error.description))
    }

    fn boxed(&self) -> Result<Box<RawValue>, LinkError> {
        RawValue::from_string(self.payload.clone()).map_err(|error| invalid(error.to_string()))
    }
}

/// The error for a command that cannot be said.
pub(super) fn invalid(message: impl Into<String>) -> LinkError {
    LinkError::Invalid(vec![message.into()])
}

/// A number of a part of a station.
pub(super) fn number(value: i32, name: &str) -> Result<u32, LinkError> {
    u32::try_from(value).map_err(|_| invalid(format!("{name} must not be negative")))
}

/// The same where there is one.
pub(super) fn optional_number(value: Option<i32>, name: &str) -> Result<Option<u32>, LinkError> {
    value.map(|value| number(value, name)).transpose()
}

/// The number that status notifications repeat: the caller's, or the second in which we ask.
pub(super) fn request_id(given: Option<i32>, now: Timestamp) -> i64 {
    given.map_or(now.unix_seconds(), i64::from)
}

/// A text that must not be cut.
pub(super) fn exact<const MAX: usize, const FORMER: usize>(
    text: &str,
    name: &str,
) -> Result<Exact<MAX, FORMER>, LinkError> {
    Exact::new(text).map_err(|_| invalid(format!("{name} must have at most {MAX} characters")))
}

/// Reads a payload part that a caller wrote by hand.
pub(super) fn by_hand<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Result<T, LinkError> {
    serde_json::from_value(value.clone()).map_err(|error| invalid(format!("{name}: {error}")))
}
