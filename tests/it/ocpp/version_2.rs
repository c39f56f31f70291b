//! Stations that speak OCPP 2.0.1 or 2.1: the same sessions, statuses and limits as with any other.

use serde_json::{Value, json};

use crate::support::{Answer, Client, FakeStation, TestApp, eventually};

const AT: &str = "2026-04-24T03:00:00Z";

/// The event of transaction "tx" with this number, and what else it says.
fn event(kind: &str, seq_no: u32, minute: u32, more: Value) -> Value {
    let mut event = json!({
        "eventType": kind, "timestamp": format!("2026-04-24T03:{minute:02}:00Z"),
        "triggerReason": "ChargingStateChanged", "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx"}, "evse": {"id": 1, "connectorId": 1},
    });
    let fields = event.as_object_mut().expect("an object");
    for (name, value) in more.as_object().expect("an object") {
        match (name.as_str(), fields.get_mut("transactionInfo")) {
            ("chargingState" | "stoppedReason" | "remoteStartId", Some(info)) => {
                info[name] = value.clone();
            }
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    event
}

fn meter(minute: u32, wh: i64, context: &str) -> Value {
    json!([{"timestamp": format!("2026-04-24T03:{minute:02}:00Z"), "sampledValue": [
        {"value": wh, "context": context, "measurand": "Energy.Active.Import.Register",
            "unitOfMeasure": {"unit": "Wh"}},
        {"value": 7.2, "context": context, "measurand": "Power.Active.Import",
            "unitOfMeasure": {"unit": "W", "multiplier": 3}},
    ]}])
}

fn card(tag: &str) -> Value {
    json!({"idToken": tag, "type": "ISO14443"})
}

async fn sessions(client: &Client) -> Vec<Value> {
    let listed = client.get("/sessions?sort_by=createdAt&sort_order=asc").await;
    listed.json()["result"].as_array().expect("a list").clone()
}

async fn status(app: &TestApp, station: &str) -> Value {
    let station = app.client.get(&format!("/chargestations/{station}")).await;
    station.ok()["connectors"][0]["status"].clone()
}

#[actix_web::test]
async fn the_best_version_is_agreed_and_shown_and_a_station_may_be_pinned() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("/chargestations/{}", station.id);
    let all = "ocpp1.6, ocpp2.0.1, ocpp2.1";
    let socket = FakeStation::speaking(&station.url, all).await;
    assert_eq!(socket.agreed.as_deref(), Some("ocpp2.1"));
    app.eventually(async || app.client.get(&path).await.ok()["online"] == true).await;
    assert_eq!(app.client.get(&path).await.ok()["protocol"], "ocpp2.1");

    let pin = json!({"pinned_protocol": "ocpp2.0.1"});
    assert_eq!(app.client.patch(&path, pin).await.ok()["pinned_protocol"], "ocpp2.0.1");
    let socket = FakeStation::speaking(&station.url, all).await;
    assert_eq!(socket.agreed.as_deref(), Some("ocpp2.0.1"));
    let other = [("sec-websocket-protocol", "ocpp1.6")];
    let refused = FakeStation::try_connect(&station.url, &other).await;
    assert!(refused.is_err(), "another version is not agreed");
}

#[actix_web::test]
async fn b01_a_station_introduces_itself_and_what_it_says_is_kept() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("/chargestations/{}", station.id);
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    let welcome = socket.boot_2().await;
    assert_eq!((&welcome["status"], welcome["interval"].is_u64()), (&json!("Accepted"), true));
    let known = app.client.get(&path).await.ok();
    assert_eq!(known["bootInfo"]["chargePointModel"], "Two");
    assert_eq!(known["bootInfo"]["chargePointSerialNumber"], "SN-2");

    for registration in ["Pending", "Rejected"] {
        let change = json!({"registration": registration});
        app.client.patch(&path, change).await.ok();
        assert_eq!(socket.boot_2().await["status"], registration);
    }
    let refused = socket.call_frame("Heartbeat", json!({})).await;
    assert_eq!((&refused[0], &refused[2]), (&json!(4), &json!("SecurityError")));
}

