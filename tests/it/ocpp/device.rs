//! What only stations with a device model know: reports that follow an answer, monitors, messages, costs, what cars mean to
//! draw.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp, TestStation};

async fn connected(protocol: &str) -> (TestApp, TestStation, FakeStation) {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, protocol).await;
    match protocol {
        "ocpp1.6" => socket.boot().await,
        _ => socket.boot_2().await,
    };
    (app, station, socket)
}

/// Asks over the API, lets the station answer with this and report in these parts.
async fn reported(
    (app, station, socket): &mut (TestApp, TestStation, FakeStation),
    (verb, body): (&str, Value),
    answer: Value,
    (action, parts): (&'static str, &[Value]),
) -> (Answer, Value) {
    let path = format!("{}/{verb}", station.path);
    let work = async {
        let call = socket.next_call().await;
        socket.answer(&call, answer).await;
        for part in parts {
            let mut part = part.clone();
            part["requestId"] = call[3]["requestId"].clone();
            assert_eq!(socket.call(action, part).await, json!({}));
        }
        call
    };
    futures_util::future::join(app.client.post(&path, body), work).await
}

#[actix_web::test]
async fn reports_are_waited_for_and_put_together() {
    let mut all = connected("ocpp2.1").await;
    let accepted = || json!({"status": "Accepted"});
    let at = "2026-04-24T03:00:00Z";
    let named = |name: &str| json!({"component": {"name": "C"}, "variable": {"name": name}});

    let part = |name: &str, more: bool| {
        let mut data = named(name);
        data["variableAttribute"] = json!([{"value": "1"}]);
        json!({"generatedAt": at, "seqNo": 0, "tbc": more, "reportData": [data]})
    };
    let body = json!({"componentCriteria": ["problem"], "componentVariable": [{"component": {"name": "C"}}]});
    let parts = [part("A", true), part("B", false)];
    let (answer, call) = reported(&mut all, ("get_report", body), accepted(), ("NotifyReport", &parts)).await;
    assert_eq!((&call[2], &call[3]["componentCriteria"]), (&json!("GetReport"), &json!(["Problem"])));
    let report = &answer.ok()["response_data"]["report"];
    assert_eq!((&report["C.A"]["value"], &report["C.B"]["value"]), (&json!("1"), &json!("1")));

    let part = |text: &str, more: bool| json!({"generatedAt": at, "seqNo": 0, "tbc": more, "data": text});
    let body = json!({"report": true, "clear": false, "customerIdentifier": "C-4711"});
    let parts = [part("Name: ", true), part("Ada", false)];
    let notified = ("NotifyCustomerInformation", parts.as_slice());
    let (answer, _) = reported(&mut all, ("customer_information", body), accepted(), notified).await;
    assert_eq!(answer.ok()["response_data"]["report"], "Name: Ada");

    let mut monitor = named("A");
    monitor["variableMonitoring"] =
        json!([{"id": 1, "value": 70, "type": "UpperThreshold", "severity": 4, "transaction": false}]);
    let part = json!({"generatedAt": at, "seqNo": 0, "monitor": [monitor]});
    let notified = ("NotifyMonitoringReport", [part]);
    let notified = (notified.0, notified.1.as_slice());
    let (answer, _) = reported(&mut all, ("get_monitoring_report", json!({})), accepted(), notified).await;
    assert_eq!(answer.ok()["response_data"]["report"], json!([monitor]));

    let message = json!({"id": 1, "priority": "InFront", "message": {"format": "UTF8", "content": "Hi"}});
    let part = json!({"messageInfo": [message]});
    let notified = ("NotifyDisplayMessages", [part]);
    let notified = (notified.0, notified.1.as_slice());
    let (answer, _) = reported(&mut all, ("get_display_messages", json!({})), accepted(), notified).await;
    assert_eq!(answer.ok()["response_data"]["report"], json!([message]));

    let profile = json!({"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": [{"id": 1, "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1000}]}]});
    let part = |evse: u32| {
        json!({"evseId": evse, "chargingLimitSource": "CSO", "tbc": evse == 1,
        "chargingProfile": [profile]})
    };
    let notified = [part(1), part(2)];
    let notified = ("ReportChargingProfiles", notified.as_slice());
    let body = json!({"chargingProfile": {"chargingLimitSource": ["CSO"]}});
    let (answer, call) = reported(&mut all, ("get_charging_profiles", body.clone()), accepted(), notified).await;
    assert_eq!(call[3]["chargingProfile"], body["chargingProfile"]);
    let report = answer.ok()["response_data"]["report"].clone();
    assert_eq!((report[1]["evseId"].clone(), report[1]["chargingProfile"][0].clone()), (json!(2), profile));

    let nothing = [
        ("get_charging_profiles", body, "NoProfiles"),
        ("get_display_messages", json!({}), "Unknown"),
        ("get_report", json!({}), "EmptyResultSet"),
        ("get_der_control", json!({}), "NotFound"),
    ];
    for (verb, body, status) in nothing {
        let (answer, _) = reported(&mut all, (verb, body), json!({"status": status}), ("Heartbeat", &[])).await;
        let report = answer.ok()["response_data"]["report"].clone();
        assert!(report == json!([]) || report == json!({}), "{verb}: {report}");
    }
    let refused = json!({"status": "Rejected"});
    let (answer, _) = reported(&mut all, ("get_report", json!({})), refused, ("Heartbeat", &[])).await;
    answer.error(400);
}

#[actix_web::test]
async fn results_of_several_monitors_are_one_answer() {
    let mut all = connected("ocpp2.0.1").await;
    let monitor = |value: f64| {
        json!({"type": "Delta", "value": value, "severity": 3,
        "component": {"name": "C"}, "variable": {"name": "V"}})
    };
    let body = json!({"setMonitoringData": [monitor(1.5), monitor(2.0)]});
    let result = |status: &str| {
        json!({"status": status, "type": "Delta", "severity": 3,
        "component": {"name": "C"}, "variable": {"name": "V"}})
    };
    for (second, accepted) in [("Accepted", true), ("Duplicate", false)] {
        let answer = json!({"setMonitoringResult": [result("Accepted"), result(second)]});
        let asked = ("set_variable_monitoring", body.clone());
        let (answer, call) = reported(&mut all, asked, answer, ("Heartbeat", &[])).await;
        assert_eq!(call[3], body);
        assert_eq!(answer.json()["ok"], accepted);
    }
    let cleared = json!({"clearMonitoringResult": [{"id": 1, "status": "NotFound"}]});
    let asked = ("clear_variable_monitoring", json!({"id": [1]}));
    reported(&mut all, asked, cleared, ("Heartbeat", &[])).await.0.ok();
}

#[actix_web::test]
async fn wrong_bodies_name_their_fields_and_stations_that_know_no_such_thing_are_named() {
    let (app, station, _socket) = connected("ocpp2.0.1").await;
    let part = json!({"component": {"name": "C"}, "variable": {"name": "V"}});
    let mut severe = part.clone();
    severe["severity"] = json!(10);
    for (verb, body, fields) in [
        ("set_monitoring_level", json!({"severity": 10}), vec!["severity"]),
        ("clear_variable_monitoring", json!({"id": []}), vec!["id"]),
        ("get_report", json!({"componentCriteria": ["Broken"]}), vec!["componentCriteria[0]"]),
        ("set_display_message", json!({"message": {"id": 1}}), vec!["message.message", "message.priority"]),
        (
            "set_variable_monitoring",
            json!({"setMonitoringData": [severe]}),
            vec!["setMonitoringData[0].severity", "setMonitoringData[0].type", "setMonitoringData[0].value"],
        ),
    ] {
        let path = format!("{}/{verb}", station.path);
        let mut faulty = app.client.post(&path, body).await.faulty_fields();
        faulty.sort();
        assert_eq!(faulty, fields, "{verb}");
    }
    let new = json!({"isDefault": true});
    let path = format!("{}/clear_der_control", station.path);
    let refused = app.client.post(&path, new).await.error(409);
    assert!(refused.contains("conflict"), "{refused}");

    let mut old = FakeStation::speaking(&station.url, "ocpp1.6").await;
    old.boot().await;
    app.eventually(async || app.client.get(&station.path).await.ok()["protocol"] == "ocpp1.6").await;
    let path = format!("{}/get_report", station.path);
    let answer = app.client.post(&path, json!({})).await;
    answer.error(409);
    let message = answer.json()["message"].as_str().expect("a text").to_owned();
    assert_eq!(message, "The station speaks ocpp1.6, which has no GetReport");
}

#[actix_web::test]
async fn a_signal_of_the_grid_is_sent_to_stations_of_2_1_alone() {
    let mut all = connected("ocpp2.1").await;
    // `AFRRSignalRequest.json` of the OCA: both are required, `signal` is an integer, there is nothing else.
    let signal = || json!({"timestamp": "2026-04-24T03:00:00.000Z", "signal": -1});
    let asked = || ("afrr_signal?wait=true", signal());
    let (answer, call) = reported(&mut all, asked(), json!({"status": "Accepted"}), ("Heartbeat", &[])).await;
    assert_eq!((&call[2], &call[3]), (&json!("AFRRSignal"), &signal()));
    let action = answer.ok();
    assert_eq!((&action["type"], &action["status"]), (&json!("chargestation.afrr_signal"), &json!("completed")));
    assert_eq!(action["data"], signal());
    let refusal = json!({"status": "Rejected", "statusInfo": {"reasonCode": "NoCurve"}});
    let (answer, _) = reported(&mut all, asked(), refusal, ("Heartbeat", &[])).await;
    assert_eq!(answer.error(400), "command_failed");

    let (app, station, _socket) = &all;
    let path = format!("{}/afrr_signal", station.path);
    let asked = app.client.post(&path, signal()).await;
    assert_eq!(asked.status, 202, "nobody waits for it unless asked to");
    for (body, fields) in [
        (json!({}), vec!["signal", "timestamp"]),
        (json!({"timestamp": "soon", "signal": 1}), vec!["timestamp"]),
        (json!({"timestamp": "2026-04-24T03:00:00Z", "signal": 0.5}), vec!["signal"]),
        (json!({"timestamp": "2026-04-24T03:00:00Z", "signal": 2_147_483_648_u32}), vec!["signal"]),
    ] {
        let mut faulty = app.client.post(&path, body).await.faulty_fields();
        faulty.sort();
        assert_eq!(faulty, fields);
    }
    assert_eq!(app.client_with(&["read:chargestations"]).await.post(&path, signal()).await.error(403), "forbidden");

    for protocol in ["ocpp2.0.1", "ocpp1.6"] {
        let (app, station, _socket) = connected(protocol).await;
        let refused = app.client.post(&format!("{}/afrr_signal", station.path), signal()).await;
        assert_eq!(refused.error(409), "conflict");
        let message = format!("The station speaks {protocol}, which has no AFRRSignal");
        assert_eq!(refused.json()["message"], message);
    }
}

fn event(kind: &str, seq_no: u32, more: Value) -> Value {
    let mut event = json!({"eventType": kind, "timestamp": "2026-04-24T03:00:00Z",
        "triggerReason": "ChargingStateChanged", "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1}});
    for (name, value) in more.as_object().expect("an object") {
        event[name] = value.clone();
    }
    event
}

#[actix_web::test]
async fn i03_a_cost_that_changed_is_sent_once_a_minute_at_most() {
    let (app, station, mut socket) = connected("ocpp2.0.1").await;
    let rate = json!({"name": "R", "currency": "EUR", "price_components": [
        {"type": "ENERGY", "price": 10.0, "tax": 0, "step_size": 1}]});
    let rate = app.client.post("/rates", rate).await.created();
    let path = format!("/connectors/{}", station.connector);
    app.client.patch(&path, json!({"rate": rate["_id"]})).await.ok();
    let now = || app.running.context.clock.now();
    let values = |wh: u32| {
        json!([{"timestamp": now(), "sampledValue": [{"value": wh,
        "measurand": "Energy.Active.Import.Register"}]}])
    };
    let begun = json!({"timestamp": now(), "meterValue": values(0)});
    socket.call("TransactionEvent", event("Started", 0, begun)).await;
    for wh in [100, 200, 300] {
        app.pass(Duration::from_secs(40)).await;
        let notified = json!({"evseId": 1, "meterValue": values(wh)});
        socket.call("MeterValues", notified).await;
    }
    let notified = socket.next_call().await;
    assert_eq!(
        (&notified[2], &notified[3]),
        (&json!("CostUpdated"), &json!({"transactionId": "tx", "totalCost": 2.0}))
    );
    socket.answer(&notified, json!({})).await;
    app.pass(Duration::from_secs(40)).await;
    let notified = json!({"evseId": 1, "meterValue": values(400)});
    socket.call("MeterValues", notified).await;
    let notified = socket.next_call().await;
    assert_eq!(notified[3]["totalCost"], 4.0);
}

#[actix_web::test]
async fn k15_what_a_car_means_to_draw_is_shown_with_its_session() {
    let (app, _station, mut socket) = connected("ocpp2.1").await;
    let schedule = json!({"id": 1, "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000}]});
    let notified = json!({"evseId": 1, "timeBase": "2026-04-24T03:00:00Z", "chargingSchedule": schedule});
    socket.call("TransactionEvent", event("Started", 0, json!({}))).await;
    let answer = socket.call("NotifyEVChargingSchedule", notified.clone()).await;
    assert_eq!(answer["status"], "Accepted");
    let session = app.client.get("/sessions").await.ok()[0].clone();
    assert_eq!(session["car_schedule"]["chargingSchedule"], schedule);
}

#[actix_web::test]
async fn a_raw_start_with_a_profile_does_not_override_balancing() {
    let (app, station, _socket) = connected("ocpp2.0.1").await;
    let limits = json!({"maximum_capacity": 4});
    app.group_of(&station, limits).await;
    let profile = json!({"id": 1, "stackLevel": 9, "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32}]}]});
    let start = json!({"action": "RequestStartTransaction", "payload": {"remoteStartId": 1,
        "idToken": {"idToken": "A", "type": "Central"}, "chargingProfile": profile}});
    let path = format!("{}/ocpp", station.path);
    app.client.post(&path, start).await.error(409);
}

#[actix_web::test]
async fn k28_a_station_is_answered_what_applies_in_its_dynamic_profile() {
    let (app, station, mut socket) = connected("ocpp2.1").await;
    let pull = json!({"chargingProfileId": 7});
    let unknown = socket.call("PullDynamicScheduleUpdate", pull.clone()).await;
    assert_eq!(
        (&unknown["status"], &unknown["statusInfo"]["reasonCode"]),
        (&json!("Rejected"), &json!("InvalidProfile"))
    );
    let profile = json!({"id": 7, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Dynamic", "dynUpdateInterval": 30, "chargingSchedule": [{"id": 1,
            "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0,
                "operationMode": "CentralSetpoint", "setpoint": 5000.5, "limit": 7000}]}]});
    let body = json!({"connectorId": 1, "csChargingProfiles": profile});
    let update = json!({"action": "UpdateDynamicSchedule",
        "payload": {"chargingProfileId": 7, "scheduleUpdate": {"setpoint": -2000}}});
    let clear = json!({"id": 7});
    for (verb, body, status, holding) in [
        ("set_charging_profile", &body, "Rejected", None),
        ("set_charging_profile", &body, "Accepted", Some(json!({"setpoint": 5000.5, "limit": 7000}))),
        ("ocpp", &update, "Accepted", Some(json!({"setpoint": -2000, "limit": 7000}))),
        ("clear_charging_profile", &clear, "Accepted", None),
    ] {
        let path = format!("{}/{verb}?wait=true", station.path);
        let work = async {
            let call = socket.next_call().await;
            socket.answer(&call, json!({"status": status})).await;
        };
        futures_util::future::join(app.client.post(&path, body.clone()), work).await;
        let notified = socket.call("PullDynamicScheduleUpdate", pull.clone()).await;
        let accepted = if holding.is_some() { "Accepted" } else { "Rejected" };
        assert_eq!(notified["status"], accepted, "{verb}");
        assert_eq!(notified.get("scheduleUpdate"), holding.as_ref(), "{verb}");
    }
}
