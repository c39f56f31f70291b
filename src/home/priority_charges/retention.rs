//! Forgetting old priority charges that are over.

use diesel::prelude::*;

use super::model::PriorityStatus;
use crate::events::{Forgotten, Horizon, Mark};
use crate::forget_found;
use crate::store::schema::priority_charges;
use crate::store::{Conn, StoreResult};
use kernel::{PriorityChargeId, RawId, Timestamp};

/// So many are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// When the oldest of them was made.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(priority_charges::table
        .order(priority_charges::id)
        .select(priority_charges::created_at)
        .first(conn)
        .optional()?)
}

/// Deletes some that are over.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let old = priority_charges::table
        .filter(priority_charges::id.lt(RawId::first_of(horizon.to).to_string()))
        .filter(priority_charges::status.ne_all(PriorityStatus::OPEN))
        .order(priority_charges::id)
        .limit(AT_ONCE);
    forget_found!(conn, priority_charges, PriorityChargeId, old)
}
