//! What cannot be deleted as long as something needs it: the refusal counts what that is, each kind apart.

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp};

fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

/// What a refused deletion says.
async fn refusal(app: &TestApp, path: &str) -> String {
    let refused: Answer = app.client.delete(path).await;
    assert_eq!(refused.error(409), "in_use");
    refused.json()["message"].as_str().expect("a message").to_owned()
}

#[actix_web::test]
async fn a_location_and_a_group_count_what_is_there() {
    let app = TestApp::start().await;
    let site = json!({"operatorName": "Site", "address": {}, "coordinates": [4.89, 52.37]});
    let location = app.client.post("/locations", site).await.created();
    let station = json!({"name": "S", "location": location["_id"]});
    let station = app.client.post("/chargestations", station).await.created();
    let connectors = format!("/chargestations/{}/connectors", id(&station));
    app.client.post(&connectors, json!({"type": "J1772", "power": 7})).await.created();
    let new = json!({"name": "G", "maximum_capacity": 50, "location": location["_id"]});
    let group = app.client.post("/groups", new.clone()).await.created();
    app.client.post("/groups", new).await.created();
    for name in ["A", "B", "C"] {
        let meter = json!({"name": name, "type": "smart_meter", "location": location["_id"], "group": group["_id"]});
        app.client.post("/assets", meter).await.created();
    }
    let path = format!("/locations/{}", id(&location));
    let said = "The location still has 1 charge station(s), 2 group(s) and 3 asset(s)";
    assert_eq!(refusal(&app, &path).await, said);

    let path = format!("/groups/{}", id(&group));
    let members = format!("{path}/chargestations");
    app.client.post(&members, json!({"chargestation": station["_id"]})).await.created();
    let said = "The group still has 1 charge station(s), 0 group(s) below it and 3 asset(s)";
    assert_eq!(refusal(&app, &path).await, said);
    let elsewhere = json!({"operatorName": "Other", "address": {}, "coordinates": [5.0, 52.0]});
    let elsewhere = app.client.post("/locations", elsewhere).await.created();
    let moved = json!({"location": elsewhere["_id"]});
    let station = format!("/chargestations/{}", id(&station));
    assert_eq!(app.client.patch(&station, moved).await.faulty_fields(), ["location"]);
    let said = "The charge station is in a load-management group; remove it there first";
    assert_eq!(refusal(&app, &station).await, said);
}

#[actix_web::test]
async fn what_a_session_needs_counts_its_sessions() {
    let app = TestApp::start().await;
    let user = app.client.post("/users", json!({"firstname": "Ada", "lastname": "Lovelace"})).await.created();
    let mut tokens = Vec::new();
    for number in ["A1", "A2", "A3"] {
        let token = json!({"physicalId": number, "user": user["_id"]});
        tokens.push(app.client.post("/tokens", token).await.created());
    }
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for (tag, start, end) in [("A1", "03:00", "03:05"), ("A2", "03:06", "03:10")] {
        let transaction = socket.start(1, tag, 0, &format!("2026-04-24T{start}:00Z")).await;
        let closed = app.client.patch(&station.path, json!({"active": false})).await;
        assert_eq!(closed.error(409), "conflict");
        let end = format!("2026-04-24T{end}:00Z");
        let stop = json!({"transactionId": transaction, "meterStop": 100, "timestamp": end});
        socket.call("StopTransaction", stop).await;
    }
    let connector = format!("/connectors/{}", station.connector);
    let said = "The connector has 2 session(s); set active to false instead";
    assert_eq!(refusal(&app, &connector).await, said);
    let said = "The charge station has 2 session(s); set operational_status to Closed instead";
    assert_eq!(refusal(&app, &station.path).await, said);
    let [first, _, unused] = tokens.as_slice() else { panic!("three tokens") };
    let said = "The token still has 1 session(s); set status to blocked instead";
    assert_eq!(refusal(&app, &format!("/tokens/{}", id(first))).await, said);
    let path = format!("/users/{}", id(&user));
    let said = "The user still has 3 token(s), 2 session(s) and 0 group(s); set active to false instead";
    assert_eq!(refusal(&app, &path).await, said);
    app.client.delete(&format!("/tokens/{}", id(unused))).await.ok();
    app.client.patch(&station.path, json!({"active": false})).await.ok();
}

#[actix_web::test]
async fn a_favorite_is_a_station_of_the_organization() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let named = |favorites: Value| json!({"firstname": "A", "lastname": "B", "favorite_chargestations": favorites});
    let unknown = json!([station.id, "650000000000000000000001"]);
    let refused = app.client.post("/users", named(unknown.clone())).await;
    assert_eq!(refused.faulty_fields(), ["favorite_chargestations[1]"]);
    let user = app.client.post("/users", named(json!([station.id]))).await.created();
    let path = format!("/users/{}", id(&user));
    let patch = json!({"favorite_chargestations": unknown});
    assert_eq!(app.client.patch(&path, patch).await.faulty_fields(), ["favorite_chargestations[1]"]);
}
