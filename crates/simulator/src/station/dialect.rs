//! OCPP 2 for stations that think in OCPP 1.6: every message is translated on its way.
//!
//! A virtual station has one connector on each EVSE, so both have the same number.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::outbox::Message;
use kernel::Protocol;
use ocpp::keys::predecessor;
use ocpp::v16::meter::{MeterValue, SampledValue};
use ocpp::v16::{ChargePointStatus, Reason, start_transaction, status_notification, stop_transaction};

/// A transaction as the server knows it.
#[derive(Debug)]
struct ReportedTransaction {
    connector: u32,
    name: String,
    next_seq_no: u32,
}

/// The language of a station.
#[derive(Debug)]
pub(super) struct Dialect {
    version: Protocol,
    /// By our number of the transaction.
    reported: BTreeMap<u64, ReportedTransaction>,
    /// By connector: the number of the request to start there.
    start_requests: BTreeMap<u32, i64>,
}

impl Dialect {
    /// Of a station that speaks this version.
    pub(super) const fn new(version: Protocol) -> Self {
        Self { version, reported: BTreeMap::new(), start_requests: BTreeMap::new() }
    }

    /// What is spoken.
    pub(super) const fn version(&self) -> Protocol {
        self.version
    }

    /// Action and payload of a message; `number` knows the server's numbers of our transactions.
    pub(super) fn say(&mut self, message: &Message, number: impl Fn(u64) -> i64) -> (String, String) {
        if self.version == Protocol::V16 {
            return (message.action().to_owned(), message.payload(number));
        }
        let (action, payload) = match message {
            Message::Boot(request) => {
                let serial = request.charge_point_serial_number.as_ref();
                let station = json!({
                    "vendorName": request.charge_point_vendor,
                    "model": request.charge_point_model,
                    "serialNumber": serial.map(|serial| serial.as_str()),
                });
                ("BootNotification", json!({"reason": "PowerUp", "chargingStation": station}))
            }
            Message::Status(request) => self.status(request),
            Message::Authorize { id_tag, .. } => {
                ("Authorize", json!({"idToken": {"idToken": id_tag.as_str(), "type": "Central"}}))
            }
            Message::Start { local, request } => self.start(*local, request),
            Message::Meter { local: Some(local), request } => {
                let values = request.meter_value.iter().map(meter_value).collect();
                let event = json!({"meterValue": Value::Array(values)});
                self.event(*local, "Updated", "MeterValuePeriodic", Map::new(), event)
            }
            Message::Meter { local: None, request } => {
                let values = request.meter_value.iter().map(meter_value).collect();
                ("MeterValues", json!({"evseId": request.connector_id, "meterValue": Value::Array(values)}))
            }
            Message::Stop { local, request } => self.stop(*local, request),
            Message::Heartbeat => ("Heartbeat", json!({})),
        };
        (action.to_owned(), without_null(payload).to_string())
    }

    fn status(&mut self, request: &status_notification::Request) -> (&'static str, Value) {
        let number = request.connector_id;
        let state = match request.status {
            ChargePointStatus::Charging => Some("Charging"),
            ChargePointStatus::SuspendedEv => Some("SuspendedEV"),
            ChargePointStatus::SuspendedEvse => Some("SuspendedEVSE"),
            _ => None,
        };
        let running = self.reported.iter().find(|(_, reported)| reported.connector == number);
        let local = running.map(|(local, _)| *local);
        if let (Some(state), Some(local)) = (state, local) {
            let info = Map::from_iter([("chargingState".to_owned(), json!(state))]);
            let at = json!({"timestamp": request.timestamp});
            return self.event(local, "Updated", "ChargingStateChanged", info, at);
        }
        if number == 0 {
            return ("Heartbeat", json!({})); // the station as a whole has no status in OCPP 2
        }
        let word = match &request.status {
            ChargePointStatus::Available => "Available",
            ChargePointStatus::Reserved => "Reserved",
            ChargePointStatus::Unavailable => "Unavailable",
            ChargePointStatus::Faulted => "Faulted",
            _ => "Occupied",
        };
        let body = json!({"timestamp": request.timestamp, "connectorStatus": word,
            "evseId": number, "connectorId": 1});
        ("StatusNotification", body)
    }

