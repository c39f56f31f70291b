//! The password of a station is changed over its own connection: the old one is right until the station proved the new one
//! (OCPP 2.0.1 A01; OCPP 1.6 security whitepaper), and nobody but the caller reads it.

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp};

const OLD: &str = "0123456789abcdef";
const NEW: &str = "fedcba9876543210";

/// A station with a password, and its connection.
struct Secured {
    app: TestApp,
    path: String,
    endpoint: String,
    socket: FakeStation,
    protocol: &'static str,
}

impl Secured {
    async fn new(protocol: &'static str) -> Self {
        let app = TestApp::start().await;
        let body = json!({"security": {"type": "basic_auth", "password": OLD}});
        let made = app.client.post("/chargestations", body).await.created();
        let endpoint = made["endpoint"].as_str().expect("an endpoint").to_owned();
        let path = format!("/chargestations/{}", made["_id"].as_str().expect("an id"));
        let socket = connect(&app, (&endpoint, protocol), Some(OLD)).await;
        let mut socket = socket.expect("the right password");
        match protocol {
            "ocpp1.6" => socket.boot().await,
            _ => socket.boot_2().await,
        };
        Self { app, path, endpoint, socket, protocol }
    }

    /// Whether the station comes in with this password.
    async fn comes_in(&self, password: &str) -> bool {
        let place = (self.endpoint.as_str(), self.protocol);
        connect(&self.app, place, Some(password)).await.is_some()
    }

    /// Asks for the change while the station is asked, and does what it does; the answer, and what the station was asked.
    async fn change(&mut self, body: Value, act: impl AsyncFnOnce(&mut FakeStation, &Value)) -> (Answer, Value) {
        let path = format!("{}/change_password", self.path);
        let (client, socket) = (&self.app.client, &mut self.socket);
        let station = async {
            let call = socket.next_call().await;
            act(socket, &call).await;
            call
        };
        tokio::join!(client.post(&path, body), station)
    }

    async fn is_pending(&self) -> bool {
        let view = self.app.client.get(&self.path).await.ok();
        assert_eq!(view["security"].get("password"), None);
        view["security"]["password_pending"] == true
    }

