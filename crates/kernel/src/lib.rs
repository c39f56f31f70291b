//! The floor everything stands on: identities, units, time, bounded text, patches and pages.
//!
//! Nothing here performs I/O, reads a clock or draws by chance, and nothing here knows a noun of the API beyond its
//! identifier. What belongs to one resource only lives in that resource's slice. Two features add other forms of the
//! same types: `columns` for Diesel, `schemas` for utoipa.

pub mod calendar;
pub mod cards;
#[cfg(feature = "columns")]
pub mod columns;
pub mod credentials;
pub mod id;
pub mod money;
pub mod page;
pub mod patch;
pub mod protocol;
#[cfg(feature = "schemas")]
pub mod schemas;
pub mod spelled;
pub mod text;
pub mod time;
pub mod units;

pub use id::*; // the typed ids are the kernel's vocabulary
pub use money::Currency;
pub use page::{Page, PageRequest};
pub use patch::Patch;
pub use protocol::Protocol;
pub use time::{TimeZone, Timestamp};
pub use units::{Milliamps, Millivolts, MilliwattHours, PhaseSet, WattHours, Watts};
