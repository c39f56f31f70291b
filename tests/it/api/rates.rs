//! Rates over HTTP, and what sessions cost under them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

async fn rate(app: &TestApp, name: &str, components: Value) -> Value {
    let new = json!({"name": name, "currency": "EUR", "price_components": components});
    app.client.post("/rates", new).await.created()
}

async fn attach(app: &TestApp, station: &TestStation, rate: &Value) -> Value {
    let patch = json!({"rate": rate["_id"]});
    let connector = format!("/connectors/{}", station.connector);
    app.client.patch(&connector, patch).await.ok()
}

/// Meter values of 1.6: the register in Wh and the power in W.
async fn meter(socket: &mut FakeStation, transaction: i64, at: &str, energy: i64, power: i64) {
    let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [{"timestamp": at, "sampledValue": [
        {"value": energy.to_string(), "unit": "Wh"},
        {"value": power.to_string(), "measurand": "Power.Active.Import", "unit": "W"}]}]});
    socket.call("MeterValues", values).await;
}

async fn only_session(app: &TestApp) -> Value {
    app.client.get("/sessions").await.json()["result"][0].clone()
}

#[actix_web::test]
async fn a_rate_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let new = json!({"name": "Standard", "currency": "eur", "minimum_amount": 0.5, "price_components": [
        {"type": "FLAT", "price": 0.35, "tax": 21},
        {"type": "parking time", "price": 3, "grace_period": 0.25, "step_size": 60}]});
    let created = app.client.post("/rates", new).await.created();
    assert_eq!(
        (&created["currency"], &created["version"], &created["active"]),
        (&json!("EUR"), &json!(1), &json!(true))
    );
    assert_eq!(
        created["price_components"],
        json!([{"type": "FLAT", "price": 0.35, "tax": 21},
            {"type": "PARKING_TIME", "price": 3, "grace_period": 0.25, "step_size": 60}])
    );
    let path = format!("/rates/{}", id(&created));
    assert_eq!(app.client.get(&path).await.ok(), created);
    let found = app.client.get("/rates?search=stand&currency=eur").await.json();
    assert_eq!(found["totalDocs"], 1);
    let changed = app.client.patch(&path, json!({"minimum_amount": null})).await.ok();
    assert_eq!((&changed["minimum_amount"], &changed["version"]), (&Value::Null, &json!(2)));
    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
}

#[actix_web::test]
async fn wrong_rates_are_refused_by_field() {
    let app = TestApp::start().await;
    let wrong = json!({"name": "X", "currency": "EURO", "price_components": [
        {"type": "ENERGY", "price": -1}, {"type": "GAS", "price": 1}, {"type": "TIME", "price": 1, "tax": 101}]});
    assert_eq!(
        app.client.post("/rates", wrong).await.faulty_fields(),
        ["currency", "price_components[0].price", "price_components[1].type", "price_components[2].tax"]
    );
    let wrong = json!({"name": "X", "currency": "EUR", "price_components": [
        {"type": "ENERGY", "price": 1, "grace_period": 1}, {"type": "ENERGY", "price": 1, "step_size": 0}]});
    assert_eq!(
        app.client.post("/rates", wrong).await.faulty_fields(),
        ["price_components[0].grace_period", "price_components[1].step_size", "price_components[1].type"]
    );
    let station = app.station("S").await;
    let unknown = json!({"_id": "650000000000000000000001"});
    let patch = json!({"rate": unknown["_id"]});
    let connector = format!("/connectors/{}", station.connector);
    assert_eq!(app.client.patch(&connector, patch).await.faulty_fields(), ["rate"]);
}

#[actix_web::test]
async fn a_connector_shows_its_whole_rate_which_cannot_be_deleted_then() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let rate = rate(&app, "R", json!([{"type": "ENERGY", "price": 0.1}])).await;
    assert_eq!(attach(&app, &station, &rate).await["rate"], rate);
    let whole = app.client.get(&station.path).await.ok();
    assert_eq!(whole["connectors"][0]["rate"], rate);
    let path = format!("/rates/{}", id(&rate));
    assert_eq!(app.client.delete(&path).await.error(409), "in_use");
    let connector = format!("/connectors/{}", station.connector);
    let bare = app.client.patch(&connector, json!({"rate": null})).await.ok();
    assert_eq!(bare["rate"], Value::Null);
    app.client.delete(&path).await.ok();
}

