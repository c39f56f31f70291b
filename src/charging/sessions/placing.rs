//! A transaction whose connector becomes known after it began, as when the card comes before the cable: it gets its connector,
//! with the wish over the API that it answers and the readings that came before. Of two transactions at one connector the
//! older one is over.

use super::ending::assume_over;
use super::metering::Attribution;
use super::model::{Session, SessionStatus};
use super::ocpp2_transactions::TransactionEvent;
use super::readings::{self, Sample};
use super::store::record;
use super::{corrections, cost, overdue, received_events, store};
use crate::events::EventKind;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// Where readings wait for the connector of their session.
const UNPLACED: &str = "readings_without_connector";
/// Readings that wait at most: a day at one a minute.
const MOST_UNPLACED: usize = 1_440;

/// Where a session was found to be, and what its station said with that.
pub(super) struct Found<'a> {
    pub(super) connector: ConnectorId,
    /// The number by which the station was asked to start it.
    pub(super) start_request: Option<i64>,
    /// Who was identified.
    pub(super) id_tag: Option<&'a str>,
    pub(super) at: Timestamp,
}

/// Puts a running session at its connector: another that runs there is over, the session that was created by API and
/// waits for this one goes on as it, and the readings that came before are recorded. Answers the session as it is now, which
/// is not stored yet.
pub(super) fn assign_connector(
    conn: &mut Conn,
    moment: &Moment,
    mut session: Session,
    place: &Found<'_>,
) -> StoreResult<Session> {
    let connector = place.connector;
    session.connector_id = Some(connector);
    let tag = session.id_tag.clone();
    let awaits = |open: &Session| {
        let asked = place.start_request.is_some() && open.start_request == place.start_request;
        let mut tags = tag.as_deref().into_iter().chain(place.id_tag);
        asked || tags.any(|tag| open.was_asked_for_with(tag))
    };
    let mut wish = None;
    for open in store::open_on_connectors(conn, &[connector])? {
        match open.status {
            SessionStatus::Created if wish.is_none() && awaits(&open) => wish = Some(open),
            SessionStatus::Created => {}
            _ if open.id == session.id || open.started_at > session.started_at => {}
            _ => {
                let at = session.started_at.unwrap_or(place.at);
                assume_over(conn, moment, open, at, "another transaction started")?;
            }
        }
    }
    if let Some(wish) = wish.filter(|_| session.is_open()) {
        session = go_on_as(conn, moment, session, wish)?;
    }
    record_unplaced(conn, moment, &mut session, connector)?;
    Ok(session)
}

/// Ends a session by assumption where a later one runs at its connector: two cannot, and the station reported this one late.
/// What it reports of its end corrects it. Answers the session as it is now.
pub(super) fn give_way(conn: &mut Conn, moment: &Moment, session: Session) -> StoreResult<Session> {
    let there = store::open_on_connectors(conn, session.connector_id.as_slice())?;
    let later = there
        .iter()
        .filter(|open| open.id != session.id && open.status == SessionStatus::Started)
        .filter_map(|open| open.started_at)
        .filter(|start| session.started_at.is_some_and(|own| own < *start))
        .min();
    match later.filter(|_| session.is_open()) {
        Some(at) => assume_over(conn, moment, session, at, "another transaction started"),
        None => Ok(session),
    }
}

/// Puts a session at the connector that readings show which name its transaction, where it had none: it is priced from its
/// beginning.
pub(super) fn assign_connector_by_readings(
    conn: &mut Conn,
    moment: &Moment,
    session: Session,
    connector: ConnectorId,
) -> StoreResult<Session> {
    if session.connector_id.is_some() {
        return Ok(session);
    }
    let found = Found { connector, start_request: None, id_tag: None, at: moment.now };
    let mut session = assign_connector(conn, moment, session, &found)?;
    if !session.is_free() {
        cost::freeze(conn, &mut session)?;
    }
    session.updated_at = moment.version_after(session.updated_at);
    store::update(conn, &session)?;
    Ok(session)
}

/// The wish becomes the session of the transaction, as who asked for it knows it; what was taken for one of its own is none.
fn go_on_as(conn: &mut Conn, moment: &Moment, session: Session, wish: Session) -> StoreResult<Session> {
    let superseded = Session { transaction_id: None, transaction_name: None, ..session.clone() };
    let why = format!("It goes on as session {}", wish.id);
    overdue::cancel(conn, moment, superseded, &why)?;
    received_events::hand_over(conn, session.id, wish.id)?;
    let one = Session {
        id: wish.id,
        user_id: wish.user_id.or(session.user_id),
        id_tag: session.id_tag.or(wish.id_tag),
        type_: wish.type_,
        target: wish.target,
        departure_at: session.departure_at.or(wish.departure_at),
        energy_need: session.energy_need.or(wish.energy_need),
        start_request: wish.start_request,
        meta_data: wish.meta_data,
        created_at: wish.created_at,
        updated_at: moment.version_after(wish.updated_at),
        ..session
    };
    store::update(conn, &one)?;
    record(conn, moment, &one, EventKind::SessionStarted)?;
    Ok(one)
}

fn record_unplaced(conn: &mut Conn, moment: &Moment, session: &mut Session, connector: ConnectorId) -> StoreResult<()> {
    let waiting = match &mut session.configurations {
        Json(serde_json::Value::Object(fields)) => fields.remove(UNPLACED),
        _ => None,
    };
    let samples: Vec<Sample> = waiting.and_then(|waiting| serde_json::from_value(waiting).ok()).unwrap_or_default();
    for sample in &samples {
        readings::keep(conn, moment, session.source(Some(connector)), sample)?;
    }
    Ok(())
}

/// Records the readings that came with an event; those of a session without a connector wait for it.
pub(super) fn take_in_readings(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
    session: &mut Session,
) -> StoreResult<()> {
    if event.samples.is_empty() {
        return Ok(());
    }
    if session.connector_id.is_none() {
        keep_unplaced(session, &event.samples);
    }
    if !session.is_open() && !session.is_over_by_assumption() {
        // What was billed stays: these are only kept.
        for sample in &event.samples {
            readings::keep(conn, moment, session.source(session.connector_id), sample)?;
        }
        return Ok(());
    }
    if session.is_over_by_assumption() {
        return corrections::take_in(conn, moment, session, &event.samples);
    }
    let (connector, reported) = (session.connector_id, (&*event.samples, Attribution::Named));
    readings::take_in(conn, moment, session, connector, reported)?;
    Ok(())
}

fn keep_unplaced(session: &mut Session, samples: &[Sample]) {
    let Json(serde_json::Value::Object(fields)) = &mut session.configurations else {
        return;
    };
    let waiting = fields.entry(UNPLACED).or_insert_with(|| serde_json::Value::Array(Vec::new()));
    if let serde_json::Value::Array(waiting) = waiting {
        let room = MOST_UNPLACED.saturating_sub(waiting.len());
        let reported = samples.iter().take(room);
        waiting.extend(reported.filter_map(|sample| serde_json::to_value(sample).ok()));
    }
}
