//! What a session is billed for, whatever registers say: dips, restarts, spikes, repeats and lost stops.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp, TestStation};

mod bounds;
mod late;
mod parts;
mod targets;
mod version_2;

const REGISTER: &str = "Energy.Active.Import.Register";
const INTERVAL: &str = "Energy.Active.Import.Interval";
const POWER: &str = "Power.Active.Import";

/// A station with one connector of 22 kW and a price of 0.40 a kWh.
///
/// What its plug can give: 24.2 kW with the room for metering, 403 Wh a minute, and once 806 Wh of room for clocks.
struct Scene {
    app: TestApp,
    station: TestStation,
    socket: FakeStation,
}

impl Scene {
    async fn new() -> Self {
        Self::speaking("ocpp1.6").await
    }

    async fn speaking(protocol: &str) -> Self {
        let app = TestApp::start().await;
        let connector = json!({"type": "Type2", "power_type": "AC Three Phase", "power": 22});
        let station = app.station_with("S", connector).await;
        let rate = json!({"name": "R", "currency": "EUR", "price_components": [{"type": "ENERGY", "price": 0.4}]});
        let rate = app.client.post("/rates", rate).await.created();
        let path = format!("/connectors/{}", station.connector);
        let priced = json!({"rate": rate["_id"]});
        app.client.patch(&path, priced).await.ok();
        let socket = FakeStation::speaking(&station.url, protocol).await;
        Self { app, station, socket }
    }

    /// The time so many minutes ago.
    fn ago(&self, minutes: u64) -> String {
        let now = self.app.running.context.clock.now();
        (now - Duration::from_secs(60 * minutes)).to_string()
    }

    async fn start(&mut self, register: i64, minutes_ago: u64) -> i64 {
        let at = self.ago(minutes_ago);
        self.socket.start(1, "CARD", register, &at).await
    }

    /// Values of one instant; each is value, measurand, unit and context.
    async fn report(&mut self, transaction: Option<i64>, minutes_ago: u64, values: &[(&str, &str, &str, &str)]) {
        let sampled: Vec<Value> = values
            .iter()
            .map(|(value, measurand, unit, context)| {
                json!({"value": value, "measurand": measurand, "unit": unit, "context": context})
            })
            .collect();
        let reported = json!([{"timestamp": self.ago(minutes_ago), "sampledValue": sampled}]);
        self.report_raw(transaction, reported).await;
    }

    async fn report_raw(&mut self, transaction: Option<i64>, values: Value) {
        let mut reported = json!({"connectorId": 1, "meterValue": values});
        if let Some(transaction) = transaction {
            reported["transactionId"] = json!(transaction);
        }
        self.socket.call("MeterValues", reported).await;
    }

    async fn reads(&mut self, transaction: i64, minutes_ago: u64, register: i64) {
        let register = register.to_string();
        let values = [(register.as_str(), REGISTER, "Wh", "Sample.Periodic")];
        self.report(Some(transaction), minutes_ago, &values).await;
    }

    async fn stop(&mut self, transaction: i64, register: i64, minutes_ago: u64) -> Value {
        let stop = json!({"transactionId": transaction, "meterStop": register, "timestamp": self.ago(minutes_ago)});
        self.socket.call("StopTransaction", stop).await;
        self.session(transaction).await
    }

    async fn sessions(&self) -> Vec<Value> {
        let listed = self.app.client.get("/sessions").await.json();
        listed["result"].as_array().expect("sessions").clone()
    }

    async fn session(&self, transaction: i64) -> Value {
        let all = self.sessions().await;
        let found = all.iter().find(|one| one["transaction_id"] == transaction);
        found.expect("the session").clone()
    }

    async fn part(&self, session: &Value, part: &str) -> Answer {
        let id = session["_id"].as_str().expect("an id");
        self.app.client.get(&format!("/sessions/{id}{part}")).await
    }

    async fn station_flags(&self) -> String {
        let station = self.app.client.get(&self.station.path).await;
        station.ok()["flags"].to_string()
    }

    /// A whole transaction of an hour: the registers ten minutes apart, and the stop now.
    async fn hour(&mut self, start: i64, registers: &[i64], stop: i64) -> Value {
        let transaction = self.start(start, 60).await;
        for (minutes, register) in [50, 40, 30, 20, 10].into_iter().zip(registers) {
            self.reads(transaction, minutes, *register).await;
        }
        self.stop(transaction, stop, 0).await
    }
}

fn energy(session: &Value) -> i64 {
    session["metrics"]["energyConsumed"].as_i64().expect("an energy")
}

