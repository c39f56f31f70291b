//! Stations of OCPP 2 that report external limits (K12, K13).

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

async fn limits(app: &TestApp, station: &TestStation) -> Vec<Value> {
    let path = format!("{}/external_limits", station.path);
    let found = app.client.get(&path).await.ok();
    found.as_array().expect("a list").clone()
}

#[actix_web::test]
async fn k12_k13_an_external_limit_is_kept_shown_and_cleared() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let schedule = |watts: u32| {
        json!([{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod":
        [{"startPeriod": 0, "limit": watts}, {"startPeriod": 3600, "limit": 11_000.4}]}])
    };
    let reported = json!({"chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": true},
        "chargingSchedule": schedule(5_000)});
    socket.call("NotifyChargingLimit", reported).await;
    let kept = limits(&app, &station).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0]["evse"], &kept[0]["source"], &kept[0]["is_grid_critical"]),
        (&Value::Null, &json!("EMS"), &json!(true))
    );
    let now = json!([{"unit": "power", "limit": 5_000.0, "phases": null}]);
    assert_eq!(kept[0]["now"], now);
    assert_eq!(kept[0]["steps"][0]["to"], kept[0]["steps"][1]["from"]);
    assert_eq!(kept[0]["steps"][1]["limit"]["limit"], 11_000.0);

    let amps = json!([{"id": 1, "chargingRateUnit": "A", "duration": 60, "chargingSchedulePeriod":
        [{"startPeriod": 0, "limit": 16.5, "numberPhases": 1}]}]);
    let of_evse = json!({"evseId": 1, "chargingLimit": {"chargingLimitSource": "SO"},
        "chargingSchedule": amps});
    socket.call("NotifyChargingLimit", of_evse).await;
    let again = json!({"chargingLimit": {"chargingLimitSource": "EMS"},
        "chargingSchedule": schedule(4_000)});
    socket.call("NotifyChargingLimit", again).await;
    let kept = limits(&app, &station).await;
    let seen = |limit: &Value| limit["now"][0]["limit"].clone();
    assert_eq!(
        kept.iter().map(seen).collect::<Vec<_>>(),
        [json!(4_000.0), json!(16.5)],
        "the newer one of a source replaces the older"
    );
    assert!(kept[1]["evse"].is_string());
    assert_eq!(kept[1]["now"][0]["phases"], 1);

    let cleared = json!({"chargingLimitSource": "EMS"});
    socket.call("ClearedChargingLimit", cleared).await;
    assert_eq!(limits(&app, &station).await.len(), 1);
    let cleared = json!({"chargingLimitSource": "SO", "evseId": 1});
    socket.call("ClearedChargingLimit", cleared).await;
    assert_eq!(limits(&app, &station).await.len(), 0);
}

#[actix_web::test]
async fn k12_setpoints_phases_and_local_generation_of_2_1_are_understood() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.1").await;
    socket.boot_2().await;
    let report = |source: &str, generation: bool, unit: &str, period: Value| {
        let mut period = period;
        period["startPeriod"] = json!(0);
        json!({"chargingLimit": {"chargingLimitSource": source, "isLocalGeneration": generation},
            "chargingSchedule": [{"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": [period]}]})
    };
    let watts = json!({"limit": 2_000, "limit_L2": 1_000, "limit_L3": 500});
    let amps = json!({"limit": 16, "limit_L2": 10, "limit_L3": 12, "setpoint": 20});
    let setpoint = json!({"limit": 16, "setpoint": -6});
    for (source, generation, unit, period) in [
        ("A", false, "W", watts.clone()),
        ("B", false, "A", amps),
        ("C", false, "A", setpoint),
        ("D", true, "W", watts),
        ("E", false, "W", json!({"operationMode": "LocalFrequency"})),
    ] {
        let reported = report(source, generation, unit, period);
        socket.call("NotifyChargingLimit", reported).await;
    }
    let now: Vec<Value> = limits(&app, &station).await.iter().map(|limit| limit["now"][0]["limit"].clone()).collect();
    let expected = [json!(3_500.0), json!(10.0), json!(0.0), Value::Null, Value::Null];
    assert_eq!(now, expected);

    let elsewhere = json!({"evseId": 9, "chargingLimit": {"chargingLimitSource": "A"}});
    socket.call("NotifyChargingLimit", elsewhere).await;
    assert_eq!(limits(&app, &station).await.len(), 5, "there is no EVSE 9");
}
