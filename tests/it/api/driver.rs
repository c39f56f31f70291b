//! What drivers do without a key: public stations, prices, charging with a card.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::portal::text;
use crate::support::{Answer, Client, FakeStation, TestApp, TestStation};

pub(super) const CARD: &str = "04A1B2C3";

/// Somebody without any key, with the cookies that the server set.
pub(super) struct Driver {
    pub client: Client,
    pub cookies: Vec<String>,
}

impl Driver {
    pub fn of(app: &TestApp) -> Self {
        Self { client: Client::new(app.running.address, "nothing"), cookies: Vec::new() }
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let address = format!("{}/v1.1/driver{path}", self.client.base);
        let mut request = self.client.http.request(method, address).header("cookie", self.cookies.join("; "));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.client.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Sends a change and keeps the cookies of the answer, as a browser does.
    pub async fn post(&mut self, path: &str, body: Option<Value>) -> Answer {
        let answer = self.ask(Method::POST, path, body).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().expect("a text").split(';').next().expect("a pair").to_owned();
            let (name, value) = pair.split_once('=').expect("a name and a value");
            self.cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
            if !value.is_empty() {
                self.cookies.push(pair);
            }
        }
        answer
    }

    pub async fn start(&mut self, code: &str, body: Value) -> Answer {
        self.post(&format!("/evses/{code}/sessions"), Some(body)).await
    }

    pub async fn stop(&self, code: &str, session: &str) -> Answer {
        self.ask(Method::POST, &format!("/evses/{code}/sessions/{session}/stop"), None).await
    }

    pub async fn session(&self, code: &str, session: &str) -> Answer {
        self.get(&format!("/evses/{code}/sessions/{session}")).await
    }
}

pub(super) async fn code_of(app: &TestApp, station: &TestStation) -> String {
    let evses = app.client.get(&format!("/evses?chargestation={}", station.id)).await.json();
    text(&evses["result"][0]["code"])
}

pub(super) async fn card(app: &TestApp) {
    app.client.post("/tokens", json!({"physicalId": CARD})).await.created();
}

/// A station at a location in this place.
pub(super) async fn station_at(app: &TestApp, name: &str, place: [f64; 2]) -> TestStation {
    let site = json!({"operatorName": "Depot", "name": name, "address": {"city": "Amsterdam"}, "coordinates": place,
        "directions": "Level -2"});
    let location = app.client.post("/locations", site).await.created();
    let station = app.station(name).await;
    app.client.patch(&station.path, json!({"location": location["_id"]})).await.ok();
    station
}

#[actix_web::test]
async fn everybody_finds_public_stations_and_the_pages_of_their_evses() {
    let app = TestApp::start().await;
    let near = station_at(&app, "Near", [4.9, 52.37]).await;
    let far = station_at(&app, "Far", [4.9, 52.46]).await;
    for (name, change) in [
        ("Hidden", json!({"visible": false})),
        ("Private", json!({"public": false})),
        ("Inactive", json!({"active": false})),
        ("Closed", json!({"operational_status": "Closed"})),
    ] {
        let station = station_at(&app, name, [4.9, 52.37]).await;
        app.client.patch(&station.path, change).await.ok();
    }
    app.station("Nowhere").await;
    let driver = Driver::of(&app);
    let names = |stations: &Value| -> Vec<String> {
        stations.as_array().expect("a list").iter().map(|station| text(&station["name"])).collect()
    };
    let mut all = names(&driver.get("/chargestations").await.ok());
    all.sort();
    assert_eq!(all, ["Far", "Near", "Nowhere"]);

    // 0.09° of latitude are 10.0 km.
    let sorted = driver.get("/chargestations?near=4.9,52.45").await.ok();
    assert_eq!(names(&sorted), ["Far", "Near"]);
    assert_eq!(sorted[0]["distance_km"], 1.112);
    let within = driver.get("/chargestations?near=4.9,52.37&radius_km=5").await.ok();
    assert_eq!(names(&within), ["Near"]);
    let shown = &within[0];
    assert_eq!((&shown["coordinates"], &shown["online"]), (&json!([4.9, 52.37]), &json!(false)));
    assert_eq!(
        (&shown["location"]["name"], &shown["location"]["address"]["city"]),
        (&json!("Near"), &json!("Amsterdam"))
    );
    let connector = &shown["connectors"][0];
    assert_eq!(
        (&connector["_id"], &connector["power"], &connector["type"]),
        (&json!(near.connector), &json!(7.0), &json!("J1772"))
    );
    assert_eq!(connector["code"], code_of(&app, &near).await);
    assert_eq!(driver.get("/chargestations?near=x").await.faulty_fields(), ["near"]);

    let own = json!({"coordinates": [4.9, 52.371]});
    app.client.patch(&far.path, own).await.ok();
    let moved = driver.get("/chargestations?near=4.9,52.37&radius_km=5").await.ok();
    assert_eq!(names(&moved), ["Near", "Far"], "its own coordinates count");
}

