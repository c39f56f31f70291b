//! Clocks of stations that are wrong: hours ahead, years behind, going back.

use std::time::Duration;

use clock::Clock as _;
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A station whose clock is so many seconds ahead of ours.
struct Charger {
    app: TestApp,
    station: TestStation,
    socket: FakeStation,
    ahead: i64,
}

impl Charger {
    async fn speaking(protocol: &str, ahead: i64) -> Self {
        let app = TestApp::start().await;
        let station = app.station("Clock").await;
        let mut socket = FakeStation::speaking(&station.url, protocol).await;
        match protocol {
            "ocpp1.6" => socket.boot().await,
            _ => socket.boot_2().await,
        };
        Self { app, station, socket, ahead }
    }

    async fn new(ahead: i64) -> Self {
        Self::speaking("ocpp1.6", ahead).await
    }

    fn is_1_6(&self) -> bool {
        self.socket.agreed.as_deref() == Some("ocpp1.6")
    }

    /// Our time, so many seconds from now.
    fn ours(&self, seconds: i64) -> Timestamp {
        Timestamp::from_micros(self.app.clock.now().micros() + seconds * 1_000_000)
    }

    /// The station's time, so many seconds from now.
    fn there(&self, seconds: i64) -> String {
        self.ours(self.ahead + seconds).to_string()
    }

    async fn pass(&self, seconds: u64) {
        self.app.pass(Duration::from_secs(seconds)).await;
    }

    /// Reports a status with the station's time, so many seconds from now.
    async fn status_of(&mut self, seconds: i64) {
        let at = self.there(seconds);
        if self.is_1_6() {
            let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": at});
            self.socket.call("StatusNotification", status).await;
        } else {
            let status = json!({"evseId": 1, "connectorId": 1, "connectorStatus": "Available", "timestamp": at});
            self.socket.call("StatusNotification", status).await;
        }
    }

    /// Talks live for a while: a status every minute.
    async fn talks(&mut self) {
        for _ in 0..3 {
            self.status_of(0).await;
            self.pass(60).await;
        }
    }

    /// Limits the station and answers; the limit as it was said.
    async fn limit(&mut self) -> Value {
        let client = self.app.client.clone();
        let path = format!("{}/set_default_power_limit", self.station.path);
        let body = json!({"unit": "current", "limit": 10});
        client.post(&path, body).await;
        loop {
            let call = self.socket.next_call().await;
            self.socket.answer(&call, json!({"status": "Accepted"})).await;
            if call[2] == "SetChargingProfile" {
                return match self.is_1_6() {
                    true => call[3]["csChargingProfiles"]["chargingSchedule"].clone(),
                    false => call[3]["chargingProfile"]["chargingSchedule"][0].clone(),
                };
            }
        }
    }

    /// How many seconds from now, by our clock, a limit begins.
    async fn limit_begins(&mut self) -> i64 {
        let schedule = self.limit().await;
        let start: Timestamp = schedule["startSchedule"].as_str().expect("a start").parse().expect("a time");
        (start.micros() - self.app.clock.now().micros()) / 1_000_000
    }

    async fn shown(&self) -> Value {
        self.app.client.get(&self.station.path).await.ok()
    }

    async fn offset(&self) -> Value {
        self.shown().await["clock_offset_seconds"].clone()
    }

    async fn is_noted(&self) -> bool {
        self.shown().await["flags"].to_string().contains("clock_off")
    }

    async fn reconnect(&mut self) {
        let protocol = self.socket.agreed.clone().expect("a protocol");
        self.socket = FakeStation::speaking(&self.station.url, &protocol).await;
    }

    /// Starts a transaction with the station's time, so many seconds from now; when our session began, from now.
    async fn session_begins(&mut self, seconds: i64) -> i64 {
        let at = self.there(seconds);
        self.socket.start(1, "CARD", 0, &at).await;
        let sessions = self.app.client.get("/sessions").await.json();
        let start: Timestamp =
            sessions["result"][0]["metrics"]["chargingStart"].as_str().expect("a start").parse().expect("a time");
        (start.micros() - self.app.clock.now().micros()) / 1_000_000
    }
}

// ---- what is learnt

