//! Commands in the words of OCPP 1.6, and what their answers mean.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::command::*;
use super::ladder::{say_limit, say_schedule};
use crate::sites::stations::link::*;
use kernel::Protocol;
use kernel::Timestamp;
use ocpp::v16::charging_profile::RateUnit;
use ocpp::v16::*;

mod limits;
mod outcome;

pub use outcome::outcome;

impl From<ocpp::v16::Command> for WireCall {
    fn from(command: ocpp::v16::Command) -> Self {
        Self { action: command.action().to_owned(), payload: command.payload() }
    }
}

/// The command in this form.
pub fn build(
    command: &crate::sites::stations::link::Command,
    form: usize,
    now: Timestamp,
) -> Result<WireCall, LinkError> {
    use crate::sites::stations::link::Command as Asked;
    let wire: ocpp::v16::Command = match command {
        Asked::Reset { hard, .. } => {
            reset::Request { r#type: if *hard { ResetType::Hard } else { ResetType::Soft } }.into()
        }
        Asked::UnlockConnector { connector } => {
            unlock_connector::Request { connector_id: number(*connector, "connector")? }.into()
        }
        Asked::ChangeAvailability { connector, operative } => change_availability::Request {
            connector_id: number(*connector, "connectorId")?,
            r#type: if *operative { AvailabilityType::Operative } else { AvailabilityType::Inoperative },
        }
        .into(),
        Asked::TriggerMessage { message, connector } => trigger_message::Request {
            requested_message: by_hand(&json!(message), "message")?,
            connector_id: optional_number(*connector, "connectorId")?,
        }
        .into(),
        Asked::GetConfiguration { keys } => {
            let keys: Result<Vec<_>, _> = keys.iter().map(|key| exact(key, "key")).collect();
            get_configuration::Request { key: Some(keys?).filter(|keys| !keys.is_empty()) }.into()
        }
        Asked::ChangeConfiguration { key, value } => {
            change_configuration::Request { key: exact(key, "key")?, value: exact(value, "value")? }.into()
        }
        Asked::ClearCache => clear_cache::Request {}.into(),
        Asked::StartCharging { connector, id_tag, .. } => remote_start_transaction::Request {
            connector_id: optional_number(*connector, "connector")?,
            id_tag: exact(id_tag, "id_tag")?,
            charging_profile: None,
        }
        .into(),
        Asked::StopCharging { transaction } => remote_stop_transaction::Request { transaction_id: *transaction }.into(),
        Asked::Reserve { connector, reservation, id_tag, parent_group, until, .. } => reserve_now::Request {
            connector_id: number(*connector, "connector")?,
            expiry_date: *until,
            id_tag: exact(id_tag, "id_tag")?,
            parent_id_tag: parent_group.as_deref().map(|group| exact(group, "parent_group")).transpose()?,
            reservation_id: *reservation,
        }
        .into(),
        Asked::CancelReservation { reservation } => cancel_reservation::Request { reservation_id: *reservation }.into(),
        Asked::SetLimit(limit) => limits::set_limit(&say_limit(limit, form, now))?.into(),
        Asked::SetSchedule(schedule) => limits::set_limit(&say_schedule(schedule))?.into(),
        Asked::SetChargingProfile { connector, profile } => set_charging_profile::Request {
            connector_id: number(*connector, "connectorId")?,
            cs_charging_profiles: by_hand(profile, "csChargingProfiles")?,
        }
        .into(),
        Asked::ClearChargingProfile { id, connector, purpose, stack_level } => clear_charging_profile::Request {
            id: *id,
            connector_id: optional_number(*connector, "connectorId")?,
            charging_profile_purpose: purpose
                .as_ref()
                .map(|purpose| by_hand(&json!(purpose), "chargingProfilePurpose"))
                .transpose()?,
            stack_level: optional_number(*stack_level, "stackLevel")?,
        }
        .into(),
        Asked::GetCompositeSchedule { connector, seconds, in_amps } => get_composite_schedule::Request {
            connector_id: number(*connector, "connectorId")?,
            duration: number(*seconds, "duration")?,
            charging_rate_unit: in_amps.map(|amps| if amps { RateUnit::Amperes } else { RateUnit::Watts }),
        }
        .into(),
        Asked::SendLocalList { version, full, entries } => {
            let cards: Result<Vec<_>, _> =
                entries.iter().map(|entry| by_hand(entry, "localAuthorizationList")).collect();
            send_local_list::Request {
                list_version: i64::from(*version),
                local_authorization_list: Some(cards?).filter(|cards| !cards.is_empty()),
                update_type: if *full { UpdateType::Full } else { UpdateType::Differential },
            }
            .into()
        }
        Asked::GetLocalListVersion => get_local_list_version::Request {}.into(),
        Asked::UpdateFirmware { location, retrieve_at, retries, retry_interval } => update_firmware::Request {
            location: location.clone(),
            retries: optional_number(*retries, "retries")?,
            retrieve_date: *retrieve_at,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
        }
        .into(),
        Asked::GetDiagnostics { location, retries, retry_interval, start_at, stop_at } => get_diagnostics::Request {
            location: location.clone(),
            retries: optional_number(*retries, "retries")?,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
            start_time: *start_at,
            stop_time: *stop_at,
        }
        .into(),
        Asked::GetLog { security, location, oldest, latest, retries, retry_interval, request } => get_log::Request {
            log: LogParameters {
                remote_location: exact(location, "remoteLocation")?,
                oldest_timestamp: *oldest,
                latest_timestamp: *latest,
            },
            log_type: if *security { LogKind::Security } else { LogKind::Diagnostics },
            request_id: request_id(*request, now),
            retries: optional_number(*retries, "retries")?,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
        }
        .into(),
        Asked::ExtendedTrigger { message, connector } => extended_trigger_message::Request {
            requested_message: by_hand(&json!(message), "message")?,
            connector_id: optional_number(*connector, "connectorId")?,
        }
        .into(),
        Asked::InstallCertificate { kind, certificate } => install_certificate::Request {
            certificate_type: by_hand(&json!(kind), "certificateType")?,
            certificate: exact(certificate, "certificate")?,
        }
        .into(),
        Asked::DeleteCertificate { certificate } => {
            delete_certificate::Request { certificate_hash_data: by_hand(certificate, "certificateHashData")? }.into()
        }
        Asked::GetInstalledCertificates { kind } => {
            get_installed_certificate_ids::Request { certificate_type: by_hand(&json!(kind), "certificateType")? }
                .into()
        }
        Asked::CertificateSigned { chain, .. } => {
            certificate_signed::Request { certificate_chain: exact(chain, "certificateChain")? }.into()
        }
        Asked::SignedUpdateFirmware {
            location,
            retrieve_at,
            install_at,
            certificate,
            signature,
            retries,
            retry_interval,
            request,
        } => signed_update_firmware::Request {
            retries: optional_number(*retries, "retries")?,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
            request_id: request_id(*request, now),
            firmware: SignedFirmware {
                location: exact(location, "location")?,
                retrieve_date_time: retrieve_at.unwrap_or(now),
                install_date_time: *install_at,
                signing_certificate: exact(certificate, "signingCertificate")?,
                signature: exact(signature, "signature")?,
            },
        }
        .into(),
        Asked::DataTransfer { vendor_id, message_id, data } => data_transfer::Request {
            vendor_id: exact(vendor_id, "vendorId")?,
            message_id: message_id.as_deref().map(|id| exact(id, "messageId")).transpose()?,
            data: data.clone(),
        }
        .into(),
        Asked::TellCost { .. } => return Err(invalid("OCPP 1.6 has no message for costs")),
        Asked::Device { request, .. } => {
            return Err(invalid(format!("OCPP 1.6 has no {request}")));
        }
        Asked::Raw { action, payload } => return raw(action, payload),
    };
    Ok(wire.into())
}

/// A payload by hand: checked against the specification, then sent as it is.
fn raw(action: &str, payload: &Value) -> Result<WireCall, LinkError> {
    let text = payload.to_string();
    let boxed = RawValue::from_string(text.clone()).map_err(|error| invalid(error.to_string()))?;
    ocpp::v16::check_raw(action, &boxed, Protocol::V16).map_err(LinkError::Invalid)?;
    let known = ocpp::v16::Command::decode(action, &boxed, Timestamp::default(), Protocol::V16);
    known.map_err(|error| invalid(error.description))?;
    Ok(WireCall { action: action.to_owned(), payload: text })
}

#[cfg(test)]
mod tests;