#[actix_web::test]
async fn a_driver_sees_the_price_that_holds_now_per_kwh_per_minute_and_per_session() {
    let app = TestApp::start().await;
    let station = station_at(&app, "Hof", [4.9, 52.37]).await;
    let code = code_of(&app, &station).await;
    let driver = Driver::of(&app);
    let path = format!("/evses/{code}");
    let seen = driver.get(&path).await.ok();
    assert_eq!(
        (&seen["name"], &seen["rate"], &seen["location"]["directions"]),
        (&json!("Hof"), &Value::Null, &json!("Level -2"))
    );
    assert_eq!(driver.get(&format!("/evses/{}", code.to_lowercase())).await.ok()["code"], code);
    app.client.patch("/organization", json!({"support_contact": {"phone": "+31 20 1234567"}})).await.ok();
    let seen = driver.get(&path).await.ok();
    let whom = json!({"_id": seen["organization"]["_id"], "name": "Test organization", "logo": null,
        "support_contact": {"phone": "+31 20 1234567"}});
    assert_eq!(seen["organization"], whom, "whom to call when it does not charge");

    let rate = json!({"name": "Day", "currency": "EUR", "minimum_amount": 0.5, "price_components": [
        {"type": "FLAT", "price": 0.5, "tax": 20}, {"type": "PARKING_TIME", "price": 3, "tax": 20, "grace_period": 0.25},
        {"type": "ENERGY", "price": 0.4, "tax": 20}, {"type": "TIME", "price": 1.5}]});
    let day = app.client.post("/rates", rate).await.created();
    let night =
        json!({"name": "Night", "currency": "EUR", "price_components": [{"type": "ENERGY", "price": 0.2, "tax": 20}]});
    let night = app.client.post("/rates", night).await.created();
    // It is 03:06 in UTC, where the location's clocks are.
    let schedule = json!({"name": "Both", "currency": "EUR", "default_rate": day["_id"],
        "layout": [{"target": {"start_time": "22:00", "end_time": "06:00"}, "rate": night["_id"]}]});
    let schedule = app.client.post("/rates/schedule", schedule).await.created();
    let connector = format!("/connectors/{}", station.connector);
    app.client.patch(&connector, json!({"rate": day["_id"]})).await.ok();
    let prices = [
        json!({"type": "ENERGY", "unit": "kWh", "price": 0.48, "tax": 20, "free_minutes": 0}),
        json!({"type": "TIME", "unit": "min", "price": 0.025, "tax": 0, "free_minutes": 0}),
        json!({"type": "PARKING_TIME", "unit": "min", "price": 0.06, "tax": 20, "free_minutes": 15}),
        json!({"type": "FLAT", "unit": "session", "price": 0.6, "tax": 20, "free_minutes": 0}),
    ];
    let expected = json!({"name": "Day", "currency": "EUR", "price_components": prices, "minimum_amount": 0.5});
    assert_eq!(driver.get(&path).await.ok()["rate"], expected);

    app.client.patch(&connector, json!({"rate": schedule["_id"]})).await.ok();
    let now = driver.get(&path).await.ok();
    let price = json!([{"type": "ENERGY", "unit": "kWh", "price": 0.24, "tax": 20, "free_minutes": 0}]);
    assert_eq!((&now["rate"]["name"], &now["rate"]["price_components"]), (&json!("Night"), &price));
    app.pass_until("2026-04-24T06:00:00Z").await;
    assert_eq!(driver.get(&path).await.ok()["rate"]["name"], "Day");
}

