//! Transactions of stations, exactly once: starts and stops are found by their natural keys, however often and however
//! late a station tells them.

use std::time::Duration;

use super::energy::believed;
use super::metering::{self, Attribution, Beginning};
use super::model::{ChargingState, Session, SessionStatus, SessionView};
use super::readings::{self, Sample};
use super::{cost, store};
use crate::db::{Conn, StoreResult};
use crate::events::{self, EventKind};
use crate::kernel::*;
use crate::priority;

/// A station says that a transaction started.
#[derive(Debug, Clone)]
pub struct StartReport {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector; none when the station reported a number that it does not have.
    pub connector: Option<ConnectorId>,
    /// Who was identified.
    pub id_tag: String,
    /// Their token, where it is known.
    pub token: Option<TokenId>,
    /// The driver, where known.
    pub user: Option<UserId>,
    /// The meter at its start.
    pub meter_start: WattHours,
    /// When it started, put into our clock.
    pub at: Timestamp,
    /// The time that the station told.
    pub told_at: Timestamp,
}

/// What became of a start.
#[derive(Debug, Clone)]
pub struct Started {
    /// The session.
    pub session: Session,
    /// The number the station is told.
    pub transaction_id: i64,
    /// Whether this start was told before.
    pub repeated: bool,
}

/// A station says that a transaction stopped.
#[derive(Debug, Clone)]
pub struct StopReport {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The number the station was told, or what it made up.
    pub transaction: i64,
    /// Who stopped it.
    pub id_tag: Option<String>,
    /// The meter at its end.
    pub meter_stop: WattHours,
    /// When it stopped, put into our clock.
    pub at: Timestamp,
    /// The time that the station told.
    pub told_at: Timestamp,
    /// Why, in OCPP's words.
    pub reason: String,
    /// Readings that came with the stop.
    pub samples: Vec<Sample>,
    /// The whole message, kept with an orphan.
    pub raw: String,
}

/// What became of a stop.
#[derive(Debug, Clone)]
pub enum Stopped {
    /// The session ended.
    Ended(Box<Session>),
    /// It was told before.
    Repeated,
    /// Its start was never seen; it was kept.
    Orphan,
}

fn start_key(report: &StartReport) -> String {
    let connector = report
        .connector
        .map_or_else(|| "?".to_owned(), |id| id.to_string());
    format!(
        "{}/{connector}/{}/{}/{}",
        report.station,
        report.meter_start.get(),
        report.at.micros(),
        report.id_tag.to_lowercase()
    )
}

/// How long a session that was created by API waits for its start.
pub const START_WITHIN: Duration = Duration::from_secs(120);

/// Records a start and answers the transaction's number: the same one for the same start.
pub fn start_transaction(
    conn: &mut Conn,
    moment: &Moment,
    report: &StartReport,
) -> StoreResult<Started> {
    let key = start_key(report);
    if let Some(session) = store::find_by_start_key(conn, &key)? {
        let transaction_id = session.transaction_id.unwrap_or_default();
        return Ok(Started {
            session,
            transaction_id,
            repeated: true,
        });
    }
    let place = (report.organization, report.station, report.connector);
    let at = believed(report.at, moment.now);
    let awaits = |open: &Session| open.was_asked_for_with(&report.id_tag);
    let (mut session, is_new) = awaited_or_new(conn, moment, (place, at), awaits, |_| true)?;
    let transaction_id = store::next_transaction_id(conn)?;
    session.status = SessionStatus::Started;
    session.transaction_id = Some(transaction_id);
    session.start_key = Some(key);
    session.id_tag = Some(report.id_tag.clone());
    session.token_id = report.token;
    session.user_id = session.user_id.or(report.user);
    let beginning = Beginning {
        told: report.told_at,
        received: moment.now,
        at,
        register: Some(report.meter_start),
    };
    metering::begin(conn, &mut session, &beginning)?;
    session.enter(ChargingState::Connected, at);
    session.updated_at = moment.version_after(session.updated_at);
    if is_new {
        store::insert(conn, &session)?;
    }
    let changed = cost::freeze(conn, &mut session)?;
    if changed || !is_new {
        store::update(conn, &session)?;
    }
    tell(conn, moment, &session, EventKind::SessionStarted)?;
    priority::session_started(conn, moment, session.chargestation_id, session.id)?;
    Ok(Started {
        session,
        transaction_id,
        repeated: false,
    })
}

/// Where a transaction runs.
pub(super) type Place = (OrganizationId, StationId, Option<ConnectorId>);

