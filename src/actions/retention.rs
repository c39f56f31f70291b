//! Forgetting old actions.

use diesel::prelude::*;

use crate::db::schema::actions;
use crate::db::{Conn, StoreResult};
use crate::events::{Forgotten, Horizon, Mark};
use crate::kernel::{ActionId, OrganizationId, RawId, Timestamp};

/// Actions that are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// When the oldest action was made.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(actions::table
        .order(actions::id)
        .select(actions::created_at)
        .first(conn)
        .optional()?)
}

/// Deletes some actions.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let some: Vec<(ActionId, OrganizationId)> = actions::table
        .filter(actions::id.lt(RawId::first_of(horizon.to).to_string()))
        .order(actions::id)
        .limit(AT_ONCE)
        .select((actions::id, actions::organization_id))
        .load(conn)?;
    let ids: Vec<ActionId> = some.iter().map(|(id, _)| *id).collect();
    diesel::delete(actions::table.filter(actions::id.eq_any(ids))).execute(conn)?;
    let mut forgotten = Forgotten::default();
    for (id, organization) in some {
        forgotten.count(organization, 1);
        forgotten.next = Some(Mark::after(id));
    }
    Ok(forgotten)
}
