//! Readings: judged one by one, stored once, and stale after a while.

use std::time::Duration;

use serde_json::{Value, json};

use super::{asset, depot, events_of_type, names, text};
use crate::support::TestApp;

#[actix_web::test]
async fn a_reading_makes_an_asset_fresh_until_none_comes_for_a_minute() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "consumer", json!({})).await;
    let etag = app.client.get(&path).await.headers["etag"].clone();
    let receipt = app.client.post(&format!("{path}/readings"), json!({"power": 7.25, "energy": 1000})).await;
    assert_eq!(receipt.created(), json!({"accepted": 1, "duplicates": 0, "rejected": [], "warnings": []}));
    app.pass(Duration::from_secs(59)).await;
    let seen = app.client.get(&path).await;
    assert_eq!(seen.headers["etag"], etag, "a reading does not change the asset");
    let seen = seen.ok();
    assert_eq!(
        (&seen["stale"], &seen["age_seconds"], &seen["interval_seconds"]),
        (&json!(false), &json!(59), &Value::Null)
    );
    assert_eq!((&seen["latest_reading"]["power"], &seen["latest_reading"]["energy"]), (&json!(7.25), &json!(1000)));
    assert_eq!(names(&app.client.get("/assets?stale=false").await.json()), ["consumer"]);
    app.pass(Duration::from_secs(1)).await;
    assert_eq!(app.client.get(&path).await.ok()["stale"], true);
    assert_eq!(names(&app.client.get("/assets?stale=true").await.json()), ["consumer"]);
    assert_eq!(names(&app.client.get("/assets?stale=false").await.json()), Vec::<String>::new());
}

#[actix_web::test]
async fn the_usual_spacing_of_readings_decides_when_data_is_stale() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "smart_meter", json!({})).await;
    for _ in 0..10 {
        app.pass(Duration::from_secs(40)).await;
        app.client.post(&format!("{path}/readings"), json!({"power": 1})).await.created();
    }
    assert_eq!(app.client.get(&path).await.ok()["interval_seconds"], 40);
    app.pass(Duration::from_secs(119)).await;
    assert_eq!(app.client.get(&path).await.ok()["stale"], false);
    app.pass(Duration::from_secs(1)).await;
    assert_eq!(app.client.get(&path).await.ok()["stale"], true);
}

#[actix_web::test]
async fn a_batch_is_judged_reading_by_reading() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "producer", json!({})).await;
    let readings = format!("{path}/readings");
    // The clock stands at 2026-04-24T03:06:40Z.
    let batch = json!({"readings": [
        {"at": "2026-04-24T03:06:00Z", "power": 5},
        {"at": "2026-04-24T03:05:00Z", "power": 4},
        {"at": "2026-04-24T03:06:00Z", "power": 5},
        {"at": "2026-04-24T03:06:00Z", "power": 6},
        {"at": "2026-04-25T03:06:41Z", "power": 1},
        {"at": "2016-04-20T00:00:00Z", "power": 1},
        {"at": "2026-04-24T03:04:00Z"},
        {"power": "much", "watts": 3},
        7
    ]});
    let receipt = app.client.post(&readings, batch.clone()).await.created();
    assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(2), &json!(1)));
    let rejected: Vec<_> = receipt["rejected"]
        .as_array()
        .expect("rejections")
        .iter()
        .map(|one| (one["index"].as_u64().unwrap(), text(&one["field"]), text(&one["code"])))
        .collect();
    let expected = [
        (3, "at", "conflict"),
        (4, "at", "out_of_range"),
        (5, "at", "out_of_range"),
        (6, "power", "required"),
        (7, "watts", "unknown"),
        (7, "power", "invalid"),
        (8, "", "invalid"),
    ];
    assert_eq!(rejected, expected.map(|(index, field, code)| (index, field.to_owned(), code.to_owned())));

    let again = app.client.post(&readings, json!([{"at": "2026-04-24T03:06:00Z", "power": 5}])).await;
    assert_eq!(again.ok(), json!({"accepted": 0, "duplicates": 1, "rejected": [], "warnings": []}));

    let late = json!({"at": "2026-04-24T03:05:30Z", "power": 9});
    app.client.post(&readings, late).await.created();
    let seen = app.client.get(&path).await.ok();
    assert_eq!(seen["latest_reading"]["power"], 5.0, "the latest stays the newest");
    assert_eq!(seen["latest_at"], "2026-04-24T03:06:00.000Z");
    let stored = app.client.get(&readings).await.json();
    let powers: Vec<_> = stored["result"].as_array().unwrap().iter().map(|row| row["power"].clone()).collect();
    assert_eq!(powers, [4.0, 9.0, 5.0]);
}

#[actix_web::test]
async fn a_request_without_a_good_reading_is_refused_with_every_path() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!("{}/readings", asset(&app, &location, "consumer", json!({})).await);
    let post = async |body: Value| app.client.post(&path, body).await.faulty_fields();
    assert_eq!(post(json!({})).await, ["power"]);
    assert_eq!(post(json!({"readings": [{}, {"power": true}]})).await, ["readings[0].power", "readings[1].power"]);
    assert_eq!(post(json!([{"energy": -1, "power": 1}])).await, ["[0].energy"]);
    assert_eq!(post(json!({"readings": []})).await, ["readings"]);
    assert_eq!(post(json!({"readings": [{"power": 1}], "x": 1})).await, ["x"]);
    assert_eq!(post(json!({"readings": vec![json!({"power": 1}); 1001]})).await, ["readings"]);
    assert_eq!(post(json!(3)).await, [""]);
    assert_eq!(post(json!({"current": [1, 2]})).await, ["current"]);
    assert_eq!(post(json!({"current": [1, 2, 3], "voltage": [230, 231]})).await, ["voltage"]);
    assert_eq!(app.client.get(&path).await.json()["totalDocs"], 0);
}