    /// Answers in the words of its version.
    fn answer(&self, status: &str) -> Value {
        match self.protocol {
            "ocpp1.6" => json!({"status": status}),
            _ => json!({"setVariableResult": [{"attributeStatus": status,
                "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]}),
        }
    }
}

async fn connect(app: &TestApp, (endpoint, protocol): (&str, &str), password: Option<&str>) -> Option<FakeStation> {
    let text = format!("{endpoint}:{}", password.unwrap_or_default());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let login = format!("Basic {encoded}");
    let mut headers = vec![("sec-websocket-protocol", protocol)];
    if password.is_some() {
        headers.push(("authorization", &login));
    }
    FakeStation::try_connect(&app.station_url(endpoint), &headers).await.ok()
}

#[actix_web::test]
async fn a01_fr_02_a_password_that_the_station_took_replaces_the_old_one_once_it_comes_with_it() {
    for protocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let mut station = Secured::new(protocol).await;
        let accepted = station.answer("Accepted");
        let (answer, call) = station
            .change(json!({"password": NEW}), async |socket, call| {
                socket.answer(call, accepted).await;
            })
            .await;
        let sent = &call[3];
        match protocol {
            // The whitepaper wants the bytes in hexadecimal digits: "f" is 0x66, "e" 0x65, …
            "ocpp1.6" => {
                assert_eq!(*sent, json!({"key": "AuthorizationKey", "value": "66656463626139383736353433323130"}))
            }
            _ => assert_eq!(
                sent["setVariableData"],
                json!([{"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": NEW}])
            ),
        }
        let shown = answer.ok();
        assert_eq!(shown["security"]["password"], NEW, "shown this once");
        assert!(station.is_pending().await);
        // It may have to come before it took the password over.
        assert!(station.comes_in(OLD).await && station.is_pending().await);
        assert!(station.comes_in(NEW).await);
        assert!(!station.is_pending().await);
        assert!(!station.comes_in(OLD).await, "{protocol}");
        assert!(station.comes_in(NEW).await);
        // Nobody else reads it.
        for path in ["/actions", "/events?limit=1000", &format!("{}/messages", station.path)] {
            let text = station.app.client.get(path).await.text;
            let digits = hex::encode(NEW);
            assert!(!text.contains(NEW) && !text.contains(&digits), "{path}: {text}");
        }
    }
}

#[actix_web::test]
async fn a01_fr_03_a_password_that_the_station_refuses_is_forgotten() {
    for protocol in ["ocpp1.6", "ocpp2.0.1"] {
        let mut station = Secured::new(protocol).await;
        let rejected = station.answer("Rejected");
        let refuses = async |socket: &mut FakeStation, call: &Value| socket.answer(call, rejected).await;
        let (answer, _) = station.change(json!({"password": NEW}), refuses).await;
        assert_eq!(answer.error(400), "command_failed");
        assert!(!station.is_pending().await);
        assert!(!station.comes_in(NEW).await && station.comes_in(OLD).await);
    }
    let mut station = Secured::new("ocpp1.6").await;
    let (answer, _) = station
        .change(json!({}), async |socket, call| {
            let error = json!([4, call[1], "NotSupported", "", {}]);
            socket.send_text(error.to_string()).await;
        })
        .await;
    assert_eq!(answer.error(400), "command_failed");
    assert!(!station.is_pending().await && station.comes_in(OLD).await);
}

#[actix_web::test]
async fn a_station_that_goes_away_before_it_answers_may_come_with_either() {
    let mut station = Secured::new("ocpp1.6").await;
    let path = format!("{}/change_password", station.path);
    let asked = station.app.client.post(&path, json!({"password": NEW}));
    let goes = async {
        let call = station.socket.next_call().await;
        assert_eq!(call[3]["key"], "AuthorizationKey");
        // It comes again, with the old password, and the answer to the old connection is lost.
        let place = (station.endpoint.as_str(), station.protocol);
        connect(&station.app, place, Some(OLD)).await.expect("the old one")
    };
    let (answer, mut newer) = tokio::join!(asked, goes);
    assert_eq!(answer.error(406), "station_offline");
    newer.boot().await;
    assert!(station.is_pending().await && station.comes_in(OLD).await);
    assert!(station.comes_in(NEW).await, "it had it all the same");
    assert!(!station.comes_in(OLD).await);
}

#[actix_web::test]
async fn a_station_without_security_gets_some_over_its_connection() {
    let app = TestApp::start().await;
    let open = app.station("S").await;
    let mut socket = FakeStation::connect(&open.url).await;
    socket.boot().await;
    let path = format!("{}/change_password", open.path);
    let asked = app.client.post(&path, json!({}));
    let answers = async {
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
        call
    };
    let (answer, call) = tokio::join!(asked, answers);
    let shown = answer.ok();
    let password = shown["security"]["password"].as_str().expect("shown once");
    assert_eq!(call[3]["value"], hex::encode(password));
    let place = (open.endpoint.as_str(), "ocpp1.6");
    assert!(connect(&app, place, None).await.is_some(), "until it has it");
    // Some stations send the digits themselves.
    let digits = hex::encode(password);
    assert!(connect(&app, place, Some(&digits)).await.is_some());
    assert!(connect(&app, place, None).await.is_none());
    let view = app.client.get(&open.path).await.ok();
    assert_eq!(view["security"]["type"], "basic_auth");
}

#[actix_web::test]
async fn who_cannot_be_sent_a_password_is_not() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("{}/change_password", station.path);
    let offline = app.client.post(&path, json!({})).await;
    assert_eq!(offline.error(406), "station_offline");
    let long = json!({"password": "x".repeat(21)});
    assert_eq!(app.client.post(&path, long).await.faulty_fields(), ["password"]);
    let strict = json!({"security": {"type": "client_certificate"}});
    app.client.patch(&station.path, strict).await.ok();
    assert_eq!(app.client.post(&path, json!({})).await.error(409), "conflict");
}
