//! Locations over HTTP.

use serde_json::{Value, json};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::support::TestApp;

fn depot() -> Value {
    json!({
        "operatorName": "Depot North",
        "address": {"streetAndNumber": "1 Main", "city": "Reno", "postalCode": "89501", "state": "NV", "country": "us"},
        "coordinates": [-119.81, 39.53],
        "timezone": "America/Los_Angeles",
        "openingHours": {"1": [{"startTime": "08:00", "endTime": "20:00"}]},
        "meta_data": {"site": 7}
    })
}

#[actix_web::test]
async fn a_location_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let created = app.client.post("/locations", depot()).await.created();
    let path = format!("/locations/{}", created["_id"].as_str().expect("an id"));
    assert_eq!(created["address"]["country"], "US");
    assert_eq!(app.client.get(&path).await.ok(), created);

    let changed =
        app.client.patch(&path, json!({"notes": "Gate code 12", "timezone": null, "active": false})).await.ok();
    assert_eq!((&changed["notes"], &changed["timezone"]), (&json!("Gate code 12"), &json!("UTC")));
    assert_eq!(changed["operatorName"], "Depot North");
    assert_eq!(app.client.patch(&path, json!({"operatorName": null})).await.faulty_fields(), ["operatorName"]);

    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
}

#[actix_web::test]
async fn directions_are_stored_changed_and_cleared() {
    let app = TestApp::start().await;
    let mut body = depot();
    body["directions"] = json!("Level -2, behind the second barrier");
    let created = app.client.post("/locations", body).await.created();
    assert_eq!(created["directions"], "Level -2, behind the second barrier");
    let path = format!("/locations/{}", created["_id"].as_str().expect("an id"));
    let changed = app.client.patch(&path, json!({"directions": "Gate 3"})).await.ok();
    assert_eq!(changed["directions"], "Gate 3");
    assert_eq!(app.client.patch(&path, json!({"directions": 3})).await.faulty_fields(), ["directions"]);
    assert_eq!(app.client.patch(&path, json!({"directions": null})).await.ok()["directions"], Value::Null);
    assert_eq!(app.client.get(&path).await.ok()["directions"], Value::Null);
}

#[actix_web::test]
async fn every_fault_of_a_body_is_named() {
    let app = TestApp::start().await;
    let body = json!({"coordinates": [200, 0], "timezone": "Mars/Base", "openingHours": {"9": []}, "colour": "red",
        "voltage": 5, "address": {"country": "Utopia"}});
    let fields = app.client.post("/locations", body).await.faulty_fields();
    assert_eq!(
        fields,
        ["address.country", "colour", "coordinates", "openingHours.9", "operatorName", "timezone", "voltage"]
    );
}

#[actix_web::test]
async fn lists_search_filter_sort_and_export() {
    let app = TestApp::start().await;
    for (name, place) in [("Alpha", [4.89, 52.37]), ("beta 100%", [2.35, 48.85]), ("=Gamma", [13.4, 52.52])] {
        let mut body = depot();
        body["operatorName"] = json!(name);
        body["coordinates"] = json!(place);
        app.client.post("/locations", body).await.created();
    }
    let names = |answer: Value| -> Vec<String> {
        answer["result"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["operatorName"].as_str().unwrap().into())
            .collect()
    };
    let sorted = app.client.get("/locations?sort_by=operatorName&sort_order=asc&paginate_limit=2").await.json();
    assert_eq!(names(sorted.clone()), ["=Gamma", "Alpha"]);
    assert_eq!(
        (&sorted["totalDocs"], &sorted["hasNextPage"], &sorted["nextPage"]),
        (&json!(3), &json!(true), &json!(2))
    );
    assert_eq!(names(app.client.get("/locations?search=BETA%20100%25").await.json()), ["beta 100%"]);
    assert_eq!(names(app.client.get("/locations?active=false").await.json()), Vec::<String>::new());

    let near = app.client.get("/locations?near=4.9,52.4&radius_km=600").await.json();
    assert_eq!(names(near.clone()), ["Alpha", "beta 100%", "=Gamma"]);
    assert!(near["result"][1]["distance_km"].as_f64().is_some_and(|km| (400.0..470.0).contains(&km)), "{near}");
    let features = app.client.get("/locations?format=geojson&search=alpha").await.json();
    assert_eq!(features["features"][0]["geometry"], json!({"type": "Point", "coordinates": [4.89, 52.37]}));

    let csv = app.client.get("/locations?format=csv&paginate_enabled=false").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.text.lines().count() == 4 && csv.text.contains("'=Gamma"), "{}", csv.text);

    assert_eq!(
        app.client.get("/locations?colour=red&paginate_limit=0").await.faulty_fields(),
        ["colour", "paginate_limit"]
    );
    assert_eq!(app.client.get("/locations?sort_by=shoe").await.faulty_fields(), ["sort_by"]);
}

#[actix_web::test]
async fn driving_distances_come_from_the_routing_server_or_are_null_with_a_reason() {
    // A routing server that knows one road of 12.3 km, and none to the second place.
    let table = || async { HttpResponse::Ok().json(json!({"code": "Ok", "distances": [[0.0, 12_345.0, null]]})) };
    let routing = HttpServer::new(move || App::new().route("/table/v1/driving/{places}", web::get().to(table)))
        .workers(1)
        .bind("127.0.0.1:0")
        .expect("a port");
    let url = format!("http://{}", routing.addrs()[0]);
    actix_web::rt::spawn(routing.run());
    let app = TestApp::start_with(&[("EVENWATT_ROUTING_URL", &url)]).await;
    for longitude in [4.9, 5.9] {
        let site = json!({"operatorName": "Site", "address": {}, "coordinates": [longitude, 52.4]});
        app.client.post("/locations", site).await.created();
    }
    let near = "/locations?near=4.8,52.4&driving=true";
    let rows = app.client.get(near).await.json();
    let shown = |row: usize| [&rows["result"][row]["driving_km"], &rows["result"][row]["driving_reason"]];
    assert_eq!(shown(0), [&json!(12.35), &json!(null)]);
    assert_eq!(shown(1), [&json!(null), &json!("there is no road")]);
    let without = TestApp::start().await;
    let site = json!({"operatorName": "Site", "address": {}, "coordinates": [4.9, 52.4]});
    without.client.post("/locations", site).await.created();
    let row = without.client.get(near).await.json()["result"][0].clone();
    assert_eq!((&row["driving_km"], &row["driving_reason"]), (&json!(null), &json!("no routing server is configured")));
    assert_eq!(without.client.get("/locations?driving=true").await.faulty_fields(), ["driving"]);
}