    fn start(&mut self, local: u64, request: &start_transaction::Request) -> (&'static str, Value) {
        let connector = request.connector_id.0.unwrap_or_default();
        let begin = request.timestamp.0.unwrap_or_default();
        let name = format!("{local}-{}", begin.micros());
        self.reported.entry(local).or_insert(ReportedTransaction { connector, name, next_seq_no: 0 });
        let mut info = Map::from_iter([("chargingState".to_owned(), json!("EVConnected"))]);
        if let Some(asked) = self.start_requests.remove(&connector) {
            info.insert("remoteStartId".to_owned(), json!(asked));
        }
        let register = json!([register(request.meter_start.0.unwrap_or_default(), "Transaction.Begin")]);
        let event = json!({
            "timestamp": request.timestamp,
            "idToken": {"idToken": request.id_tag, "type": "Central"},
            "meterValue": [{"timestamp": request.timestamp, "sampledValue": register}],
        });
        self.event(local, "Started", "Authorized", info, event)
    }

    fn stop(&mut self, local: u64, request: &stop_transaction::Request) -> (&'static str, Value) {
        let reason = match &request.reason {
            Some(Reason::HardReset | Reason::SoftReset) => "ImmediateReset",
            Some(Reason::UnlockCommand) => "Other",
            Some(other) => other.as_str(),
            None => "Local",
        };
        let info = Map::from_iter([("stoppedReason".to_owned(), json!(reason))]);
        let register = json!([register(request.meter_stop.0.unwrap_or_default(), "Transaction.End")]);
        let event = json!({
            "timestamp": request.timestamp,
            "meterValue": [{"timestamp": request.timestamp, "sampledValue": register}],
        });
        self.event(local, "Ended", "StopAuthorized", info, event)
    }

    /// An event of a transaction; without a time of its own it happened when its reading was taken.
    fn event(
        &mut self,
        local: u64,
        kind: &str,
        trigger: &str,
        mut info: Map<String, Value>,
        more: Value,
    ) -> (&'static str, Value) {
        let Some(reported) = self.reported.get_mut(&local) else {
            return ("Heartbeat", json!({})); // it was over before it was reported
        };
        info.insert("transactionId".to_owned(), json!(reported.name));
        let mut event = json!({
            "eventType": kind, "triggerReason": trigger, "seqNo": reported.next_seq_no,
            "transactionInfo": info, "evse": {"id": reported.connector, "connectorId": 1},
            "timestamp": more.pointer("/meterValue/0/timestamp"),
        });
        reported.next_seq_no += 1;
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        ("TransactionEvent", event)
    }

    /// The answer to a message, as 1.6 has it.
    pub(super) fn heard(&mut self, message: &Message, answer: Box<RawValue>) -> Box<RawValue> {
        if self.version == Protocol::V16 {
            return answer;
        }
        let said: Value = serde_json::from_str(answer.get()).unwrap_or_default();
        let verdict = said.pointer("/idTokenInfo/status").and_then(Value::as_str);
        let status = match verdict {
            Some("Accepted") => "Accepted",
            Some("Blocked") => "Blocked",
            Some("Expired") => "Expired",
            _ => "Invalid",
        };
        let read = match message {
            Message::Authorize { .. } => json!({"idTagInfo": {"status": status}}),
            Message::Start { local, .. } => {
                json!({"transactionId": number_of(*local), "idTagInfo": {"status": status}})
            }
            Message::Stop { local, .. } => {
                self.reported.remove(local);
                json!({})
            }
            _ => return answer,
        };
        RawValue::from_string(read.to_string()).unwrap_or(answer)
    }

    fn number_by_name(&self, name: &str) -> i64 {
        let known = self.reported.iter().find(|(_, reported)| reported.name == name);
        known.map_or(-1, |(local, _)| number_of(*local))
    }

