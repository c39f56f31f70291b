//! Stations that take limits in one variant only: the strategy finds it, and balancing knows what it is worth.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

/// How long a test waits, in polls.
const POLLS: u32 = 400;

/// A station in a group of its own, which takes charging profiles of one purpose only.
struct Picky {
    app: TestApp,
    socket: FakeStation,
    group: String,
    takes: &'static str,
    /// The profiles that it took.
    taken: Vec<Value>,
}

impl Picky {
    async fn new(takes: &'static str) -> Self {
        let app = TestApp::start_with(&[("EVENWATT_BALANCING_TICK_SECONDS", "1")]).await;
        let station = app.station("Picky").await;
        let limits = json!({"maximum_capacity": 10, "minimum_connector_capacity": 2});
        let group = app.group_of(&station, limits).await;
        let mut socket = FakeStation::connect(&station.url).await;
        socket.boot().await;
        Self { app, socket, group, takes, taken: Vec::new() }
    }

    /// Answers calls, while time passes, until the station's place in the group is as it should be.
    async fn until(&mut self, holds: impl Fn(&Value) -> bool) {
        for _ in 0..POLLS {
            let status = self.app.client.get(&format!("{}/status", self.group)).await.ok();
            if holds(&status["members"][0]) {
                return;
            }
            let patience = Duration::from_millis(20);
            match tokio::time::timeout(patience, self.socket.next_call()).await {
                Ok(call) => self.answer(&call).await,
                Err(_) => self.app.pass(Duration::from_secs(1)).await,
            }
        }
        panic!("never so; it took {:#?}", self.taken);
    }

    async fn answer(&mut self, call: &Value) {
        let profile = &call[3]["csChargingProfiles"];
        let status = match call[2].as_str() {
            Some("SetChargingProfile") if profile["chargingProfilePurpose"] == self.takes => {
                self.taken.push(call[3].clone());
                "Accepted"
            }
            Some("SetChargingProfile" | "GetCompositeSchedule") => "Rejected",
            _ => "Accepted",
        };
        self.socket.answer(call, json!({"status": status})).await;
    }
}

#[actix_web::test]
async fn a_station_that_limits_transactions_only_is_limited_while_one_runs() {
    let mut picky = Picky::new("TxProfile").await;
    picky.until(|member| member["rule"] == "reservation").await;
    let transaction = picky.socket.start(1, "CARD", 0, "2026-04-24T03:07:00Z").await;
    picky.until(|member| member["acknowledged"] == 7.0).await;
    let last = picky.taken.last().expect("a limit");
    assert_eq!(last["csChargingProfiles"]["transactionId"], transaction);

    let stop = json!({"transactionId": transaction, "meterStop": 10, "timestamp": "2026-04-24T04:00:00Z"});
    picky.socket.call("StopTransaction", stop).await;
    picky.until(|member| member["rule"] == "reservation").await;
}

#[actix_web::test]
async fn a_station_that_takes_limits_of_the_whole_station_only_is_limited_so() {
    let mut picky = Picky::new("ChargePointMaxProfile").await;
    picky.until(|member| member["acknowledged"] == 0.0).await;
    picky.socket.start(1, "CARD", 0, "2026-04-24T03:07:00Z").await;
    picky.until(|member| member["acknowledged"] == 7.0 && member["fallback"] == 2.0).await;
    let last = picky.taken.last().expect("a limit");
    assert_eq!(last["connectorId"], 0);
}
