//! Commands in the words of OCPP 1.6, and what their answers mean.
//!
//! A limit can be said in several forms, because real chargers refuse some: the ladder tries the next one only after a
//! refusal, and a form that worked is used from then on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::text::Exact;
use super::v16::charging_profile::{Ceiling, ChargingProfile, Purpose, RateUnit, Slot};
use super::v16::*;
use crate::kernel::Timestamp;
use crate::stations::link::*;

/// An action and its payload, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireCall {
    /// The action.
    pub action: String,
    /// The payload as JSON.
    pub payload: String,
}

impl From<super::v16::Command> for WireCall {
    fn from(command: super::v16::Command) -> Self {
        Self {
            action: command.action().to_owned(),
            payload: command.payload(),
        }
    }
}

/// A limit begins a minute ago, or a station whose clock is slow would wait before it obeys.
const STARTED_AGO: Duration = Duration::from_secs(60);
/// Stack levels: the live limit lies above the one set by API, which lies above the fallback; the highest wins.
const LIVE_LEVEL: u32 = 2;
const DEFAULT_LEVEL: u32 = 1;
const FALLBACK_LEVEL: u32 = 0;

/// How a balancing limit is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// Some stations know only level 0.
    level: Option<u32>,
    /// Some take only watts, some only amps.
    other_unit: bool,
}

/// The ladder, from the form most stations take to those some insist on.
const LADDER: [Form; 4] = [
    Form {
        level: None,
        other_unit: false,
    },
    Form {
        level: Some(0),
        other_unit: false,
    },
    Form {
        level: None,
        other_unit: true,
    },
    Form {
        level: Some(0),
        other_unit: true,
    },
];

/// The forms that worked at one station, by purpose of the limit.
#[derive(Debug, Default)]
pub struct Forms(BTreeMap<&'static str, usize>);

impl Forms {
    fn key(command: &crate::stations::link::Command) -> &'static str {
        match command {
            crate::stations::link::Command::SetLimit(limit) => match limit.purpose {
                LimitPurpose::Live => "live",
                LimitPurpose::Fallback => "fallback",
                LimitPurpose::Default => "default",
                LimitPurpose::Transaction(_) => "transaction",
            },
            _ => "",
        }
    }
    /// The form that worked before.
    pub fn remembered(&self, command: &crate::stations::link::Command) -> Option<usize> {
        self.0.get(Self::key(command)).copied()
    }
    /// Notes that a form worked.
    pub fn remember(&mut self, command: &crate::stations::link::Command, form: usize) {
        self.0.insert(Self::key(command), form);
    }
}

/// How many forms a command has, where it has more than one.
pub fn forms(command: &crate::stations::link::Command) -> Option<usize> {
    matches!(command, crate::stations::link::Command::SetLimit(_)).then_some(LADDER.len())
}

/// Whether a limit in this form holds although it was asked to run out.
pub fn outlives(command: &crate::stations::link::Command, form: usize) -> bool {
    let crate::stations::link::Command::SetLimit(limit) = command else {
        return false;
    };
    LADDER
        .get(form)
        .is_some_and(|form| replaces_fallback(limit, *form))
}

/// A live limit on level 0 takes the fallback's place, so it must not run out: nothing would be below it.
fn replaces_fallback(limit: &SetLimit, form: Form) -> bool {
    limit.purpose == LimitPurpose::Live && form.level == Some(FALLBACK_LEVEL)
}

fn invalid(message: impl Into<String>) -> LinkError {
    LinkError::Invalid(vec![message.into()])
}

fn number(value: i32, name: &str) -> Result<u32, LinkError> {
    u32::try_from(value).map_err(|_| invalid(format!("{name} must not be negative")))
}

fn optional_number(value: Option<i32>, name: &str) -> Result<Option<u32>, LinkError> {
    value.map(|value| number(value, name)).transpose()
}

/// The number that status notifications repeat: the caller's, or the second in which we ask.
fn request_id(given: Option<i32>, now: Timestamp) -> i64 {
    given.map_or(now.unix_seconds(), i64::from)
}

fn exact<const MAX: usize>(text: &str, name: &str) -> Result<Exact<MAX>, LinkError> {
    Exact::new(text).map_err(|_| invalid(format!("{name} must have at most {MAX} characters")))
}

/// Reads a payload part that a caller wrote by hand.
fn by_hand<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Result<T, LinkError> {
    serde_json::from_value(value.clone()).map_err(|error| invalid(format!("{name}: {error}")))
}

