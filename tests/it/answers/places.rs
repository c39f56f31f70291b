//! What has a place is found by it; what has none says so.

use serde_json::{Value, json};

use super::{names, text};
use crate::support::{FakeStation, TestApp};

/// Every list of the document: its path, and whether it documents `near`.
fn lists(document: &Value) -> Vec<(String, bool)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut lists = Vec::new();
    for (path, methods) in paths {
        let has = |name: &str| {
            let parameters = methods["get"]["parameters"].as_array();
            parameters.is_some_and(|all| all.iter().any(|one| one["name"] == name))
        };
        let others = ["/v1.1/portal/", "/v1.1/driver/", "/v1.1/organizations"];
        let is_of_keys = !others.iter().any(|begin| path.starts_with(begin));
        if has("paginate_page") && is_of_keys {
            lists.push((path.replace("/v1.1", ""), has("near")));
        }
    }
    lists
}

#[actix_web::test]
async fn only_lists_with_places_know_near_and_geojson() {
    let app = TestApp::start().await;
    let document = app.client.get_bare("/openapi.json").await.json();
    let lists = lists(&document);
    let placed: Vec<&str> = lists.iter().filter(|(_, placed)| *placed).map(|(path, _)| path.as_str()).collect();
    assert_eq!(placed, ["/assets", "/chargestations", "/evses", "/locations"]);
    for (path, placed) in &lists {
        let path = path.replace("{id}", "650000000000000000000001");
        let near = app.client.get(&format!("{path}?near=4.9,52.4")).await;
        let map = app.client.get(&format!("{path}?format=geojson")).await;
        if *placed {
            assert_eq!((near.status.as_u16(), map.status.as_u16()), (200, 200), "{path}");
            continue;
        }
        assert_eq!(near.faulty_fields(), ["near"], "{path}");
        map.error(406);
        let radius = app.client.get(&format!("{path}?radius_km=5")).await;
        assert_eq!(radius.faulty_fields(), ["radius_km"], "{path}");
    }
}

#[actix_web::test]
async fn an_evse_is_where_its_station_is() {
    let app = TestApp::start().await;
    let site = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
    let location = text(&app.client.post("/locations", site).await.created(), "_id");
    let places = [
        ("At the site", json!({"location": location})),
        ("At the gate", json!({"location": location, "coordinates": [4.8, 52.4]})),
        ("Nowhere", json!({})),
    ];
    for (name, place) in places {
        let station = app.station(name).await;
        app.client.patch(&station.path, place).await.ok();
        let connector = app.client.get(&format!("/connectors/{}", station.connector)).await.ok();
        let evse = format!("/evses/{}", text(&connector, "evse"));
        app.client.patch(&evse, json!({"name": name})).await.ok();
    }
    let rows = app.client.get("/evses?near=4.8,52.4").await.json();
    let shown = |row: &Value| (text(row, "name"), row["coordinates"].clone());
    let rows: Vec<_> = rows["result"].as_array().expect("rows").iter().map(shown).collect();
    let (gate, depot) = (json!([4.8, 52.4]), json!([4.9, 52.4]));
    assert_eq!(rows, [("At the gate".into(), gate), ("At the site".into(), depot)]);
    assert_eq!(names(&app.client, "/evses?near=4.9,52.4&radius_km=1").await, ["At the site"]);
    let there = format!("/evses?location={location}");
    assert_eq!(names(&app.client, &there).await, ["At the gate", "At the site"]);

    let map = app.client.get("/evses?format=geojson&sort_by=name&sort_order=asc").await.json();
    let geometry = |index: usize| map["features"][index]["geometry"].clone();
    assert_eq!(geometry(0)["coordinates"], json!([4.8, 52.4]));
    assert_eq!((geometry(1)["type"].clone(), geometry(2)), (json!("Point"), Value::Null));
    assert_eq!(map["features"][1]["properties"]["location"], location);
}

#[actix_web::test]
async fn evses_are_found_by_how_they_are_doing() {
    let app = TestApp::start().await;
    let station = app.station("Two plugs").await;
    let first = app.client.get(&format!("/connectors/{}", station.connector)).await.ok();
    let second = json!({"type": "Type2", "power": 7, "evse": first["evse"]});
    let connectors = format!("{}/connectors", station.path);
    app.client.post(&connectors, second).await.created();
    let bare = json!({"name": "Bare"});
    app.client.post(&format!("{}/evses", station.path), bare).await.created();
    let evse = format!("/evses/{}", text(&first, "evse"));
    app.client.patch(&evse, json!({"name": "Pair"})).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;

    for (left, right, shown) in [
        ("Available", "Charging", "Charging"),
        ("Faulted", "Available", "Available"),
        ("Faulted", "Unavailable", "Unavailable"),
        ("Reserved", "Finishing", "Finishing"),
    ] {
        for (number, status) in [(1, left), (2, right)] {
            let reported = json!({"connectorId": number, "errorCode": "NoError", "status": status});
            socket.call("StatusNotification", reported).await;
        }
        assert_eq!(app.client.get(&evse).await.ok()["detailed_status"], shown);
        for status in ["Available", "Charging", "Faulted", "Finishing", "Reserved", "Closed"] {
            let found = names(&app.client, &format!("/evses?status={status}")).await;
            let expected = if status == shown { vec!["Pair"] } else { vec![] };
            assert_eq!(found, expected, "{left} and {right}: {status}");
        }
    }
    assert_eq!(names(&app.client, "/evses?status=Unavailable").await, ["Bare"]);
    let closed = json!({"operational_status": "Closed"});
    app.client.patch(&station.path, closed).await.ok();
    assert_eq!(names(&app.client, "/evses?status=Closed").await, ["Pair"]);
    assert!(names(&app.client, "/evses?status=Finishing").await.is_empty());
}