fn unproven(session: &Value) -> i64 {
    session["metrics"]["energyUnproven"].as_i64().expect("an energy")
}

fn amount(session: &Value) -> f64 {
    session["cost"]["amount"].as_f64().expect("an amount")
}

#[track_caller]
fn assert_flag(session: &Value, flag: &str) {
    let flags = session["flags"].as_array().expect("flags");
    assert!(flags.contains(&json!(flag)), "{flag} in {flags:?}");
}

// Dips, zeros and wild values.

#[actix_web::test]
async fn a_stop_a_few_watt_hours_below_the_start_bills_nothing() {
    let session = Scene::new().await.hour(2_259_992, &[], 2_259_988).await;
    assert_eq!((energy(&session), amount(&session)), (0, 0.0));
    assert_flag(&session, "register_fell");
}

#[actix_web::test]
async fn a_stop_at_zero_keeps_what_readings_showed() {
    let mut scene = Scene::new().await;
    let registers = [122_000, 124_000, 127_000, 130_000, 133_000];
    let session = scene.hour(120_000, &registers, 0).await;
    assert_eq!((energy(&session), amount(&session)), (13_000, 5.2));
    assert_flag(&session, "stop_not_read");
}

#[actix_web::test]
async fn a_stop_a_little_below_the_last_reading_keeps_what_readings_showed() {
    let session = Scene::new().await.hour(1_000, &[3_000, 5_000], 4_990).await;
    assert_eq!(energy(&session), 4_000);
}

#[actix_web::test]
async fn a_meter_that_wavers_counts_each_watt_hour_once() {
    let registers = [2_000, 1_997, 2_000, 1_998, 2_003];
    let session = Scene::new().await.hour(1_000, &registers, 2_004).await;
    assert_eq!(energy(&session), 1_004);
}

#[actix_web::test]
async fn one_wild_reading_does_not_stay() {
    let registers = [1_000, 99_999_999, 3_000, 4_000, 5_000];
    let session = Scene::new().await.hour(0, &registers, 6_000).await;
    assert_eq!((energy(&session), unproven(&session)), (6_000, 0));
    assert_flag(&session, "register_spiked");
}

#[actix_web::test]
async fn one_zero_among_readings_does_not_count_as_a_restart() {
    let registers = [501_000, 0, 503_000, 504_000];
    let session = Scene::new().await.hour(500_000, &registers, 505_000).await;
    assert_eq!(energy(&session), 5_000);
}

#[actix_web::test]
async fn a_wild_stop_is_shown_and_not_billed() {
    let session = Scene::new().await.hour(0, &[1_000, 2_000], 4_294_967_295).await;
    assert_eq!((energy(&session), amount(&session)), (2_000, 0.8));
    assert_eq!(unproven(&session), 4_294_965_295);
    assert_flag(&session, "energy_bounded");
}

#[actix_web::test]
async fn the_largest_stop_there_is_bills_what_readings_showed() {
    let session = Scene::new().await.hour(0, &[1_000, 2_000], i64::MAX).await;
    assert_eq!(energy(&session), 2_000);
    assert_flag(&session, "register_refused");
}

#[actix_web::test]
async fn the_smallest_stop_there_is_bills_what_readings_showed() {
    let session = Scene::new().await.hour(0, &[1_000, 2_000], i64::MIN).await;
    assert_eq!(energy(&session), 2_000);
}

#[actix_web::test]
async fn a_stop_of_minus_one_is_no_register() {
    let session = Scene::new().await.hour(0, &[], -1).await;
    assert_eq!((energy(&session), amount(&session)), (0, 0.0));
    assert_flag(&session, "register_refused");
}

#[actix_web::test]
async fn a_start_of_minus_one_counts_from_the_first_reading() {
    let session = Scene::new().await.hour(-1, &[1_000, 3_000], 4_000).await;
    assert_eq!(energy(&session), 3_000);
}

#[actix_web::test]
async fn a_reading_of_minus_one_is_no_register() {
    let session = Scene::new().await.hour(0, &[1_000, -1, 3_000], 4_000).await;
    assert_eq!(energy(&session), 4_000);
}

#[actix_web::test]
async fn a_reading_beyond_all_numbers_is_left_out_and_said() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    let beyond = [("9223372036854775808", REGISTER, "kWh", "Sample.Periodic")];
    scene.report(Some(transaction), 30, &beyond).await;
    let session = scene.stop(transaction, 2_000, 0).await;
    assert_eq!(energy(&session), 2_000);
    assert_flag(&session, "unreadable_value");
    assert!(scene.station_flags().await.contains("unreadable_value"));
}

