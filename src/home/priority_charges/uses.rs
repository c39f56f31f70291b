//! What priority charges have to know of sessions. These import this slice, so they, and the server, hand their function in.

use crate::store::{Conn, StoreResult};
use kernel::{SessionId, StationId};

/// Finds the session that has run longest at these stations.
pub(super) type LongestRunning = fn(&mut Conn, &[StationId]) -> StoreResult<Option<SessionId>>;

/// What is asked of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// The session that has run longest at these stations.
    pub longest_running: LongestRunning,
}
