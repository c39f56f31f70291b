//! The same situations with stations of OCPP 2.

use super::parts::signed;
use super::*;

async fn event(scene: &mut Scene, kind: &str, seq_no: u32, minutes_ago: u64, more: Value) {
    let mut event = json!({"eventType": kind, "timestamp": scene.ago(minutes_ago), "triggerReason": "MeterValuePeriodic",
        "seqNo": seq_no, "transactionInfo": {"transactionId": "tx"}, "evse": {"id": 1, "connectorId": 1}});
    for (name, value) in more.as_object().expect("an object") {
        event[name] = value.clone();
    }
    if event["evse"].is_null() {
        event.as_object_mut().expect("an object").remove("evse");
    }
    scene.socket.call("TransactionEvent", event).await;
}

/// An event with the register.
async fn report(scene: &mut Scene, kind: &str, seq_no: u32, minutes_ago: u64, register: i64, context: &str) {
    let values = json!({"meterValue": [{"timestamp": scene.ago(minutes_ago), "sampledValue": [
        {"value": register, "context": context, "measurand": REGISTER}]}]});
    event(scene, kind, seq_no, minutes_ago, values).await;
}

async fn sampled(scene: &mut Scene, seq_no: u32, minutes_ago: u64, register: i64) {
    let context = "Sample.Periodic";
    report(scene, "Updated", seq_no, minutes_ago, register, context).await;
}

#[actix_web::test]
async fn in_2_an_end_at_zero_keeps_what_readings_showed() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 500_000, "Transaction.Begin").await;
    report(&mut scene, "Updated", 1, 30, 508_000, "Sample.Periodic").await;
    report(&mut scene, "Ended", 2, 0, 0, "Transaction.End").await;
    let session = scene.sessions().await.remove(0);
    assert_eq!((energy(&session), amount(&session)), (8_000, 3.2));
}

#[actix_web::test]
async fn in_2_a_register_that_restarts_goes_on() {
    let mut scene = Scene::speaking("ocpp2.1").await;
    report(&mut scene, "Started", 0, 60, 500_000, "Transaction.Begin").await;
    for (seq_no, minutes, register) in [(1, 50, 503_000), (2, 40, 100), (3, 30, 2_000)] {
        sampled(&mut scene, seq_no, minutes, register).await;
    }
    report(&mut scene, "Ended", 4, 20, 3_000, "Transaction.End").await;
    assert_eq!(energy(&scene.sessions().await.remove(0)), 6_000);
}

#[actix_web::test]
async fn in_2_one_wild_value_does_not_stay() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 1_000, "Transaction.Begin").await;
    for (seq_no, minutes, register) in [(1, 50, 2_000), (2, 40, 9_999_999_999), (3, 30, 4_000)] {
        sampled(&mut scene, seq_no, minutes, register).await;
    }
    assert_eq!(energy(&scene.sessions().await.remove(0)), 3_000);
}

#[actix_web::test]
async fn in_2_what_comes_after_the_end_changes_no_bill() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 1_000, "Transaction.Begin").await;
    report(&mut scene, "Ended", 3, 10, 6_000, "Transaction.End").await;
    let ended = scene.sessions().await.remove(0);
    report(&mut scene, "Updated", 1, 40, 3_000, "Sample.Periodic").await;
    report(&mut scene, "Updated", 4, 5, 9_000, "Sample.Periodic").await;
    let after = scene.sessions().await.remove(0);
    assert_eq!((energy(&after), &after["cost"]), (5_000, &ended["cost"]));
}

#[actix_web::test]
async fn in_2_a_session_whose_evse_is_not_known_is_measured_all_the_same() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    for (kind, seq_no, minutes, register) in [("Started", 0, 60, 1_000), ("Updated", 1, 30, 4_000)] {
        let values = json!({"evse": null, "meterValue": [{"timestamp": scene.ago(minutes), "sampledValue": [
            {"value": register, "measurand": REGISTER}]}]});
        event(&mut scene, kind, seq_no, minutes, values).await;
    }
    assert_eq!(energy(&scene.sessions().await.remove(0)), 3_000);
}

#[actix_web::test]
async fn in_2_values_outside_of_events_count_for_the_session() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 1_000, "Transaction.Begin").await;
    let values = json!({"evseId": 1, "meterValue": [{"timestamp": scene.ago(30), "sampledValue": [
        {"value": 3_000, "measurand": REGISTER}]}]});
    scene.socket.call("MeterValues", values).await;
    assert_eq!(energy(&scene.sessions().await.remove(0)), 2_000);
}

