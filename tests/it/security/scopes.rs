//! A key gets events of what it could read, whichever way events reach it, and gets nothing into its answers besides.

use serde_json::{Value, json};

use crate::support::{Client, FakeStation as Socket, TestApp};

fn types(listed: &Value) -> Vec<&str> {
    let events = listed["result"].as_array().expect("events").iter();
    events.map(|event| event["type"].as_str().expect("a type")).collect()
}

/// One event about a location, then one about a driver.
async fn happen(app: &TestApp) {
    let place = json!({"operatorName": "A", "address": {}, "coordinates": [4.9, 52.4]});
    app.client.post("/locations", place).await.created();
    app.client.post("/users", json!({"firstname": "Ada", "lastname": "L"})).await.created();
}

#[actix_web::test]
async fn the_log_shows_objects_that_the_key_may_read() {
    let app = TestApp::start().await;
    happen(&app).await;
    for (scopes, seen) in [
        (&["read:events"][..], &[][..]),
        (&["read:events", "write:users"], &[]),
        (&["read:events", "read:users"], &["user.created"]),
        (&["read:events", "read:locations"], &["location.created"]),
        (&["read:events", "read:locations", "read:users"], &["location.created", "user.created"]),
    ] {
        let reader = app.client_with(scopes).await;
        let listed = reader.get("/events").await.json();
        assert_eq!(types(&listed), seen, "{scopes:?}");
        let asked = reader.get("/events?type=location.*").await.json();
        let locations = seen.iter().filter(|name| name.starts_with("location."));
        assert_eq!(types(&asked), locations.copied().collect::<Vec<_>>(), "{scopes:?}");
    }
}

async fn listen(app: &TestApp, client: &Client, query: &str) -> Socket {
    let url = format!("ws://{}/v1.1/realtime{query}", app.running.address);
    let bearer = format!("Bearer {}", client.key);
    let socket = Socket::try_connect(&url, &[("authorization", &bearer)]).await;
    socket.expect("the handshake")
}

#[actix_web::test]
async fn a_socket_and_a_stream_send_the_same() {
    let app = TestApp::start().await;
    let reader = app.client_with(&["read:events", "read:users"]).await;
    let mut socket = listen(&app, &reader, "?after=0").await;
    let request = reader.request(reqwest::Method::GET, "/events/stream?after=0");
    let mut stream = request.send().await.expect("a stream");
    happen(&app).await;
    assert_eq!(socket.next().await.expect("an event")["type"], "user.created");
    let mut text = String::new();
    while !text.contains("data:") {
        let chunk = stream.chunk().await.expect("bytes").expect("more");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(text.contains("user.created") && !text.contains("location.created"), "{text}");
}

#[actix_web::test]
async fn a_webhook_gets_what_its_maker_could_read() {
    let app =
        TestApp::start_with(&[("EVENWATT_WEBHOOKS_ALLOW_PRIVATE", "true"), ("EVENWATT_WEBHOOKS_ALLOW_HTTP", "true")])
            .await;
    let maker = app.client_with(&["write:webhooks", "read:users"]).await;
    let new = json!({"url": "http://127.0.0.1:9/nobody", "events": "user.*,location.*"});
    let webhook = maker.post("/webhooks", new).await.created();
    let path = format!("/webhooks/{}", webhook["_id"].as_str().expect("an id"));
    let kinds = async || {
        let listed = app.client.get(&format!("{path}/deliveries?sort_order=asc")).await.json();
        let all = listed["result"].as_array().expect("deliveries").clone();
        let mut kinds: Vec<_> = all.iter().map(|one| one["type"].to_string()).collect();
        kinds.sort();
        kinds
    };
    happen(&app).await;
    app.eventually(async || !kinds().await.is_empty()).await;
    assert_eq!(kinds().await, ["\"user.created\""]);

    // Whoever changes it answers for it from then on.
    app.client.patch(&path, json!({"description": "Ours"})).await.ok();
    happen(&app).await;
    app.pass(std::time::Duration::from_secs(1)).await; // of one that receives nothing it is looked now and then
    app.eventually(async || kinds().await.len() == 3).await;
    assert_eq!(kinds().await, ["\"location.created\"", "\"user.created\"", "\"user.created\""]);
}

#[actix_web::test]
async fn nothing_is_included_that_the_key_could_not_read() {
    let app = TestApp::start().await;
    for (path, parameter, own, included) in [
        ("/chargestations", "include_location", "read:chargestations", "read:locations"),
        ("/assets", "include_location", "read:assets", "read:locations"),
        ("/tokens", "include_user", "read:tokens", "read:users"),
    ] {
        let (narrow, wide) = (app.client_with(&[own]).await, app.client_with(&[own, included]).await);
        for path in [path.to_owned(), format!("{path}/650000000000000000000001")] {
            let asked = format!("{path}?{parameter}=true");
            let refused = narrow.get(&asked).await;
            assert_eq!(refused.error(403), "forbidden", "{asked}");
            assert!(refused.json()["message"].to_string().contains(included));
            for other in [wide.get(&asked).await, narrow.get(&format!("{path}?{parameter}=false")).await] {
                assert!([200, 404].contains(&other.status.as_u16()), "{asked}: {}", other.text);
            }
        }
    }
}
