//! What can go wrong in the store, distinguished by what a caller can do about it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What SQLite says of a query that was ended (see [`super::limit`]).
pub(super) const TOO_SLOW: &str = "the query took too long";

/// A failed query.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row.
    #[error("no such row")]
    NotFound,
    /// A unique constraint: somebody was first. Carries the constraint's or columns' name.
    #[error("already exists ({0})")]
    Duplicate(String),
    /// A foreign key: the row is referred to, or refers to nothing.
    #[error("a referenced row is missing or still in use")]
    Referenced,
    /// The store is overloaded: its queue is full or a lock was not had in time. Trying again later is right.
    #[error("the store is busy")]
    Busy,
    /// The query took longer than it may (see [`super::limit`]).
    #[error("the query took too long")]
    TooSlow,
    /// This server does not have the store's lock (see [`super::lock`]): the database restarted, or the server stops.
    #[error("the store is not held by this server at the moment")]
    NotHeld,
    /// Anything else: our mistake or a broken machine.
    #[error("store failure: {0}")]
    Failed(String),
}

/// The outcome of a query.
pub type StoreResult<T> = Result<T, StoreError>;

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Duplicate(info.constraint_name().unwrap_or_else(|| info.message()).to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::Referenced,
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Busy,
            DieselError::DatabaseError(_, info)
                if info.message().contains("database is locked") || info.message().contains("deadlock detected") =>
            {
                Self::Busy
            }
            DieselError::DatabaseError(_, info)
                if info.message().contains(TOO_SLOW) || info.message().contains("canceling statement due to") =>
            {
                Self::TooSlow
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<diesel::ConnectionError> for StoreError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Turns "no such row" into `None`.
pub fn optional<T>(outcome: StoreResult<T>) -> StoreResult<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
