//! What acceptance tests have to know of sessions. These import the log of actions beside this slice, so the server hands their
//! function in.

use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, Watts};

/// A session that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The number the station knows it by.
    pub transaction: Option<i64>,
    /// What it drew at its latest reading.
    pub power: Option<Watts>,
}

/// What is asked of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// The session that runs at a connector.
    pub running_on: fn(&mut Conn, ConnectorId) -> StoreResult<Option<Running>>,
}
