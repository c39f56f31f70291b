//! Stations, connectors and sessions are found by what a person knows of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{names, text};
use crate::support::{FakeStation, TestApp, TestStation};

async fn boot(app: &TestApp, station: &TestStation, vendor: &str, model: &str) {
    let mut socket = FakeStation::connect(&station.url).await;
    let said = json!({"chargePointVendor": vendor, "chargePointModel": model});
    socket.call("BootNotification", said).await;
    let booted = app.client.get(&station.path).await.ok();
    assert_eq!(booted["bootInfo"]["chargePointVendor"], vendor);
}

#[actix_web::test]
async fn a_station_says_who_made_it_where_the_operator_did_not() {
    let app = TestApp::start().await;
    let (said, entered) = (app.station("Said").await, app.station("Entered").await);
    let own = json!({"manufacturer": "Alfen N.V.", "model": "Eve"});
    app.client.patch(&entered.path, own).await.ok();
    boot(&app, &said, "ABB", "Terra AC").await;
    boot(&app, &entered, "ALFEN BV", "NG910").await;

    let maker = async |station: &TestStation| {
        let station = app.client.get(&station.path).await.ok();
        (text(&station, "manufacturer"), text(&station, "model"))
    };
    assert_eq!(maker(&said).await, ("ABB".into(), "Terra AC".into()));
    assert_eq!(maker(&entered).await, ("Alfen N.V.".into(), "Eve".into()));

    for (query, found) in [
        ("vendor=abb", &["Said"][..]),
        ("vendor=Alfen%20N.V.", &["Entered"]),
        ("vendor=alfen%20bv", &["Entered"]),
        ("model=terra%20ac", &["Said"]),
        ("model=Eve", &["Entered"]),
        ("model=ng910", &["Entered"]),
        ("search=terra", &["Said"]),
        ("search=ng910", &["Entered"]),
        ("search=alfen", &["Entered"]),
        ("vendor=nobody", &[]),
    ] {
        let listed = names(&app.client, &format!("/chargestations?{query}")).await;
        assert_eq!(listed, found, "{query}");
    }

    // What was entered goes, and what the station said comes back.
    let nothing = json!({"manufacturer": null, "model": ""});
    app.client.patch(&entered.path, nothing).await.ok();
    assert_eq!(maker(&entered).await, ("ALFEN BV".into(), "NG910".into()));
}

/// A tree of two groups with a station in each, and a station beside it.
struct Site {
    app: TestApp,
    above: String,
    below: String,
    stations: [TestStation; 3],
}

impl Site {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let stations = [app.station("Above").await, app.station("Below").await, app.station("Beside").await];
        for station in &stations {
            let name = app.client.get(&station.path).await.ok()["name"].clone();
            let path = format!("/connectors/{}", station.connector);
            app.client.patch(&path, json!({"name": name})).await.ok();
        }
        let above = app.group_of(&stations[0], json!({"maximum_capacity": 50})).await;
        let group = app.client.get(&above).await.ok();
        let child =
            json!({"name": "Child", "maximum_capacity": 22, "location": group["location"], "parent": group["_id"]});
        let child = app.client.post("/groups", child).await.created();
        let below = text(&child, "_id");
        let member = json!({"chargestation": stations[1].id});
        let members = format!("/groups/{below}/chargestations");
        app.client.post(&members, member).await.created();
        let above = text(&group, "_id");
        Self { app, above, below, stations }
    }
}

#[actix_web::test]
async fn a_group_finds_the_stations_and_connectors_that_are_in_it_and_below() {
    let site = Site::new().await;
    let stranger = site.app.stranger().await;
    for resource in ["chargestations", "connectors"] {
        let list = |group: &str| format!("/{resource}?group={group}");
        let client = &site.app.client;
        assert_eq!(names(client, &list(&site.above)).await, ["Above", "Below"]);
        assert_eq!(names(client, &list(&site.below)).await, ["Below"]);
        let nowhere = list("650000000000000000000001");
        assert!(names(client, &nowhere).await.is_empty());
        assert!(names(&stranger, &list(&site.above)).await.is_empty());
    }
    let client = &site.app.client;
    assert_eq!(names(client, "/chargestations?in_group=true").await, ["Above", "Below"]);
    assert_eq!(names(client, "/chargestations?in_group=false").await, ["Beside"]);
    assert!(names(&stranger, "/chargestations?in_group=false").await.is_empty());
}

async fn set_status(socket: &mut FakeStation, status: &str) {
    let reported = json!({"connectorId": 1, "errorCode": "NoError", "status": status});
    socket.call("StatusNotification", reported).await;
}