/// The command in this form.
pub fn build(
    command: &crate::stations::link::Command,
    form: usize,
    now: Timestamp,
) -> Result<WireCall, LinkError> {
    use crate::stations::link::Command as Asked;
    let wire: super::v16::Command = match command {
        Asked::Reset { hard } => reset::Request {
            r#type: if *hard {
                reset::Kind::Hard
            } else {
                reset::Kind::Soft
            },
        }
        .into(),
        Asked::UnlockConnector { connector } => unlock_connector::Request {
            connector_id: number(*connector, "connector")?,
        }
        .into(),
        Asked::ChangeAvailability {
            connector,
            operative,
        } => change_availability::Request {
            connector_id: number(*connector, "connectorId")?,
            r#type: if *operative {
                change_availability::Availability::Operative
            } else {
                change_availability::Availability::Inoperative
            },
        }
        .into(),
        Asked::TriggerMessage { message, connector } => trigger_message::Request {
            requested_message: by_hand(&json!(message), "message")?,
            connector_id: optional_number(*connector, "connectorId")?,
        }
        .into(),
        Asked::GetConfiguration { keys } => {
            let keys: Result<Vec<_>, _> = keys.iter().map(|key| exact(key, "key")).collect();
            get_configuration::Request {
                key: Some(keys?).filter(|keys| !keys.is_empty()),
            }
            .into()
        }
        Asked::ChangeConfiguration { key, value } => change_configuration::Request {
            key: exact(key, "key")?,
            value: exact(value, "value")?,
        }
        .into(),
        Asked::ClearCache => clear_cache::Request {}.into(),
        Asked::StartCharging { connector, id_tag } => remote_start_transaction::Request {
            connector_id: optional_number(*connector, "connector")?,
            id_tag: exact(id_tag, "id_tag")?,
            charging_profile: None,
        }
        .into(),
        Asked::StopCharging { transaction } => remote_stop_transaction::Request {
            transaction_id: *transaction,
        }
        .into(),
        Asked::Reserve {
            connector,
            reservation,
            id_tag,
            parent_group,
            until,
        } => reserve_now::Request {
            connector_id: number(*connector, "connector")?,
            expiry_date: *until,
            id_tag: exact(id_tag, "id_tag")?,
            parent_id_tag: parent_group
                .as_deref()
                .map(|group| exact(group, "parent_group"))
                .transpose()?,
            reservation_id: *reservation,
        }
        .into(),
        Asked::CancelReservation { reservation } => cancel_reservation::Request {
            reservation_id: *reservation,
        }
        .into(),
        Asked::SetLimit(limit) => {
            let form = LADDER.get(form).copied().unwrap_or(Form {
                level: None,
                other_unit: false,
            });
            set_limit(limit, form, now)?.into()
        }
        Asked::SetChargingProfile { connector, profile } => set_charging_profile::Request {
            connector_id: number(*connector, "connectorId")?,
            cs_charging_profiles: by_hand(profile, "csChargingProfiles")?,
        }
        .into(),
        Asked::ClearChargingProfile {
            id,
            connector,
            purpose,
            stack_level,
        } => clear_charging_profile::Request {
            id: *id,
            connector_id: optional_number(*connector, "connectorId")?,
            charging_profile_purpose: purpose
                .as_ref()
                .map(|purpose| by_hand(&json!(purpose), "chargingProfilePurpose"))
                .transpose()?,
            stack_level: optional_number(*stack_level, "stackLevel")?,
        }
        .into(),
        Asked::GetCompositeSchedule {
            connector,
            seconds,
            in_amps,
        } => get_composite_schedule::Request {
            connector_id: number(*connector, "connectorId")?,
            duration: number(*seconds, "duration")?,
            charging_rate_unit: in_amps.map(|amps| {
                if amps {
                    RateUnit::Amperes
                } else {
                    RateUnit::Watts
                }
            }),
        }
        .into(),
        Asked::SendLocalList {
            version,
            full,
            entries,
        } => {
            let cards: Result<Vec<_>, _> = entries
                .iter()
                .map(|entry| by_hand(entry, "localAuthorizationList"))
                .collect();
            send_local_list::Request {
                list_version: i64::from(*version),
                local_authorization_list: Some(cards?).filter(|cards| !cards.is_empty()),
                update_type: if *full {
                    send_local_list::Update::Full
                } else {
                    send_local_list::Update::Differential
                },
            }
            .into()
        }
        Asked::GetLocalListVersion => get_local_list_version::Request {}.into(),
        Asked::UpdateFirmware {
            location,
            retrieve_at,
            retries,
            retry_interval,
        } => update_firmware::Request {
            location: location.clone(),
            retries: optional_number(*retries, "retries")?,
            retrieve_date: *retrieve_at,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
        }
        .into(),
        Asked::GetDiagnostics {
            location,
            retries,
            retry_interval,
            start_at,
            stop_at,
        } => get_diagnostics::Request {
            location: location.clone(),
            retries: optional_number(*retries, "retries")?,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
            start_time: *start_at,
            stop_time: *stop_at,
        }
        .into(),
        Asked::GetLog {
            security,
            location,
            oldest,
            latest,
            retries,
            retry_interval,
            request,
        } => get_log::Request {
            log: get_log::LogOrder {
                remote_location: exact(location, "remoteLocation")?,
                oldest_timestamp: *oldest,
                latest_timestamp: *latest,
            },
            log_type: if *security {
                get_log::LogKind::Security
            } else {
                get_log::LogKind::Diagnostics
            },
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
        Asked::DeleteCertificate { certificate } => delete_certificate::Request {
            certificate_hash_data: by_hand(certificate, "certificateHashData")?,
        }
        .into(),
        Asked::GetInstalledCertificates { kind } => get_installed_certificate_ids::Request {
            certificate_type: by_hand(&json!(kind), "certificateType")?,
        }
        .into(),
        Asked::CertificateSigned { chain } => certificate_signed::Request {
            certificate_chain: exact(chain, "certificateChain")?,
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
        } => signed_update_firmware::Request {
            retries: optional_number(*retries, "retries")?,
            retry_interval: optional_number(*retry_interval, "retryInterval")?,
            request_id: request_id(*request, now),
            firmware: signed_update_firmware::Firmware {
                location: exact(location, "location")?,
                retrieve_date_time: retrieve_at.unwrap_or(now),
                install_date_time: *install_at,
                signing_certificate: exact(certificate, "signingCertificate")?,
                signature: exact(signature, "signature")?,
            },
        }
        .into(),
        Asked::DataTransfer {
            vendor_id,
            message_id,
            data,
        } => data_transfer::Request {
            vendor_id: exact(vendor_id, "vendorId")?,
            message_id: message_id
                .as_deref()
                .map(|id| exact(id, "messageId"))
                .transpose()?,
            data: data.clone(),
        }
        .into(),
        Asked::Raw { action, payload } => return raw(action, payload),
    };
    Ok(wire.into())
}

