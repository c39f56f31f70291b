//! Forgetting old actions.

use diesel::prelude::*;

use crate::events::{Forgotten, Horizon, Mark};
use crate::forget_found;
use crate::store::schema::actions;
use crate::store::{Conn, StoreResult};
use kernel::{ActionId, RawId, Timestamp};

/// Actions that are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// When the oldest action was made.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(actions::table.order(actions::id).select(actions::created_at).first(conn).optional()?)
}

/// Deletes some actions.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let old = actions::table
        .filter(actions::id.lt(RawId::first_of(horizon.to).to_string()))
        .order(actions::id)
        .limit(AT_ONCE);
    forget_found!(conn, actions, ActionId, old)
}
