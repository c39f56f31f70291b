//! How a connector is doing.

use super::{Call, Effect, Handled, connector_of, tell_station};
use crate::db::StoreResult;
use crate::events::EventKind;
use crate::kernel::ConnectorId;
use crate::ocpp::v16::status_notification::{Request, Response, Status};
use crate::sessions::{self, ChargingState};
use crate::stations::link::SignalKind;
use crate::stations::{self, ConnectorStatus};

pub(super) async fn status_notification(call: Call<'_>, request: Request) -> Handled<Response> {
    let Some(status) = known_status(&request.status) else {
        call.peer
            .note(
                call.gateway,
                vec![format!("status {} is unknown", request.status.as_str())],
            )
            .await;
        return Ok((Response {}, Vec::new()));
    };
    if request.connector_id == 0 {
        return Ok((Response {}, Vec::new())); // the station as a whole is never a car
    }
    let at = call.believed(request.timestamp.unwrap_or(call.now));
    let error = Some(request.error_code.as_str().to_owned()).filter(|code| code != "NoError");
    let (organization, station, moment) =
        (call.peer.organization, call.peer.station, call.moment());
    let base = call.gateway.context.websocket_url.clone();
    let number = request.connector_id;
    let stored = call
        .gateway
        .context
        .db
        .write(move |conn| -> StoreResult<Option<ConnectorId>> {
            let Some(connector) = connector_of(conn, station, number)? else {
                return Ok(None);
            };
            stations::set_connector_status(conn, connector.id, status, error.as_deref(), at)?;
            if let Some(state) = charging_state(status)
                && let Some(mut session) = sessions::open_session_on(conn, connector.id)?
            {
                session.enter(state, at);
                sessions::update(conn, &session)?;
            }
            if connector.status != status || connector.error_code != error {
                let kind = EventKind::StationConnectorStatusUpdated;
                tell_station(conn, &moment, (organization, station), kind, &base)?;
            }
            Ok(Some(connector.id))
        });
    let effects = match stored.await? {
        Some(connector) => vec![Effect::Tell(SignalKind::Status(connector))],
        None => {
            call.peer
                .note(
                    call.gateway,
                    vec![format!("reports the unknown connector {number}")],
                )
                .await;
            Vec::new()
        }
    };
    Ok((Response {}, effects))
}

fn known_status(status: &Status) -> Option<ConnectorStatus> {
    Some(match status {
        Status::Available => ConnectorStatus::Available,
        Status::Preparing => ConnectorStatus::Preparing,
        Status::Charging => ConnectorStatus::Charging,
        Status::SuspendedEvse => ConnectorStatus::SuspendedEvse,
        Status::SuspendedEv => ConnectorStatus::SuspendedEv,
        Status::Finishing => ConnectorStatus::Finishing,
        Status::Reserved => ConnectorStatus::Reserved,
        Status::Unavailable => ConnectorStatus::Unavailable,
        Status::Faulted => ConnectorStatus::Faulted,
        Status::Unknown(text) => return crate::kernel::spelled::Spelled::from_spelling(text),
    })
}

fn charging_state(status: ConnectorStatus) -> Option<ChargingState> {
    match status {
        ConnectorStatus::Charging => Some(ChargingState::Charging),
        ConnectorStatus::SuspendedEvse => Some(ChargingState::SuspendedEvse),
        ConnectorStatus::SuspendedEv => Some(ChargingState::SuspendedEv),
        ConnectorStatus::Preparing => Some(ChargingState::Connected),
        _ => None,
    }
}
