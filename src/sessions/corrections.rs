//! What is corrected after a session's end: recorded with what it amounted to before and after, and told, so that no bill
//! changes in silence.

use serde::{Deserialize, Serialize};

use super::model::{Session, SessionStatus};
use super::transactions::tell;
use super::{ending, store};
use crate::db::{Conn, StoreResult};
use crate::events::EventKind;
use crate::http::money::Amount;
use crate::kernel::*;
use crate::priority;

/// What a session amounted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Settled {
    /// ended, or started where it goes on.
    pub status: SessionStatus,
    /// Wh delivered.
    #[serde(rename = "energyConsumed")]
    pub energy_consumed: i64,
    /// What it costs, with tax, in the currency's major unit; null where nothing prices it.
    pub amount: Option<Amount>,
    /// When it began.
    #[serde(rename = "chargingStart")]
    pub charging_start: Option<Timestamp>,
    /// When it stopped; null where it goes on.
    #[serde(rename = "chargingStop")]
    pub charging_stop: Option<Timestamp>,
    /// Why it stopped, in OCPP's words; what begins with `Assumed` was told by nobody.
    #[serde(rename = "chargingStopReason")]
    pub charging_stop_reason: Option<String>,
}

/// A correction of a session that had ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Correction {
    /// When it was corrected.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// Why.
    pub reason: String,
    /// What the session amounted to until then.
    pub before: Settled,
    /// What it amounts to since.
    pub after: Settled,
}

/// Why: the station told its end after all.
pub(super) const TOLD_END: &str = "The station told its end";
/// Why: the station told of it as of one that goes on.
pub(super) const GOES_ON: &str = "It goes on";
/// Why: a part of it was told after its end.
pub(super) const TOLD_LATE: &str = "The station told a part of it late";
/// Corrections that a session keeps; the first and the newest matter, and a station that changes its mind for ever is no reason
/// to grow without end.
const MOST_CORRECTIONS: usize = 20;

impl Session {
    /// What it amounts to now.
    pub(super) fn settled(&self) -> Settled {
        Settled {
            status: self.status,
            energy_consumed: self.energy.get(),
            amount: self.cost.as_ref().map(|cost| cost.0.amount),
            charging_start: self.started_at,
            charging_stop: self.ended_at,
            charging_stop_reason: self.stop_reason.clone(),
        }
    }

    /// Keeps that it was corrected; false where it amounts to the same as before.
    pub(super) fn keep_correction(&mut self, before: Settled, why: &str, now: Timestamp) -> bool {
        let after = self.settled();
        if after == before {
            return false;
        }
        let kept = &mut self.corrections.0;
        if kept.len() >= MOST_CORRECTIONS {
            kept.remove(1);
        }
        kept.push(Correction {
            created_at: now,
            reason: why.to_owned(),
            before,
            after,
        });
        true
    }
}

/// Takes up again what was ended by assumption and goes on: its station told of something after that end. Nothing where
/// another session runs at its connector by now. Stores and tells it.
pub(super) fn revive(
    conn: &mut Conn,
    moment: &Moment,
    session: &mut Session,
    heard_of: Timestamp,
) -> StoreResult<bool> {
    let later = session.ended_at.is_none_or(|end| heard_of > end);
    if !session.is_over_by_assumption() || !later {
        return Ok(false);
    }
    let there = store::open_on_connectors(conn, session.connector_id.as_slice())?;
    if there
        .iter()
        .any(|open| open.status == SessionStatus::Started)
    {
        return Ok(false);
    }
    let before = session.settled();
    ending::reopen(session);
    session.keep_correction(before, GOES_ON, moment.now);
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, session)?;
    tell(conn, moment, session, EventKind::SessionCorrected)?;
    priority::session_started(conn, moment, session.chargestation_id, session.id)?;
    Ok(true)
}