#[actix_web::test]
async fn a_clock_that_is_right_is_known_to_be() {
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.offset().await, Value::Null);
    charger.talks().await;
    assert_eq!(charger.offset().await, 0);
    assert!(!charger.is_noted().await);
    assert_eq!(charger.limit_begins().await, -60);
}

#[actix_web::test]
async fn a_clock_two_hours_ahead_is_known_by_its_second_word() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.status_of(0).await;
    assert_eq!(charger.offset().await, Value::Null);
    charger.status_of(1).await;
    assert_eq!(charger.offset().await, 2 * HOUR + 1);
    assert!(charger.is_noted().await);
}

#[actix_web::test]
async fn one_wild_time_is_no_clock() {
    let mut charger = Charger::new(0).await;
    charger.talks().await;
    for seconds in [20_000 * DAY, -20_000 * DAY, 3 * HOUR] {
        charger.status_of(seconds).await;
        charger.pass(60).await;
        charger.status_of(0).await;
        charger.pass(60).await;
    }
    assert_eq!(charger.offset().await, 0);
    assert_eq!(charger.limit_begins().await, -60);
}

#[actix_web::test]
async fn a_clock_an_hour_behind_is_known_when_it_goes_on_alike() {
    let mut charger = Charger::new(-HOUR).await;
    charger.status_of(0).await;
    charger.status_of(0).await;
    assert_eq!(charger.offset().await, Value::Null, "it may come from a queue");
    charger.pass(30).await;
    charger.status_of(0).await;
    assert_eq!(charger.offset().await, -HOUR);
    assert!(charger.is_noted().await);
}

#[actix_web::test]
async fn a_clock_that_began_in_2021_is_known() {
    let mut charger = Charger::new(-1_900 * DAY).await;
    charger.talks().await;
    assert_eq!(charger.offset().await, -1_900 * DAY);
    assert_eq!(charger.limit_begins().await, -1_900 * DAY - 60);
}

#[actix_web::test]
async fn messages_out_of_a_queue_are_no_clock_that_is_behind() {
    let mut charger = Charger::new(0).await;
    let id = charger.socket.start(1, "CARD", 0, &charger.there(-HOUR)).await;
    for minute in 1..60 {
        let at = charger.there(-HOUR + minute * 60);
        let value = json!({"value": (minute * 100).to_string()});
        let values = json!({"connectorId": 1, "transactionId": id,
            "meterValue": [{"timestamp": at, "sampledValue": [value]}]});
        charger.socket.call("MeterValues", values).await;
        if minute % 10 == 0 {
            charger.pass(1).await;
        }
    }
    let offset = charger.offset().await;
    assert!(offset.is_null() || offset.as_i64().is_some_and(|one| one.abs() <= 10), "{offset}");
    assert!(!charger.is_noted().await);
}

#[actix_web::test]
async fn events_that_were_kept_while_offline_are_no_clock_that_is_behind() {
    let mut charger = Charger::speaking("ocpp2.0.1", 0).await;
    charger.talks().await;
    for number in 0..20 {
        let event = json!({
            "eventType": if number == 0 { "Started" } else { "Updated" }, "timestamp": charger.there(-2 * HOUR + number * 300),
            "triggerReason": "MeterValuePeriodic", "seqNo": number, "offline": true,
            "transactionInfo": {"transactionId": "tx"}, "evse": {"id": 1, "connectorId": 1},
        });
        charger.socket.call("TransactionEvent", event).await;
        charger.pass(1).await;
    }
    assert_eq!(charger.offset().await, 0);
}

#[actix_web::test]
async fn readings_that_always_come_a_minute_late_are_no_clock_that_is_behind() {
    let mut charger = Charger::new(0).await;
    charger.talks().await;
    for minute in 0..10 {
        let value = json!({"value": (minute * 100).to_string()});
        let values = json!({"connectorId": 1,
            "meterValue": [{"timestamp": charger.there(-60), "sampledValue": [value]}]});
        charger.socket.call("MeterValues", values).await;
        charger.pass(60).await;
    }
    assert_eq!(charger.offset().await, 0);
}

#[actix_web::test]
async fn a_clock_is_still_known_after_a_reconnect() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.talks().await;
    charger.reconnect().await;
    assert_eq!(charger.limit_begins().await, 2 * HOUR - 60);
}

