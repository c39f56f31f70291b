//! Who may still need a location. These slices import this one, so the server hands their functions in.

use crate::store::{Conn, StoreResult};
use kernel::LocationId;

/// How many of a kind there are at a location.
type Count = fn(&mut Conn, LocationId) -> StoreResult<i64>;

/// What is counted before a location is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Charging stations.
    pub stations: Count,
    /// Load-management groups.
    pub groups: Count,
    /// Assets.
    pub assets: Count,
}
