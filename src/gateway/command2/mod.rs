//! Commands in the words of OCPP 2.0.1 and 2.1, and what their answers mean.
//!
//! Everybody else counts connectors over the whole station and transactions over all stations; [`Names`] is what this
//! station calls them.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::command::*;
use super::ladder::{say_limit, say_schedule};
use crate::sites::stations::Layout;
use crate::sites::stations::link::*;
use kernel::Protocol;
use kernel::Timestamp;
use ocpp::number::Number;
use ocpp::v2::*;
use ocpp::wire::Any;

mod limits;
mod outcome;
pub mod variables;

pub use outcome::outcome;

/// How this station is spoken to.
#[derive(Debug, Clone)]
pub struct Names {
    /// Which version it speaks.
    pub version: Protocol,
    /// Where its connectors are.
    pub layout: Layout,
    /// Its name of the transaction that the command is about.
    pub transaction: Option<String>,
}

impl Names {
    /// The EVSE of the connector with this number, and the connector's number within it.
    fn evse(&self, connector: i32) -> Result<Evse, LinkError> {
        let outlet = self.layout.outlet(connector);
        let outlet = outlet.ok_or_else(|| invalid(format!("there is no connector {connector}")))?;
        Ok(Evse { id: number(outlet.evse, "evse")?, connector_id: Some(number(outlet.within, "connector")?) })
    }

    /// The number of the EVSE alone; 0 is the whole station.
    fn evse_id(&self, connector: i32) -> Result<u32, LinkError> {
        match connector {
            0 => Ok(0),
            connector => Ok(self.evse(connector)?.id),
        }
    }

    /// The EVSE of a connector, or nothing for the whole station.
    fn part(&self, connector: Option<i32>) -> Result<Option<Evse>, LinkError> {
        let part = connector.filter(|number| *number != 0);
        part.map(|connector| self.evse(connector)).transpose()
    }

    /// Whether a limit is for a connector whose EVSE has others, too.
    pub fn shares_its_evse(&self, command: &crate::sites::stations::link::Command) -> bool {
        let crate::sites::stations::link::Command::SetLimit(limit) = command else {
            return false;
        };
        let outlet = self.layout.outlet(limit.connector);
        outlet.is_some_and(|outlet| self.layout.is_shared(outlet.evse))
    }

    fn transaction<const MAX: usize>(&self) -> Result<ocpp::text::Exact<MAX>, LinkError> {
        let name = self.transaction.as_deref();
        let name = name.ok_or_else(|| invalid("the station does not know this transaction"))?;
        exact(name, "transaction")
    }

    /// Profiles belong to EVSEs here, so connectors that share one share their profiles: those of the first.
    fn profile(&self, id: i32) -> i64 {
        let connector = id % PROFILE_RANGE;
        let evse = self.layout.outlet(connector).map(|outlet| outlet.evse);
        let mut outlets = self.layout.outlets().iter();
        let first = outlets.find(|one| Some(one.evse) == evse);
        i64::from(id - connector + first.map_or(connector, |first| first.number))
    }
}

/// Our profile ids begin at multiples of this, and connectors are counted from there.
const PROFILE_RANGE: i32 = 10_000;

/// A token of a type that nobody told: the digits of an RFID card's number as readers tell it, else a token of ours.
pub fn id_token(tag: &str) -> Result<IdToken, LinkError> {
    let is_hex = tag.chars().all(|digit| digit.is_ascii_hexdigit());
    Ok(IdToken {
        id_token: exact(tag, "id_tag")?,
        r#type: if is_hex && matches!(tag.len(), 8 | 14 | 20) { IdTokenKind::Iso14443 } else { IdTokenKind::Central },
        additional_info: None,
    })
}

