//! The auth guard of the stations: an attempt is counted before the store is asked, and its outcome is reported.

use std::net::IpAddr;

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::access::{Admitted, Refusal, Refused, Shown, admit};
use super::attempts::{Attempt, TooOften};
use super::dependencies::GatewayDependencies;
use super::refusal_events;
use super::refusals::{Incident, Seen};
use crate::http::{ApiError, Code};
use crate::sites::stations::{self, Station};
use crate::store::cause::{self, Cause};

/// The station that comes from this address to this endpoint, or the answer that it gets instead.
pub async fn authenticate(
    gateway: &GatewayDependencies,
    request: &HttpRequest,
    (address, endpoint): (IpAddr, &str),
) -> Result<Station, HttpResponse> {
    let shown = Shown::by(request, endpoint);
    let attempt = gateway.attempts.attempt(address, endpoint, &shown);
    let now = gateway.context.clock.now();
    if let Some(often) = gateway.attempts.too_often(&attempt, now) {
        return Err(wait(gateway, &attempt, often));
    }
    let wanted = endpoint.to_owned();
    let read = gateway.context.db.read(move |conn| admit(conn, &wanted, &shown));
    match read.await {
        Ok(Ok(admitted)) => {
            gateway.attempts.succeeded(&attempt);
            take_over(gateway, admitted).await
        }
        Ok(Err(refused)) => Err(refuse(gateway, &attempt, refused)),
        Err(error) => Err(ApiError::from(error).error_response()),
    }
}

/// A station that comes with a password that it was sent has it, so the one before is over.
async fn take_over(gateway: &GatewayDependencies, admitted: Admitted) -> Result<Station, HttpResponse> {
    let Admitted { station, took_over } = admitted;
    let Some(hash) = took_over else {
        return Ok(station);
    };
    let (owner, moment) = ((station.organization_id, station.id), gateway.context.moment());
    let base = gateway.context.websocket_url.clone();
    let stored =
        gateway.context.db.write(move |conn| stations::take_over_password(conn, &moment, owner, hash.clone(), &base));
    cause::with(Cause::Station(owner.1), stored).await.map_err(|error| ApiError::from(error).error_response())
}

fn note(gateway: &GatewayDependencies, attempt: &Attempt, incident: Incident) {
    let seen = Seen { address: attempt.address, endpoint: Some(attempt.endpoint.clone()) };
    refusal_events::note(gateway, incident, seen);
}

/// One that comes too often is not looked at, but counted with those that were. What it named is not noted: it may be the
/// endpoint of a station, which for some is all that they have to know.
fn wait(gateway: &GatewayDependencies, attempt: &Attempt, often: TooOften) -> HttpResponse {
    let unknown = Incident::Unknown(Some(attempt.address));
    let seen = Seen { address: attempt.address, endpoint: None };
    refusal_events::note(gateway, often.owner.map_or(unknown, Incident::Unproven), seen);
    let message = "Too many tries failed at this endpoint or from this address";
    let error = ApiError::new(Code::TooManyRequests, message);
    error.retry_after(often.wait.as_secs() + 1).error_response()
}

fn refuse(gateway: &GatewayDependencies, attempt: &Attempt, refused: Refused) -> HttpResponse {
    let Refused { why, owner } = refused;
    let is_guess = matches!(why, Refusal::Unknown | Refusal::Unproven);
    let now = gateway.context.clock.now();
    gateway.attempts.failed(attempt, owner, is_guess, now);
    let (code, message) = match why {
        Refusal::Unknown => {
            note(gateway, attempt, Incident::Unknown(Some(attempt.address)));
            (Code::NotFound, "There is no charge station with this endpoint")
        }
        Refusal::Inactive => (Code::Forbidden, "The charge station is not active"),
        Refusal::Unencrypted => (Code::Forbidden, "The charge station must connect with TLS (wss)"),
        Refusal::Unproven => {
            if let Some(owner) = owner {
                note(gateway, attempt, Incident::Unproven(owner));
            }
            (Code::Unauthenticated, "Wrong password or certificate")
        }
    };
    let mut response = ApiError::new(code, message).error_response();
    if why == Refusal::Unproven {
        let basic = HeaderValue::from_static("Basic realm=\"ocpp\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}
