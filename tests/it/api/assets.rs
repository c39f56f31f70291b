//! Assets over HTTP: what they are, what they measured, and when that is too old.

use std::time::Duration;

use evenwatt::assets::AssetChange;
use serde_json::{Value, json};

use crate::support::TestApp;

/// A location at which assets stand.
async fn depot(app: &TestApp) -> String {
    let body = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.89, 52.37]});
    text(&app.client.post("/locations", body).await.created()["_id"])
}

async fn group(app: &TestApp, location: &str) -> String {
    let body = json!({"name": "G", "maximum_capacity": 50, "location": location});
    text(&app.client.post("/groups", body).await.created()["_id"])
}

/// An asset of a type, with more fields; its path.
async fn asset(app: &TestApp, location: &str, kind: &str, more: Value) -> String {
    let mut body = json!({"name": kind, "type": kind, "location": location});
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let created = app.client.post("/assets", body).await.created();
    format!("/assets/{}", text(&created["_id"]))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn names(answer: &Value) -> Vec<String> {
    let rows = answer["result"].as_array().expect("rows");
    rows.iter().map(|row| text(&row["name"])).collect()
}

async fn events_of_type(app: &TestApp, kind: &str) -> usize {
    let types = app.event_types().await;
    types.iter().filter(|one| *one == kind).count()
}

#[actix_web::test]
async fn an_asset_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let body = json!({
        "name": "Main meter", "type": "Smart Meter", "location": location, "code": "M-1",
        "electric_current_type": "AC three phase", "electric_voltage_type": "line_to_line", "voltage": 400,
        "power_factor": 0.95, "fallback_power": 40, "fluctuation_margin": 1.5,
        "custom_fields": {"cost centre": "4711"}, "meta_data": {"row": 7}
    });
    let created = app.client.post("/assets", body).await.created();
    let path = format!("/assets/{}", text(&created["_id"]));
    assert_eq!(
        (
            &created["type"],
            &created["meter_scope"],
            &created["electric_current_type"]
        ),
        (
            &json!("smart_meter"),
            &json!("site"),
            &json!("AC_three_phase")
        )
    );
    assert_eq!(
        (
            &created["power_factor"],
            &created["fallback_power"],
            &created["coordinates"]
        ),
        (&json!(0.95), &json!(40.0), &json!([4.89, 52.37]))
    );
    assert_eq!(
        (&created["stale"], &created["on"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(app.client.get(&path).await.ok(), created);
    let whole = app
        .client
        .get(&format!("{path}?include_location=true"))
        .await
        .ok();
    assert_eq!(whole["location"]["operatorName"], "Depot");

    let patch = json!({"description": "Cellar", "meter_scope": "building", "coordinates": [4.9, 52.4], "code": null});
    let changed = app.client.patch(&path, patch).await.ok();
    assert_eq!(
        (
            &changed["meter_scope"],
            &changed["coordinates"],
            &changed["code"]
        ),
        (&json!("building"), &json!([4.9, 52.4]), &Value::Null)
    );
    let to_consumer = app
        .client
        .patch(&path, json!({"type": "consumer"}))
        .await
        .ok();
    assert_eq!(to_consumer["meter_scope"], Value::Null);

    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
    let types = app.event_types().await;
    let told: Vec<_> = types
        .iter()
        .filter(|kind| kind.starts_with("asset."))
        .collect();
    assert_eq!(
        told,
        [
            "asset.created",
            "asset.updated",
            "asset.updated",
            "asset.deleted"
        ]
    );
}

#[actix_web::test]
async fn every_fault_of_an_asset_is_named() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let body = json!({
        "type": "windmill", "electric_current_type": "steam", "power_factor": 1.5, "static_power": -1,
        "voltage": 5, "location": "x", "colour": "red"
    });
    let expected = [
        "colour",
        "electric_current_type",
        "location",
        "name",
        "power_factor",
        "static_power",
        "type",
        "voltage",
    ];
    assert_eq!(
        app.client.post("/assets", body).await.faulty_fields(),
        expected
    );

    let consumer = json!({"name": "C", "type": "consumer", "location": location, "meter_scope": "site", "on": true});
    let fields = app.client.post("/assets", consumer).await.faulty_fields();
    assert_eq!(fields, ["meter_scope", "on"]);

    let path = asset(&app, &location, "consumer", json!({})).await;
    let fields = app
        .client
        .patch(&path, json!({"meter_scope": "site", "name": null}))
        .await;
    assert_eq!(fields.faulty_fields(), ["meter_scope", "name"]);
    let fields = app
        .client
        .patch(&path, json!({"location": null}))
        .await
        .faulty_fields();
    assert_eq!(fields, ["location"]);
}

#[actix_web::test]
async fn locations_and_groups_are_the_organizations_own() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    let theirs = json!({"operatorName": "Theirs", "address": {}, "coordinates": [0, 0]});
    let theirs = text(&stranger.post("/locations", theirs).await.created()["_id"]);
    let body = json!({"name": "C", "type": "consumer", "location": theirs});
    assert_eq!(
        app.client.post("/assets", body).await.faulty_fields(),
        ["location"]
    );

    let location = depot(&app).await;
    let their_group = json!({"name": "G", "maximum_capacity": 5, "location": theirs});
    let their_group = text(&stranger.post("/groups", their_group).await.created()["_id"]);
    let path = asset(&app, &location, "consumer", json!({})).await;
    let patch = json!({"group": their_group});
    assert_eq!(
        app.client.patch(&path, patch).await.faulty_fields(),
        ["group"]
    );
}

#[actix_web::test]
async fn locations_and_groups_with_assets_cannot_be_deleted() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let group = group(&app, &location).await;
    let path = asset(&app, &location, "consumer", json!({"group": group})).await;
    let (group, location) = (format!("/groups/{group}"), format!("/locations/{location}"));
    let refused = app.client.delete(&group).await;
    assert_eq!(refused.error(409), "in_use");
    assert!(refused.text.contains("1 asset(s)"), "{}", refused.text);
    app.client.patch(&path, json!({"group": null})).await.ok();
    app.client.delete(&group).await.ok();
    let refused = app.client.delete(&location).await;
    assert_eq!(refused.error(409), "in_use");
    assert!(refused.text.contains("1 asset(s)"), "{}", refused.text);

    let reading = json!({"power": 3});
    app.client
        .post(&format!("{path}/readings"), reading)
        .await
        .created();
    app.client.delete(&path).await.ok();
    app.client.delete(&location).await.ok();
}

