//! Webhooks over HTTP, with an endpoint that the test plays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::{TestApp, when};

mod delivery;
mod resend;
mod retention;
mod secrets;
mod trouble;

/// Endpoints on this machine are allowed.
pub const OWN_NETWORK: &[(&str, &str)] = &[
    ("EVENWATT_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("EVENWATT_WEBHOOKS_ALLOW_HTTP", "true"),
    ("EVENWATT_WEBHOOKS_PATIENCE_SECONDS", "2"),
];

/// So often it is looked whether there is something to send that no event announced.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// How an endpoint answers.
#[derive(Clone, Copy)]
pub enum Answer {
    /// With this status.
    Status(&'static str),
    /// With 200 after a while.
    Slow(Duration),
    /// Not at all; the socket stays open.
    Silence,
    /// With 200 and a body that does not end.
    Endless,
    /// With 200 and headers that are far too long.
    HugeHeaders,
    /// With 500 where the body has this text, else with 200.
    Unless(&'static str),
}

impl From<&'static str> for Answer {
    fn from(status: &'static str) -> Self {
        Self::Status(status)
    }
}

/// An endpoint that answers as a test wants and remembers what it got.
#[derive(Clone)]
pub struct Endpoint {
    pub url: String,
    answer: Arc<Mutex<Answer>>,
    got: Arc<Mutex<Vec<Request>>>,
    came: Arc<Notify>,
}

#[derive(Debug, Clone)]
struct Request {
    signature: String,
    body: Value,
    text: String,
}

impl Endpoint {
    pub async fn start(answer: impl Into<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = Self {
            url: format!("http://{}/events", listener.local_addr().expect("an address")),
            answer: Arc::new(Mutex::new(answer.into())),
            got: Arc::default(),
            came: Arc::default(),
        };
        let serving = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let endpoint = serving.clone();
                tokio::spawn(async move { endpoint.serve(socket).await });
            }
        });
        endpoint
    }

    async fn serve(&self, mut socket: TcpStream) {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length = header(head, "content-length").parse::<usize>().expect("a length");
                break (head.to_owned(), length);
            }
        };
        while bytes.len() < head.len() + 4 + length {
            socket.read_buf(&mut bytes).await.expect("a body");
        }
        let text = String::from_utf8(bytes[head.len() + 4..].to_vec()).expect("UTF-8");
        let body = text.clone();
        self.got.lock().unwrap().push(Request {
            signature: header(&head, "edrv-signature"),
            body: serde_json::from_str(&text).expect("JSON"),
            text,
        });
        self.came.notify_waiters();
        let answer = *self.answer.lock().unwrap();
        let status = match answer {
            Answer::Status(status) => status,
            Answer::Slow(pause) => {
                tokio::time::sleep(pause).await;
                "200 OK"
            }
            Answer::Silence => return std::future::pending().await,
            Answer::Endless => {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
                let mut sent = socket.write_all(head).await;
                while sent.is_ok() {
                    sent = socket.write_all(&[b'x'; 8_192]).await;
                }
                return;
            }
            Answer::HugeHeaders => {
                let mut sent = socket.write_all(b"HTTP/1.1 200 OK\r\n").await;
                while sent.is_ok() {
                    sent = socket.write_all(format!("x: {}\r\n", "x".repeat(8_192)).as_bytes()).await;
                }
                return;
            }
            Answer::Unless(text) if body.contains(text) => "500 Internal Server Error",
            Answer::Unless(_) => "200 OK",
        };
        let answer =
            format!("HTTP/1.1 {status}\r\nlocation: /elsewhere\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
        let _ = socket.write_all(answer.as_bytes()).await;
    }

    fn will(&self, answer: impl Into<Answer>) {
        *self.answer.lock().unwrap() = answer.into();
    }

    fn got(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    /// The events that came.
    pub fn bodies(&self) -> Vec<Value> {
        self.got().into_iter().map(|request| request.body).collect()
    }

    /// Waits until so many requests came, and no more.
    pub async fn receives(&self, count: usize) {
        when(&self.came, || self.got.lock().unwrap().len() == count).await;
    }
}

fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn place(name: &str) -> Value {
    json!({"operatorName": name, "address": {}, "coordinates": [4.9, 52.4]})
}

async fn create(app: &TestApp, endpoint: &Endpoint, events: &str) -> (String, Value) {
    let new = json!({"url": endpoint.url, "events": events});
    let webhook = app.client.post("/webhooks", new).await.created();
    let path = format!("/webhooks/{}", webhook["_id"].as_str().expect("an id"));
    (path, webhook)
}

