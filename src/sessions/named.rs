//! Transactions that stations name themselves and tell event by event, each with a number: recorded once each, in
//! whatever order and however late they come.
//!
//! Any event may be the first that is heard of a transaction. One that is older than what is known adds its readings,
//! and a late start adds the beginning; neither turns anything back.

use diesel::prelude::*;
use serde_json::Value;

use super::energy::believed;
use super::metering::{self, Attribution, Beginning};
use super::model::{ChargingState, Session, SessionStatus};
use super::readings::{self, Sample};
use super::transactions::{awaited_or_new, conclude, tell};
use super::{cost, store};
use crate::db::schema::transaction_events as events;
use crate::db::{Conn, Json, StoreResult};
use crate::each;
use crate::events::EventKind;
use crate::kernel::*;

/// Which part of a transaction an event tells.
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
    const fn name(self) -> &'static str {
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
    /// What was held to the reader.
    pub id_tag: String,
    /// Their token, where it is known.
    pub token: Option<TokenId>,
    /// The driver, where known.
    pub user: Option<UserId>,
}

/// An event of a transaction.
#[derive(Debug, Clone)]
pub struct TransactionEvent {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector, where it was told and is known.
    pub connector: Option<ConnectorId>,
    /// The station's name of the transaction.
    pub name: String,
    /// Which part of the transaction it tells.
    pub stage: Stage,
    /// Its number within the transaction.
    pub seq_no: i64,
    /// Why it was sent, in OCPP's words.
    pub trigger: String,
    /// Whether the station was offline when it happened.
    pub offline: bool,
    /// When it happened, put into our clock.
    pub at: Timestamp,
    /// The time that the station told.
    pub told_at: Timestamp,
    /// The number by which the station was asked to start it, if it was.
    pub start_request: Option<i64>,
    /// Who was identified, if anybody was.
    pub driver: Option<Driver>,
    /// What the car is doing, where it was told.
    pub state: Option<ChargingState>,
    /// Why the transaction stopped, in OCPP's words.
    pub stop_reason: Option<String>,
    /// Readings that came with it.
    pub samples: Vec<Sample>,
    /// The whole message.
    pub raw: String,
}

/// What became of an event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The session as it is now.
    pub session: Session,
    /// Whether this event was told before.
    pub repeated: bool,
    /// Whether nothing later was told before: it says how things are.
    pub is_news: bool,
    /// Whether it began the session.
    pub began: bool,
    /// Whether it ended the session.
    pub ended: bool,
}

#[derive(Insertable)]
#[diesel(table_name = events)]
struct Row<'a> {
    session_id: SessionId,
    seq_no: i64,
    stage: &'static str,
    trigger_reason: &'a str,
    at: Timestamp,
    received_at: Timestamp,
    offline: bool,
    raw: &'a str,
}

/// The session of the transaction that this station gave a name.
pub fn find_by_transaction_name(
    conn: &mut Conn,
    station: StationId,
    name: &str,
) -> StoreResult<Option<Session>> {
    use crate::db::schema::sessions;
    let found = sessions::table
        .filter(sessions::chargestation_id.eq(station))
        .filter(sessions::transaction_name.eq(name))
        .select(Session::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// Records an event.
pub fn record_event(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
) -> StoreResult<Recorded> {
    let known = find_by_transaction_name(conn, event.station, &event.name)?;
    let began = known.is_none();
    let mut session = match known {
        Some(session) => session,
        None => begin(conn, moment, event)?,
    };
    let latest: Option<i64> = events::table
        .filter(events::session_id.eq(session.id))
        .select(diesel::dsl::max(events::seq_no))
        .first(conn)?;
    let repeated = insert_event(conn, moment, event, session.id)? == 0;
    let is_news = !repeated && latest.is_none_or(|latest| event.seq_no > latest);
    if repeated {
        return Ok(Recorded {
            session,
            repeated,
            is_news,
            began: false,
            ended: false,
        });
    }

    let is_billed = !session.is_open() && !session.is_over_by_assumption();
    if session.connector_id.is_none() {
        session.connector_id = event.connector;
    }
    if let Some(driver) = &event.driver {
        identify(&mut session, driver);
    }
    let at = believed(event.at, moment.now);
    take_in_readings(conn, moment, event, &mut session)?;
    if event.stage == Stage::Started {
        open_meter(conn, moment, &mut session, event)?;
    }
    let (mut ended, mut is_charged) = (false, false);
    if event.stage == Stage::Ended {
        ended = session.is_open() || session.is_over_by_assumption();
        if ended {
            let register = register(event.samples.iter().rev());
            let when = (event.told_at, moment.now);
            let end = metering::stop(conn, &mut session, when, register)?;
            let reason = event.stop_reason.as_deref().unwrap_or("Local");
            conclude(&mut session, end, reason, moment);
        }
    } else if is_news {
        if session.is_over_by_assumption() {
            reopen(&mut session);
        }
        if let Some(state) = event.state.filter(|_| session.is_open()) {
            is_charged = session.enter(state, at);
        }
    }
    if began {
        cost::freeze(conn, &mut session)?;
    }
    // A bill stays as it is, unless it is the beginning that comes late.
    if !is_billed || event.stage == Stage::Started {
        let until = session.ended_at.or(session.latest_at);
        cost::reckon(conn, &mut session, until.unwrap_or(at))?;
    }
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, &session)?;
    if began {
        tell(conn, moment, &session, EventKind::SessionStarted)?;
    }
    if ended {
        tell(conn, moment, &session, EventKind::SessionEnded)?;
    } else if !began {
        tell(conn, moment, &session, EventKind::SessionUpdated)?;
    }
    if is_charged {
        tell(conn, moment, &session, EventKind::SessionEvCharged)?;
    }
    Ok(Recorded {
        session,
        repeated,
        is_news,
        began,
        ended,
    })
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
    tell(conn, moment, &session, EventKind::SessionUpdated)
}

/// Notes what a car means to draw, in its station's words.
pub fn note_car_schedule(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    schedule: Value,
) -> StoreResult<()> {
    session.car_schedule = Some(Json(schedule));
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionUpdated)
}