#[actix_web::test]
async fn lists_filter_search_sort_and_export() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let group = group(&app, &location).await;
    for (kind, more) in [
        ("smart_meter", json!({"name": "Main meter", "group": group})),
        (
            "producer",
            json!({"name": "Roof, south", "coordinates": [2.35, 48.85]}),
        ),
        (
            "battery",
            json!({"name": "Cellar battery", "code": "BAT-1", "on": true, "active": false}),
        ),
    ] {
        asset(&app, &location, kind, more).await;
    }
    let list = async |query: &str| app.client.get(&format!("/assets?{query}")).await.json();
    let sorted = list("sort_by=name&sort_order=asc").await;
    assert_eq!(
        names(&sorted),
        ["Cellar battery", "Main meter", "Roof, south"]
    );
    assert_eq!(names(&list("type=smart-meter").await), ["Main meter"]);
    assert_eq!(
        names(&list(&format!("group={group}")).await),
        ["Main meter"]
    );
    assert_eq!(
        names(&list(&format!("location={location}&type=producer")).await),
        ["Roof, south"]
    );
    assert_eq!(names(&list("search=bat-").await), ["Cellar battery"]);
    assert_eq!(names(&list("on=true").await), ["Cellar battery"]);
    assert_eq!(names(&list("active=false").await), ["Cellar battery"]);
    let whole = list("include_location=true&type=battery").await;
    assert_eq!(whole["result"][0]["location"]["operatorName"], "Depot");

    let near = list("near=4.9,52.4&radius_km=600&sort_by=createdAt").await;
    assert_eq!(names(&near).last().expect("rows"), "Roof, south");
    assert!(
        near["result"][2]["distance_km"]
            .as_f64()
            .is_some_and(|km| km > 400.0),
        "{near}"
    );
    assert_eq!(names(&list("near=4.9,52.4&radius_km=50").await).len(), 2);
    let features = list("format=geojson&type=producer").await;
    assert_eq!(
        features["features"][0]["geometry"],
        json!({"type": "Point", "coordinates": [2.35, 48.85]})
    );
    let csv = app.client.get("/assets?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(
        csv.text.lines().count() == 4 && csv.text.contains("\"Roof, south\""),
        "{}",
        csv.text
    );
    assert_eq!(
        app.client
            .get("/assets?type=x&colour=y")
            .await
            .faulty_fields(),
        ["colour", "type"]
    );
}