#[actix_web::test]
async fn currents_become_power_by_voltage_and_power_factor() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let read = async |more: Value, reading: Value| {
        let path = asset(&app, &location, "consumer", more).await;
        app.client.post(&format!("{path}/readings"), reading).await.created();
        app.client.get(&path).await.ok()["latest_reading"].clone()
    };
    let three = read(json!({"power_factor": 0.9}), json!({"current": [10, 20, 0]})).await;
    assert_eq!(
        (&three["power"], &three["phase_power"]),
        (&json!(6.21), &json!([2.07, 4.14, 0.0])),
        "at the location's 230 V"
    );
    let line_to_line = json!({"electric_voltage_type": "line_to_line", "voltage": 400});
    let three = read(line_to_line, json!({"current": [10, 10, 10]})).await;
    assert_eq!(three["power"], 6.93, "3 x 230.94 V x 10 A, rounded up phase by phase");
    let single = json!({"electric_current_type": "AC_single_phase"});
    let one = read(single.clone(), json!({"current": 10, "voltage": 240})).await;
    assert_eq!((&one["power"], &one["voltage"]), (&json!(2.4), &json!([240.0, null, null])));
    let one = read(single, json!({"power": 2.3})).await;
    assert_eq!(one["current"], json!([10.0, null, null]));
    let phases = read(json!({}), json!({"phase_power": [1, 2, -0.5], "power": 2.4})).await;
    assert_eq!((&phases["power"], &phases["phase_power"]), (&json!(2.4), &json!([1.0, 2.0, -0.5])));

    let dc = asset(&app, &location, "consumer", json!({"electric_current_type": "DC"})).await;
    let refused = app.client.post(&format!("{dc}/readings"), json!({"current": 10})).await;
    assert_eq!(refused.faulty_fields(), ["voltage"]);
    app.client.post(&format!("{dc}/readings"), json!({"current": 10, "voltage": 400})).await.created();
    assert_eq!(app.client.get(&dc).await.ok()["latest_reading"]["power"], 4.0);
}

#[actix_web::test]
async fn a_clock_that_runs_ahead_keeps_nothing_fresh() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "producer", json!({})).await;
    let ahead = json!({"at": "2026-04-24T20:00:00Z", "power": 5});
    app.client.post(&format!("{path}/readings"), ahead).await.created();
    app.pass(Duration::from_secs(60)).await;
    let seen = app.client.get(&path).await.ok();
    assert_eq!((&seen["stale"], &seen["latest_reading"]["at"]), (&json!(true), &json!("2026-04-24T20:00:00.000Z")));
    app.client.post(&format!("{path}/readings"), json!({"power": 6})).await.created();
    assert_eq!(app.client.get(&path).await.ok()["latest_reading"]["power"], 6.0);
}

#[actix_web::test]
async fn readings_are_paged_joined_and_exported() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!("{}/readings", asset(&app, &location, "smart_meter", json!({})).await);
    let reading = |minute: u32, power: i32| json!({"at": format!("2026-04-24T02:{minute:02}:00Z"), "power": power});
    let batch: Vec<Value> = (0..20).map(|minute| reading(minute, 10 - i32::try_from(minute).unwrap())).collect();
    app.client.post(&path, json!(batch)).await.created();
    let page = app.client.get(&format!("{path}?paginate_limit=8&paginate_page=3")).await.json();
    assert_eq!((&page["totalDocs"], &page["totalPages"], &page["hasNextPage"]), (&json!(20), &json!(3), &json!(false)));
    assert_eq!(page["result"][3]["at"], "2026-04-24T02:19:00.000Z");

    let query = "from=2026-04-24T02:05:00Z&to=2026-04-24T02:15:00Z";
    let spans = app.client.get(&format!("{path}?{query}&resolution=300")).await.json();
    assert_eq!(
        spans["result"],
        json!([
            {"at": "2026-04-24T02:05:00.000Z", "power": 3.0, "minimum_power": 1.0, "maximum_power": 5.0, "readings": 5},
            {"at": "2026-04-24T02:10:00.000Z", "power": -2.0, "minimum_power": -4.0, "maximum_power": 0.0, "readings": 5},
        ])
    );
    let csv = app.client.get(&format!("{path}?{query}&format=csv")).await;
    assert_eq!(
        csv.text.lines().take(2).collect::<Vec<_>>(),
        [
            "at,power,minimum_power,maximum_power,readings,phase_power,current,voltage,energy",
            "2026-04-24T02:05:00.000Z,5.0,,,,,,,"
        ]
    );
    let faulty = app
        .client
        .get(&format!("{path}?resolution=0&paginate_limit=0&paginate_page=0&from=2026-05-01T00:00:00Z"))
        .await;
    assert_eq!(faulty.faulty_fields(), ["from", "paginate_limit", "paginate_page", "resolution"]);
    assert_eq!(app.client.get(&format!("{path}?format=geojson")).await.error(406), "not_acceptable");
}

#[actix_web::test]
async fn readings_are_recorded_as_events_every_thirty_seconds() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!("{}/readings", asset(&app, &location, "consumer", json!({})).await);
    for _ in 0..7 {
        app.client.post(&path, json!({"power": 1})).await.created();
        app.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(events_of_type(&app, "asset.reading.created").await, 3);
}
