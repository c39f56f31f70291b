//! Sessions that nobody will finish: those that never started, and those whose stop was lost.

use std::time::Duration;

use diesel::prelude::*;

use super::ending::assume_over;
use super::model::{Session, SessionStatus};
use super::store::{find, is_alive_since, open_on_connectors, record, some, update};
use super::transactions::START_WITHIN;
use crate::events::EventKind;
use crate::sites::stations::{self, Connector, ConnectorStatus};
use crate::store::schema::{chargestations, connectors, sessions};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// How long stations that cannot be asked are waited for; documented in `default.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After so long offline a session is over that is to be stopped; its station cannot be asked.
    pub stop_after: Duration,
    /// After so long offline every session of a station is over; never when none.
    pub end_after: Option<Duration>,
    /// Since when this server runs: nobody is offline for longer.
    pub up_since: Timestamp,
}

impl Patience {
    /// Since when the station of a session has been offline, as far as this server could know; nothing while it is online. When
    /// the session began it was there.
    pub(super) fn offline_since(&self, conn: &mut Conn, session: &Session) -> StoreResult<Option<Timestamp>> {
        let station = stations::presence_of(conn, session.chargestation_id)?;
        let since = Some(self.up_since).max(station.left_at).max(station.heard_at).max(session.begun_at);
        Ok(since.filter(|_| !station.online))
    }
}

/// Cancels sessions that were created by API and never started; answers how many.
pub fn cancel_overdue(conn: &mut Conn, moment: &Moment) -> StoreResult<usize> {
    let overdue: Vec<Session> = sessions::table
        .filter(sessions::status.eq(SessionStatus::Created).and(sessions::created_at.lt(moment.now - START_WITHIN)))
        .limit(MOST_AT_ONCE)
        .select(Session::as_select())
        .load(conn)?;
    let overdue = some(conn, overdue)?;
    for session in overdue.iter().cloned() {
        cancel(conn, moment, session, "The station did not start in time")?;
    }
    Ok(overdue.len())
}

/// How long a connector is free before the session that was never stopped there is taken to be over, and how lately a draw
/// there shows that it goes on all the same.
const FREE_FOR: Duration = Duration::from_secs(300);
/// Sessions that are looked at in one round; the others in the next.
const MOST_AT_ONCE: i64 = 100;

/// Ends sessions whose StopTransaction was lost: those whose connector has long been free, and those whose station has been
/// offline for as long as is waited. All by the times of receipt: clocks of stations are wrong.
pub fn close_abandoned(conn: &mut Conn, moment: &Moment, patience: &Patience) -> StoreResult<Vec<Session>> {
    let mut over = Vec::new();
    for (session, free_since) in at_free_connectors(conn, moment.now)? {
        // Some stations call a connector available whatever happens there.
        let lately = (moment.now - FREE_FOR, Timestamp::default());
        if !is_alive_since(conn, &session, lately)? {
            let at = free_since.unwrap_or(moment.now);
            let why = "the connector is available";
            over.push(assume_over(conn, moment, session, at, why)?);
        }
    }
    let Some(end_after) = patience.end_after else {
        return Ok(over);
    };
    for session in at_offline_stations(conn, moment.now - end_after)? {
        let since = patience.offline_since(conn, &session)?;
        if since.is_some_and(|since| moment.now.since(since) >= end_after) {
            let at = session.last_sign();
            over.push(assume_over(conn, moment, session, at, OFFLINE)?);
        }
    }
    Ok(over)
}

/// What is reported so much later than it was measured waited in a queue, and says nothing of now.
pub(super) const WAITED: Duration = Duration::from_secs(300);

/// Why a session is over that its station does not know.
pub(super) const UNKNOWN: &str = "the station knows no such transaction";
/// Why a session is over whose station cannot be asked.
pub(super) const OFFLINE: &str = "the station is offline for long";

