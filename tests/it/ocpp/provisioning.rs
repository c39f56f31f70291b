//! What is done with a station once it has settled: in order, once, and written down step by step.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

const SETTLED_AT_ONCE: (&str, &str) = ("EVENWATT_OCPP_SETTLE_SECONDS", "0");

/// Answers the next call and returns its action with the payload.
async fn obey(socket: &mut FakeStation, answer: Value) -> (String, Value) {
    let call = socket.next_call().await;
    socket.answer(&call, answer).await;
    (call[2].as_str().expect("an action").to_owned(), call[3].clone())
}

#[actix_web::test]
async fn a_settled_station_gets_its_boot_configuration_templates_and_a_probe_in_order() {
    let app = TestApp::start_with(&[SETTLED_AT_ONCE]).await;
    let station = app.station("S").await;
    let boot = json!({"boot_configuration": {"enabled": true, "trigger_boot_notification": true,
        "trigger_status_notification": true, "trigger_heartbeat": true, "clear_charging_profiles": true}});
    app.client.patch(&station.path, boot).await.ok();
    for (name, priority, value) in [("Low", 1, "900"), ("High", 5, "60")] {
        let template = json!({"name": name, "priority": priority, "protocol": "ocpp1.6",
            "settings": [{"key": "MeterValueSampleInterval", "value": value}]});
        app.client.post("/configuration_templates", template).await.created();
    }
    let over = json!({"name": "Over", "valid_to": "2026-01-01T00:00:00Z", "settings": [{"key": "X", "value": "1"}]});
    app.client.post("/configuration_templates", over).await.created();

    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    for message in ["BootNotification", "StatusNotification", "Heartbeat"] {
        let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
        assert_eq!((action.as_str(), &payload["requestedMessage"]), ("TriggerMessage", &json!(message)));
    }
    let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
    assert_eq!((action.as_str(), payload), ("ClearChargingProfile", json!({})));
    let key = |value: &str| json!({"configurationKey": [{"key": "MeterValueSampleInterval", "readonly": false, "value": value}]});
    let (action, payload) = obey(&mut socket, key("300")).await;
    assert_eq!((action.as_str(), &payload["key"]), ("GetConfiguration", &json!(["MeterValueSampleInterval"])));
    let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
    assert_eq!((action.as_str(), &payload["value"]), ("ChangeConfiguration", &json!("60")));
    assert_eq!(obey(&mut socket, key("60")).await.0, "GetConfiguration");

    let (action, payload) = obey(
        &mut socket,
        json!({"configurationKey": [
        {"key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "0"},
        {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": "Current, Power"}]}),
    )
    .await;
    assert_eq!((action.as_str(), payload["key"].as_array().map(Vec::len)), ("GetConfiguration", Some(10)));
    obey(&mut socket, json!({"unknownKey": ["SecurityProfile"]})).await;
    let path = format!("{}/capabilities", station.path);
    app.eventually(async || app.client.get(&path).await.ok()["probed_at"].is_string()).await;
    let can = app.client.get(&path).await.ok();
    assert_eq!(
        (&can["max_stack_level"], &can["charging_rate_units"], &can["vendor"]),
        (&json!(0), &json!(["W", "A"]), &json!("Acme"))
    );
    let stored = app.client.get(&format!("{}/configurations", station.path)).await.ok();
    assert_eq!(stored["variables"]["MeterValueSampleInterval"]["value"], "60");

    let log = app.client.get("/actions?sort_order=asc").await.json();
    let kinds: Vec<&str> = log["result"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..4],
        [
            "chargestation.boot_configuration.trigger",
            "chargestation.boot_configuration.trigger",
            "chargestation.boot_configuration.trigger",
            "chargestation.boot_configuration.clear_charging_profiles",
        ]
    );
}

#[actix_web::test]
async fn a_station_in_a_group_keeps_its_limits_and_a_charging_car_is_not_probed() {
    let app = TestApp::start_with(&[SETTLED_AT_ONCE]).await;
    let station = app.station("S").await;
    let boot = json!({"boot_configuration": {"enabled": true, "clear_charging_profiles": true}});
    app.client.patch(&station.path, boot).await.ok();
    let limits = json!({"maximum_capacity": 10});
    app.group_of(&station, limits).await;

    let mut socket = FakeStation::connect(&station.url).await;
    socket.start(1, "CARD", 0, "2026-04-24T03:06:40Z").await;
    socket.boot().await;
    let declined = "/actions?type=chargestation.boot_configuration.clear_charging_profiles";
    app.eventually(async || app.client.get(declined).await.json()["totalDocs"] == 1).await;
    let log = app.client.get(declined).await.json();
    assert_eq!(log["result"][0]["status"], "failed");
    let probe = format!("{}/probe_capabilities", station.path);
    assert_eq!(app.client.post(&probe, json!({})).await.error(409), "conflict");
}

#[actix_web::test]
async fn a_charging_profile_reaches_a_station_that_balancing_does_not_steer() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let evses = app.client.get("/evses").await.json();
    let evse = evses["result"][0]["_id"].clone();
    let wrong = json!({"name": "W", "type": "recurring", "unit": "power", "start_schedule": "2026-04-24T00:00:00Z",
        "periods": [{"start": 5, "limit": 1}], "evses": ["650000000000000000000001"]});
    let faults = app.client.post("/charging_profiles", wrong).await.faulty_fields();
    assert_eq!(faults, ["periods[0].start", "recurrence"]);
    let profile = json!({"name": "Mornings", "type": "recurring", "recurrence": "daily", "unit": "current",
        "start_schedule": "2026-04-23T03:00:00Z", "duration_minutes": 60, "stack_level": 3,
        "periods": [{"start": 0, "limit": 10}, {"start": 1800, "limit": 0}], "evses": [evse]});
    let profile = app.client.post("/charging_profiles", profile).await.created();
    let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
    assert_eq!(action, "SetChargingProfile");
    let sent = &payload["csChargingProfiles"];
    assert_eq!((&sent["stackLevel"], &sent["chargingProfilePurpose"]), (&json!(0), &json!("TxDefaultProfile")));
    // It is 03:06:40: 10 A until 03:30, nothing until 04:00, all of 7 kW until the same time tomorrow.
    let periods = sent["chargingSchedule"]["chargingSchedulePeriod"].as_array().unwrap();
    let reported: Vec<(i64, f64)> =
        periods.iter().map(|one| (one["startPeriod"].as_i64().unwrap(), one["limit"].as_f64().unwrap())).collect();
    assert_eq!(reported, [(0, 10.0), (1400, 0.0), (3200, 30.4), (86_000, 10.0)]);

    // In a group balancing takes over: the schedule is forgotten, and sent again when the station leaves.
    let site = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
    let location = app.client.post("/locations", site).await.created();
    let group = json!({"name": "G", "maximum_capacity": 10, "location": location["_id"]});
    let group = app.client.post("/groups", group).await.created();
    let members = format!("/groups/{}/chargestations", group["_id"].as_str().unwrap());
    app.client.post(&members, json!({"chargestation": station.id})).await.created();
    let forgotten = json!({"id": 50_001});
    loop {
        let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
        if action == "ClearChargingProfile" && payload == forgotten {
            break;
        }
    }
    app.client.delete(&format!("/groups/chargestations/{}", station.id)).await.ok();
    loop {
        let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
        if action == "SetChargingProfile" && payload["csChargingProfiles"]["chargingProfileId"] == 50_001 {
            break;
        }
    }
    let path = format!("/charging_profiles/{}", profile["_id"].as_str().unwrap());
    app.client.delete(&path).await.ok();
    loop {
        let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
        if action == "ClearChargingProfile" && payload == forgotten {
            break;
        }
    }
}

#[actix_web::test]
async fn stations_are_out_of_use_while_their_location_is_closed() {
    let app = TestApp::start_with(&[("EVENWATT_OCPP_HOURS_SECONDS", "1")]).await;
    // It is Friday, 03:06 in UTC.
    let site = json!({"operatorName": "Mall", "address": {}, "coordinates": [4.9, 52.4],
        "openingHours": {"5": [{"startTime": "08:00", "endTime": "20:00"}]}});
    let location = app.client.post("/locations", site).await.created();
    let station = app.station("S").await;
    app.client.patch(&station.path, json!({"location": location["_id"]})).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    app.advance(std::time::Duration::from_secs(1)).await;
    let (action, payload) = obey(&mut socket, json!({"status": "Rejected"})).await;
    assert_eq!((action.as_str(), payload), ("ChangeAvailability", json!({"connectorId": 0, "type": "Inoperative"})));
    let (_, payload) = obey(&mut socket, json!({"status": "Scheduled"})).await; // one by one, where 0 is refused
    assert_eq!(payload, json!({"connectorId": 1, "type": "Inoperative"}));
    app.advance(std::time::Duration::from_secs(5 * 3600)).await;
    let (_, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
    assert_eq!(payload, json!({"connectorId": 0, "type": "Operative"}));
}

#[actix_web::test]
async fn the_local_list_is_made_from_tokens() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    app.db_token("GOOD", "active", None, Some("FLEET")).await;
    app.db_token("LOST", "blocked", None, None).await;
    app.db_token("OLD", "active", Some("2026-01-01T00:00:00Z"), None).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    app.client.post(&format!("{}/send_local_list", station.path), json!({})).await;
    let (action, payload) = obey(&mut socket, json!({"status": "Accepted"})).await;
    assert_eq!((action.as_str(), &payload["updateType"]), ("SendLocalList", &json!("Full")));
    assert_eq!(
        payload["localAuthorizationList"],
        json!([
            {"idTag": "GOOD", "idTagInfo": {"parentIdTag": "FLEET", "status": "Accepted"}},
            {"idTag": "LOST", "idTagInfo": {"status": "Blocked"}},
        ])
    );
}

#[actix_web::test]
async fn several_keys_are_changed_and_each_shows_how_it_went() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let path = format!("{}/configurations", station.path);
    let both = json!({"key": "A", "value": "1", "variables": []});
    assert_eq!(app.client.patch(&path, both).await.faulty_fields(), ["key"]);
    let (client, keys) = (app.client.clone(), ["A", "B", "C"]);
    let several: Vec<Value> = keys.iter().map(|key| json!({"key": key, "value": 1})).collect();
    let asked = actix_web::rt::spawn(async move { client.patch(&path, json!({"variables": several})).await });
    let answers = ["Accepted", "RebootRequired", "NotSupported"];
    for (key, status) in keys.into_iter().zip(answers) {
        let (action, payload) = obey(&mut socket, json!({"status": status})).await;
        assert_eq!((action.as_str(), payload), ("ChangeConfiguration", json!({"key": key, "value": "1"})));
    }
    let reported = asked.await.expect("answered").ok();
    let statuses: Vec<&str> =
        reported["results"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, answers);
}

/// The variables of a call, each known or not.
fn variables(call: &Value, known: &[(&str, &str)]) -> Value {
    let asked = call[3]["getVariableData"].as_array().expect("a list");
    let one = |asked: &Value| {
        let name = asked["variable"]["name"].as_str().expect("a name");
        let mut result = asked.clone();
        match known.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                result["attributeStatus"] = json!("Accepted");
                result["attributeValue"] = json!(value);
            }
            None => result["attributeStatus"] = json!("UnknownVariable"),
        }
        result
    };
    json!({"getVariableResult": asked.iter().map(one).collect::<Vec<_>>()})
}

