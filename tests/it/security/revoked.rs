//! What a key or a password opened ends with it: streams, sockets, and the connections of stations.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, FakeStation, TestApp};

/// A key, what it opened, and how to reach it.
struct Reader {
    path: String,
    socket: FakeStation,
    stream: reqwest::Response,
}

async fn reader(app: &TestApp) -> Reader {
    let new = json!({
        "name": "Reader",
        "scopes": ["read:events", "read:locations"],
        "expires_at": "2026-04-24T05:00:00Z" // the test's clock stands at 2026-04-24T03:06:40Z
    });
    let key = app.client.post("/api_keys", new).await.created();
    let client = Client::new(app.running.address, key["key"].as_str().expect("a key"));
    let url = format!("ws://{}/v1.1/realtime", app.running.address);
    let bearer = format!("Bearer {}", client.key);
    let socket = FakeStation::try_connect(&url, &[("authorization", &bearer)]).await;
    let request = client.request(reqwest::Method::GET, "/events/stream");
    Reader {
        path: format!("/api_keys/{}", key["_id"].as_str().expect("an id")),
        socket: socket.expect("the handshake"),
        stream: request.send().await.expect("a stream"),
    }
}

impl Reader {
    /// Reads until both are closed; each wait is bounded.
    async fn ends(mut self) {
        assert_eq!(self.socket.next().await, None, "the socket is closed");
        let end = async { while let Ok(Some(_)) = self.stream.chunk().await {} };
        let ended = tokio::time::timeout(Duration::from_secs(10), end).await;
        ended.expect("the stream ends");
    }
}

#[actix_web::test]
async fn a_key_that_is_taken_away_ends_what_it_opened() {
    let app = TestApp::start().await;
    for change in
        [json!({"active": false}), json!({"scopes": ["read:events"]}), json!({"expires_at": "2026-04-24T03:00:00Z"})]
    {
        let reader = reader(&app).await;
        app.client.patch(&reader.path, change).await.ok();
        reader.ends().await;
    }
    let rotated = reader(&app).await;
    app.client.post(&format!("{}/rotate", rotated.path), json!({})).await.ok();
    rotated.ends().await;
    let deleted = reader(&app).await;
    app.client.delete(&deleted.path).await.ok();
    deleted.ends().await;
    let expired = reader(&app).await;
    app.pass(Duration::from_secs(2 * 3_600)).await;
    expired.ends().await;
}

#[actix_web::test]
async fn a_key_that_is_renamed_or_gets_more_goes_on() {
    let app = TestApp::start().await;
    let mut reader = reader(&app).await;
    let more = json!({"name": "More", "scopes": ["read:events", "read:locations", "read:users"]});
    app.client.patch(&reader.path, more).await.ok();
    let place = json!({"operatorName": "A", "address": {}, "coordinates": [4.9, 52.4]});
    app.client.post("/locations", place).await.created();
    let received: Value = reader.socket.next().await.expect("an event");
    assert_eq!(received["type"], "location.created");
}

#[actix_web::test]
async fn a_station_whose_proof_or_right_changed_has_to_come_again() {
    let app = TestApp::start().await;
    let basic = json!({"security": {"type": "basic_auth", "password": "0123456789abcdef"}});
    for (change, body) in [
        ("", basic),
        ("", json!({"endpoint": "ELSEWHERE-1234567890", "security": {"type": "none"}})),
        ("", json!({"active": false})),
        ("/reset_password", json!({})),
    ] {
        let station = app.station("S").await;
        let mut socket = FakeStation::connect(&station.url).await;
        app.client.patch(&format!("{}{change}", station.path), body).await.ok();
        assert_eq!(socket.next().await, None, "{change}");
    }
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    app.client.patch(&station.path, json!({"name": "T"})).await.ok();
    socket.boot().await;
}
