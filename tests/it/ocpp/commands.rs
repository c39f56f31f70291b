//! Commands over the API reach the station, one at a time, and their outcome comes back.

use serde_json::json;

use crate::support::{FakeStation, TestApp};

#[actix_web::test]
async fn a_command_waits_for_the_station_and_is_kept_as_an_action() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let offline = app.client.post(&format!("{}/reset", station.path), json!({"type": "Soft"})).await;
    assert_eq!(offline.error(406), "station_offline");
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;

    let (client, path) = (app.client.clone(), format!("{}/reset", station.path));
    let asked = actix_web::rt::spawn(async move { client.post(&path, json!({"type": "Soft"})).await });
    let call = socket.next_call().await;
    assert_eq!((&call[2], &call[3]), (&json!("Reset"), &json!({"type": "Soft"})));
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let action = asked.await.expect("answered").ok();
    assert_eq!((&action["type"], &action["status"]), (&json!("chargestation.reset"), &json!("completed")));
    let wrong = app.client.post(&format!("{}/reset", station.path), json!({"type": "OnIdle"})).await;
    assert_eq!(wrong.faulty_fields(), ["type"]);
}

#[actix_web::test]
async fn raw_ocpp_is_checked_before_it_is_sent() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let path = format!("{}/ocpp", station.path);
    let wrong = json!({"action": "ChangeConfiguration", "payload": {"key": "K"}});
    assert_eq!(app.client.post(&path, wrong).await.error(422), "invalid_body");
    let right = json!({"action": "GetConfiguration", "payload": {"key": ["HeartbeatInterval"]}});
    let client = app.client.clone();
    let asked = actix_web::rt::spawn(async move { client.post(&path, right).await });
    let call = socket.next_call().await;
    socket
        .answer(&call, json!({"configurationKey": [{"key": "HeartbeatInterval", "readonly": false, "value": "300"}]}))
        .await;
    let action = asked.await.expect("answered").ok();
    assert_eq!(action["response_data"]["configurationKey"][0]["value"], "300");
    let limited = app.client_with(&["write:chargestations"]).await;
    let path = format!("{}/ocpp", station.path);
    assert_eq!(limited.post(&path, json!({"action": "ClearCache", "payload": {}})).await.error(403), "forbidden");
}

#[actix_web::test]
async fn a_pending_command_ends_at_once_when_the_link_drops() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let (client, path) = (app.client.clone(), format!("{}/clear_cache?wait=true", station.path));
    let asked = actix_web::rt::spawn(async move { client.post(&path, json!({})).await });
    socket.next_call().await;
    socket.drop_link().await;
    assert_eq!(asked.await.expect("answered").error(406), "station_offline");
}

#[actix_web::test]
async fn a_session_by_api_starts_runs_and_stops() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let body = json!({"connector": station.connector, "target": {"energy": 1}});
    let session = app.client.post("/sessions", body).await.created();
    assert_eq!(session["status"], "created");
    let call = socket.next_call().await;
    assert_eq!(call[2], "RemoteStartTransaction");
    let tag = call[3]["idTag"].as_str().expect("a tag").to_owned();
    assert!(tag.len() <= 16, "{tag}");
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let started = json!({"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": "2026-04-24T02:50:00Z"});
    let answer = socket.call("StartTransaction", started).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted");
    let path = format!("/sessions/{}", session["_id"].as_str().unwrap());
    assert_eq!(app.client.get(&path).await.ok()["status"], "started");

    let values = json!({"connectorId": 1, "transactionId": answer["transactionId"], "meterValue": [
        {"timestamp": "2026-04-24T03:06:41Z", "sampledValue": [{"value": "1200"}]}]});
    socket.call("MeterValues", values).await;
    let stop = socket.next_call().await;
    assert_eq!((&stop[2], &stop[3]["transactionId"]), (&json!("RemoteStopTransaction"), &answer["transactionId"]));
    socket.answer(&stop, json!({"status": "Accepted"})).await;
    let payload = json!({"transactionId": answer["transactionId"], "meterStop": 1200, "timestamp": "2026-04-24T03:06:42Z",
        "reason": "Remote"});
    socket.call("StopTransaction", payload).await;
    assert_eq!(app.client.get(&path).await.ok()["status"], "ended");
}

#[actix_web::test]
async fn a_refused_start_cancels_the_session() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let session = app.client.post("/sessions", json!({"connector": station.connector})).await.created();
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Rejected"})).await;
    let path = format!("/sessions/{}", session["_id"].as_str().unwrap());
    app.eventually(async || app.client.get(&path).await.ok()["status"] == "cancelled").await;
    assert!(app.event_types().await.contains(&"session.start_failure".to_owned()));
}

#[actix_web::test]
async fn a_stop_that_fails_and_a_car_that_is_full_are_recorded() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    socket.start(1, "CARD", 0, "2026-04-24T03:06:40Z").await;
    let mut at = 0;
    for status in ["Charging", "SuspendedEV", "Charging", "SuspendedEV"] {
        at += 1;
        let report = json!({"connectorId": 1, "status": status, "errorCode": "NoError",
            "timestamp": format!("2026-04-24T03:07:0{at}Z")});
        socket.call("StatusNotification", report).await;
    }
    let listed = app.client.get("/sessions").await.json();
    let id = listed["result"][0]["_id"].as_str().expect("an id").to_owned();
    let stop = format!("/sessions/{id}/stop");
    assert_eq!(app.client.post(&stop, json!({})).await.status, 200);
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Rejected"})).await;

    let reported = async || app.client.get("/events?type=session.stop_failure").await.json();
    app.eventually(async || reported().await["result"] != json!([])).await;
    let failed = reported().await["result"][0].clone();
    assert_eq!((&failed["data"]["_id"], &failed["data"]["status"]), (&json!(id), &json!("started")));
    let charged = app.client.get("/events?type=session.ev_charged").await.json();
    let charged: Vec<_> = charged["result"].as_array().expect("events").iter().collect();
    assert_eq!(charged.len(), 1);
    assert_eq!(charged[0]["data"]["metrics"]["chargingState"], "SuspendedEV");
}