/// A payload by hand: checked against the specification, then sent as it is.
fn raw(action: &str, payload: &Value) -> Result<WireCall, LinkError> {
    let text = payload.to_string();
    let boxed = RawValue::from_string(text.clone()).map_err(|error| invalid(error.to_string()))?;
    super::v16::check_raw(action, &boxed).map_err(LinkError::Invalid)?;
    let known = super::v16::Command::decode(action, &boxed, Timestamp::default());
    known.map_err(|error| invalid(error.description))?;
    Ok(WireCall {
        action: action.to_owned(),
        payload: text,
    })
}

fn set_limit(
    limit: &SetLimit,
    form: Form,
    now: Timestamp,
) -> Result<set_charging_profile::Request, LinkError> {
    let (id, level, purpose) = match limit.purpose {
        LimitPurpose::Live => (LIVE_LIMIT_PROFILE, LIVE_LEVEL, Purpose::TxDefaultProfile),
        LimitPurpose::Fallback => (FALLBACK_PROFILE, FALLBACK_LEVEL, Purpose::TxDefaultProfile),
        LimitPurpose::Default if limit.connector == 0 => (
            DEFAULT_LIMIT_PROFILE,
            DEFAULT_LEVEL,
            Purpose::ChargePointMaxProfile,
        ),
        LimitPurpose::Default => (
            DEFAULT_LIMIT_PROFILE,
            DEFAULT_LEVEL,
            Purpose::TxDefaultProfile,
        ),
        LimitPurpose::Transaction(_) => {
            (TRANSACTION_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::TxProfile)
        }
    };
    let slot = Slot {
        id: id + limit.connector,
        stack_level: form.level.unwrap_or(level),
        purpose,
    };
    let ceiling = if limit.in_amps == form.other_unit {
        Ceiling::Power(limit.limit)
    } else {
        Ceiling::Current(limit.limit.to_current(limit.voltage, limit.phases))
    };
    let mut profile =
        ChargingProfile::constant(slot, ceiling, Some(limit.phases), now - STARTED_AGO);
    if let Some(seconds) = limit
        .duration_seconds
        .filter(|_| !replaces_fallback(limit, form))
    {
        let ago = u32::try_from(STARTED_AGO.as_secs()).unwrap_or(0);
        profile.charging_schedule.duration = Some(seconds + ago);
    }
    if let LimitPurpose::Transaction(id) = limit.purpose {
        profile = profile.for_transaction(id);
    }
    Ok(set_charging_profile::Request {
        connector_id: number(limit.connector, "connector")?,
        cs_charging_profiles: profile,
    })
}