// Registers that are another than the one at the start.

#[actix_web::test]
async fn a_start_of_zero_before_a_lifetime_register_does_not_bill_the_lifetime() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 15).await;
    let begin = [("7912760", REGISTER, "Wh", "Transaction.Begin")];
    scene.report(Some(transaction), 14, &begin).await;
    scene.reads(transaction, 5, 7_914_000).await;
    let session = scene.stop(transaction, 7_914_700, 0).await;
    assert_eq!(energy(&session), 1_940);
    assert_flag(&session, "start_not_read");
}

#[actix_web::test]
async fn a_start_of_zero_is_seen_without_a_begin_too() {
    let session = Scene::new().await.hour(0, &[7_912_760, 7_914_000], 7_915_000).await;
    assert_eq!(energy(&session), 2_240);
}

#[actix_web::test]
async fn a_start_of_zero_and_a_lifetime_stop_alone_prove_nothing() {
    let session = Scene::new().await.hour(0, &[], 7_914_700).await;
    assert_eq!((energy(&session), unproven(&session)), (0, 7_914_700));
    assert_flag(&session, "energy_bounded");
}

#[actix_web::test]
async fn a_lifetime_start_before_readings_of_the_session_bills_the_session() {
    let registers = [0, 1_000, 3_000, 5_000];
    let session = Scene::new().await.hour(7_912_760, &registers, 6_000).await;
    assert_eq!(energy(&session), 6_000);
}

#[actix_web::test]
async fn clock_aligned_lifetime_values_do_not_mix_in() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 20).await;
    scene.reads(transaction, 15, 895).await;
    let lifetime = [("1234567", REGISTER, "Wh", "Sample.Clock")];
    scene.report(None, 14, &lifetime).await;
    scene.reads(transaction, 10, 1_800).await;
    assert_eq!(energy(&scene.session(transaction).await), 1_800);
    assert_eq!(energy(&scene.stop(transaction, 1_900, 9).await), 1_900);
}

#[actix_web::test]
async fn clock_aligned_values_alone_count() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 60).await;
    for (minutes, value) in [(45, "3000"), (30, "5000"), (15, "8000")] {
        let values = [(value, REGISTER, "Wh", "Sample.Clock")];
        scene.report(None, minutes, &values).await;
    }
    assert_eq!(energy(&scene.session(transaction).await), 7_000);
    assert_eq!(energy(&scene.stop(transaction, 0, 0).await), 7_000);
}

#[actix_web::test]
async fn values_with_an_id_that_nobody_knows_count_for_the_session_at_the_connector() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 60).await;
    scene.reads(987_654, 30, 4_000).await;
    assert_eq!(energy(&scene.session(transaction).await), 3_000);
}

// Restarts.

#[actix_web::test]
async fn a_register_that_restarts_in_the_session_goes_on() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 120).await;
    for (minutes, register) in [(100, 5_000), (80, 11_000), (60, 200), (40, 3_000), (20, 5_500)] {
        scene.reads(transaction, minutes, register).await;
    }
    // 10,000 before, 200 + 2,800 + 2,500 after.
    assert_eq!(energy(&scene.session(transaction).await), 15_500);
    let session = scene.stop(transaction, 6_000, 0).await;
    assert_eq!((energy(&session), amount(&session)), (16_000, 6.4));
    assert_flag(&session, "register_restarted");
}

#[actix_web::test]
async fn a_register_may_restart_twice() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(50_000, 80).await;
    let registers = [(70, 53_000), (60, 100), (50, 2_000), (40, 4_000), (30, 0), (20, 1_500), (10, 3_000)];
    for (minutes, register) in registers {
        scene.reads(transaction, minutes, register).await;
    }
    let session = scene.stop(transaction, 4_000, 0).await;
    assert_eq!(energy(&session), 3_000 + 4_000 + 4_000);
}

#[actix_web::test]
async fn a_stop_of_the_session_alone_after_a_lifetime_start_counts_from_zero() {
    let session = Scene::new().await.hour(50_000, &[], 7_000).await;
    assert_eq!(energy(&session), 7_000);
}

#[actix_web::test]
async fn a_stop_that_no_plug_can_have_reached_from_zero_counts_nothing() {
    // In an hour it gives 24,200 Wh and the room.
    let session = Scene::new().await.hour(500_000, &[], 30_000).await;
    assert_eq!(energy(&session), 0);
}
