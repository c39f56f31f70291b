//! A station and the least of a server, two ends of `ocpp::session` talking without a socket.

use serde_json::Value;

use super::*;
use crate::car::CarModel;
use kernel::{WattHours, Watts};
use ocpp::session::{Input, OutgoingCall, Output, Priority};

/// Both ends of a connection under one clock.
struct Bench {
    station: Station,
    server: Session,
    now: Timestamp,
    /// What the station said: the action and its arguments.
    said: Vec<(String, Value)>,
    /// What it answered.
    answers: Vec<Value>,
    boot_status: &'static str,
}

impl Bench {
    fn new() -> Self {
        let now = Timestamp::from_unix_seconds(1_777_000_000);
        let outlets = vec![Outlet::single_phase(Watts(7_360)); 2];
        let spec = StationSpec::new("S1", outlets).expect("short");
        Self {
            station: Station::new(spec, now),
            server: server(),
            now,
            said: Vec::new(),
            answers: Vec::new(),
            boot_status: "Accepted",
        }
    }

    /// A station that is connected and accepted.
    fn accepted() -> Self {
        let mut bench = Self::new();
        bench.connect();
        bench.said.clear();
        bench
    }

    fn connect(&mut self) {
        self.server = server();
        self.station.connected(self.now);
        self.exchange();
    }

    /// Carries texts to and fro until both are silent.
    fn exchange(&mut self) {
        loop {
            let effects = self.station.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                if let Effect::Send(text) = effect {
                    let outputs = self.server.step(Input::Received(&text), self.now);
                    self.serve(outputs);
                }
            }
        }
    }

    fn serve(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Transmit(text) => self.station.receive(&text, self.now),
                Output::Dispatch(call) => {
                    let payload = serde_json::from_str(call.payload.get()).expect("JSON");
                    let answer = Input::Answer { message_id: call.message_id, answer: Ok(self.reply(&call.action)) };
                    self.said.push((call.action, payload));
                    let outputs = self.server.step(answer, self.now);
                    self.serve(outputs);
                }
                Output::CallDone { result, .. } => {
                    let payload = result.expect("a result");
                    let payload = serde_json::from_str(payload.get()).expect("JSON");
                    self.answers.push(payload);
                }
                Output::NextWake(_) => {}
            }
        }
    }

    fn reply(&self, action: &str) -> String {
        let (now, status) = (self.now, self.boot_status);
        match action {
            "BootNotification" => {
                format!(r#"{{"status":"{status}","currentTime":"{now}","interval":60}}"#)
            }
            "Heartbeat" => format!(r#"{{"currentTime":"{now}"}}"#),
            "Authorize" | "StopTransaction" => r#"{"idTagInfo":{"status":"Accepted"}}"#.to_owned(),
            "StartTransaction" => r#"{"idTagInfo":{"status":"Accepted"},"transactionId":42}"#.to_owned(),
            _ => "{}".to_owned(),
        }
    }

    /// The server calls; gives the station's answer.
    fn call(&mut self, action: &str, payload: &str) -> Value {
        let call = OutgoingCall {
            correlation: 1,
            action: action.to_owned(),
            payload: payload.to_owned(),
            priority: Priority::Command,
            coalesce_key: None,
            expires_at: self.now + Duration::from_secs(60),
        };
        let outputs = self.server.step(Input::Send(call), self.now);
        self.serve(outputs);
        self.exchange();
        self.answers.pop().expect("an answer")
    }

    fn status_of(&mut self, action: &str, payload: &str) -> String {
        self.call(action, payload)["status"].as_str().expect("a status").to_owned()
    }

    fn limit(&mut self, purpose: &str, connector: u32, amps: u32) -> String {
        let id = connector * 10 + u32::from(purpose == "TxProfile");
        let payload = format!(
            r#"{{"connectorId":{connector},"csChargingProfiles":{{"chargingProfileId":{id},"stackLevel":0,
            "chargingProfilePurpose":"{purpose}","chargingProfileKind":"Absolute","chargingSchedule":{{
            "startSchedule":"2026-01-01T00:00:00Z","chargingRateUnit":"A",
            "chargingSchedulePeriod":[{{"startPeriod":0,"limit":{amps}}}]}}}}}}"#
        );
        self.status_of("SetChargingProfile", &payload)
    }

    fn plug_in(&mut self) {
        let car = Car::arriving(CarModel::single_phase(WattHours(40_000)), 50);
        let card = IdTag::new("CARD").expect("short");
        self.station.plug_in(1, car, card, self.now);
        self.exchange();
    }

    fn unplug(&mut self) {
        self.station.unplug(1, self.now);
        self.exchange();
    }

    /// Lets seconds pass, each with a tick.
    fn wait(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.now = self.now + Duration::from_secs(1);
            self.station.tick(self.now);
            self.exchange();
        }
    }

    /// The actions that were said since the last time; a status notification by its status.
    fn heard(&mut self) -> Vec<String> {
        let said = std::mem::take(&mut self.said).into_iter();
        said.map(|(action, payload)| match payload["status"].as_str() {
            Some(status) => format!("{} {status}", payload["connectorId"]),
            None => action,
        })
        .collect()
    }

    fn draw(&self) -> Watts {
        self.station.view().connectors[0].draw
    }
}