#[actix_web::test]
async fn a_clock_is_still_known_after_a_restart_of_the_server() {
    let mut charger = Charger::new(-HOUR).await;
    charger.talks().await;
    charger.app = charger.app.restart_with(&[]).await;
    let url = charger.app.station_url(&charger.station.endpoint);
    charger.socket = FakeStation::connect(&url).await;
    assert_eq!(charger.offset().await, -HOUR);
    assert_eq!(charger.limit_begins().await, -HOUR - 60);
}

#[actix_web::test]
async fn a_clock_that_is_set_right_is_no_longer_noted() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.talks().await;
    assert!(charger.is_noted().await);
    charger.ahead = 0;
    charger.talks().await;
    assert_eq!(charger.offset().await, 0);
    assert!(!charger.is_noted().await);
    assert_eq!(charger.limit_begins().await, -60);
}

#[actix_web::test]
async fn summer_time_that_begins_in_a_running_connection_is_noticed() {
    let mut charger = Charger::new(HOUR).await;
    charger.talks().await;
    charger.ahead = 2 * HOUR;
    charger.talks().await;
    assert_eq!(charger.offset().await, 2 * HOUR);
    charger.ahead = HOUR;
    charger.talks().await;
    assert_eq!(charger.offset().await, HOUR);
}

#[actix_web::test]
async fn readings_alone_show_that_a_clock_went_back() {
    let mut charger = Charger::new(0).await;
    let id = charger.socket.start(1, "CARD", 0, &charger.there(0)).await;
    charger.ahead = -HOUR;
    for minute in 1..4 {
        charger.pass(60).await;
        let value = json!({"value": (minute * 100).to_string()});
        let values = json!({"connectorId": 1, "transactionId": id,
            "meterValue": [{"timestamp": charger.there(0), "sampledValue": [value]}]});
        charger.socket.call("MeterValues", values).await;
    }
    assert_eq!(charger.offset().await, -HOUR);
}

#[actix_web::test]
async fn a_few_seconds_are_no_clock_that_is_off() {
    let mut charger = Charger::new(40).await;
    charger.talks().await;
    assert_eq!(charger.offset().await, 40);
    assert!(!charger.is_noted().await);
}

#[actix_web::test]
async fn the_time_that_we_send_is_ours() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.talks().await;
    let beat = charger.socket.call("Heartbeat", json!({})).await;
    assert_eq!(beat["currentTime"], charger.ours(0).to_string());
}

// ---- what is sent in its time

#[actix_web::test]
async fn a_limit_begins_by_the_clock_of_the_station_in_every_version() {
    for protocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let mut charger = Charger::speaking(protocol, 2 * HOUR).await;
        charger.talks().await;
        assert_eq!(charger.limit_begins().await, 2 * HOUR - 60, "{protocol}");
    }
}

#[actix_web::test]
async fn a_card_expires_by_the_clock_of_the_station_in_every_version() {
    for protocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let mut charger = Charger::speaking(protocol, 2 * HOUR).await;
        let until = charger.ours(DAY);
        let token = json!({"physicalId": "CARD", "expires_at": until});
        charger.app.client.post("/tokens", token).await.created();
        charger.talks().await;
        let (request, said) = match protocol {
            "ocpp1.6" => (json!({"idTag": "CARD"}), "/idTagInfo/expiryDate"),
            _ => (json!({"idToken": {"idToken": "CARD", "type": "ISO14443"}}), "/idTokenInfo/cacheExpiryDateTime"),
        };
        let answer = charger.socket.call("Authorize", request).await;
        let there = Timestamp::from_micros(until.micros() + 2 * HOUR * 1_000_000);
        assert_eq!(answer.pointer(said), Some(&json!(there)), "{protocol} {answer}");
    }
}

