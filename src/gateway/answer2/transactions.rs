//! Transactions, reported event by event.

use super::identity::{id_token_info, is_contract, refuse_unverified};
use super::{meter, status};
use crate::charging::reservations::{self, Beginning};
use crate::charging::sessions::{self, Asked, Begun, ChargingState as State, Driver, Presented, Recorded, Stage};
use crate::gateway::answer::status::Report;
use crate::gateway::answer::{Call, Handled, newcomers, readings};
use crate::gateway::station_connection::Effect;
use crate::people::tokens::{self, AuthorizationStatus as Verdict};
use crate::sites::stations::link::{SignalKind, StationCommand};
use crate::sites::stations::{self, ConnectorStatus as Known, Spot};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, Moment, Timestamp};
use ocpp::v2::*;
use ocpp::wire::PresentedCard;

/// What is done with an event in one write.
struct Event {
    place: Option<Evse>,
    reported: sessions::TransactionEvent,
    card: Option<Card>,
    /// What is said of a card that is none, or cannot be read.
    without_card: Option<Verdict>,
    reservation: Option<i64>,
    base: String,
    now: Timestamp,
}

/// What was presented to the reader.
struct Card {
    id: String,
    /// Whether it is the contract of a car.
    by_contract: bool,
}

/// What came of it.
struct Stored {
    verdict: Option<tokens::Authorization>,
    recorded: Recorded,
    connector: Option<ConnectorId>,
    status_changed: bool,
    /// Reservations that are needless now.
    needless: Vec<i64>,
}

pub(super) async fn transaction_event(
    call: Call<'_>,
    request: transaction_event::Request,
) -> Handled<transaction_event::Response> {
    let place = request.evse.clone();
    let mut effects = match &place {
        Some(evse) => newcomers::welcome(call, Spot::Evse(evse.id, evse.connector_id)).await?,
        None => Vec::new(),
    };
    let event = read(call, request);
    let samples = event.reported.samples.clone();
    let is_over = event.reported.stage == Stage::Ended;
    let moment = call.moment();
    let stored = call.gateway.context.db.write_to_memory(move |conn| store(conn, &moment, &event));
    let stored = stored.await?;
    let mut metered = Vec::new();
    match (place, stored.connector) {
        (_, Some(connector)) if !stored.recorded.repeated => {
            metered = readings::metered(call, connector, &samples, is_over);
        }
        (Some(evse), None) => {
            call.note_unknown(format_args!("EVSE {}", evse.id)).await;
            let doing = match is_over {
                true => Known::Finishing,
                false => Known::Charging,
            };
            metered.extend(crate::gateway::answer::status::stray(evse.id, doing));
            metered.extend(meter::stray(call, evse.id, &samples).filter(|_| !is_over));
        }
        _ => {}
    }
    let session = &stored.recorded.session;
    let due = session.amount_due();
    if let Some((transaction, amount)) = session.transaction_id.zip(due) {
        call.state.costs.sent(transaction, amount, call.now);
    }
    let response = transaction_event::Response {
        // I02, I03: what it costs so far, for stations that show it.
        total_cost: due.and_then(|amount| amount.try_into().ok()),
        charging_priority: None,
        id_token_info: stored.verdict.as_ref().map(|known| id_token_info(call, known)),
        transaction_limit: None,
        updated_personal_message: None,
        updated_personal_message_extra: None,
    };
    readings::note_oddities(call, session).await;
    effects.extend(follow_ups(call, stored));
    effects.extend(metered);
    Ok((response, effects))
}

fn read(call: Call<'_>, request: transaction_event::Request) -> Event {
    let transaction = request.transaction_info;
    let values = request.meter_value.unwrap_or_default();
    let without_card = verdict_without_card(&request.id_token);
    let card = request.id_token.card().filter(|_| without_card.is_none());
    // What is missing, or cannot be read, is as in 1.6: it happened when it came. An end without a number is the last event.
    let at = request.timestamp.0.filter(|at| *at != call.now);
    let last = match request.event_type {
        EventType::Ended => u32::MAX,
        EventType::Started | EventType::Updated => 0,
    };
    let trigger = request.trigger_reason.0.as_ref();
    let reported = sessions::TransactionEvent {
        organization: call.connection.organization,
        station: call.connection.station,
        connector: None,
        name: transaction.transaction_id.into(),
        stage: match request.event_type {
            EventType::Started => Stage::Started,
            EventType::Updated => Stage::Updated,
            EventType::Ended => Stage::Ended,
        },
        seq_no: i64::from(request.seq_no.0.unwrap_or(last)),
        trigger: trigger.map_or_else(String::new, |why| why.as_str().to_owned()),
        offline: request.offline.unwrap_or(false),
        at: at.map_or(call.now, |at| call.believed(at)),
        station_time: at.unwrap_or(call.now),
        start_request: transaction.remote_start_id,
        driver: None,
        state: transaction.charging_state.as_ref().and_then(state),
        stop_reason: transaction.stopped_reason.map(|reason| reason.as_str().to_owned()),
        samples: meter::samples(call, &values),
        raw: call.payload.get().to_owned(),
    };
    Event {
        place: request.evse,
        reported,
        card: card.map(|token| Card { by_contract: is_contract(&token), id: token.id_token.into() }),
        without_card,
        reservation: request.reservation_id.map(i64::from),
        base: call.gateway.context.websocket_url.clone(),
        now: call.now,
    }
}