async fn deliveries(app: &TestApp, path: &str) -> Vec<Value> {
    let list = app.client.get(&format!("{path}/deliveries?sort_order=asc")).await.ok();
    list.as_array().expect("a list").clone()
}

#[actix_web::test]
async fn an_event_is_posted_once_and_signed() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("200 OK").await;
    let (path, webhook) = create(&app, &endpoint, "location.*").await;
    assert!(app.client.get(&path).await.ok().get("secret").is_none());
    let made = app.client.post("/locations", place("A")).await.created();
    app.client.post("/users", json!({"firstname": "Ada", "lastname": "Lovelace"})).await.created();
    app.client.post("/locations", place("B")).await.created();
    endpoint.receives(2).await;
    let [first, second] = &endpoint.got()[..] else {
        panic!("two requests");
    };
    let keys: Vec<_> = first.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["_id", "type", "object", "data", "actor", "createdAt"]);
    assert_eq!((&first.body["type"], &first.body["data"]), (&json!("location.created"), &made));
    assert_eq!(second.body["data"]["operatorName"], "B");
    assert!(first.signature.starts_with("t=1777000000000,v1="), "{}", first.signature);
    assert_eq!(first.signature.matches("v1=").count(), 1);
    assert!(!first.text.contains(webhook["secret"].as_str().unwrap()));

    app.client.post(&format!("{path}/rotate_secret"), json!({})).await.ok();
    app.client.post(&format!("{path}/test"), json!({})).await.created();
    app.pass(LOOKED_AT_EVERY).await;
    endpoint.receives(3).await;
    let test = endpoint.got().pop().unwrap();
    assert_eq!(test.body["type"], "webhook.test");
    assert_eq!(test.signature.matches("v1=").count(), 2, "both secrets sign");
    app.eventually(async || deliveries(&app, &path).await.iter().all(|one| one["status"] == "delivered")).await;
}

#[actix_web::test]
async fn what_is_not_received_is_sent_again_under_the_same_id_and_delays_nobody() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let (broken, healthy) =
        (Endpoint::start("500 Internal Server Error").await, Endpoint::start("204 No Content").await);
    let (path, _) = create(&app, &broken, "location.created").await;
    create(&app, &healthy, "location.created").await;
    app.client.post("/locations", place("A")).await.created();
    app.client.post("/locations", place("B")).await.created();
    healthy.receives(2).await;
    app.eventually(async || deliveries(&app, &path).await.iter().any(|one| one["attempt_count"] == 1)).await;
    let [first, second] = &deliveries(&app, &path).await[..] else {
        panic!("two deliveries");
    };
    assert_eq!(first["response_status"], 500);
    assert_eq!(second["attempt_count"], 0, "the second waits for the first");

    broken.will("302 Found");
    app.pass(Duration::from_secs(10)).await;
    app.eventually(async || deliveries(&app, &path).await[0]["attempt_count"] == 2).await;
    let error = deliveries(&app, &path).await[0]["error"].to_string();
    assert!(error.contains("redirects are not followed"), "{error}");

    broken.will("200 OK");
    app.pass(Duration::from_secs(20)).await;
    app.eventually(async || deliveries(&app, &path).await.iter().all(|one| one["status"] == "delivered")).await;
    let ids: Vec<_> = broken.got().iter().map(|one| one.body["_id"].clone()).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3] && ids.len() == 4);
}

#[actix_web::test]
async fn endpoints_inside_the_servers_network_are_refused() {
    let app = TestApp::start().await;
    for url in ["http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "nonsense"] {
        let answer = app.client.post("/webhooks", json!({"url": url})).await;
        assert_eq!(answer.error(422), "invalid_body", "{url}");
    }
    let unknown = json!({"url": "https://example.com", "events": "sesion.*"});
    assert_eq!(app.client.post("/webhooks", unknown).await.error(422), "invalid_body");

    // A name is judged by the address that is connected to.
    let named = json!({"url": "https://localhost/", "events": "location.created"});
    let webhook = app.client.post("/webhooks", named).await.created();
    let path = format!("/webhooks/{}", webhook["_id"].as_str().unwrap());
    app.client.post("/locations", place("A")).await.created();
    app.eventually(async || deliveries(&app, &path).await.first().is_some_and(|one| one["attempt_count"] == 1)).await;
    let error = deliveries(&app, &path).await[0]["error"].to_string();
    assert!(error.contains("is in a private network"), "{error}");
}