#[actix_web::test]
async fn a_driver_starts_and_stops_with_a_card_and_nobody_else_does() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    card(&app).await;
    let mut driver = Driver::of(&app);
    assert_eq!(driver.start(&code, json!({"id_tag": CARD})).await.error(406), "station_offline");
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;

    let started = driver.start(&code, json!({"id_tag": "04a1b2c3"})).await;
    let cookie = started.headers["set-cookie"].to_str().expect("a text").to_owned();
    let session = text(&started.created()["_id"]);
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/v1.1/driver;"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "the way is not encrypted: {cookie}");
    let ask = socket.next_call().await;
    assert_eq!(ask[2], "RemoteStartTransaction");
    assert_eq!((&ask[3]["connectorId"], &ask[3]["idTag"]), (&json!(1), &json!("04a1b2c3")));
    socket.answer(&ask, json!({"status": "Accepted"})).await;
    assert_eq!(driver.session(&code, &session).await.ok()["status"], "created");
    let transaction = socket.start(1, "04a1b2c3", 1_000, "2026-04-24T03:00:00Z").await;
    let seen = driver.session(&code, &session).await;
    assert_eq!(seen.headers["cache-control"], "no-store");
    let seen = seen.ok();
    assert_eq!((&seen["status"], &seen["connector"]), (&json!("started"), &json!(station.connector)));

    let stranger = Driver::of(&app);
    assert_eq!(stranger.session(&code, &session).await.error(404), "not_found");
    assert_eq!(stranger.stop(&code, &session).await.error(404), "not_found");
    let forged = Driver { cookies: vec![format!("{}0", driver.cookies[0])], ..Driver::of(&app) };
    assert_eq!(forged.stop(&code, &session).await.error(404), "not_found");
    let other = app.station("Other").await;
    let elsewhere = code_of(&app, &other).await;
    assert_eq!(driver.session(&elsewhere, &session).await.error(404), "not_found");

    driver.stop(&code, &session).await.ok();
    let ask = socket.next_call().await;
    assert_eq!((&ask[2], &ask[3]["transactionId"]), (&json!("RemoteStopTransaction"), &json!(transaction)));
    socket.answer(&ask, json!({"status": "Accepted"})).await;
    let stop = json!({"transactionId": transaction, "meterStop": 3_500, "timestamp": "2026-04-24T03:06:00Z"});
    socket.call("StopTransaction", stop).await;
    let over = driver.session(&code, &session).await.ok();
    // A 7 kW connector gives 700 Wh in six minutes.
    assert_eq!((&over["status"], &over["chargingStop"]), (&json!("ended"), &json!("2026-04-24T03:06:00.000Z")));
    assert!(over["energyConsumed"].as_i64().is_some_and(|energy| energy > 0), "{over}");
    app.pass(Duration::from_secs(7 * 24 * 3_600)).await;
    assert_eq!(driver.session(&code, &session).await.error(404), "not_found", "the cookie is over");
}

