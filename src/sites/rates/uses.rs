//! Who needs a rate, and where. Connectors are priced by it, and their slice imports this one, so the server hands its functions in.

use crate::store::{Conn, StoreResult};
use kernel::{LocationId, OrganizationId, RateId};

/// What is asked of the connectors that are priced by a rate, or a schedule of rates.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// How many there are.
    pub connectors: fn(&mut Conn, RateId) -> StoreResult<i64>,
    /// By which rates, or schedules, those at one of the organization's locations are priced.
    pub at_location: fn(&mut Conn, OrganizationId, LocationId) -> StoreResult<Vec<RateId>>,
}
