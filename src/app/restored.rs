//! What is done with a store that was made of a backup before a server uses it: the world has gone on since.

use crate::balancing;
use crate::charging::{reservations, sessions};
use crate::events;
use crate::store::{Conn, StoreResult};
use kernel::Timestamp;

/// Takes back what a backup cannot know: which limits stations have by now, and which numbers were given out since. Answers how many
/// connectors have to prove their limits.
pub fn settle(conn: &mut Conn, now: Timestamp) -> StoreResult<usize> {
    let doubted = balancing::doubt_all(conn, now)?;
    events::skip_cursors(conn)?;
    sessions::skip_numbers(conn)?;
    reservations::skip_numbers(conn)?;
    Ok(doubted)
}
