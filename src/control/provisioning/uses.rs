//! What provisioning has to know of sessions. These import the log of actions beside this slice, so the server hands their function in.

use crate::store::{Conn, StoreResult};
use kernel::ConnectorId;

/// What is asked of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Whether a session runs, or waits for its start, at one of these connectors.
    pub is_charging: fn(&mut Conn, &[ConnectorId]) -> StoreResult<bool>,
}