/// The session that was created by API and `awaits` what starts now at a connector, or a new one, and whether it is
/// new. Those that run there and that it `ends` are over.
pub(super) fn awaited_or_new(
    conn: &mut Conn,
    moment: &Moment,
    ((organization, station, connector), at): (Place, Timestamp),
    awaits: impl Fn(&Session) -> bool,
    ends: impl Fn(&Session) -> bool,
) -> StoreResult<(Session, bool)> {
    let mut awaited = None;
    for open in store::open_on_connectors(conn, connector.as_slice())? {
        match open.status {
            SessionStatus::Created if awaited.is_none() && awaits(&open) => awaited = Some(open),
            SessionStatus::Created => {}
            _ if !ends(&open) => {}
            _ => {
                let why = "Assumed: another transaction started";
                end(conn, moment, open, at, why)?;
            }
        }
    }
    let is_new = awaited.is_none();
    let session =
        awaited.unwrap_or_else(|| Session::blank(organization, station, connector, moment));
    Ok((session, is_new))
}

/// Whether the station was asked to start with this tag at this connector.
pub fn expects(conn: &mut Conn, connector: Option<ConnectorId>, id_tag: &str) -> StoreResult<bool> {
    let open = store::open_on_connectors(conn, connector.as_slice())?;
    Ok(open
        .iter()
        .any(|session| session.was_asked_for_with(id_tag)))
}

/// Records a stop.
pub fn stop_transaction(
    conn: &mut Conn,
    moment: &Moment,
    report: &StopReport,
) -> StoreResult<Stopped> {
    let Some(mut session) = store::find_by_transaction(conn, report.station, report.transaction)?
    else {
        return keep_orphan(conn, moment, report);
    };
    if session.status == SessionStatus::Ended && !session.is_over_by_assumption() {
        return Ok(Stopped::Repeated);
    }
    let (connector, told) = (session.connector_id, (&*report.samples, Attribution::Named));
    readings::take_in(conn, moment, &mut session, connector, told)?;
    let when = (report.told_at, moment.now);
    let at = metering::stop(conn, &mut session, when, Some(report.meter_stop))?;
    conclude(&mut session, at, &report.reason, moment);
    cost::reckon(conn, &mut session, at)?;
    store::update(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionEnded)?;
    priority::session_ended(conn, moment, session.chargestation_id)?;
    Ok(Stopped::Ended(Box::new(session)))
}

fn keep_orphan(conn: &mut Conn, moment: &Moment, report: &StopReport) -> StoreResult<Stopped> {
    let key = format!(
        "{}/{}/{}/{}",
        report.station,
        report.transaction,
        report.meter_stop.get(),
        report.at.micros()
    );
    if store::stop_is_known(conn, &key)? {
        return Ok(Stopped::Repeated);
    }
    let mut session = Session::blank(report.organization, report.station, None, moment);
    session.orphan = true;
    session.stop_key = Some(key);
    session.id_tag = report.id_tag.clone();
    session.meter_stop = Some(report.meter_stop);
    session.configurations.0 =
        serde_json::json!({"reported": report.raw, "transaction_id": report.transaction});
    conclude(&mut session, report.at, &report.reason, moment);
    store::insert(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionEnded)?;
    Ok(Stopped::Orphan)
}

/// Ends a session that must be over: its station booted, its connector is free, or another session started there.
pub fn close_stale(
    conn: &mut Conn,
    moment: &Moment,
    connectors: &[ConnectorId],
    why: &str,
) -> StoreResult<Vec<Session>> {
    let mut closed = Vec::new();
    for open in store::open_on_connectors(conn, connectors)? {
        if open.status == SessionStatus::Started {
            end(
                conn,
                moment,
                open.clone(),
                moment.now,
                &format!("Assumed: {why}"),
            )?;
            closed.push(open);
        }
    }
    Ok(closed)
}

fn end(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    at: Timestamp,
    reason: &str,
) -> StoreResult<()> {
    metering::assume_stop(conn, &mut session)?;
    conclude(&mut session, at, reason, moment);
    cost::reckon(conn, &mut session, at)?;
    store::update(conn, &session)?;
    tell(conn, moment, &session, EventKind::SessionEnded)?;
    priority::session_ended(conn, moment, session.chargestation_id)
}

pub(super) fn conclude(session: &mut Session, at: Timestamp, reason: &str, moment: &Moment) {
    session.status = SessionStatus::Ended;
    session.ended_at = Some(at);
    session.stop_reason = Some(reason.to_owned());
    session.power = Some(Watts::ZERO);
    session.charging_state = Some(ChargingState::Idle);
    session.close_activity(at);
    session.updated_at = moment.version_after(session.updated_at);
}

/// Notes what the car of a session is doing from this instant.
pub fn note_state(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    state: ChargingState,
    at: Timestamp,
) -> StoreResult<()> {
    let is_charged = session.enter(state, at);
    store::update(conn, &session)?;
    if is_charged {
        tell(conn, moment, &session, EventKind::SessionEvCharged)?;
    }
    Ok(())
}

pub(super) fn tell(
    conn: &mut Conn,
    moment: &Moment,
    session: &Session,
    kind: EventKind,
) -> StoreResult<()> {
    events::record(
        conn,
        moment,
        store::session_event(session, kind),
        &SessionView::from(session.clone()),
    )
}