#[actix_web::test]
async fn in_2_clock_aligned_lifetime_values_do_not_mix_in() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 0, "Transaction.Begin").await;
    report(&mut scene, "Updated", 1, 40, 2_000, "Sample.Periodic").await;
    let values = json!({"evseId": 1, "meterValue": [{"timestamp": scene.ago(30), "sampledValue": [
        {"value": 7_654_321, "context": "Sample.Clock", "measurand": REGISTER}]}]});
    scene.socket.call("MeterValues", values).await;
    report(&mut scene, "Ended", 2, 20, 4_000, "Transaction.End").await;
    assert_eq!(energy(&scene.sessions().await.remove(0)), 4_000);
}

#[actix_web::test]
async fn signed_data_of_2_is_kept_with_its_encoding_and_key() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    let value = json!({"value": 1500, "context": "Transaction.End", "measurand": REGISTER, "signedMeterValue":
        {"signedMeterData": signed("End"), "signingMethod": "ECDSA", "encodingMethod": "OCMF", "publicKey": "oca:base16:asn1:3059"}});
    report(&mut scene, "Started", 0, 20, 1_000, "Transaction.Begin").await;
    let ended = json!({"meterValue": [{"timestamp": scene.ago(1), "sampledValue": [value]}]});
    event(&mut scene, "Ended", 1, 1, ended).await;
    let session = scene.sessions().await.remove(0);
    assert_eq!(energy(&session), 500);
    let evidence = scene.part(&session, "/evidence").await.ok();
    let one = &evidence[0];
    assert_eq!(one["signed_data"], json!(signed("End")));
    assert_eq!(one["encoding"], "OCMF");
    assert_eq!(one["signing_method"], "ECDSA");
    assert_eq!(one["public_key"], "oca:base16:asn1:3059");
}

// ---- which register is that of the end

async fn ended_with(scene: &mut Scene, sampled: Value) -> i64 {
    let at = scene.ago(0);
    let values = json!({"meterValue": [{"timestamp": at, "sampledValue": sampled}]});
    event(scene, "Ended", 9, 0, values).await;
    energy(&scene.sessions().await.remove(0))
}

#[actix_web::test]
async fn in_2_the_end_is_what_is_reported_as_such_and_not_what_is_aligned_to_the_clock() {
    let end = json!({"value": 2_000, "context": "Transaction.End"});
    let clock = json!({"value": 12_000, "context": "Sample.Clock"});
    for sampled in [json!([end, clock]), json!([clock, end])] {
        let mut scene = Scene::speaking("ocpp2.0.1").await;
        report(&mut scene, "Started", 0, 60, 0, "Transaction.Begin").await;
        assert_eq!(ended_with(&mut scene, sampled.clone()).await, 2_000);
        let mut scene = Scene::speaking("ocpp2.0.1").await;
        report(&mut scene, "Started", 0, 60, 0, "Transaction.Begin").await;
        report(&mut scene, "Updated", 1, 30, 1_000, "Sample.Periodic").await;
        assert_eq!(ended_with(&mut scene, sampled).await, 2_000);
    }
}

#[actix_web::test]
async fn in_2_a_signed_value_beside_a_plain_one_may_be_left_at_zero() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    report(&mut scene, "Started", 0, 60, 500_000, "Transaction.Begin").await;
    let blob =
        json!({"signedMeterData": "T0NNRg==", "signingMethod": "ECDSA", "encodingMethod": "OCMF", "publicKey": "ab"});
    let sampled = json!([{"value": 508_000, "context": "Transaction.End"},
        {"value": 0, "context": "Transaction.End", "signedMeterValue": blob}]);
    assert_eq!(ended_with(&mut scene, sampled).await, 8_000);
}

#[actix_web::test]
async fn in_2_a_plug_that_is_reported_late_bounds_what_was_counted_before() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    for (kind, seq_no, minutes, register) in [("Started", 0, 5, 0), ("Updated", 1, 0, 60_000)] {
        let values = json!({"evse": null, "meterValue": [{"timestamp": scene.ago(minutes), "sampledValue": [
            {"value": register, "measurand": REGISTER}]}]});
        event(&mut scene, kind, seq_no, minutes, values).await;
    }
    event(&mut scene, "Updated", 2, 0, json!({})).await;
    let session = scene.sessions().await.remove(0);
    // 24.2 kW for five minutes and two of room.
    assert_eq!(energy(&session), 2_823);
    assert_eq!(session["metrics"]["energyUnproven"], 57_177);
}
