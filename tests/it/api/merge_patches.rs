//! A PATCH is merged into what is there, nested objects with it (RFC 7396): of each kind of resource what stays, what goes, what is
//! replaced, and what is refused.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

/// Whether an object has these members, and none of those that are null here.
fn has(found: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(wanted) => wanted.iter().all(|(name, value)| has(&found[name.as_str()], value)),
        plain => found == plain,
    }
}

/// What a field becomes with each change, one after the other.
async fn becomes(app: &TestApp, path: &str, field: &str, steps: &[(Value, Value)]) {
    for (said, wanted) in steps {
        let answer = app.client.patch(path, json!({field: said})).await;
        assert!(answer.status.is_success(), "{path} {field} {said}: {}", answer.text);
        let found = app.client.get(path).await.ok()[field].clone();
        assert!(has(&found, wanted), "{path} {field} {said}: {found}, not {wanted}");
        assert_eq!(answer.json()["result"][field], found, "{path}");
    }
}

/// The free data of every resource that has some.
async fn data_is_merged(app: &TestApp, path: &str) {
    let steps = [
        (json!({"a": 1, "b": {"c": 2, "d": [3, 4]}}), json!({"a": 1, "b": {"c": 2, "d": [3, 4]}})),
        (json!({"b": {"c": null, "d": [5]}}), json!({"a": 1, "b": {"c": null, "d": [5]}})),
        (json!({"a": null, "e": {"f": null}}), json!({"a": null, "b": {"d": [5]}, "e": {"f": null}})),
        (Value::Null, json!({"b": null, "e": null})),
    ];
    becomes(app, path, "meta_data", &steps).await;
    let field = app.client.get(path).await.ok()["meta_data"].clone();
    assert_eq!(field, json!({}), "{path}: no null is kept");
}

async fn texts_are_merged(app: &TestApp, path: &str) {
    let steps = [
        (json!({"a": "x", "b": "y"}), json!({"a": "x", "b": "y"})),
        (json!({"b": null, "c": "z"}), json!({"a": "x", "b": null, "c": "z"})),
    ];
    becomes(app, path, "custom_fields", &steps).await;
    is_refused(app, path, json!({"custom_fields": {"a": 7}}), "custom_fields.a").await;
}

async fn is_refused(app: &TestApp, path: &str, change: Value, field: &str) {
    assert_eq!(app.client.patch(path, change).await.faulty_fields(), [field], "{path}");
}

async fn made(app: &TestApp, path: &str, body: Value) -> String {
    let made = app.client.post(path, body).await.created();
    format!("{path}/{}", made["_id"].as_str().expect("an id"))
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().expect("an id")
}

fn place() -> Value {
    json!({"operatorName": "Depot", "coordinates": [4.9, 52.4], "address": {
        "streetAndNumber": "Havenweg 1", "postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"}})
}

#[actix_web::test]
async fn places_are_merged() {
    let app = TestApp::start().await;
    let path = made(&app, "/locations", place()).await;
    let steps = [
        (json!({"city": "Delft"}), json!({"city": "Delft", "streetAndNumber": "Havenweg 1", "country": "NL"})),
        (json!({"postalCode": null}), json!({"city": "Delft", "postalCode": null, "country": "NL"})),
    ];
    becomes(&app, &path, "address", &steps).await;
    is_refused(&app, &path, json!({"address": {"country": "Nowhere"}}), "address.country").await;
    is_refused(&app, &path, json!({"address": {"town": "Delft"}}), "address.town").await;
    let open = json!([{"startTime": "08:00", "endTime": "20:00"}]);
    let steps = [
        (json!({"1": open, "2": open}), json!({"1": open, "2": open})),
        (json!({"2": null, "3": open}), json!({"1": open, "2": null, "3": open})),
    ];
    becomes(&app, &path, "openingHours", &steps).await;
    texts_are_merged(&app, &path).await;
    data_is_merged(&app, &path).await;
}

#[actix_web::test]
async fn stations_connectors_and_evses_are_merged() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let steps = [
        (json!({"enabled": true, "trigger_heartbeat": true}), json!({"enabled": true, "trigger_heartbeat": true})),
        (
            json!({"trigger_heartbeat": null, "clear_charging_profiles": true}),
            json!({"enabled": true, "trigger_heartbeat": null, "clear_charging_profiles": true}),
        ),
    ];
    becomes(&app, &station.path, "boot_configuration", &steps).await;
    data_is_merged(&app, &station.path).await;
    let connector = format!("/connectors/{}", station.connector);
    let evse = format!("/evses/{}", app.client.get(&connector).await.ok()["evse"].as_str().expect("an id"));
    for path in [&connector, &evse] {
        texts_are_merged(&app, path).await;
        data_is_merged(&app, path).await;
    }
}

