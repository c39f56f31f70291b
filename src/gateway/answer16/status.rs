//! How a connector is doing.

use crate::gateway::answer::status::{self, Report};
use crate::gateway::answer::{Call, Handled, newcomers};
use crate::sites::stations::{ConnectorStatus, Spot};
use ocpp::v16::ChargePointStatus;
use ocpp::v16::status_notification::{Request, Response};

pub(super) async fn status_notification(call: Call<'_>, request: Request) -> Handled<Response> {
    let Some(status) = known_status(&request.status) else {
        let deviation = format!("status {} is unknown", request.status.as_str());
        call.connection.note(call.gateway, vec![deviation]).await;
        return Ok((Response {}, Vec::new()));
    };
    let number = request.connector_id;
    if number == 0 {
        return Ok((Response {}, Vec::new())); // the station as a whole is never a car
    }
    let reported = request.timestamp.map(|at| call.believed(at));
    let at = reported.unwrap_or(call.now);
    let error = request.error_code.0.map(|code| code.as_str().to_owned());
    let error = error.filter(|code| code != "NoError" && !code.is_empty());
    let report = move |_: &mut _, _: &_| {
        Ok(Report {
            status,
            error: error.clone(),
            at,
            is_idle: matches!(status, ConnectorStatus::Available | ConnectorStatus::Preparing),
        })
    };
    let mut effects = newcomers::welcome(call, Spot::Number(number)).await?;
    let notified = status::record(call, move |layout| layout.of_number(number), report).await?;
    if notified.is_none() {
        call.note_unknown(format_args!("connector {number}")).await;
    }
    effects.extend(notified.unwrap_or_else(|| status::stray(number, status).into_iter().collect()));
    Ok((Response {}, effects))
}

fn known_status(status: &ChargePointStatus) -> Option<ConnectorStatus> {
    Some(match status {
        ChargePointStatus::Available => ConnectorStatus::Available,
        ChargePointStatus::Preparing => ConnectorStatus::Preparing,
        ChargePointStatus::Charging => ConnectorStatus::Charging,
        ChargePointStatus::SuspendedEvse => ConnectorStatus::SuspendedEvse,
        ChargePointStatus::SuspendedEv => ConnectorStatus::SuspendedEv,
        ChargePointStatus::Finishing => ConnectorStatus::Finishing,
        ChargePointStatus::Reserved => ConnectorStatus::Reserved,
        ChargePointStatus::Unavailable => ConnectorStatus::Unavailable,
        ChargePointStatus::Faulted => ConnectorStatus::Faulted,
        ChargePointStatus::Unknown(text) => return kernel::spelled::Spelled::from_spelling(text),
    })
}
