//! How many sessions of an organization are under way, and how many starts failed; each number is that of a list.

use diesel::prelude::*;

use super::model::SessionStatus;
use crate::http::Reach;
use crate::sites::stations;
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
pub fn count_sessions(
    conn: &mut Conn,
    organization: OrganizationId,
    reach: &Reach,
    since: Timestamp,
) -> StoreResult<SessionCounts> {
    let of = |status: SessionStatus| {
        let rows = sessions::table.filter(sessions::organization_id.eq(organization)).into_boxed();
        let rows = rows.filter(sessions::status.eq(status));
        match reach.locations() {
            Some(within) => rows.filter(sessions::chargestation_id.eq_any(stations::ids_at_any(within.to_vec()))),
            None => rows,
        }
    };
    Ok(SessionCounts {
        created: of(SessionStatus::Created).count().get_result(conn)?,
        started: of(SessionStatus::Started).count().get_result(conn)?,
        cancelled: of(SessionStatus::Cancelled).filter(sessions::created_at.ge(since)).count().get_result(conn)?,
    })
}
