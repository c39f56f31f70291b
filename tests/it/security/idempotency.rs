//! A request with an `Idempotency-Key` is made once, whoever goes away in the middle, and its answer is sent to its caller only.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use evenwatt::store::StoreError;
use evenwatt::store::schema::idempotency_keys;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Client, TestApp};

const HOURS: Duration = Duration::from_secs(3_600);

fn site(name: &str) -> Value {
    json!({"operatorName": name, "address": {}, "coordinates": [5.1, 52.1]})
}

async fn post(client: &Client, path: &str, body: &Value, key: &str) -> Answer {
    let request = client.request(Method::POST, path);
    let request = request.header("idempotency-key", key).json(body);
    client.send(request).await
}

/// The same as a client that takes this encoding; the JSON after decoding.
async fn encoded(client: &Client, path: &str, body: &Value, encoding: Option<&str>) -> (Value, bool) {
    let request = client.request(Method::POST, path);
    let mut request = request.header("idempotency-key", format!("{path} {encoding:?}")).json(body);
    if let Some(encoding) = encoding {
        request = request.header("accept-encoding", encoding);
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().contains_key("etag"));
    let replayed = response.headers().contains_key("idempotency-replayed");
    let encoding = response.headers().get("content-encoding").cloned();
    let bytes = response.bytes().await.expect("a body");
    let text = match encoding.as_ref().map(|name| name.to_str().expect("a name")) {
        None | Some("identity") => bytes.to_vec(),
        Some("gzip") => {
            let mut text = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
            decoder.read_to_end(&mut text).expect("gzip");
            text
        }
        Some(other) => panic!("an encoding that this test does not read: {other}"),
    };
    (serde_json::from_slice(&text).expect("JSON"), replayed)
}

#[actix_web::test]
async fn a_replay_is_the_first_answer_in_every_encoding_with_its_secret() {
    let app = TestApp::start().await;
    let webhook = json!({"url": "https://example.com/hook", "events": "location.*"});
    let new = [("/api_keys", json!({"name": "Once"}), "key"), ("/webhooks", webhook, "secret")];
    for (path, body, secret) in new {
        for encoding in [Some("gzip"), Some("br"), Some("zstd"), Some("identity"), None] {
            let (first, replayed) = encoded(&app.client, path, &body, encoding).await;
            assert!(!replayed && first["result"][secret].is_string(), "{encoding:?}: {first}");
            let again = encoded(&app.client, path, &body, encoding).await;
            assert_eq!(again, (first, true), "{encoding:?}");
        }
    }
}

/// A connection that sends one POST and leaves the answer to whoever waits for it.
async fn raw_post(app: &TestApp, body: &Value, key: &str) -> TcpStream {
    let address = app.running.address;
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let body = body.to_string();
    let request = format!(
        "POST /v1.1/locations HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        app.client.key,
        body.len()
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    socket
}

/// Keeps every thread that writes busy until the guard is dropped.
async fn slow_store(app: &TestApp) -> std::sync::mpsc::Sender<()> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let (began, mut begins) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (held, began, db) = (Arc::clone(&held), began.clone(), app.running.context.db.clone());
        tokio::spawn(async move {
            let waited = db.write(move |_| {
                let _ = began.send(());
                let _ = held.lock().expect("held").recv();
                Ok::<_, StoreError>(())
            });
            waited.await
        });
    }
    begins.recv().await.expect("a writer that waits");
    release
}

#[actix_web::test]
async fn a_client_that_hangs_up_in_the_middle_gets_its_answer_with_its_retry() {
    let app = TestApp::start().await;
    let body = site("Once");
    app.client.get("/locations").await.json(); // the use of the key is written down now, and not in the middle
    let store = slow_store(&app).await;
    let (mut one, mut two) = (raw_post(&app, &body, "k1").await, raw_post(&app, &body, "k1").await);
    // One of them is first; the other gets a 409, while the first one waits.
    let (mut first, mut second) = ([0; 1_024], [0; 1_024]);
    let (answered, waiting) = tokio::select! {
        read = one.read(&mut first) => (String::from_utf8_lossy(&first[..read.expect("read")]).into_owned(), two),
        read = two.read(&mut second) => (String::from_utf8_lossy(&second[..read.expect("read")]).into_owned(), one),
    };
    assert!(answered.starts_with("HTTP/1.1 409") && answered.contains("request_in_progress"), "{answered}");
    drop(waiting);
    let other = post(&app.client, "/locations", &site("Other"), "k1").await;
    assert_eq!(other.error(422), "idempotency_key_reused");
    drop(store);

    let answered = async {
        loop {
            let retried = post(&app.client, "/locations", &body, "k1").await;
            if retried.status != 409 {
                return retried;
            }
        }
    };
    // That the first one is over shows only after its commit.
    let answer = tokio::time::timeout(Duration::from_secs(60), answered).await.expect("the first one ends");
    assert_eq!(answer.headers["idempotency-replayed"], "true");
    let rows = app.client.get("/locations").await.json();
    assert_eq!(rows["totalDocs"], 1);
    assert_eq!(rows["result"][0], answer.created());
}

