//! Stations that are connected and say nothing: late a minute after the heartbeat that they owe.

use std::time::Duration;

use evenwatt::sites::stations::{self, Arrival};
use evenwatt::store::StoreError;
use kernel::{Protocol, StationId, Timestamp};
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

/// Sockets are not pinged here: the test reads nothing while time passes.
const NO_PINGS: (&str, &str) = ("EVENWATT_OCPP_PING_SECONDS", "999999999");

async fn is_late(app: &TestApp, path: &str) -> bool {
    let station = app.client.get(path).await.ok();
    let late = station["late"].as_bool().expect("late");
    let listed = app.client.get("/chargestations?late=true").await.json();
    let others = app.client.get("/chargestations?late=false").await.json();
    assert_eq!((&listed["totalDocs"], &others["totalDocs"]), (&json!(i32::from(late)), &json!(1 - i32::from(late))));
    let overview = app.client.get("/overview").await.ok();
    assert_eq!(overview["chargestations"]["late"], i32::from(late));
    late
}

#[actix_web::test]
async fn a_station_is_late_a_minute_after_the_heartbeat_that_it_owes() {
    let app = TestApp::start_with(&[NO_PINGS, ("EVENWATT_OCPP_HEARTBEAT_SECONDS", "300")]).await;
    let station = app.station("S").await;
    assert!(!is_late(&app, &station.path).await, "it never came");
    let mut socket = FakeStation::connect(&station.url).await;
    assert_eq!(socket.boot().await["interval"], 300);
    app.pass(Duration::from_secs(360)).await;
    assert!(!is_late(&app, &station.path).await);
    app.pass(Duration::from_secs(1)).await;
    assert!(is_late(&app, &station.path).await);

    socket.call("Heartbeat", json!({})).await;
    app.pass(Duration::from_secs(30)).await; // what stations said last is written down twice a minute
    assert!(!is_late(&app, &station.path).await);
    app.pass(Duration::from_secs(331)).await;
    assert!(is_late(&app, &station.path).await, "five minutes and a minute after its heartbeat");
    socket.drop_link().await;
    app.eventually(async || app.client.get(&station.path).await.ok()["online"] == false).await;
    assert!(!is_late(&app, &station.path).await, "it is offline, which is another thing");
}

#[actix_web::test]
async fn the_interval_of_its_own_configuration_counts_as_soon_as_it_is_read() {
    let app = TestApp::start_with(&[NO_PINGS, ("EVENWATT_OCPP_HEARTBEAT_SECONDS", "300")]).await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let (client, path) = (app.client.clone(), format!("{}/get_variables", station.path));
    let wanted = json!({"key": ["HeartbeatInterval"]});
    let reading = actix_web::rt::spawn(async move { client.post(&path, wanted).await });
    let call = socket.next_call().await;
    let keys: Value = json!([{"key": "HeartbeatInterval", "readonly": false, "value": "1800"}]);
    socket.answer(&call, json!({"configurationKey": keys, "unknownKey": []})).await;
    reading.await.expect("an answer").ok();
    app.pass(Duration::from_secs(1_860)).await;
    assert!(!is_late(&app, &station.path).await);
    app.pass(Duration::from_secs(1)).await;
    assert!(is_late(&app, &station.path).await);
    // A boot gives it that of the server again.
    socket.boot().await;
    assert!(!is_late(&app, &station.path).await);
    app.pass(Duration::from_secs(361)).await;
    assert!(is_late(&app, &station.path).await);
}

/// Several writers do not keep the order of the end of one connection and the begin of the next.
#[actix_web::test]
async fn the_end_of_a_connection_says_nothing_of_a_later_one() {
    let app = TestApp::start_with(&[NO_PINGS]).await;
    let station = app.station("S").await;
    let id: StationId = station.id.parse().expect("an id");
    let at = |second: i64| Timestamp::from_unix_seconds(1_777_000_000 + second);
    let ended = app.running.context.db.write(move |conn| {
        let arrival = || Arrival { protocol: Protocol::V16, usual_heartbeat_seconds: 300 };
        stations::set_online(conn, id, arrival(), at(10))?;
        stations::set_online(conn, id, arrival(), at(20))?;
        let first = stations::set_offline(conn, id, at(10), at(30))?;
        let after_first = stations::is_online(conn, id)?;
        let second = stations::set_offline(conn, id, at(20), at(40))?;
        Ok::<_, StoreError>((first, after_first, second, stations::is_online(conn, id)?))
    });
    assert_eq!(ended.await.expect("stored"), (false, true, true, false));
}
