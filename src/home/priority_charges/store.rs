//! Priority charges in the database.

use diesel::prelude::*;

use super::model::{PriorityCharge, PriorityFilter, PriorityStatus};
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::store::query::{contains, lower};
use crate::store::schema::priority_charges;
use crate::store::{Conn, StoreResult};
use crate::{each, fetch_page};
use kernel::*;

pub(super) fn insert(conn: &mut Conn, charge: &PriorityCharge) -> StoreResult<()> {
    diesel::insert_into(priority_charges::table).values(charge).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, charge: &PriorityCharge) -> StoreResult<()> {
    diesel::update(priority_charges::table.find(charge.id)).set(charge).execute(conn)?;
    Ok(())
}

/// The ones of these groups that are not over.
pub(super) fn open_in(conn: &mut Conn, groups: &[GroupId]) -> StoreResult<Vec<PriorityCharge>> {
    Ok(priority_charges::table
        .filter(priority_charges::group_id.eq_any(groups))
        .filter(priority_charges::status.eq_any(PriorityStatus::OPEN))
        .select(PriorityCharge::as_select())
        .load(conn)?)
}

/// The same of one group, at each start and end of a session: without a list, so that it is prepared once.
pub(super) fn open_of(conn: &mut Conn, group: GroupId) -> StoreResult<Option<PriorityCharge>> {
    let [waiting, active] = PriorityStatus::OPEN;
    let is_open = priority_charges::status.eq(waiting).or(priority_charges::status.eq(active));
    let found = each!(conn, |conn| priority_charges::table
        .filter(priority_charges::group_id.eq(group))
        .filter(is_open)
        .select(PriorityCharge::as_select())
        .first(conn));
    Ok(found.optional()?)
}

/// The one that was asked for last and approved.
pub(super) fn latest(conn: &mut Conn, group: GroupId) -> StoreResult<Option<PriorityCharge>> {
    let approved = [PriorityStatus::Waiting, PriorityStatus::Active, PriorityStatus::Ended];
    Ok(priority_charges::table
        .filter(priority_charges::group_id.eq(group))
        .filter(priority_charges::status.eq_any(approved))
        .order((priority_charges::created_at.desc(), priority_charges::id.desc()))
        .select(PriorityCharge::as_select())
        .first(conn)
        .optional()?)
}

/// Those whose time is over.
pub(super) fn overdue(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<PriorityCharge>> {
    Ok(priority_charges::table
        .filter(priority_charges::status.eq_any(PriorityStatus::OPEN))
        .filter(priority_charges::expires_at.le(now))
        .limit(100)
        .select(PriorityCharge::as_select())
        .load(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    group: GroupId,
    query: &ListQuery<PriorityFilter>,
) -> ApiResult<Page<PriorityCharge>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = priority_charges::table.filter(priority_charges::group_id.eq(group)).into_boxed();
        if let Some(user) = filter.user {
            rows = rows.filter(priority_charges::user_id.eq(user));
        }
        if let Some(session) = filter.session {
            rows = rows.filter(priority_charges::session_id.eq(session));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(priority_charges::status.eq(status));
        }
        if let Some(text) = &query.search {
            rows = rows.filter(lower(priority_charges::reason).like(contains(text)).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, priority_charges, filtered(), {
        "status" => priority_charges::status,
        "expires_at" => priority_charges::expires_at,
    });
    Ok(Page { rows: rows.select(PriorityCharge::as_select()).load(conn)?, total, request: query.page })
}
