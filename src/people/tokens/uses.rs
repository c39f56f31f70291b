//! Who may still need a token. Sessions import this slice, so the server hands their function in.

use crate::store::{Conn, StoreResult};
use kernel::TokenId;

/// What is counted before a token is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// Sessions that were started by it.
    pub sessions: fn(&mut Conn, TokenId) -> StoreResult<i64>,
}
