//! Stops of transactions that have a number: each finds its session by that number or, where it has none of ours, the one
//! session that it can be about; what finds none is kept as an orphan. None is refused and none counts twice.

use std::time::Duration;

use super::again::is_final;
use super::answers::longest_running_at;
use super::corrections::{self, REPORTED_END};
use super::ending::{conclude, reopen};
use super::energy::{Mark, most_power, power_between};
use super::metering::Attribution;
use super::model::{Session, SessionStatus};
use super::readings::{self, Sample};
use super::repetition::{own_time, stop_key};
use super::store::record;
use super::{cost, store};
use crate::events::EventKind;
use crate::store::{Conn, StoreResult};
use crate::{home::priority_charges, people::tokens};
use kernel::*;

/// A station says that a transaction stopped.
#[derive(Debug, Clone)]
pub struct StopReport {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The number the station was given, or what it made up; none where it sent nothing that is a number.
    pub transaction: Option<i64>,
    /// Who stopped it.
    pub id_tag: Option<String>,
    /// The meter at its end; none where the station sent no number.
    pub meter_stop: Option<WattHours>,
    /// When it stopped, as far as the station is believed.
    pub at: Timestamp,
    /// The same by the station's own clock; none where it sent no time.
    pub station_time: Option<Timestamp>,
    /// Why, in OCPP's words, where it was sent.
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
    /// counts where they give no reason.
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
    /// It was received before, or is one too many of those without a start: nothing is kept.
    Repeated,
    /// Its start was never seen; it was kept.
    Orphan,
}

/// A register this much below that of the start still belongs to the same session: meters dip.
const LARGEST_DIP: WattHours = WattHours(1_000);

/// Records a stop.
pub fn stop_transaction(conn: &mut Conn, moment: &Moment, report: &StopReport) -> StoreResult<Stopped> {
    let numbered = match report.transaction.filter(|number| *number > 0) {
        Some(number) => store::find_by_transaction(conn, report.station, number)?,
        None => None,
    };
    if let Some(session) = numbered {
        if session.status != SessionStatus::Ended || session.is_over_by_assumption() {
            return finish(conn, moment, session, report);
        }
        if !is_its_end(&session, report)
            && let Some(next) = the_next_of(conn, &session, report)?
        {
            return finish(conn, moment, next, report);
        }
        return repeated(conn, moment, &session, report);
    }
    let known = store::find_by_stop_key(conn, &stop_key(report))?;
    let open = the_one_open(conn, report, moment.now)?;
    // The same words of the same time are a repetition, unless the clock stood still since.
    let is_timed = known.is_some() && report.station_time.is_some();
    match (open.filter(|open| !is_timed || goes_beyond(open, report)), known) {
        (Some(session), _) => finish(conn, moment, session, report),
        (None, Some(known)) => repeated(conn, moment, &known, report),
        (None, None) if store::is_full_of_orphans(conn, report.station, moment.now)? => {
            tracing::warn!(station = %report.station, "a stop without a start was not kept: there are too many");
            Ok(Stopped::Repeated)
        }
        (None, None) => keep_orphan(conn, moment, report),
    }
}

/// A stop that was received before: what is signed in it, or measured, may not have been.
fn repeated(conn: &mut Conn, moment: &Moment, session: &Session, report: &StopReport) -> StoreResult<Stopped> {
    for sample in &report.samples {
        let source = session.source(session.connector_id);
        readings::keep(conn, moment, source, sample)?;
    }
    Ok(Stopped::Repeated)
}

/// Whether a stop with the number of a session that ended is about that end: by its register or by its time.
fn is_its_end(session: &Session, report: &StopReport) -> bool {
    let at = own_time(session.stop_key.as_deref());
    report.meter_stop.is_none_or(|stop| session.meter_stop == Some(stop))
        || report.station_time.is_none_or(|station_time| at == Some(station_time))
}

/// The running session of the same card and connector that began after one which ended, where a stop with the number of that one
/// can be about it: it is later, and its register is beyond.
fn the_next_of(conn: &mut Conn, over: &Session, report: &StopReport) -> StoreResult<Option<Session>> {
    let card = report.id_tag.as_deref().filter(|tag| !tag.is_empty());
    let card = card.or(over.id_tag.as_deref());
    let mut running = store::running_at(conn, report.station)?;
    running.retain(|session| {
        let begin = session.last_register().zip(session.meter_start);
        let is_beyond = report
            .meter_stop
            .zip(begin)
            .is_some_and(|(stop, (last, begin))| stop > begin && stop + LARGEST_DIP >= last);
        let is_later = report.station_time.is_some() && Some(report.at) > session.started_at;
        let is_there = over.connector_id.is_none() || session.connector_id == over.connector_id;
        is_card_of(session, card) && is_beyond && is_later && is_there
    });
    Ok(running.pop().filter(|_| running.is_empty()))
}

/// Whether a stop in the words of an earlier one is about a session that runs: its time is not before the session's, as the
/// station reports both, and something was drawn.
fn goes_beyond(session: &Session, report: &StopReport) -> bool {
    let began = own_time(session.start_key.as_deref());
    let is_later = began.is_some() && report.station_time >= began;
    is_later && session.meter_start.is_some() && report.meter_stop > session.meter_start
}

