//! The language of charging stations: frames, payloads, the rhythm of calls and answers.
//!
//! Three layers that know nothing of each other's business: [`frame`] is the envelope, [`session`] the rhythm without I/O,
//! the payload types of a version ([`v16`], [`v2`]) the meaning. What real chargers get wrong is repaired in one place,
//! [`mod@decode`], and reported as deviations, never scattered as branches. [`meter`] is what meters say in any version.

pub mod action;
pub mod decimal;
mod declare;
pub mod decode;
pub mod error;
pub mod frame;
pub mod keys;
pub mod legible;
pub mod meter;
pub mod number;
pub mod session;
pub mod tenths;
pub mod text;
pub mod time;
pub mod v16;
pub mod v2;
pub mod wire;

pub use decode::{Decoded, decode};
pub use error::{CallError, ErrorCode};
