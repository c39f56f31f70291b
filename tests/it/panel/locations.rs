//! Operators who work at some locations only: what is elsewhere does not exist for them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, GRACE};
use crate::api::tenancy::{body_for, operations};
use crate::support::{FakeStation, TestApp, TestStation};

/// One of everything that a location has.
struct Site {
    location: String,
    group: String,
    asset: String,
    evse: String,
    session: String,
    reservation: String,
    action: String,
    station: TestStation,
    socket: FakeStation,
}

fn id(value: &Value) -> String {
    value["_id"].as_str().expect("an id").to_owned()
}

/// The newest row of a list.
async fn newest(app: &TestApp, path: &str) -> String {
    id(&app.client.get(path).await.json()["result"][0])
}

impl Site {
    async fn new(app: &TestApp, name: &str) -> Self {
        let place = json!({"operatorName": name, "address": {}, "coordinates": [4.9, 52.4]});
        let location = id(&app.client.post("/locations", place).await.created());
        let station = app.station(name).await;
        app.client.patch(&station.path, json!({"location": location})).await.ok();
        let evse = newest(app, &format!("/evses?chargestation={}", station.id)).await;
        app.client.patch(&format!("/evses/{evse}"), json!({"reservable": true})).await.ok();
        let group = json!({"name": name, "maximum_capacity": 10, "location": location});
        let group = id(&app.client.post("/groups", group).await.created());
        let member = json!({"chargestation": station.id});
        app.client.post(&format!("/groups/{group}/chargestations"), member).await.created();
        let asset = json!({"name": name, "type": "battery", "location": location, "group": group});
        let asset = id(&app.client.post("/assets", asset).await.created());

        let mut socket = FakeStation::connect(&station.url).await;
        socket.boot().await;
        let (client, wish) = (
            app.client.clone(),
            json!({"connector": station.connector, "id_tag": "CARD",
            "expires_at": "2026-04-24T04:00:00Z"}),
        );
        let asked = actix_web::rt::spawn(async move { client.post("/reservations", wish).await });
        loop {
            let call = socket.next_call().await;
            let kept = call[2] == "ReserveNow";
            socket.answer(&call, json!({"status": "Accepted"})).await;
            if kept {
                break;
            }
        }
        let reservation = id(&asked.await.expect("answered").created());
        socket.start(1, "CARD", 0, "2026-04-24T03:06:40Z").await;
        let here = format!("?chargestation={}", station.id);
        let session = newest(app, &format!("/sessions{here}")).await;
        let action = newest(app, &format!("/actions{here}")).await;
        Self { location, group, asset, evse, session, reservation, action, station, socket }
    }

    /// Every id of it.
    fn ids(&self) -> [&str; 9] {
        let Self { location, group, asset, evse, session, reservation, action, station, .. } = self;
        [location, group, asset, evse, session, reservation, action, &station.id, &station.connector]
    }

    /// Which id a path of the document takes.
    fn by_path(&self) -> [(&str, &str); 10] {
        let station = self.station.id.as_str();
        [
            ("/v1.1/load_management/groups/chargestations", station),
            ("/v1.1/load_management/groups", &self.group),
            ("/v1.1/locations", &self.location),
            ("/v1.1/chargestations", station),
            ("/v1.1/connectors", &self.station.connector),
            ("/v1.1/evses", &self.evse),
            ("/v1.1/assets", &self.asset),
            ("/v1.1/sessions", &self.session),
            ("/v1.1/reservations", &self.reservation),
            ("/v1.1/actions", &self.action),
        ]
    }
}

async fn at(app: &TestApp, email: &str, role: &str, locations: Value) -> Browser {
    let new = json!({"email": email, "role": role, "locations": locations});
    Browser::accepted(app, &app.client.post("/operators", new).await.created()).await
}

#[actix_web::test]
async fn what_is_elsewhere_does_not_exist_at_any_route() {
    let app = TestApp::start().await;
    let (here, there) = (Site::new(&app, "Here").await, Site::new(&app, "There").await);
    let document = app.client.get_bare("/openapi.json").await.json();
    for role in ["Operator", "Viewer"] {
        let grace = at(&app, &format!("{role}@example.com"), role, json!([here.location])).await;
        let (mut lists, mut seen) = (0, Vec::new());
        for (method, path, documented) in operations(&document, &there.by_path()) {
            if documented.contains('{') {
                let answer = grace.send(method.clone(), &path, body_for(&documented)).await;
                assert!([403, 404].contains(&answer.status.as_u16()), "{role}: {method} {documented}: {}", answer.text);
                continue;
            }
            if method != Method::GET || ["/v1.1/events/stream", "/v1.1/realtime"].contains(&documented.as_str()) {
                continue;
            }
            let answer = grace.get(&path).await;
            for id in there.ids() {
                assert!(!answer.text.contains(id), "{role}: {documented} shows {id}: {}", answer.text);
            }
            seen.extend(here.ids().into_iter().filter(|id| answer.text.contains(id)));
            lists += 1;
        }
        assert!(lists > 25, "{lists}");
        for id in here.ids() {
            assert!(seen.contains(&id), "{role} does not see {id}");
        }
        for (method, path, documented) in operations(&document, &here.by_path()) {
            let is_read = method == Method::GET && documented.contains('{') && !documented.contains("/stop");
            let is_known = here.by_path().iter().any(|(start, _)| documented.starts_with(start));
            if is_read && is_known && !documented.contains("configurations") && !documented.contains("{invoice}") {
                let answer = grace.get(&path).await;
                // What meters signed shows cards, and a Viewer does not see the messages of stations.
                let is_there = answer.status != 404
                    && (answer.status != 403 || documented.contains("evidence") || role == "Viewer");
                assert!(is_there, "{role}: {documented}: {}", answer.text);
            }
        }
    }
}

