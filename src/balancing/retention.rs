//! Forgetting old plans, besides those of which a group has too many: also of groups that no longer plan, or are no more. The
//! newest plan of each stays.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::plan_rows;
use crate::events::{Forgotten, Horizon, Mark};
use crate::load::groups;
use crate::store::schema::plans;
use crate::store::{Conn, StoreResult};
use kernel::{GroupId, PlanId, RawId, Timestamp};

/// Plans that are deleted in one go: they are large.
const AT_ONCE: i64 = 100;

/// When the oldest plan was made.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(plans::table.order(plans::id).select(plans::at).first(conn).optional()?)
}

/// Deletes some plans.
pub fn forget(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    let some: Vec<(PlanId, GroupId)> = plans::table
        .filter(plans::id.ge(after.unwrap_or_default().id))
        .filter(plans::id.lt(RawId::first_of(horizon.to).to_string()))
        .order(plans::id)
        .limit(AT_ONCE)
        .select((plans::id, plans::group_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    let mut groups_of_deleted = BTreeSet::new();
    for (id, group) in some {
        forgotten.next = Some(Mark::after(id));
        let newest: Option<PlanId> = plans::table
            .filter(plans::group_id.eq(group))
            .order((plans::at.desc(), plans::id.desc()))
            .select(plans::id)
            .first(conn)
            .optional()?;
        if newest == Some(id) {
            continue;
        }
        let rows = diesel::delete(plans::table.find(id)).execute(conn)?;
        groups_of_deleted.insert(group);
        if let Some(organization) = groups::owner_of(conn, group)? {
            forgotten.count(organization, rows);
        }
    }
    for group in groups_of_deleted {
        plan_rows::delete_unused_bases(conn, group)?;
    }
    Ok(forgotten)
}
