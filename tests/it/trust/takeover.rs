//! Stations that come from another back end: with names of their own, payloads of odd types, and answers that say no.

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp};

// ---- names of their own

async fn create(app: &TestApp, endpoint: &str) -> Answer {
    let body = json!({"name": "Taken over", "endpoint": endpoint, "security": {"type": "none"}});
    app.client.post("/chargestations", body).await
}

async fn connects(app: &TestApp, endpoint: &str) -> bool {
    let url = app.station_url(endpoint);
    let protocol = [("sec-websocket-protocol", "ocpp1.6")];
    FakeStation::try_connect(&url, &protocol).await.is_ok()
}

#[actix_web::test]
async fn a_station_may_have_a_name_of_its_own() {
    let app = TestApp::start().await;
    let station = create(&app, "CP-0001").await.created();
    assert_eq!(station["endpoint"], "CP-0001");
    let url = station["connection_url"].as_str().expect("a URL");
    assert!(url.ends_with("/ocpp/CP-0001"), "{url}");
    let mut charger = FakeStation::connect(url).await;
    assert_eq!(charger.boot().await["status"], "Accepted");
}

#[actix_web::test]
async fn a_station_that_is_given_no_name_gets_one() {
    let app = TestApp::start().await;
    let body = json!({"name": "New"});
    let station = app.client.post("/chargestations", body).await.created();
    assert_eq!(station["endpoint"].as_str().map(str::len), Some(20));
}

#[actix_web::test]
async fn the_case_of_letters_does_not_matter() {
    let app = TestApp::start().await;
    create(&app, "Depot-A").await.created();
    for spelled in ["Depot-A", "depot-a", "DEPOT-A"] {
        assert!(connects(&app, spelled).await, "{spelled}");
    }
}

#[actix_web::test]
async fn a_name_is_given_once_on_a_server() {
    let app = TestApp::start().await;
    create(&app, "CP-0001").await.created();
    let again = create(&app, "cp-0001").await;
    assert_eq!(again.error(409), "already_exists");
    assert!(again.text.contains("endpoint"), "{}", again.text);
    let stranger = app.stranger().await;
    let body = json!({"name": "Theirs", "endpoint": "CP-0001"});
    let theirs = stranger.post("/chargestations", body).await;
    assert_eq!(theirs.error(409), "already_exists");
}

#[actix_web::test]
async fn a_name_contains_what_may_stand_in_a_url() {
    let app = TestApp::start().await;
    let long = "x".repeat(49);
    for wrong in ["", ".", "..", "two words", "a/b", "Säule", "a?b", "a%20b", long.as_str()] {
        assert_eq!(create(&app, wrong).await.faulty_fields(), ["endpoint"], "{wrong}");
    }
    let longest = "x".repeat(48);
    for right in ["DE*ABC*E001", "00:11:22:33", "a.b_c=d+e@f", longest.as_str()] {
        create(&app, right).await.created();
        assert!(connects(&app, right).await, "{right}");
    }
}

#[actix_web::test]
async fn a_name_may_be_percent_encoded_in_the_url() {
    let app = TestApp::start().await;
    create(&app, "DE*ABC|1").await.created();
    assert!(connects(&app, "DE%2AABC%7C1").await);
}

#[actix_web::test]
async fn a_station_may_be_renamed() {
    let app = TestApp::start().await;
    let station = create(&app, "Old").await.created();
    let path = format!("/chargestations/{}", station["_id"].as_str().expect("an id"));
    let change = |endpoint: Value| json!({"endpoint": endpoint, "security": {"type": "none"}});
    let renamed = app.client.patch(&path, change("New".into())).await.ok();
    assert_eq!(renamed["endpoint"], "New");
    assert!(!connects(&app, "Old").await);
    assert!(connects(&app, "New").await);
    let respelled = app.client.patch(&path, change("NEW".into())).await.ok();
    assert_eq!(respelled["endpoint"], "NEW");
    let drawn = app.client.patch(&path, change(Value::Null)).await.ok();
    assert_eq!(drawn["endpoint"].as_str().map(str::len), Some(20));
}

#[actix_web::test]
async fn a_station_may_not_be_given_the_name_of_another() {
    let app = TestApp::start().await;
    create(&app, "First").await.created();
    let second = create(&app, "Second").await.created();
    let path = format!("/chargestations/{}", second["_id"].as_str().expect("an id"));
    let taken = app.client.patch(&path, json!({"endpoint": "FIRST", "security": {"type": "none"}})).await;
    assert_eq!(taken.error(409), "already_exists");
    assert_eq!(app.client.get(&path).await.ok()["endpoint"], "Second");
}

