//! Stations, EVSEs and connectors over HTTP.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

#[actix_web::test]
async fn a_station_gets_its_url_and_embeds_its_connectors() {
    let app = TestApp::start().await;
    let site = json!({"operatorName": "Site", "address": {}, "coordinates": [4.89, 52.37]});
    let location = app.client.post("/locations", site).await.created();
    let body = json!({"location": location["_id"], "name": "North 1", "protocol": "1.6", "manufacturer": "Acme"});
    let station = app.client.post("/chargestations", body).await.created();
    let url = station["connection_url"].as_str().expect("a URL");
    assert!(url.starts_with("ws://") && url.ends_with(&format!("/ocpp/{}", station["endpoint"].as_str().unwrap())));
    assert_eq!((&station["protocol"], &station["online"]), (&json!("ocpp1.6"), &json!(false)));

    let path = format!("/chargestations/{}", station["_id"].as_str().unwrap());
    let edrv = json!({"type": "G105", "format": "Cable", "power_type": "AC_3_PHASE", "power": 22, "name": "Left"});
    let connector = app.client.post(&format!("{path}/connectors"), edrv).await.created();
    assert_eq!(
        (&connector["type"], &connector["format"], &connector["power_type"]),
        (&json!("CHADEMO"), &json!("CABLE"), &json!("AC Three Phase"))
    );
    assert_eq!((&connector["number"], &connector["evseId"]), (&json!(1), &json!(1)));
    let read = app.client.get(&format!("{path}?include_location=true")).await.ok();
    assert_eq!((&read["connectors"][0], &read["location"]), (&connector, &location));

    let in_use = app.client.delete(&format!("/locations/{}", location["_id"].as_str().unwrap())).await;
    assert_eq!(in_use.error(409), "in_use");
    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
}

#[actix_web::test]
async fn lists_of_stations_filter_by_what_people_ask_for() {
    let app = TestApp::start().await;
    for (name, public, maker) in [("A", true, "Acme"), ("B", false, "Acme"), ("C", true, "Zeta")] {
        let body = json!({"name": name, "public": public, "manufacturer": maker, "coordinates": [4.9, 52.3]});
        app.client.post("/chargestations", body).await.created();
    }
    let names = async |query: &str| -> Vec<Value> {
        let list = app.client.get(&format!("/chargestations?sort_by=name&sort_order=asc&{query}")).await.json();
        list["result"].as_array().expect("rows").iter().map(|row| row["name"].clone()).collect()
    };
    assert_eq!(names("vendor=ACME").await, ["A", "B"]);
    assert_eq!(names("public=true&online=false").await, ["A", "C"]);
    assert_eq!(names("search=zet").await, ["C"]);
    assert_eq!(names("near=4.9,52.3&radius_km=1").await.len(), 3);
    assert_eq!(names("status=Charging").await, Vec::<Value>::new());
    let features = app.client.get("/chargestations?format=geojson").await.json();
    assert_eq!(features["features"].as_array().map(Vec::len), Some(3));
}

#[actix_web::test]
async fn evses_have_unique_codes_and_valid_ids() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let path = format!("{}/evses", station.path);
    let evse = app.client.post(&path, json!({"name": "Left", "evse_id": "nl*ewt*e1"})).await.created();
    assert_eq!((&evse["evse_id"], &evse["number"]), (&json!("NL*EWT*E1"), &json!(2)));
    let twin = app.client.post(&path, json!({"code": evse["code"]})).await;
    assert_eq!(twin.faulty_fields(), ["code"]);
    assert_eq!(app.client.post(&path, json!({"evse_id": "nonsense"})).await.faulty_fields(), ["evse_id"]);
    let own = format!("/evses/{}", evse["_id"].as_str().unwrap());
    let changed = app.client.patch(&own, json!({"reservable": true, "custom_fields": {"zone": "city"}})).await.ok();
    assert_eq!((&changed["reservable"], &changed["custom_fields"]["zone"]), (&json!(true), &json!("city")));
    app.client.delete(&own).await.ok();
}

