//! Sessions that nobody will finish: those that never started, and those whose stop was lost.

use std::time::Duration;

use diesel::prelude::*;

use super::model::{Session, SessionStatus, SessionView};
use super::store::{session_event, update};
use super::transactions::{START_WITHIN, close_stale};
use crate::db::schema::{connectors, sessions};
use crate::db::{Conn, StoreResult};
use crate::events::{self, EventKind};
use crate::kernel::*;
use crate::stations::ConnectorStatus;

/// Cancels sessions that were created by API and never started; answers how many.
pub fn cancel_overdue(conn: &mut Conn, moment: &Moment) -> StoreResult<usize> {
    let overdue: Vec<Session> = sessions::table
        .filter(
            sessions::status
                .eq(SessionStatus::Created)
                .and(sessions::created_at.lt(moment.now - START_WITHIN)),
        )
        .limit(100)
        .select(Session::as_select())
        .load(conn)?;
    for session in overdue.iter().cloned() {
        cancel(conn, moment, session, "The station did not start in time")?;
    }
    Ok(overdue.len())
}

/// How long a connector is free before the session that was never stopped there is taken to be over.
const FREE_FOR: Duration = Duration::from_secs(300);

/// Ends sessions whose connector has long been free: their StopTransaction was lost.
pub fn close_abandoned(conn: &mut Conn, moment: &Moment) -> StoreResult<()> {
    let free: Vec<ConnectorId> = connectors::table
        .inner_join(sessions::table)
        .filter(sessions::status.eq(SessionStatus::Started))
        .filter(connectors::status.eq(ConnectorStatus::Available))
        .filter(connectors::status_at.lt(moment.now - FREE_FOR))
        .filter(sessions::started_at.lt(moment.now - FREE_FOR))
        .select(connectors::id)
        .limit(100)
        .load(conn)?;
    if !free.is_empty() {
        close_stale(conn, moment, &free, "the connector is available")?;
    }
    Ok(())
}

/// Cancels one session that never started.
pub(super) fn cancel(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    reason: &str,
) -> StoreResult<()> {
    session.status = SessionStatus::Cancelled;
    session.ended_at = Some(moment.now);
    session.stop_reason = Some(reason.to_owned());
    session.updated_at = moment.version_after(session.updated_at);
    update(conn, &session)?;
    let view = SessionView::from(session.clone());
    events::record(
        conn,
        moment,
        session_event(&session, EventKind::SessionCancelled),
        &view,
    )
}
