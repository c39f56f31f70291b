//! Acceptance tests: what a station has to show, a limit that is obeyed, and that nothing of it stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

async fn tests(app: &TestApp, station: &TestStation) -> Value {
    app.client.get(&format!("{}/acceptance_tests", station.path)).await.ok()
}

/// The outcome of each step of the newest test: `name: outcome`.
fn steps(tests: &Value) -> Vec<String> {
    let steps = tests[0]["steps"].as_array().expect("steps").iter();
    steps.map(|step| format!("{}: {}", step["name"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect()
}

async fn start(app: &TestApp, station: &TestStation) -> Value {
    let answer = app.client.post(&format!("{}/acceptance_test", station.path), json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["result"].clone()
}

/// The next call, which must be this one; it gets this answer.
async fn answer(socket: &mut FakeStation, action: &str, payload: Value) -> Value {
    let call = socket.next_call().await;
    assert_eq!(call[2], action, "{call}");
    socket.answer(&call, payload).await;
    call[3].clone()
}

fn schedule(amps: f64) -> Value {
    json!({"status": "Accepted", "connectorId": 1, "chargingSchedule": {"chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}]}})
}

fn power(watts: u32) -> Value {
    json!({"connectorId": 1, "transactionId": 1, "meterValue": [{"timestamp": "2026-04-24T03:06:40Z",
        "sampledValue": [{"measurand": "Power.Active.Import", "value": watts.to_string(), "unit": "W"}]}]})
}

async fn connected(station: &TestStation) -> FakeStation {
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let status = json!({"connectorId": 1, "status": "Available", "errorCode": "NoError"});
    socket.call("StatusNotification", status).await;
    socket
}

/// The socket of a station that is tested, sends nothing of itself and is about to be asked for its limit.
async fn silent_until_asked(app: &TestApp, station: &TestStation) -> FakeStation {
    let mut socket = connected(station).await;
    start(app, station).await;
    answer(&mut socket, "TriggerMessage", json!({"status": "Rejected"})).await;
    app.eventually(async || tests(app, station).await[0]["steps"].as_array().unwrap().len() == 3).await;
    app.advance(Duration::from_secs(30)).await;
    socket
}

#[actix_web::test]
async fn without_a_car_the_station_must_say_that_the_limit_applies() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("{}/acceptance_test", station.path);
    assert_eq!(app.client.post(&path, json!({})).await.error(406), "station_offline");
    let mut socket = connected(&station).await;
    let foreign = json!({"connector": "650000000000000000000001"});
    assert_eq!(app.client.post(&path, foreign).await.faulty_fields(), ["connector"]);

    let begun = start(&app, &station).await;
    assert_eq!((&begun["status"], &begun["connector"]), (&json!("running"), &json!(station.connector)));
    assert_eq!(app.client.post(&path, json!({})).await.error(409), "conflict");
    let asked = answer(&mut socket, "TriggerMessage", json!({"status": "NotImplemented"})).await;
    assert_eq!(asked["requestedMessage"], "MeterValues");
    app.eventually(async || tests(&app, &station).await[0]["steps"].as_array().unwrap().len() == 3).await;
    app.advance(Duration::from_secs(30)).await;
    answer(&mut socket, "GetCompositeSchedule", schedule(32.0)).await;
    let sent = answer(&mut socket, "SetChargingProfile", json!({"status": "Accepted"})).await;
    let profile = &sent["csChargingProfiles"];
    let limits = &profile["chargingSchedule"];
    assert_eq!((&sent["connectorId"], &profile["chargingProfileId"]), (&json!(1), &json!(10_001)));
    // Six amps for three minutes; it begins a minute ago.
    assert_eq!((&limits["chargingSchedulePeriod"][0]["limit"], &limits["duration"]), (&json!(6), &json!(240)));
    answer(&mut socket, "GetCompositeSchedule", schedule(32.0)).await;
    app.advance(Duration::from_secs(5)).await;
    answer(&mut socket, "GetCompositeSchedule", schedule(6.0)).await;
    let cleared = answer(&mut socket, "ClearChargingProfile", json!({"status": "Accepted"})).await;
    assert_eq!(cleared, json!({"id": 10_001}));
    app.eventually(async || tests(&app, &station).await[0]["status"] != "running").await;

    let all = tests(&app, &station).await;
    assert_eq!(
        steps(&all),
        [
            "socket: passed",
            "boot: passed",
            "status: passed",
            "meter: skipped",
            "limit: passed",
            "obeys: passed",
            "removed: passed"
        ]
    );
    let test = &all[0];
    assert_eq!(
        (&test["status"], &test["proof"], &test["limit_left"]),
        (&json!("passed"), &json!("schedule"), &json!(false))
    );
    let kinds = app.event_types().await;
    let of_test: Vec<_> = kinds.iter().filter(|kind| kind.contains("acceptance_test")).collect();
    assert_eq!(of_test, ["chargestation.acceptance_test.started", "chargestation.acceptance_test.ended"]);
    assert_eq!(app.stranger().await.get(&format!("{}/acceptance_tests", station.path)).await.error(404), "not_found");
}

#[actix_web::test]
async fn with_a_car_the_meter_must_follow() {
    for follows in [true, false] {
        let app = TestApp::start().await;
        let station = app.station("S").await;
        app.client.patch("/organization", json!({"unknown_cards": "accept"})).await.ok();
        let mut socket = connected(&station).await;
        socket.start(1, "CARD", 0, "2026-04-24T03:00:00Z").await;
        start(&app, &station).await;
        app.eventually(async || tests(&app, &station).await[0]["steps"].as_array().unwrap().len() == 3).await;
        app.advance(Duration::from_secs(15)).await;
        answer(&mut socket, "TriggerMessage", json!({"status": "Accepted"})).await;
        socket.call("MeterValues", power(6_900)).await;
        answer(&mut socket, "GetCompositeSchedule", json!({"status": "Rejected"})).await;
        let sent = answer(&mut socket, "SetChargingProfile", json!({"status": "Accepted"})).await;
        // Half of what was drawn: 3450 W are 15 A at 230 V.
        let limit = &sent["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"];
        assert_eq!(limit, &json!(15));
        app.eventually(async || tests(&app, &station).await[0]["steps"].as_array().unwrap().len() == 5).await;
        if follows {
            socket.call("MeterValues", power(3_400)).await;
        } else {
            socket.call("MeterValues", power(6_900)).await;
            for _ in 0..5 {
                app.advance(Duration::from_secs(15)).await;
                answer(&mut socket, "TriggerMessage", json!({"status": "Accepted"})).await;
            }
            app.advance(Duration::from_secs(15)).await;
        }
        answer(&mut socket, "ClearChargingProfile", json!({"status": "Accepted"})).await;
        app.eventually(async || tests(&app, &station).await[0]["status"] != "running").await;
        let all = tests(&app, &station).await;
        let expected = match follows {
            true => (json!("passed"), json!("meter")),
            false => (json!("failed"), Value::Null),
        };
        assert_eq!((all[0]["status"].clone(), all[0]["proof"].clone()), expected, "{all:#}");
        let message = all[0]["steps"][5]["message"].as_str().expect("a sentence");
        let said = if follows {
            "The meter showed 3.4 kW 0 s after the limit of 3.45 kW; before it was 6.9 kW"
        } else {
            "The meter still showed 6.9 kW 90 s after the limit of 3.45 kW"
        };
        assert_eq!(message, said);
        assert_eq!(steps(&all)[6], "removed: passed");
    }
}

#[actix_web::test]
async fn a_station_that_joins_a_group_meanwhile_keeps_the_limit_of_balancing() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = silent_until_asked(&app, &station).await;
    answer(&mut socket, "GetCompositeSchedule", schedule(16.0)).await;
    answer(&mut socket, "SetChargingProfile", json!({"status": "Accepted"})).await;
    let asked = socket.next_call().await;
    assert_eq!(asked[2], "GetCompositeSchedule");
    app.group_of(&station, json!({"maximum_capacity": 22})).await;
    socket.answer(&asked, schedule(6.0)).await;
    // Balancing's live limit has the same id: removing it would leave the car without any.
    app.eventually(async || tests(&app, &station).await[0]["status"] == "passed").await;
    let all = tests(&app, &station).await;
    assert_eq!(steps(&all)[6], "removed: skipped", "{all:#}");
    assert_eq!(all[0]["limit_left"], false);
    let cleared = app.client.get("/actions?paginate_enabled=false").await.text;
    assert!(!cleared.contains("connector.clear_power_limit"), "{cleared}");
}

#[actix_web::test]
async fn a_station_of_ocpp_2_is_tested_alike() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let status =
        json!({"timestamp": "2026-04-24T03:06:40Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1});
    socket.call("StatusNotification", status).await;
    start(&app, &station).await;
    answer(&mut socket, "TriggerMessage", json!({"status": "Rejected"})).await;
    app.eventually(async || tests(&app, &station).await[0]["steps"].as_array().unwrap().len() == 3).await;
    app.advance(Duration::from_secs(30)).await;
    let applies = |amps: f64| {
        json!({"status": "Accepted", "schedule": {"evseId": 1, "duration": 60, "scheduleStart": "2026-04-24T03:06:40Z",
            "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}]}})
    };
    answer(&mut socket, "GetCompositeSchedule", applies(16.0)).await;
    let sent = answer(&mut socket, "SetChargingProfile", json!({"status": "Accepted"})).await;
    assert_eq!((&sent["evseId"], &sent["chargingProfile"]["id"]), (&json!(1), &json!(10_001)));
    answer(&mut socket, "GetCompositeSchedule", applies(6.0)).await;
    let cleared = answer(&mut socket, "ClearChargingProfile", json!({"status": "Accepted"})).await;
    assert_eq!(cleared, json!({"chargingProfileId": 10_001}));
    app.eventually(async || tests(&app, &station).await[0]["status"] == "passed").await;
}

#[actix_web::test]
async fn what_a_killed_server_left_is_removed_when_the_station_connects() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = silent_until_asked(&app, &station).await;
    answer(&mut socket, "GetCompositeSchedule", json!({"status": "Rejected"})).await;
    let call = socket.next_call().await;
    assert_eq!(call[2], "SetChargingProfile");
    assert_eq!(tests(&app, &station).await[0]["limit_left"], true, "known before it is sent");
    socket.drop_link().await;
    app.eventually(async || tests(&app, &station).await[0]["status"] == "failed").await;
    assert_eq!(tests(&app, &station).await[0]["limit_left"], true);
    db_goes_on(&app).await;

    let app = app.restart_with(&[]).await;
    let all = tests(&app, &station).await;
    assert_eq!((&all[0]["status"], &all[0]["limit_left"]), (&json!("aborted"), &json!(true)));
    let mut socket = FakeStation::connect(&app.station_url(&station.endpoint)).await;
    let cleared = answer(&mut socket, "ClearChargingProfile", json!({"status": "Unknown"})).await;
    assert_eq!(cleared, json!({"id": 10_001}));
    app.eventually(async || tests(&app, &station).await[0]["limit_left"] == false).await;
    start(&app, &station).await;
}

/// As a server leaves it that is killed.
async fn db_goes_on(app: &TestApp) {
    use diesel::prelude::*;
    use evenwatt::store::schema::acceptance_tests;
    let set = app.running.context.db.write(|conn| {
        diesel::update(acceptance_tests::table)
            .set(acceptance_tests::status.eq("running"))
            .execute(conn)
            .map_err(evenwatt::store::StoreError::from)
    });
    set.await.expect("stored");
}
