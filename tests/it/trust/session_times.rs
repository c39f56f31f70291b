//! What a session is billed for and how long it lasted, whatever the clock of its station says.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

/// A station of 22 kW; a session costs 1 an hour of drawing and 2 an hour of not drawing.
struct Scene {
    app: TestApp,
    _station: TestStation,
    socket: FakeStation,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let connector = json!({"type": "Type2", "power_type": "AC Three Phase", "power": 22});
        let station = app.station_with("S", connector).await;
        let rate = json!({"name": "R", "currency": "EUR", "price_components":
                [{"type": "TIME", "price": 1}, {"type": "PARKING_TIME", "price": 2}]});
        let rate = app.client.post("/rates", rate).await.created();
        let path = format!("/connectors/{}", station.connector);
        let priced = json!({"rate": rate["_id"]});
        app.client.patch(&path, priced).await.ok();
        let socket = FakeStation::connect(&station.url).await;
        Self { app, _station: station, socket }
    }

    /// The time so many minutes from now; before it where negative.
    fn minute(&self, offset: i64) -> String {
        let now = self.app.running.context.clock.now();
        let span = Duration::from_secs(60 * offset.unsigned_abs());
        let at = if offset < 0 { now - span } else { now + span };
        at.to_string()
    }

    async fn pass(&self, minutes: u64) {
        self.app.pass(Duration::from_secs(60 * minutes)).await;
    }

    async fn reads(&mut self, transaction: i64, at: &str, register: i64, power: i64) {
        let values = json!([{"timestamp": at, "sampledValue": [{"value": register.to_string()},
                {"value": power.to_string(), "measurand": "Power.Active.Import", "unit": "W"}]}]);
        let reported = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
        self.socket.call("MeterValues", reported).await;
    }

    async fn stop(&mut self, transaction: i64, at: &str, register: i64) -> Value {
        let stop = json!({"transactionId": transaction, "meterStop": register, "timestamp": at});
        self.socket.call("StopTransaction", stop).await;
        self.session().await
    }

    async fn session(&self) -> Value {
        self.app.client.get("/sessions").await.json()["result"][0].clone()
    }
}

fn energy(session: &Value) -> &Value {
    &session["metrics"]["energyConsumed"]
}

#[actix_web::test]
async fn a_start_of_2021_is_when_it_was_received() {
    let mut scene = Scene::new().await;
    let transaction = scene.socket.start(1, "CARD", 0, "2021-01-01T00:03:10Z").await;
    let began = scene.minute(0);
    scene.pass(6).await;
    let (now, soon) = (scene.minute(0), scene.minute(1));
    scene.reads(transaction, &now, 1_000, 10_000).await;
    let session = scene.stop(transaction, &soon, 1_000).await;
    assert_eq!(session["metrics"]["chargingStart"], began);
    assert_eq!(energy(&session), &json!(1_000));
    // Six minutes of drawing.
    assert_eq!(session["cost"]["amount"], 0.1);
    let flags = session["flags"].as_array().expect("flags");
    assert!(flags.contains(&json!("time_not_believed")), "{flags:?}");
}

#[actix_web::test]
async fn a_clock_that_goes_back_an_hour_does_not_hide_readings() {
    let mut scene = Scene::new().await;
    let begun = scene.minute(-60);
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    let last = scene.minute(-1);
    scene.reads(transaction, &last, 5_000, 7_000).await;
    for (index, register) in [5_200, 5_400, 5_600].into_iter().enumerate() {
        let at = scene.minute(-60 + i64::try_from(index).expect("few"));
        scene.reads(transaction, &at, register, 2_000).await;
    }
    let session = scene.session().await;
    assert_eq!(energy(&session), &json!(5_600));
    assert_eq!(session["energy_report"]["power"]["value"], 2.0);
}

#[actix_web::test]
async fn time_passes_by_receipt_where_the_clock_goes_back() {
    let mut scene = Scene::new().await;
    let begun = scene.minute(0);
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    scene.pass(30).await;
    let now = scene.minute(0);
    scene.reads(transaction, &now, 4_000, 8_000).await;
    scene.pass(30).await;
    let back = scene.minute(-60);
    scene.reads(transaction, &back, 8_000, 8_000).await;
    scene.pass(60).await;
    let back = scene.minute(-60);
    let session = scene.stop(transaction, &back, 16_000).await;
    assert_eq!(energy(&session), &json!(16_000));
    // Two hours of drawing.
    assert_eq!(session["cost"]["amount"], 2);
    assert_eq!(session["metrics"]["energyPeriod"], 7_200);
}

