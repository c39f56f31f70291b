//! Forgetting old actions.

use diesel::prelude::*;

use crate::db::schema::actions;
use crate::db::{Conn, StoreResult};
use crate::events::{Forgotten, Horizon};
use crate::kernel::{ActionId, OrganizationId, RawId};

/// Actions that are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// Deletes some actions.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<RawId>) -> StoreResult<Forgotten> {
    let some: Vec<(ActionId, OrganizationId)> = actions::table
        .filter(actions::id.lt(RawId::first_of(horizon.to).to_string()))
        .order(actions::id)
        .limit(AT_ONCE)
        .select((actions::id, actions::organization_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    let ids: Vec<ActionId> = some.iter().map(|(id, _)| *id).collect();
    diesel::delete(actions::table.filter(actions::id.eq_any(&ids))).execute(conn)?;
    for (id, organization) in some {
        forgotten.count(organization, 1);
        forgotten.next = id.to_string().parse().ok();
    }
    Ok(forgotten)
}
