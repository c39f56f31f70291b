//! Sessions that began in a period, as those list them who charged: home users and drivers.

use diesel::prelude::*;

use super::model::Session;
use super::store;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::store::Conn;
use crate::store::connection::MultiBackend;
use crate::store::schema::sessions;
use crate::{fetch_page, filters};
use kernel::{Page, Timestamp};

filters! {
    /// When the sessions began.
    pub(crate) struct PeriodFilter {
        /// Only those that began to charge at or after this.
        pub from: Timestamp,
        /// Only those that began to charge at or before this.
        pub to: Timestamp,
    }
}

/// A page of somebody's own sessions.
pub(super) fn page_of<'a>(
    conn: &mut Conn,
    query: &ListQuery<PeriodFilter>,
    own: impl Fn() -> sessions::BoxedQuery<'a, MultiBackend>,
) -> ApiResult<Page<Session>> {
    let filtered = || {
        let mut rows = own().filter(sessions::orphan.eq(false));
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