#[actix_web::test]
async fn a_name_with_a_colon_may_have_a_password() {
    use base64::Engine as _;
    let app = TestApp::start().await;
    let body = json!({"endpoint": "00:11:22", "security": {"type": "basic_auth", "password": "0123456789abcdef"}});
    let station = app.client.post("/chargestations", body).await.created();
    let url = station["connection_url"].as_str().expect("a URL");
    let login = |credentials: &str| {
        let text = base64::engine::general_purpose::STANDARD.encode(credentials);
        format!("Basic {text}")
    };
    for (credentials, welcome) in
        [("00:11:22:0123456789abcdef", true), ("00:11:22:0123456789abcdee", false), ("00:0123456789abcdef", false)]
    {
        let authorization = login(credentials);
        let headers = [("sec-websocket-protocol", "ocpp1.6"), ("authorization", authorization.as_str())];
        let connected = FakeStation::try_connect(url, &headers).await;
        assert_eq!(connected.is_ok(), welcome, "{credentials}");
    }
}

// ---- payloads of odd types

async fn charger(protocol: &str) -> (TestApp, FakeStation) {
    let app = TestApp::start().await;
    let station = app.station("Odd").await;
    let charger = FakeStation::speaking(&station.url, protocol).await;
    (app, charger)
}

#[actix_web::test]
async fn a_container_where_a_text_belongs_is_of_the_wrong_type_in_every_version() {
    for container in [json!({"a": 1}), json!(["Box"])] {
        let (_app, mut charger) = charger("ocpp1.6").await;
        let boot = json!({"chargePointVendor": "Acme", "chargePointModel": container});
        let frame = charger.call_frame("BootNotification", boot).await;
        assert_eq!((&frame[0], &frame[2]), (&json!(4), &json!("TypeConstraintViolation")));
        for protocol in ["ocpp2.0.1", "ocpp2.1"] {
            let (_app, mut charger) = self::charger(protocol).await;
            let station = json!({"vendorName": "Acme", "model": container});
            let boot = json!({"reason": "PowerUp", "chargingStation": station});
            let frame = charger.call_frame("BootNotification", boot).await;
            assert_eq!((&frame[0], &frame[2]), (&json!(4), &json!("TypeConstraintViolation")));
        }
    }
}

#[actix_web::test]
async fn a_container_is_no_text_either_where_the_text_may_be_missing() {
    let (_app, mut charger) = charger("ocpp1.6").await;
    let boot = json!({"chargePointVendor": "Acme", "chargePointModel": "Box", "firmwareVersion": {"major": 1}});
    let frame = charger.call_frame("BootNotification", boot).await;
    assert_eq!(frame[2], "TypeConstraintViolation", "{frame}");
    let transfer = json!({"vendorId": "Acme", "data": {"a": 1}});
    let frame = charger.call_frame("DataTransfer", transfer).await;
    assert_eq!(frame[2], "TypeConstraintViolation", "{frame}");
    let description = frame[3].as_str().expect("a description");
    assert!(description.contains("data"), "{description}");
}

#[actix_web::test]
async fn a_number_where_a_text_belongs_is_still_taken() {
    let (_app, mut charger) = charger("ocpp1.6").await;
    let boot = json!({"chargePointVendor": "Acme", "chargePointModel": 7, "firmwareVersion": 1.2});
    assert_eq!(charger.call("BootNotification", boot).await["status"], "Accepted");
}

#[actix_web::test]
async fn a_reading_of_an_odd_type_is_left_out_and_its_message_answered() {
    let (_app, mut charger) = charger("ocpp1.6").await;
    charger.boot().await;
    let id = charger.start(1, "CARD", 0, "2026-04-24T03:06:00Z").await;
    let values = json!([{"value": {"odd": 1}}, {"value": "700"}]);
    let data = json!([{"timestamp": "2026-04-24T03:06:30Z", "sampledValue": values}]);
    let stop = json!({"transactionId": id, "meterStop": 700, "timestamp": "2026-04-24T03:06:40Z",
        "transactionData": data});
    let frame = charger.call_frame("StopTransaction", stop).await;
    assert_eq!(frame[0], 3, "{frame}");
}

// ---- answers that say no

/// What the API answers to a raw command that the station answers with this frame, its id left out.
async fn raw(protocol: &str, action: &str, payload: Value, said: Value) -> Answer {
    let app = TestApp::start().await;
    let station = app.station("Raw").await;
    let mut charger = FakeStation::speaking(&station.url, protocol).await;
    match protocol {
        "ocpp1.6" => charger.boot().await,
        _ => charger.boot_2().await,
    };
    let client = app.client.clone();
    let path = format!("{}/ocpp", station.path);
    let body = json!({"action": action, "payload": payload});
    let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = charger.next_call().await;
    let mut frame = said;
    frame.as_array_mut().expect("a frame").insert(1, call[1].clone());
    charger.send_text(frame.to_string()).await;
    asked.await.expect("answered")
}

