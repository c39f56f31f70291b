//! How a connector is doing.

use crate::ocpp::answer::status::{self, Report};
use crate::ocpp::answer::{Call, Handled};
use crate::ocpp::v16::status_notification::{Request, Response, Status};
use crate::stations::ConnectorStatus;

pub(super) async fn status_notification(call: Call<'_>, request: Request) -> Handled<Response> {
    let Some(status) = known_status(&request.status) else {
        let flag = format!("status {} is unknown", request.status.as_str());
        call.peer.note(call.gateway, vec![flag]).await;
        return Ok((Response {}, Vec::new()));
    };
    let number = request.connector_id;
    if number == 0 {
        return Ok((Response {}, Vec::new())); // the station as a whole is never a car
    }
    let told = request.timestamp.map(|at| call.believed(at));
    let at = told.unwrap_or(call.now);
    let error = Some(request.error_code.as_str().to_owned()).filter(|code| code != "NoError");
    let report = move |_: &mut _, _: &_| {
        let error = error.clone();
        Ok(Report { status, error, at })
    };
    let told = status::record(call, move |layout| layout.of_number(number), report).await?;
    if told.is_none() {
        call.note_unknown(format_args!("connector {number}")).await;
    }
    let told = told.or_else(|| status::stray(number, status));
    Ok((Response {}, told.into_iter().collect()))
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
