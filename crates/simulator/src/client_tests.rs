//! One station against the smallest server there can be.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::*;
use crate::{Outlet, StationSpec};
use clock::SystemClock;
use kernel::Watts;

/// Accepts one socket, checks its headers, accepts its boot, and returns what it was sent.
async fn boot_once(listener: &TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().await.expect("a connection");
    #[expect(clippy::result_large_err, reason = "tungstenite wants it so")]
    let check = |request: &Request, mut response: Response| {
        let header = |name: &str| request.headers().get(name).cloned();
        assert_eq!(request.uri().path(), "/ocpp/abc");
        assert_eq!(header("authorization").expect("basic"), "Basic YWJjOnNlY3JldA==");
        let protocol = header("sec-websocket-protocol").expect("a protocol");
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, check).await.expect("a handshake");
    let mut heard = Vec::new();
    for answer in [r#"{"status":"Accepted","currentTime":"2026-05-01T08:30:00Z","interval":300}"#, "{}", "{}"] {
        let text = socket.next().await.expect("a message").expect("fine");
        let call: serde_json::Value = serde_json::from_str(text.to_text().expect("text")).expect("JSON");
        heard.push(call[2].as_str().expect("an action").to_owned());
        let reply = format!("[3,{},{answer}]", call[1]);
        socket.send(Message::text(reply)).await.expect("sent");
    }
    heard
}

#[tokio::test]
async fn a_station_connects_boots_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let endpoint = Endpoint {
        url: format!("ws://{address}/ocpp/abc"),
        password: Some("secret".to_owned()),
        version: kernel::Protocol::V16,
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let outlet = Outlet::single_phase(Watts(7_000));
    let spec = StationSpec::new("S1", vec![outlet]).expect("short");
    let statistics = Arc::new(Statistics::default());
    let station = Station::new(spec, clock.now());
    let (client, handle) = Client::new(station, None, endpoint, clock, statistics.clone());
    let running = tokio::spawn(client.run());

    let expected = ["BootNotification", "StatusNotification", "StatusNotification"];
    assert_eq!(boot_once(&listener).await, expected);
    assert_eq!(boot_once(&listener).await, expected);
    assert!(handle.wish(Wish::SwitchOff).await);
    running.await.expect("an end");
    assert!(statistics.summary().connects.count() >= 2);
}
