//! What a login shows and starts: stations for members of the private group, and sessions of the own user.

use serde_json::{Value, json};

use super::driver::{CARD, Driver, code_of, station_at};
use super::driver_logins::{ADA, Mailing, user};
use super::portal::text;
use crate::support::{Client, FakeStation, TestApp, TestStation};

fn names(stations: &Value) -> Vec<String> {
    let mut all: Vec<_> = stations.as_array().expect("a list").iter().map(|station| text(&station["name"])).collect();
    all.sort();
    all
}

async fn seen_by(driver: &Driver) -> Vec<String> {
    names(&driver.get("/chargestations").await.ok())
}

async fn joins(client: &Client, user: &str, is_member: bool) {
    client.patch(&format!("/users/{user}"), json!({"private_group": is_member})).await.ok();
}

/// A station that is connected, its socket and the code of its EVSE.
async fn connected(app: &TestApp, name: &str) -> (TestStation, FakeStation, String) {
    let station = app.station(name).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let code = code_of(app, &station).await;
    (station, socket, code)
}

/// Accepts what a station is asked next, and answers what that is.
async fn accept(socket: &mut FakeStation) -> Value {
    let ask = socket.next_call().await;
    socket.answer(&ask, json!({"status": "Accepted"})).await;
    ask
}

#[actix_web::test]
async fn the_private_group_sees_stations_that_are_not_visible() {
    let place = Mailing::start().await;
    let app = &place.app;
    let mut codes = Vec::new();
    for (name, change) in [
        ("Street", json!({})),
        ("Staff", json!({"public": false})),
        ("Yard", json!({"visible": false})),
        ("Garage", json!({"visible": false, "public": false})),
    ] {
        let station = station_at(app, name, [4.9, 52.37]).await;
        app.client.patch(&station.path, change).await.ok();
        codes.push((name, code_of(app, &station).await));
    }
    for (name, change) in [("Gone", json!({"active": false})), ("Shut", json!({"operational_status": "Closed"}))] {
        let station = station_at(app, name, [4.9, 52.37]).await;
        app.client.patch(&station.path, json!({"visible": false})).await.ok();
        app.client.patch(&station.path, change).await.ok();
    }
    let stranger = app.stranger().await;
    let theirs = json!({"name": "Theirs", "visible": false});
    stranger.post("/chargestations", theirs).await.created();
    let ada = user(&app.client, json!({})).await;
    let driver = place.logged_in(ADA, 1).await;
    let open = async |driver: &Driver| {
        let mut open = Vec::new();
        for (name, code) in &codes {
            let answer = driver.get(&format!("/evses/{code}")).await;
            match answer.status.as_u16() {
                200 => open.push(*name),
                _ => assert_eq!(answer.error(404), "not_found"),
            }
        }
        open
    };

    let guest = Driver::of(app);
    assert_eq!((seen_by(&guest).await, open(&guest).await), (vec!["Street".to_owned()], vec!["Street"]));
    assert_eq!(seen_by(&driver).await, ["Staff", "Street"], "who is known sees what is visible, though not public");
    assert_eq!(open(&driver).await, ["Street", "Staff"]);
    joins(&app.client, &ada, true).await;
    assert_eq!(seen_by(&driver).await, ["Garage", "Staff", "Street", "Yard"]);
    assert_eq!(open(&driver).await, ["Street", "Staff", "Yard", "Garage"]);
    assert_eq!(seen_by(&guest).await, ["Street"]);

    let near = driver.get("/chargestations?near=4.9,52.37&radius_km=1").await;
    assert_eq!(near.headers["cache-control"], "no-store", "it is shown to one driver");
    let near = near.ok();
    assert_eq!(names(&near), ["Garage", "Staff", "Street", "Yard"]);
    let marks = |name: &str| {
        let found = near.as_array().expect("a list").iter().find(|station| station["name"] == name);
        found.map(|station| (station["public"].clone(), station["visible"].clone())).expect("a station")
    };
    assert_eq!(marks("Street"), (json!(true), json!(true)));
    assert_eq!(marks("Staff"), (json!(false), json!(true)));
    assert_eq!(marks("Yard"), (json!(true), json!(false)));
    let evse = driver.get(&format!("/evses/{}", codes[2].1)).await.ok();
    assert_eq!((&evse["public"], &evse["visible"]), (&json!(true), &json!(false)));

    // The same address is a user of another organization, too, and not of its private group.
    let there = user(&stranger, json!({"firstname": "Augusta"})).await;
    assert_eq!(seen_by(&driver).await, ["Garage", "Staff", "Street", "Yard"]);
    joins(&stranger, &there, true).await;
    assert_eq!(seen_by(&driver).await, ["Garage", "Staff", "Street", "Theirs", "Yard"]);
    let account = driver.get("/account").await.ok();
    let mut known: Vec<_> = account["organizations"].as_array().expect("a list").iter().collect();
    known.sort_by_key(|one| text(&one["name"]));
    let shown: Vec<_> = known.iter().map(|one| (text(&one["organization"]["name"]), text(&one["user"]))).collect();
    assert_eq!(shown, [("Test organization".to_owned(), ada.clone()), ("Another organization".to_owned(), there)]);
    app.client.patch(&format!("/users/{ada}"), json!({"active": false})).await.ok();
    assert_eq!(seen_by(&driver).await, ["Street", "Theirs"], "who is inactive in one is known in the other");
}

