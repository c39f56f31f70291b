//! Starts and stops of transactions. A stop is never answered with an error because of what it says: many stations
//! would repeat it for ever.

use super::identity::id_tag_info;
use super::readings;
use crate::charging::reservations::{self, Beginning};
use crate::charging::sessions::{self, Asked, Begun, Presented, StartReport, Started, StopReport, Stopped};
use crate::gateway::answer::{Call, Handled, newcomers, readings as common};
use crate::gateway::station_connection::Effect;
use crate::people::tokens::{Authorization, AuthorizationStatus};
use crate::sites::stations::link::{SignalKind, StationCommand, Stray};
use crate::sites::stations::{self, Spot};
use crate::store::StoreResult;
use kernel::{Timestamp, WattHours};
use ocpp::v16::{start_transaction as start, stop_transaction as stop};

/// When something happened as far as it is believed, and by the station's own clock, where that was sent. A time that could not
/// be read was replaced by that of the receipt, and is none.
fn when(call: Call<'_>, station_time: Option<Timestamp>) -> (Timestamp, Option<Timestamp>) {
    let station_time = station_time.filter(|at| *at != call.now);
    (station_time.map_or(call.now, |at| call.believed(at)), station_time)
}

pub(super) async fn start_transaction(call: Call<'_>, request: start::Request) -> Handled<start::Response> {
    let (organization, station, moment) = (call.connection.organization, call.connection.station, call.moment());
    let now = call.now;
    let (at, station_time) = when(call, request.timestamp.0);
    let id_tag = request.id_tag.0.map(String::from).unwrap_or_default();
    let (number, reservation_id) = (request.connector_id.0, request.reservation_id);
    let meter_start = request.meter_start.0.map(WattHours);
    let created = match number {
        Some(number) => newcomers::welcome(call, Spot::Number(number)).await?,
        None => Vec::new(),
    };
    let stored =
        call.gateway.context.db.write_to_memory(move |conn| -> StoreResult<(Authorization, Started, Vec<i64>)> {
            let layout = stations::layout(conn, station)?;
            let connector = match number {
                Some(number) => layout.of_number(number),
                None => layout.only().map(|outlet| outlet.connector),
            };
            let asked = Asked { station, connector, id_tag: &id_tag, request: None };
            let presented =
                Presented { organization, station, begins: Some(Begun { at: connector, name: None }), id_tag: &id_tag };
            let mut known = sessions::judge(conn, presented, now)?;
            if sessions::expects(conn, asked)? {
                // We asked the station to start with this tag.
                known.status = AuthorizationStatus::Accepted;
                (known.is_unknown, known.is_free) = (false, false);
            }
            let report = StartReport {
                organization,
                station,
                connector,
                id_tag: id_tag.clone(),
                token: known.token,
                user: known.user,
                meter_start,
                at,
                station_time,
                is_free: known.is_free,
            };
            let started = sessions::start_transaction(conn, &moment, &report)?;
            if !started.repeated {
                let session = Some(started.session.id);
                sessions::record_unknown_card(conn, &moment, presented, &known, session)?;
            }
            let needless = match connector {
                Some(connector) if !started.repeated => {
                    let begun = Beginning {
                        station,
                        connector,
                        reservation_id,
                        id_tag: &id_tag,
                        parent_group: known.parent_group.as_deref(),
                        session: started.session.id,
                    };
                    reservations::take_up(conn, &moment, &begun)?
                }
                _ => Vec::new(),
            };
            Ok((known, started, needless))
        });
    let (known, started, needless) = stored.await?;
    let release = |reservation| Effect::Ask(StationCommand::CancelReservation { reservation });
    let mut effects = created;
    effects.extend(needless.into_iter().map(release));
    if number.is_some() && started.session.connector_id.is_none() {
        let number = number.unwrap_or_default();
        call.note_unknown(format_args!("connector {number}")).await;
    }
    if let (Some(connector), false) = (started.session.connector_id, started.repeated) {
        effects.push(Effect::Notify(SignalKind::SessionStarted(connector, started.session.id)));
    }
    if started.session.connector_id.is_none() && !started.repeated {
        effects.extend(number.map(|number| Effect::Notify(SignalKind::Stray(number, Stray::Occupied))));
    }
    let response = start::Response { id_tag_info: id_tag_info(call, &known), transaction_id: started.transaction_id };
    Ok((response, effects))
}

pub(super) async fn stop_transaction(call: Call<'_>, request: stop::Request) -> Handled<stop::Response> {
    let samples = request.transaction_data.as_deref().map(|values| readings::samples(call, values));
    let id_tag = request.id_tag.card().map(String::from);
    let (at, station_time) = when(call, request.timestamp.0);
    let report = StopReport {
        organization: call.connection.organization,
        station: call.connection.station,
        transaction: request.transaction_id.0,
        id_tag: id_tag.clone(),
        meter_stop: request.meter_stop.0.map(WattHours),
        at,
        station_time,
        reason: request.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        samples: samples.unwrap_or_default(),
        raw: call.payload.get().to_owned(),
    };
    let (moment, now) = (call.moment(), call.now);
    let stored =
        call.gateway.context.db.write_to_memory(move |conn| -> StoreResult<(Option<Authorization>, Stopped)> {
            let known = match &id_tag {
                Some(tag) if !tag.is_empty() => {
                    let presented = Presented {
                        organization: report.organization,
                        station: report.station,
                        begins: None,
                        id_tag: tag,
                    };
                    Some(sessions::judge(conn, presented, now)?)
                }
                _ => None,
            };
            Ok((known, sessions::stop_transaction(conn, &moment, &report)?))
        });
    let (known, stopped) = stored.await?;
    let effects = match stopped {
        Stopped::Ended(session) => {
            common::note_oddities(call, &session).await;
            let notified = session.connector_id.map(|id| Effect::Notify(SignalKind::SessionEnded(id, session.id)));
            notified.into_iter().collect()
        }
        Stopped::Corrected(_) | Stopped::Repeated => Vec::new(),
        Stopped::Orphan => {
            tracing::info!(station = %call.connection.station, "kept a stop whose start was never seen");
            Vec::new()
        }
    };
    let id_tag_info = known.map(|known| id_tag_info(call, &known));
    Ok((stop::Response { id_tag_info }, effects))
}
