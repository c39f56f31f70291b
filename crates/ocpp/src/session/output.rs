//! What a session asks its socket to do.

use serde_json::value::RawValue;

use super::incoming::IncomingCall;
use crate::CallError;
use kernel::Timestamp;

/// Something to do, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send this text.
    Transmit(String),
    /// Handle this call and come back with [`Input::Answer`](super::Input::Answer).
    Dispatch(IncomingCall),
    /// A call of ours is over.
    CallDone {
        /// The number it was given.
        correlation: u64,
        /// The payload of the result, or why there is none.
        result: Result<Box<RawValue>, CallFailure>,
    },
    /// Come back with [`Input::Tick`](super::Input::Tick) at this instant; replaces what was asked before.
    NextWake(Timestamp),
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallFailure {
    /// The station refused, or its answer could not be read.
    #[error("the station answered {0}")]
    Error(CallError),
    /// The station did not answer in time; it may have acted all the same.
    #[error("the station did not answer in time")]
    TimedOut,
    /// The connection ended first; when the call had been sent, the station may have acted all the same.
    #[error("the connection ended first")]
    Dropped,
    /// A newer call replaced it before it was sent.
    #[error("a newer call replaced it")]
    Superseded,
    /// It waited too long to be sent.
    #[error("it waited too long to be sent")]
    Expired,
    /// Too many calls that are at least as urgent were waiting.
    #[error("too many calls are waiting")]
    QueueFull,
}