/// The running session that a stop without a number of ours must be about: the only one of its card or, where none runs with
/// that, the only one at the station. Nothing where that is ambiguous or contradicts what is known.
fn the_one_open(conn: &mut Conn, report: &StopReport, now: Timestamp) -> StoreResult<Option<Session>> {
    let card = report.id_tag.as_deref().filter(|tag| !tag.is_empty());
    // A number that is none of ours may be that of an earlier transaction; none at all says nothing.
    let is_nameless = report.transaction.is_none_or(|number| number <= 0);
    let (mut of_card, mut others) = (Vec::new(), Vec::new());
    for session in store::running_at(conn, report.station)? {
        let is_same_card = is_card_of(&session, card);
        let is_nobodys = card.is_none() || session.id_tag.as_ref().is_none_or(String::is_empty);
        if !fits(&session, report, is_same_card || is_nobodys) {
            continue;
        }
        if is_same_card {
            of_card.push(session);
        } else if is_nameless || may_stop(conn, &session, card, now)? {
            others.push(session);
        }
    }
    let mut possible = if of_card.is_empty() { others } else { of_card };
    if possible.len() > 1 {
        possible.retain(|session| can_have_reached(session, report.meter_stop, now));
    }
    let one = possible.pop().filter(|_| possible.is_empty());
    Ok(one)
}

fn is_card_of(session: &Session, card: Option<&str>) -> bool {
    let own = session.id_tag.as_deref();
    own.zip(card).is_some_and(|(own, card)| own.eq_ignore_ascii_case(card))
}

/// Whether another card than its own may stop a session: none at all, any where nobody was identified, and one of its group.
fn may_stop(conn: &mut Conn, session: &Session, card: Option<&str>, now: Timestamp) -> StoreResult<bool> {
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

/// Whether time and register of a stop allow that it is about this session. What was reported of before it began is about an
/// earlier one, unless a register beyond its own says that only the clock is wrong, and no other card contradicts.
fn fits(session: &Session, report: &StopReport, may_be_its_card: bool) -> bool {
    let stop = report.meter_stop.filter(|stop| *stop > WattHours::ZERO);
    let is_below = |floor: Option<WattHours>| {
        let both = stop.zip(floor);
        both.is_some_and(|(stop, floor)| stop + LARGEST_DIP < floor)
    };
    let is_before = report.station_time.is_some() && session.started_at.is_some_and(|begin| report.at < begin);
    let is_beyond = session.last_register().zip(stop);
    let is_beyond = is_beyond.is_some_and(|(last, stop)| stop >= last);
    !is_below(session.meter_start) && (!is_before || (may_be_its_card && is_beyond))
}

/// Whether a session can have come to this register: not below its last one, and not beyond what its plug can have given since.
fn can_have_reached(session: &Session, stop: Option<WattHours>, now: Timestamp) -> bool {
    /// Clocks and meters are so far apart.
    const ROOM: Duration = Duration::from_secs(120);
    /// What is so many times beyond what the plug can have given is no value of it; what is less is bounded when it is billed.
    const WILD: i64 = 4;
    let ledger = session.energy_ledger.as_ref();
    let known = stop.filter(|stop| *stop > WattHours::ZERO);
    let known = known.zip(session.last_register()).zip(ledger);
    known.is_none_or(|((stop, last), ledger)| {
        let (since, most) = (session.last_sign() - ROOM, most_power(ledger.0.rating()));
        let most = Watts(most.get().saturating_mul(WILD));
        let drew = power_between((since, last.min(stop)), (now, stop), most);
        stop + LARGEST_DIP >= last && drew.is_some()
    })
}

/// Ends a session as its stop says; one that had ended by assumption is corrected.
fn finish(conn: &mut Conn, moment: &Moment, mut session: Session, report: &StopReport) -> StoreResult<Stopped> {
    let assumed = session.is_over_by_assumption().then(|| session.settled());
    if assumed.is_some() {
        reopen(&mut session);
    }
    match assumed {
        Some(_) => corrections::take_in(conn, moment, &mut session, &report.samples)?,
        None => {
            let (connector, reported) = (session.connector_id, (&*report.samples, Attribution::Named));
            readings::take_in(conn, moment, &mut session, connector, reported)?;
        }
    }
    let station_time = report.station_time.unwrap_or(report.at);
    let mark = Mark::new(report.at, station_time, moment.now);
    let at = corrections::stop(conn, &mut session, mark, report.meter_stop)?;
    let key = stop_key(report);
    if let Some(other) = store::find_by_stop_key(conn, &key)?.filter(|other| other.id != session.id) {
        store::release_stop_key(conn, other)?;
    }
    session.stop_key = Some(key);
    session.meter_stop = report.meter_stop.or_else(|| session.last_register());
    conclude(&mut session, at, report.said_reason(), moment);
    session.restartable = !report.is_wanted();
    let until = session.ended_at.unwrap_or(at);
    cost::compute(conn, &mut session, until)?;
    if let Some(before) = assumed {
        session.keep_correction(before, REPORTED_END, moment.now);
        store::update(conn, &session)?;
        record(conn, moment, &session, EventKind::SessionCorrected)?;
        return Ok(Stopped::Corrected(Box::new(session)));
    }
    store::update(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionEnded)?;
    priority_charges::session_ended(conn, moment, session.chargestation_id, longest_running_at)?;
    Ok(Stopped::Ended(Box::new(session)))
}

fn keep_orphan(conn: &mut Conn, moment: &Moment, report: &StopReport) -> StoreResult<Stopped> {
    let mut session = Session::blank(report.organization, report.station, None, moment);
    session.orphan = true;
    session.stop_key = Some(stop_key(report));
    session.id_tag = report.id_tag.clone();
    session.meter_stop = report.meter_stop;
    session.configurations.0 = serde_json::json!({"reported": report.raw, "transaction_id": report.transaction});
    conclude(&mut session, report.at, report.said_reason(), moment);
    store::insert(conn, &session)?;
    for sample in &report.samples {
        readings::keep(conn, moment, session.source(None), sample)?;
    }
    record(conn, moment, &session, EventKind::SessionEnded)?;
    store::record_orphans_full(conn, moment, &session)?;
    Ok(Stopped::Orphan)
}
