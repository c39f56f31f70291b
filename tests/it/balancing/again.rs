//! Cars whose station ends their transaction when their limit is 0: they wait, and are started again when they are next in the queue. What
//! stations say comes over their sockets.

use std::time::Duration;

use evenwatt::charging::sessions;
use evenwatt::sites::stations::link::StationCommand;
use kernel::StationId;
use serde_json::{Value, json};

use super::depot::Depot;
use crate::support::FakeStation;

const LEFT: usize = 0;
const RIGHT: usize = 1;

/// Two ports of which only one can have its minimum.
struct Pair {
    depot: Depot,
    sockets: Vec<FakeStation>,
    protocol: &'static str,
    /// The transaction that runs at each port.
    transactions: [i64; 2],
}

impl Pair {
    async fn speaking(protocol: &'static str) -> Self {
        let narrow = json!({"maximum_capacity": 3, "minimum_connector_capacity": 2});
        let depot = Depot::new(2, narrow).await;
        let mut sockets = Vec::new();
        for port in &depot.ports {
            let path = format!("/chargestations/{}", port.station);
            let station = depot.app.client.get(&path).await.ok();
            let url = station["connection_url"].as_str().expect("a URL");
            sockets.push(FakeStation::speaking(url, protocol).await);
        }
        Self { depot, sockets, protocol, transactions: [0, 0] }
    }

    /// Left charges, right has none of it.
    async fn both_plugged(protocol: &'static str) -> Self {
        let mut pair = Self::speaking(protocol).await;
        pair.plug(LEFT).await;
        pair.depot.until_limits(&[3.0, 0.0]).await;
        pair.plug(RIGHT).await;
        pair.depot.until_limits(&[3.0, 0.0]).await;
        pair
    }

    fn is_first(&self) -> bool {
        self.protocol == "ocpp1.6"
    }

    fn card(port: usize) -> String {
        format!("CARD{port}")
    }

    /// This instant.
    fn now(&self) -> Value {
        json!(self.depot.app.running.context.moment().now)
    }

    async fn status(&mut self, port: usize, (first, second): (&str, &str)) {
        let report = match self.is_first() {
            true => json!({"connectorId": 1, "errorCode": "NoError", "status": first}),
            false => {
                json!({"timestamp": self.now(), "connectorStatus": second, "evseId": 1, "connectorId": 1})
            }
        };
        self.sockets[port].call("StatusNotification", report).await;
    }

    /// A transaction begins.
    async fn plug(&mut self, port: usize) {
        let (now, card) = (self.now(), Self::card(port));
        if self.is_first() {
            let start = json!({"connectorId": 1, "idTag": card, "meterStart": 1_000, "timestamp": now});
            let answer = self.sockets[port].call("StartTransaction", start).await;
            self.transactions[port] = answer["transactionId"].as_i64().expect("a number");
        } else {
            self.transactions[port] += 1;
            let card = json!({"idToken": card, "type": "ISO14443"});
            let more = json!({"idToken": card});
            self.event(port, ("Started", "Authorized", 0), more).await;
        }
        self.status(port, ("Charging", "Occupied")).await;
    }

    async fn event(&mut self, port: usize, (stage, why, number): (&str, &str, u32), more: Value) {
        let name = format!("T{port}-{}", self.transactions[port]);
        let mut event = json!({"eventType": stage, "timestamp": self.now(), "triggerReason": why, "seqNo": number,
            "transactionInfo": {"transactionId": name, "chargingState": "Charging"}, "evse": {"id": 1, "connectorId": 1}});
        for (field, value) in more.as_object().expect("an object") {
            match field.as_str() {
                "stoppedReason" => event["transactionInfo"][field] = value.clone(),
                _ => event[field] = value.clone(),
            }
        }
        self.sockets[port].call("TransactionEvent", event).await;
    }

    /// Its transaction ends, the car stays.
    async fn ends(&mut self, port: usize, first: Value, (why, second): (&str, Value)) {
        if self.is_first() {
            let mut stop =
                json!({"transactionId": self.transactions[port], "meterStop": 1_000, "timestamp": self.now()});
            for (field, value) in first.as_object().expect("an object") {
                stop[field] = value.clone();
            }
            self.sockets[port].call("StopTransaction", stop).await;
        } else {
            self.event(port, ("Ended", why, 9), second).await;
        }
        self.status(port, ("Finishing", "Occupied")).await;
    }

    /// Its station ends it for a reason of its own.
    async fn ends_by_itself(&mut self, port: usize) {
        let other = json!({"stoppedReason": "Other"});
        self.ends(port, json!({"reason": "Other"}), ("ChargingStateChanged", other)).await;
    }

    /// The car drives off.
    async fn leaves(&mut self, port: usize) {
        let gone = json!({"stoppedReason": "EVDisconnected"});
        self.ends(port, json!({"reason": "EVDisconnected"}), ("EVCommunicationLost", gone)).await;
        self.status(port, ("Available", "Available")).await;
    }

    /// Which stations were asked to start, and with which cards.
    fn asked(&self) -> Vec<(StationId, String)> {
        let start = |(station, command)| match command {
            StationCommand::StartCharging { id_tag, .. } => Some((station, id_tag)),
            _ => None,
        };
        let sent = self.depot.link.sent().into_iter();
        sent.filter_map(start).collect()
    }