#[actix_web::test]
async fn b02_fr_09_a_station_that_is_pending_says_only_what_it_is_asked_for() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let pending = json!({"registration": "Pending"});
    app.client.patch(&station.path, pending).await.ok();
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.1").await;
    assert_eq!(socket.boot_2().await["status"], "Pending");
    let refused = socket.call_frame("Heartbeat", json!({})).await;
    assert_eq!((&refused[0], &refused[2]), (&json!(4), &json!("SecurityError")));

    let trigger = format!("{}/trigger_message", station.path);
    let asked = json!({"message": "Heartbeat"});
    assert_eq!(app.client.post(&trigger, asked).await.status, 202);
    let call = socket.next_call().await;
    assert_eq!(call[3]["requestedMessage"], "Heartbeat");
    socket.answer(&call, json!({"status": "Accepted"})).await;
    socket.call("Heartbeat", json!({})).await;

    assert_eq!(socket.boot_2().await["status"], "Pending");
    let again = socket.call_frame("Heartbeat", json!({})).await;
    assert_eq!(again[2], "SecurityError", "it is asked anew after each boot");
    let accepted = json!({"registration": "Accepted"});
    app.client.patch(&station.path, accepted).await.ok();
    assert_eq!(socket.boot_2().await["status"], "Accepted");
    socket.call("Heartbeat", json!({})).await;
}

#[actix_web::test]
async fn e01_a_transaction_becomes_a_session_with_readings_states_and_an_end() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    app.db_token("04A1B2C3", "active", None, None).await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let started = json!({"chargingState": "EVConnected", "idToken": card("04A1B2C3"),
        "meterValue": meter(0, 1_000, "Transaction.Begin")});
    let answer = socket.call("TransactionEvent", event("Started", 0, 0, started)).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
    assert_eq!(status(&app, &station.id).await, "Preparing");
    let charging = json!({"chargingState": "Charging", "meterValue": meter(5, 1_500, "Sample.Periodic")});
    let update = event("Updated", 1, 5, charging);
    for _ in 0..2 {
        assert_eq!(socket.call("TransactionEvent", update.clone()).await, json!({}), "reported twice, kept once");
    }
    assert_eq!(status(&app, &station.id).await, "Charging");
    let session = sessions(&app.client).await.remove(0);
    assert_eq!((&session["status"], &session["transaction_name"]), (&json!("started"), &json!("tx")));
    assert_eq!(session["metrics"]["energyConsumed"], 500);
    assert_eq!(session["metrics"]["chargingState"], "Charging");
    assert_eq!(session["energy_report"]["power"], json!({"value": 7.2, "unit": "kW"}));

    let ended = json!({"chargingState": "Idle", "stoppedReason": "EVDisconnected",
        "meterValue": meter(9, 1_900, "Transaction.End")});
    socket.call("TransactionEvent", event("Ended", 2, 9, ended)).await;
    let session = sessions(&app.client).await.remove(0);
    assert_eq!(session["metrics"]["energyConsumed"], 900);
    assert_eq!(session["metrics"]["chargingStopReason"], "EVDisconnected");
    assert_eq!(status(&app, &station.id).await, "Finishing");
    let free = json!({"timestamp": AT, "connectorStatus": "Available", "evseId": 1, "connectorId": 1});
    socket.call("StatusNotification", free).await;
    assert_eq!(status(&app, &station.id).await, "Available");
    let kinds = app.event_types().await;
    let reported: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("session.")).collect();
    assert_eq!(reported, ["session.started", "session.updated", "session.ended"]);
}

