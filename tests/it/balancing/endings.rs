//! What the status shows of a connector whose session ended: nothing is drawn, until its meter shows otherwise. What stations say comes
//! over their sockets.

use std::time::Duration;

use serde_json::{Value, json};

use super::depot::Depot;
use crate::support::FakeStation;

const PROTOCOLS: [&str; 3] = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"];

/// A station with one port of 7 kW, which speaks this.
struct Bay {
    depot: Depot,
    socket: FakeStation,
    protocol: &'static str,
    transaction: Value,
}

impl Bay {
    async fn speaking(protocol: &'static str) -> Self {
        let depot = Depot::new(1, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})).await;
        let path = format!("/chargestations/{}", depot.ports[0].station);
        let station = depot.app.client.get(&path).await.ok();
        let socket = FakeStation::speaking(station["connection_url"].as_str().expect("a URL"), protocol).await;
        let mut bay = Self { depot, socket, protocol, transaction: Value::Null };
        bay.says("Available").await;
        bay.depot.until_limits(&[0.0]).await;
        bay
    }

    fn is_first(&self) -> bool {
        self.protocol == "ocpp1.6"
    }

    /// So many seconds ago.
    fn ago(&self, seconds: u64) -> Value {
        json!(self.depot.app.running.context.moment().now - Duration::from_secs(seconds))
    }

    async fn says(&mut self, status: &str) {
        let at = self.ago(0);
        let report = match self.is_first() {
            true => json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at}),
            false => json!({"timestamp": at, "connectorStatus": status, "evseId": 1, "connectorId": 1}),
        };
        self.socket.call("StatusNotification", report).await;
    }

    /// A value of power and one of the register, taken so many seconds ago.
    fn values(&self, seconds: u64, (kilowatts, register): (f64, i64), context: &str) -> Value {
        let (first, at) = (self.is_first(), self.ago(seconds));
        let value = |value: f64, measurand: &str, unit: &str| match first {
            true => json!({"value": value.to_string(), "context": context, "measurand": measurand, "unit": unit}),
            false => {
                json!({"value": value, "context": context, "measurand": measurand, "unitOfMeasure": {"unit": unit}})
            }
        };
        json!([{"timestamp": at, "sampledValue": [
            value(register as f64, "Energy.Active.Import.Register", "Wh"),
            value(kilowatts, "Power.Active.Import", "kW")]}])
    }

    async fn event(&mut self, (stage, why, number): (&str, &str, u32), values: Option<Value>) {
        let mut event = json!({"eventType": stage, "timestamp": self.ago(0), "triggerReason": why, "seqNo": number,
            "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1}});
        if let Some(values) = values {
            event["meterValue"] = values;
        }
        self.socket.call("TransactionEvent", event).await;
    }

    /// A car charges with 6.4 kW.
    async fn charges(&mut self) {
        if self.is_first() {
            let start = json!({"connectorId": 1, "idTag": "CARD", "meterStart": 1_000, "timestamp": self.ago(0)});
            self.transaction = self.socket.call("StartTransaction", start).await["transactionId"].clone();
            self.says("Charging").await;
        } else {
            self.event(("Started", "Authorized", 0), None).await;
        }
        self.depot.until_limits(&[7.0]).await;
        for number in 1..=6 {
            self.depot.pass(Duration::from_secs(10)).await;
            let values = self.values(0, (6.4, 1_000 + i64::from(number) * 18), "Sample.Periodic");
            if self.is_first() {
                let request = json!({"connectorId": 1, "transactionId": self.transaction, "meterValue": values});
                self.socket.call("MeterValues", request).await;
            } else {
                self.event(("Updated", "MeterValuePeriodic", number), Some(values)).await;
            }
        }
        self.depot.until(async || self.depot.member(0).await["drawing"] == 6.4).await;
        self.depot.pass(Duration::from_secs(5)).await;
    }

    /// Its transaction ends; the values of the end are part of it.
    async fn ends(&mut self, values: Value) {
        if self.is_first() {
            let stop = json!({"transactionId": self.transaction, "meterStop": 1_115, "timestamp": self.ago(0),
                "transactionData": values});
            self.socket.call("StopTransaction", stop).await;
        } else {
            self.event(("Ended", "EVCommunicationLost", 9), Some(values)).await;
        }
    }

    /// Values without a transaction.
    async fn shows(&mut self, values: Value) {
        let request = match self.is_first() {
            true => json!({"connectorId": 1, "meterValue": values}),
            false => json!({"evseId": 1, "meterValue": values}),
        };
        self.socket.call("MeterValues", request).await;
    }

    /// Nothing is drawn, and nothing is wrong.
    async fn is_free(&self, when: &str) {
        self.depot.pass(Duration::from_secs(2)).await;
        self.depot.until_limits(&[0.0]).await;
        let status = self.depot.status().await;
        let drawing = &status["members"][0]["drawing"];
        assert!(drawing.is_null(), "{} {when}: {status:#}", self.protocol);
        assert_eq!((&status["drawn"], &status["warnings"]), (&json!(0.0), &json!([])), "{} {when}", self.protocol);
        assert_eq!(status["stage"], "settled", "{} {when}", self.protocol);
    }
}

#[actix_web::test]
async fn a_connector_whose_session_ended_draws_nothing_until_its_meter_shows_otherwise() {
    for protocol in PROTOCOLS {
        let mut bay = Bay::speaking(protocol).await;
        bay.charges().await;
        bay.ends(bay.values(0, (6.4, 1_115), "Transaction.End")).await;
        bay.is_free("with the values of its end").await;
        // Some report the values of the end once more by themselves, and some have older ones in another queue.
        bay.shows(bay.values(2, (6.4, 1_115), "Transaction.End")).await;
        bay.shows(bay.values(7, (6.4, 1_110), "Sample.Clock")).await;
        bay.is_free("with values that come late").await;
        bay.says("Available").await;
        bay.is_free("with its status").await;

        // The relay is welded: what is read later counts.
        bay.depot.pass(Duration::from_secs(10)).await;
        bay.shows(bay.values(0, (6.4, 1_130), "Sample.Clock")).await;
        let depot = &bay.depot;
        depot.until(async || depot.member(0).await["drawing"] == 6.4).await;
        let warnings = depot.status().await["warnings"].clone();
        assert_eq!(warnings[0]["code"], "charges_without_session", "{protocol}: {warnings:#}");
        for reading in 1..=4 {
            bay.depot.pass(Duration::from_secs(10)).await;
            bay.shows(bay.values(0, (6.4, 1_130 + reading * 18), "Sample.Clock")).await;
        }
        let depot = &bay.depot;
        depot.until(async || depot.member(0).await["worst"] == 7.0).await;
    }
}

#[actix_web::test]
async fn the_register_alone_at_the_end_of_a_session_draws_nothing() {
    for protocol in PROTOCOLS {
        let mut bay = Bay::speaking(protocol).await;
        bay.charges().await;
        let mut values = bay.values(0, (6.4, 1_115), "Transaction.End");
        values[0]["sampledValue"].as_array_mut().expect("values").truncate(1);
        bay.ends(values).await;
        bay.is_free("with the register of its end").await;
    }
}