fn server() -> Session {
    Session::new(SessionOptions { version: Protocol::V16, id_prefix: "c".to_owned(), call_timeout: CALL_TIMEOUT })
}

#[test]
fn section_4_2_it_boots_then_reports_and_beats() {
    let mut bench = Bench::new();
    bench.connect();
    assert_eq!(bench.heard(), ["BootNotification", "0 Available", "1 Available", "2 Available"]);
    bench.wait(59);
    assert!(bench.heard().is_empty());
    bench.wait(1);
    assert_eq!(bench.heard(), ["Heartbeat"]);
}

#[test]
fn section_4_2_a_pending_station_says_nothing_but_boots_again() {
    let mut bench = Bench::new();
    bench.boot_status = "Pending";
    bench.connect();
    assert_eq!(bench.heard(), ["BootNotification"]);
    assert_eq!(bench.status_of("ClearCache", "{}"), "Accepted");
    bench.wait(59);
    assert!(bench.heard().is_empty());
    bench.boot_status = "Accepted";
    bench.wait(1);
    assert_eq!(bench.heard().len(), 4);
}

#[test]
fn a_car_charges_and_leaves() {
    let mut bench = Bench::accepted();
    bench.plug_in();
    assert_eq!(bench.heard(), ["1 Preparing", "Authorize", "StartTransaction", "1 Charging"]);
    bench.wait(10);
    let (action, payload) = bench.said.pop().expect("a reading");
    assert_eq!(action, "MeterValues");
    assert_eq!(payload["transactionId"], 42);
    let values = payload["meterValue"][0]["sampledValue"].clone();
    assert_eq!(values[1]["value"], "7360");
    bench.unplug();
    assert_eq!(bench.heard(), ["StopTransaction", "1 Finishing", "1 Available"]);
}

#[test]
fn limits_are_obeyed_and_a_pause_is_reported() {
    let mut bench = Bench::accepted();
    assert_eq!(bench.limit("TxDefaultProfile", 1, 0), "Accepted");
    bench.plug_in();
    assert_eq!(bench.heard().last().expect("a status"), "1 SuspendedEVSE");
    bench.wait(5);
    assert_eq!(bench.draw(), Watts::ZERO);
    assert_eq!(bench.limit("TxDefaultProfile", 1, 16), "Accepted");
    bench.wait(5);
    assert_eq!(bench.draw(), Watts(3_680));
    assert!(bench.heard().contains(&"1 Charging".to_owned()));
    assert_eq!(bench.limit("ChargePointMaxProfile", 0, 10), "Accepted");
    bench.wait(5);
    assert_eq!(bench.draw(), Watts(2_300));
}

#[test]
fn section_5_16_a_transaction_profile_needs_a_transaction() {
    let mut bench = Bench::accepted();
    assert_eq!(bench.limit("TxProfile", 1, 10), "Rejected");
    bench.plug_in();
    assert_eq!(bench.limit("TxProfile", 1, 10), "Accepted");
    bench.unplug();
    assert_eq!(bench.station.view().profiles, 0);
}