#[actix_web::test]
async fn a_reading_makes_an_asset_fresh_until_none_comes_for_a_minute() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "consumer", json!({})).await;
    let etag = app.client.get(&path).await.headers["etag"].clone();
    let receipt = app
        .client
        .post(
            &format!("{path}/readings"),
            json!({"power": 7.25, "energy": 1000}),
        )
        .await;
    assert_eq!(
        receipt.created(),
        json!({"accepted": 1, "duplicates": 0, "rejected": []})
    );
    app.clock.advance(Duration::from_secs(59));
    let seen = app.client.get(&path).await;
    assert_eq!(
        seen.headers["etag"], etag,
        "a reading does not change the asset"
    );
    let seen = seen.ok();
    assert_eq!(
        (
            &seen["stale"],
            &seen["age_seconds"],
            &seen["interval_seconds"]
        ),
        (&json!(false), &json!(59), &Value::Null)
    );
    assert_eq!(
        (
            &seen["latest_reading"]["power"],
            &seen["latest_reading"]["energy"]
        ),
        (&json!(7.25), &json!(1000))
    );
    assert_eq!(
        names(&app.client.get("/assets?stale=false").await.json()),
        ["consumer"]
    );
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.client.get(&path).await.ok()["stale"], true);
    assert_eq!(
        names(&app.client.get("/assets?stale=true").await.json()),
        ["consumer"]
    );
    assert_eq!(
        names(&app.client.get("/assets?stale=false").await.json()),
        Vec::<String>::new()
    );
}

#[actix_web::test]
async fn the_usual_spacing_of_readings_decides_when_data_is_stale() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "smart_meter", json!({})).await;
    for _ in 0..10 {
        app.clock.advance(Duration::from_secs(40));
        app.client
            .post(&format!("{path}/readings"), json!({"power": 1}))
            .await
            .created();
    }
    assert_eq!(app.client.get(&path).await.ok()["interval_seconds"], 40);
    app.clock.advance(Duration::from_secs(119));
    assert_eq!(app.client.get(&path).await.ok()["stale"], false);
    app.clock.advance(Duration::from_secs(1));
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
    assert_eq!(
        (&receipt["accepted"], &receipt["duplicates"]),
        (&json!(2), &json!(1))
    );
    let rejected: Vec<_> = receipt["rejected"]
        .as_array()
        .expect("rejections")
        .iter()
        .map(|one| {
            (
                one["index"].as_u64().unwrap(),
                text(&one["field"]),
                text(&one["code"]),
            )
        })
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
    assert_eq!(
        rejected,
        expected.map(|(index, field, code)| (index, field.to_owned(), code.to_owned()))
    );

    let again = app
        .client
        .post(
            &readings,
            json!([{"at": "2026-04-24T03:06:00Z", "power": 5}]),
        )
        .await;
    assert_eq!(
        again.ok(),
        json!({"accepted": 0, "duplicates": 1, "rejected": []})
    );

    let late = json!({"at": "2026-04-24T03:05:30Z", "power": 9});
    app.client.post(&readings, late).await.created();
    let seen = app.client.get(&path).await.ok();
    assert_eq!(
        seen["latest_reading"]["power"], 5.0,
        "the latest stays the newest"
    );
    assert_eq!(seen["latest_at"], "2026-04-24T03:06:00.000Z");
    let stored = app.client.get(&readings).await.json();
    let powers: Vec<_> = stored["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["power"].clone())
        .collect();
    assert_eq!(powers, [4.0, 9.0, 5.0]);
}

#[actix_web::test]
async fn a_request_without_a_good_reading_is_refused_with_every_path() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!(
        "{}/readings",
        asset(&app, &location, "consumer", json!({})).await
    );
    let post = async |body: Value| app.client.post(&path, body).await.faulty_fields();
    assert_eq!(post(json!({})).await, ["power"]);
    assert_eq!(
        post(json!({"readings": [{}, {"power": true}]})).await,
        ["readings[0].power", "readings[1].power"]
    );
    assert_eq!(
        post(json!([{"energy": -1, "power": 1}])).await,
        ["[0].energy"]
    );
    assert_eq!(post(json!({"readings": []})).await, ["readings"]);
    assert_eq!(
        post(json!({"readings": [{"power": 1}], "x": 1})).await,
        ["x"]
    );
    assert_eq!(
        post(json!({"readings": vec![json!({"power": 1}); 1001]})).await,
        ["readings"]
    );
    assert_eq!(post(json!(3)).await, [""]);
    assert_eq!(post(json!({"current": [1, 2]})).await, ["current"]);
    assert_eq!(
        post(json!({"current": [1, 2, 3], "voltage": [230, 231]})).await,
        ["voltage"]
    );
    assert_eq!(app.client.get(&path).await.json()["totalDocs"], 0);
}

