//! The sessions of a driver, with every operator that knows the driver.

use diesel::prelude::*;

use super::model::Session;
use super::period::{PeriodFilter, page_of};
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::store::Conn;
use crate::store::schema::sessions;
use kernel::*;

/// A page of the sessions of these users.
pub(crate) fn sessions_of_users(
    conn: &mut Conn,
    users: &[(OrganizationId, UserId)],
    query: &ListQuery<PeriodFilter>,
) -> ApiResult<Page<Session>> {
    let (organizations, users): (Vec<_>, Vec<_>) = users.iter().copied().unzip();
    page_of(conn, query, || {
        let theirs = sessions::organization_id.eq_any(&organizations).and(sessions::user_id.eq_any(&users));
        sessions::table.filter(theirs).into_boxed()
    })
}