#[actix_web::test]
async fn firmware_is_fetched_by_the_clock_of_the_station() {
    let mut charger = Charger::new(-2 * HOUR).await;
    charger.talks().await;
    let wanted = charger.ours(600);
    let client = charger.app.client.clone();
    let path = format!("{}/update_firmware", charger.station.path);
    let body = json!({"location": "https://example.com/new.bin", "retrieveDate": wanted.to_string()});
    let asked = client.post(&path, body).await;
    assert!(asked.status.is_success(), "{}", asked.text);
    let call = charger.socket.next_call().await;
    assert_eq!(call[2], "UpdateFirmware");
    assert_eq!(call[3]["retrieveDate"], charger.there(600));
}

#[actix_web::test]
async fn what_is_sent_by_hand_is_sent_as_it_is() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.talks().await;
    let date = charger.ours(600).to_string();
    let client = charger.app.client.clone();
    let path = format!("{}/ocpp", charger.station.path);
    let payload = json!({"location": "https://example.com/new.bin", "retrieveDate": date});
    let body = json!({"action": "UpdateFirmware", "payload": payload});
    actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = charger.socket.next_call().await;
    assert_eq!(call[3]["retrieveDate"], date);
}

#[actix_web::test]
async fn a_live_limit_is_said_again_when_the_clock_becomes_known() {
    let app = TestApp::start().await;
    let station = app.station("Live").await;
    let limits = json!({"maximum_capacity": 10});
    app.group_of(&station, limits).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let mut charger = Charger { app, station, socket, ahead: 2 * HOUR };
    let live_begins = async |charger: &mut Charger, wanted: i64| loop {
        let call = charger.socket.next_call().await;
        charger.socket.answer(&call, json!({"status": "Accepted"})).await;
        let schedule = &call[3]["csChargingProfiles"]["chargingSchedule"];
        let start = schedule["startSchedule"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let Some(start) = start else { continue };
        let begins = (start.micros() - charger.app.clock.now().micros()) / 1_000_000;
        if schedule["duration"].is_number() && begins == wanted {
            return;
        }
    };
    live_begins(&mut charger, -60).await;
    charger.status_of(0).await;
    charger.status_of(1).await;
    live_begins(&mut charger, 2 * HOUR + 1 - 60).await;
}

// ---- what is believed

#[actix_web::test]
async fn a_time_becomes_ours_once_the_clock_is_known() {
    let mut charger = Charger::new(2 * HOUR).await;
    charger.talks().await;
    assert_eq!(charger.session_begins(-30).await, -30);
}

#[actix_web::test]
async fn a_time_ahead_of_its_receipt_is_its_receipt() {
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.session_begins(3 * HOUR).await, 0);
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.session_begins(20).await, 0);
}

#[actix_web::test]
async fn a_start_that_waited_in_a_queue_keeps_its_hour() {
    let mut charger = Charger::new(0).await;
    charger.talks().await;
    assert_eq!(charger.session_begins(-5 * HOUR).await, -5 * HOUR);
}

#[actix_web::test]
async fn a_start_that_waited_in_a_queue_keeps_its_hour_where_the_clock_is_off() {
    let mut charger = Charger::new(-HOUR).await;
    charger.talks().await;
    assert_eq!(charger.session_begins(-5 * HOUR).await, -5 * HOUR);
}

#[actix_web::test]
async fn no_queue_is_older_than_thirty_days() {
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.session_begins(-29 * DAY).await, -29 * DAY);
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.session_begins(-31 * DAY).await, 0);
    let mut charger = Charger::new(0).await;
    assert_eq!(charger.session_begins(-20_000 * DAY).await, 0);
}

#[actix_web::test]
async fn a_status_without_a_time_counts_when_it_came() {
    let mut charger = Charger::new(0).await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Preparing"});
    charger.socket.call("StatusNotification", status).await;
    charger.app.eventually(async || charger.shown().await["connectors"][0]["status"] == "Preparing").await;
    assert_eq!(charger.offset().await, Value::Null, "it says nothing of its clock");
}

// ---- what a session costs by a clock that is off

impl Charger {
    /// A register of a transaction, with the station's time so many seconds from now.
    async fn meters(&mut self, transaction: i64, seconds: i64, register: i64) {
        let at = self.there(seconds);
        let values = json!([{"timestamp": at, "sampledValue": [{"value": register.to_string()}]}]);
        let reported = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
        self.socket.call("MeterValues", reported).await;
    }