#[actix_web::test]
async fn e04_events_of_an_outage_may_come_in_any_order() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.1").await;
    let report = |kind, seq, minute, wh, context, more: Value| {
        let mut more = more;
        more["offline"] = json!(true);
        more["meterValue"] = meter(minute, wh, context);
        event(kind, seq, minute, more)
    };
    let end = report("Ended", 3, 4, 1_300, "Transaction.End", json!({}));
    let late = report("Updated", 2, 3, 1_200, "Sample.Periodic", json!({"chargingState": "Charging"}));
    let begin = report("Started", 0, 1, 1_000, "Transaction.Begin", json!({"idToken": card("0A0B0C0D")}));
    for reported in [late.clone(), end.clone(), begin, late, end] {
        let answer = socket.call("TransactionEvent", reported).await;
        assert!(answer.get("idTokenInfo").is_none_or(|info| info["status"] == "Invalid"));
    }
    let sessions = sessions(&app.client).await;
    assert_eq!(sessions.len(), 1);
    let session = &sessions[0];
    assert_eq!(session["status"], "ended");
    assert_eq!(session["metrics"]["energyConsumed"], 300);
    assert_eq!(session["metrics"]["chargingStart"], "2026-04-24T03:01:00.000Z");
    assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:04:00.000Z");
}

#[actix_web::test]
async fn f01_a_car_that_is_plugged_in_is_started_by_api() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let plugged = json!({"chargingState": "EVConnected"});
    socket.call("TransactionEvent", event("Started", 0, 0, plugged)).await;
    let wish = json!({"connector": station.connector});
    let session = app.client.post("/sessions", wish).await.created();
    let ask = socket.next_call().await;
    assert_eq!((&ask[2], &ask[3]["evseId"]), (&json!("RequestStartTransaction"), &json!(1)));
    socket.answer(&ask, json!({"status": "Accepted", "transactionId": "tx"})).await;
    let accepted = json!({"chargingState": "Charging", "idToken": ask[3]["idToken"],
        "remoteStartId": ask[3]["remoteStartId"]});
    let answer = socket.call("TransactionEvent", event("Updated", 1, 1, accepted)).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
    let all = sessions(&app.client).await;
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["_id"], &all[0]["status"]), (&session["_id"], &json!("started")));

    let path = format!("/sessions/{}/stop", session["_id"].as_str().expect("an id"));
    app.client.post(&path, json!({})).await;
    let stop = socket.next_call().await;
    assert_eq!((&stop[2], &stop[3]), (&json!("RequestStopTransaction"), &json!({"transactionId": "tx"})));
}

#[actix_web::test]
async fn f02_a_remote_start_is_recognised_by_its_number() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.1").await;
    socket.boot_2().await;
    let wish = json!({"connector": station.connector});
    let session = app.client.post("/sessions", wish).await.created();
    let ask = socket.next_call().await;
    socket.answer(&ask, json!({"status": "Accepted"})).await;
    let started = json!({"remoteStartId": ask[3]["remoteStartId"], "chargingState": "EVConnected"});
    socket.call("TransactionEvent", event("Started", 0, 0, started)).await;
    let all = sessions(&app.client).await;
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["_id"], &all[0]["status"]), (&session["_id"], &json!("started")));
}

#[actix_web::test]
async fn what_is_unknown_or_wrong_is_answered_by_the_book() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    for (action, payload, code) in [
        ("StartTransaction", json!({}), "NotImplemented"),
        ("BatterySwap", json!({}), "NotImplemented"),
        ("SetVariables", json!({}), "NotSupported"),
        ("Authorize", json!({}), "OccurrenceConstraintViolation"),
        ("Authorize", json!({"idToken": 7}), "FormatViolation"),
        ("TransactionEvent", event("Exploded", 0, 0, json!({})), "PropertyConstraintViolation"),
    ] {
        let frame = socket.call_frame(action, payload).await;
        assert_eq!((&frame[0], &frame[2]), (&json!(4), &json!(code)), "{action}");
    }
    let elsewhere = event("Started", 0, 0, json!({"evse": {"id": 9}}));
    assert_eq!(socket.call("TransactionEvent", elsewhere).await, json!({}));
    let path = format!("/chargestations/{}", station.id);
    app.eventually(async || {
        let flags = app.client.get(&path).await.ok()["flags"].clone();
        flags.as_array().is_some_and(|flags| flags.contains(&json!("reports the unknown EVSE 9")))
    })
    .await;
}

