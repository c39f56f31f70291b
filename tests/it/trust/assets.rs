//! Readings of meters that cannot be true: slips of units, power that nobody produces, currents without a sign, clocks that are
//! hours off. They are refused or bounded, reported, and forgotten with the first reading that is right.

use std::time::Duration;

use clock::Clock;
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A site of 30 kW with a meter of everything.
struct Site {
    app: TestApp,
    location: Value,
    group: Value,
    meter: String,
}

impl Site {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let location = json!({"operatorName": "Yard", "coordinates": [4.9, 52.4], "address": {}});
        let location = app.client.post("/locations", location).await.created()["_id"].clone();
        let group = json!({"name": "G", "location": location, "maximum_capacity": 30, "feeder_rating": 40,
            "minimum_connector_capacity": 1.4});
        let group = app.client.post("/load_management/groups", group).await.created()["_id"].clone();
        let mut site = Self { app, location, group, meter: String::new() };
        site.meter = site.asset(json!({"type": "smart_meter", "meter_scope": "site"})).await;
        site
    }

    /// An asset of the site's group; its path.
    async fn asset(&self, fields: Value) -> String {
        let mut new = json!({"name": "A", "location": self.location, "group": self.group});
        for (name, value) in fields.as_object().expect("fields") {
            new[name] = value.clone();
        }
        let asset = self.app.client.post("/assets", new).await.created();
        format!("/assets/{}", asset["_id"].as_str().expect("an id"))
    }

    async fn send(&self, asset: &str, readings: Value) -> Answer {
        let path = format!("{asset}/readings");
        self.app.client.post(&path, readings).await
    }

    /// A reading of this power by a clock that is so many seconds ahead.
    async fn reads_by(&self, ahead: i64, power: f64) -> Value {
        let at = Timestamp::from_unix_seconds(self.app.clock.now().unix_seconds() + ahead);
        self.send(&self.meter, json!({"at": at, "power": power})).await.created()
    }

    async fn meter(&self) -> Value {
        self.app.client.get(&self.meter).await.ok()
    }

    async fn status(&self) -> Value {
        let group = self.group.as_str().expect("an id");
        let path = format!("/load_management/groups/{group}/status");
        self.app.client.get(&path).await.ok()
    }

    /// The codes of the warnings about assets of the group.
    async fn warned(&self) -> Vec<String> {
        let status = self.status().await;
        let warnings = status["warnings"].as_array().expect("warnings");
        let of_assets = warnings.iter().filter(|warning| !warning["asset"].is_null());
        let code = |warning: &Value| warning["code"].as_str().expect("a code").to_owned();
        of_assets.map(code).collect()
    }

    async fn pass(&self, seconds: u64) {
        self.app.pass(Duration::from_secs(seconds)).await;
    }
}

/// The code of each warning of a receipt, with its place.
fn warnings(receipt: &Value) -> Vec<(u64, &str)> {
    let warnings = receipt["warnings"].as_array().expect("warnings");
    let each = |one: &'_ Value| one["index"].as_u64().expect("a place");
    let codes = warnings.iter().map(|one| one["code"].as_str().expect("a code"));
    warnings.iter().map(each).zip(codes).collect()
}

#[actix_web::test]
async fn a_slip_of_units_is_refused_reported_and_forgotten_with_the_next_reading() {
    let site = Site::new().await;
    site.reads_by(0, 12.0).await;
    site.pass(1).await;
    let refused = site.send(&site.meter, json!({"power": 12_000})).await;
    assert_eq!(refused.faulty_fields(), ["power"]);
    let said = refused.json()["errors"][0]["message"].clone();
    let said = said.as_str().expect("a message");
    assert!(said.ends_with("if W were meant, 12 is right"), "{said}");

    let meter = site.meter().await;
    assert_eq!(meter["latest_reading"]["power"], 12.0, "what was known stays");
    assert_eq!(meter["refused_reading"]["field"], "power");
    assert_eq!(site.warned().await, ["implausible_reading"]);
    assert_eq!(site.status().await["uncontrolled_load"], 12.0);

    site.pass(1).await;
    site.reads_by(0, 11.5).await;
    assert_eq!(site.meter().await["refused_reading"], Value::Null);
    assert_eq!(site.warned().await, Vec::<String>::new());
    assert_eq!(site.status().await["uncontrolled_load"], 11.5);
}