#[actix_web::test]
async fn an_id_of_elsewhere_is_refused_wherever_it_stands() {
    let app = TestApp::start().await;
    let (here, there) = (Site::new(&app, "Here").await, Site::new(&app, "There").await);
    let grace = at(&app, GRACE, "Operator", json!([here.location])).await;

    // In a path or a query, also in another spelling.
    let spelled: String = there.station.id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let upper = there.station.id.to_uppercase();
    for id in [&there.station.id, &spelled, &upper] {
        assert_eq!(grace.get(&format!("/chargestations/{id}")).await.error(404), "not_found", "{id}");
        assert_eq!(grace.get(&format!("/sessions?chargestation={id}")).await.error(404), "not_found", "{id}");
    }
    // In a body: each place is named.
    let group = format!("/groups/{}", here.group);
    let member = json!({"chargestation": there.station.id});
    let answer = grace.post(&format!("{group}/chargestations"), member).await;
    assert_eq!(answer.faulty_fields(), ["chargestation"]);
    let moved = grace.patch(&here.station.path, json!({"location": there.location})).await;
    assert_eq!(moved.faulty_fields(), ["location"]);
    let asset = json!({"name": "A", "type": "battery", "location": here.location, "group": there.group});
    assert_eq!(grace.post("/assets", asset).await.faulty_fields(), ["group"]);
    let session = json!({"connector": there.station.connector.to_uppercase(), "id_tag": "CARD"});
    assert_eq!(grace.post("/sessions", session).await.faulty_fields(), ["connector"]);
    // What a client keeps for itself names nothing.
    let kept = json!({"meta_data": {"neighbour": there.station.id}});
    assert_eq!(grace.patch(&here.station.path, kept).await.ok()["meta_data"]["neighbour"], there.station.id);

    // Nothing is made or moved where it could not be seen.
    let nowhere = json!({"name": "Nowhere"});
    assert_eq!(grace.post("/chargestations", nowhere).await.faulty_fields(), ["location"]);
    assert_eq!(grace.patch(&here.station.path, json!({"location": null})).await.faulty_fields(), ["location"]);
    let place = json!({"operatorName": "New", "address": {}, "coordinates": [4.9, 52.4]});
    assert_eq!(grace.post("/locations", place).await.error(403), "forbidden");
    let made = json!({"name": "New", "location": here.location});
    let made = grace.post("/chargestations", made).await.created();
    grace.get(&format!("/chargestations/{}", id(&made))).await.ok();
    grace.patch(&format!("/locations/{}", here.location), json!({"name": "Ours"})).await.ok();

    // A station that moves away is gone, and comes back.
    let path = format!("/chargestations/{}", id(&made));
    app.client.patch(&path, json!({"location": there.location})).await.ok();
    assert_eq!(grace.get(&path).await.error(404), "not_found");
    app.client.patch(&path, json!({"location": null})).await.ok();
    assert_eq!(grace.get(&path).await.error(404), "not_found", "at no location");
    app.client.patch(&path, json!({"location": here.location})).await.ok();
    grace.get(&path).await.ok();
}

#[actix_web::test]
async fn counts_are_of_what_is_there() {
    let app = TestApp::start().await;
    let (here, _there) = (Site::new(&app, "Here").await, Site::new(&app, "There").await);
    let grace = at(&app, GRACE, "Viewer", json!([here.location])).await;
    // Both groups are balanced, so that there is more in memory than what is listed.
    app.pass(Duration::from_secs(10)).await;
    let (all, own) = (app.client.get("/overview").await.ok(), grace.get("/overview").await.ok());
    for (number, all_of, own_of) in [
        ("/chargestations/total", 2, 1),
        ("/chargestations/online", 2, 1),
        ("/connectors/total", 2, 1),
        ("/sessions/started", 2, 1),
        ("/assets/total", 2, 1),
        ("/groups/total", 2, 1),
        ("/groups/capacity", 20, 10),
    ] {
        let counted = [&all, &own].map(|overview| overview.pointer(number).and_then(Value::as_f64));
        assert_eq!(counted, [Some(f64::from(all_of)), Some(f64::from(own_of))], "{number}");
    }
    let listed: Vec<_> = own["groups"]["list"].as_array().expect("groups").iter().map(|one| &one["group"]).collect();
    assert_eq!(listed, [&json!(here.group)]);
}

