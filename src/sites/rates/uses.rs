//! Who may still need a rate. Connectors are priced by it, and their slice imports this one, so the server hands its function in.

use crate::store::{Conn, StoreResult};
use kernel::RateId;

/// What is counted before a rate, or a schedule of rates, is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Connectors that are priced by it.
    pub connectors: fn(&mut Conn, RateId) -> StoreResult<i64>,
}