#[actix_web::test]
async fn currents_become_power_by_voltage_and_power_factor() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let read = async |more: Value, reading: Value| {
        let path = asset(&app, &location, "consumer", more).await;
        app.client
            .post(&format!("{path}/readings"), reading)
            .await
            .created();
        app.client.get(&path).await.ok()["latest_reading"].clone()
    };
    let three = read(
        json!({"power_factor": 0.9}),
        json!({"current": [10, 20, 0]}),
    )
    .await;
    assert_eq!(
        (&three["power"], &three["phase_power"]),
        (&json!(6.21), &json!([2.07, 4.14, 0.0])),
        "at the location's 230 V"
    );
    let line_to_line = json!({"electric_voltage_type": "line_to_line", "voltage": 400});
    let three = read(line_to_line, json!({"current": [10, 10, 10]})).await;
    assert_eq!(
        three["power"], 6.93,
        "3 x 230.94 V x 10 A, rounded up phase by phase"
    );
    let single = json!({"electric_current_type": "AC_single_phase"});
    let one = read(single.clone(), json!({"current": 10, "voltage": 240})).await;
    assert_eq!(
        (&one["power"], &one["voltage"]),
        (&json!(2.4), &json!([240.0, null, null]))
    );
    let one = read(single, json!({"power": 2.3})).await;
    assert_eq!(one["current"], json!([10.0, null, null]));
    let phases = read(
        json!({}),
        json!({"phase_power": [1, 2, -0.5], "power": 2.4}),
    )
    .await;
    assert_eq!(
        (&phases["power"], &phases["phase_power"]),
        (&json!(2.4), &json!([1.0, 2.0, -0.5]))
    );

    let dc = asset(
        &app,
        &location,
        "consumer",
        json!({"electric_current_type": "DC"}),
    )
    .await;
    let refused = app
        .client
        .post(&format!("{dc}/readings"), json!({"current": 10}))
        .await;
    assert_eq!(refused.faulty_fields(), ["voltage"]);
    app.client
        .post(
            &format!("{dc}/readings"),
            json!({"current": 10, "voltage": 400}),
        )
        .await
        .created();
    assert_eq!(
        app.client.get(&dc).await.ok()["latest_reading"]["power"],
        4.0
    );
}

#[actix_web::test]
async fn a_clock_that_runs_ahead_keeps_nothing_fresh() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "producer", json!({})).await;
    let ahead = json!({"at": "2026-04-24T20:00:00Z", "power": 5});
    app.client
        .post(&format!("{path}/readings"), ahead)
        .await
        .created();
    app.clock.advance(Duration::from_secs(60));
    let seen = app.client.get(&path).await.ok();
    assert_eq!(
        (&seen["stale"], &seen["latest_reading"]["at"]),
        (&json!(true), &json!("2026-04-24T20:00:00.000Z"))
    );
    app.client
        .post(&format!("{path}/readings"), json!({"power": 6}))
        .await
        .created();
    assert_eq!(
        app.client.get(&path).await.ok()["latest_reading"]["power"],
        6.0
    );
}

#[actix_web::test]
async fn readings_are_paged_joined_and_exported() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!(
        "{}/readings",
        asset(&app, &location, "smart_meter", json!({})).await
    );
    let reading = |minute: u32, power: i32| json!({"at": format!("2026-04-24T02:{minute:02}:00Z"), "power": power});
    let batch: Vec<Value> = (0..20)
        .map(|minute| reading(minute, 10 - i32::try_from(minute).unwrap()))
        .collect();
    app.client.post(&path, json!(batch)).await.created();
    let page = app
        .client
        .get(&format!("{path}?paginate_limit=8&paginate_page=3"))
        .await
        .json();
    assert_eq!(
        (
            &page["totalDocs"],
            &page["totalPages"],
            &page["hasNextPage"]
        ),
        (&json!(20), &json!(3), &json!(false))
    );
    assert_eq!(page["result"][3]["at"], "2026-04-24T02:19:00.000Z");

    let query = "from=2026-04-24T02:05:00Z&to=2026-04-24T02:15:00Z";
    let spans = app
        .client
        .get(&format!("{path}?{query}&resolution=300"))
        .await
        .json();
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
        ["at,power", "2026-04-24T02:05:00.000Z,5.0"]
    );
    let faulty = app
        .client
        .get(&format!(
            "{path}?resolution=0&paginate_limit=0&paginate_page=0&from=2026-05-01T00:00:00Z"
        ))
        .await;
    assert_eq!(
        faulty.faulty_fields(),
        ["from", "paginate_limit", "paginate_page", "resolution"]
    );
    assert_eq!(
        app.client
            .get(&format!("{path}?format=geojson"))
            .await
            .error(406),
        "not_acceptable"
    );
}

