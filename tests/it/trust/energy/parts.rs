//! Readings of one instant that come in parts, and what is signed in them.

use super::*;

#[actix_web::test]
async fn elements_with_a_measurand_each_make_one_reading() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let at = scene.ago(1);
    let one = |value: &str, measurand: &str, unit: &str| json!({"timestamp": at, "sampledValue": [{"value": value, "measurand": measurand, "unit": unit}]});
    let values = json!([one("5000", REGISTER, "Wh"), one("6900", POWER, "W"), one("55", "SoC", "Percent")]);
    scene.report_raw(Some(transaction), values).await;
    let session = scene.session(transaction).await;
    assert_eq!(energy(&session), 5_000);
    let reports = scene.part(&session, "/energy_reports").await.ok();
    let row = json!([{"timestamp": at, "power": {"value": 6.9, "unit": "kW"},
        "energy_meter": {"value": 5000, "unit": "Wh"}, "state_of_charge": {"value": 55, "unit": "Percent"}}]);
    assert_eq!(reports, row);
    assert_eq!(session["energy_report"], row[0]);
}

#[actix_web::test]
async fn messages_with_a_measurand_each_make_one_reading() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    for (value, measurand, unit) in [("5000", REGISTER, "Wh"), ("6900", POWER, "W"), ("55", "SoC", "Percent")] {
        let values = [(value, measurand, unit, "Sample.Periodic")];
        scene.report(Some(transaction), 1, &values).await;
    }
    let session = scene.session(transaction).await;
    let reports = scene.part(&session, "/energy_reports").await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(1), "{reports}");
    assert_eq!(reports[0]["energy_meter"]["value"], 5_000);
    assert_eq!(reports[0]["power"]["value"], 6.9);
    assert_eq!(reports[0]["state_of_charge"]["value"], 55);
    assert_eq!(session["energy_report"], reports[0]);
}

#[actix_web::test]
async fn the_latest_report_keeps_each_measurand_with_its_own_time() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let charge = [("55", "SoC", "Percent", "Sample.Periodic")];
    scene.report(Some(transaction), 9, &charge).await;
    scene.reads(transaction, 5, 1_000).await;
    let report = scene.session(transaction).await["energy_report"].clone();
    assert_eq!(report["timestamp"], scene.ago(5));
    assert_eq!(report["energy_meter"], json!({"value": 1_000, "unit": "Wh"}));
    let kept = json!({"value": 55, "unit": "Percent", "timestamp": scene.ago(9)});
    assert_eq!(report["state_of_charge"], kept);
}

// Signed data.

#[actix_web::test]
async fn a_clock_that_stands_still_hides_no_reading() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    for register in ["1000", "2000", "3000"] {
        let values = json!([{"timestamp": "2024-01-01T00:00:00Z", "sampledValue": [{"value": register}]}]);
        scene.report_raw(Some(transaction), values).await;
        scene.app.pass(Duration::from_secs(300)).await;
    }
    let session = scene.session(transaction).await;
    assert_eq!(energy(&session), 3_000);
    let reports = scene.part(&session, "/energy_reports").await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(3));
}

#[actix_web::test]
async fn a_power_that_was_reported_counts_more_than_one_that_was_derived() {
    let current = ("10", "Current.Import", "A", "Sample.Periodic");
    let power = ("2100", POWER, "W", "Sample.Periodic");
    for order in [[current, power], [power, current]] {
        let mut scene = Scene::new().await;
        let transaction = scene.start(0, 15).await;
        for value in order {
            scene.report(Some(transaction), 5, &[value]).await;
        }
        let session = scene.session(transaction).await;
        let reports = scene.part(&session, "/energy_reports").await.ok();
        assert_eq!(reports.as_array().map(Vec::len), Some(1), "{reports}");
        assert_eq!(reports[0]["power"]["value"], 2.1);
        assert_eq!(reports[0]["current"]["value"], 10.0);
        assert_eq!(session["energy_report"]["power"]["value"], 2.1);
    }
}

