//! Transactions of OCPP 2, which stations name themselves and report event by event, each with a number: recorded once each, in
//! whatever order and however late they come.
//!
//! Any event may be the first that is heard of a transaction. One that is older than what is known adds its readings,
//! and a late start adds the beginning; neither turns anything back.

use std::sync::Arc;

use serde_json::Value;

use super::again::is_final;
use super::answers::longest_running_at;
use super::corrections::{REPORTED_END, REPORTED_LATE, revive};
use super::ending::{assume_over, conclude, reopen};
use super::energy::{Mark, believed};
use super::metering::{self, Beginning};
use super::model::{ChargingState, Session, SessionStatus};
use super::placing::{self, Found, assign_connector};
use super::readings::Sample;
use super::received_events::{self, ReceivedEvents};
use super::store::record;
use super::transactions::awaited_or_new;
use super::{corrections, cost, store};
use crate::events::EventKind;
use crate::home::priority_charges;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// Which part of a transaction an event reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its beginning.
    Started,
    /// Something in between.
    Updated,
    /// Its end.
    Ended,
}

impl Stage {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Updated => "updated",
            Self::Ended => "ended",
        }
    }
}

/// Who charges.
#[derive(Debug, Clone)]
pub struct Driver {
    /// What was presented to the reader.
    pub id_tag: String,
    /// Their token, where it is known.
    pub token: Option<TokenId>,
    /// The driver, where known.
    pub user: Option<UserId>,
    /// Whether what is charged costs nothing, because the card is unknown and may vend freely.
    pub is_free: bool,
}

/// An event of a transaction.
#[derive(Debug, Clone)]
pub struct TransactionEvent {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector, where it was sent and is known.
    pub connector: Option<ConnectorId>,
    /// The station's name of the transaction.
    pub name: String,
    /// Which part of the transaction it reports.
    pub stage: Stage,
    /// Its number within the transaction.
    pub seq_no: i64,
    /// Why it was sent, in OCPP's words.
    pub trigger: String,
    /// Whether the station was offline when it happened.
    pub offline: bool,
    /// When it happened, as far as the station is believed.
    pub at: Timestamp,
    /// The same by the station's own clock.
    pub station_time: Timestamp,
    /// The number by which the station was asked to start it, if it was.
    pub start_request: Option<i64>,
    /// Who was identified, if anybody was.
    pub driver: Option<Driver>,
    /// What the car is doing, where it was sent.
    pub state: Option<ChargingState>,
    /// Why the transaction stopped, in OCPP's words.
    pub stop_reason: Option<String>,
    /// Readings that came with it.
    pub samples: Vec<Sample>,
    /// The whole message.
    pub raw: String,
}

impl TransactionEvent {
    /// Whether an end that it reports was wanted by somebody, or the car is gone.
    fn is_wanted_end(&self) -> bool {
        let mut words = self.stop_reason.iter().chain([&self.trigger]);
        self.driver.is_some() || words.any(|word| is_final(word))
    }
}

/// What became of an event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The session as it is now.
    pub session: Session,
    /// Whether this event was received before.
    pub repeated: bool,
    /// Whether nothing later was received before: it says how things are.
    pub is_news: bool,
    /// Whether it began the session.
    pub began: bool,
    /// Whether it said for the first time at which connector the session is.
    pub assigned: bool,
    /// Whether it ended the session.
    pub ended: bool,
}

