//! Creating, finding, changing, turning on and off, and deleting assets.

use evenwatt::load::assets::AssetChange;
use serde_json::{Value, json};

use super::{asset, depot, events_of_type, group, names, text};
use crate::support::TestApp;

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
        (&created["type"], &created["meter_scope"], &created["electric_current_type"]),
        (&json!("smart_meter"), &json!("site"), &json!("AC_three_phase"))
    );
    assert_eq!(
        (&created["power_factor"], &created["fallback_power"], &created["coordinates"]),
        (&json!(0.95), &json!(40.0), &json!([4.89, 52.37]))
    );
    assert_eq!((&created["stale"], &created["on"]), (&json!(true), &Value::Null));
    assert_eq!(app.client.get(&path).await.ok(), created);
    let whole = app.client.get(&format!("{path}?include_location=true")).await.ok();
    assert_eq!(whole["location"]["operatorName"], "Depot");

    let patch = json!({"description": "Cellar", "meter_scope": "building", "coordinates": [4.9, 52.4], "code": null});
    let changed = app.client.patch(&path, patch).await.ok();
    assert_eq!(
        (&changed["meter_scope"], &changed["coordinates"], &changed["code"]),
        (&json!("building"), &json!([4.9, 52.4]), &Value::Null)
    );
    let to_consumer = app.client.patch(&path, json!({"type": "consumer"})).await.ok();
    assert_eq!(to_consumer["meter_scope"], Value::Null);

    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
    let types = app.event_types().await;
    let recorded: Vec<_> = types.iter().filter(|kind| kind.starts_with("asset.")).collect();
    assert_eq!(recorded, ["asset.created", "asset.updated", "asset.updated", "asset.deleted"]);
}

#[actix_web::test]
async fn every_fault_of_an_asset_is_named() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let body = json!({
        "type": "windmill", "electric_current_type": "steam", "power_factor": 1.5, "static_power": -1,
        "voltage": 5, "location": "x", "colour": "red"
    });
    let expected =
        ["colour", "electric_current_type", "location", "name", "power_factor", "static_power", "type", "voltage"];
    assert_eq!(app.client.post("/assets", body).await.faulty_fields(), expected);

    let consumer = json!({"name": "C", "type": "consumer", "location": location, "meter_scope": "site", "on": true});
    let fields = app.client.post("/assets", consumer).await.faulty_fields();
    assert_eq!(fields, ["meter_scope", "on"]);

    let path = asset(&app, &location, "consumer", json!({})).await;
    let fields = app.client.patch(&path, json!({"meter_scope": "site", "name": null})).await;
    assert_eq!(fields.faulty_fields(), ["meter_scope", "name"]);
    let fields = app.client.patch(&path, json!({"location": null})).await.faulty_fields();
    assert_eq!(fields, ["location"]);
}

#[actix_web::test]
async fn locations_and_groups_are_the_organizations_own() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    let theirs = json!({"operatorName": "Theirs", "address": {}, "coordinates": [0, 0]});
    let theirs = text(&stranger.post("/locations", theirs).await.created()["_id"]);
    let body = json!({"name": "C", "type": "consumer", "location": theirs});
    assert_eq!(app.client.post("/assets", body).await.faulty_fields(), ["location"]);

    let location = depot(&app).await;
    let their_group = json!({"name": "G", "maximum_capacity": 5, "location": theirs});
    let their_group = text(&stranger.post("/groups", their_group).await.created()["_id"]);
    let path = asset(&app, &location, "consumer", json!({})).await;
    let patch = json!({"group": their_group});
    assert_eq!(app.client.patch(&path, patch).await.faulty_fields(), ["group"]);
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
    app.client.post(&format!("{path}/readings"), reading).await.created();
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
        ("producer", json!({"name": "Roof, south", "coordinates": [2.35, 48.85]})),
        ("battery", json!({"name": "Cellar battery", "code": "BAT-1", "on": true, "active": false})),
    ] {
        asset(&app, &location, kind, more).await;
    }
    let list = async |query: &str| app.client.get(&format!("/assets?{query}")).await.json();
    let sorted = list("sort_by=name&sort_order=asc").await;
    assert_eq!(names(&sorted), ["Cellar battery", "Main meter", "Roof, south"]);
    assert_eq!(names(&list("type=smart-meter").await), ["Main meter"]);
    assert_eq!(names(&list(&format!("group={group}")).await), ["Main meter"]);
    assert_eq!(names(&list(&format!("location={location}&type=producer")).await), ["Roof, south"]);
    assert_eq!(names(&list("search=bat-").await), ["Cellar battery"]);
    assert_eq!(names(&list("on=true").await), ["Cellar battery"]);
    assert_eq!(names(&list("active=false").await), ["Cellar battery"]);
    let whole = list("include_location=true&type=battery").await;
    assert_eq!(whole["result"][0]["location"]["operatorName"], "Depot");

    let near = list("near=4.9,52.4&radius_km=600&sort_by=createdAt").await;
    assert_eq!(names(&near).last().expect("rows"), "Roof, south");
    assert!(near["result"][2]["distance_km"].as_f64().is_some_and(|km| km > 400.0), "{near}");
    assert_eq!(names(&list("near=4.9,52.4&radius_km=50").await).len(), 2);
    let features = list("format=geojson&type=producer").await;
    assert_eq!(features["features"][0]["geometry"], json!({"type": "Point", "coordinates": [2.35, 48.85]}));
    let csv = app.client.get("/assets?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.text.lines().count() == 4 && csv.text.contains("\"Roof, south\""), "{}", csv.text);
    assert_eq!(app.client.get("/assets?type=x&colour=y").await.faulty_fields(), ["colour", "type"]);
}

