//! A station's password is changed over its own connection (1.6 security whitepaper and OCPP 2, use case A01).
//!
//! The new one is pending before the station is asked, so that it may come with it at once; both are right until it does. A
//! refusal takes the new one back. Silence does not: the station may have it all the same, and then comes with it.

use serde_json::json;

use crate::control::actions::{NewAction, Performer};
use crate::events::ActionKind;
use crate::http::{ApiError, ApiResult, Code};
use crate::sites::stations::link::{LinkError, StationCommand};
use crate::sites::stations::{self, SecurityType, Station};
use kernel::Protocol;

/// Bytes of a password that every station of OCPP 1.6 takes: 40 hexadecimal digits.
const LONGEST_1_6: usize = 20;

/// Sends a station a password, one drawn by chance where none is wanted; answers it in the clear.
pub(super) async fn change(performer: &Performer, station: &Station, wanted: Option<String>) -> ApiResult<String> {
    check(performer, station, wanted.as_deref())?;
    let owner = (station.organization_id, station.id);
    let proposed = performer.db().write(move |conn| stations::propose_password(conn, owner, wanted.clone()));
    let (password, hash) = proposed.await?;
    let action = NewAction {
        organization: station.organization_id,
        station: station.id,
        connector: None,
        session: None,
        kind: ActionKind::StationChangePassword,
        data: json!({}), // the password is in the answer to the caller and nowhere else
    };
    let command = command(station.protocol, &password);
    let why: ApiError = match performer.attempt(action, command).await {
        Ok((_, Ok(outcome))) if outcome.accepted => return Ok(password),
        Ok((_, Ok(outcome))) => {
            let status = outcome.status.as_deref().unwrap_or("no");
            let message = format!("The station answered {status}; its password stays as it is");
            ApiError::new(Code::CommandFailed, message)
        }
        Ok((_, Err(error @ (LinkError::Silent | LinkError::Dropped)))) => return Err(error.into()),
        Ok((_, Err(error))) => error.into(),
        Err(error) => error,
    };
    let withdrawn = performer.db().write(move |conn| stations::withdraw_password(conn, owner, &hash));
    withdrawn.await?;
    Err(why)
}

fn check(performer: &Performer, station: &Station, wanted: Option<&str>) -> ApiResult<()> {
    if station.security_type == SecurityType::ClientCertificate {
        return Err(ApiError::conflict("The charge station proves itself by a certificate and has no password"));
    }
    let is_long = wanted.is_some_and(|password| password.len() > LONGEST_1_6);
    if is_long && station.protocol == Protocol::V16 {
        let message = format!("must have at most {LONGEST_1_6} bytes: the station speaks ocpp1.6");
        return Err(ApiError::field("password", "invalid", message));
    }
    if !performer.is_online(station.id) {
        return Err(LinkError::Offline.into());
    }
    Ok(())
}

/// OCPP 1.6 wants the bytes of the password in hexadecimal digits.
fn command(protocol: Protocol, password: &str) -> StationCommand {
    let (key, value) = match protocol {
        Protocol::V16 => ("AuthorizationKey", hex::encode(password)),
        Protocol::V201 | Protocol::V21 => ("SecurityCtrlr.BasicAuthPassword", password.to_owned()),
    };
    StationCommand::ChangeConfiguration { key: key.to_owned(), value }
}