/// What the server answers while the station answers its calls with these payloads, in this order.
async fn asking(
    socket: &mut FakeStation,
    ask: impl Future<Output = Answer>,
    answers: &[Value],
) -> (Answer, Vec<Value>) {
    let work = async {
        let mut calls = Vec::new();
        for answer in answers {
            let call = socket.next_call().await;
            socket.answer(&call, answer.clone()).await;
            calls.push(json!([call[2], call[3]]));
        }
        calls
    };
    futures_util::future::join(ask, work).await
}

#[actix_web::test]
async fn b05_b06_variables_are_read_and_set_in_edrvs_form() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let (component, variable) = (json!({"name": "SmartChargingCtrlr"}), json!({"name": "Enabled"}));
    let wanted = json!({"getVariableData": [{"component": component, "variable": variable}]});
    let path = format!("{}/get_variables", station.path);
    let found = json!({"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "true",
        "component": component, "variable": variable}]});
    let (answer, calls) = asking(&mut socket, app.client.post(&path, wanted), &[found]).await;
    let asked = json!([{"component": component, "variable": variable}]);
    assert_eq!(calls, [json!(["GetVariables", {"getVariableData": asked}])]);
    assert_eq!(answer.ok()["variables"]["SmartChargingCtrlr.Enabled"]["value"], "true");

    let change = json!([{"component": component, "variable": variable, "attributeValue": "false"}]);
    let done = json!({"setVariableResult": [{"attributeStatus": "RebootRequired",
        "component": component, "variable": variable}]});
    let path = format!("{}/configurations", station.path);
    let (answer, calls) = asking(&mut socket, app.client.patch(&path, change.clone()), &[done]).await;
    assert_eq!(calls, [json!(["SetVariables", {"setVariableData": change}])]);
    assert_eq!(answer.ok()["results"][0]["status"], "RebootRequired");
    let kept = app.client.get(&path).await.ok();
    assert_eq!(kept["variables"]["SmartChargingCtrlr.Enabled"]["value"], "false", "as it was pushed");

    let often = json!({"key": "SampledDataCtrlr.TxUpdatedInterval", "value": "5"});
    app.client.patch(&path, often).await.error(422);
}

#[actix_web::test]
async fn b07_all_variables_come_in_parts_and_are_kept() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.1").await;
    socket.boot_2().await;
    let path = format!("{}/get_variables", station.path);
    let all = app.client.post(&path, json!({"getVariableData": []}));
    let reports = async {
        let call = socket.next_call().await;
        assert_eq!(call[2], "GetBaseReport");
        socket.answer(&call, json!({"status": "Accepted"})).await;
        for (seq_no, name, mutability) in [(0, "VendorName", "ReadOnly"), (1, "Identity", "ReadWrite")] {
            let data = json!([{"component": {"name": "ChargingStation", "evse": {"id": 1}},
                "variable": {"name": name}, "variableAttribute": [
                    {"value": "Acme", "mutability": mutability}, {"type": "MaxSet", "value": "9"}]}]);
            let report = json!({"requestId": call[3]["requestId"], "generatedAt": AT, "seqNo": seq_no,
                "tbc": seq_no == 0, "reportData": data});
            assert_eq!(socket.call("NotifyReport", report).await, json!({}));
        }
    };
    let (answer, ()) = futures_util::future::join(all, reports).await;
    let variables = answer.ok()["variables"].clone();
    let vendor = &variables["ChargingStation@1.VendorName"];
    assert_eq!((&vendor["value"], &vendor["readonly"], &vendor["MaxSet"]), (&json!("Acme"), &json!(true), &json!("9")));
    assert_eq!(variables["ChargingStation@1.Identity"]["readonly"], false);
    let kept = app.client.get(&station.path).await.ok();
    assert_eq!(kept["configuration"]["ChargingStation@1.VendorName"], "Acme");
}

