//! Stops of transactions that have a number: each finds its session by that number or, where it has none of ours, the one
//! session that it can be about; what finds none is kept as an orphan. None is refused and none counts twice.

use super::again::is_final;
use super::corrections::TOLD_END;
use super::ending::{conclude, reopen};
use super::metering::{self, Attribution};
use super::model::{Session, SessionStatus};
use super::readings::{self, Sample};
use super::transactions::tell;
use super::{cost, store};
use crate::db::{Conn, StoreResult};
use crate::events::EventKind;
use crate::kernel::*;
use crate::{priority, tokens};

/// A station says that a transaction stopped.
#[derive(Debug, Clone)]
pub struct StopReport {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The number the station was told, or what it made up; none where it told nothing that is a number.
    pub transaction: Option<i64>,
    /// Who stopped it.
    pub id_tag: Option<String>,
    /// The meter at its end; none where the station told no number.
    pub meter_stop: Option<WattHours>,
    /// When it stopped, as far as the station is believed.
    pub at: Timestamp,
    /// The same by the station's own clock; none where it told no time.
    pub told_at: Option<Timestamp>,
    /// Why, in OCPP's words, where it was told.
    pub reason: Option<String>,
    /// Readings that came with the stop.
    pub samples: Vec<Sample>,
    /// The whole message, kept with an orphan.
    pub raw: String,
}

impl StopReport {
    /// Its reason; what is left out is Local.
    fn said_reason(&self) -> &str {
        self.reason.as_deref().unwrap_or("Local")
    }

    /// Whether somebody wanted it, or the car is gone. Many stations name the card of the session in every stop, so it only
    /// counts where they tell no reason.
    fn is_wanted(&self) -> bool {
        match self.reason.as_deref() {
            Some(reason) => is_final(reason),
            None => self.id_tag.as_ref().is_some_and(|tag| !tag.is_empty()),
        }
    }
}

/// What became of a stop.
#[derive(Debug, Clone)]
pub enum Stopped {
    /// The session ended.
    Ended(Box<Session>),
    /// It had ended by assumption; now it is known how.
    Corrected(Box<Session>),
    /// It was told before.
    Repeated,
    /// Its start was never seen; it was kept.
    Orphan,
}

/// A register this much below that of the start still belongs to the same session: meters dip.
const LARGEST_DIP: WattHours = WattHours(1_000);

/// Records a stop.
pub fn stop_transaction(
    conn: &mut Conn,
    moment: &Moment,
    report: &StopReport,
) -> StoreResult<Stopped> {
    let numbered = match report.transaction.filter(|number| *number > 0) {
        Some(number) => store::find_by_transaction(conn, report.station, number)?,
        None => None,
    };
    if let Some(session) = numbered {
        let is_over = session.status == SessionStatus::Ended && !session.is_over_by_assumption();
        return match is_over {
            true => Ok(Stopped::Repeated),
            false => finish(conn, moment, session, report),
        };
    }
    let key = stop_key(report);
    let is_known = store::stop_is_known(conn, &key)?;
    if is_known && report.told_at.is_some() {
        return Ok(Stopped::Repeated);
    }
    match the_one_open(conn, report, moment.now)? {
        Some(mut session) => {
            // Without a time the same words may end one session after the other.
            session.stop_key = (!is_known).then_some(key);
            finish(conn, moment, session, report)
        }
        None if is_known => Ok(Stopped::Repeated),
        None => keep_orphan(conn, moment, report, key),
    }
}

/// The natural key of a stop without a number of ours.
fn stop_key(report: &StopReport) -> String {
    let told = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |it| it.to_string());
    format!(
        "{}/{}/{}/{}",
        report.station,
        told(report.transaction),
        told(report.meter_stop.map(WattHours::get)),
        told(report.told_at.map(Timestamp::micros)),
    )
}