/// The store as a server leaves it that is killed after the effect and before the answer.
async fn db_killed_before_the_answer(app: &TestApp) {
    let emptied = app.running.context.db.write(|conn| {
        let nothing = (idempotency_keys::status.eq(None::<i32>), idempotency_keys::body.eq(None::<String>));
        diesel::update(idempotency_keys::table).set(nothing).execute(conn).map_err(StoreError::from)
    });
    assert_eq!(emptied.await.expect("stored"), 1);
}

#[actix_web::test]
async fn a_request_whose_outcome_is_not_known_is_not_made_again_for_a_day() {
    let app = TestApp::start().await;
    post(&app.client, "/locations", &site("Once"), "k1").await.created();
    db_killed_before_the_answer(&app).await;
    for _ in 0..2 {
        let retried = post(&app.client, "/locations", &site("Once"), "k1").await;
        assert_eq!(retried.error(409), "outcome_unknown");
        assert!(retried.json()["message"].to_string().contains("actions"));
        app.pass(12 * HOURS - Duration::from_secs(1)).await;
    }
    assert_eq!(app.client.get("/locations").await.json()["totalDocs"], 1);
    app.pass(Duration::from_secs(10)).await;
    post(&app.client, "/locations", &site("Once"), "k1").await.created();
    assert_eq!(app.client.get("/locations").await.json()["totalDocs"], 2);
}

/// The claim is in the transaction of the effect: a request that was refused, or never came to it, is made by its retry.
#[actix_web::test]
async fn an_answer_is_kept_over_a_restart_and_for_a_day() {
    let app = TestApp::start().await;
    let first = post(&app.client, "/locations", &site("Once"), "k1").await.created();
    app.pass(24 * HOURS - Duration::from_secs(1)).await;
    let app = app.restart_with(&[]).await;
    let again = post(&app.client, "/locations", &site("Once"), "k1").await;
    assert_eq!(again.created(), first);
    app.pass(Duration::from_secs(2)).await;
    let anew = post(&app.client, "/locations", &site("Once"), "k1").await.created();
    assert_ne!(anew["_id"], first["_id"]);
}

async fn give_scopes(app: &TestApp, name: &str, scopes: &[&str]) {
    let keys = app.client.get("/api_keys").await.json();
    let mut keys = keys["result"].as_array().expect("keys").iter();
    let key = keys.find(|key| key["name"] == name).expect("the key");
    let path = format!("/api_keys/{}", key["_id"].as_str().expect("an id"));
    app.client.patch(&path, json!({"scopes": scopes})).await.ok();
}

#[actix_web::test]
async fn an_answer_is_sent_again_to_who_still_has_the_scopes() {
    let app = TestApp::start().await;
    let writer = app.client_with(&["write:locations"]).await;
    let first = post(&writer, "/locations", &site("Once"), "k1").await.created();
    give_scopes(&app, "Limited", &["read:locations"]).await;
    let refused = post(&writer, "/locations", &site("Once"), "k1").await;
    assert_eq!(refused.error(403), "forbidden");
    assert!(refused.json()["message"].to_string().contains("write:locations"));
    give_scopes(&app, "Limited", &["write:locations", "read:groups"]).await;
    assert_eq!(post(&writer, "/locations", &site("Once"), "k1").await.created(), first);
}

/// The answer shows a secret: who lost what that key can do does not get it again.
#[actix_web::test]
async fn a_secret_is_sent_again_to_who_could_make_it_now() {
    let app = TestApp::start().await;
    let keeper = app.client_with(&["write:api_keys", "read:locations"]).await;
    let new = json!({"name": "New", "scopes": ["read:locations"]});
    let made = post(&keeper, "/api_keys", &new, "k1").await.created();
    let rotate = format!("/api_keys/{}/rotate", made["_id"].as_str().expect("an id"));
    post(&keeper, &rotate, &json!({}), "k2").await.ok();
    give_scopes(&app, "Limited", &["write:api_keys"]).await;
    for (path, body, key) in [("/api_keys", new, "k1"), (&*rotate, json!({}), "k2")] {
        let refused = post(&keeper, path, &body, key).await;
        assert_eq!(refused.error(403), "forbidden");
        assert!(refused.json()["message"].to_string().contains("read:locations"));
    }
}
