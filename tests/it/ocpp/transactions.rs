//! Transactions: exactly once, however they are reported.

use serde_json::json;

use crate::support::{FakeStation, TestApp};

const AT: &str = "2026-04-24T03:00:00Z";

#[actix_web::test]
async fn a_transaction_becomes_a_session_with_its_readings() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 1_000, AT).await;
    let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [{
        "timestamp": "2026-04-24T03:05:00Z",
        "sampledValue": [{"value": " 1.5", "unit": "kWh"}, {"value": "7.0", "measurand": "Power.Active.Import", "unit": "kW"},
            {"value": "55", "measurand": "SoC", "unit": "Percent"}],
    }]});
    assert_eq!(socket.call("MeterValues", values.clone()).await, json!({}));
    assert_eq!(socket.call("MeterValues", values).await, json!({}), "reported twice, kept once");

    let session = app.client.get("/sessions").await.json()["result"][0].clone();
    assert_eq!((&session["status"], &session["metrics"]["energyConsumed"]), (&json!("started"), &json!(500)));
    assert_eq!(session["energy_report"]["power"], json!({"value": 7.0, "unit": "kW"}));
    let path = format!("/sessions/{}", session["_id"].as_str().unwrap());
    assert_eq!(app.client.get(&format!("{path}/energy_reports")).await.ok().as_array().map(Vec::len), Some(1));

    let stop = json!({"transactionId": transaction, "idTag": "TAG", "meterStop": 1_600, "timestamp": "2026-04-24T03:06:00Z",
        "reason": "EVDisconnected"});
    socket.call("StopTransaction", stop).await;
    let ended = app.client.get(&path).await.ok();
    assert_eq!((&ended["status"], &ended["metrics"]["energyConsumed"]), (&json!("ended"), &json!(600)));
    assert_eq!(ended["metrics"]["chargingStopReason"], "EVDisconnected");
    let kinds = app.event_types().await;
    let recorded: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("session.")).collect();
    assert_eq!(recorded, ["session.started", "session.updated", "session.ended"]);
}

#[actix_web::test]
async fn a_repeated_start_gets_the_same_number_and_a_repeated_stop_is_accepted() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let first = socket.start(1, "TAG", 5, AT).await;
    socket.drop_link().await;
    let mut socket = FakeStation::connect(&station.url).await;
    assert_eq!(socket.start(1, "TAG", 5, AT).await, first);
    for _ in 0..2 {
        let stop = json!({"transactionId": first, "meterStop": 9, "timestamp": AT});
        socket.call("StopTransaction", stop).await;
    }
    assert_eq!(app.client.get("/sessions").await.json()["totalDocs"], 1);
}

#[actix_web::test]
async fn unknown_stops_are_accepted_and_kept_once() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for id in [0, -1, 77, 77] {
        let stop = json!({"transactionId": id, "meterStop": 9, "timestamp": AT, "idTag": "X"});
        assert_eq!(socket.call("StopTransaction", stop).await, json!({"idTagInfo": {"status": "Invalid"}}));
    }
    let orphans = app.client.get("/sessions?orphan=true").await.json();
    assert_eq!(orphans["totalDocs"], 3);
}

#[actix_web::test]
async fn transactions_of_the_past_are_accepted_late_and_a_new_start_ends_the_old() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let yesterday = socket.start(1, "TAG", 0, "2026-04-23T10:00:00Z").await;
    let stop = json!({"transactionId": yesterday, "meterStop": 4_000, "timestamp": "2026-04-23T11:00:00Z"});
    socket.call("StopTransaction", stop).await;
    let lost = socket.start(1, "TAG", 4_000, AT).await;
    socket.start(1, "TAG", 4_100, "2026-04-24T03:02:00Z").await;
    let sessions = app.client.get("/sessions?sort_by=chargingStart&sort_order=asc").await.json();
    let reasons: Vec<_> = (0..3).map(|i| sessions["result"][i]["metrics"]["chargingStopReason"].clone()).collect();
    assert_eq!(reasons, [json!("Local"), json!("Assumed: another transaction started"), json!(null)]);
    let late =
        json!({"transactionId": lost, "meterStop": 4_090, "timestamp": "2026-04-24T03:01:00Z", "reason": "PowerLoss"});
    socket.call("StopTransaction", late).await;
    let corrected = app.client.get("/sessions?sort_by=chargingStart&sort_order=asc").await.json();
    assert_eq!(corrected["result"][1]["metrics"]["chargingStopReason"], "PowerLoss");
    assert_eq!(corrected["result"][1]["metrics"]["energyConsumed"], 90);
}
