//! Numbers of cards as long as a station's protocol has room for, sent with the type of their token.

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp, TestStation};

struct Scene {
    app: TestApp,
    station: TestStation,
    socket: FakeStation,
}

impl Scene {
    async fn speaking(protocol: &str) -> Self {
        let app = TestApp::start().await;
        let station = app.station("S").await;
        let evses = app.client.get("/evses").await.json();
        let evse = evses["result"][0]["_id"].as_str().expect("an id");
        let change = json!({"reservable": true});
        app.client.patch(&format!("/evses/{evse}"), change).await.ok();
        let mut socket = FakeStation::speaking(&station.url, protocol).await;
        match protocol {
            "ocpp1.6" => socket.boot().await,
            _ => socket.boot_2().await,
        };
        Self { app, station, socket }
    }

    async fn token(&self, number: &str, kind: &str) {
        let token = json!({"physicalId": number, "type": kind});
        self.app.client.post("/tokens", token).await.created();
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.client.post(path, body).await
    }

    /// The payload of this call, which the station agrees to.
    async fn asked(&mut self, action: &str) -> Value {
        loop {
            let call = self.socket.next_call().await;
            self.socket.answer(&call, json!({"status": "Accepted"})).await;
            if call[2] == action {
                return call[3].clone();
            }
        }
    }
}

/// What each version has room for.
const ROOM: [(&str, usize); 3] = [("ocpp1.6", 20), ("ocpp2.0.1", 36), ("ocpp2.1", 255)];

#[actix_web::test]
async fn a_number_may_be_as_long_as_the_protocol_has_room_for() {
    for (protocol, longest) in ROOM {
        let mut scene = Scene::speaking(protocol).await;
        let connector = scene.station.connector.clone();
        for path in ["/reservations?wait=false", "/sessions"] {
            let mut body = json!({"connector": connector, "id_tag": "x".repeat(longest + 1)});
            if path != "/sessions" {
                body["duration_minutes"] = json!(5);
            }
            let refused = scene.post(path, body).await;
            assert_eq!(refused.faulty_fields(), ["id_tag"], "{protocol} {path}");
            let says_how_long = longest == 255 || refused.text.contains(&format!("most {longest} characters"));
            assert!(says_how_long, "{}", refused.text);
        }
        let number = "x".repeat(longest);
        let body = json!({"connector": connector, "id_tag": number, "duration_minutes": 5});
        scene.post("/reservations?wait=false", body).await.created();
        let sent = scene.asked("ReserveNow").await;
        let sent = sent.get("idTag").unwrap_or(&sent["idToken"]["idToken"]);
        assert_eq!(sent, &json!(number), "{protocol}");
    }
}

#[actix_web::test]
async fn a_token_that_is_too_long_cannot_reserve() {
    let scene = Scene::speaking("ocpp1.6").await;
    let token = json!({"physicalId": "x".repeat(21)});
    let token = scene.post("/tokens", token).await.created();
    let body = json!({"connector": scene.station.connector, "token": token["_id"], "duration_minutes": 5});
    let refused = scene.post("/reservations", body).await;
    assert_eq!(refused.faulty_fields(), ["token"]);
}

#[actix_web::test]
async fn a_local_list_has_every_card_that_fits_with_its_type() {
    let (long, longer) = ("x".repeat(36), "y".repeat(255));
    for (protocol, cards) in [
        ("ocpp1.6", json!([["12345678", null]])),
        ("ocpp2.0.1", json!([["12345678", "KeyCode"], [long, "eMAID"]])),
        ("ocpp2.1", json!([["12345678", "KeyCode"], [long, "eMAID"], [longer, "Local"]])),
    ] {
        let mut scene = Scene::speaking(protocol).await;
        for (number, kind) in [("12345678", "KeyCode"), (&long, "eMAID"), (&longer, "Local")] {
            scene.token(number, kind).await;
        }
        let path = format!("{}/send_local_list", scene.station.path);
        let sent = scene.post(&path, json!({})).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        let sent = scene.asked("SendLocalList").await;
        let entries = sent["localAuthorizationList"].as_array().expect("a list");
        let card = |entry: &Value| match entry.get("idTag") {
            Some(number) => json!([number, null]),
            None => json!([entry["idToken"]["idToken"], entry["idToken"]["type"]]),
        };
        let mut sent: Vec<Value> = entries.iter().map(card).collect();
        sent.sort_by_key(|card| card[0].as_str().map(str::len));
        assert_eq!(json!(sent), cards, "{protocol}");
    }
}

#[actix_web::test]
async fn a_known_token_is_sent_with_its_type() {
    let mut scene = Scene::speaking("ocpp2.0.1").await;
    scene.token("12345678", "KeyCode").await;
    let key_code = json!({"idToken": "12345678", "type": "KeyCode"});
    let body = json!({"connector": scene.station.connector, "id_tag": "12345678", "duration_minutes": 5});
    scene.post("/reservations?wait=false", body).await.created();
    assert_eq!(scene.asked("ReserveNow").await["idToken"], key_code);
    let body = json!({"connector": scene.station.connector, "id_tag": "12345678"});
    scene.post("/sessions", body).await.created();
    assert_eq!(scene.asked("RequestStartTransaction").await["idToken"], key_code);
}
