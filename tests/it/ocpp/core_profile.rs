//! Core messages: answers, error codes, tolerance.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

async fn error_code(station: &mut FakeStation, action: &'static str, payload: Value) -> String {
    let frame = station.call_frame(action, payload).await;
    assert_eq!(frame[0], 4, "{frame}");
    frame[2].as_str().expect("a code").to_owned()
}

#[actix_web::test]
async fn a_boot_is_answered_and_remembered() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let boot = json!({"chargePointVendor": "Acme", "chargePointModel": "A model name that is far too long for 1.6",
        "firmwareVersion": "1.2", "iccid": "89", "imsi": null});
    let answer = socket.call("BootNotification", boot).await;
    assert_eq!(answer, json!({"status": "Accepted", "currentTime": "2026-04-24T03:06:40.000Z", "interval": 300}));
    let stored = app.client.get(&station.path).await.ok();
    assert_eq!(
        (&stored["bootInfo"]["chargePointVendor"], &stored["bootInfo"]["iccid"]),
        (&json!("Acme"), &json!("89"))
    );
    assert!(!stored["flags"].as_array().expect("flags").is_empty(), "the long model is a deviation: {stored}");
}

#[actix_web::test]
async fn pending_and_rejected_registrations_behave_as_specified() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    app.client.patch(&station.path, json!({"registration": "Rejected"})).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    assert_eq!(socket.boot().await["status"], "Rejected");
    assert_eq!(error_code(&mut socket, "Heartbeat", json!({})).await, "SecurityError");
    let refused = app.client.post(&format!("{}/clear_cache?wait=true", station.path), json!({})).await;
    assert_eq!(refused.error(400), "command_failed");

    app.client.patch(&station.path, json!({"registration": "Pending"})).await.ok();
    assert_eq!(socket.boot().await["status"], "Pending");
    app.client.patch(&station.path, json!({"registration": "Accepted"})).await.ok();
    assert_eq!(socket.boot().await["status"], "Accepted");
}

#[actix_web::test]
async fn a_station_may_go_on_without_a_new_boot() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 100, "2026-04-24T03:00:00Z").await;
    assert!(transaction > 0);
}

#[actix_web::test]
async fn malformed_messages_get_the_right_error_and_keep_the_socket() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    assert_eq!(error_code(&mut socket, "FlyToTheMoon", json!({})).await, "NotImplemented");
    assert_eq!(error_code(&mut socket, "Reset", json!({"type": "Hard"})).await, "NotSupported");
    assert_eq!(error_code(&mut socket, "Authorize", json!({})).await, "OccurenceConstraintViolation");
    assert_eq!(error_code(&mut socket, "Authorize", json!({"idTag": {}})).await, "TypeConstraintViolation");
    assert_eq!(error_code(&mut socket, "Authorize", json!([])).await, "FormationViolation");
    for broken in ["{", "[2]", "[2,\"x\"]", "\"hello\"", "[9,\"x\",{}]", "[3,\"unknown\",{}]", ""] {
        socket.send_text(broken).await;
    }
    let alive = socket.call("Heartbeat", json!({})).await;
    assert!(alive["currentTime"].is_string());
}

#[actix_web::test]
async fn cards_are_judged_by_status_expiry_and_group() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    app.db_token("GOOD", "active", None, Some("FAMILY")).await;
    app.db_token("BAD", "blocked", None, None).await;
    app.db_token("OLD", "active", Some("2026-01-01T00:00:00Z"), None).await;
    let mut socket = FakeStation::connect(&station.url).await;
    for (tag, status) in
        [("good", "Accepted"), ("BAD", "Blocked"), ("OLD", "Expired"), ("NEW", "Invalid"), ("", "Invalid")]
    {
        let info = socket.call("Authorize", json!({"idTag": tag})).await["idTagInfo"].clone();
        assert_eq!(info["status"], status, "{tag}");
        assert_eq!(info.get("parentIdTag").is_some(), tag == "good");
    }
}

#[actix_web::test]
async fn statuses_reach_the_connector_with_any_timestamp() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for (status, timestamp) in [
        ("Available", "2026-04-24T03:06:40Z"),
        ("Preparing", "2026-04-24T05:06:41.123+02:00"),
        ("Charging", "2026-04-24T03:06:42.123456789Z"),
        ("Faulted", "2026-04-24T03:06:43"),
    ] {
        let payload = json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": timestamp});
        assert_eq!(socket.call("StatusNotification", payload).await, json!({}));
        let stored = app.client.get(&station.path).await.ok();
        assert_eq!(stored["connectors"][0]["status"], status);
    }
}