#[actix_web::test]
async fn a_raw_command_answers_what_the_station_said_also_when_it_says_no() {
    for (protocol, action, payload, said) in [
        ("ocpp1.6", "ClearCache", json!({}), json!({"status": "Rejected"})),
        ("ocpp1.6", "UnlockConnector", json!({"connectorId": 1}), json!({"status": "UnlockFailed"})),
        ("ocpp1.6", "DataTransfer", json!({"vendorId": "V"}), json!({"status": "UnknownVendorId", "data": "x"})),
        ("ocpp2.0.1", "ClearCache", json!({}), json!({"status": "Rejected", "statusInfo": {"reasonCode": "NoCache"}})),
        ("ocpp2.1", "Reset", json!({"type": "OnIdle"}), json!({"status": "Scheduled"})),
    ] {
        let answer = raw(protocol, action, payload, json!([3, said])).await;
        assert_eq!(answer.ok()["response_data"], said, "{protocol} {action}");
    }
}

#[actix_web::test]
async fn a_raw_command_answers_word_for_word() {
    let said = json!({"configurationKey": [{"key": "HeartbeatInterval", "readonly": false, "value": "300"}],
        "unknownKey": ["X"]});
    let answer = raw("ocpp1.6", "GetConfiguration", json!({}), json!([3, said])).await;
    assert_eq!(answer.ok()["response_data"], said);
}

#[actix_web::test]
async fn an_error_of_the_station_is_shown_with_its_code() {
    let said = json!([4, "NotSupported", "no cache here", {}]);
    let answer = raw("ocpp1.6", "ClearCache", json!({}), said).await;
    let action = answer.ok();
    assert_eq!(action["status"], "failed");
    let data = json!({"error": "the station answered NotSupported: no cache here",
        "code": "NotSupported", "description": "no cache here", "details": {}});
    assert_eq!(action["response_data"], data);
}

#[actix_web::test]
async fn an_error_of_the_station_is_shown_word_for_word_and_kept() {
    for (said, code, description, details, sentence) in [
        (
            json!([4, "FormatViolation", "bad", {"at": "x"}]),
            "FormatViolation",
            "bad",
            json!({"at": "x"}),
            "the station answered FormatViolation: bad",
        ),
        (json!([4, "Busy", ""]), "Busy", "", json!({}), "the station answered Busy"),
        (json!([4]), "", "", json!({}), "the station answered with an error that says nothing"),
    ] {
        let action = raw("ocpp2.0.1", "ClearCache", json!({}), said).await.ok();
        let kept = json!({"error": sentence, "code": code, "description": description, "details": details});
        assert_eq!(action["response_data"], kept);
    }
}

// ---- limits in the form they take

/// A station that takes limits as it likes: what it was sent, and what the API answered.
struct Picky {
    app: TestApp,
    station: crate::support::TestStation,
    charger: FakeStation,
}

impl Picky {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let station = app.station("Picky").await;
        let mut charger = FakeStation::connect(&station.url).await;
        charger.boot().await;
        Self { app, station, charger }
    }

    /// Sets a limit in amps; how many variants were tried, and whether one was taken.
    async fn limit(&mut self, amps: f64, takes: impl Fn(&Value) -> bool) -> (usize, bool) {
        let client = self.app.client.clone();
        let path = format!("{}/set_default_power_limit?wait=true", self.station.path);
        let body = json!({"unit": "current", "limit": amps});
        let asked = client.post(&path, body);
        tokio::pin!(asked);
        let mut tries = 0;
        loop {
            tokio::select! {
                answer = &mut asked => return (tries, answer.status == 200),
                call = self.charger.next_call() => {
                    let schedule = &call[3]["csChargingProfiles"]["chargingSchedule"];
                    let taken = takes(schedule);
                    tries += usize::from(call[2] == "SetChargingProfile");
                    let status = if taken { "Accepted" } else { "Rejected" };
                    self.charger.answer(&call, json!({"status": status})).await;
                }
            }
        }
    }

    async fn refuses_zero(&self) -> Value {
        let path = format!("{}/capabilities", self.station.path);
        self.app.client.get(&path).await.ok()["refuses_zero"].clone()
    }
}

fn amps(schedule: &Value) -> f64 {
    let limit = schedule["chargingSchedulePeriod"][0]["limit"].as_f64();
    match schedule["chargingRateUnit"].as_str() {
        Some("A") => limit.unwrap_or(-1.0),
        _ => limit.map_or(-1.0, |watts| watts / 690.0),
    }
}