pub(super) fn signed(word: &str) -> String {
    format!("OCMF|{{\"FV\":\"1.0\",\"GI\":\"ü \\\\ \",\"word\":\"{word}\"}}|{{\"SD\":\"3045\"}}")
}

#[actix_web::test]
async fn signed_data_of_1_6_is_kept_byte_for_byte() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let element = |at: String, word: &str| {
        json!([{"timestamp": at, "sampledValue": [{"value": signed(word), "format": "SignedData",
            "context": format!("Transaction.{word}"), "measurand": REGISTER}]}])
    };
    let begin = element(scene.ago(14), "Begin");
    for _ in 0..2 {
        scene.report_raw(Some(transaction), begin.clone()).await; // reported twice, kept once
    }
    let stop = json!({"transactionId": transaction, "meterStop": 5_000, "timestamp": scene.ago(0),
        "transactionData": element(scene.ago(1), "End")});
    scene.socket.call("StopTransaction", stop).await;
    let session = scene.session(transaction).await;
    assert_eq!(energy(&session), 5_000);
    assert_flag(&session, "signed_data");
    let evidence = scene.part(&session, "/evidence").await.ok();
    let reported: Vec<(&Value, &Value)> =
        evidence.as_array().expect("a list").iter().map(|one| (&one["context"], &one["signed_data"])).collect();
    let expected = ["Begin", "End"].map(|word| (json!(format!("Transaction.{word}")), json!(signed(word))));
    let expected: Vec<(&Value, &Value)> = expected.iter().map(|(context, data)| (context, data)).collect();
    assert_eq!(reported, expected);
    assert_eq!(evidence[0]["format"], "SignedData");
    assert_eq!(evidence[0]["timestamp"], scene.ago(14));
    assert_eq!(evidence[0]["received_at"], scene.ago(0));
    let reports = scene.part(&session, "/energy_reports").await.ok();
    assert_eq!(reports[1]["signed_data"]["value"], signed("End"));
}

#[actix_web::test]
async fn evidence_is_shown_to_its_organization_alone() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let session = scene.session(transaction).await;
    assert_eq!(scene.part(&session, "/evidence").await.ok(), json!([]));
    let path = format!("/sessions/{}/evidence", session["_id"].as_str().expect("an id"));
    let stranger = scene.app.stranger().await;
    assert_eq!(stranger.get(&path).await.error(404), "not_found");
    let blind = scene.app.client_with(&["read:locations"]).await;
    assert_eq!(blind.get(&path).await.error(403), "forbidden");
}

// ---- values without the transaction, beside those with it

#[actix_web::test]
async fn a_lifetime_without_transaction_and_context_does_not_mix_with_that_of_the_transaction() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    let mut register = 0;
    for minutes in (1..=11).rev().map(|step| step * 5) {
        register += 300;
        scene.reads(transaction, minutes, register).await;
        let lifetime = |more: i64| (50_000 + register + more).to_string();
        let value = |more| json!({"timestamp": scene.ago(minutes - 1), "sampledValue": [{"value": lifetime(more)}]});
        let reported = [value(0), value(50)];
        for one in reported {
            scene.report_raw(None, json!([one])).await;
        }
    }
    let session = scene.stop(transaction, register, 0).await;
    assert_eq!(energy(&session), 3_300);
}

#[actix_web::test]
async fn the_begin_may_be_reported_after_the_end_with_its_time() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let at = scene.ago(0);
    let data = json!([{"timestamp": at, "sampledValue": [
        {"value": "7914700", "context": "Transaction.End"}, {"value": "7912760", "context": "Transaction.Begin"}]}]);
    let stop = json!({"transactionId": transaction, "meterStop": 7_914_700, "timestamp": at, "transactionData": data});
    scene.socket.call("StopTransaction", stop).await;
    assert_eq!(energy(&scene.session(transaction).await), 1_940);
}

#[actix_web::test]
async fn intervals_of_less_than_a_watt_hour_add_up() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for minutes in 1..=20 {
        let values = [("0.4", INTERVAL, "Wh", "Sample.Periodic")];
        scene.report(Some(transaction), 59 - minutes, &values).await;
    }
    assert_eq!(energy(&scene.session(transaction).await), 8);
}