#[actix_web::test]
async fn numbers_are_taken_once_bounded_and_filled_from_below() {
    let app = TestApp::start().await;
    let station = app.station("S").await; // its connector is number 1, on EVSE 1
    for (kind, body, high) in [("connectors", json!({"power": 7}), 9_998), ("evses", json!({}), 9_999)] {
        let path = format!("{}/{kind}", station.path);
        let numbered = |number: i64| {
            let mut body = body.clone();
            body["number"] = json!(number);
            body
        };
        let highest = app.client.post(&path, numbered(high)).await.created();
        assert_eq!(highest["number"], json!(high));
        for wrong in [1, 0, -1, 10_000, i64::from(i32::MAX)] {
            let refused = app.client.post(&path, numbered(wrong)).await;
            assert_eq!(refused.faulty_fields(), ["number"], "{kind} {wrong}");
        }
        let next = app.client.post(&path, body.clone()).await.created();
        assert!(next["number"].as_i64() < Some(9), "{kind}: {next}");
    }
}

#[actix_web::test]
async fn connectors_are_changed_found_by_power_and_protected() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let body = json!({"power": 50, "power_type": "DC", "type": "CCS2", "wattage_limit": 40_000});
    let fast = app.client.post(&format!("{}/connectors", station.path), body).await.created();
    let found = app.client.get("/connectors?minimum_power=30").await.json();
    assert_eq!((&found["totalDocs"], &found["result"][0]["_id"]), (&json!(1), &fast["_id"]));
    assert_eq!(app.client.get("/connectors?minimum_power=45").await.json()["totalDocs"], 0);
    let path = format!("/connectors/{}", fast["_id"].as_str().unwrap());
    let faults = app.client.patch(&path, json!({"power_factor": 2, "phases": 2, "power": null})).await.faulty_fields();
    assert_eq!(faults, ["phases", "power_factor"]);
    let taken = app.client.post(&format!("{}/connectors", station.path), json!({"power": 7, "number": 1})).await;
    assert_eq!(taken.faulty_fields(), ["number"]);
    assert_eq!(app.client.patch(&path, json!({"power": 60.5})).await.ok()["power"], 60.5);
    app.client.delete(&path).await.ok();
}

#[actix_web::test]
async fn statuses_are_derived_and_their_history_is_kept() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    for (status, error, at) in [
        ("Preparing", "NoError", "2026-04-24T03:00:00Z"),
        ("Charging", "NoError", "2026-04-24T03:01:00Z"),
        ("Charging", "NoError", "2026-04-24T03:02:00Z"),
        ("Faulted", "GroundFailure", "2026-04-24T03:03:00Z"),
    ] {
        let reported = json!({"connectorId": 1, "errorCode": error, "status": status, "timestamp": at});
        socket.call("StatusNotification", reported).await;
    }
    let path = format!("/connectors/{}", station.connector);
    let history = app.client.get(&format!("{path}/statuses")).await.ok();
    let reported: Vec<_> = history.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(reported, ["Faulted", "Charging", "Preparing"]);
    assert_eq!(history[0]["error_code"], "GroundFailure");
    let both = |view: &serde_json::Value| {
        [&view["operational_status"], &view["detailed_status"]].map(|one| one.as_str().unwrap().to_owned())
    };
    assert_eq!(both(&app.client.get(&path).await.ok()), ["Inoperative", "Faulted"]);
    let evses = app.client.get("/evses").await.json();
    assert_eq!(both(&evses["result"][0]), ["Inoperative", "Faulted"]);
    app.client.patch(&station.path, json!({"operational_status": "Closed"})).await.ok();
    assert_eq!(both(&app.client.get(&path).await.ok()), ["Closed", "Closed"]);
}

