//! The language of charge stations: frames, payloads, the rhythm of calls and answers.
//!
//! Three layers that know nothing of each other's business (mini-redis): [`frame`] is the envelope, [`session`] the
//! rhythm without I/O, the payload types of a version (`v16`) the meaning. What real chargers get wrong is mended in
//! one place, [`mod@decode`], and reported as flags, never scattered as branches.

pub mod access;
pub mod action;
pub mod answer16;
pub mod api;
pub mod authority;
pub mod command16;
pub mod connections;
pub mod decimal;
mod declare;
pub mod decode;
pub mod error;
pub mod frame;
pub mod gateway;
pub mod meter;
pub mod recorder;
pub mod session;
pub mod socket;
pub mod tenths;
pub mod text;
pub mod time;
pub mod v16;
pub mod wire;

pub use decode::{Decoded, decode};
pub use error::{CallError, ErrorCode};

/// The versions of OCPP a station may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// OCPP 1.6 with the security whitepaper.
    V16,
    /// OCPP 2.0.1.
    V201,
    /// OCPP 2.1.
    V21,
}

impl Version {
    /// The name of the WebSocket subprotocol.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
            Self::V21 => "ocpp2.1",
        }
    }
}