/// Records an event.
pub fn record_event(conn: &mut Conn, moment: &Moment, event: &TransactionEvent) -> StoreResult<Recorded> {
    let known = store::find_by_transaction_name(conn, event.station, &event.name)?;
    let mut seen = ReceivedEvents::default();
    let mut known = match known {
        Some(session) => {
            if received_events::was_received(conn, moment, &session, event)? {
                return Ok(Recorded::repeated(session));
            }
            seen = ReceivedEvents::of(conn, session.id)?;
            Some(session)
        }
        None => None,
    };
    if let Some(earlier) = known.take_if(|session| seen.is_of_another(session, event, moment.now)) {
        seen = ReceivedEvents::default();
        if earlier.is_open() {
            let why = "another transaction of the same name started";
            assume_over(conn, moment, earlier, event.at, why)?;
        }
    }
    let began = known.is_none();
    let is_orphan = began && event.stage == Stage::Ended;
    if is_orphan && store::is_full_of_orphans(conn, event.station, moment.now)? {
        tracing::warn!(station = %event.station, "an end without a start was not kept: there are too many");
        let (organization, station) = (event.organization, event.station);
        let session = Session::blank(organization, station, None, moment);
        return Ok(Recorded::repeated(session));
    }
    let mut session = match known {
        Some(session) => session,
        None => begin(conn, moment, event)?,
    };
    let (reports, activities) = (session.reports, session.charging_activity.0.len());
    let mut changes_row = began || event.stage != Stage::Updated || event.driver.is_some() || !session.is_open();
    let is_news = seen.is_news(event);
    received_events::keep(conn, moment, event, (session.id, seen))?;
    let settled = (session.status == SessionStatus::Ended).then(|| session.settled());

    let is_billed = !session.is_open() && !session.is_over_by_assumption();
    let mut assigned = false;
    if let (None, Some(connector)) = (session.connector_id, event.connector) {
        let found = Found {
            connector,
            start_request: event.start_request,
            id_tag: event.driver.as_ref().map(|driver| driver.id_tag.as_str()),
            at: event.at,
        };
        changes_row = true;
        session = assign_connector(conn, moment, session, &found)?;
        if !is_billed {
            metering::rate(conn, &mut session)?;
        }
        assigned = true;
    }
    if let Some(driver) = &event.driver {
        identify(&mut session, driver);
    }
    let at = believed(event.at, moment.now);
    if event.stage != Stage::Ended && is_news {
        revive(conn, moment, &mut session, at)?;
    }
    placing::take_in_readings(conn, moment, event, &mut session)?;
    if event.stage == Stage::Started {
        if !seen.knows_start() {
            open_meter(conn, moment, &mut session, event)?;
        }
        session.orphan = false;
    }
    let (mut ended, mut is_charged) = (false, false);
    if event.stage == Stage::Ended {
        ended = session.is_open();
        if ended || session.is_over_by_assumption() {
            reopen(&mut session);
            let register = register(event.samples.iter().rev(), "End");
            let mark = Mark::new(event.at, event.station_time, moment.now);
            let end = corrections::stop(conn, &mut session, mark, register)?;
            let reason = event.stop_reason.as_deref().unwrap_or("Local");
            conclude(&mut session, end, reason, moment);
            session.restartable = !event.is_wanted_end();
        }
    } else if is_news && let Some(state) = event.state.filter(|_| session.is_open()) {
        is_charged = session.enter(state, at);
    }
    let is_to_price = (began && session.connector_id.is_some()) || assigned;
    if is_to_price && !session.is_free() {
        cost::freeze(conn, &mut session)?;
    }
    // A bill stays as it is, unless it is the beginning that comes late.
    if !is_billed || event.stage == Stage::Started {
        let until = session.ended_at.or(session.latest_at);
        cost::compute(conn, &mut session, until.unwrap_or(at))?;
    }
    session.updated_at = moment.version_after(session.updated_at);
    let why = match event.stage {
        Stage::Ended => REPORTED_END,
        Stage::Started | Stage::Updated => REPORTED_LATE,
    };
    let corrected = session.status == SessionStatus::Ended
        && settled.is_some_and(|before| session.keep_correction(before, why, moment.now));
    changes_row |= session.charging_activity.0.len() > activities || session.connector_id.is_none();
    match changes_row || session.reports == reports {
        true => store::update(conn, &session)?,
        false => store::save_metrics(conn, &Arc::new(session.clone()))?,
    }
    let mut recorded = Recorded { session, repeated: false, is_news, began, assigned, ended };
    recorded.record_events(conn, moment, corrected, is_charged)?;
    if is_orphan {
        store::record_orphans_full(conn, moment, &recorded.session)?;
    }
    if began || assigned {
        recorded.session = placing::give_way(conn, moment, recorded.session)?;
    }
    Ok(recorded)
}

impl Recorded {
    /// Nothing new.
    const fn repeated(session: Session) -> Self {
        Self { session, repeated: true, is_news: false, began: false, assigned: false, ended: false }
    }

    /// Records what it changed; a session of which only the end is known never started.
    fn record_events(&self, conn: &mut Conn, moment: &Moment, corrected: bool, is_charged: bool) -> StoreResult<()> {
        let session = &self.session;
        let station = session.chargestation_id;
        if self.began && !session.orphan {
            record(conn, moment, session, EventKind::SessionStarted)?;
            priority_charges::session_started(conn, moment, station, session.id)?;
        }
        if corrected {
            record(conn, moment, session, EventKind::SessionCorrected)?;
        } else if self.ended {
            record(conn, moment, session, EventKind::SessionEnded)?;
            priority_charges::session_ended(conn, moment, station, longest_running_at)?;
        } else if !self.began {
            record(conn, moment, session, EventKind::SessionUpdated)?;
        }
        if is_charged {
            record(conn, moment, session, EventKind::SessionEvCharged)?;
        }
        Ok(())
    }
}

