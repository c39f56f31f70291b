//! Who may connect, and how connections end.

use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::support::{FakeStation, RawSocket, TestApp};

#[actix_web::test]
async fn only_known_active_stations_with_the_right_password_connect() {
    let app = TestApp::start().await;
    let unknown = app.station_url("nothere1");
    assert!(FakeStation::try_connect(&unknown, &[]).await.is_err());

    let secured = json!({"security": {"type": "basic_auth"}});
    let station = app.client.post("/chargestations", secured).await.created();
    let url = station["connection_url"].as_str().unwrap();
    let basic = |password: &str| {
        let text = format!("{}:{password}", station["endpoint"].as_str().unwrap());
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    assert!(FakeStation::try_connect(url, &[]).await.is_err());
    assert!(FakeStation::try_connect(url, &[("authorization", &basic("wrong-password-123"))]).await.is_err());
    let right = basic(station["security"]["password"].as_str().expect("shown once"));
    for protocol in ["ocpp2.0.1", "ocpp2.1"] {
        let spoken = ("sec-websocket-protocol", protocol);
        let wrong = [spoken, ("authorization", &basic("wrong-password-123"))];
        assert!(FakeStation::try_connect(url, &wrong).await.is_err());
        let known = [spoken, ("authorization", right.as_str())];
        let connected = FakeStation::try_connect(url, &known).await;
        let mut newer = connected.expect("the right password");
        assert_eq!(newer.boot_2().await["status"], "Accepted");
    }
    let mut connected = FakeStation::try_connect(url, &[("authorization", &right)]).await.expect("the right password");
    assert_eq!(connected.boot().await["status"], "Accepted");

    let path = format!("/chargestations/{}", station["_id"].as_str().unwrap());
    assert!(app.client.get(&path).await.ok()["security"].get("password").is_none());
    app.client.patch(&path, json!({"active": false})).await.ok();
    assert_eq!(connected.next().await, None, "an inactive station is disconnected");
    assert!(FakeStation::try_connect(url, &[("authorization", &right)]).await.is_err());
}

#[actix_web::test]
async fn a_socket_ends_with_the_rules_it_was_opened_under() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut renamed = station.url.clone();
    for change in [
        json!({"pinned_protocol": "ocpp1.6"}),
        json!({"endpoint": "renamed", "security": {"type": "none"}}),
        json!({"security": {"type": "basic_auth"}}),
    ] {
        let mut socket = FakeStation::connect(&renamed).await;
        socket.boot().await;
        let harmless = json!({"name": "T", "description": change.to_string()});
        app.client.patch(&station.path, harmless).await.ok();
        socket.boot().await; // and the socket is still there
        app.client.patch(&station.path, change.clone()).await.ok();
        assert_eq!(socket.next().await, None, "{change}");
        renamed = match change.get("endpoint") {
            Some(_) => app.station_url("renamed"),
            None => renamed,
        };
    }
}

#[actix_web::test]
async fn odd_urls_and_a_missing_sub_protocol_are_tolerated_but_other_protocols_are_not() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let host = app.station_url("");
    for odd in [format!("{host}//x/{}/", station.endpoint), format!("{host}{}", station.endpoint.to_uppercase())] {
        let mut connected = FakeStation::try_connect(&odd, &[]).await.expect("an odd URL");
        assert_eq!(connected.boot().await["status"], "Accepted");
    }
    let wrong = FakeStation::try_connect(&station.url, &[("sec-websocket-protocol", "soap")]).await;
    if let Ok(mut closed) = wrong {
        assert_eq!(closed.next().await, None, "no common protocol: closed at once");
    }
    let both = [("sec-websocket-protocol", "ocpp1.5, ocpp1.6")];
    assert!(FakeStation::try_connect(&station.url, &both).await.is_ok());
}

#[actix_web::test]
async fn the_newest_socket_wins_and_the_old_ones_end_changes_nothing() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut old = FakeStation::connect(&station.url).await;
    old.boot().await;
    let mut new = FakeStation::connect(&station.url).await;
    new.boot().await;
    assert_eq!(old.next().await, None);
    old.drop_link().await;
    assert_eq!(new.call("Heartbeat", json!({})).await["currentTime"], "2026-04-24T03:06:40.000Z");
    assert_eq!(app.client.get(&station.path).await.ok()["online"], true);
    new.drop_link().await;
    app.eventually(async || app.client.get(&station.path).await.ok()["online"] == false).await;
    let kinds: Vec<String> = app.event_types().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "chargestation.offline").count(), 1, "{kinds:?}");
}

#[actix_web::test]
async fn a_frame_that_takes_longer_than_the_patience_with_silence_is_heard() {
    let options = [("EVENWATT_OCPP_PING_SECONDS", "1"), ("EVENWATT_OCPP_PONG_SECONDS", "1")];
    let app = TestApp::start_with(&options).await;
    let station = app.station("GPRS").await;
    let protocol = [("Sec-WebSocket-Protocol", "ocpp1.6")];
    let mut socket = RawSocket::open(&station.url, &protocol).await;
    let call = br#"[2,"slow","Heartbeat",{}]"#;
    // It can answer no ping before its frame is whole (RFC 6455 section 5.4).
    assert!(socket.announce(0x81, call.len() as u64).await);
    for (byte, key) in call.iter().zip(RawSocket::MASK.iter().cycle()) {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(socket.send(&[byte ^ key]).await);
    }
    loop {
        let frame = socket.next().await.expect("an answer, not the end");
        if frame.content.starts_with(br#"[3,"slow""#) {
            break;
        }
        assert_ne!(frame.first, 0x88, "closed: {:?}", frame.content);
    }
}

#[actix_web::test]
async fn a_silent_socket_is_given_up_and_any_frame_is_a_sign_of_life() {
    let options = [
        ("EVENWATT_OCPP_PING_SECONDS", "1"),
        ("EVENWATT_OCPP_PONG_SECONDS", "8"), // a busy machine may keep the talking one waiting
    ];
    let app = TestApp::start_with(&options).await;
    let (silent, talking) = (app.station("Silent").await, app.station("Talking").await);
    // Neither reads, so neither answers a ping.
    let _silent = FakeStation::connect(&silent.url).await;
    let mut socket = FakeStation::connect(&talking.url).await;
    // It talks however long the API takes to answer.
    actix_web::rt::spawn(async move {
        loop {
            socket.send_text("[2,\"h\",\"Heartbeat\",{}]").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let online = async |path: &str| app.client.get(path).await.ok()["online"] == true;
    app.eventually(async || !online(&silent.path).await).await;
    assert!(online(&talking.path).await);
    let closed = json!({"operational_status": "Closed"});
    app.client.patch(&talking.path, closed).await.ok();
    app.eventually(async || !online(&talking.path).await).await;
}