#[actix_web::test]
async fn a_burst_of_queued_messages_keeps_its_hours() {
    let mut scene = Scene::new().await;
    let (begun, middle, end) = (scene.minute(-180), scene.minute(-120), scene.minute(0));
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    scene.reads(transaction, &middle, 10_000, 0).await;
    let session = scene.stop(transaction, &end, 10_000).await;
    assert_eq!(energy(&session), &json!(10_000));
    // An hour of drawing, two of none.
    assert_eq!(session["cost"]["amount"], 5);
}

#[actix_web::test]
async fn a_stop_that_waited_for_the_link_ends_when_it_happened() {
    let mut scene = Scene::new().await;
    let (begun, end) = (scene.minute(0), scene.minute(30));
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    scene.pass(180).await;
    let session = scene.stop(transaction, &end, 5_000).await;
    assert_eq!(session["metrics"]["chargingStop"], end);
    assert_eq!(session["cost"]["amount"], 0.5);
}

#[actix_web::test]
async fn a_clock_two_hours_ahead_changes_neither_energy_nor_price() {
    let mut scene = Scene::new().await;
    let begun = scene.minute(120);
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    scene.pass(30).await;
    let ahead = scene.minute(120);
    scene.reads(transaction, &ahead, 5_000, 10_000).await;
    scene.pass(30).await;
    let ahead = scene.minute(120);
    let session = scene.stop(transaction, &ahead, 10_000).await;
    assert_eq!(energy(&session), &json!(10_000));
    assert_eq!(session["cost"]["amount"], 1);
    assert_eq!(session["metrics"]["energyPeriod"], 3_600);
}

#[actix_web::test]
async fn a_clock_that_jumps_to_and_fro_does_not_open_the_bound() {
    let mut scene = Scene::new().await;
    let begun = scene.minute(0);
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    let mut register = 0;
    for step in 1..=10 {
        scene.pass(1).await;
        register += 5_000; // 300 kW
        let at = scene.minute(if step % 2 == 0 { 0 } else { -600 });
        scene.reads(transaction, &at, register, 22_000).await;
    }
    let now = scene.minute(0);
    let session = scene.stop(transaction, &now, register).await;
    let energy = energy(&session).as_i64().expect("an energy");
    // 24.2 kW for ten minutes and two of room.
    assert!(energy <= 4_840, "{energy}");
}

#[actix_web::test]
async fn elements_of_one_message_keep_their_spacing_though_their_times_are_years_off() {
    let mut scene = Scene::new().await;
    let begun = scene.minute(0);
    let transaction = scene.socket.start(1, "CARD", 0, &begun).await;
    scene.pass(60).await;
    let element = |minute: u32, register: &str| json!({"timestamp": format!("2021-05-01T10:{minute:02}:00Z"), "sampledValue": [{"value": register}]});
    let values = json!([element(0, "1000"), element(20, "5000"), element(40, "9000")]);
    let reported = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
    scene.socket.call("MeterValues", reported).await;
    let session = scene.session().await;
    assert_eq!(energy(&session), &json!(9_000));
    let id = session["_id"].as_str().expect("an id");
    let reports = scene.app.client.get(&format!("/sessions/{id}/energy_reports")).await.ok();
    let times: Vec<&Value> = (0..3).map(|index| &reports[index]["timestamp"]).collect();
    let expected = [-40, -20, 0].map(|minute| json!(scene.minute(minute)));
    assert_eq!(times, expected.iter().collect::<Vec<_>>());
}

#[actix_web::test]
async fn a_clock_that_was_never_set_still_prices_by_receipt() {
    let mut scene = Scene::new().await;
    let transaction = scene.socket.start(1, "CARD", 0, "1970-01-01T00:01:00Z").await;
    scene.pass(30).await;
    scene.reads(transaction, "1970-01-01T00:31:00Z", 5_000, 10_000).await;
    scene.pass(30).await;
    let session = scene.stop(transaction, "1970-01-01T01:01:00Z", 10_000).await;
    assert_eq!(energy(&session), &json!(10_000));
    assert_eq!(session["cost"]["amount"], 1);
}
