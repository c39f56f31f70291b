//! What is refused, warned of and counted, and in which words.

use serde_json::{Value, json};

use super::text;
use crate::support::{FakeStation, TestApp};

#[actix_web::test]
async fn before_a_page_beyond_the_end_comes_the_last_one() {
    let app = TestApp::start().await;
    for name in ["A", "B", "C"] {
        app.station(name).await;
    }
    let pages = async |query: &str| {
        let page = app.client.get(&format!("/chargestations?{query}")).await.json();
        (page["hasPrevPage"].clone(), page["prevPage"].clone(), page["nextPage"].clone())
    };
    let beyond = |last: u32| (json!(true), json!(last), Value::Null);
    assert_eq!(pages("paginate_limit=2&paginate_page=9").await, beyond(2));
    assert_eq!(pages("paginate_limit=2&paginate_page=3").await, beyond(2));
    assert_eq!(pages("paginate_limit=2&paginate_page=2").await, beyond(1));
    assert_eq!(pages("search=nothing&paginate_page=7").await, beyond(1));
    let first = (json!(false), Value::Null, json!(2));
    assert_eq!(pages("paginate_limit=2").await, first);
}

#[actix_web::test]
async fn nothing_is_rated_for_nothing() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let connector = format!("/connectors/{}", station.connector);
    let connectors = format!("{}/connectors", station.path);
    for (field, wrong) in [
        ("power", json!(0)),
        ("power", json!(-1)),
        ("power_factor", json!(0)),
        ("power_factor", json!(1.1)),
        ("wattage_limit", json!(0)),
        ("amperage_limit", json!(0)),
    ] {
        let mut body = json!({"type": "Type2", "power": 22});
        body[field] = wrong.clone();
        let made = app.client.post(&connectors, body).await;
        assert_eq!(made.faulty_fields(), [field], "{wrong}");
        let changed = app.client.patch(&connector, json!({field: wrong})).await;
        assert_eq!(changed.faulty_fields(), [field], "{wrong}");
        let fault = changed.json()["errors"][0]["code"].clone();
        assert_eq!(fault, "out_of_range", "{field} {wrong}");
    }
    let least = json!({"power": 0.001, "power_factor": 0.01, "wattage_limit": 1, "amperage_limit": 0.001});
    app.client.patch(&connector, least).await.ok();

    let site = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
    let location = text(&app.client.post("/locations", site).await.created(), "_id");
    let mut asset = json!({"name": "Sun", "type": "producer", "location": location, "power_factor": 0});
    let refused = app.client.post("/assets", asset.clone()).await;
    assert_eq!(refused.faulty_fields(), ["power_factor"]);
    asset["power_factor"] = json!(0.9);
    let made = app.client.post("/assets", asset).await.created();
    assert_eq!(made["power_factor"], 0.9);
}

#[actix_web::test]
async fn names_have_no_control_characters() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    for name in ["a\nb", "a\tb", "a\u{1b}[2Jb", "evil\u{202e}gpj.exe"] {
        for field in ["name", "code", "manufacturer"] {
            let refused = app.client.patch(&station.path, json!({field: name})).await;
            assert_eq!(refused.faulty_fields(), [field], "{name:?}");
        }
        let place = json!({"operatorName": name, "address": {"city": name}, "coordinates": [4.9, 52.4]});
        let refused = app.client.post("/locations", place).await;
        assert_eq!(refused.faulty_fields(), ["address.city", "operatorName"]);
        let driver = json!({"firstname": name, "lastname": "L"});
        let refused = app.client.post("/users", driver).await;
        assert_eq!(refused.faulty_fields(), ["firstname"]);
        let key = app.client.post("/api_keys", json!({"name": name})).await;
        assert_eq!(key.faulty_fields(), ["name"]);
    }
    let notes = json!({"description": "first line\n\tsecond line"});
    app.client.patch(&station.path, notes).await.ok();
    let evse = app.client.get(&format!("/connectors/{}", station.connector)).await.ok();
    let evse = format!("/evses/{}", text(&evse, "evse"));
    let fields = json!({"custom_fields": {"bay": "12\u{7}", "a\nb": "c"}});
    let refused = app.client.patch(&evse, fields).await;
    assert!(!refused.faulty_fields().is_empty());
}