#[actix_web::test]
async fn a_meter_that_reports_nothing_else_is_stale() {
    let site = Site::new().await;
    site.reads_by(0, 12.0).await;
    for _ in 0..6 {
        site.pass(10).await;
        site.send(&site.meter, json!({"power": 12_000})).await.error(422);
    }
    assert_eq!(site.meter().await["stale"], true);
    assert_eq!(site.warned().await, ["meter_stale", "implausible_reading"]);
}

#[actix_web::test]
async fn five_times_the_feeder_is_the_most_that_hardware_gives() {
    let site = Site::new().await;
    // 5 × 40 kW
    let batch = json!([
        {"at": "2026-04-24T03:00:00Z", "power": 200},
        {"at": "2026-04-24T03:01:00Z", "power": 200.001},
        {"at": "2026-04-24T03:02:00Z", "power": -200.001},
        {"at": "2026-04-24T03:03:00Z", "power": 20, "phase_power": [201, 0, 0]},
        {"at": "2026-04-24T03:04:00Z", "current": [900, 0, 0]},
        {"at": "2026-04-24T03:05:00Z", "current": [860, 0, 0]}
    ]);
    let receipt = site.send(&site.meter, batch).await.created();
    let rejected = receipt["rejected"].as_array().expect("rejections");
    let rejected: Vec<_> = rejected.iter().map(|one| (&one["index"], &one["field"], &one["code"])).collect();
    let code = json!("out_of_range");
    let expected = [(1, "power"), (2, "power"), (3, "phase_power"), (4, "current")];
    let expected = expected.map(|(index, field)| (json!(index), json!(field)));
    let expected: Vec<_> = expected.iter().map(|(index, field)| (index, field, &code)).collect();
    assert_eq!((rejected, &receipt["accepted"]), (expected, &json!(2)));
    assert_eq!(site.meter().await["refused_reading"], Value::Null, "a later one was good");
}

#[actix_web::test]
async fn without_a_group_ten_megawatts_are_believed() {
    let site = Site::new().await;
    let plant = site.asset(json!({"type": "producer", "group": null})).await;
    site.send(&plant, json!({"power": 10_000})).await.created();
    site.pass(1).await;
    site.send(&plant, json!({"power": 10_000.001})).await.error(422);
}

#[actix_web::test]
async fn power_that_nobody_produces_is_warned_of_and_frees_nothing() {
    let site = Site::new().await;
    let receipt = site.reads_by(0, -30.0).await;
    assert_eq!(warnings(&receipt), [(0, "below_zero")]);
    assert_eq!(site.warned().await, ["implausible_reading"]);
    assert_eq!(site.status().await["uncontrolled_load"], 0.0);

    site.pass(1).await;
    let panels = site.asset(json!({"type": "producer"})).await;
    site.send(&panels, json!({"power": 28})).await.created();
    // 28 kW and a tenth explain 30 kW, and 28 of them count.
    assert_eq!(warnings(&site.reads_by(0, -30.0).await), []);
    assert_eq!(site.warned().await, Vec::<String>::new());
    assert_eq!(site.status().await["uncontrolled_load"], -28.0);
    site.pass(1).await;
    assert_eq!(warnings(&site.reads_by(0, -31.0).await), [(0, "below_zero")]);
}

#[actix_web::test]
async fn a_consumer_feeds_nothing_in() {
    let site = Site::new().await;
    let heater = site.asset(json!({"type": "consumer"})).await;
    let batch = json!([{"at": "2026-04-24T03:05:00Z", "power": -0.9}, {"power": -3}]);
    let receipt = site.send(&heater, batch).await.created();
    assert_eq!(warnings(&receipt), [(1, "below_zero")]);
}

#[actix_web::test]
async fn currents_without_a_sign_flow_where_power_does() {
    let site = Site::new().await;
    let panels = site.asset(json!({"type": "producer"})).await;
    site.send(&panels, json!({"power": 14})).await.created();
    // 3 × 20 A × 230 V = 13.8 kW
    let unsigned = json!({"power": -13.8, "current": [20, 20, 20], "voltage": 230});
    let receipt = site.send(&site.meter, unsigned).await.created();
    assert_eq!(warnings(&receipt), [(0, "unsigned")]);
    let latest = site.meter().await["latest_reading"].clone();
    assert_eq!(latest["current"], json!([-20.0, -20.0, -20.0]));
    assert_eq!(latest["phase_power"], json!([-4.6, -4.6, -4.6]));
}

