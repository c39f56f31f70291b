//! How many sessions of an organization are under way, and how many starts failed; each number is that of a list.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::model::SessionStatus;
use crate::store::schema::sessions;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Timestamp};

/// How many sessions are under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionCounts {
    /// Those that a station was asked to start.
    pub created: i64,
    /// Those that run.
    pub started: i64,
    /// Those that were created since an instant and never started.
    pub cancelled: i64,
}

/// How many of the organization's sessions are under way, and how many that were created since then never started.
pub fn count_sessions(conn: &mut Conn, organization: OrganizationId, since: Timestamp) -> StoreResult<SessionCounts> {
    let own = || sessions::table.filter(sessions::organization_id.eq(organization));
    let under_way: Vec<(SessionStatus, i64)> = own()
        .filter(sessions::status.eq_any([SessionStatus::Created, SessionStatus::Started]))
        .group_by(sessions::status)
        .select((sessions::status, count_star()))
        .load(conn)?;
    let of = |wanted| under_way.iter().filter(|(status, _)| *status == wanted).map(|(_, count)| *count).sum();
    let cancelled =
        own().filter(sessions::status.eq(SessionStatus::Cancelled)).filter(sessions::created_at.ge(since)).count();
    Ok(SessionCounts {
        created: of(SessionStatus::Created),
        started: of(SessionStatus::Started),
        cancelled: cancelled.get_result(conn)?,
    })
}
