//! What is shown of a station is what is known of it, and says so where nothing is.

use std::time::Duration;

use serde_json::{Value, json};

use super::text;
use crate::support::{FakeStation, TestApp};

#[actix_web::test]
async fn connectors_of_a_station_that_is_gone_say_since_when_nothing_is_known() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("/connectors/{}", station.connector);
    let never = app.client.get(&path).await.ok();
    assert_eq!(never["status_unknown_since"], never["createdAt"]);

    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    app.pass(Duration::from_secs(3_600)).await;
    let reported = json!({"connectorId": 1, "errorCode": "NoError", "status": "Charging"});
    socket.call("StatusNotification", reported).await;
    let heard_at = app.running.context.clock.now().to_string();
    let here = app.client.get(&path).await.ok();
    assert_eq!((&here["status"], &here["status_unknown_since"]), (&json!("Charging"), &Value::Null));

    app.pass(Duration::from_secs(600)).await;
    socket.drop_link().await;
    app.eventually(async || app.client.get(&station.path).await.ok()["online"] == false).await;
    let gone = app.client.get(&path).await.ok();
    assert_eq!(gone["status"], "Charging");
    let since: kernel::Timestamp = text(&gone, "status_unknown_since").parse().expect("a time");
    let heard: kernel::Timestamp = heard_at.parse().expect("a time");
    assert!(since >= heard && since.since(heard) <= Duration::from_secs(30), "{since} {heard}");
    let shown = app.client.get(&station.path).await.ok();
    assert_eq!(shown["connectors"][0]["status_unknown_since"], gone["status_unknown_since"]);
    let evse = format!("/evses/{}", text(&gone, "evse"));
    let evse = app.client.get(&evse).await.ok();
    assert_ne!(evse["status_unknown_since"], Value::Null);
}

#[actix_web::test]
async fn a_station_that_was_connected_at_a_kill_is_recorded_as_gone() {
    let app = TestApp::start().await;
    let (lost, away) = (app.station("Lost").await, app.station("Away").await);
    // The store as a killed server leaves it.
    let heard_at = app.running.context.clock.now();
    let id: kernel::StationId = lost.id.parse().expect("an id");
    let stored = app.running.context.db.write(move |conn| {
        use diesel::prelude::*;
        use evenwatt::store::schema::chargestations;
        diesel::update(chargestations::table.find(id))
            .set((chargestations::online.eq(true), chargestations::last_message_at.eq(heard_at)))
            .execute(conn)
            .map_err(evenwatt::store::StoreError::from)
    });
    stored.await.expect("stored");
    app.pass(Duration::from_secs(900)).await;
    let app = app.restart_with(&[]).await;

    let events = app.client.get("/events?type=chargestation.offline").await.json();
    let reported = events["result"].as_array().expect("events");
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0]["object"]["_id"].as_str().or(reported[0]["data"]["_id"].as_str()), Some(lost.id.as_str()));
    let station = app.client.get(&lost.path).await.ok();
    assert_eq!((&station["online"], &station["lastDisconnectAt"]), (&json!(false), &json!(heard_at.to_string())));
    let never = app.client.get(&away.path).await.ok();
    assert_eq!(never["lastDisconnectAt"], Value::Null);
    // A start after an orderly stop has no station to report.
    let app = app.restart_with(&[]).await;
    let events = app.client.get("/events?type=chargestation.offline").await.json();
    assert_eq!(events["result"].as_array().map(Vec::len), Some(1));
}

async fn push(app: &TestApp, socket: &mut FakeStation, path: &str, body: Value, answer: Value) {
    let (client, path) = (app.client.clone(), path.to_owned());
    let post = path.ends_with("/ocpp");
    let asked = actix_web::rt::spawn(async move {
        if post { client.post(&path, body).await } else { client.patch(&path, body).await }
    });
    let call = socket.next_call().await;
    socket.answer(&call, answer).await;
    assert!(asked.await.expect("an answer").status.is_success());
}

#[actix_web::test]
async fn what_was_pushed_to_a_station_is_what_is_stored() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let path = format!("{}/configurations", station.path);
    let set = |key: &str, value: &str| json!({"variables": [{"key": key, "value": value}]});
    let status = |status: &str| json!({"status": status});
    for (key, value, answer) in [
        ("HeartbeatInterval", "60", "Accepted"),
        ("LightIntensity", "40", "RebootRequired"),
        ("BlinkRepeat", "3", "Rejected"),
        ("HeartbeatInterval", "90", "Accepted"),
        ("AuthorizationKey", "top-secret-password", "Accepted"),
    ] {
        push(&app, &mut socket, &path, set(key, value), status(answer)).await;
    }
    let raw = json!({"action": "ChangeConfiguration", "payload": {"key": "MinimumStatusDuration", "value": "5"}});
    let by_hand = format!("{}/ocpp", station.path);
    push(&app, &mut socket, &by_hand, raw, status("Accepted")).await;

    let stored = app.client.get(&path).await.ok()["variables"].clone();
    let value = |key: &str| stored[key]["value"].clone();
    assert_eq!(
        (value("HeartbeatInterval"), value("LightIntensity"), value("MinimumStatusDuration")),
        (json!("90"), json!("40"), json!("5"))
    );
    assert_eq!((&stored["BlinkRepeat"], &stored["AuthorizationKey"]), (&Value::Null, &Value::Null));
    let now = app.running.context.clock.now().to_string();
    assert_eq!(stored["HeartbeatInterval"]["setAt"], now);
    let shown = app.client.get(&station.path).await.ok();
    assert_eq!(shown["configuration"]["HeartbeatInterval"], "90");
}
