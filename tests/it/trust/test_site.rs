//! One station with prices, and what a test says about its sessions in a line.

use std::time::Duration;

use evenwatt::charging::sessions::{self, Patience};
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

/// A server, a station whose connector costs 0.40 EUR/kWh, and its open socket.
pub struct TestSite {
    pub app: TestApp,
    pub station: TestStation,
    pub socket: FakeStation,
    protocol: &'static str,
    rate: Value,
}

/// This minute of the hour before the clock stands at 03:06:40.
pub fn minute(minute: u32) -> String {
    format!("2026-04-24T03:{minute:02}:00Z")
}

impl TestSite {
    /// With a station of OCPP 1.6 that has booted.
    pub async fn open() -> Self {
        Self::speaking("ocpp1.6").await
    }

    /// With a station that speaks this.
    pub async fn speaking(protocol: &'static str) -> Self {
        Self::on(TestApp::start().await, protocol).await
    }

    /// On a server that runs already.
    pub async fn on(app: TestApp, protocol: &'static str) -> Self {
        let price = json!([{"type": "ENERGY", "price": 0.4}]);
        let rate = json!({"name": "Day", "currency": "EUR", "price_components": price});
        let rate = app.client.post("/rates", rate).await.created()["_id"].clone();
        let (station, socket) = place(&app, &rate, protocol).await;
        Self { app, station, socket, protocol, rate }
    }

    /// Goes on with another station of the same kind, which knows nothing of what was.
    pub async fn renew(&mut self) {
        (self.station, self.socket) = place(&self.app, &self.rate, self.protocol).await;
    }

    /// Adds a second connector.
    pub async fn second_connector(&self) -> String {
        let path = format!("{}/connectors", self.station.path);
        let connector = fast_plug();
        let made = self.app.client.post(&path, connector).await.created();
        made["_id"].as_str().expect("an id").to_owned()
    }

    /// Lets this many seconds pass.
    pub async fn pass(&self, seconds: u64) {
        self.app.pass(Duration::from_secs(seconds)).await;
    }

    /// The socket breaks and the station is back a minute later, without a boot.
    pub async fn reconnect(&mut self) {
        self.pass(60).await;
        self.socket = FakeStation::speaking(&self.station.url, self.protocol).await;
    }

    /// The same with a boot.
    pub async fn reboot(&mut self) {
        self.reconnect().await;
        boot(&mut self.socket, self.protocol).await;
        self.pass(1).await;
    }

    /// The station says how its connector is doing.
    pub async fn status(&mut self, status: &str) {
        let report = match self.protocol {
            "ocpp1.6" => json!({"connectorId": 1, "errorCode": "NoError", "status": status}),
            _ => {
                json!({"timestamp": minute(6), "connectorStatus": status, "evseId": 1, "connectorId": 1})
            }
        };
        self.socket.call("StatusNotification", report).await;
    }

    /// A card starts a session at the first connector, when the meter shows 1 kWh.
    pub async fn start(&mut self) -> i64 {
        self.socket.start(1, "CARD", 1_000, &minute(0)).await
    }