#[actix_web::test]
async fn a_driver_starts_at_a_station_of_ocpp_2() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    card(&app).await;
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    let mut driver = Driver::of(&app);
    let session = text(&driver.start(&code, json!({"id_tag": CARD})).await.created()["_id"]);
    let ask = socket.next_call().await;
    assert_eq!((&ask[2], &ask[3]["idToken"]["idToken"]), (&json!("RequestStartTransaction"), &json!(CARD)));
    socket.answer(&ask, json!({"status": "Accepted"})).await;
    let event = |kind: &str, number: u32, minute: u32| {
        json!({"eventType": kind, "timestamp": format!("2026-04-24T03:0{minute}:00Z"), "triggerReason": "RemoteStart",
            "seqNo": number, "idToken": {"idToken": CARD, "type": "ISO14443"}, "evse": {"id": 1, "connectorId": 1},
            "transactionInfo": {"transactionId": "tx", "remoteStartId": ask[3]["remoteStartId"]}})
    };
    socket.call("TransactionEvent", event("Started", 0, 1)).await;
    assert_eq!(driver.session(&code, &session).await.ok()["status"], "started");
    driver.stop(&code, &session).await.ok();
    let stop = socket.next_call().await;
    assert_eq!((&stop[2], &stop[3]["transactionId"]), (&json!("RequestStopTransaction"), &json!("tx")));
    socket.answer(&stop, json!({"status": "Accepted"})).await;
    socket.call("TransactionEvent", event("Ended", 1, 5)).await;
    assert_eq!(driver.session(&code, &session).await.ok()["status"], "ended");
}

#[actix_web::test]
async fn numbers_of_cards_are_not_guessed() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    card(&app).await;
    let _socket = FakeStation::connect(&station.url).await;
    app.db_token("BLOCKED", "blocked", None, None).await;
    let mut driver = Driver::of(&app);
    assert_eq!(driver.start(&code, json!({})).await.faulty_fields(), ["id_tag"]);
    for tag in ["1", "2", "3", "4", "BLOCKED"] {
        assert_eq!(driver.start(&code, json!({"id_tag": tag})).await.faulty_fields(), ["id_tag"]);
    }
    let locked = driver.start(&code, json!({"id_tag": CARD})).await;
    assert_eq!(locked.error(429), "too_many_requests");
    assert_eq!(locked.headers["retry-after"], "61");
    app.pass(Duration::from_secs(60)).await;
    driver.start(&code, json!({"id_tag": CARD})).await.created();
    assert!(app.client.get("/sessions").await.json()["totalDocs"] == 1);
}

#[actix_web::test]
async fn a_charger_that_is_not_for_everybody_is_there_for_its_own_cards_alone() {
    let app = TestApp::start().await;
    app.client.patch("/organization", json!({"unknown_cards": "accept"})).await.ok();
    card(&app).await;
    for hidden in [json!({"public": false}), json!({"visible": false})] {
        let station = app.station("S").await;
        let code = code_of(&app, &station).await;
        let mut socket = FakeStation::connect(&station.url).await;
        socket.boot().await;
        let mut driver = Driver::of(&app);
        assert_eq!(driver.get(&format!("/evses/{code}")).await.ok()["code"], code);
        app.client.patch(&station.path, hidden).await.ok();
        assert_eq!(driver.get(&format!("/evses/{code}")).await.error(404), "not_found");
        assert_eq!(driver.start(&code, json!({"id_tag": "UNKNOWN"})).await.error(404), "not_found");
        let session = driver.start(&code, json!({"id_tag": CARD})).await.created();
        assert_eq!(driver.session(&code, &text(&session["_id"])).await.ok()["status"], "created");
    }
}