    async fn stops(&mut self, transaction: i64, seconds: i64, register: i64) -> Value {
        let at = self.there(seconds);
        let stop = json!({"transactionId": transaction, "meterStop": register, "timestamp": at});
        self.socket.call("StopTransaction", stop).await;
        self.session().await
    }

    async fn session(&self) -> Value {
        self.app.client.get("/sessions").await.json()["result"][0].clone()
    }

    async fn event(&mut self, kind: &str, seq_no: u32, register: i64) {
        let at = self.there(0);
        let event = json!({"eventType": kind, "timestamp": at, "triggerReason": "MeterValuePeriodic", "seqNo": seq_no,
            "transactionInfo": {"transactionId": "tx"}, "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": register}]}]});
        self.socket.call("TransactionEvent", event).await;
    }
}

#[actix_web::test]
async fn a_clock_that_is_set_right_in_a_session_neither_opens_the_bound_nor_ends_it_ahead() {
    for behind in [2 * HOUR, 20 * DAY] {
        let mut charger = Charger::new(-behind).await;
        charger.talks().await;
        let at = charger.there(0);
        let transaction = charger.socket.start(1, "CARD", 0, &at).await;
        charger.ahead = 0;
        charger.meters(transaction, 0, 20).await;
        charger.pass(2).await;
        let now = charger.there(0);
        let session = charger.stops(transaction, 0, 9_000_000).await;
        assert_eq!(session["metrics"]["chargingStop"], now);
        let energy = session["metrics"]["energyConsumed"].as_i64();
        // A plug of 7 kW gives 7.7 kW at most: 261 Wh in two seconds and the two minutes of room.
        assert!(energy.is_some_and(|energy| energy <= 261), "{session}");
    }
}

#[actix_web::test]
async fn in_2_a_clock_that_is_set_right_in_a_session_neither_opens_the_bound_nor_ends_it_ahead() {
    let mut charger = Charger::speaking("ocpp2.0.1", -2 * HOUR).await;
    charger.talks().await;
    charger.event("Started", 0, 0).await;
    charger.ahead = 0;
    charger.pass(1).await;
    charger.event("Updated", 1, 40_000).await;
    let now = charger.there(0);
    charger.event("Ended", 2, 40_000).await;
    let session = charger.session().await;
    assert_eq!(session["metrics"]["chargingStop"], now);
    let energy = session["metrics"]["energyConsumed"].as_i64();
    assert!(energy.is_some_and(|energy| energy <= 261), "{session}");
}

#[actix_web::test]
async fn an_hour_out_of_the_queue_of_a_clock_that_is_off_is_billed() {
    for ahead in [2 * HOUR, -5 * 365 * DAY] {
        let mut charger = Charger::new(ahead).await;
        charger.talks().await;
        let begun = charger.there(-HOUR);
        let end = charger.ours(-5).to_string();
        let transaction = charger.socket.start(1, "CARD", 1_000, &begun).await;
        for (minute, register) in [(45, 2_250), (30, 3_500), (15, 4_750)] {
            charger.meters(transaction, -60 * minute, register).await;
        }
        let session = charger.stops(transaction, -5, 6_000).await;
        assert_eq!(session["metrics"]["energyConsumed"], 5_000, "{session}");
        assert_eq!(session["metrics"]["chargingStop"], end);
    }
}

#[actix_web::test]
async fn a_clock_an_hour_behind_that_stands_still_does_not_stop_time() {
    let mut charger = Charger::new(0).await;
    let at = charger.there(-HOUR);
    let transaction = charger.socket.start(1, "CARD", 0, &at).await;
    for step in 1..=15 {
        charger.pass(10).await;
        let values = json!([{"timestamp": at, "sampledValue": [{"value": (10 * step).to_string()}]}]);
        let reported = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
        charger.socket.call("MeterValues", reported).await;
    }
    let stop = json!({"transactionId": transaction, "meterStop": 150, "timestamp": at});
    charger.socket.call("StopTransaction", stop).await;
    let metrics = charger.session().await["metrics"].clone();
    let time = |name: &str| -> Timestamp { serde_json::from_value(metrics[name].clone()).expect("a time") };
    let span = time("chargingStop").seconds_since(time("chargingStart"));
    assert_eq!(span, 150);
}
