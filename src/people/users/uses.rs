//! What users have to know of the slices above: who still needs one, and which stations there are to like. These slices import
//! this one, so the server hands their functions in.

use crate::http::ApiResult;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, StationId, UserId};

/// How many of a kind belong to a user.
type Count = fn(&mut Conn, UserId) -> StoreResult<i64>;

/// What is asked of the slices above.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Counts the tokens of a user.
    pub tokens: Count,
    /// Counts the sessions of a user.
    pub sessions: Count,
    /// Counts the load-management groups of a home user.
    pub groups: Count,
    /// Refuses, as a fault of this field, a station that the organization does not have.
    pub require_station: fn(&mut Conn, OrganizationId, StationId, &str) -> ApiResult<()>,
}