    /// A call of the server in the words of 1.6; nothing where there are none.
    pub(super) fn asked(&mut self, action: &str, payload: &RawValue) -> Option<(String, Box<RawValue>)> {
        let asked: Value = serde_json::from_str(payload.get()).ok()?;
        let evse = asked.get("evseId").or(asked.pointer("/evse/id"));
        let (old, payload) = match action {
            "SetChargingProfile" => (
                "SetChargingProfile",
                json!({"connectorId": evse, "csChargingProfiles": self.profile(asked.get("chargingProfile")?)}),
            ),
            "ClearChargingProfile" => {
                let which = asked.get("chargingProfileCriteria");
                let of = |name| which.and_then(|which| which.get(name));
                let body = json!({
                    "id": asked.get("chargingProfileId"), "connectorId": of("evseId"),
                    "chargingProfilePurpose": of("chargingProfilePurpose").map(purpose),
                    "stackLevel": of("stackLevel"),
                });
                ("ClearChargingProfile", body)
            }
            "GetCompositeSchedule" => {
                let body = json!({"connectorId": evse, "duration": asked.get("duration"),
                    "chargingRateUnit": asked.get("chargingRateUnit")});
                ("GetCompositeSchedule", body)
            }
            "RequestStartTransaction" => {
                let connector = evse.and_then(Value::as_u64).unwrap_or(1);
                let asked_as = asked.get("remoteStartId").and_then(Value::as_i64);
                if let (Ok(connector), Some(number)) = (u32::try_from(connector), asked_as) {
                    self.start_requests.insert(connector, number);
                }
                let body = json!({"connectorId": connector, "idTag": asked.pointer("/idToken/idToken")});
                ("RemoteStartTransaction", body)
            }
            "RequestStopTransaction" => {
                let name = asked.get("transactionId")?.as_str()?;
                let body = json!({"transactionId": self.number_by_name(name)});
                ("RemoteStopTransaction", body)
            }
            "TriggerMessage" => {
                let wanted = match asked.get("requestedMessage")?.as_str()? {
                    "TransactionEvent" => "MeterValues",
                    other => other,
                };
                let body = json!({"requestedMessage": wanted, "connectorId": evse});
                ("TriggerMessage", body)
            }
            "Reset" => {
                let gently = asked.get("type")?.as_str()? == "OnIdle";
                ("Reset", json!({"type": if gently { "Soft" } else { "Hard" }}))
            }
            "UnlockConnector" => ("UnlockConnector", json!({"connectorId": evse})),
            "ChangeAvailability" => {
                let body = json!({"connectorId": evse.cloned().unwrap_or(json!(0)),
                    "type": asked.get("operationalStatus")});
                ("ChangeAvailability", body)
            }
            "ClearCache" | "GetLocalListVersion" | "DataTransfer" => {
                return Some((action.to_owned(), payload.to_owned()));
            }
            "SendLocalList" => {
                let body = json!({"listVersion": asked.get("versionNumber"),
                    "updateType": asked.get("updateType")});
                ("SendLocalList", body)
            }
            "GetVariables" => {
                let wanted = asked.get("getVariableData")?.as_array()?.iter();
                let keys: Vec<String> = wanted.map(key_of).collect();
                ("GetConfiguration", json!({"key": keys}))
            }
            "SetVariables" => {
                let change = asked.pointer("/setVariableData/0")?;
                let body = json!({"key": key_of(change), "value": change.get("attributeValue")});
                ("ChangeConfiguration", body)
            }
            _ => return None,
        };
        let payload = RawValue::from_string(without_null(payload).to_string()).ok()?;
        Some((old.to_owned(), payload))
    }

    fn profile(&self, profile: &Value) -> Value {
        let transaction = profile.get("transactionId").and_then(Value::as_str);
        let schedule = profile.pointer("/chargingSchedule/0");
        let of = |name| schedule.and_then(|schedule| schedule.get(name));
        json!({
            "chargingProfileId": profile.get("id"),
            "transactionId": transaction.map(|name| self.number_by_name(name)),
            "stackLevel": profile.get("stackLevel"),
            "chargingProfilePurpose": profile.get("chargingProfilePurpose").map(purpose),
            "chargingProfileKind": profile.get("chargingProfileKind"),
            "recurrencyKind": profile.get("recurrencyKind"),
            "validFrom": profile.get("validFrom"),
            "validTo": profile.get("validTo"),
            "chargingSchedule": {
                "duration": of("duration"), "startSchedule": of("startSchedule"),
                "chargingRateUnit": of("chargingRateUnit"),
                "chargingSchedulePeriod": of("chargingSchedulePeriod"),
            },
        })
    }
}

