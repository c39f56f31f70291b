//! How a connector is doing: reported as such, or as an event of the device model.

use crate::charging::sessions::{self, ChargingState as State};
use crate::gateway::answer::status::{self, Report};
use crate::gateway::answer::{Call, Handled, newcomers, notices};
use crate::gateway::station_connection::Effect;
use crate::sites::stations::{Connector, ConnectorStatus as Known, Spot};
use crate::store::{Conn, StoreResult};
use kernel::Timestamp;
use kernel::spelled::Spelled;
use ocpp::CallError;
use ocpp::v2::*;

pub(super) async fn status_notification(
    call: Call<'_>,
    request: status_notification::Request,
) -> Handled<status_notification::Response> {
    let place = (request.evse_id, request.connector_id);
    let effects = record(call, place, request.connector_status.as_str(), request.timestamp);
    Ok((status_notification::Response {}, effects.await?))
}

/// Events are kept, and those about the state of a connector say how it is doing.
pub(super) async fn notify_event(call: Call<'_>, request: notify_event::Request) -> Handled<notify_event::Response> {
    notices::record(call, "NotifyEvent").await?;
    let mut effects = Vec::new();
    for event in request.event_data {
        let evse = event.component.evse.filter(|_| event.component.name.as_str() == "Connector");
        if event.variable.name.as_str() == "AvailabilityState"
            && let Some(evse) = evse
        {
            let place = (evse.id, evse.connector_id.unwrap_or(1));
            let notified = record(call, place, event.actual_value.as_str(), event.timestamp);
            effects.extend(notified.await?);
        }
    }
    Ok((notify_event::Response {}, effects))
}

async fn record(
    call: Call<'_>,
    (evse, connector): (u32, u32),
    word: &str,
    at: Timestamp,
) -> Result<Vec<Effect>, CallError> {
    if evse == 0 || connector == 0 {
        return Ok(Vec::new()); // the station or an EVSE as a whole is never a car
    }
    let Some(status) = Known::from_spelling(word) else {
        let deviation = format!("status {word} is unknown");
        call.connection.note(call.gateway, vec![deviation]).await;
        return Ok(Vec::new());
    };
    let at = call.believed(at);
    let report = move |conn: &mut Conn, connector: &Connector| -> StoreResult<Report> {
        let status = match status {
            Known::Preparing => occupied(conn, connector)?,
            other => other,
        };
        Ok(Report {
            status,
            error: None,
            at,
            // "Occupied" does not say by what.
            is_idle: status == Known::Available,
        })
    };
    let find = move |layout: &crate::sites::stations::Layout| layout.of_evse(evse, Some(connector));
    let mut effects = newcomers::welcome(call, Spot::Evse(evse, Some(connector))).await?;
    let notified = status::record(call, find, report).await?;
    if notified.is_none() {
        call.note_unknown(format_args!("connector {connector} of EVSE {evse}")).await;
        // "Occupied" may be a car that charges.
        let doing = match status {
            Known::Preparing => Known::Charging,
            other => other,
        };
        effects.extend(status::stray(evse, doing));
    }
    effects.extend(notified.unwrap_or_default());
    Ok(effects)
}

/// "Occupied" says less than what its transaction reported.
fn occupied(conn: &mut Conn, connector: &Connector) -> StoreResult<Known> {
    let session = sessions::open_session_on(conn, connector.id)?;
    Ok(match session {
        Some(session) => of_state(session.charging_state.unwrap_or(State::Connected)),
        None if connector.status == Known::Finishing => Known::Finishing,
        None => Known::Preparing,
    })
}

/// The status of a connector whose car does this.
pub(super) const fn of_state(state: State) -> Known {
    match state {
        State::Charging => Known::Charging,
        State::SuspendedEvse => Known::SuspendedEvse,
        State::SuspendedEv => Known::SuspendedEv,
        State::Connected | State::Idle => Known::Preparing,
    }
}
