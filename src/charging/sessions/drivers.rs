//! The sessions of a driver, with every operator that knows the driver.

use diesel::prelude::*;

use super::model::Session;
use super::store;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::store::Conn;
use crate::store::schema::sessions;
use crate::{fetch_page, filters};
use kernel::*;

filters! {
    /// Which of the driver's sessions.
    pub(crate) struct DriverSessionFilter {
        /// Only those that began to charge at or after this.
        pub from: Timestamp,
        /// Only those that began to charge at or before this.
        pub to: Timestamp,
    }
}

/// A page of the sessions of these users.
pub(crate) fn sessions_of_users(
    conn: &mut Conn,
    users: &[(OrganizationId, UserId)],
    query: &ListQuery<DriverSessionFilter>,
) -> ApiResult<Page<Session>> {
    let (organizations, users): (Vec<_>, Vec<_>) = users.iter().copied().unzip();
    let filtered = || {
        let mut rows = sessions::table
            .filter(sessions::organization_id.eq_any(&organizations))
            .filter(sessions::user_id.eq_any(&users))
            .filter(sessions::orphan.eq(false))
            .into_boxed();
        if let Some(at) = query.filter.from {
            rows = rows.filter(sessions::started_at.ge(at));
        }
        if let Some(at) = query.filter.to {
            rows = rows.filter(sessions::started_at.le(at));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, sessions, filtered(), {
        "chargingStart" => sessions::started_at,
        "chargingStop" => sessions::ended_at,
    });
    let rows = rows.select(Session::as_select()).load(conn)?;
    Ok(Page { rows: store::some(conn, rows)?, total, request: query.page })
}