#[actix_web::test]
async fn a_location_finds_the_rates_that_hold_there_and_a_rate_its_connectors() {
    let app = TestApp::start().await;
    let [here, there] = [app.station("Here").await, app.station("There").await];
    let (mut place, mut elsewhere) = (Value::Null, Value::Null);
    for (station, location) in [(&here, &mut place), (&there, &mut elsewhere)] {
        let site = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
        *location = app.client.post("/locations", site).await.created()["_id"].clone();
        app.client.patch(&station.path, json!({"location": location})).await.ok();
    }
    let day = rate(&app, "Day", json!([{"type": "ENERGY", "price": 0.4}])).await;
    let night = rate(&app, "Night", json!([{"type": "ENERGY", "price": 0.2}])).await;
    let schedule = json!({"name": "Day/Night", "currency": "EUR", "default_rate": night["_id"], "layout": []});
    let schedule = app.client.post("/rates/schedule", schedule).await.created();
    attach(&app, &here, &day).await;
    attach(&app, &there, &schedule).await;

    let found = async |list: &str, location: &Value| -> Vec<Value> {
        let path = format!("{list}location={}", location.as_str().expect("an id"));
        let list = app.client.get(&path).await.json();
        list["result"].as_array().expect("rows").iter().map(|row| row["_id"].clone()).collect()
    };
    assert_eq!(found("/rates?", &place).await, [day["_id"].clone()]);
    assert_eq!(found("/rates?", &elsewhere).await, [""; 0], "the rates of a schedule are in its layout");
    assert_eq!(found("/rates/schedule?", &place).await, [""; 0]);
    assert_eq!(found("/rates/schedule?", &elsewhere).await, [schedule["_id"].clone()]);
    assert_eq!(found(&format!("/connectors?rate={}&", id(&day)), &place).await, [here.connector.as_str()]);
    assert_eq!(found(&format!("/connectors?rate={}&", id(&day)), &elsewhere).await, [""; 0]);
    let path = format!("/rates?location={}", place.as_str().expect("an id"));
    assert_eq!(app.stranger().await.get(&path).await.json()["totalDocs"], 0);
}

#[actix_web::test]
async fn edrvs_schedule_embeds_its_rates_and_keeps_their_currency() {
    let app = TestApp::start().await;
    let day = rate(&app, "Day", json!([{"type": "ENERGY", "price": 0.4}])).await;
    let night = rate(&app, "Night", json!([{"type": "ENERGY", "price": 0.2}])).await;
    let target = json!({"start_time": "08:00", "end_time": "20:00", "day_of_week": ["SATURDAY", "SUNDAY"]});
    let mut new = json!({"active": true, "name": "Day/Night", "description": "", "currency": "EUR",
        "default_rate": night["_id"], "layout": [{"target": target, "rate": day["_id"]}]});
    let schedule = app.client.post("/rates/schedule", new.clone()).await.created();
    assert_eq!(schedule["layout"][0]["rate"], day);
    assert_eq!(schedule["layout"][0]["target"]["day_of_week"], json!(["SUNDAY", "SATURDAY"]));
    let path = format!("/rates/schedule/{}", id(&schedule));
    assert_eq!(app.client.get(&path).await.ok(), schedule);
    let list = app.client.get("/rates/schedule").await.json();
    assert_eq!(list["result"][0], schedule);

    new["currency"] = json!("USD");
    new["layout"][0]["rate"] = json!("650000000000000000000001");
    assert_eq!(app.client.post("/rates/schedule", new).await.faulty_fields(), ["default_rate", "layout[0].rate"]);
    let used = format!("/rates/{}", id(&day));
    assert_eq!(app.client.delete(&used).await.error(409), "in_use");
    let dollars = json!({"currency": "USD"});
    assert_eq!(app.client.patch(&used, dollars).await.error(409), "conflict");

    let station = app.station("S").await;
    assert_eq!(attach(&app, &station, &schedule).await["rate"], schedule);
    assert_eq!(app.client.delete(&path).await.error(409), "in_use");
}