#[actix_web::test]
async fn a_driver_starts_by_a_login_and_stops_at_every_browser_of_it() {
    let place = Mailing::start().await;
    let app = &place.app;
    let (station, mut socket, code) = connected(app, "Yard").await;
    app.client.patch(&station.path, json!({"visible": false})).await.ok();
    let rate = json!({"name": "Day", "currency": "EUR", "price_components": [{"type": "ENERGY", "price": 0.4}]});
    let rate = app.client.post("/rates", rate).await.created();
    app.client.patch(&format!("/connectors/{}", station.connector), json!({"rate": rate["_id"]})).await.ok();
    let ada = user(&app.client, json!({})).await;
    app.client.post("/tokens", json!({"physicalId": CARD, "user": ada})).await.created();
    let mut phone = place.logged_in(ADA, 1).await;
    let laptop = place.logged_in(ADA, 2).await;
    user(&app.client, json!({"email": "bob@example.com", "private_group": true})).await;
    let bob = place.logged_in("bob@example.com", 1).await;

    assert_eq!(phone.start(&code, json!({})).await.error(404), "not_found", "not one of the private group");
    joins(&app.client, &ada, true).await;
    for code in [code.as_str(), "NOTHERE"] {
        let refused = Driver::of(app).start(code, json!({})).await;
        assert_eq!(refused.faulty_fields(), ["id_tag"], "nobody is logged in, and the code shows nothing");
    }
    let session = text(&phone.start(&code, json!({})).await.created()["_id"]);
    let ask = accept(&mut socket).await;
    assert_eq!((&ask[2], &ask[3]["idTag"]), (&json!("RemoteStartTransaction"), &json!(CARD)), "a card of hers");
    let transaction = socket.start(1, CARD, 1_000, "2026-04-24T03:00:00Z").await;
    let stored = app.client.get(&format!("/sessions/{session}")).await.ok();
    assert_eq!((&stored["user"], &stored["status"]), (&json!(ada), &json!("started")));

    assert_eq!(laptop.session(&code, &session).await.ok()["status"], "started");
    let alone = Driver { cookies: phone.cookies[1..].to_vec(), ..Driver::of(app) };
    assert_eq!(alone.session(&code, &session).await.ok()["status"], "started", "the browser that started it, too");
    for other in [&bob, &Driver::of(app)] {
        assert_eq!(other.session(&code, &session).await.error(404), "not_found");
        assert_eq!(other.stop(&code, &session).await.error(404), "not_found");
    }
    assert_eq!(bob.get("/sessions").await.json()["totalDocs"], 0);

    laptop.stop(&code, &session).await.ok();
    let ask = accept(&mut socket).await;
    assert_eq!((&ask[2], &ask[3]["transactionId"]), (&json!("RemoteStopTransaction"), &json!(transaction)));
    let stop = json!({"transactionId": transaction, "meterStop": 1_500, "timestamp": "2026-04-24T03:06:00Z"});
    socket.call("StopTransaction", stop).await;
    let listed = laptop.get("/sessions").await;
    assert_eq!(listed.headers["cache-control"], "no-store");
    let listed = listed.json();
    let one = &listed["result"][0];
    // 500 Wh at 0.40 a kWh.
    assert_eq!((&listed["totalDocs"], &one["_id"], &one["status"]), (&json!(1), &json!(session), &json!("ended")));
    assert_eq!((&one["energyConsumed"], &one["cost"]), (&json!(500), &json!({"amount": 0.2, "currency": "EUR"})));
    assert_eq!(
        (&one["name"], &one["code"], &one["organization"]),
        (&json!("Yard"), &json!(code), &json!("Test organization"))
    );
    assert_eq!(
        (&one["chargingStart"], &one["chargingStop"]),
        (&json!("2026-04-24T03:00:00.000Z"), &json!("2026-04-24T03:06:00.000Z"))
    );

    let created = app.client.get("/events?actor_type=driver&type=session.created").await.json();
    let actor = &created["result"][0]["actor"];
    assert_eq!(actor, &json!({"type": "driver", "_id": ada, "name": "Ada Lovelace"}));
    let audit = app.client.get("/audit?actor_type=driver&method=post&search=evses").await.json();
    let paths: Vec<_> = audit["result"].as_array().expect("lines").iter().map(|line| text(&line["path"])).collect();
    let under = |rest: &str| format!("/v1.1/driver/evses/{code}/sessions{rest}");
    assert_eq!(paths, [under(&format!("/{session}/stop")), under("")]);

    app.client.patch(&format!("/users/{ada}"), json!({"active": false})).await.ok();
    assert_eq!(laptop.session(&code, &session).await.error(404), "not_found");
    assert_eq!(laptop.get("/sessions").await.error(401), "unauthenticated");
}