/// Notes when a car leaves and how much energy it still needs; what it does not say stays.
pub fn note_needs(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    departure: Option<Timestamp>,
    still_needed: Option<WattHours>,
) -> StoreResult<()> {
    session.departure_at = departure.or(session.departure_at);
    let need = still_needed.map(|energy| session.energy + energy);
    session.energy_need = need.or(session.energy_need);
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionUpdated)
}

/// Notes what a car means to draw, in its station's words.
pub fn note_car_schedule(conn: &mut Conn, moment: &Moment, mut session: Session, schedule: Value) -> StoreResult<()> {
    session.car_schedule = Some(Json(schedule));
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, &session)?;
    record(conn, moment, &session, EventKind::SessionUpdated)
}

/// The session of a transaction that is heard of for the first time, stored.
fn begin(conn: &mut Conn, moment: &Moment, event: &TransactionEvent) -> StoreResult<Session> {
    let asked = match event.start_request {
        Some(request) => store::find_asked(conn, event.station, request)?,
        None => None,
    };
    // A station that was asked to start somewhere does so there, where it does not say otherwise.
    let there = asked.as_ref().and_then(|asked| asked.connector_id);
    let place = (event.organization, event.station, event.connector.or(there));
    let at = believed(event.at, moment.now);
    let tag = event.driver.as_ref().map(|driver| driver.id_tag.as_str());
    let is_end = event.stage == Stage::Ended;
    let awaits = |open: &Session| !is_end && tag.is_some_and(|tag| open.was_asked_for_with(tag));
    // What is reported late may be older than what runs there now; and what is over ends nothing.
    let earlier = |open: &Session| !is_end && open.started_at.is_none_or(|start| start <= at);
    let (found, mut is_new) = awaited_or_new(conn, moment, (place, at), awaits, earlier)?;
    let mut session = match asked {
        Some(asked) => {
            is_new = false;
            asked
        }
        None => found,
    };
    session.connector_id = place.2;
    session.orphan = is_end;
    session.status = SessionStatus::Started;
    session.transaction_id = Some(store::next_transaction_id(conn)?);
    session.transaction_name = Some(event.name.clone());
    metering::begin(conn, &mut session, &beginning(moment, event, None))?;
    session.begun_at = Some(moment.now);
    session.enter(ChargingState::Connected, at);
    if let Some(driver) = &event.driver {
        identify(&mut session, driver);
    }
    if is_new {
        store::insert(conn, &session)?;
    } else {
        store::update(conn, &session)?;
    }
    Ok(session)
}

/// The first who is identified is who charges; another card may end a session, but does not take it over.
fn identify(session: &mut Session, driver: &Driver) {
    if session.token_id.is_none() {
        let same = session.id_tag.as_deref();
        if same.is_none_or(|tag| tag.eq_ignore_ascii_case(&driver.id_tag)) {
            session.id_tag = Some(driver.id_tag.clone());
            session.token_id = driver.token;
            session.user_id = session.user_id.or(driver.user);
            if driver.is_free {
                session.make_free();
            }
        }
    }
}

/// The register at the start or the end: the value that is reported as such, else the first of these samples. One that is
/// aligned to the clock counts only where there is no other: it may be of another register.
fn register<'a>(samples: impl Iterator<Item = &'a Sample>, edge: &str) -> Option<WattHours> {
    let rank = |sample: &Sample| match &*sample.context {
        context if context == edge => 0,
        "Clock" => 2,
        _ => 1,
    };
    let registers = samples.filter_map(|sample| Some((rank(sample), sample.reading.energy?)));
    registers.min_by_key(|(rank, _)| *rank).map(|(_, register)| register)
}

fn beginning(moment: &Moment, event: &TransactionEvent, register: Option<WattHours>) -> Beginning {
    Beginning { station_time: event.station_time, received: moment.now, at: believed(event.at, moment.now), register }
}

/// The beginning counts from when it happened, also where it is reported late.
fn open_meter(conn: &mut Conn, moment: &Moment, session: &mut Session, event: &TransactionEvent) -> StoreResult<()> {
    let register = register(event.samples.iter(), "Begin");
    metering::begin(conn, session, &beginning(moment, event, register))
}
