//! The floor everything stands on: identities, units, time, bounded text, patches and pages.
//!
//! Nothing here performs I/O or knows a noun of the API beyond its identifier; nothing here imports another
//! module of ours. What belongs to one resource only lives in that resource's slice.

pub mod calendar;
pub mod cards;
pub mod clock;
pub mod credentials;
pub mod id;
pub mod money;
pub mod page;
pub mod patch;
pub mod seal;
pub mod spelled;
pub mod text;
pub mod units;

pub use clock::{Clock, ManualClock, SharedClock, SystemClock, TimeZone, Timestamp};
pub use id::*; // the typed ids are the kernel's vocabulary
pub use money::Currency;
pub use page::{Page, PageRequest};
pub use patch::Patch;
pub use units::{Milliamps, Millivolts, MilliwattHours, PhaseSet, WattHours, Watts};