#[actix_web::test]
async fn events_are_of_what_is_there() {
    let app = TestApp::start().await;
    let (mut here, mut there) = (Site::new(&app, "Here").await, Site::new(&app, "There").await);
    let grace = at(&app, GRACE, "Operator", json!([here.location])).await;

    // The log, forward and back, in pages: all that is there, once.
    let whole = grace.get("/events?limit=1000").await.json();
    let cursors = |answer: &Value| -> Vec<i64> {
        answer["result"]
            .as_array()
            .expect("events")
            .iter()
            .map(|one| one["cursor"].as_i64().expect("a number"))
            .collect()
    };
    let expected = cursors(&whole);
    assert!(expected.len() > 10, "{whole}");
    for (direction, first) in [("after", 0), ("before", 0)] {
        let (mut found, mut at, mut pages) = (Vec::new(), first, 0);
        loop {
            let page = grace.get(&format!("/events?limit=3&{direction}={at}")).await.json();
            found.extend(cursors(&page));
            at = page[format!("next_{direction}")].as_i64().expect("a cursor");
            pages += 1;
            if page["hasNextPage"] == json!(false) {
                break;
            }
        }
        found.sort_unstable();
        assert_eq!(found, expected, "{direction}");
        assert!(pages >= expected.len() / 3, "{pages}");
    }

    // The stream: what happens at both.
    let mut stream = grace.bare(Method::GET, "/events/stream").send().await.expect("a stream");
    let mut text = String::new();
    let heartbeat = |connector: u32| json!({"connectorId": connector, "status": "SuspendedEV", "errorCode": "NoError"});
    while !text.contains("welcome") {
        text.push_str(&String::from_utf8_lossy(&stream.chunk().await.expect("more").expect("bytes")));
    }
    there.socket.call("StatusNotification", heartbeat(1)).await;
    app.client.delete(&format!("/assets/{}", there.asset)).await.ok();
    app.client.delete(&format!("/assets/{}", here.asset)).await.ok();
    here.socket.call("StatusNotification", heartbeat(1)).await;
    while !text.contains("SuspendedEV") {
        text.push_str(&String::from_utf8_lossy(&stream.chunk().await.expect("more").expect("bytes")));
    }
    assert!(text.contains("asset.deleted") && text.contains(&here.asset), "{text}");
    for id in there.ids() {
        assert!(!text.contains(id), "{text}");
    }

    // It ends when the operator works elsewhere.
    let me = grace.get("/account").await.ok()["operator"].clone();
    assert_eq!(me["locations"], json!([here.location]));
    let own = format!("/operators/{}", id(&me));
    app.client.patch(&own, json!({"locations": [there.location]})).await.ok();
    while let Some(more) = stream.chunk().await.expect("an end") {
        text.push_str(&String::from_utf8_lossy(&more));
    }
    assert!(!text.contains(&there.location), "{text}");
    assert_eq!(grace.get(&format!("/locations/{}", here.location)).await.error(404), "not_found", "from now on");
    grace.get(&format!("/locations/{}", there.location)).await.ok();
    app.client.patch(&own, json!({"locations": null})).await.ok();
    assert_eq!(grace.get("/locations").await.json()["totalDocs"], 2);
}

#[actix_web::test]
async fn who_works_somewhere_may_less_and_an_admin_works_everywhere() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    let place = json!({"operatorName": "Theirs", "address": {}, "coordinates": [4.9, 52.4]});
    let theirs = id(&stranger.post("/locations", place.clone()).await.created());
    let ours = id(&app.client.post("/locations", place).await.created());
    let invite = |role: &str, locations: Value| json!({"email": GRACE, "role": role, "locations": locations});
    for (role, locations, field) in [
        ("Admin", json!([ours]), "locations"),
        ("Viewer", json!([]), "locations"),
        ("Viewer", json!([ours, theirs]), "locations[1]"),
        ("Viewer", json!(["650000000000000000000001"]), "locations[0]"),
        ("Viewer", json!([ours, ours]), "locations[1]"),
        ("Viewer", json!("here"), "locations"),
    ] {
        let answer = app.client.post("/operators", invite(role, locations)).await;
        assert_eq!(answer.faulty_fields(), [field], "{}", answer.text);
    }
    let grace = app.client.post("/operators", invite("Operator", json!([ours]))).await.created();
    assert_eq!(grace["locations"], json!([ours]));
    let own = format!("/operators/{}", id(&grace));
    assert_eq!(app.client.patch(&own, json!({"role": "Admin"})).await.faulty_fields(), ["locations"]);
    let grace = Browser::accepted(&app, &grace).await;
    for (path, status) in [
        ("/users", 403),
        ("/tokens", 403),
        ("/home_users", 403),
        ("/webhooks", 403),
        ("/audit", 403),
        ("/charging_profiles", 403),
        ("/service_offers", 403),
        ("/rates", 200),
        ("/organization", 200),
    ] {
        assert_eq!(grace.get(path).await.status, status, "{path}");
    }
    app.client.patch(&own, json!({"role": "Admin", "locations": null})).await.ok();
    assert_eq!(grace.get("/users").await.status, 200);
}