#[test]
fn a_composite_schedule_is_answered_in_the_wanted_unit() {
    let mut bench = Bench::accepted();
    bench.limit("TxDefaultProfile", 1, 16);
    let answer = bench.call("GetCompositeSchedule", r#"{"connectorId":1,"duration":60,"chargingRateUnit":"W"}"#);
    let period = &answer["chargingSchedule"]["chargingSchedulePeriod"][0];
    assert_eq!((&period["limit"], &period["numberPhases"]), (&3_680.into(), &1.into()));
}

#[test]
fn section_3_7_what_happened_offline_is_reported_afterwards_in_order() {
    let mut bench = Bench::accepted();
    bench.station.disconnected(bench.now);
    bench.plug_in();
    bench.wait(20);
    bench.unplug();
    assert!(bench.said.is_empty());
    bench.connect();
    assert_eq!(
        bench.heard()[1..],
        [
            "StartTransaction",
            "MeterValues",
            "MeterValues",
            "StopTransaction",
            "0 Available",
            "1 Available",
            "2 Available"
        ]
    );
}

#[test]
fn the_numbers_of_the_server_are_used_even_when_they_come_late() {
    let mut bench = Bench::accepted();
    bench.station.disconnected(bench.now);
    bench.plug_in();
    bench.wait(10);
    bench.unplug();
    bench.connect();
    for (action, payload) in &bench.said {
        if matches!(action.as_str(), "MeterValues" | "StopTransaction") {
            assert_eq!(payload["transactionId"], 42, "{action}");
        }
    }
}

#[test]
fn it_is_commanded_from_afar() {
    let mut bench = Bench::accepted();
    assert_eq!(bench.status_of("RemoteStartTransaction", r#"{"connectorId":1,"idTag":"X"}"#), "Accepted");
    bench.plug_in();
    assert_eq!(bench.heard(), ["1 Preparing", "StartTransaction", "1 Charging"]);
    assert_eq!(bench.status_of("RemoteStopTransaction", r#"{"transactionId":42}"#), "Accepted");
    assert_eq!(bench.heard(), ["StopTransaction", "1 Finishing"]);
    assert_eq!(bench.status_of("TriggerMessage", r#"{"requestedMessage":"MeterValues","connectorId":2}"#), "Accepted");
    assert_eq!(bench.heard(), ["MeterValues"]);
    assert_eq!(bench.status_of("ChangeAvailability", r#"{"connectorId":2,"type":"Inoperative"}"#), "Accepted");
    assert_eq!(bench.heard(), ["2 Unavailable"]);
}

#[test]
fn a_reset_ends_transactions_and_the_connection() {
    let mut bench = Bench::accepted();
    bench.plug_in();
    bench.heard();
    let call = r#"[2,"1","Reset",{"type":"Soft"}]"#;
    bench.station.receive(call, bench.now);
    let effects = bench.station.take_effects();
    let place = |test: fn(&Effect) -> bool| effects.iter().position(test);
    let answered = place(|one| matches!(one, Effect::Send(text) if text.starts_with("[3")));
    let left = place(|one| matches!(one, Effect::Disconnect));
    assert!(answered.is_some() && answered < left, "{effects:?}");
    bench.station.disconnected(bench.now);
    bench.connect();
    assert!(bench.heard().contains(&"StopTransaction".to_owned()));
}

#[test]
fn a_change_of_the_meter_interval_takes_effect() {
    let mut bench = Bench::accepted();
    bench.plug_in();
    bench.heard();
    let request = r#"{"key":"MeterValueSampleInterval","value":"2"}"#;
    assert_eq!(bench.status_of("ChangeConfiguration", request), "Accepted");
    bench.wait(4);
    assert_eq!(bench.heard(), ["MeterValues", "MeterValues"]);
}

#[test]
fn what_it_does_not_know_is_refused_with_the_right_code() {
    let mut bench = Bench::accepted();
    let call = r#"[2,"1","GetLog",{"logType":"SecurityLog","requestId":1,"log":{"remoteLocation":"ftp://x"}}]"#;
    bench.station.receive(call, bench.now);
    let refused = bench
        .station
        .take_effects()
        .into_iter()
        .any(|effect| matches!(effect, Effect::Send(text) if text.starts_with(r#"[4,"1","NotImplemented""#)));
    assert!(refused);
}