#[actix_web::test]
async fn readings_are_told_of_every_thirty_seconds() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = format!(
        "{}/readings",
        asset(&app, &location, "consumer", json!({})).await
    );
    for _ in 0..7 {
        app.client.post(&path, json!({"power": 1})).await.created();
        app.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(events_of_type(&app, "asset.reading.created").await, 3);
}

#[actix_web::test]
async fn only_a_battery_is_turned_on_and_off() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let battery = asset(&app, &location, "battery", json!({})).await;
    assert_eq!(app.client.get(&battery).await.ok()["on"], false);
    let state = format!("{battery}/state");
    assert_eq!(
        app.client.post(&state, json!({"on": true})).await.ok()["on"],
        true
    );
    assert_eq!(
        app.client.post(&state, json!({"on": true})).await.ok()["on"],
        true
    );
    assert_eq!(app.client.get(&battery).await.ok()["on"], true);
    assert_eq!(
        events_of_type(&app, "asset.state.updated").await,
        1,
        "told only when it changed"
    );
    assert_eq!(
        app.client.post(&state, json!({})).await.faulty_fields(),
        ["on"]
    );
    let producer = asset(&app, &location, "producer", json!({})).await;
    let refused = app
        .client
        .post(&format!("{producer}/state"), json!({"on": true}))
        .await;
    assert_eq!(refused.error(409), "conflict");
    assert!(
        refused.text.contains("this asset is a producer"),
        "{}",
        refused.text
    );
}

#[actix_web::test]
async fn what_power_means_cannot_change_once_there_are_readings() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "smart_meter", json!({})).await;
    app.client
        .post(&format!("{path}/readings"), json!({"power": 1}))
        .await
        .created();
    let patch = async |body: Value| app.client.patch(&path, body).await;
    assert_eq!(
        patch(json!({"type": "producer"})).await.faulty_fields(),
        ["type"]
    );
    assert_eq!(
        patch(json!({"meter_scope": "production"}))
            .await
            .faulty_fields(),
        ["meter_scope"]
    );
    patch(json!({"meter_scope": "building"})).await.ok();
    let changed = patch(json!({"type": "consumer"})).await.ok();
    assert_eq!(
        changed["latest_reading"]["power"], 1.0,
        "a change leaves what was measured"
    );
}

#[actix_web::test]
async fn an_assets_group_hears_what_changed() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let (first, second) = (group(&app, &location).await, group(&app, &location).await);
    let mut signals = app.running.asset_signals.listen();
    let path = asset(&app, &location, "battery", json!({"group": first})).await;
    app.client
        .post(&format!("{path}/readings"), json!({"power": 1}))
        .await
        .created();
    let old = json!({"at": "2026-04-24T00:00:00Z", "power": 1});
    app.client
        .post(&format!("{path}/readings"), old)
        .await
        .created();
    app.client
        .post(&format!("{path}/state"), json!({"on": true}))
        .await
        .ok();
    app.client.patch(&path, json!({"group": second})).await.ok();
    app.client.patch(&path, json!({"group": null})).await.ok();
    app.client.delete(&path).await.ok();
    let mut heard = Vec::new();
    while let Ok(signal) = signals.try_recv() {
        heard.push((signal.group.to_string(), signal.change));
    }
    let expected = [
        (first.clone(), AssetChange::Reconfigured),
        (first.clone(), AssetChange::Read),
        (first.clone(), AssetChange::Switched),
        (second.clone(), AssetChange::Reconfigured),
        (first, AssetChange::Reconfigured),
        (second, AssetChange::Reconfigured),
    ];
    assert_eq!(heard, expected);
}

#[actix_web::test]
async fn lost_updates_and_repeated_requests_are_caught() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "consumer", json!({})).await;
    let stale = app
        .client
        .request(reqwest::Method::PATCH, &path)
        .header("If-Match", "\"1\"");
    let refused = app.client.send(stale.json(&json!({"name": "X"}))).await;
    assert_eq!(refused.error(412), "version_mismatch");
    let push = async || {
        let request = app
            .client
            .request(reqwest::Method::POST, &format!("{path}/readings"));
        app.client
            .send(
                request
                    .header("Idempotency-Key", "r-1")
                    .json(&json!({"power": 1})),
            )
            .await
    };
    assert_eq!(push().await.created(), push().await.created());
    let reader = app.client_with(&["read:assets"]).await;
    reader.get(&path).await.ok();
    assert_eq!(
        reader
            .post(&format!("{path}/readings"), json!({"power": 1}))
            .await
            .error(403),
        "forbidden"
    );
}