#[actix_web::test]
async fn where_several_connectors_work_the_code_or_the_car_says_which() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    card(&app).await;
    let evses = app.client.get("/evses").await.json();
    let evse = text(&evses["result"][0]["_id"]);
    let second = json!({"power": 7, "evse": evse, "code": "B"});
    let second = app.client.post(&format!("{}/connectors", station.path), second).await.created();
    app.client.patch(&format!("/evses/{evse}"), json!({"simultaneous": true})).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let mut driver = Driver::of(&app);
    let codes = |seen: &Value| -> Vec<String> {
        seen["connectors"].as_array().expect("a list").iter().map(|one| text(&one["code"])).collect()
    };
    let seen = driver.get(&format!("/evses/{code}")).await.ok();
    assert_eq!(codes(&seen), [format!("{code}*1"), format!("{code}*B")]);
    let named = driver.get(&format!("/evses/{code}*B")).await.ok();
    assert_eq!((codes(&named).len(), &named["connectors"][0]["_id"]), (1, &second["_id"]));
    assert_eq!(driver.get(&format!("/evses/{code}*C")).await.error(404), "not_found");
    assert_eq!(driver.get(&format!("/evses/{evse}")).await.ok()["code"], code, "by its id");

    assert_eq!(driver.start(&code, json!({"id_tag": CARD})).await.faulty_fields(), ["connector"]);
    let foreign = json!({"id_tag": CARD, "connector": "650000000000000000000001"});
    assert_eq!(driver.start(&code, foreign).await.faulty_fields(), ["connector"]);
    let status = json!({"connectorId": 2, "status": "Preparing", "errorCode": "NoError"});
    socket.call("StatusNotification", status).await;
    let begun = driver.start(&code, json!({"id_tag": CARD})).await.created();
    assert_eq!(begun["connector"], second["_id"], "where the car is");
}

#[actix_web::test]
async fn a_page_of_another_server_starts_nothing() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    card(&app).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let driver = Driver::of(&app);
    let from = async |origin: String| {
        let address = format!("{}/v1.1/driver/evses/{code}/sessions", driver.client.base);
        let request = driver.client.http.post(address).header("origin", origin).json(&json!({"id_tag": CARD}));
        driver.client.send(request).await
    };
    assert_eq!(from("https://evil.example".to_owned()).await.error(403), "foreign_origin");
    assert_eq!(from("null".to_owned()).await.error(403), "foreign_origin");
    from(driver.client.base.clone()).await.created();
}

#[actix_web::test]
async fn codes_are_unique_on_a_server_and_drivers_can_be_left_out() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let code = code_of(&app, &station).await;
    let stranger = app.stranger().await;
    let theirs = stranger.post("/chargestations", json!({"name": "T"})).await.created();
    let path = format!("/chargestations/{}/evses", text(&theirs["_id"]));
    assert_eq!(stranger.post(&path, json!({"code": code})).await.faulty_fields(), ["code"]);
    let evse = stranger.post(&path, json!({"code": "HOF 7"})).await.created();
    let evse = format!("/evses/{}", text(&evse["_id"]));
    assert_eq!(stranger.patch(&evse, json!({"code": code})).await.faulty_fields(), ["code"]);
    assert_eq!(Driver::of(&app).get("/evses/HOF%207").await.ok()["code"], "HOF 7");

    let app = app.restart_with(&[("EVENWATT_DRIVER_ENABLED", "false")]).await;
    assert_eq!(Driver::of(&app).get(&format!("/evses/{code}")).await.error(404), "not_found");
    let app = app.restart_with(&[("EVENWATT_DRIVER_RATE_PER_SECOND", "1"), ("EVENWATT_DRIVER_RATE_BURST", "1")]).await;
    let driver = Driver::of(&app);
    driver.get("/chargestations").await.ok();
    assert_eq!(driver.get("/chargestations").await.error(429), "too_many_requests");
}

#[actix_web::test]
async fn a_qr_code_is_the_url_of_the_page_where_drivers_charge() {
    let app = TestApp::start_with(&[("EVENWATT_HTTP_PUBLIC_URL", "wss://charge.example.com/")]).await;
    app.station("S").await;
    let evses = app.client.get("/evses").await.json();
    let path = format!("/evses/{}", text(&evses["result"][0]["_id"]));
    app.client.patch(&path, json!({"code": "HOF 7"})).await.ok();
    let picture = |url: &str| {
        let code = qrcode::QrCode::new(url).expect("a short text");
        code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(256, 256).build()
    };
    let shown = app.client.get(&format!("{path}/qr.svg")).await;
    assert_eq!(shown.text, picture("https://charge.example.com/e/HOF%207"));
}
