//! What a CALLERROR says: one of a dozen codes, a sentence for a person and details for a program.
//!
//! OCPP 1.6 (OCPP-J table 7) and 2.x spell two of the codes differently, so a code is a value here and becomes
//! text only when a frame is written.

use std::fmt;

use serde_json::{Map, Value};

use kernel::Protocol;

/// Characters a description may have (2.0.1 Part 4 says 255; 1.6 names no bound, so this one serves both).
pub const LONGEST_DESCRIPTION: usize = 255;

/// Why a call was not answered with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The action is not known.
    NotImplemented,
    /// The action is known but not supported.
    NotSupported,
    /// The receiver failed while it processed the action.
    InternalError,
    /// The payload of the action is incomplete.
    ProtocolError,
    /// Something about security forbade it.
    SecurityError,
    /// The frame or payload is no JSON of the right structure.
    FormationViolation,
    /// A field has a value that is not allowed.
    PropertyConstraintViolation,
    /// A field is missing, or there too often.
    OccurenceConstraintViolation,
    /// A field has the wrong type.
    TypeConstraintViolation,
    /// Anything else.
    GenericError,
    /// The message type is not known (2.x only).
    MessageTypeNotSupported,
    /// The frame broke a rule of the call mechanism (2.x only).
    RpcFrameworkError,
}

impl ErrorCode {
    const ALL: [Self; 12] = [
        Self::NotImplemented,
        Self::NotSupported,
        Self::InternalError,
        Self::ProtocolError,
        Self::SecurityError,
        Self::FormationViolation,
        Self::PropertyConstraintViolation,
        Self::OccurenceConstraintViolation,
        Self::TypeConstraintViolation,
        Self::GenericError,
        Self::MessageTypeNotSupported,
        Self::RpcFrameworkError,
    ];

    /// The code as this version of OCPP spells it; 1.6 says `FormationViolation` and `OccurenceConstraintViolation`
    /// and has no code for the two that came later.
    pub const fn spelling(self, version: Protocol) -> &'static str {
        let first = matches!(version, Protocol::V16);
        match self {
            Self::NotImplemented => "NotImplemented",
            Self::NotSupported => "NotSupported",
            Self::InternalError => "InternalError",
            Self::ProtocolError => "ProtocolError",
            Self::SecurityError => "SecurityError",
            Self::FormationViolation if first => "FormationViolation",
            Self::FormationViolation => "FormatViolation",
            Self::PropertyConstraintViolation => "PropertyConstraintViolation",
            Self::OccurenceConstraintViolation if first => "OccurenceConstraintViolation",
            Self::OccurenceConstraintViolation => "OccurrenceConstraintViolation",
            Self::TypeConstraintViolation => "TypeConstraintViolation",
            Self::MessageTypeNotSupported | Self::RpcFrameworkError if first => "GenericError",
            Self::GenericError => "GenericError",
            Self::MessageTypeNotSupported => "MessageTypeNotSupported",
            Self::RpcFrameworkError => "RpcFrameworkError",
        }
    }

    /// Reads either version's spelling; `None` for a code nobody specified.
    pub fn from_spelling(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| text == code.spelling(Protocol::V16) || text == code.spelling(Protocol::V201))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling(Protocol::V16))
    }
}

/// The content of a CALLERROR, received or to be sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {description}", self.code_as_said())]
pub struct CallError {
    /// Which kind of error.
    pub code: ErrorCode,
    /// A sentence for a person, at most [`LONGEST_DESCRIPTION`] characters when it is ours.
    pub description: String,
    /// Whatever else the sender knows.
    pub details: Map<String, Value>,
    /// The code as the sender spelled it, where it was received.
    said: Option<Box<str>>,
}

impl CallError {
    /// An error without details; a description that is too long is cut.
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        let mut description = description.into();
        if let Some((end, _)) = description.char_indices().nth(LONGEST_DESCRIPTION) {
            description.truncate(end);
        }
        Self { code, description, details: Map::new(), said: None }
    }

    /// The error that the other side sent; a code nobody specified, or none, counts as `GenericError` and stays readable.
    pub fn received(code: &str, description: String, details: Map<String, Value>) -> Self {
        Self {
            code: ErrorCode::from_spelling(code).unwrap_or(ErrorCode::GenericError),
            description,
            details,
            said: Some(code.into()),
        }
    }

    /// The code in the sender's spelling; empty where the other side sent none.
    pub fn code_as_said(&self) -> &str {
        let ours = self.code.spelling(Protocol::V16);
        self.said.as_deref().unwrap_or(ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_reads_its_own_spelling() {
        let code = ErrorCode::OccurenceConstraintViolation;
        assert_eq!(code.spelling(Protocol::V16), "OccurenceConstraintViolation");
        assert_eq!(code.spelling(Protocol::V201), "OccurrenceConstraintViolation");
        assert_eq!(ErrorCode::from_spelling("FormatViolation"), Some(ErrorCode::FormationViolation));
        assert_eq!(ErrorCode::from_spelling("GenericError"), Some(ErrorCode::GenericError));
    }

    #[test]
    fn a_code_nobody_specified_stays_readable() {
        let error = CallError::received("Busy", "later".into(), Map::new());
        assert_eq!(error.code, ErrorCode::GenericError);
        assert_eq!(error.to_string(), "Busy: later");
    }

    #[test]
    fn a_description_is_cut_between_characters() {
        let error = CallError::new(ErrorCode::GenericError, "é".repeat(300));
        assert_eq!(error.description.chars().count(), LONGEST_DESCRIPTION);
    }
}