/// A token of this type, where it is known.
fn id_token_of(tag: &str, token_type: Option<&str>) -> Result<IdToken, LinkError> {
    let guessed = id_token(tag)?;
    Ok(match token_type {
        Some(known) => IdToken { r#type: by_hand(&json!(known), "type")?, ..guessed },
        None => guessed,
    })
}

/// The command in this form.
pub fn build(
    command: &crate::sites::stations::link::Command,
    form: usize,
    names: &Names,
    now: Timestamp,
) -> Result<WireCall, LinkError> {
    let wire = match command {
        crate::sites::stations::link::Command::Raw { action, payload } => {
            WireCall { action: action.clone(), payload: payload.to_string() }
        }
        crate::sites::stations::link::Command::Device { request, payload } => device_request(*request, payload, now),
        other => {
            let wire = say(other, form, names, now)?;
            WireCall { action: wire.action().to_owned(), payload: wire.payload() }
        }
    };
    check(&wire, names.version)?;
    Ok(wire)
}

/// A request in the words it came in; one that needs a number and has none gets one.
fn device_request(request: DeviceRequest, payload: &Value, now: Timestamp) -> WireCall {
    let mut payload = payload.clone();
    let is_numbered = matches!(request, DeviceRequest::CustomerInformation | DeviceRequest::RequestBatterySwap);
    if let Some(fields) = payload.as_object_mut().filter(|_| is_numbered) {
        let number = || request_id(None, now).into();
        fields.entry("requestId").or_insert_with(number);
    }
    WireCall { action: request.to_string(), payload: payload.to_string() }
}

/// A payload that this version does not allow is not sent, whoever made it.
fn check(wire: &WireCall, version: Protocol) -> Result<(), LinkError> {
    let boxed = RawValue::from_string(wire.payload.clone());
    let boxed = boxed.map_err(|error| invalid(error.to_string()))?;
    check_raw(&wire.action, &boxed, version).map_err(LinkError::Invalid)?;
    let known = ocpp::v2::Command::decode(&wire.action, &boxed, Timestamp::default(), version);
    known.map(drop).map_err(|error| invalid(error.description))
}

fn say(
    command: &crate::sites::stations::link::Command,
    form: usize,
    names: &Names,
    now: Timestamp,
) -> Result<ocpp::v2::Command, LinkError> {
    use crate::sites::stations::link::Command as Asked;
    Ok(match command {
        Asked::Reset { hard, evse } => reset::Request {
            r#type: if *hard { ResetKind::Immediate } else { ResetKind::OnIdle },
            evse_id: optional_number(*evse, "evseId")?,
        }
        .into(),
        Asked::UnlockConnector { connector } => {
            let evse = names.evse(*connector)?;
            unlock_connector::Request { evse_id: evse.id, connector_id: evse.connector_id.unwrap_or(1) }.into()
        }
        Asked::ChangeAvailability { connector, operative } => change_availability::Request {
            evse: names.part(Some(*connector))?,
            operational_status: if *operative { OperationalStatus::Operative } else { OperationalStatus::Inoperative },
        }
        .into(),
        Asked::TriggerMessage { message, connector } | Asked::ExtendedTrigger { message, connector } => {
            trigger_message::Request {
                requested_message: trigger(message)?,
                evse: names.part(*connector)?,
                custom_trigger: None,
            }
            .into()
        }
        Asked::GetConfiguration { keys } => {
            get_variables::Request { get_variable_data: variables::wanted(keys)? }.into()
        }
        Asked::ChangeConfiguration { key, value } => {
            set_variables::Request { set_variable_data: vec![variables::setting(key, value)?] }.into()
        }
        Asked::ClearCache => clear_cache::Request {}.into(),
        Asked::StartCharging { connector, id_tag, token_type, request } => request_start_transaction::Request {
            evse_id: names.part(*connector)?.map(|evse| evse.id),
            group_id_token: None,
            id_token: id_token_of(id_tag, *token_type)?,
            remote_start_id: *request,
            charging_profile: None,
        }
        .into(),
        Asked::StopCharging { .. } => request_stop_transaction::Request { transaction_id: names.transaction()? }.into(),
        Asked::TellCost { amount, .. } => cost_updated::Request {
            total_cost: Number::try_from(*amount).map_err(|()| invalid("amount is no number"))?,
            transaction_id: names.transaction()?,
        }
        .into(),
        Asked::Reserve { connector, reservation, id_tag, token_type, parent_group, until } => reserve_now::Request {
            id: reservation_number(*reservation)?,
            expiry_date_time: *until,
            connector_type: None,
            id_token: id_token_of(id_tag, *token_type)?,
            evse_id: names.part(Some(*connector))?.map(|evse| evse.id),
            group_id_token: parent_group.as_deref().map(id_token).transpose()?,
        }
        .into(),
        Asked::CancelReservation { reservation } => {
            cancel_reservation::Request { reservation_id: reservation_number(*reservation)? }.into()
        }
        Asked::SetLimit(limit) => limits::profile(&say_limit(limit, form, now), names)?.into(),
        Asked::SetSchedule(schedule) => limits::profile(&say_schedule(schedule), names)?.into(),
        Asked::SetChargingProfile { connector, profile } => set_charging_profile::Request {
            evse_id: number(*connector, "evseId")?,
            charging_profile: by_hand(profile, "chargingProfile")?,
        }
        .into(),
        Asked::ClearChargingProfile { id, connector, purpose, stack_level } => {
            limits::clear(names, *id, *connector, purpose.as_deref(), *stack_level)?.into()
        }
        Asked::GetCompositeSchedule { connector, seconds, in_amps } => get_composite_schedule::Request {
            duration: i64::from(*seconds),
            charging_rate_unit: in_amps.map(limits::unit),
            evse_id: names.evse_id(*connector)?,
        }
        .into(),
        Asked::SendLocalList { version, full, entries } => {
            let cards: Result<Vec<_>, _> = entries.iter().map(card).collect();
            send_local_list::Request {
                local_authorization_list: Some(cards?).filter(|cards| !cards.is_empty()),
                version_number: i64::from(*version),
                update_type: if *full { UpdateKind::Full } else { UpdateKind::Differential },
            }
            .into()
        }
        Asked::GetLocalListVersion => get_local_list_version::Request {}.into(),
        Asked::UpdateFirmware { location, retrieve_at, retries, retry_interval } => update_firmware::Request {
            retries: optional_number(*retries, "retries")?,
            retry_interval: retry_interval.map(i64::from),
            request_id: request_id(None, now),
            firmware: Firmware {
                location: exact(location, "location")?,
                retrieve_date_time: *retrieve_at,
                install_date_time: None,
                signing_certificate: None,
                signature: None,
            },
        }
        .into(),
        Asked::SignedUpdateFirmware {
            location,
            retrieve_at,
            install_at,
            certificate,
            signature,
            retries,
            retry_interval,
            request,
        } => update_firmware::Request {
            retries: optional_number(*retries, "retries")?,
            retry_interval: retry_interval.map(i64::from),
            request_id: request_id(*request, now),
            firmware: Firmware {
                location: exact(location, "location")?,
                retrieve_date_time: retrieve_at.unwrap_or(now),
                install_date_time: *install_at,
                signing_certificate: Some(exact(certificate, "signingCertificate")?),
                signature: Some(exact(signature, "signature")?),
            },
        }
        .into(),
        Asked::GetDiagnostics { location, retries, retry_interval, start_at, stop_at } => get_log::Request {
            log: LogParameters {
                remote_location: exact(location, "location")?,
                oldest_timestamp: *start_at,
                latest_timestamp: *stop_at,
            },
            log_type: LogKind::DiagnosticsLog,
            request_id: request_id(None, now),
            retries: optional_number(*retries, "retries")?,
            retry_interval: retry_interval.map(i64::from),
        }
        .into(),
        Asked::GetLog { security, location, oldest, latest, retries, retry_interval, request } => get_log::Request {
            log: LogParameters {
                remote_location: exact(location, "remoteLocation")?,
                oldest_timestamp: *oldest,
                latest_timestamp: *latest,
            },
            log_type: if *security { LogKind::SecurityLog } else { LogKind::DiagnosticsLog },
            request_id: request_id(*request, now),
            retries: optional_number(*retries, "retries")?,
            retry_interval: retry_interval.map(i64::from),
        }
        .into(),
        Asked::InstallCertificate { kind, certificate } => install_certificate::Request {
            certificate_type: by_hand(&json!(root(kind)), "certificateType")?,
            certificate: exact(certificate, "certificate")?,
        }
        .into(),
        Asked::DeleteCertificate { certificate } => {
            delete_certificate::Request { certificate_hash_data: by_hand(certificate, "certificateHashData")? }.into()
        }
        Asked::GetInstalledCertificates { kind } => get_installed_certificate_ids::Request {
            certificate_type: Some(vec![by_hand(&json!(root(kind)), "certificateType")?]),
        }
        .into(),
        Asked::CertificateSigned { chain, request } => certificate_signed::Request {
            certificate_chain: exact(chain, "certificateChain")?,
            certificate_type: Some(CertificateSigningUse::ChargingStationCertificate),
            request_id: request.filter(|_| names.version >= Protocol::V21),
        }
        .into(),
        Asked::DataTransfer { vendor_id, message_id, data } => data_transfer::Request {
            message_id: message_id.as_deref().map(|id| exact(id, "messageId")).transpose()?,
            data: data.clone().map(|text| Any(text.into())),
            vendor_id: exact(vendor_id, "vendorId")?,
        }
        .into(),
        Asked::Raw { .. } | Asked::Device { .. } => {
            return Err(invalid("it is sent as it was written"));
        }
    })
}

fn reservation_number(reservation: i64) -> Result<u32, LinkError> {
    u32::try_from(reservation).map_err(|_| invalid("reservation must not be negative"))
}

/// What 1.6 calls differently is known by both names.
fn trigger(message: &str) -> Result<MessageTrigger, LinkError> {
    let word = match message {
        "DiagnosticsStatusNotification" => "LogStatusNotification",
        "SignChargePointCertificate" => "SignChargingStationCertificate",
        other => other,
    };
    by_hand(&json!(word), "message")
}

fn root(kind: &str) -> &str {
    match kind {
        "CentralSystemRootCertificate" => "CSMSRootCertificate",
        other => other,
    }
}

/// An entry of a local list, in the form of any version.
fn card(entry: &Value) -> Result<Authorization, LinkError> {
    let Some(tag) = entry.get("idTag").and_then(Value::as_str) else {
        return by_hand(entry, "localAuthorizationList");
    };
    let id_token = id_token_of(tag, entry.get("type").and_then(Value::as_str))?;
    let Some(info) = entry.get("idTagInfo") else {
        return Ok(Authorization { id_token, id_token_info: None });
    };
    let group = info.get("parentIdTag").and_then(Value::as_str);
    let mut said = json!({"status": info.get("status"), "cacheExpiryDateTime": info.get("expiryDate")});
    if let Some(fields) = said.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let mut id_token_info: IdTokenInfo = by_hand(&said, "idTagInfo")?;
    id_token_info.group_id_token = group.map(self::id_token).transpose()?;
    Ok(Authorization { id_token, id_token_info: Some(id_token_info) })
}

#[cfg(test)]
mod tests;
