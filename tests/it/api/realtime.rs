//! The WebSocket that sends events and metrics.

use serde_json::{Value, json};

use crate::support::{FakeStation as Socket, TestApp};

const BEGAN: &str = "2026-04-24T03:00:00Z";

fn url(app: &TestApp, query: &str) -> String {
    format!("ws://{}/v1.1/realtime{query}", app.running.address)
}

async fn listen(app: &TestApp, query: &str) -> Socket {
    let bearer = format!("Bearer {}", app.client.key);
    Socket::try_connect(&url(app, query), &[("authorization", &bearer)]).await.expect("the handshake")
}

async fn create(app: &TestApp, name: &str) -> Value {
    let place = json!({"operatorName": name, "address": {}, "coordinates": [4.9, 52.4]});
    app.client.post("/locations", place).await.created()
}

#[actix_web::test]
async fn events_come_as_in_the_log_and_go_on_after_a_cursor() {
    let app = TestApp::start().await;
    let mut socket = listen(&app, "?type=location.*").await;
    let created = create(&app, "A").await;
    let received = socket.next().await.expect("an event");
    assert_eq!((&received["type"], &received["data"]), (&json!("location.created"), &created));
    let log = app.client.get("/events?type=location.*").await.json();
    assert_eq!(log["result"], json!([received]));
    drop(socket);

    create(&app, "B").await;
    let mut again = listen(&app, &format!("?type=location.*&after={}", received["cursor"])).await;
    create(&app, "C").await;
    for name in ["B", "C"] {
        let received = again.next().await.expect("an event");
        assert_eq!(received["data"]["operatorName"], name);
    }
}

#[actix_web::test]
async fn the_key_may_be_a_sub_protocol_and_is_needed() {
    let app = TestApp::start().await;
    let key = &app.client.key;
    for (offered, agreed) in [(format!("evenwatt, {key}"), "evenwatt"), (key.clone(), key)] {
        let headers = [("sec-websocket-protocol", offered.as_str())];
        let socket = Socket::try_connect(&url(&app, ""), &headers).await;
        assert_eq!(socket.expect("the handshake").agreed.as_deref(), Some(agreed));
    }
    let wrong = [("sec-websocket-protocol", "evenwatt, nobody")];
    assert!(Socket::try_connect(&url(&app, ""), &wrong).await.is_err());
    let blind = app.client_with(&["read:locations"]).await;
    assert_eq!(blind.get("/realtime").await.error(403), "forbidden");

    assert_eq!(app.client.get("/realtime").await.error(426), "upgrade_required");
    for query in ["?metrics=3601", "?type=sesion.*", "?session=1"] {
        let answer = app.client.get(&format!("/realtime{query}")).await;
        assert_eq!(answer.error(422), "invalid_query", "{query}");
    }
}

#[actix_web::test]
async fn running_sessions_send_their_metrics_at_once_and_when_they_change() {
    let app = TestApp::start().await;
    let (first, second) = (app.station("First").await, app.station("Second").await);
    let mut cars = Vec::new();
    for station in [&first, &second] {
        let mut socket = Socket::connect(&station.url).await;
        socket.boot().await;
        let transaction = socket.start(1, "CARD", 1_000, BEGAN).await;
        cars.push((socket, transaction));
    }
    let sessions = app.client.get("/sessions?sort_by=createdAt&sort_order=asc").await.json();
    let session = |index: usize| sessions["result"][index]["_id"].as_str().expect("an id").to_owned();
    let mut all = listen(&app, "?type=user.created&metrics=1").await;
    let mut one = listen(&app, &format!("?type=user.created&metrics=1&session={}", session(1))).await;

    for known in [session(0), session(1)] {
        let received = all.next().await.expect("metrics");
        assert_eq!((&received["type"], &received["data"]["_id"]), (&json!("session.metrics"), &json!(known)));
        assert_eq!(received["data"]["metrics"]["energyConsumed"], 0);
    }
    assert_eq!(one.next().await.expect("metrics")["data"]["_id"], session(1));

    let (car, transaction) = &mut cars[1];
    let sampled = json!([
        {"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"}
    ]);
    let values = json!({"connectorId": 1, "transactionId": transaction,
        "meterValue": [{"timestamp": "2026-04-24T03:05:00Z", "sampledValue": sampled}]});
    car.call("MeterValues", values).await;
    app.pass(std::time::Duration::from_secs(1)).await;
    for listener in [&mut all, &mut one] {
        let received = listener.next().await.expect("metrics");
        assert_eq!(received["data"]["_id"], session(1));
        assert_eq!(received["data"]["metrics"]["energyConsumed"], 500);
        assert_eq!(received["data"]["energy_report"]["power"], json!({"value": 7.2, "unit": "kW"}));
    }

    let stop = json!({"transactionId": transaction, "meterStop": 1_600, "timestamp": "2026-04-24T03:06:00Z"});
    car.call("StopTransaction", stop).await;
    let user = json!({"firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com"});
    app.client.post("/users", user).await.created();
    assert_eq!(all.next().await.expect("an event")["type"], "user.created");
}

#[actix_web::test]
async fn a_client_that_talks_is_sent_away() {
    let app = TestApp::start().await;
    let mut socket = listen(&app, "").await;
    socket.send_text("{}").await;
    assert_eq!(socket.next().await, None);
}