#[actix_web::test]
async fn a_meter_two_hours_behind_is_fresh_once_its_clock_is_known() {
    let site = Site::new().await;
    for seconds in [0, 20, 20] {
        site.pass(seconds).await;
        site.reads_by(-7_200, 12.0).await;
        assert_eq!(site.meter().await["stale"], true, "it may be a history");
    }
    site.pass(20).await;
    site.reads_by(-7_200, 13.0).await;
    let meter = site.meter().await;
    assert_eq!(
        (&meter["stale"], &meter["age_seconds"], &meter["clock_offset_seconds"]),
        (&json!(false), &json!(0), &json!(-7_200))
    );
    assert_eq!(site.warned().await, ["clock_off"]);
    assert_eq!(site.status().await["uncontrolled_load"], 13.0);
    site.pass(60).await;
    assert_eq!(site.meter().await["stale"], true, "it is not fresh for ever");

    // Somebody sets it right.
    site.reads_by(0, 14.0).await;
    let meter = site.meter().await;
    assert_eq!((&meter["stale"], &meter["clock_offset_seconds"]), (&json!(false), &json!(0)));
    assert_eq!(site.warned().await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_meter_two_hours_ahead_is_fresh_for_a_minute_only() {
    let site = Site::new().await;
    site.reads_by(7_200, 12.0).await;
    site.pass(20).await;
    site.reads_by(7_200, 13.0).await;
    let meter = site.meter().await;
    assert_eq!(
        (&meter["stale"], &meter["age_seconds"], &meter["clock_offset_seconds"]),
        (&json!(false), &json!(0), &json!(7_200))
    );
    site.pass(60).await;
    assert_eq!(site.meter().await["stale"], true);
    site.reads_by(0, 14.0).await;
    let meter = site.meter().await;
    assert_eq!((&meter["latest_reading"]["power"], &meter["stale"]), (&json!(14.0), &json!(false)));
}

#[actix_web::test]
async fn a_day_that_is_sent_late_is_a_history() {
    let site = Site::new().await;
    let now = site.app.clock.now().unix_seconds();
    // A reading a minute, of yesterday until two hours ago, in requests of an hour, one a second.
    for hour in (2..24).rev() {
        let minute = |minute: i64| {
            let at = Timestamp::from_unix_seconds(now - hour * 3_600 + minute * 60);
            json!({"at": at, "power": 10})
        };
        let readings: Vec<Value> = (0..60).map(minute).collect();
        site.send(&site.meter, json!(readings)).await.created();
        site.pass(1).await;
    }
    let meter = site.meter().await;
    assert_eq!((&meter["stale"], &meter["clock_offset_seconds"]), (&json!(true), &json!(0)));
    // The last of them was taken an hour and a minute before the first request; 22 s have passed.
    assert_eq!(meter["age_seconds"], 3_600 + 60 + 22);
}

#[actix_web::test]
async fn a_producer_gives_what_it_is_rated_for_at_most() {
    let site = Site::new().await;
    let roof = json!({"type": "producer", "static_power": 10});
    let roof = site.asset(roof).await;
    let at = site.app.clock.now();
    let reported = site.send(&roof, json!({"at": at, "power": 80})).await;
    assert_eq!(reported.created()["warnings"][0]["code"], "implausible");
    site.pass(1).await;
    let right = json!({"at": site.app.clock.now(), "power": 10.9});
    let reported = site.send(&roof, right).await.created();
    assert_eq!(reported["warnings"], json!([]), "a tenth more is weather");
}

#[actix_web::test]
async fn a_group_does_not_leave_its_assets_behind() {
    let site = Site::new().await;
    let other = json!({"operatorName": "Elsewhere", "coordinates": [5.9, 51.4], "address": {}});
    let other = site.app.client.post("/locations", other).await.created()["_id"].clone();
    let path = format!("/load_management/groups/{}", site.group.as_str().expect("an id"));
    let moved = site.app.client.patch(&path, json!({"location": other})).await;
    assert_eq!(moved.json()["errors"][0]["field"], "location");
}
