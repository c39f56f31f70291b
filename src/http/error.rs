//! Errors as clients see them: one envelope, all faults at once, details of our own failures only in the log.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::codes::Code;
use crate::store::{StoreError, pool::StoreFailure};

/// The outcome of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// One thing that is wrong with a body or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where: a JSON path such as `connectors[0].maximum_capacity`, or a parameter's name.
    #[schema(example = "connectors[0].maximum_capacity")]
    pub field: String,
    /// What kind of fault: `required`, `invalid`, `unknown`, `out_of_range`, `not_found`, `read_only`.
    #[schema(example = "out_of_range")]
    pub code: String,
    /// What a person needs to put it right.
    #[schema(example = "must be at least minimum_capacity")]
    pub message: String,
}

/// Faults as they are collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes one fault.
    pub fn add(&mut self, field: impl fmt::Display, code: &str, message: impl Into<String>) {
        self.0.push(Fault { field: field.to_string(), code: code.to_owned(), message: message.into() });
    }
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Nothing when there are none, else the error of an invalid body.
    pub fn into_body_error(self) -> ApiResult<()> {
        if self.is_empty() { Ok(()) } else { Err(ApiError::faulty(Code::InvalidBody, self)) }
    }
}

/// A failed request.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    message: String,
    faults: Vec<Fault>,
    cause: Option<StoreError>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error with this code and this sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), faults: Vec::new(), cause: None, retry_after_seconds: None }
    }
    /// An error that lists faults; the message repeats the first.
    pub fn faulty(code: Code, faults: Faults) -> Self {
        let message = match faults.0.as_slice() {
            [] => code.meaning().to_owned(),
            [only] => format!("{}: {}", only.field, only.message),
            [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.message, rest.len()),
        };
        Self { faults: faults.0, ..Self::new(code, message) }
    }
    /// An invalid body with a single fault.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        let mut faults = Faults::default();
        faults.add(field, code, message);
        Self::faulty(Code::InvalidBody, faults)
    }
    /// "There is no such …".
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}"))
    }
    /// A conflict with the present state.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }
    /// A charge station that cannot be reached.
    pub fn station_offline() -> Self {
        Self::new(Code::StationOffline, "The charge station is offline")
    }
    /// A deletion refused because of what refers to the object.
    pub fn in_use(message: impl Into<String>) -> Self {
        Self::new(Code::InUse, message)
    }
    /// The same error with a `Retry-After` header.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
    /// Its code.
    pub const fn code(&self) -> Code {
        self.code
    }
    /// Its sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error where a missing row means that `what` does not exist.
    pub fn missing(error: StoreError, what: &str) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(what),
            other => other.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("object"),
            StoreError::Duplicate(name) => {
                Self::new(Code::AlreadyExists, format!("Another object already has this value ({name})"))
            }
            StoreError::Referenced => Self::in_use("Something else still refers to this object"),
            StoreError::Busy => {
                Self { cause: Some(error), ..Self::new(Code::Busy, Code::Busy.meaning()).retry_after(1) }
            }
            StoreError::TooSlow => {
                Self { cause: Some(error), ..Self::new(Code::QueryTooLong, Code::QueryTooLong.meaning()) }
            }
            StoreError::NotHeld => Self {
                cause: Some(error),
                ..Self::new(Code::Busy, "Nothing can be stored until this server has the lock of its store again")
                    .retry_after(1)
            },
            StoreError::Failed(_) => Self { cause: Some(error), ..Self::new(Code::Internal, Code::Internal.meaning()) },
        }
    }
}

impl From<Faults> for ApiError {
    fn from(faults: Faults) -> Self {
        Self::faulty(Code::InvalidBody, faults)
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl StoreFailure for ApiError {
    fn store_failure(&self) -> Option<&StoreError> {
        self.cause.as_ref()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.code.as_str()),
            None => write!(f, "{}: {}", self.code.as_str(), self.message),
        }
    }
}

impl std::error::Error for ApiError {}

/// The envelope of every error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always false.
    #[schema(example = false)]
    pub ok: bool,
    /// What a person needs.
    #[schema(example = "buffer: must be between 0 and 1")]
    pub message: String,
    /// Always null.
    #[schema(value_type = Option<Object>, example = json!(null))]
    pub result: (),
    /// What a program compares; see [docs/ERRORS.md](/docs/ERRORS.md).
    #[schema(example = "invalid_body")]
    pub code: String,
    /// Every single fault of a body or query.
    pub errors: Vec<Fault>,
    /// Finds the request in the server's log.
    #[schema(example = "650000000000000000000001")]
    pub request_id: String,
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        if self.code == Code::Internal {
            tracing::error!(error = %self, request_id = super::request_id::request_id(), "a request failed");
        }
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code == Code::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(Problem {
            ok: false,
            message: self.message.clone(),
            result: (),
            code: self.code.as_str().to_owned(),
            errors: self.faults.clone(),
            request_id: super::request_id::request_id(),
        })
    }
}