    /// Time passes, and sessions that did not start in time are given up.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds.div_ceil(10) {
            self.depot.pass(Duration::from_secs(10)).await;
            let context = &self.depot.app.running.context;
            let moment = context.moment();
            let overdue = context.db.write(move |conn| sessions::cancel_overdue(conn, &moment));
            overdue.await.expect("tidied");
        }
    }

    /// The sessions of a port, oldest first: ids and statuses.
    async fn sessions(&self, port: usize) -> Vec<(String, String)> {
        let path = format!("/sessions?chargestation={}", self.depot.ports[port].station);
        let listed = self.depot.app.client.get(&path).await.json();
        let text = |one: &Value, name: &str| one[name].as_str().expect("a text").to_owned();
        let mut all: Vec<(String, String)> = listed["result"]
            .as_array()
            .expect("sessions")
            .iter()
            .map(|one| (text(one, "_id"), text(one, "status")))
            .collect();
        all.sort();
        all
    }
}

/// A car that waits is started with its card, once, when it has its limit; and the session that waits for it is the one that runs.
async fn is_started_when_the_other_leaves(protocol: &'static str) {
    let mut pair = Pair::both_plugged(protocol).await;
    pair.ends_by_itself(RIGHT).await;
    pair.pass(60).await;
    assert_eq!(pair.asked(), [], "the left one still charges");
    assert_eq!(pair.depot.limits(), [3.0, 0.0]);
    let member = pair.depot.member(RIGHT).await;
    assert_eq!(member["rule"], "minimum-or-nothing", "it waits: {member:#}");

    pair.leaves(LEFT).await;
    let right = pair.depot.ports[RIGHT].station;
    pair.depot.until(async || pair.asked() == [(right, Pair::card(RIGHT))]).await;
    assert_eq!(pair.depot.limits(), [0.0, 3.0], "it has its limit first");

    pair.plug(RIGHT).await;
    pair.depot.until_limits(&[0.0, 3.0]).await;
    pair.pass(300).await;
    assert_eq!(pair.asked().len(), 1, "once");
    let all = pair.sessions(RIGHT).await;
    let statuses: Vec<&str> = all.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses, ["ended", "started"]);
    let created = pair.depot.app.event_types().await;
    let created = created.iter().filter(|kind| *kind == "session.created");
    assert_eq!(created.count(), 1);
    assert_eq!(pair.depot.member(RIGHT).await["session"], all[1].0);
}

#[actix_web::test]
async fn a_car_that_was_ended_at_0_is_started_when_the_other_leaves() {
    is_started_when_the_other_leaves("ocpp1.6").await;
}

#[actix_web::test]
async fn a_car_that_was_ended_at_0_is_started_when_the_other_leaves_in_2() {
    is_started_when_the_other_leaves("ocpp2.0.1").await;
}

/// A car that stopped while it might charge is left alone, whatever reason its station gives.
async fn is_left_alone_where_it_had_power(protocol: &'static str) {
    let mut pair = Pair::both_plugged(protocol).await;
    pair.ends_by_itself(LEFT).await;
    pair.depot.until_limits(&[0.0, 3.0]).await;
    pair.leaves(RIGHT).await;
    pair.pass(300).await;
    assert_eq!(pair.asked(), []);
    assert_eq!(pair.depot.limits(), [0.0, 0.0]);
}

#[actix_web::test]
async fn a_car_that_ended_with_power_is_left_alone() {
    is_left_alone_where_it_had_power("ocpp1.6").await;
}

#[actix_web::test]
async fn a_car_that_ended_with_power_is_left_alone_in_2() {
    is_left_alone_where_it_had_power("ocpp2.0.1").await;
}

#[actix_web::test]
async fn a_driver_who_stops_is_not_started_again() {
    let card = Pair::card(RIGHT);
    for stop in [json!({"idTag": card}), json!({"reason": "Local"})] {
        let mut pair = Pair::both_plugged("ocpp1.6").await;
        pair.ends(RIGHT, stop, ("", Value::Null)).await;
        pair.leaves(LEFT).await;
        pair.pass(60).await;
        assert_eq!(pair.asked(), []);
    }
    let token = json!({"idToken": {"idToken": card, "type": "ISO14443"}});
    for (why, more) in [
        ("ChargingStateChanged", token),
        ("StopAuthorized", json!({})),
        ("ChargingStateChanged", json!({"stoppedReason": "Local"})),
    ] {
        let mut pair = Pair::both_plugged("ocpp2.0.1").await;
        pair.ends(RIGHT, Value::Null, (why, more)).await;
        pair.leaves(LEFT).await;
        pair.pass(60).await;
        assert_eq!(pair.asked(), []);
    }
}

#[actix_web::test]
async fn a_station_that_does_not_start_is_asked_three_times() {
    let mut pair = Pair::both_plugged("ocpp1.6").await;
    pair.ends_by_itself(RIGHT).await;
    pair.leaves(LEFT).await;
    pair.pass(60).await;
    assert_eq!(pair.asked().len(), 1);
    pair.pass(40).await;
    assert_eq!(pair.asked().len(), 1, "it has two minutes");
    pair.pass(1_200).await;
    assert_eq!(pair.asked().len(), 3);
    assert_eq!(pair.depot.limits(), [0.0, 0.0], "and is given up");
}

#[actix_web::test]
async fn a_car_that_leaves_or_is_started_by_its_driver_waits_no_more() {
    let mut pair = Pair::both_plugged("ocpp1.6").await;
    pair.ends_by_itself(RIGHT).await;
    pair.pass(20).await;
    pair.status(RIGHT, ("Available", "Available")).await;
    pair.leaves(LEFT).await;
    pair.pass(60).await;
    assert_eq!(pair.asked(), [], "it left");

    let mut pair = Pair::both_plugged("ocpp1.6").await;
    pair.ends_by_itself(RIGHT).await;
    pair.pass(20).await;
    pair.plug(RIGHT).await;
    pair.leaves(LEFT).await;
    pair.depot.until_limits(&[0.0, 3.0]).await;
    pair.pass(60).await;
    assert_eq!(pair.asked(), [], "its driver was faster");
}