/// What an answer means: most carry a status, the others are an agreement by being there.
pub fn outcome(action: &str, raw: &RawValue) -> Outcome {
    let data: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let status = data
        .get("status")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let agreed = ["Accepted", "Unlocked", "Scheduled", "RebootRequired"];
    let accepted = status
        .as_deref()
        .is_none_or(|status| agreed.contains(&status))
        || (action == "ClearChargingProfile" && status.as_deref() == Some("Unknown"));
    let data = if action == "GetConfiguration" {
        configuration(&data)
    } else {
        data
    };
    Outcome {
        accepted,
        status,
        data,
        outlives: false,
    }
}

/// `{variables: {key: {value, readonly}}, unknown: […]}` of a GetConfiguration answer.
fn configuration(answer: &Value) -> Value {
    let mut variables = Map::new();
    for setting in answer
        .get("configurationKey")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(key) = setting.get("key").and_then(Value::as_str) {
            let value = setting.get("value").cloned().unwrap_or_default();
            let readonly = setting
                .get("readonly")
                .cloned()
                .unwrap_or(Value::Bool(false));
            variables.insert(
                key.to_owned(),
                json!({"value": value, "readonly": readonly}),
            );
        }
    }
    json!({"variables": variables, "unknown": answer.get("unknownKey").cloned().unwrap_or(json!([]))})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Millivolts, PhaseSet, Watts};

    fn live(limit: Watts, in_amps: bool) -> crate::stations::link::Command {
        crate::stations::link::Command::SetLimit(SetLimit {
            connector: 1,
            limit,
            purpose: LimitPurpose::Live,
            voltage: Millivolts(230_000),
            phases: PhaseSet::ALL,
            in_amps,
            duration_seconds: Some(300),
            lowers: true,
        })
    }

    fn profile(command: &crate::stations::link::Command, form: usize) -> Value {
        let wire = build(command, form, Timestamp::from_unix_seconds(1_000)).expect("built");
        serde_json::from_str::<Value>(&wire.payload).expect("JSON")["csChargingProfiles"].clone()
    }

    #[test]
    fn a_live_limit_rounds_down_to_tenths_of_an_amp_and_lives_from_a_minute_ago() {
        let profile = profile(&live(Watts(11_150), true), 0);
        let schedule = &profile["chargingSchedule"];
        assert_eq!(
            schedule["chargingSchedulePeriod"][0]["limit"].to_string(),
            "16.1"
        );
        assert_eq!(
            (&schedule["chargingRateUnit"], &schedule["duration"]),
            (&json!("A"), &json!(360))
        );
        assert_eq!(schedule["startSchedule"], "1970-01-01T00:15:40.000Z");
        assert_eq!(profile["stackLevel"], 2);
    }

    #[test]
    fn the_ladder_changes_level_and_unit_and_never_lets_a_replaced_fallback_run_out() {
        let low = profile(&live(Watts(7_000), true), 1);
        assert_eq!(
            (&low["stackLevel"], low["chargingSchedule"].get("duration")),
            (&json!(0), None)
        );
        let watts = profile(&live(Watts(7_000), true), 2);
        assert_eq!(watts["chargingSchedule"]["chargingRateUnit"], "W");
        assert_eq!(
            watts["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64(),
            Some(7000.0)
        );
    }

    #[test]
    fn raw_payloads_are_checked_and_kept_as_they_are() {
        let ask = |action: &str, payload: Value| {
            let command = crate::stations::link::Command::Raw {
                action: action.into(),
                payload,
            };
            build(&command, 0, Timestamp::default())
        };
        assert_eq!(
            ask("Reset", json!({"type": "Soft"}))
                .expect("valid")
                .payload,
            r#"{"type":"Soft"}"#
        );
        for (action, payload) in [
            ("Reset", json!({"type": "Gentle"})),
            ("Reset", json!({})),
            ("Heartbeat", json!({})),
            ("Nonsense", json!({})),
        ] {
            assert!(
                matches!(ask(action, payload), Err(LinkError::Invalid(_))),
                "{action}"
            );
        }
    }
}