/// The session of a transaction that is heard of for the first time, stored.
fn begin(conn: &mut Conn, moment: &Moment, event: &TransactionEvent) -> StoreResult<Session> {
    let place = (event.organization, event.station, event.connector);
    let tag = event.driver.as_ref().map(|driver| driver.id_tag.as_str());
    let awaits = |open: &Session| {
        let asked = event.start_request.is_some() && open.start_request == event.start_request;
        asked || tag.is_some_and(|tag| open.was_asked_for_with(tag))
    };
    // What is told late may be older than what runs there now.
    let earlier = |open: &Session| open.started_at.is_none_or(|start| start <= event.at);
    let at = believed(event.at, moment.now);
    let (mut session, is_new) = awaited_or_new(conn, moment, (place, at), awaits, earlier)?;
    session.status = SessionStatus::Started;
    session.transaction_id = Some(store::next_transaction_id(conn)?);
    session.transaction_name = Some(event.name.clone());
    metering::begin(conn, &mut session, &beginning(moment, event, None))?;
    session.enter(ChargingState::Connected, at);
    if is_new {
        store::insert(conn, &session)?;
    } else {
        store::update(conn, &session)?;
    }
    Ok(session)
}

fn insert_event(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
    session_id: SessionId,
) -> StoreResult<usize> {
    let row = Row {
        session_id,
        seq_no: event.seq_no,
        stage: event.stage.name(),
        trigger_reason: &event.trigger,
        at: event.at,
        received_at: moment.now,
        offline: event.offline,
        raw: &event.raw,
    };
    Ok(each!(conn, |conn| diesel::insert_into(events::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(conn))?)
}

/// The first who is identified is who charges; another card may end a session, but does not take it over.
fn identify(session: &mut Session, driver: &Driver) {
    if session.token_id.is_none() {
        let same = session.id_tag.as_deref();
        if same.is_none_or(|tag| tag.eq_ignore_ascii_case(&driver.id_tag)) {
            session.id_tag = Some(driver.id_tag.clone());
            session.token_id = driver.token;
            session.user_id = session.user_id.or(driver.user);
        }
    }
}

fn take_in_readings(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
    session: &mut Session,
) -> StoreResult<()> {
    if !session.is_open() && !session.is_over_by_assumption() {
        // What was billed stays: these are only kept.
        for sample in &event.samples {
            readings::keep(conn, moment, session.source(session.connector_id), sample)?;
        }
        return Ok(());
    }
    let (connector, told) = (session.connector_id, (&*event.samples, Attribution::Named));
    readings::take_in(conn, moment, session, connector, told)?;
    Ok(())
}

fn register<'a>(mut samples: impl Iterator<Item = &'a Sample>) -> Option<WattHours> {
    samples.find_map(|sample| sample.reading.energy)
}

fn beginning(moment: &Moment, event: &TransactionEvent, register: Option<WattHours>) -> Beginning {
    Beginning {
        told: event.told_at,
        received: moment.now,
        at: believed(event.at, moment.now),
        register,
    }
}

/// The beginning counts from when it happened, also where it is told late.
fn open_meter(
    conn: &mut Conn,
    moment: &Moment,
    session: &mut Session,
    event: &TransactionEvent,
) -> StoreResult<()> {
    let register = register(event.samples.iter());
    metering::begin(conn, session, &beginning(moment, event, register))
}

/// A transaction that goes on was not over.
fn reopen(session: &mut Session) {
    session.status = SessionStatus::Started;
    session.ended_at = None;
    session.stop_reason = None;
    metering::reopen(session);
}