/// What is said where no card can be judged: a start by button needs none (C02.FR.02), and nobody knows one that cannot be
/// read.
fn verdict_without_card(reported: &PresentedCard<IdToken>) -> Option<Verdict> {
    match reported {
        PresentedCard::Nothing => None,
        PresentedCard::Unreadable => Some(Verdict::Invalid),
        PresentedCard::Card(token) if token.r#type == IdTokenKind::NoAuthorization => Some(Verdict::Accepted),
        PresentedCard::Card(token) => token.id_token.as_str().is_empty().then_some(Verdict::Invalid),
    }
}

const fn state(state: &ChargingState) -> Option<State> {
    match state {
        ChargingState::Charging => Some(State::Charging),
        ChargingState::SuspendedEV => Some(State::SuspendedEv),
        ChargingState::SuspendedEVSE => Some(State::SuspendedEvse),
        ChargingState::EVConnected => Some(State::Connected),
        ChargingState::Idle => Some(State::Idle),
        ChargingState::Unknown(_) => None,
    }
}

fn store(conn: &mut Conn, moment: &Moment, event: &Event) -> StoreResult<Stored> {
    let mut reported = event.reported.clone();
    if let Some(evse) = &event.place {
        let layout = stations::layout(conn, reported.station)?;
        reported.connector = layout.of_evse(evse.id, evse.connector_id);
    }
    let verdict = match &event.card {
        Some(card) => Some(judge(conn, &mut reported, card, event.now)?),
        None => event.without_card.map(tokens::Authorization::without_card),
    };
    let recorded = sessions::record_event(conn, moment, &reported)?;
    if let (Some(card), Some(known), false) = (&event.card, &verdict, recorded.repeated) {
        let session = Some(recorded.session.id);
        sessions::record_unknown_card(conn, moment, presented(&reported, card), known, session)?;
    }
    let connector = recorded.session.connector_id;
    let (mut needless, mut status_changed) = (Vec::new(), false);
    if let Some(connector) = connector {
        if (recorded.began && !recorded.session.orphan) || recorded.assigned {
            let begun = Beginning {
                station: reported.station,
                connector,
                reservation_id: event.reservation,
                id_tag: recorded.session.id_tag.as_deref().unwrap_or_default(),
                parent_group: verdict.as_ref().and_then(|known| known.parent_group.as_deref()),
                session: recorded.session.id,
            };
            needless = reservations::take_up(conn, moment, &begun)?;
        }
        let derived = derived_status(&recorded, &reported);
        if let Some(derived) = derived {
            let owner = (reported.organization, reported.station);
            let row = stations::find_connector(conn, reported.organization, connector)?;
            // A plug that was pulled may be reported before the end of its transaction.
            if !(recorded.ended && row.status == Known::Available) && row.status != derived {
                let report = Report { status: derived, error: None, at: reported.at, is_idle: false };
                crate::gateway::answer::status::note(conn, moment, owner, &event.base, &row, report)?;
                status_changed = true;
            }
        }
    }
    Ok(Stored { verdict, recorded, connector, status_changed, needless })
}

/// Whether the card may charge; one that we asked the station to start with may.
fn judge(
    conn: &mut Conn,
    reported: &mut sessions::TransactionEvent,
    card: &Card,
    now: Timestamp,
) -> StoreResult<tokens::Authorization> {
    let mut known = sessions::judge(conn, presented(reported, card), now)?;
    refuse_unverified(card.by_contract, &mut known);
    let asked = Asked {
        station: reported.station,
        connector: reported.connector,
        id_tag: &card.id,
        request: reported.start_request,
    };
    if sessions::expects(conn, asked)? {
        known.status = Verdict::Accepted;
        (known.is_unknown, known.is_free) = (false, false);
    }
    reported.driver =
        Some(Driver { id_tag: card.id.clone(), token: known.token, user: known.user, is_free: known.is_free });
    Ok(known)
}

fn presented<'a>(reported: &'a sessions::TransactionEvent, card: &'a Card) -> Presented<'a> {
    Presented {
        organization: reported.organization,
        station: reported.station,
        begins: (reported.stage != Stage::Ended)
            .then_some(Begun { at: reported.connector, name: Some(reported.name.as_str()) }),
        id_tag: card.id.as_str(),
    }
}

/// How the connector is doing, as far as the event says; nothing where it is about the past.
fn derived_status(recorded: &Recorded, reported: &sessions::TransactionEvent) -> Option<Known> {
    if !recorded.is_news {
        return None;
    }
    if recorded.ended {
        return Some(Known::Finishing);
    }
    let known = recorded.session.charging_state.filter(|_| recorded.assigned);
    reported.state.or(known).filter(|_| recorded.session.is_open()).map(status::of_state)
}

fn follow_ups(call: Call<'_>, stored: Stored) -> Vec<Effect> {
    let Recorded { session, .. } = &stored.recorded;
    let release = |reservation| Effect::Ask(StationCommand::CancelReservation { reservation });
    let mut effects: Vec<Effect> = stored.needless.iter().copied().map(release).collect();
    let Some(connector) = stored.connector else {
        return effects;
    };
    // One that gave way to a later session runs no more.
    let runs = session.is_open() || stored.recorded.ended;
    if runs && ((stored.recorded.began && !session.orphan) || stored.recorded.assigned) {
        effects.push(Effect::Notify(SignalKind::SessionStarted(connector, session.id)));
    }
    if stored.status_changed {
        effects.push(Effect::Notify(SignalKind::Status(connector)));
    }
    if stored.recorded.ended {
        effects.push(Effect::Notify(SignalKind::SessionEnded(connector, session.id)));
    } else if stored.recorded.is_news {
        effects.extend(readings::stop_at_target(call, session));
    }
    effects
}
