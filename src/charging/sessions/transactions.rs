//! Starts of transactions, exactly once: a start is found by its natural key, however often and however late a station reports
//! it.

use std::time::Duration;

use super::cost;
use super::ending::assume_over;
use super::energy::believed;
use super::metering::{self, Beginning};
use super::model::{ChargingState, Session, SessionStatus};
use super::repetition::{is_repeated_start, own_time, start_key, start_key_ends};
use super::store::{self, record};
use crate::events::EventKind;
use crate::home::priority_charges;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// A station says that a transaction started.
#[derive(Debug, Clone)]
pub struct StartReport {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector; none when the station reported a number that it does not have.
    pub connector: Option<ConnectorId>,
    /// Who was identified; empty where nobody was.
    pub id_tag: String,
    /// Their token, where it is known.
    pub token: Option<TokenId>,
    /// The driver, where known.
    pub user: Option<UserId>,
    /// The meter at its start; none where the station sent no number.
    pub meter_start: Option<WattHours>,
    /// When it started, as far as the station is believed.
    pub at: Timestamp,
    /// The same by the station's own clock; none where it sent no time.
    pub station_time: Option<Timestamp>,
    /// Whether it costs nothing, because the card is unknown and may vend freely.
    pub is_free: bool,
}

/// What became of a start.
#[derive(Debug, Clone)]
pub struct Started {
    /// The session.
    pub session: Session,
    /// The number the station is given.
    pub transaction_id: i64,
    /// Whether this start was received before.
    pub repeated: bool,
}

/// How long a start without a time counts as the same one while its session runs: stations repeat what was not answered
/// within minutes.
const SAME_START_WITHIN: Duration = Duration::from_secs(900);

/// How long a start with another time may be the one of a session of which nothing else was received: what was not answered is
/// repeated within minutes, by some stations with the time of the repetition.
const SAME_CAR_WITHIN: Duration = Duration::from_secs(300);

/// The session of a start that was received before. One in the words of a start before it that is another one takes over its key.
fn received_before(conn: &mut Conn, report: &StartReport, now: Timestamp) -> StoreResult<Option<Session>> {
    let Some(station_time) = report.station_time else {
        return received_without_time(conn, report, now);
    };
    let key = start_key(report, now);
    if let Some(session) = store::find_by_start_key(conn, &key)? {
        let times = (station_time, own_time(session.stop_key.as_deref()));
        if is_repeated_start(conn, now, &session, times)? {
            return Ok(Some(session));
        }
        store::release_start_key(conn, session)?;
    }
    let is_same = |session: &Session| {
        let begun = session.begun_at;
        let began = own_time(session.start_key.as_deref());
        let tag = session.id_tag.as_deref();
        session.connector_id.is_some()
            && session.connector_id == report.connector
            && session.meter_start == report.meter_start
            && session.latest_at.is_none()
            && tag.is_some_and(|tag| tag.eq_ignore_ascii_case(&report.id_tag))
            && began.is_some_and(|began| began <= station_time)
            && begun.is_some_and(|begun| now.since(begun) < SAME_CAR_WITHIN)
    };
    let running = store::running_at(conn, report.station)?;
    Ok(running.into_iter().find(is_same))
}

/// The running session of a start without a time that was received before.
fn received_without_time(conn: &mut Conn, report: &StartReport, now: Timestamp) -> StoreResult<Option<Session>> {
    let (begin, end) = start_key_ends(report);
    let begin = format!("{begin}?");
    let is_same = |session: &Session| {
        let lately = session.begun_at.is_some_and(|begun| now.since(begun) < SAME_START_WITHIN);
        let key = session.start_key.as_deref().unwrap_or_default();
        lately && key.starts_with(&begin) && key.ends_with(&end)
    };
    let running = store::running_at(conn, report.station)?;
    Ok(running.into_iter().find(is_same))
}

/// How long a session that was created by API waits for its start.
pub(super) const START_WITHIN: Duration = Duration::from_secs(120);

/// Records a start and answers the transaction's number: the same one for the same start.
pub fn start_transaction(conn: &mut Conn, moment: &Moment, report: &StartReport) -> StoreResult<Started> {
    if let Some(session) = received_before(conn, report, moment.now)? {
        let transaction_id = session.transaction_id.unwrap_or_default();
        return Ok(Started { session, transaction_id, repeated: true });
    }
    let place = (report.organization, report.station, report.connector);
    let at = believed(report.at, moment.now);
    let awaits = |open: &Session| open.was_asked_for_with(&report.id_tag);
    let (mut session, is_new) = awaited_or_new(conn, moment, (place, at), awaits, |_| true)?;
    let transaction_id = store::next_transaction_id(conn)?;
    session.status = SessionStatus::Started;
    session.transaction_id = Some(transaction_id);
    session.start_key = Some(start_key(report, moment.now));
    session.id_tag = Some(report.id_tag.clone());
    session.token_id = report.token;
    session.user_id = session.user_id.or(report.user);
    let beginning = Beginning {
        station_time: report.station_time.unwrap_or(report.at),
        received: moment.now,
        at,
        register: report.meter_start,
    };
    metering::begin(conn, &mut session, &beginning)?;
    session.begun_at = Some(moment.now);
    session.enter(ChargingState::Connected, at);
    session.updated_at = moment.version_after(session.updated_at);
    let frozen = match report.is_free {
        true => {
            session.make_free();
            None
        }
        false => cost::price(conn, &mut session)?,
    };
    match is_new {
        true => store::insert(conn, &session)?,
        false => store::update(conn, &session)?,
    }
    frozen.map_or(Ok(()), |frozen| frozen.store(conn))?;
    record(conn, moment, &session, EventKind::SessionStarted)?;
    priority_charges::session_started(conn, moment, session.chargestation_id, session.id)?;
    Ok(Started { session, transaction_id, repeated: false })
}

/// Where a transaction runs.
pub(super) type StationPlace = (OrganizationId, StationId, Option<ConnectorId>);

/// The session that was created by API and `awaits` what starts now at a connector, or a new one, and whether it is
/// new. Those that run there and that it `ends` are over.
pub(super) fn awaited_or_new(
    conn: &mut Conn,
    moment: &Moment,
    ((organization, station, connector), at): (StationPlace, Timestamp),
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
                assume_over(conn, moment, open, at, "another transaction started")?;
            }
        }
    }
    let is_new = awaited.is_none();
    let session = awaited.unwrap_or_else(|| Session::blank(organization, station, connector, moment));
    Ok((session, is_new))
}

/// What a station reports of who charges where.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The station.
    pub station: StationId,
    /// The connector, where it is known.
    pub connector: Option<ConnectorId>,
    /// Who was identified.
    pub id_tag: &'a str,
    /// The number of a request, where the station names one.
    pub request: Option<i64>,
}

/// Whether the station was asked to start with this tag there, or by the request that it names.
pub fn expects(conn: &mut Conn, asked: Asked<'_>) -> StoreResult<bool> {
    let open = store::open_at(conn, asked.station)?;
    Ok(open.iter().any(|session| {
        let by_number = asked.request.is_some() && session.start_request == asked.request;
        let is_there = asked.connector.is_none() || session.connector_id == asked.connector;
        session.was_asked_for_with(asked.id_tag) && (by_number || is_there)
    }))
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
        record(conn, moment, &session, EventKind::SessionEvCharged)?;
    }
    Ok(())
}