#[actix_web::test]
async fn a_qr_code_names_the_connector_where_several_work_at_once() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let evses = app.client.get("/evses").await.json();
    let evse = evses["result"][0]["_id"].as_str().unwrap().to_owned();
    let path = format!("/evses/{evse}/qr.svg");
    let alone = app.client.get(&path).await;
    assert!(alone.text.contains("<svg"), "{}", alone.text);
    let png = app.client.get(&format!("/evses/{evse}/qr.png")).await;
    assert_eq!(png.headers["content-type"], "image/png");

    let second = json!({"power": 7, "evse": evse, "code": "B"});
    app.client.post(&format!("{}/connectors", station.path), second).await.created();
    app.client.patch(&format!("/evses/{evse}"), json!({"simultaneous": true})).await.ok();
    assert_eq!(app.client.get(&path).await.faulty_fields(), ["connector"]);
    let named = app.client.get(&format!("{path}?connector={}", station.connector)).await;
    assert_eq!(named.status, 200);
    assert_ne!(named.text, alone.text);
}

#[actix_web::test]
async fn a_qr_code_of_a_station_has_its_connection_url_and_may_be_saved() {
    let app = TestApp::start().await;
    let (left, right) = (app.station("Left").await, app.station("Right").await);
    let picture = app.client.get(&format!("{}/qr.svg", left.path)).await;
    assert_eq!((picture.status.as_u16(), &picture.headers["content-type"]), (200, &"image/svg+xml".parse().unwrap()));
    assert!(!picture.headers.contains_key("content-disposition"));
    // Drawn by the same crate, of what the station's URL is.
    let code = qrcode::QrCode::new(&left.url).unwrap();
    let expected = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(256, 256).build();
    assert_eq!(picture.text, expected);
    assert_ne!(app.client.get(&format!("{}/qr.svg", right.path)).await.text, picture.text);
    let saved = app.client.get(&format!("{}/qr.svg?download=true", left.path)).await;
    assert_eq!(saved.headers["content-disposition"], format!("attachment; filename=\"{}.svg\"", left.id));
    assert_eq!(saved.text, picture.text);

    let evses = app.client.get("/evses").await.json();
    let (evse, code) = (evses["result"][0]["_id"].as_str().unwrap(), evses["result"][0]["code"].as_str().unwrap());
    for end in ["svg", "png"] {
        let request = app.client.request(reqwest::Method::GET, &format!("/evses/{evse}/qr.{end}?download=true"));
        let sent = request.send().await.unwrap();
        assert_eq!(sent.headers()["content-disposition"], format!("attachment; filename=\"{code}.{end}\""));
    }
    let stranger = app.stranger().await;
    assert_eq!(stranger.get(&format!("{}/qr.svg", left.path)).await.error(404), "not_found");
    let weak = app.client_with(&["read:evses"]).await;
    assert_eq!(weak.get(&format!("{}/qr.svg", left.path)).await.error(403), "forbidden");
}

#[actix_web::test]
async fn on_a_map_a_station_is_where_its_location_is() {
    let app = TestApp::start().await;
    let site = json!({"operatorName": "Site", "address": {}, "coordinates": [4.89, 52.37]});
    let location = app.client.post("/locations", site).await.created();
    let station = json!({"name": "S", "location": location["_id"]});
    app.client.post("/chargestations", station).await.created();
    let map = app.client.get("/chargestations?format=geojson").await.json();
    assert_eq!(map["features"][0]["geometry"]["coordinates"], json!([4.89, 52.37]));
}

#[actix_web::test]
async fn invisible_stations_are_seen_by_the_private_group() {
    let app = TestApp::start().await;
    for (name, visible) in [("Street", true), ("Yard", false)] {
        let body = json!({"name": name, "visible": visible});
        app.client.post("/chargestations", body).await.created();
    }
    for (private, seen) in [(false, vec!["Street"]), (true, vec!["Street", "Yard"])] {
        let user = json!({"firstname": "Ada", "lastname": "Lovelace", "private_group": private});
        let user = app.client.post("/users", user).await.created();
        assert_eq!(user["private_group"], private);
        let id = user["_id"].as_str().expect("an id");
        let path = format!("/chargestations?seen_by={id}&sort_by=name&sort_order=asc");
        let list = app.client.get(&path).await.json();
        let names = list["result"].as_array().expect("stations").iter();
        assert_eq!(names.map(|one| &one["name"]).collect::<Vec<_>>(), seen);
    }
    let nobody = "/chargestations?seen_by=650000000000000000000001";
    assert_eq!(app.client.get(nobody).await.faulty_fields(), ["seen_by"]);
}