    /// Readings of a transaction of 1.6: register and power.
    pub async fn meter(&mut self, transaction: i64, at: u32, register: i64, power: i64) {
        let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [{
            "timestamp": minute(at), "sampledValue": [{"value": register.to_string()},
            {"value": power.to_string(), "measurand": "Power.Active.Import", "unit": "W"}]}]});
        self.socket.call("MeterValues", values).await;
    }

    /// A StopTransaction of these fields; it is answered with a result.
    pub async fn stop(&mut self, fields: Value) -> Value {
        self.socket.call("StopTransaction", fields).await
    }

    /// An event of transaction `name`.
    pub async fn event(&mut self, stage: &str, (name, seq, at): (&str, u32, u32), more: Value) -> Value {
        let mut event = json!({"eventType": stage, "timestamp": minute(at), "seqNo": seq,
            "triggerReason": "ChargingStateChanged", "transactionInfo": {"transactionId": name}});
        for (field, value) in more.as_object().expect("an object") {
            match field.as_str() {
                "chargingState" | "stoppedReason" | "remoteStartId" => {
                    event["transactionInfo"][field] = value.clone();
                }
                "register" => {
                    event["meterValue"] = json!([{"timestamp": minute(at), "sampledValue": [{"value": value}]}]);
                }
                "at_evse" => event["evse"] = json!({"id": value, "connectorId": 1}),
                "card" => event["idToken"] = json!({"idToken": value, "type": "ISO14443"}),
                _ => event[field] = value.clone(),
            }
        }
        self.socket.call("TransactionEvent", event).await
    }

    /// All sessions, in the order in which they came.
    pub async fn sessions(&self) -> Vec<Value> {
        let path = format!("/sessions?chargestation={}", self.station.id);
        let listed = self.app.client.get(&path).await.json();
        let mut all = listed["result"].as_array().expect("sessions").clone();
        // Those of one instant by the numbers that they got.
        all.sort_by_key(|one| one["transaction_id"].as_i64().unwrap_or(i64::MAX));
        all
    }

    /// The only session.
    pub async fn session(&self) -> Value {
        let mut all = self.sessions().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// The sessions whose end alone is known.
    pub async fn orphans(&self) -> usize {
        let all = self.sessions().await;
        all.iter().filter(|one| one["orphan"] == true).count()
    }

    /// Types of the events about sessions, in order.
    pub async fn recorded(&self) -> Vec<String> {
        let mut kinds = self.app.event_types().await;
        let is_action = |kind: &str| kind.starts_with("session.stop.") || kind.starts_with("session.start.");
        kinds.retain(|kind| kind.starts_with("session.") && !is_action(kind));
        kinds
    }

    /// What the station was caught at.
    pub async fn flags(&self) -> Vec<String> {
        let station = self.app.client.get(&self.station.path).await.ok();
        let flags = station["flags"].as_array().cloned().unwrap_or_default();
        flags.iter().filter_map(|flag| flag.as_str().map(str::to_owned)).collect()
    }

    /// Looks for sessions that nobody will finish, as the server does every few seconds.
    pub async fn tidy(&self) {
        let moment = self.app.running.context.moment();
        let patience = Patience {
            stop_after: Duration::from_secs(900),
            end_after: Some(Duration::from_secs(24 * 3_600)),
            up_since: Timestamp::from_unix_seconds(1_777_000_000),
        };
        let db = &self.app.running.context.db;
        db.write(move |conn| sessions::close_abandoned(conn, &moment, &patience)).await.expect("tidied");
    }
}

/// A priced station that has booted.
fn fast_plug() -> Value {
    json!({"type": "CCS2", "power_type": "DC", "power": 350})
}

async fn place(app: &TestApp, rate: &Value, protocol: &'static str) -> (TestStation, FakeStation) {
    // Sessions here draw kilowatt-hours in minutes, as these plugs can.
    let station = app.station_with("S", fast_plug()).await;
    let path = format!("/connectors/{}", station.connector);
    app.client.patch(&path, json!({"rate": rate})).await.ok();
    let mut socket = FakeStation::speaking(&station.url, protocol).await;
    boot(&mut socket, protocol).await;
    (station, socket)
}

async fn boot(socket: &mut FakeStation, protocol: &str) {
    match protocol {
        "ocpp1.6" => socket.boot().await,
        _ => socket.boot_2().await,
    };
}

/// Why a session stopped.
pub fn reason(session: &Value) -> &str {
    session["metrics"]["chargingStopReason"].as_str().unwrap_or("")
}

/// Status, Wh and amount of a session.
pub fn settled(session: &Value) -> (String, i64, Option<f64>) {
    (
        session["status"].as_str().expect("a status").to_owned(),
        session["metrics"]["energyConsumed"].as_i64().expect("Wh"),
        session["cost"]["amount"].as_f64(),
    )
}

/// That a session has this status, so many Wh and costs this.
pub fn assert_settled(session: &Value, status: &str, energy: i64, amount: f64) {
    assert_eq!(settled(session), (status.to_owned(), energy, Some(amount)), "{session:#}");
}
