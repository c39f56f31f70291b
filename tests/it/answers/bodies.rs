//! The JSON bodies of all resources, by id and in their lists, beside what is kept of them in `bodies/`.
//!
//! A body that clients would see changed is seen here first. Where that is meant, `EVENWATT_WRITE_BODIES=1 cargo test --test it bodies`
//! writes the files again; what differs is read beside the OpenAPI document before it is committed. Times are those of the test's
//! clock. Ids, and what is drawn by chance, have names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::text;
use crate::api::webhooks::{Endpoint, OWN_NETWORK};
use crate::support::{FakeStation, MailServer, TestApp, WEEK};

/// Where the bodies are kept.
const KEPT: &str = "tests/it/answers/bodies";
/// Set it to write them again.
const WRITE: &str = "EVENWATT_WRITE_BODIES";
/// A card that a token knows.
const CARD: &str = "04A2B3C4D5E680";

/// A site that has one of everything, and what its objects are called in the files.
struct Site {
    app: TestApp,
    /// Texts that differ from run to run, and their names.
    names: Vec<(String, String)>,
    endpoint: Endpoint,
    mail: MailServer,
}

impl Site {
    async fn new() -> Self {
        let mail = MailServer::start().await;
        let options = mail.options();
        let mut options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
        options.extend(OWN_NETWORK);
        let app = TestApp::start_with(&options).await;
        let endpoint = Endpoint::start("200 OK").await;
        let names = vec![
            (endpoint.url.clone(), "<endpoint of the webhook>".to_owned()),
            (app.running.address.to_string(), "<address>".to_owned()),
            (concat!("Evenwatt/", env!("CARGO_PKG_VERSION")).to_owned(), "Evenwatt/<version>".to_owned()),
        ];
        let mut site = Self { app, names, endpoint, mail };
        let keys = site.app.client.get("/api_keys").await.ok();
        site.name(&keys[0]["hint"], "hint");
        site
    }

    /// What a text of an answer is called in the files.
    fn name(&mut self, value: &Value, name: &str) -> String {
        let text = value.as_str().unwrap_or_else(|| panic!("{name}: no text")).to_owned();
        self.names.push((text.clone(), format!("<{name}>")));
        text
    }

    /// Makes an object: its id, which is called so, and the object.
    async fn make(&mut self, name: &str, path: &str, body: Value) -> (String, Value) {
        let made = self.app.client.post(path, body).await.created();
        (self.name(&made["_id"], name), made)
    }

    /// Makes a connector, and answers its id and that of its EVSE.
    async fn connector(&mut self, number: u8, station: &str, body: Value) -> (String, String) {
        let path = format!("/chargestations/{station}/connectors");
        let (id, made) = self.make(&format!("connector {number}"), &path, body).await;
        let evse = self.name(&made["evse"], &format!("EVSE {number}"));
        let shown = self.app.client.get(&format!("/evses/{evse}")).await.ok();
        self.name(&shown["code"], &format!("code of EVSE {number}"));
        (id, evse)
    }

    fn now(&self) -> String {
        self.app.running.context.clock.now().to_string()
    }

    /// A command, and what the station answers to it.
    async fn command(&self, socket: &mut FakeStation, path: &str, body: Value) -> Value {
        let (client, path) = (self.app.client.clone(), path.to_owned());
        let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
        let answer = asked.await.expect("an answer");
        assert!(answer.status.is_success(), "{}", answer.text);
        answer.json()["result"].clone()
    }

    /// A body with names instead of what differs from run to run.
    fn named(&self, value: Value, unknown: &mut Vec<String>) -> Value {
        match value {
            Value::String(text) => {
                let named = self.names.iter().fold(text, |text, (one, name)| text.replace(one, name));
                json!(number_ids(&named, unknown))
            }
            Value::Array(values) => values.into_iter().map(|value| self.named(value, unknown)).collect(),
            Value::Object(fields) => {
                let named = fields.into_iter().map(|(key, value)| {
                    let value = match key.as_str() {
                        // How long it took, and places in the log of all events.
                        "milliseconds" | "cursor" | "next_after" if value.is_u64() => json!("<a number>"),
                        "edrv-signature" => json!("<a signature>"),
                        _ => self.named(value, unknown),
                    };
                    (key, value)
                });
                Value::Object(named.collect())
            }
            plain => plain,
        }
    }
}