#[actix_web::test]
async fn the_security_of_a_station_keeps_what_is_not_said() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let first = app.client.patch(&station.path, json!({"security": {"type": "basic_auth"}})).await.ok();
    assert!(first["security"]["password"].is_string(), "shown once");
    let steps = [
        (json!({"tls": true}), json!({"type": "basic_auth", "tls": true, "password": null})),
        (json!({"type": "basic_auth"}), json!({"type": "basic_auth", "tls": true})),
        (json!({"tls": null}), json!({"type": "basic_auth", "tls": false})),
    ];
    becomes(&app, &station.path, "security", &steps).await;
    let chosen = json!({"security": {"password": "a-password-of-twenty"}});
    let changed = app.client.patch(&station.path, chosen).await.ok();
    assert_eq!(changed["security"]["password"], "a-password-of-twenty");
    is_refused(&app, &station.path, json!({"security": {"type": null}}), "security.type").await;
    let none = app.client.patch(&station.path, json!({"security": {"type": "none"}})).await.ok();
    assert_eq!(none["security"]["type"], "none");
}

#[actix_web::test]
async fn people_and_what_they_pay_are_merged() {
    let app = TestApp::start().await;
    let user = made(
        &app,
        "/users",
        json!({"firstname": "Ada", "lastname": "Lovelace",
        "phone": {"mobile": "+31 6 12345678"}, "address": {"city": "Delft", "country": "NL"}}),
    );
    let user = user.await;
    let steps = [(json!({"work": "+31 20 1234567"}), json!({"mobile": "+31 6 12345678", "work": "+31 20 1234567"}))];
    becomes(&app, &user, "phone", &steps).await;
    becomes(&app, &user, "address", &[(json!({"city": null}), json!({"city": null, "country": "NL"}))]).await;
    let token = made(&app, "/tokens", json!({"physicalId": "04A2B3C4D5E680", "type": "ISO14443"})).await;
    let prices = json!({"name": "R", "currency": "EUR", "price_components": [{"type": "FLAT", "price": 1}]});
    let rate = made(&app, "/rates", prices).await;
    let hours = json!({"name": "D", "currency": "EUR", "default_rate": id(&rate), "layout": []});
    let schedule = made(&app, "/rates/schedule", hours).await;
    let network = made(&app, "/evse_networks", json!({"name": "City"})).await;
    let offer = made(&app, "/service_offers", json!({"name": "City 2030", "network": id(&network)})).await;
    let template = json!({"name": "T", "protocol": "ocpp1.6",
        "settings": [{"key": "MeterValueSampleInterval", "value": "60"}]});
    let template = made(&app, "/configuration_templates", template).await;
    let quiet = json!({"name": "Quiet", "type": "recurring", "recurrence": "daily", "unit": "current", "evses": [],
        "start_schedule": "2026-01-01T22:00:00Z", "duration_minutes": 480, "periods": [{"start": 0, "limit": 10}]});
    let profile = made(&app, "/charging_profiles", quiet).await;
    let organization = "/organization".to_owned();
    for path in [user, token, rate, schedule, network, offer, template, profile, organization] {
        data_is_merged(&app, &path).await;
    }
}

#[actix_web::test]
async fn groups_and_assets_are_merged() {
    let app = TestApp::start().await;
    let location = made(&app, "/locations", place()).await;
    let group =
        json!({"name": "G", "location": id(&location), "maximum_capacity": 30, "minimum_connector_capacity": 2});
    let group = made(&app, "/load_management/groups", group).await;
    let weekly = json!([{"from": "08:00", "to": "18:00", "maximum_capacity": 20.0}]);
    let days =
        json!([{"from": "2030-01-01T00:00:00.000Z", "to": "2030-01-02T00:00:00.000Z", "maximum_capacity": 10.0}]);
    let steps = [(json!({"weekly": weekly}), json!({})), (json!({"dated": days}), json!({}))];
    becomes(&app, &group, "capacity_schedules", &steps).await;
    let both = app.client.get(&group).await.ok()["capacity_schedules"].clone();
    assert_eq!(
        (both["weekly"][0]["from"].clone(), both["dated"][0]["maximum_capacity"].clone()),
        (json!("08:00"), json!(10.0))
    );
    data_is_merged(&app, &group).await;
    let asset = json!({"name": "A", "type": "consumer", "location": id(&location)});
    let asset = made(&app, "/assets", asset).await;
    texts_are_merged(&app, &asset).await;
    data_is_merged(&app, &asset).await;
}

#[actix_web::test]
async fn the_targets_of_a_session_are_merged() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.start(1, "CARD", 0, "2026-04-24T03:06:40Z").await;
    let sessions = app.client.get("/sessions").await.ok();
    let path = format!("/sessions/{}", sessions[0]["_id"].as_str().expect("an id"));
    let steps = [
        (json!({"energy": 20, "time": 90}), json!({"energy": 20.0, "time": 90.0})),
        (json!({"time": null, "cost": 5}), json!({"energy": 20.0, "time": null, "cost": 5.0})),
        (Value::Null, json!({"energy": null, "cost": null})),
    ];
    becomes(&app, &path, "target", &steps).await;
    data_is_merged(&app, &path).await;
}