#[actix_web::test]
async fn connectors_are_found_by_how_they_are_doing_and_whether_they_work() {
    let site = Site::new().await;
    let mut sockets = Vec::new();
    for (station, status) in site.stations.iter().zip(["Charging", "Faulted", "Available"]) {
        let mut socket = FakeStation::connect(&station.url).await;
        socket.boot().await;
        set_status(&mut socket, status).await;
        sockets.push(socket);
    }
    let closed = json!({"operational_status": "Closed"});
    site.app.client.patch(&site.stations[2].path, closed).await.ok();
    for (query, found) in [
        ("status=Charging", &["Above"][..]),
        ("status=Faulted", &["Below"]),
        ("operational_status=Operative", &["Above"]),
        ("operational_status=Inoperative", &["Below"]),
        ("operational_status=Closed", &["Beside"]),
    ] {
        let path = format!("/connectors?{query}");
        assert_eq!(names(&site.app.client, &path).await, found, "{query}");
        if let Some(status) = query.strip_prefix("operational_status=") {
            let rows = site.app.client.get(&path).await.json();
            assert_eq!(rows["result"][0]["operational_status"], status);
        }
    }
}

#[actix_web::test]
async fn sessions_are_found_by_when_they_charged_and_where() {
    let site = Site::new().await;
    // Above charged from 8 to 6 minutes ago, Below from 5 to 3, Beside since 2.
    let now = || site.app.running.context.clock.now().to_string();
    let mut sockets = Vec::new();
    for (station, (lasts, then)) in site.stations.iter().zip([(2, 1), (2, 1), (0, 2)]) {
        let mut socket = FakeStation::connect(&station.url).await;
        socket.boot().await;
        let transaction = socket.start(1, "CARD", 0, &now()).await;
        if lasts > 0 {
            site.app.pass(Duration::from_secs(60 * lasts)).await;
            let stop = json!({"transactionId": transaction, "meterStop": 0, "timestamp": now()});
            socket.call("StopTransaction", stop).await;
        }
        site.app.pass(Duration::from_secs(60 * then)).await;
        sockets.push(socket);
    }
    let now = site.app.running.context.clock.now();
    let ago = |minutes: u64| (now - Duration::from_secs(60 * minutes)).to_string();
    let group = format!("/groups/{}", site.above);
    let location = text(&site.app.client.get(&group).await.ok(), "location");
    for station in &site.stations[..2] {
        let there = json!({"location": location});
        site.app.client.patch(&station.path, there).await.ok();
    }
    let found = async |query: String| {
        let path = format!("/sessions?{query}");
        let answer = site.app.client.get(&path).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        let index = |row: &Value| {
            let mut stations = site.stations.iter();
            stations.position(|station| row["chargestation"] == station.id.as_str())
        };
        let answer = answer.json();
        let rows = answer["result"].as_array().expect("rows").iter();
        let mut found: Vec<usize> = rows.filter_map(index).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(found(format!("chargingStart[$gte]={}", ago(5))).await, [1, 2]);
    assert_eq!(found(format!("chargingStart[$lte]={}", ago(5))).await, [0, 1]);
    assert_eq!(found(format!("chargingStop[$gte]={}", ago(6))).await, [0, 1]);
    assert_eq!(found(format!("chargingStop[$lte]={}", ago(6))).await, [0]);
    let between = format!("chargingStart[$gte]={}&chargingStop[$lte]={}", ago(7), ago(1));
    assert_eq!(found(between).await, [1]);
    assert_eq!(found(format!("location={location}")).await, [0, 1]);
    assert_eq!(found(format!("group={}", site.above)).await, [0, 1]);
    assert_eq!(found(format!("group={}", site.below)).await, [1]);
    let sorted = "/sessions?sort_by=chargingStop&status=ended&sort_order=asc";
    let sorted = site.app.client.get(sorted).await.json();
    assert_eq!(sorted["result"][0]["chargestation"], site.stations[0].id);
}

#[actix_web::test]
async fn exclusion_times_are_read_where_they_are_written() {
    let app = TestApp::start().await;
    let station = app.station("Home").await;
    let group = app.group_of(&station, json!({"maximum_capacity": 22, "algorithm": "consumer_tou"})).await;
    let path = format!("{group}/exclusion_times");
    assert_eq!(app.client.get(&path).await.ok()["windows"], json!([]));

    let times = json!({"windows": [{"from": "17:00", "to": "20:00"}], "timezone": "Europe/Paris"});
    app.client.put(&path, times).await.ok();
    let answer = app.client.get(&path).await;
    let read = answer.ok();
    assert_eq!((&read["windows"][0]["from"], &read["timezone"]), (&json!("17:00"), &json!("Europe/Paris")));
    // What was read can be put back, under the version that was read; once.
    let again = |body: Value| {
        let put = app.client.request(reqwest::Method::PUT, &path).json(&body);
        app.client.send(put.header("If-Match", &answer.headers["etag"]))
    };
    again(read.clone()).await.ok();
    again(read).await.error(412);
    assert_eq!(app.stranger().await.get(&path).await.error(404), "not_found");
    let blind = app.client_with(&["write:groups"]).await;
    blind.get(&path).await.error(403);
}