#[actix_web::test]
async fn a_session_shows_what_it_costs_and_keeps_the_prices_it_began_with() {
    let app = TestApp::start().await;
    let station = app.station_with("S", json!({"type": "Type2", "power": 22})).await;
    let components = json!([{"type": "FLAT", "price": 0.5, "tax": 20}, {"type": "ENERGY", "price": 0.25, "tax": 10},
        {"type": "PARKING_TIME", "price": 2, "tax": 20}]);
    let rate = rate(&app, "Standard", components).await;
    attach(&app, &station, &rate).await;
    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 1_000, "2026-04-23T03:00:00Z").await;
    let started = only_session(&app).await;
    assert_eq!(
        (&started["rate"], &started["rate_version"], &started["cost"]["amount"]),
        (&rate["_id"], &json!(1), &json!(0.6))
    );

    // The price doubles while the car charges: this session keeps its own.
    let path = format!("/rates/{}", id(&rate));
    let dearer = json!({"price_components": [{"type": "ENERGY", "price": 0.5}]});
    assert_eq!(app.client.patch(&path, dearer).await.ok()["version"], 2);

    // 10 kWh in an hour: 0.50 + 2.50, and 0.10 + 0.25 of tax.
    meter(&mut socket, transaction, "2026-04-23T04:00:00Z", 11_000, 0).await;
    let running = only_session(&app).await;
    assert_eq!((&running["status"], &running["cost"]["amount"]), (&json!("started"), &json!(3.35)));

    // Half an hour more without drawing anything: 1.00 and 0.20 of tax.
    let stop = json!({"transactionId": transaction, "meterStop": 11_000, "timestamp": "2026-04-23T04:30:00Z"});
    socket.call("StopTransaction", stop).await;
    let ended = only_session(&app).await;
    let cost = &ended["cost"];
    assert_eq!(
        (&cost["amount"], &cost["before_tax"], &cost["total_tax"], &cost["currency"]),
        (&json!(4.55), &json!(4), &json!(0.55), &json!("EUR"))
    );
    assert_eq!(
        cost["breakdown"][1],
        json!({"type": "ENERGY", "period": {"startTime": "2026-04-23T03:00:00.000Z", "endTime": "2026-04-23T04:00:00.000Z"},
            "rateName": "Standard", "quantity": 10, "unit": "kWh", "unitPrice": 0.25, "beforeTax": 2.5, "tax": 10,
            "totalTax": 0.25, "totalCost": 2.75})
    );
    assert_eq!(ended["rate_version"], 1);

    // The next session has the new price.
    let next = socket.start(1, "TAG", 11_000, "2026-04-23T05:00:00Z").await;
    let stop = json!({"transactionId": next, "meterStop": 13_000, "timestamp": "2026-04-23T05:30:00Z"});
    socket.call("StopTransaction", stop).await;
    let newest = app.client.get("/sessions?sort_by=chargingStart").await.json()["result"][0].clone();
    assert_eq!((&newest["cost"]["amount"], &newest["rate_version"]), (&json!(1), &json!(2)));
}

#[actix_web::test]
async fn a_schedule_follows_the_clocks_of_the_location_and_the_custom_fields() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let site =
        json!({"operatorName": "Mine", "address": {}, "coordinates": [4.9, 52.4], "timezone": "Europe/Amsterdam"});
    let site = app.client.post("/locations", site).await.created();
    app.client.patch(&station.path, json!({"location": site["_id"]})).await.ok();
    let evses = app.client.get("/evses").await.json();
    let evse = format!("/evses/{}", id(&evses["result"][0]));
    let fields = json!({"custom_fields": {"category": "city"}});
    app.client.patch(&evse, fields).await.ok();
    let plain = rate(&app, "Plain", json!([{"type": "ENERGY", "price": 0.2}])).await;
    let day = rate(&app, "Day in the city", json!([{"type": "ENERGY", "price": 0.4}])).await;
    let suburb = rate(&app, "Suburb", json!([{"type": "ENERGY", "price": 9}])).await;
    let layout = json!([
        {"target": {"custom_fields": {"category": "suburb"}}, "rate": suburb["_id"]},
        {"target": {"start_time": "06:00", "end_time": "20:00", "custom_fields": {"category": "city"}}, "rate": day["_id"]}]);
    let schedule = json!({"name": "By place", "currency": "EUR", "default_rate": plain["_id"], "layout": layout});
    let schedule = app.client.post("/rates/schedule", schedule).await.created();
    attach(&app, &station, &schedule).await;

    // 05:30 to 06:30 in Amsterdam, 4 kWh: 2 at 0.20 and 2 at 0.40.
    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 0, "2026-04-23T03:30:00Z").await;
    let stop = json!({"transactionId": transaction, "meterStop": 4_000, "timestamp": "2026-04-23T04:30:00Z"});
    socket.call("StopTransaction", stop).await;
    let cost = only_session(&app).await["cost"].clone();
    assert_eq!(cost["amount"], 1.2);
    let names: Vec<_> = (0..2).map(|i| &cost["breakdown"][i]["rateName"]).collect();
    assert_eq!(names, ["Plain", "Day in the city"]);
}

#[actix_web::test]
async fn a_target_by_cost_stops_the_session() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let rate = rate(&app, "R", json!([{"type": "ENERGY", "price": 0.5}])).await;
    attach(&app, &station, &rate).await;
    let mut socket = FakeStation::connect(&station.url).await;
    let new = json!({"connector": station.connector, "target": {"cost": 2}});
    let session = app.client.post("/sessions", new).await.created();
    assert_eq!(session["rate"], rate["_id"]);
    let call = socket.next_call().await;
    assert_eq!(call[2], "RemoteStartTransaction");
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let tag = call[3]["idTag"].as_str().expect("a tag").to_owned();
    let transaction = socket.start(1, &tag, 0, "2026-04-23T03:00:00Z").await;
    meter(&mut socket, transaction, "2026-04-23T03:30:00Z", 3_990, 7_000).await;
    app.pass(Duration::from_secs(1)).await; // computed with every reading, not only when reported
    meter(&mut socket, transaction, "2026-04-23T03:31:00Z", 4_000, 7_000).await;
    let stop = socket.next_call().await;
    assert_eq!((&stop[2], &stop[3]["transactionId"]), (&json!("RemoteStopTransaction"), &json!(transaction)));
}
