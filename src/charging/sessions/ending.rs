//! How sessions end: because their station says so, or by assumption where it never will.
//!
//! An end by assumption says so in its reason, and is corrected when the station reports the true one, or goes on with the
//! transaction.

use super::answers::longest_running_at;
use super::metering;
use super::model::{ChargingState, Session, SessionStatus};
use super::store::record;
use super::{cost, store};
use crate::events::EventKind;
use crate::home::priority_charges;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// What the reason of an end begins with that nobody reported.
const ASSUMED: &str = "Assumed";

impl Session {
    /// Whether its end was never reported, only concluded from something else.
    pub(super) fn is_over_by_assumption(&self) -> bool {
        let reason = self.stop_reason.as_deref();
        self.status == SessionStatus::Ended && reason.is_some_and(|reason| reason.starts_with(ASSUMED))
    }

    /// When something was last heard of it: the time of its latest reading, else that of its start.
    pub(super) fn last_sign(&self) -> Timestamp {
        self.latest_at.max(self.started_at).unwrap_or(self.created_at)
    }

    /// The energy register at its latest reading, where one was reported.
    pub(super) fn last_register(&self) -> Option<WattHours> {
        let reported = self.latest.as_ref().and_then(|latest| latest.0.register());
        reported.or_else(|| self.meter_start.map(|begin| begin + self.energy))
    }
}

/// Makes it over at this instant, which is never before it began.
pub(super) fn conclude(session: &mut Session, at: Timestamp, reason: &str, moment: &Moment) {
    let at = session.started_at.map_or(at, |begin| at.max(begin));
    session.status = SessionStatus::Ended;
    session.ended_at = Some(at);
    session.stop_reason = Some(reason.to_owned());
    session.power = Some(Watts::ZERO);
    session.charging_state = Some(ChargingState::Idle);
    session.close_activity(at);
    session.updated_at = moment.version_after(session.updated_at);
}

/// Makes it run again: what was taken for its end was none.
pub(super) fn reopen(session: &mut Session) {
    session.status = SessionStatus::Started;
    session.ended_at = None;
    session.stop_reason = None;
    session.restartable = false;
    metering::reopen(session);
    if let Some(last) = session.charging_activity.0.last_mut() {
        last.end_time = None;
        session.charging_state = Some(last.status);
    }
}

/// Ends it by assumption: nobody will report how it ended, or has not yet. Answers it as it is now.
pub fn assume_over(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    at: Timestamp,
    why: &str,
) -> StoreResult<Session> {
    metering::assume_stop(conn, &mut session)?;
    conclude(&mut session, at, &format!("{ASSUMED}: {why}"), moment);
    let until = session.ended_at.unwrap_or(at);
    cost::compute(conn, &mut session, until)?;
    store::update(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionEnded)?;
    priority_charges::session_ended(conn, moment, session.chargestation_id, longest_running_at)?;
    tracing::info!(session = %session.id, station = %session.chargestation_id, why, "ended a session by assumption");
    Ok(session)
}