#[actix_web::test]
async fn a_login_starts_only_where_the_driver_is_known() {
    let place = Mailing::start().await;
    let app = &place.app;
    let (station, mut socket, code) = connected(app, "S").await;
    let stranger = app.stranger().await;
    user(&stranger, json!({"private_group": true})).await;
    let mut driver = place.logged_in(ADA, 1).await;
    let refused = driver.start(&code, json!({})).await;
    assert_eq!(refused.faulty_fields(), ["id_tag"]);
    assert!(refused.text.contains("Test organization has no user with your address"), "{}", refused.text);
    app.client.patch(&station.path, json!({"visible": false})).await.ok();
    assert_eq!(driver.start(&code, json!({})).await.error(404), "not_found", "it is not shown to members of others");
    app.client.patch(&station.path, json!({"visible": true})).await.ok();

    // With a card everybody starts, and the session is the card's.
    let ada = user(&app.client, json!({})).await;
    let grace = user(&app.client, json!({"email": "grace@example.com"})).await;
    app.client.post("/tokens", json!({"physicalId": CARD, "user": grace})).await.created();
    let session = text(&driver.start(&code, json!({"id_tag": CARD})).await.created()["_id"]);
    assert_eq!(app.client.get(&format!("/sessions/{session}")).await.ok()["user"], grace);
    let listed = driver.get("/sessions").await.json();
    assert_eq!(listed["totalDocs"], 0, "the card's, and so not hers");
    assert_eq!(driver.session(&code, &session).await.ok()["status"], "created", "it is the browser that opens it");
    accept(&mut socket).await;
    driver.stop(&code, &session).await.ok();

    // As for operators: a user without a card that works charges all the same, while active.
    let (_, mut second, code) = connected(app, "T").await;
    app.client.post("/tokens", json!({"physicalId": "BLOCKED", "user": ada, "status": "blocked"})).await.created();
    let session = text(&driver.start(&code, json!({})).await.created()["_id"]);
    let ask = accept(&mut second).await;
    assert_eq!(ask[3]["idTag"], session[8..]);
    assert_eq!(driver.get("/sessions").await.json()["result"][0]["_id"], session);
    app.client.patch(&format!("/users/{ada}"), json!({"active": false})).await.ok();
    let refused = driver.start(&code, json!({})).await;
    assert_eq!(refused.faulty_fields(), ["id_tag"], "no user there any more");
}

#[actix_web::test]
async fn the_own_sessions_are_paged_newest_first_over_all_organizations() {
    let place = Mailing::start().await;
    let app = &place.app;
    let stranger = app.stranger().await;
    let here = user(&app.client, json!({})).await;
    let there = user(&stranger, json!({})).await;
    user(&app.client, json!({"email": "bob@example.com"})).await;
    let driver = place.logged_in(ADA, 1).await;
    let mut expected = Vec::new();
    for (client, name, owner) in [(&app.client, "A", &here), (&stranger, "B", &there), (&app.client, "C", &here)] {
        let station = client.post("/chargestations", json!({"name": name})).await.created();
        let path = format!("/chargestations/{}/connectors", text(&station["_id"]));
        let connector = client.post(&path, json!({"type": "J1772", "power": 7})).await.created();
        let mut socket = FakeStation::connect(&text(&station["connection_url"])).await;
        socket.boot().await;
        let session = json!({"connector": connector["_id"], "user": owner});
        let session = client.post("/sessions", session).await.created();
        accept(&mut socket).await;
        expected.insert(0, (text(&session["_id"]), name.to_owned()));
        app.pass(std::time::Duration::from_secs(1)).await;
    }
    let rows = |answer: &Value| -> Vec<(String, String)> {
        let rows = answer["result"].as_array().expect("rows").iter();
        rows.map(|row| (text(&row["_id"]), text(&row["name"]))).collect()
    };
    assert_eq!(rows(&driver.get("/sessions").await.json()), expected);
    let first = driver.get("/sessions?paginate_limit=2").await.json();
    assert_eq!((rows(&first), &first["totalDocs"]), (expected[..2].to_vec(), &json!(3)));
    let rest = driver.get(&format!("/sessions?paginate_limit=2&after={}", text(&first["next_after"]))).await.json();
    assert_eq!(rows(&rest), expected[2..]);
    let csv = driver.get("/sessions?format=csv").await;
    assert_eq!(csv.text.lines().count(), 4, "{}", csv.text);
    assert_eq!(driver.get("/sessions?user=x").await.faulty_fields(), ["user"]);
}
