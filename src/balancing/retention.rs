//! Forgetting the history of groups, and old plans, besides those of which a group has too many: also of groups that no longer plan, or are no more. The
//! newest plan of each stays.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::plan_rows;
use crate::events::{Forgotten, Horizon, Mark};
use crate::load::groups;
use crate::store::schema::{load_spans, plans};
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

/// Spans that are deleted in one go.
const SPANS_AT_ONCE: i64 = 2_000;

/// When the oldest span begins.
pub fn oldest_span(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(load_spans::table.order(load_spans::at).select(load_spans::at).first(conn).optional()?)
}

/// Deletes some spans.
pub fn forget_spans(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    type Key = (String, i32, Timestamp, GroupId);
    let some: Vec<Key> = load_spans::table
        .filter(load_spans::at.lt(horizon.to))
        .order(load_spans::at)
        .limit(SPANS_AT_ONCE)
        .select((load_spans::subject_id, load_spans::seconds, load_spans::at, load_spans::root_id))
        .load(conn)?;
    let mut forgotten = Forgotten::default();
    let mut rows: BTreeMap<GroupId, usize> = BTreeMap::new();
    for (subject, seconds, at, root) in &some {
        let deleted = diesel::delete(load_spans::table.find((subject, *seconds, *at))).execute(conn)?;
        *rows.entry(*root).or_default() += deleted;
    }
    for (root, rows) in rows {
        if let Some(organization) = groups::owner_of(conn, root)? {
            forgotten.count(organization, rows);
        }
    }
    // Where there may be more, any mark goes on: what is deleted is not found again.
    if let Some((_, _, _, root)) = some.last().filter(|_| i64::try_from(some.len()) == Ok(SPANS_AT_ONCE)) {
        forgotten.next = Some(Mark::after(*root));
    }
    Ok(forgotten)
}
