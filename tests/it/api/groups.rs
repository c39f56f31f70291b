//! Load-management groups: eDRV's "Manage Groups" to the letter, and its edges.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn location(app: &TestApp) -> Value {
    let site = json!({"operatorName": "Airport", "address": {}, "coordinates": [4.76, 52.31]});
    app.client.post("/locations", site).await.created()["_id"].clone()
}

/// The body of eDRV's own sample.
fn sample(location: &Value) -> Value {
    json!({
        "name": "Park3-E1",
        "description": "Airport Parking Floor 3 - East Side",
        "notes": "Supports 100kW peak power demand. Recommend a 10% buffer",
        "maximum_capacity": 100,
        "minimum_connector_capacity": 2.5,
        "buffer": 0.10,
        "location": location
    })
}

#[actix_web::test]
async fn edrvs_samples_work_under_both_paths() {
    let app = TestApp::start().await;
    let location = location(&app).await;
    let group = app.client.post("/groups", sample(&location)).await.created();
    assert_eq!((&group["maximum_capacity"], &group["buffer"]), (&json!(100.0), &json!(0.1)));
    let id = group["_id"].as_str().expect("result._id");

    let station = app.station("S").await;
    let body = json!({"connectors": [{"id": station.connector, "maximum_capacity": 15, "minimum_capacity": 5}],
        "chargestation": station.id});
    let added = app.client.post(&format!("/load_management/groups/{id}/chargestations"), body).await.created();
    assert!(added["_id"].is_string());
    assert_eq!(
        added["connectors"][0],
        json!({"id": station.connector, "maximum_capacity": 15.0, "minimum_capacity": 5.0, "priority": 1})
    );

    let one = app.client.get(&format!("/load_management/groups/{id}")).await.ok();
    assert_eq!((&one["_id"], &one["chargestations"][0]), (&json!(id), &added));
    for path in ["/load_management/groups", "/groups"] {
        let all = app.client.get(path).await.json();
        assert_eq!((&all["ok"], &all["result"][0]["_id"]), (&json!(true), &json!(id)));
    }
    let removed = app.client.delete(&format!("/load_management/groups/chargestations/{}", station.id)).await.ok();
    assert_eq!(removed["_id"], added["_id"]);
    app.client.delete(&format!("/groups/{id}")).await.ok();
}

#[actix_web::test]
async fn wrong_groups_are_refused_by_field() {
    let app = TestApp::start().await;
    let location = location(&app).await;
    let wrong = json!({"name": "", "maximum_capacity": "100", "buffer": 10, "location": "x", "colour": 1});
    let fields = app.client.post("/groups", wrong).await.faulty_fields();
    assert_eq!(fields, ["buffer", "colour", "location", "maximum_capacity", "name"]);
    let mut tight = sample(&location);
    tight["minimum_connector_capacity"] = json!(95);
    assert_eq!(app.client.post("/groups", tight).await.faulty_fields(), ["minimum_connector_capacity"]);
    let nowhere = json!({"name": "G", "maximum_capacity": 1, "location": "650000000000000000000001"});
    assert_eq!(app.client.post("/groups", nowhere).await.faulty_fields(), ["location"]);
}

#[actix_web::test]
async fn a_station_is_in_one_group_and_its_members_are_checked() {
    let app = TestApp::start().await;
    let location = location(&app).await;
    let first = app.client.post("/groups", sample(&location)).await.created();
    let second = app.client.post("/groups", sample(&location)).await.created();
    let path = |group: &Value| format!("/groups/{}/chargestations", group["_id"].as_str().unwrap());
    let station = app.station("S").await;
    let other = app.station("T").await;
    let wrong = json!({"chargestation": station.id, "connectors": [
        {"id": other.connector}, {"id": station.connector, "maximum_capacity": 2, "minimum_capacity": 5}]});
    let fields = app.client.post(&path(&first), wrong).await.faulty_fields();
    assert_eq!(fields, ["connectors[0].id", "connectors[1].maximum_capacity"]);

    app.client.post(&path(&first), json!({"chargestation": station.id})).await.created();
    assert_eq!(app.client.post(&path(&second), json!({"chargestation": station.id})).await.error(409), "conflict");
    let own = format!("/groups/chargestations/{}", station.id);
    let patch = json!({"connectors": [{"id": station.connector, "maximum_capacity": 11, "priority": 3}]});
    assert_eq!(app.client.patch(&own, patch).await.ok()["connectors"][0]["priority"], 3);
    assert_eq!(app.client.delete(&format!("/groups/{}", first["_id"].as_str().unwrap())).await.error(409), "in_use");
    assert_eq!(app.client.delete(&station.path).await.error(409), "in_use");
    app.client.delete(&own).await.ok();
    assert_eq!(app.client.delete(&own).await.error(404), "not_found");
}

#[actix_web::test]
async fn groups_nest_without_circles() {
    let app = TestApp::start().await;
    let location = location(&app).await;
    let root = app.client.post("/groups", sample(&location)).await.created();
    let mut below = sample(&location);
    below["parent"] = root["_id"].clone();
    let child = app.client.post("/groups", below).await.created();
    let path = format!("/groups/{}", root["_id"].as_str().unwrap());
    assert_eq!(app.client.patch(&path, json!({"parent": child["_id"]})).await.faulty_fields(), ["parent"]);
    assert_eq!(app.client.delete(&path).await.error(409), "in_use");
}