#[actix_web::test]
async fn templates_and_the_probe_speak_of_variables_where_there_is_a_device_model() {
    let app = TestApp::start_with(&[SETTLED_AT_ONCE]).await;
    let station = app.station("S").await;
    let template = json!({"name": "T", "protocol": "ocpp2.0.1",
        "settings": [{"key": "SampledDataCtrlr.TxUpdatedInterval", "value": "60"}]});
    let path = "/configuration_templates";
    app.client.post(path, template).await.created();
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let mut interval = "300".to_owned();
    let mut asked = Vec::new();
    let path = format!("{}/capabilities", station.path);
    while !app.client.get(&path).await.ok()["probed_at"].is_string() {
        let next = tokio::time::timeout(std::time::Duration::from_millis(50), socket.next_call());
        let Ok(call) = next.await else { continue };
        let answer = match call[2].as_str() {
            Some("GetVariables") => {
                variables(&call, &[("TxUpdatedInterval", &interval), ("RateUnit", "A,W"), ("ProfileStackLevel", "3")])
            }
            Some("SetVariables") => {
                let change = &call[3]["setVariableData"][0];
                interval = change["attributeValue"].as_str().expect("a text").to_owned();
                json!({"setVariableResult": [{"attributeStatus": "Accepted",
                    "component": change["component"], "variable": change["variable"]}]})
            }
            _ => json!({"status": "Accepted"}),
        };
        asked.push(call[2].as_str().expect("an action").to_owned());
        socket.answer(&call, answer).await;
    }
    assert_eq!(interval, "60");
    let set = asked.iter().position(|action| action == "SetVariables");
    assert!(set.is_some_and(|set| asked[set + 1] == "GetVariables"), "read again: {asked:?}");
    let can = app.client.get(&path).await.ok();
    assert_eq!((&can["charging_rate_units"], &can["max_stack_level"]), (&json!(["W", "A"]), &json!(3)));
}