#[actix_web::test]
async fn k15_what_a_car_needs_is_known_to_the_planner() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    let needs = json!({"evseId": 1, "chargingNeeds": {
        "requestedEnergyTransfer": "AC_three_phase", "departureTime": "2026-04-24T09:00:00Z",
        "acChargingParameters": {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400}}});
    let early = socket.call("NotifyEVChargingNeeds", needs.clone()).await;
    assert_eq!(early["status"], "Rejected", "no car is known there");
    let begun = json!({"meterValue": meter(0, 1_000, "Transaction.Begin")});
    socket.call("TransactionEvent", event("Started", 0, 0, begun)).await;
    let drawn = json!({"meterValue": meter(2, 1_200, "Sample.Periodic")});
    socket.call("TransactionEvent", event("Updated", 1, 2, drawn)).await;
    let reported = socket.call("NotifyEVChargingNeeds", needs).await;
    assert_eq!(reported["status"], "Rejected", "nothing steers it, so no schedule follows (K15.FR.03)");
    let session = sessions(&app.client).await.remove(0);
    assert_eq!(
        (&session["departure_time"], &session["energy_need"]),
        (&json!("2026-04-24T09:00:00.000Z"), &json!(20.2))
    );
}

/// The next live limit that a station is sent, which it accepts.
async fn next_limit(socket: &mut FakeStation) -> Value {
    loop {
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
        if call[3]["chargingProfile"]["stackLevel"] == 2 {
            return call[3].clone();
        }
    }
}

/// The amps of a limit.
fn amps(limit: &Value) -> f64 {
    let schedule = &limit["chargingProfile"]["chargingSchedule"][0];
    let amps = schedule["chargingSchedulePeriod"][0]["limit"].as_f64();
    amps.expect("a limit")
}

#[actix_web::test]
async fn k15_fr_03_a_limit_follows_what_a_car_needs_also_where_it_does_not_change() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let limits = json!({"maximum_capacity": 8, "minimum_connector_capacity": 2});
    app.group_of(&station, limits).await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let begun = json!({"chargingState": "Charging"});
    socket.call("TransactionEvent", event("Started", 0, 0, begun)).await;
    // 7 kW of 230 V are 30.4 A: all that its plug gives, so that no cut has to settle before.
    while amps(&next_limit(&mut socket).await) < 30.0 {}
    for _ in 0..3 {
        let needs = json!({"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_single_phase"}});
        let reported = socket.call("NotifyEVChargingNeeds", needs).await;
        assert_eq!(reported["status"], "Processing");
        assert!(amps(&next_limit(&mut socket).await) >= 30.0);
    }
}

#[actix_web::test]
async fn a_group_limits_an_evse_and_a_limit_ends_offline_where_that_can_be_said() {
    for (protocol, offline) in [("ocpp2.0.1", Value::Null), ("ocpp2.1", json!(360))] {
        let app = TestApp::start().await;
        let station = app.station("S").await;
        let limits = json!({"maximum_capacity": 4, "minimum_connector_capacity": 2});
        app.group_of(&station, limits).await;
        let mut socket = FakeStation::speaking(&station.url, protocol).await;
        socket.boot_2().await;
        let begun = json!({"chargingState": "Charging"});
        socket.call("TransactionEvent", event("Started", 0, 0, begun)).await;
        let limit = next_limit(&mut socket).await;
        assert_eq!(limit["evseId"], 1);
        let profile = &limit["chargingProfile"];
        assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
        assert_eq!(profile["maxOfflineDuration"], offline);

        let needs = json!({"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_single_phase"}});
        let reported = socket.call("NotifyEVChargingNeeds", needs).await;
        assert_eq!(reported["status"], "Processing", "K15.FR.03: a schedule follows");
        let taken = &profile["chargingSchedule"][0];
        let most = taken["chargingSchedulePeriod"][0]["limit"].as_f64();
        let most = most.expect("a limit");
        let mut means = async |limit: f64| {
            let period = json!({"startPeriod": 0, "limit": limit});
            let schedule = json!({"id": 1, "chargingRateUnit": taken["chargingRateUnit"],
                "chargingSchedulePeriod": [period]});
            let means = json!({"timeBase": AT, "evseId": 1, "chargingSchedule": schedule});
            socket.call("NotifyEVChargingSchedule", means).await["status"].clone()
        };
        eventually(async || means(most + 100.0).await == "Rejected").await; // K15.FR.12
        assert_eq!(means(most).await, "Accepted", "K15.FR.11");
    }
}
