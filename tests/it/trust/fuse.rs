//! What chargers draw and what they say of it, against the limit of their group: from the socket to the status of the group. The
//! situations themselves are in `src/balancing/situations.rs` and `overdraws.rs`.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

const AT: &str = "2026-04-24T03:06:40Z";

/// A station with one socket for 22 kW in a group of 30 kW, and the path of the group.
async fn grouped(app: &TestApp) -> (TestStation, String) {
    let socket = json!({"type": "Type2", "power": 22, "power_type": "AC_3_PHASE"});
    let station = app.station_with("S", socket).await;
    let location = app
        .client
        .post(
            "/locations",
            json!({"operatorName": "Yard", "coordinates": [4.9, 52.4], "address": {
                "streetAndNumber": "1 Main", "city": "Reno", "postalCode": "89501", "state": "NV", "country": "US"}}),
        )
        .await
        .created();
    let group =
        json!({"name": "G", "location": location["_id"], "maximum_capacity": 30, "minimum_connector_capacity": 1.4});
    let group = app.client.post("/load_management/groups", group).await.created();
    let path = format!("/load_management/groups/{}", group["_id"].as_str().expect("an id"));
    let member = json!({"chargestation": station.id});
    let members = format!("{path}/chargestations");
    app.client.post(&members, member).await.created();
    (station, path)
}

/// What the group warns of now.
async fn warnings(app: &TestApp, path: &str) -> Vec<Value> {
    let status = app.client.get(&format!("{path}/status")).await.ok();
    status["warnings"].as_array().expect("warnings").clone()
}

/// Waits until the group warns of this with these words, and answers the warning: before its value came, it may say less.
async fn warned(app: &TestApp, path: &str, code: &str, words: &str) -> Value {
    let mut found = None;
    app.eventually(async || {
        let of_this = |one: &Value| one["code"] == code && has(one, words);
        found = warnings(app, path).await.into_iter().find(of_this);
        found.is_some()
    })
    .await;
    found.expect("a warning")
}

async fn warned_no_more(app: &TestApp, path: &str, code: &str) {
    let is_gone = async || warnings(app, path).await.iter().all(|one| one["code"] != code);
    app.eventually(is_gone).await;
}

fn has(warning: &Value, words: &str) -> bool {
    warning["message"].as_str().is_some_and(|text| text.contains(words))
}

fn power(watts: i64) -> Value {
    json!([{"timestamp": AT, "sampledValue": [
        {"value": watts.to_string(), "measurand": "Power.Active.Import", "unit": "W"}]}])
}

#[actix_web::test]
async fn values_of_a_connector_that_is_not_set_up_are_warned_of_by_its_number() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let mut socket = FakeStation::connect(&station.url).await;
    let values = json!({"connectorId": 2, "transactionId": 7, "meterValue": power(11_000)});
    assert_eq!(socket.call("MeterValues", values).await, json!({}));
    let warning = warned(&app, &path, "unknown_connector", "11 kW").await;
    assert!(has(&warning, "connector 2 "), "{warning}");
    assert_eq!(warning["chargestation"], station.id);
}

#[actix_web::test]
async fn a_status_of_charging_at_a_connector_that_is_not_set_up_is_taken_for_all_it_can() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let mut socket = FakeStation::connect(&station.url).await;
    let status = |status: &str| json!({"connectorId": 3, "errorCode": "NoError", "status": status, "timestamp": AT});
    socket.call("StatusNotification", status("Charging")).await;
    warned(&app, &path, "unknown_connector", "22 kW").await;
    socket.call("StatusNotification", status("Available")).await;
    warned_no_more(&app, &path, "unknown_connector").await;
}

#[actix_web::test]
async fn a_transaction_at_an_evse_that_is_not_set_up_is_warned_of_until_it_ends() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    let event = |kind: &str, number: u32, watts: f64| {
        json!({"eventType": kind, "timestamp": AT, "triggerReason": "MeterValuePeriodic", "seqNo": number,
            "transactionInfo": {"transactionId": "T1"}, "evse": {"id": 2, "connectorId": 1},
            "meterValue": [{"timestamp": AT, "sampledValue": [
                {"value": watts, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}]}]})
    };
    socket.call("TransactionEvent", event("Started", 0, 7_400.0)).await;
    warned(&app, &path, "unknown_connector", "7.4 kW").await;
    socket.call("TransactionEvent", event("Ended", 1, 0.0)).await;
    warned_no_more(&app, &path, "unknown_connector").await;
}

#[actix_web::test]
async fn a_car_without_a_transaction_is_seen_by_its_meter() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let mut socket = FakeStation::connect(&station.url).await;
    let values = json!({"connectorId": 1, "meterValue": power(11_000)});
    socket.call("MeterValues", values).await;
    let warning = warned(&app, &path, "charges_without_session", "").await;
    assert_eq!(warning["connector"], station.connector);
    let status = app.client.get(&format!("{path}/status")).await.ok();
    assert_eq!(status["members"][0]["drawing"], 11.0);
}

#[actix_web::test]
async fn values_of_an_evse_with_two_connectors_are_of_the_one_that_charges() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let evses = app.client.get("/evses").await.json();
    let second = json!({"type": "CCS2", "power": 22, "evse": evses["result"][0]["_id"]});
    let connectors = format!("{}/connectors", station.path);
    let second = app.client.post(&connectors, second).await.created();
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    let begin = json!({"eventType": "Started", "timestamp": AT, "triggerReason": "CablePluggedIn", "seqNo": 0,
        "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"}, "evse": {"id": 1, "connectorId": 2}});
    socket.call("TransactionEvent", begin).await;
    let value = json!({"value": 7_400, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}});
    let values = json!({"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [value]}]});
    socket.call("MeterValues", values).await;
    app.eventually(async || {
        let status = app.client.get(&format!("{path}/status")).await.ok();
        let members = status["members"].as_array().expect("members");
        let drawing = |member: &&Value| member["drawing"] == 7.4;
        let found = members.iter().find(drawing);
        found.is_some_and(|member| member["connector"] == second["_id"])
    })
    .await;
    let codes: Vec<Value> = warnings(&app, &path).await;
    let free = |one: &Value| one["code"] == "charges_without_session";
    assert!(!codes.iter().any(free), "{codes:?}");
}

#[actix_web::test]
async fn values_that_name_a_transaction_are_of_its_connector() {
    let app = TestApp::start().await;
    let (station, path) = grouped(&app).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let number = socket.start(1, "CARD", 0, AT).await;
    for (connector, watts, kilowatts) in [(0, 5_000, 5.0), (7, 11_000, 11.0)] {
        let values = json!({"connectorId": connector, "transactionId": number, "meterValue": power(watts)});
        socket.call("MeterValues", values).await;
        app.eventually(async || {
            let status = app.client.get(&format!("{path}/status")).await.ok();
            status["members"][0]["drawing"] == kilowatts
        })
        .await;
    }
}
