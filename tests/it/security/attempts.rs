//! Guessing: failures are limited by address and by station, who is right gets in all the same, and floods are one event.

use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{FakeStation, TestApp};

const PASSWORD: &str = "0123456789abcdef";

fn login(endpoint: &str, password: &str) -> String {
    let text = format!("{endpoint}:{password}");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    format!("Basic {encoded}")
}

/// What a handshake is answered, and how long it has to wait.
async fn knock(app: &TestApp, endpoint: &str, headers: &[(&str, &str)]) -> (u16, Option<u64>) {
    let url = format!("http://{}/ocpp/{endpoint}", app.running.address);
    let mut request = reqwest::Client::new()
        .get(url)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "ocpp1.6");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    let wait = answer.headers().get("retry-after");
    let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
    (answer.status().as_u16(), wait)
}

async fn secured(app: &TestApp, endpoint: &str) -> String {
    let body = json!({"endpoint": endpoint, "security": {"type": "basic_auth", "password": PASSWORD}});
    let made = app.client.post("/chargestations", body).await.created();
    made["_id"].as_str().expect("an id").to_owned()
}

/// The data of each event of this type, oldest first.
async fn recorded(app: &TestApp, kind: &str) -> Vec<Value> {
    let path = format!("/events?type={kind}");
    let events = app.client.get(&path).await.json();
    let rows = events["result"].as_array().expect("events");
    rows.iter().map(|event| event["data"].clone()).collect()
}

#[actix_web::test]
async fn a_guesser_is_stopped_and_the_station_gets_in() {
    let app = TestApp::start().await;
    let station = secured(&app, "CP-1").await;
    let right = login("CP-1", PASSWORD);
    let right = [("authorization", right.as_str())];
    assert_eq!(knock(&app, "CP-1", &right).await.0, 101);
    let guess = async |number: u32| {
        let wrong = login("cp-1", &format!("{number:016}"));
        knock(&app, "cp-1", &[("authorization", &wrong)]).await
    };
    for number in 0..10 {
        assert_eq!(guess(number).await, (401, None));
    }
    for number in 10..20 {
        assert_eq!(guess(number).await, (429, Some(7)));
    }
    assert_eq!(knock(&app, "CP-1", &right).await.0, 101, "from the same address");
    app.pass(Duration::from_secs(6)).await;
    assert_eq!(guess(20).await.0, 401, "one in six seconds");
    assert_eq!(guess(21).await.0, 429);

    // The flood is one event, and what came within the minute after it another one.
    let refused = "chargestation.access_refused";
    app.eventually(async || !recorded(&app, refused).await.is_empty()).await;
    let first = recorded(&app, refused).await.remove(0);
    assert_eq!(first, json!({"chargestation": station, "address": "127.0.0.1", "count": 1}));
    app.pass(Duration::from_secs(60)).await;
    guess(22).await;
    app.eventually(async || recorded(&app, refused).await.len() == 2).await;
    let counts: Vec<_> = recorded(&app, refused).await.iter().map(|one| one["count"].clone()).collect();
    // 23 guesses in all; where the server looked by itself first, the last of them is yet to be recorded.
    assert!([json!([1, 22]), json!([1, 21])].contains(&json!(counts)), "{counts:?}");
}

#[actix_web::test]
async fn an_address_that_tries_endpoints_is_stopped_and_others_are_not() {
    let trusted = [("EVENWATT_HTTP_TRUSTED_PROXIES", "127.0.0.0/8")];
    let app = TestApp::start_with(&trusted).await;
    let (own, station) = (app.station("Own").await, secured(&app, "CP-1").await);
    let (thief, neighbour) = ([("x-forwarded-for", "192.0.2.1")], [("x-forwarded-for", "192.0.2.2")]);
    let known = knock(&app, &own.endpoint, &thief).await;
    assert_eq!(known.0, 101, "a station at the address of the thief");
    for number in 0..60 {
        let (status, _) = knock(&app, &format!("guess-{number}"), &thief).await;
        assert_eq!(status, 404);
    }
    assert_eq!(knock(&app, "guess-60", &thief).await, (429, Some(2)));
    assert_eq!(knock(&app, "CP-1", &thief).await.0, 429);
    assert_eq!(knock(&app, &own.endpoint, &thief).await.0, 101);
    assert_eq!(knock(&app, "guess-61", &neighbour).await.0, 404);
    let disguised = [("forwarded", "for=192.0.2.3"), ("x-forwarded-for", "192.0.2.1")];
    assert_eq!(knock(&app, "guess-62", &disguised).await.0, 429, "the client's own word");

    let unknown = "chargestation.unknown";
    app.eventually(async || recorded(&app, unknown).await.len() == 2).await;
    let all = recorded(&app, unknown).await;
    let first = json!({"endpoint": "guess-0", "address": "192.0.2.1", "count": 1});
    assert_eq!(all[0], first);
    assert_eq!(all[1]["address"], "192.0.2.2");
    app.pass(Duration::from_secs(65)).await;
    app.eventually(async || recorded(&app, unknown).await.len() == 3).await;
    // 59 that were looked up and three that were not, of which one named a station: that name is not repeated.
    let others = json!({"endpoint": "guess-59", "address": "192.0.2.1", "count": 62});
    assert_eq!(recorded(&app, unknown).await[2], others);
    assert!(recorded(&app, "chargestation.access_refused").await.is_empty(), "{station}");
}

#[actix_web::test]
async fn an_endpoint_that_is_nobodys_is_reported_to_nobody_where_several_share_the_server() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    assert_eq!(knock(&app, "guess", &[]).await.0, 404);
    // Something that is recorded after it, in the same order.
    let station = app.station("S").await;
    let mut first = FakeStation::connect(&station.url).await;
    first.boot().await;
    let mut second = FakeStation::connect(&station.url).await;
    second.boot().await;
    let replaced = "chargestation.connection_replaced";
    app.eventually(async || !recorded(&app, replaced).await.is_empty()).await;
    let recorded_of = recorded(&app, replaced).await;
    assert_eq!(recorded_of, [json!({"chargestation": station.id, "address": "127.0.0.1", "count": 1})]);
    for client in [&app.client, &stranger] {
        let events = client.get("/events?type=chargestation.unknown").await.json();
        assert_eq!(events["result"], json!([]));
    }
}
