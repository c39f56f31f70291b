//! Limits in every form, names of parts and transactions, and what is not said to whom.

use super::*;
use crate::sites::stations::link::Command as Asked;
use kernel::{ConnectorId, CountingIds, Millivolts, PhaseSet, Timestamp as At, Watts};

fn names(version: Protocol) -> Names {
    let ids = CountingIds::default();
    let connector = || ConnectorId::new(&ids, At::default());
    Names {
        version,
        layout: Layout::new([(connector(), 1, 1), (connector(), 2, 2), (connector(), 3, 2)]),
        transaction: Some("tx-7".to_owned()),
    }
}

fn limit(connector: i32, purpose: LimitPurpose) -> Asked {
    Asked::SetLimit(SetLimit {
        connector,
        limit: Watts(11_150),
        purpose,
        voltage: Millivolts(230_000),
        phases: PhaseSet::ALL,
        offered: PhaseSet::ALL,
        transaction: Some(7),
        sole: false,
        in_amps: true,
        duration_seconds: Some(300),
        lowers: true,
        escalate: false,
    })
}

fn said(command: &Asked, form: usize, version: Protocol) -> Value {
    let now = At::from_unix_seconds(1_000);
    let wire = build(command, form, &names(version), now).expect("built");
    serde_json::from_str(&wire.payload).expect("JSON")
}

#[test]
fn a_live_limit_is_a_default_profile_of_its_evse_and_ends_offline_where_that_can_be_said() {
    let old = said(&limit(1, LimitPurpose::Live), 0, Protocol::V201);
    let profile = &old["chargingProfile"];
    assert_eq!((&old["evseId"], &profile["id"]), (&json!(1), &json!(10_001)));
    assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
    let schedule = &profile["chargingSchedule"][0];
    assert_eq!(schedule["chargingSchedulePeriod"][0]["limit"].to_string(), "16.1");
    assert_eq!(schedule["duration"], 360);
    assert_eq!(profile.get("maxOfflineDuration"), None);
    let new = said(&limit(1, LimitPurpose::Live), 0, Protocol::V21);
    assert_eq!(new["chargingProfile"]["maxOfflineDuration"], 360);
}

#[test]
fn connectors_that_share_an_evse_share_its_profiles_and_limit_their_transactions() {
    let live = limit(3, LimitPurpose::Live);
    assert!(names(Protocol::V201).shares_its_evse(&live));
    let said = said(&live, 4, Protocol::V201);
    let profile = &said["chargingProfile"];
    assert_eq!((&said["evseId"], &profile["id"]), (&json!(2), &json!(10_002)));
    assert_eq!((&profile["chargingProfilePurpose"], &profile["transactionId"]), (&json!("TxProfile"), &json!("tx-7")));
}

#[test]
fn parts_and_transactions_have_the_names_of_the_station() {
    let unlock = said(&Asked::UnlockConnector { connector: 3 }, 0, Protocol::V201);
    assert_eq!(unlock, json!({"evseId": 2, "connectorId": 2}));
    let stop = said(&Asked::StopCharging { transaction: 7 }, 0, Protocol::V201);
    assert_eq!(stop, json!({"transactionId": "tx-7"}));
    let all = Asked::ChangeAvailability { connector: 0, operative: false };
    let out = said(&all, 0, Protocol::V201);
    assert_eq!(out, json!({"operationalStatus": "Inoperative"}));
}

#[test]
fn what_came_with_2_1_is_never_said_to_2_0_1() {
    let raw = |action: &str, payload: Value, version| {
        let asked = Asked::Raw { action: action.to_owned(), payload };
        build(&asked, 0, &names(version), At::default()).map(drop)
    };
    let refused = |action, payload: Value| {
        assert_eq!(raw(action, payload.clone(), Protocol::V21), Ok(()), "{action}");
        assert!(raw(action, payload, Protocol::V201).is_err(), "{action}");
    };
    refused("ClearTariffs", json!({}));
    refused("Reset", json!({"type": "ImmediateAndResume"}));
    refused("TriggerMessage", json!({"requestedMessage": "Heartbeat", "customTrigger": "x"}));
    let long = "4".repeat(100);
    let token = json!({"idToken": long, "type": "Central"});
    refused("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1}));
    for version in [Protocol::V201, Protocol::V21] {
        assert!(raw("GetVariables", json!({"getVariableData": []}), version).is_err());
        assert!(raw("StatusNotification", json!({}), version).is_err());
        let own = json!({"type": "OnIdle", "customData": {"vendorId": "acme", "x": 1}});
        assert_eq!(raw("Reset", own, version), Ok(()));
    }
}

#[test]
fn a_local_list_is_read_in_the_form_of_any_version() {
    let list = Asked::SendLocalList {
        version: 3,
        full: true,
        entries: vec![
            json!({"idTag": "04A1B2C3", "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}),
            json!({"idToken": {"idToken": "x", "type": "KeyCode"}}),
            json!({"idTag": "12345678", "type": "KeyCode", "idTagInfo": {"status": "Accepted"}}),
            json!({"idTag": "12345678", "type": "eMAID"}),
        ],
    };
    let said = said(&list, 0, Protocol::V201);
    let cards = &said["localAuthorizationList"];
    assert_eq!(cards[0]["idToken"], json!({"idToken": "04A1B2C3", "type": "ISO14443"}));
    assert_eq!(cards[0]["idTokenInfo"]["groupIdToken"]["idToken"], "FLEET");
    assert_eq!(cards[1]["idToken"]["type"], "KeyCode");
    assert_eq!(cards[2]["idToken"], json!({"idToken": "12345678", "type": "KeyCode"}));
    assert_eq!(cards[3]["idToken"]["type"], "eMAID");
}

#[test]
fn a_token_is_told_with_its_type_which_is_guessed_where_it_is_not_known() {
    for (token_type, told) in [(Some("KeyCode"), "KeyCode"), (None, "ISO14443")] {
        let start = Asked::StartCharging { connector: None, id_tag: "12345678".to_owned(), token_type, request: 1 };
        let said = said(&start, 0, Protocol::V201);
        assert_eq!(said["idToken"], json!({"idToken": "12345678", "type": told}));
    }
}
