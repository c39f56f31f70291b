//! Every message both ways, checked against the types of its version.

use super::*;
use crate::limit::Outlet;
use crate::station::StationSpec;
use kernel::Timestamp;
use ocpp::v2::check_raw;
use ocpp::v16::Command;
use ocpp::v16::common::IdTag;

const AT: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);

fn raw(json: &Value) -> Box<RawValue> {
    RawValue::from_string(json.to_string()).expect("JSON")
}

fn messages() -> Vec<Message> {
    let outlet = Outlet::single_phase(kernel::Watts(7_000));
    let spec = StationSpec::new("S1", vec![outlet]).expect("short");
    let id_tag = IdTag::new("CARD").expect("short");
    let status = |connector, status| Message::Status(crate::station::notification(connector, status, AT));
    let values = json!([{"timestamp": AT, "sampledValue": [
        {"value": "1500.5", "measurand": "Power.Active.Import", "unit": "W", "phase": "L1"}]}]);
    let meter = |local| Message::Meter {
        local,
        request: serde_json::from_value(json!({"connectorId": 1, "meterValue": values})).expect("a request"),
    };
    vec![
        Message::Boot(spec.identity),
        Message::Heartbeat,
        status(0, ChargePointStatus::Available),
        status(1, ChargePointStatus::Preparing),
        Message::Authorize { connector: 1, id_tag: id_tag.clone() },
        Message::Start {
            local: 4,
            request: start_transaction::Request {
                connector_id: 1.into(),
                id_tag: id_tag.clone().into(),
                meter_start: 1_000.into(),
                reservation_id: None,
                timestamp: AT.into(),
            },
        },
        status(1, ChargePointStatus::Charging),
        meter(Some(4)),
        meter(None),
        Message::Stop {
            local: 4,
            request: stop_transaction::Request {
                id_tag: None.into(),
                meter_stop: 2_000.into(),
                timestamp: AT.into(),
                transaction_id: 5.into(),
                reason: Some(Reason::SoftReset),
                transaction_data: None,
            },
        },
    ]
}

#[test]
fn every_message_is_said_as_each_version_wants_it() {
    for version in [Protocol::V201, Protocol::V21] {
        let mut dialect = Dialect::new(version);
        let mut events = Vec::new();
        for message in messages() {
            let (action, payload) = dialect.say(&message, |_| 5);
            let payload: Value = serde_json::from_str(&payload).expect("JSON");
            assert_eq!(check_raw(&action, &raw(&payload), version), Ok(()), "{action} {payload}");
            if action == "TransactionEvent" {
                events.push((payload["eventType"].clone(), payload["seqNo"].clone()));
            }
        }
        let kinds = ["Started", "Updated", "Updated", "Ended"];
        let expected: Vec<_> = (0..).zip(kinds).map(|(seq_no, kind)| (json!(kind), json!(seq_no))).collect();
        assert_eq!(events, expected);
    }
}

#[test]
fn what_is_asked_is_understood_and_answered_in_the_same_words() {
    let mut dialect = Dialect::new(Protocol::V201);
    for message in messages().into_iter().take(6) {
        dialect.say(&message, |_| 5);
    }
    let period = json!({"startPeriod": 0, "limit": 16.1});
    let schedule = json!({"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]});
    let profile = json!({"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": [schedule]});
    let part = json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}});
    let mut change = part.clone();
    change["attributeValue"] = json!("60");
    for (action, asked) in [
        ("SetChargingProfile", json!({"evseId": 1, "chargingProfile": profile})),
        ("ClearChargingProfile", json!({"chargingProfileId": 1})),
        ("GetCompositeSchedule", json!({"evseId": 1, "duration": 60})),
        (
            "RequestStartTransaction",
            json!({"evseId": 1, "remoteStartId": 3, "idToken": {"idToken": "X", "type": "Central"}}),
        ),
        ("TriggerMessage", json!({"requestedMessage": "TransactionEvent"})),
        ("Reset", json!({"type": "OnIdle"})),
        ("UnlockConnector", json!({"evseId": 1, "connectorId": 1})),
        ("ChangeAvailability", json!({"operationalStatus": "Inoperative"})),
        ("GetLocalListVersion", json!({})),
        ("SendLocalList", json!({"versionNumber": 1, "updateType": "Full"})),
        ("GetVariables", json!({"getVariableData": [part]})),
        ("SetVariables", json!({"setVariableData": [change]})),
    ] {
        assert_eq!(check_raw(action, &raw(&asked), Protocol::V201), Ok(()), "{action}");
        let (old, payload) = dialect.asked(action, &raw(&asked)).expect(action);
        let read = Command::decode(&old, &payload, AT, Protocol::V16).expect(action);
        assert_eq!(read.deviations, [], "{action}");
    }
    let name = format!("4-{}", AT.micros());
    let stop = raw(&json!({"transactionId": name}));
    let (_, stop) = dialect.asked("RequestStopTransaction", &stop).expect("known");
    assert_eq!(stop.get(), r#"{"transactionId":5}"#);
    assert!(dialect.asked("GetReport", &raw(&json!({}))).is_none());
    let said = reply("GetLocalListVersion", &raw(&json!({})), r#"{"listVersion":3}"#);
    assert_eq!(said, r#"{"versionNumber":3}"#);
}
