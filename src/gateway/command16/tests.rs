//! Limits in every form, and payloads by hand.

use super::*;
use crate::gateway::ladder::is_possible;
use crate::sites::stations::link::Command as Asked;
use kernel::{Millivolts, PhaseSet, Watts};

fn live(limit: Watts, in_amps: bool) -> Asked {
    Asked::SetLimit(SetLimit {
        connector: 1,
        limit,
        purpose: LimitPurpose::Live,
        voltage: Millivolts(230_000),
        phases: PhaseSet::ALL,
        offered: PhaseSet::ALL,
        transaction: Some(7),
        sole: true,
        in_amps,
        duration_seconds: Some(300),
        lowers: true,
        escalate: false,
    })
}

fn profile(command: &crate::sites::stations::link::Command, form: usize) -> Value {
    let wire = build(command, form, Timestamp::from_unix_seconds(1_000)).expect("built");
    serde_json::from_str::<Value>(&wire.payload).expect("JSON")["csChargingProfiles"].clone()
}

#[test]
fn a_live_limit_rounds_down_to_tenths_of_an_amp_and_lives_from_a_minute_ago() {
    let profile = profile(&live(Watts(11_150), true), 0);
    let schedule = &profile["chargingSchedule"];
    assert_eq!(schedule["chargingSchedulePeriod"][0]["limit"].to_string(), "16.1");
    assert_eq!((&schedule["chargingRateUnit"], &schedule["duration"]), (&json!("A"), &json!(360)));
    assert_eq!(schedule["startSchedule"], "1970-01-01T00:15:40.000Z");
    assert_eq!(profile["stackLevel"], 2);
    assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
}

#[test]
fn the_ladder_changes_level_and_unit_and_never_lets_a_replaced_fallback_run_out() {
    let low = profile(&live(Watts(7_000), true), 1);
    assert_eq!((&low["stackLevel"], low["chargingSchedule"].get("duration")), (&json!(0), None));
    let watts = profile(&live(Watts(7_000), true), 2);
    assert_eq!(watts["chargingSchedule"]["chargingRateUnit"], "W");
    assert_eq!(watts["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64(), Some(7000.0));
}

#[test]
fn stations_that_take_no_default_get_limits_of_the_transaction_or_of_the_whole_station() {
    let command = live(Watts(11_040), true);
    let of_transaction = profile(&command, 4);
    assert_eq!(of_transaction["chargingProfilePurpose"], "TxProfile");
    assert_eq!(of_transaction["transactionId"], 7);
    let for_ever = of_transaction["chargingSchedule"].get("duration").is_none();
    assert!(for_ever, "nothing is below it");
    let of_station = build(&command, 6, Timestamp::from_unix_seconds(1_000)).expect("built");
    let payload: Value = serde_json::from_str(&of_station.payload).expect("JSON");
    let purpose = &payload["csChargingProfiles"]["chargingProfilePurpose"];
    assert_eq!((&payload["connectorId"], purpose), (&json!(0), &json!("ChargePointMaxProfile")));

    let Asked::SetLimit(limit) = command else { unreachable!("it is one") };
    let possible = |transaction, sole| {
        let limit = Asked::SetLimit(SetLimit { transaction, sole, ..limit.clone() });
        (0..8).filter(|form| is_possible(&limit, *form)).collect::<Vec<_>>()
    };
    assert_eq!(possible(None, false), [0, 1, 2, 3]);
    assert_eq!(possible(Some(7), false), [0, 1, 2, 3, 4, 5]);
    assert_eq!(possible(None, true), [0, 1, 2, 3, 6, 7]);
}

#[test]
fn raw_payloads_are_checked_and_kept_as_they_are() {
    let ask = |action: &str, payload: Value| {
        let command = crate::sites::stations::link::Command::Raw { action: action.into(), payload };
        build(&command, 0, Timestamp::default())
    };
    assert_eq!(ask("Reset", json!({"type": "Soft"})).expect("valid").payload, r#"{"type":"Soft"}"#);
    for (action, payload) in
        [("Reset", json!({"type": "Gentle"})), ("Reset", json!({})), ("Heartbeat", json!({})), ("Nonsense", json!({}))]
    {
        assert!(matches!(ask(action, payload), Err(LinkError::Invalid(_))), "{action}");
    }
}
