//! Who may still need a network. Service offers import this slice, so the server hands their function in.

use crate::store::{Conn, StoreResult};
use kernel::EvseNetworkId;

/// What is counted before a network is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Service offers for it.
    pub offers: fn(&mut Conn, EvseNetworkId) -> StoreResult<i64>,
}