/// Sessions whose connector was called free after they began, and long ago; with the time since which it is.
fn at_free_connectors(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<(Session, Option<Timestamp>)>> {
    let found: Vec<(Session, Option<Timestamp>)> = connectors::table
        .inner_join(sessions::table)
        .filter(sessions::status.eq(SessionStatus::Started))
        .filter(connectors::status.eq(ConnectorStatus::Available))
        .filter(connectors::status_changed_at.lt(now - FREE_FOR))
        .filter(connectors::status_changed_at.gt(sessions::begun_at))
        .order(sessions::id)
        .limit(MOST_AT_ONCE)
        .select((Session::as_select(), connectors::status_at))
        .load(conn)?;
    let (found, since): (Vec<Session>, Vec<_>) = found.into_iter().unzip();
    Ok(some(conn, found)?.into_iter().zip(since).collect())
}

fn at_offline_stations(conn: &mut Conn, left_before: Timestamp) -> StoreResult<Vec<Session>> {
    let left = chargestations::last_disconnect_at;
    let found = chargestations::table
        .inner_join(sessions::table)
        .filter(sessions::status.eq(SessionStatus::Started))
        .filter(chargestations::online.eq(false))
        .filter(left.is_null().or(left.lt(left_before)))
        .order(sessions::id)
        .limit(MOST_AT_ONCE)
        .select(Session::as_select())
        .load(conn)?;
    some(conn, found)
}

/// Sessions that run at a connector since before its station booted, and of which nothing was drawn since.
pub fn of_before_boot(conn: &mut Conn, connector: &Connector) -> StoreResult<Vec<Session>> {
    let booted = stations::booted_at(conn, connector.chargestation_id)?;
    let mut found = Vec::new();
    let Some(booted) = booted else {
        return Ok(found);
    };
    for session in open_on_connectors(conn, &[connector.id])? {
        let begun = session.begun_at.unwrap_or(session.created_at);
        if session.status == SessionStatus::Started
            && begun < booted
            && !is_alive_since(conn, &session, (booted, booted - WAITED))?
        {
            found.push(session);
        }
    }
    Ok(found)
}

/// Ends what its station forgot when it booted: a session that began before that, whose connector is called idle since.
/// What was drawn there since the boot shows that it goes on; and where the connector was called available all along, that
/// says nothing.
pub fn end_ghosts(
    conn: &mut Conn,
    moment: &Moment,
    connector: &Connector,
    status: ConnectorStatus,
) -> StoreResult<Vec<Session>> {
    if status == ConnectorStatus::Available && connector.status == status {
        return Ok(Vec::new());
    }
    let mut over = Vec::new();
    for session in of_before_boot(conn, connector)? {
        let at = session.last_sign();
        let why = "the station booted and the connector is idle";
        over.push(assume_over(conn, moment, session, at, why)?);
    }
    Ok(over)
}

/// Ends a session of which its station says that it does not go on, unless its end was reported meanwhile.
pub fn end_forgotten(
    conn: &mut Conn,
    moment: &Moment,
    organization: OrganizationId,
    id: SessionId,
) -> StoreResult<Option<Session>> {
    let session = find(conn, organization, id)?;
    if session.status != SessionStatus::Started {
        return Ok(None);
    }
    let at = session.last_sign();
    assume_over(conn, moment, session, at, UNKNOWN).map(Some)
}

/// Whether anything says that a session goes on which its station does not know: a draw lately, or a status that was heard
/// since the session began and the station booted.
pub(super) fn is_alive(conn: &mut Conn, session: &Session, now: Timestamp) -> StoreResult<bool> {
    let booted = stations::booted_at(conn, session.chargestation_id)?;
    let since_boot = booted.unwrap_or_default();
    let lately = ((now - FREE_FOR).max(since_boot), since_boot - WAITED);
    if is_alive_since(conn, session, lately)? {
        return Ok(true);
    }
    let Some(connector) = session.connector_id else {
        return Ok(false);
    };
    let (status, heard) = stations::status_of(conn, connector)?;
    let is_busy =
        matches!(status, ConnectorStatus::Charging | ConnectorStatus::SuspendedEv | ConnectorStatus::SuspendedEvse);
    Ok(is_busy && heard >= booted.max(session.begun_at))
}

/// Cancels one session that never started.
pub(super) fn cancel(conn: &mut Conn, moment: &Moment, mut session: Session, reason: &str) -> StoreResult<()> {
    session.status = SessionStatus::Cancelled;
    session.ended_at = Some(moment.now);
    session.stop_reason = Some(reason.to_owned());
    session.updated_at = moment.version_after(session.updated_at);
    update(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionCancelled)
}