/// The running session that a stop without a number of ours must be about: the only one of its card or, where none runs with
/// that, the only one at the station. Nothing where that is ambiguous or contradicts what is known.
fn the_one_open(
    conn: &mut Conn,
    report: &StopReport,
    now: Timestamp,
) -> StoreResult<Option<Session>> {
    let card = report.id_tag.as_deref().filter(|tag| !tag.is_empty());
    // A number that is none of ours may be that of an earlier transaction; none at all says nothing.
    let is_nameless = report.transaction.is_none_or(|number| number <= 0);
    let (mut of_card, mut others) = (Vec::new(), Vec::new());
    for session in store::running_at(conn, report.station)? {
        let is_same_card = is_card_of(&session, card);
        if !fits(&session, report, is_same_card) {
            continue;
        }
        if is_same_card {
            of_card.push(session);
        } else if is_nameless || may_stop(conn, &session, card, now)? {
            others.push(session);
        }
    }
    let mut possible = if of_card.is_empty() { others } else { of_card };
    let one = possible.pop().filter(|_| possible.is_empty());
    Ok(one)
}

fn is_card_of(session: &Session, card: Option<&str>) -> bool {
    let own = session.id_tag.as_deref();
    own.zip(card)
        .is_some_and(|(own, card)| own.eq_ignore_ascii_case(card))
}

/// Whether another card than its own may stop a session: none at all, any where nobody was identified, and one of its group.
fn may_stop(
    conn: &mut Conn,
    session: &Session,
    card: Option<&str>,
    now: Timestamp,
) -> StoreResult<bool> {
    let own = session.id_tag.as_deref().filter(|tag| !tag.is_empty());
    let (Some(card), Some(own)) = (card, own) else {
        return Ok(true);
    };
    let mut group = |tag: &str| -> StoreResult<Option<String>> {
        Ok(tokens::authorize(conn, session.organization_id, tag, now)?.parent_group)
    };
    let (of_card, of_own) = (group(card)?, group(own)?);
    Ok(of_card.is_some() && of_card == of_own)
}

/// Whether time and register of a stop allow that it is about this session. What is told of before it began is about an
/// earlier one, unless the same card and a register beyond its own say that only the clock is wrong.
fn fits(session: &Session, report: &StopReport, is_same_card: bool) -> bool {
    let stop = report.meter_stop.filter(|stop| *stop > WattHours::ZERO);
    let is_below = |floor: Option<WattHours>| {
        let both = stop.zip(floor);
        both.is_some_and(|(stop, floor)| stop + LARGEST_DIP < floor)
    };
    let is_before =
        report.told_at.is_some() && session.started_at.is_some_and(|begin| report.at < begin);
    let is_beyond = session.last_register().zip(stop);
    let is_beyond = is_beyond.is_some_and(|(last, stop)| stop >= last);
    !is_below(session.meter_start) && (!is_before || (is_same_card && is_beyond))
}

/// Ends a session as its stop says; one that had ended by assumption is corrected.
fn finish(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    report: &StopReport,
) -> StoreResult<Stopped> {
    let assumed = session.is_over_by_assumption().then(|| session.settled());
    if assumed.is_some() {
        reopen(&mut session);
    }
    let (connector, told) = (session.connector_id, (&*report.samples, Attribution::Named));
    readings::take_in(conn, moment, &mut session, connector, told)?;
    let when = (report.told_at.unwrap_or(report.at), moment.now);
    let at = metering::stop(conn, &mut session, when, report.meter_stop)?;
    session.meter_stop = report.meter_stop.or_else(|| session.last_register());
    conclude(&mut session, at, report.said_reason(), moment);
    session.restartable = !report.is_wanted();
    let until = session.ended_at.unwrap_or(at);
    cost::reckon(conn, &mut session, until)?;
    if let Some(before) = assumed {
        session.keep_correction(before, TOLD_END, moment.now);
        store::update(conn, &session)?;
        tell(conn, moment, &session, EventKind::SessionCorrected)?;
        return Ok(Stopped::Corrected(Box::new(session)));
    }
    store::update(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionEnded)?;
    priority::session_ended(conn, moment, session.chargestation_id)?;
    Ok(Stopped::Ended(Box::new(session)))
}

fn keep_orphan(
    conn: &mut Conn,
    moment: &Moment,
    report: &StopReport,
    key: String,
) -> StoreResult<Stopped> {
    let mut session = Session::blank(report.organization, report.station, None, moment);
    session.orphan = true;
    session.stop_key = Some(key);
    session.id_tag = report.id_tag.clone();
    session.meter_stop = report.meter_stop;
    session.configurations.0 =
        serde_json::json!({"reported": report.raw, "transaction_id": report.transaction});
    conclude(&mut session, report.at, report.said_reason(), moment);
    store::insert(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionEnded)?;
    Ok(Stopped::Orphan)
}