/// Ids that nobody gave a name, by when they were first seen in this file.
fn number_ids(text: &str, seen: &mut Vec<String>) -> String {
    let mut numbered = text.to_owned();
    for id in text.split(|letter: char| !letter.is_ascii_hexdigit()).filter(|run| run.len() == 24) {
        if !seen.iter().any(|one| one == id) {
            seen.push(id.to_owned());
        }
        let number = seen.iter().position(|one| one == id).map_or(0, |index| index + 1);
        numbered = numbered.replace(id, &format!("<id:{number}>"));
    }
    numbered
}

/// A documented path with ids in it.
fn filled(documented: &str, ids: &[&str]) -> String {
    let mut ids = ids.iter();
    let parts = documented.split('/').map(|part| match part.starts_with('{') {
        true => *ids.next().expect("an id for each name in the path"),
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The lines in which two texts differ, with what stands around them.
fn difference(kept: &str, found: &str) -> String {
    let (kept, found): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), found.lines().collect());
    // Of the rest of both from here on, how many lines they share at most, in order.
    let mut shared = vec![vec![0_usize; found.len() + 1]; kept.len() + 1];
    for left in (0..kept.len()).rev() {
        for right in (0..found.len()).rev() {
            shared[left][right] = match kept[left] == found[right] {
                true => shared[left + 1][right + 1] + 1,
                false => shared[left + 1][right].max(shared[left][right + 1]),
            };
        }
    }
    let (mut left, mut right, mut lines) = (0, 0, Vec::new());
    while left < kept.len() || right < found.len() {
        if left < kept.len() && right < found.len() && kept[left] == found[right] {
            lines.push((' ', kept[left]));
            (left, right) = (left + 1, right + 1);
        } else if right == found.len() || (left < kept.len() && shared[left + 1][right] >= shared[left][right + 1]) {
            lines.push(('-', kept[left]));
            left += 1;
        } else {
            lines.push(('+', found[right]));
            right += 1;
        }
    }
    let changed: Vec<usize> = (0..lines.len()).filter(|index| lines[*index].0 != ' ').collect();
    let near = |index: usize| changed.iter().any(|at| at.abs_diff(index) <= 2);
    let shown = lines.iter().enumerate().filter(|(index, _)| near(*index));
    shown.map(|(_, (mark, line))| format!("{mark} {line}\n")).collect()
}

/// Compares a body with the file that keeps it, or writes that; what is wrong otherwise. The order of fields does not count:
/// PostgreSQL has one of its own for what it keeps as a document.
fn compare(file: &str, body: &Value) -> Option<String> {
    let name = format!("{KEPT}/{file}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
    let found = format!("{}\n", serde_json::to_string_pretty(body).expect("JSON"));
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(&path, &found).expect("written");
        return None;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let is_same = serde_json::from_str::<Value>(&kept).is_ok_and(|kept| kept == *body);
    (!is_same).then(|| format!("{name} (- kept, + answered)\n{}", difference(&kept, &found)))
}

#[actix_web::test]
async fn bodies_are_as_they_were() {
    let mut site = Site::new().await;
    let place = json!({
        "operatorName": "Depot North", "name": "North", "code": "N1", "notes": "Key at the gate", "directions": "Second left",
        "coordinates": [4.8952, 52.3702], "timezone": "Europe/Amsterdam", "unknown_cards": "refuse",
        "address": {"streetAndNumber": "Havenweg 1", "postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"},
        "openingHours": {"5": [{"startTime": "04:00", "endTime": "20:00"}]},
        "custom_fields": {"cost centre": "4711"}, "meta_data": {"floors": [1, 2.5, null]}
    });
    let (location, _) = site.make("location", "/locations", place).await;
    let person = json!({
        "firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "phone": {"mobile": "+31 6 12345678"},
        "address": {"city": "Amsterdam", "country": "NL"}, "meta_data": {"customer": "C-17"}
    });
    let (user, _) = site.make("user", "/users", person).await;
    let card = json!({"physicalId": CARD, "type": "ISO14443", "user": user, "parent_group": "FLEET",
        "expires_at": "2099-01-01T00:00:00Z"});
    let (token, _) = site.make("token", "/tokens", card).await;
    let prices = json!({"name": "Standard", "currency": "EUR", "minimum_amount": 0.5, "price_components": [
        {"type": "FLAT", "price": 0.35, "tax": 21}, {"type": "ENERGY", "price": 0.39, "tax": 21},
        {"type": "PARKING_TIME", "price": 3, "tax": 21, "grace_period": 0.25, "step_size": 60}]});
    let (rate, _) = site.make("rate", "/rates", prices).await;
    let weekend = json!({"start_time": "08:00", "end_time": "20:00", "day_of_week": ["SATURDAY", "SUNDAY"]});
    let hours = json!({"name": "Day/Night", "currency": "EUR", "default_rate": rate,
        "layout": [{"target": weekend, "rate": rate}]});
    let (schedule, _) = site.make("schedule of rates", "/rates/schedule", hours).await;

    // A station that is there, with a rate on one connector, and one that never was.
    let north = json!({"name": "North 1", "location": location, "protocol": "ocpp1.6", "manufacturer": "Acme",
        "code": "S1", "coordinates": [4.8953, 52.3703]});
    let (station, made) = site.make("station 1", "/chargestations", north).await;
    site.name(&made["endpoint"], "endpoint of station 1");
    let url = text(&made, "connection_url");
    let plug = json!({"name": "Left", "type": "Type2", "format": "CABLE", "power_type": "AC Three Phase", "power": 22,
        "rate": rate, "amperage_limit": 32, "voltage_limit": 230.5, "wattage_limit": 22_080, "phase_rotation": "RST"});
    let (connector, evse) = site.connector(1, &station, plug).await;
    let roaming = json!({"name": "Bay 1", "evse_id": "NL*EWT*E1", "roaming": true});
    site.app.client.patch(&format!("/evses/{evse}"), roaming).await.ok();
    let (kept, bay) = site.connector(2, &station, json!({"type": "Type2", "power": 7.4})).await;
    site.app.client.patch(&format!("/evses/{bay}"), json!({"reservable": true})).await.ok();
    let (away, made) = site.make("station 2", "/chargestations", json!({"name": "North 2"})).await;
    site.name(&made["endpoint"], "endpoint of station 2");
    let (member, _) = site.connector(3, &away, json!({"power": 11})).await;

    let group = json!({"name": "Park3-E1", "description": "East side", "notes": "Behind the gate", "location": location,
        "maximum_capacity": 100, "minimum_connector_capacity": 2.5, "buffer": 0.1});
    let (group, _) = site.make("group", "/load_management/groups", group).await;
    let joins = json!({"chargestation": away,
        "connectors": [{"id": member, "maximum_capacity": 15, "minimum_capacity": 5}]});
    site.make("membership", &format!("/load_management/groups/{group}/chargestations"), joins).await;
    let battery = json!({"name": "Battery in the cellar", "type": "battery", "location": location, "on": false,
        "electric_current_type": "AC_three_phase", "fluctuation_margin": 1.5, "custom_fields": {"cost centre": "4711"}});
    let (asset, _) = site.make("asset", "/assets", battery).await;
    let readings = json!({"readings": [{"at": "2026-04-24T03:05:00Z", "current": [16.2, 15.8, 17.1], "voltage": 231},
        {"power": 12.5, "energy": 1_204_500}]});
    site.app.client.post(&format!("/assets/{asset}/readings"), readings).await.created();

    let wanted = json!({"url": site.endpoint.url, "events": "location.created"});
    let (webhook, _) = site.make("webhook", "/webhooks", wanted).await;
    let south = json!({"operatorName": "Depot South", "coordinates": [0, 0], "address": {}});
    site.make("location 2", "/locations", south).await;
    site.endpoint.receives(1).await;
    let sent = format!("/webhooks/{webhook}/deliveries");
    site.app.eventually(async || site.app.client.get(&sent).await.ok()[0]["status"] == "delivered").await;
    let deliveries = site.app.client.get(&sent).await.ok();
    let delivery = site.name(&deliveries[0]["_id"], "delivery");
    let billing = json!({"name": "Billing service", "scopes": ["read:sessions", "read:locations"],
        "expires_at": "2099-01-01T00:00:00Z"});
    let (key, made) = site.make("API key", "/api_keys", billing).await;
    site.name(&made["hint"], "hint");

    let city = json!({"name": "City centre", "description": "Everything within the ring road"});
    let (network, _) = site.make("network", "/evse_networks", city).await;
    let groups = format!("/evse_networks/{network}/groups");
    let (evses, _) = site.make("group of EVSEs", &groups, json!({"name": "Fast chargers"})).await;
    let assignment = json!({"group": evses, "evses": [evse]});
    site.app.client.post(&format!("/evse_networks/{network}/assignments"), assignment).await.ok();
    let energy = |price: f64| json!({"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": price});
    let parking = json!({"type": "PARKING", "reference_unit": "MINUTE", "price": 0.05, "grace_period": 30,
        "fee_start": "CHARGING_END"});
    let slots = json!([{"start_time": "00:00:00", "end_time": "07:59:59", "tariff": "Night"},
        {"start_time": "08:00:00", "end_time": "23:59:59", "tariff": "Day", "color": "Iceberg"}]);
    let offered = json!({"name": "City centre 2030", "network": network,
        "tariffs": [{"name": "Day", "currency": "EUR", "components": [energy(0.49), parking]},
            {"name": "Night", "currency": "EUR", "components": [energy(0.39)]}],
        "products": [{"group": evses, "currency": "EUR", "time_plans": [{"days_of_week": WEEK, "slots": slots}]}],
        "offer_to_all": true, "valid_from": "2030-01-01T00:00:00Z", "unlimited": true,
        "minimum_term": 30, "cancellation_period": 42, "lead_time": 15});
    let (offer, _) = site.make("service offer", "/service_offers", offered).await;
    site.app.client.post(&format!("/service_offers/{offer}/publish"), json!({})).await.ok();
    let guest = json!({"email": "home@example.com", "firstname": "Grace", "lastname": "Hopper"});
    let (home_user, _) = site.make("home user", "/home_users", guest).await;
    let grace = json!({"email": "grace@example.com", "name": "Grace Hopper", "role": "Operator"});
    let (operator, _) = site.make("operator", "/operators", grace).await;
    site.mail.secret("home@example.com", 1).await;
    let template = json!({"name": "Sample every minute", "priority": 10, "protocol": "ocpp1.6",
        "settings": [{"key": "MeterValueSampleInterval", "value": "60"}]});
    let (template, _) = site.make("template", "/configuration_templates", template).await;
    let quiet = json!({"name": "Quiet nights", "type": "recurring", "recurrence": "daily", "unit": "current", "evses": [],
        "start_schedule": "2026-01-01T22:00:00Z", "duration_minutes": 480, "periods": [{"start": 0, "limit": 10}]});
    let (profile, _) = site.make("charging profile", "/charging_profiles", quiet).await;

    // A car that charges 2.4 kWh in twenty minutes; then a reservation, and a reset.
    site.app.pass(Duration::from_secs(60)).await;
    let mut socket = FakeStation::connect(&url).await;
    socket.boot().await;
    let reported = |status: &str| json!({"connectorId": 1, "errorCode": "NoError", "status": status});
    socket.call("StatusNotification", reported("Preparing")).await;
    let transaction = socket.start(1, CARD, 1_000, &site.now()).await;
    socket.call("StatusNotification", reported("Charging")).await;
    site.app.pass(Duration::from_secs(600)).await;
    let sampled = json!([{"value": "2200", "unit": "Wh"},
        {"value": "7200", "measurand": "Power.Active.Import", "unit": "W"}]);
    let measured = json!({"connectorId": 1, "transactionId": transaction,
        "meterValue": [{"timestamp": site.now(), "sampledValue": sampled}]});
    socket.call("MeterValues", measured).await;
    site.app.pass(Duration::from_secs(600)).await;
    let ended = json!({"transactionId": transaction, "idTag": CARD, "meterStop": 3_400, "timestamp": site.now(),
        "reason": "EVDisconnected"});
    socket.call("StopTransaction", ended).await;
    socket.call("StatusNotification", reported("Available")).await;
    let sessions = site.app.client.get("/sessions").await.ok();
    let session = site.name(&sessions[0]["_id"], "session");
    let wish = json!({"connector": kept, "id_tag": CARD, "duration_minutes": 30});
    let reserved = site.command(&mut socket, "/reservations", wish).await;
    let reservation = site.name(&reserved["_id"], "reservation");
    let reset = format!("/chargestations/{station}/reset");
    let acted = site.command(&mut socket, &reset, json!({"type": "Soft"})).await;
    let action = site.name(&acted["_id"], "action");
    site.app.pass(Duration::from_secs(60)).await;

    let walk: &[(&str, &str, &[&str])] = &[
        ("action", "/actions/{id}", &[&action]),
        ("api_key", "/api_keys/{id}", &[&key]),
        ("asset", "/assets/{id}", &[&asset]),
        ("asset_reading", "/assets/{id}/readings", &[&asset]),
        ("charging_profile", "/charging_profiles/{id}", &[&profile]),
        ("chargestation", "/chargestations/{id}", &[&station]),
        ("configuration_template", "/configuration_templates/{id}", &[&template]),
        ("connector", "/connectors/{id}", &[&connector]),
        ("connector_status", "/connectors/{id}/statuses", &[&connector]),
        ("delivery", "/webhooks/{id}/deliveries/{delivery}", &[&webhook, &delivery]),
        ("event", "/events?type=location.created", &[]),
        ("evse", "/evses/{id}", &[&evse]),
        ("evse_group", "/evse_networks/{id}/groups/{group}", &[&network, &evses]),
        ("evse_network", "/evse_networks/{id}", &[&network]),
        ("group", "/load_management/groups/{id}", &[&group]),
        ("group_member", "/load_management/groups/{id}/chargestations", &[&group]),
        ("home_user", "/home_users/{id}", &[&home_user]),
        ("location", "/locations/{id}", &[&location]),
        ("operator", "/operators/{id}", &[&operator]),
        ("organization", "/organization", &[]),
        ("rate", "/rates/{id}", &[&rate]),
        ("rate_schedule", "/rates/schedule/{id}", &[&schedule]),
        ("reservation", "/reservations/{id}", &[&reservation]),
        ("service_offer", "/service_offers/{id}", &[&offer]),
        ("service_offer_price", "/service_offers/{id}/prices", &[&offer]),
        ("session", "/sessions/{id}", &[&session]),
        ("token", "/tokens/{id}", &[&token]),
        ("user", "/users/{id}", &[&user]),
        ("webhook", "/webhooks/{id}", &[&webhook]),
    ];
    let mut faults = Vec::new();
    for (file, documented, ids) in walk {
        let (parent, last) = documented.rsplit_once('/').expect("a path");
        let body = site.app.client.get(&filled(documented, ids)).await;
        assert!(body.status.is_success(), "{documented}: {}", body.text);
        let mut bodies = json!({documented.to_owned(): body.json()});
        if last.starts_with('{') {
            let listed = site.app.client.get(&filled(parent, ids)).await;
            assert!(listed.status.is_success(), "{parent}: {}", listed.text);
            let mut listed = listed.json();
            let rows = listed["result"].as_array_mut().expect("rows");
            for row in rows.iter_mut().filter(|row| **row == body.json()["result"]) {
                *row = json!("<as by its id>");
            }
            bodies[parent] = listed;
        }
        let found = site.named(bodies, &mut Vec::new());
        faults.extend(compare(file, &found));
    }
    assert!(faults.is_empty(), "\n{}\nIf this is meant: {WRITE}=1 cargo test --test it bodies", faults.join("\n"));

    // A resource that is read by id has its file.
    let document = site.app.client.get_bare("/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths").iter();
    let by_id = paths.filter(|(path, item)| item["get"].is_object() && path.ends_with('}'));
    let by_id: BTreeSet<&str> = by_id.map(|(path, _)| path.trim_start_matches("/v1.1")).collect();
    let walked: BTreeSet<&str> = walk.iter().map(|(_, documented, _)| *documented).collect();
    let with_key = |path: &&&str| {
        !["/portal/", "/driver/", "/account/", "/organizations/"].iter().any(|begin| path.starts_with(begin))
    };
    let missing: Vec<_> = by_id.difference(&walked).filter(with_key).collect();
    assert!(missing.is_empty(), "their bodies are kept nowhere: {missing:?}");
}

#[test]
fn a_difference_shows_what_changed_and_what_stands_around_it() {
    let kept = "a\nb\nc\nd\ne\nf\ng\nh";
    let found = "a\nb\nc\nD\ne\nf\ng\nh\ni";
    assert_eq!(difference(kept, found), "  b\n  c\n- d\n+ D\n  e\n  f\n  g\n  h\n+ i\n");
    assert_eq!(difference(kept, kept), "");
}