fn is_whole(schedule: &Value) -> bool {
    schedule["chargingRateUnit"] == "A" && amps(schedule).fract() == 0.0
}

fn says_no_phases(schedule: &Value) -> bool {
    schedule["chargingSchedulePeriod"][0].get("numberPhases").is_none()
}

#[actix_web::test]
async fn a_station_that_takes_whole_amps_only_gets_them_rounded_down() {
    let mut picky = Picky::new().await;
    let whole = |schedule: &Value| is_whole(schedule) && amps(schedule) <= 10.7;
    assert_eq!(picky.limit(10.7, whole).await, (2, true));
    assert_eq!(picky.limit(12.3, is_whole).await, (1, true));
}

#[actix_web::test]
async fn a_station_that_refuses_number_phases_gets_none() {
    let mut picky = Picky::new().await;
    let (tries, taken) = picky.limit(10.0, says_no_phases).await;
    assert!(taken && tries <= 3, "{tries}");
    assert_eq!(picky.limit(11.0, says_no_phases).await, (1, true));
}

#[actix_web::test]
async fn a_station_that_knows_only_schedules_of_the_transaction_gets_one() {
    let mut picky = Picky::new().await;
    let relative = |schedule: &Value| schedule.get("startSchedule").is_none();
    assert!(picky.limit(10.0, relative).await.1);
    assert_eq!(picky.limit(11.0, relative).await, (1, true));
}

#[actix_web::test]
async fn what_a_station_takes_is_remembered_across_connections_and_restarts() {
    let mut picky = Picky::new().await;
    assert!(picky.limit(10.7, is_whole).await.1);
    picky.charger = FakeStation::connect(&picky.station.url).await;
    picky.charger.boot().await;
    assert_eq!(picky.limit(11.7, is_whole).await, (1, true));
    picky.app = picky.app.restart_with(&[]).await;
    let url = picky.app.station_url(&picky.station.endpoint);
    picky.charger = FakeStation::connect(&url).await;
    picky.charger.boot().await;
    assert_eq!(picky.limit(12.7, is_whole).await, (1, true));
}

#[actix_web::test]
async fn a_station_that_takes_nothing_is_tried_a_bounded_number_of_times() {
    let mut picky = Picky::new().await;
    let mut tries = 0;
    for _ in 0..10 {
        let (more, taken) = picky.limit(10.7, |_| false).await;
        assert!(!taken);
        tries += more;
    }
    assert!(tries <= 20, "{tries}");
}

#[actix_web::test]
async fn a_station_that_refuses_zero_is_not_asked_for_it_again() {
    let mut picky = Picky::new().await;
    let from_six = |schedule: &Value| amps(schedule) >= 6.0;
    assert_eq!(picky.refuses_zero().await, false);
    assert_eq!(picky.limit(6.0, from_six).await, (1, true));
    let (tries, taken) = picky.limit(0.0, from_six).await;
    assert!(!taken && tries <= 2, "{tries}");
    assert_eq!(picky.limit(0.0, from_six).await, (0, false));
    assert_eq!(picky.refuses_zero().await, true);
    assert_eq!(picky.limit(16.0, from_six).await, (1, true));
}

#[actix_web::test]
async fn a_station_that_refuses_more_than_its_maximum_charges_with_that() {
    let app = TestApp::start().await;
    let plug = json!({"power": 22, "amperage_limit": 32});
    let station = app.station_with("Small", plug).await;
    let limits = json!({"maximum_capacity": 22, "minimum_connector_capacity": 2});
    app.group_of(&station, limits).await;
    let mut charger = FakeStation::connect(&station.url).await;
    charger.boot().await;
    charger.start(1, "CARD", 0, "2026-01-01T00:00:00Z").await;
    let (mut tries, mut live) = (0, 0.0);
    while live < 16.0 {
        let call = charger.next_call().await;
        let profile = &call[3]["csChargingProfiles"];
        let schedule = &profile["chargingSchedule"];
        let in_amps = schedule["chargingRateUnit"] == "A";
        // Its plug has one phase of 230 V.
        let limit = amps(schedule) * if in_amps { 1.0 } else { 3.0 };
        let status = if limit > 16.0 { "Rejected" } else { "Accepted" };
        if profile["stackLevel"] == 2 {
            tries += 1;
            if limit <= 16.0 {
                live = limit;
            }
        }
        charger.answer(&call, json!({"status": status})).await;
    }
    assert!(live <= 16.0 && tries <= 8, "{live} A after {tries}");
}