#[actix_web::test]
async fn only_a_battery_is_turned_on_and_off() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let battery = asset(&app, &location, "battery", json!({})).await;
    assert_eq!(app.client.get(&battery).await.ok()["on"], false);
    let state = format!("{battery}/state");
    assert_eq!(app.client.post(&state, json!({"on": true})).await.ok()["on"], true);
    assert_eq!(app.client.post(&state, json!({"on": true})).await.ok()["on"], true);
    assert_eq!(app.client.get(&battery).await.ok()["on"], true);
    assert_eq!(events_of_type(&app, "asset.state.updated").await, 1, "recorded only when it changed");
    assert_eq!(app.client.post(&state, json!({})).await.faulty_fields(), ["on"]);
    let producer = asset(&app, &location, "producer", json!({})).await;
    let refused = app.client.post(&format!("{producer}/state"), json!({"on": true})).await;
    assert_eq!(refused.error(409), "conflict");
    assert!(refused.text.contains("this asset is a producer"), "{}", refused.text);
}

#[actix_web::test]
async fn what_power_means_cannot_change_once_there_are_readings() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let path = asset(&app, &location, "smart_meter", json!({})).await;
    app.client.post(&format!("{path}/readings"), json!({"power": 1})).await.created();
    let patch = async |body: Value| app.client.patch(&path, body).await;
    assert_eq!(patch(json!({"type": "producer"})).await.faulty_fields(), ["type"]);
    assert_eq!(patch(json!({"meter_scope": "production"})).await.faulty_fields(), ["meter_scope"]);
    patch(json!({"meter_scope": "building"})).await.ok();
    let changed = patch(json!({"type": "consumer"})).await.ok();
    assert_eq!(changed["latest_reading"]["power"], 1.0, "a change leaves what was measured");
}

#[actix_web::test]
async fn an_assets_group_hears_what_changed() {
    let app = TestApp::start().await;
    let location = depot(&app).await;
    let (first, second) = (group(&app, &location).await, group(&app, &location).await);
    let mut signals = app.running.asset_signals.listen();
    let path = asset(&app, &location, "battery", json!({"group": first})).await;
    app.client.post(&format!("{path}/readings"), json!({"power": 1})).await.created();
    let old = json!({"at": "2026-04-24T00:00:00Z", "power": 1});
    app.client.post(&format!("{path}/readings"), old).await.created();
    app.client.post(&format!("{path}/state"), json!({"on": true})).await.ok();
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
    let stale = app.client.request(reqwest::Method::PATCH, &path).header("If-Match", "\"1\"");
    let refused = app.client.send(stale.json(&json!({"name": "X"}))).await;
    assert_eq!(refused.error(412), "version_mismatch");
    let push = async || {
        let request = app.client.request(reqwest::Method::POST, &format!("{path}/readings"));
        app.client.send(request.header("Idempotency-Key", "r-1").json(&json!({"power": 1}))).await
    };
    assert_eq!(push().await.created(), push().await.created());
    let reader = app.client_with(&["read:assets"]).await;
    reader.get(&path).await.ok();
    assert_eq!(reader.post(&format!("{path}/readings"), json!({"power": 1})).await.error(403), "forbidden");
}
