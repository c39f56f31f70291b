//! Who may still need a group. Assets import this slice, so the server hands their function in.

use crate::store::{Conn, StoreResult};
use kernel::GroupId;

/// What is counted before a group is deleted, or moved to another location.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Assets whose power concerns it.
    pub assets: fn(&mut Conn, GroupId) -> StoreResult<i64>,
}