#[actix_web::test]
async fn days_without_any_charging_are_warned_of() {
    let app = TestApp::start().await;
    let station = app.station("Home").await;
    let group = app.group_of(&station, json!({"maximum_capacity": 22, "algorithm": "consumer_tou"})).await;
    let path = format!("{group}/exclusion_times");
    let days = async |windows: Value| {
        let group = app.client.put(&path, json!({"windows": windows})).await.ok();
        match &group["warnings"][0] {
            Value::Null => Value::Null,
            warning => {
                assert_eq!(warning["code"], "excluded_all_day");
                warning["weekdays"].clone()
            }
        }
    };
    let evening = json!([{"from": "17:00", "to": "20:00"}]);
    assert_eq!(days(evening).await, Value::Null);
    let forgotten = json!([{"from": "08:00", "to": "08:00", "weekdays": ["monday"]}]);
    // Monday from 8 to Tuesday 8: no day is covered from midnight to midnight.
    assert_eq!(days(forgotten).await, Value::Null);
    let sunday = json!([{"from": "00:00", "to": "24:00", "weekdays": ["sunday"]}]);
    assert_eq!(days(sunday).await, json!(["sunday"]));
    let halves = json!([{"from": "22:00", "to": "12:00", "weekdays": ["friday", "saturday"]},
        {"from": "11:00", "to": "22:00", "weekdays": ["saturday"]}]);
    assert_eq!(days(halves).await, json!(["saturday"]));
    let off = json!([{"from": "00:00", "to": "00:00", "enabled": false}]);
    assert_eq!(days(off).await, Value::Null);
    let always = days(json!([{"from": "06:00", "to": "06:00"}])).await;
    assert_eq!(always.as_array().map(Vec::len), Some(7));
    let kept = app.client.get(&group).await.ok();
    assert_eq!(kept["warnings"][0]["weekdays"], always);
}

#[actix_web::test]
async fn every_change_of_a_status_is_kept_in_its_order() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let at = app.running.context.clock.now().to_string();
    let reported = ["Available", "Preparing", "Available", "Preparing", "Charging", "Available"];
    for status in reported {
        let payload = json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at});
        socket.call("StatusNotification", payload.clone()).await;
        socket.call("StatusNotification", payload).await; // the same again is no change
    }
    let path = format!("/connectors/{}/statuses", station.connector);
    let history = app.client.get(&path).await.ok();
    let history = history.as_array().expect("changes").iter().rev();
    let statuses: Vec<String> = history.map(|change| text(change, "status")).collect();
    assert_eq!(statuses, reported);
}

#[actix_web::test]
async fn a_station_that_is_offline_is_said_to_be_so_in_one_way() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let connector = format!("/connectors/{}", station.connector);
    let evse = text(&app.client.get(&connector).await.ok(), "evse");
    let reservable = json!({"reservable": true});
    app.client.patch(&format!("/evses/{evse}"), reservable).await.ok();
    let session = json!({"connector": station.connector, "id_tag": "A"});
    let mut reservation = session.clone();
    reservation["duration_minutes"] = json!(30);
    for (path, body) in [
        (format!("{}/disconnect", station.path), json!({})),
        (format!("{}/reset", station.path), json!({"type": "Soft"})),
        (format!("{connector}/unlock"), json!({})),
        ("/sessions".to_owned(), session),
        ("/reservations".to_owned(), reservation),
    ] {
        let answer = app.client.post(&path, body).await;
        assert_eq!(answer.error(406), "station_offline", "{path}");
        let message = answer.json()["message"].clone();
        assert_eq!(message, "The charge station is offline", "{path}");
    }
}