/// The answer of 1.6 to a call of the server, in the words of OCPP 2.
pub(super) fn reply(action: &str, asked: &RawValue, answer: &str) -> String {
    let asked: Value = serde_json::from_str(asked.get()).unwrap_or_default();
    let said: Value = serde_json::from_str(answer).unwrap_or_default();
    let reply = match action {
        "GetCompositeSchedule" => {
            let schedule = said.get("chargingSchedule").map(|schedule| {
                json!({
                    "evseId": asked.get("evseId"), "scheduleStart": said.get("scheduleStart"),
                    "duration": schedule.get("duration").or(asked.get("duration")),
                    "chargingRateUnit": schedule.get("chargingRateUnit"),
                    "chargingSchedulePeriod": schedule.get("chargingSchedulePeriod"),
                })
            });
            json!({"status": said.get("status"), "schedule": schedule})
        }
        "GetLocalListVersion" => json!({"versionNumber": said.get("listVersion")}),
        "GetVariables" => json!({"getVariableResult": reported_variables(&asked, &said)}),
        "SetVariables" => {
            let change = asked.pointer("/setVariableData/0").cloned().unwrap_or_default();
            let status = match said.get("status").and_then(Value::as_str) {
                Some("NotSupported") => "UnknownVariable",
                Some(other) => other,
                None => "Rejected",
            };
            json!({"setVariableResult": [{"attributeStatus": status,
                "component": change.get("component"), "variable": change.get("variable")}]})
        }
        "UnlockConnector" if said.get("status") == Some(&json!("NotSupported")) => {
            json!({"status": "UnknownConnector"})
        }
        _ => said,
    };
    without_null(reply).to_string()
}

fn reported_variables(asked: &Value, said: &Value) -> Vec<Value> {
    let known = said.get("configurationKey").and_then(Value::as_array);
    let value_of = |key: &str| {
        let mut entries = known.into_iter().flatten();
        let entry = entries.find(|entry| entry.get("key").and_then(Value::as_str) == Some(key));
        entry.and_then(|entry| entry.get("value")).cloned()
    };
    let wanted = asked.get("getVariableData").and_then(Value::as_array);
    let reported = |one: &Value| {
        let value = value_of(&key_of(one));
        let status = if value.is_some() { "Accepted" } else { "UnknownVariable" };
        json!({"attributeStatus": status, "attributeValue": value,
            "component": one.get("component"), "variable": one.get("variable")})
    };
    wanted.into_iter().flatten().map(reported).collect()
}

/// The key of 1.6 that a variable took the place of, or its own name.
fn key_of(variable: &Value) -> String {
    let part = |place: &str| variable.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let instance = variable.pointer("/variable/instance").and_then(Value::as_str);
    let mut name = format!("{}.{}", part("/component/name"), part("/variable/name"));
    if let Some(instance) = instance {
        name.push_str(&format!("/{instance}"));
    }
    predecessor(&name).map_or(name, str::to_owned)
}

/// What the server numbers in 1.6 is numbered here.
fn number_of(local: u64) -> i64 {
    i64::try_from(local).map_or(i64::MAX, |local| local.saturating_add(1))
}

fn purpose(purpose: &Value) -> Value {
    match purpose.as_str() {
        Some("ChargingStationMaxProfile") => json!("ChargePointMaxProfile"),
        _ => purpose.clone(),
    }
}

fn register(watt_hours: i64, context: &str) -> Value {
    json!({"value": watt_hours, "context": context, "measurand": "Energy.Active.Import.Register",
        "unitOfMeasure": {"unit": "Wh"}})
}

fn meter_value(value: &MeterValue) -> Value {
    let samples: Vec<Value> = value.sampled_value.iter().map(sampled_value).collect();
    json!({"timestamp": value.timestamp, "sampledValue": samples})
}

fn sampled_value(sample: &SampledValue) -> Value {
    let number: Value = serde_json::from_str(&sample.value).unwrap_or(json!(0));
    json!({
        "value": number, "context": sample.context, "measurand": sample.measurand,
        "phase": sample.phase, "location": sample.location,
        "unitOfMeasure": sample.unit.as_ref().map(|unit| json!({"unit": unit})),
    })
}

/// What is absent is left out.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(name, field)| (name, without_null(field)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        other => other,
    }
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;
