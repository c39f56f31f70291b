//! What is corrected after a session's end: recorded with what it amounted to before and after, and reported, so that no bill
//! changes in silence.

use serde::{Deserialize, Serialize};

use super::energy::Mark;
use super::metering::{self, Attribution};
use super::model::{ChargingState, Session, SessionStatus};
use super::overdue::WAITED;
use super::readings::{self, Reading, Sample};
use super::store::record;
use super::{cost, ending, store};
use crate::events::EventKind;
use crate::home::priority_charges;
use crate::http::money::Amount;
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::*;

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
    /// Why it stopped, in OCPP's words; what begins with `Assumed` was reported by nobody.
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

/// Why: the station reported its end after all.
pub(super) const REPORTED_END: &str = "The station reported its end";
/// Why: the station reported it as one that goes on.
pub(super) const GOES_ON: &str = "It goes on";
/// Why: a part of it was reported after its end.
pub(super) const REPORTED_LATE: &str = "The station reported a part of it late";
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
        kept.push(Correction { created_at: now, reason: why.to_owned(), before, after });
        true
    }
}

/// Takes up again what was ended by assumption and goes on: its station reported something after that end. Nothing where
/// another session runs at its connector by now, or where that waited since before the station booted: what it did then says
/// nothing of now. Stores and reports it.
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
    if heard_of + WAITED < moment.now {
        let booted = stations::booted_at(conn, session.chargestation_id)?;
        if booted.is_some_and(|booted| heard_of < booted) {
            return Ok(false);
        }
    }
    let there = store::open_on_connectors(conn, session.connector_id.as_slice())?;
    if there.iter().any(|open| open.status == SessionStatus::Started) {
        return Ok(false);
    }
    let before = session.settled();
    ending::reopen(session);
    session.keep_correction(before, GOES_ON, moment.now);
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, session)?;
    record(conn, moment, session, EventKind::SessionCorrected)?;
    priority_charges::session_started(conn, moment, session.chargestation_id, session.id)?;
    Ok(true)
}

/// The begin of the session that came next at the same connector.
struct Next {
    at: Timestamp,
    /// Its register, where that is the one of the session before, gone on: one that counts each session from zero says nothing.
    register: Option<WattHours>,
}

fn next_of(conn: &mut Conn, session: &Session) -> StoreResult<Option<Next>> {
    let next = store::next_after(conn, session)?;
    let begin = |next: Session| {
        let last = session.last_register();
        let goes_on = |begin: &WattHours| *begin > WattHours::ZERO && last.is_none_or(|last| *begin >= last);
        let register = next.meter_start.filter(goes_on);
        next.started_at.map(|at| Next { at, register })
    };
    Ok(next.and_then(begin))
}

/// The end of a session by its meter; the instant of it in our clock. What the next session at its connector began with is the
/// most that it can have reached, also where its end is reported with the register and the time of now.
pub(super) fn stop(
    conn: &mut Conn,
    session: &mut Session,
    mark: Mark,
    register: Option<WattHours>,
) -> StoreResult<Timestamp> {
    let mut as_sent = session.clone();
    let at = metering::stop(conn, &mut as_sent, mark, register)?;
    let Some(next) = next_of(conn, session)? else {
        *session = as_sent;
        return Ok(at);
    };
    let most = next.register.zip(session.meter_start);
    let most = most.map(|(end, begin)| session.energy.max(end - begin));
    let is_beyond = most.is_some_and(|most| as_sent.energy > most);
    if !is_beyond && at <= next.at {
        *session = as_sent;
        return Ok(at);
    }
    let register = if is_beyond { next.register } else { register };
    let at = metering::stop(conn, session, mark.no_later_than(next.at), register)?;
    Ok(at.min(next.at))
}

/// Takes what was reported late into a session that was taken to be over: it ended when that was measured at the earliest, and before
/// the next session began at its connector. Not stored yet.
pub(super) fn take_in(conn: &mut Conn, moment: &Moment, session: &mut Session, samples: &[Sample]) -> StoreResult<()> {
    let next = next_of(conn, session)?;
    let is_beyond = |sample: &Sample| {
        next.as_ref().is_some_and(|next| {
            let register = sample.reading.energy.zip(next.register);
            sample.at > next.at || register.is_some_and(|(reported, begin)| reported > begin)
        })
    };
    let own = samples.iter().cloned().map(|mut sample| {
        if is_beyond(&sample) {
            sample.reading = Reading::default(); // what is signed is kept all the same
        }
        sample
    });
    let own: Vec<Sample> = own.collect();
    let connector = session.connector_id;
    readings::take_in(conn, moment, session, connector, (&own, Attribution::Named))?;
    let last = session.last_sign();
    let last = next.map_or(last, |next| last.min(next.at));
    session.ended_at = session.ended_at.max(Some(last));
    session.power = Some(Watts::ZERO);
    session.charging_state = Some(ChargingState::Idle);
    Ok(())
}

/// Corrects a session that was taken to be over by readings that were reported late; stores and reports it.
pub(super) fn correct(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    samples: &[Sample],
) -> StoreResult<Session> {
    let before = session.settled();
    take_in(conn, moment, &mut session, samples)?;
    let until = session.ended_at.unwrap_or(moment.now);
    cost::compute(conn, &mut session, until)?;
    let is_corrected = session.keep_correction(before, REPORTED_LATE, moment.now);
    if is_corrected {
        session.updated_at = moment.version_after(session.updated_at);
    }
    store::update(conn, &session)?;
    if is_corrected {
        record(conn, moment, &session, EventKind::SessionCorrected)?;
    }
    Ok(session)
}
