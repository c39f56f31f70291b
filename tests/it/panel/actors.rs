//! Who caused each event, and the history of what was changed.

use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, GRACE};
use crate::api::webhooks::{Endpoint, OWN_NETWORK};
use crate::support::{Client, FakeStation, Keeper, MailServer, TestApp, TestStation};

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The events that fit a query, each by its type with who caused it: the type of actor and the name.
async fn caused(client: &Client, query: &str) -> Vec<(String, String, Option<String>)> {
    let events = client.get(&format!("/events?limit=1000&{query}")).await.json();
    let rows = events["result"].as_array().expect("events").iter();
    let name = |event: &Value| event["actor"]["name"].as_str().map(str::to_owned);
    rows.map(|event| (text(&event["type"]), text(&event["actor"]["type"]), name(event))).collect()
}

/// Whether an event of this type has this actor, and no other.
#[track_caller]
fn has(events: &[(String, String, Option<String>)], kind: &str, actor: &str, name: Option<&str>) {
    let found: Vec<_> = events.iter().filter(|(one, ..)| one == kind).collect();
    assert!(!found.is_empty(), "no {kind} in {events:?}");
    for (_, by, called) in found {
        assert_eq!((by.as_str(), called.as_deref()), (actor, name), "{kind}");
    }
}

/// The lines of the audit that fit a query: the type of actor, and the method and path or the event.
async fn lines(app: &TestApp, query: &str) -> Vec<(String, String)> {
    let audit = app.client.get(&format!("/audit?sort_order=asc&{query}")).await.json();
    let what = |line: &Value| match line["method"].as_str() {
        Some(method) => format!("{method} {}", text(&line["path"])),
        None => text(&line["event"]),
    };
    let rows = audit["result"].as_array().expect("lines").iter();
    rows.map(|line| (text(&line["actor"]["type"]), what(line))).collect()
}

/// Has a session begin that was asked for, as a station of this version says it.
async fn begin(socket: &mut FakeStation, version: &str, call: &Value) {
    if version == "ocpp1.6" {
        socket.start(1, &text(&call[3]["idTag"]), 0, "2026-04-24T03:00:00Z").await;
        return;
    }
    let event = json!({
        "eventType": "Started", "timestamp": "2026-04-24T03:00:00Z", "triggerReason": "RemoteStart", "seqNo": 0,
        "transactionInfo": {"transactionId": "tx", "remoteStartId": call[3]["remoteStartId"]},
        "evse": {"id": 1, "connectorId": 1}, "idToken": call[3]["idToken"],
    });
    socket.call("TransactionEvent", event).await;
}

#[actix_web::test]
async fn who_asks_for_a_session_and_the_station_that_charges_are_kept_apart_in_every_version() {
    for version in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let app = TestApp::start().await;
        let grace = Browser::invited(&app, &app.client, GRACE, "Admin").await;
        let station = app.station("S").await;
        let mut socket = FakeStation::speaking(&station.url, version).await;
        if version == "ocpp1.6" {
            socket.boot().await
        } else {
            socket.boot_2().await
        };
        let session = grace.post("/sessions", json!({"connector": station.connector})).await.created();
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
        begin(&mut socket, version, &call).await;
        let about = format!("chargestation={}", station.id);
        app.eventually(async || app.event_types().await.contains(&"session.start.accepted".to_owned())).await;
        let path = format!("/sessions/{}/stop", text(&session["_id"]));
        let stop = grace.post(&path, json!({}));
        let refused = async {
            let call = socket.next_call().await;
            socket.answer(&call, json!({"status": "Rejected"})).await;
        };
        let ((), _) = futures_util::future::join(refused, stop).await;
        app.eventually(async || app.event_types().await.contains(&"session.stop.rejected".to_owned())).await;
        socket.drop_link().await;
        app.eventually(async || app.event_types().await.contains(&"chargestation.offline".to_owned())).await;

        let events = caused(&app.client, &about).await;
        let key = Some(key_name(&app).await);
        for (kind, actor, name) in [
            ("chargestation.created", "api_key", key.as_deref()),
            ("connector.created", "api_key", key.as_deref()),
            ("chargestation.online", "station", None),
            ("chargestation.booted", "station", None),
            ("session.created", "operator", Some("Grace Hopper")),
            ("session.start.requested", "operator", Some("Grace Hopper")),
            ("session.start.accepted", "operator", Some("Grace Hopper")),
            ("session.started", "station", None),
            ("session.stop.rejected", "operator", Some("Grace Hopper")),
            ("chargestation.offline", "station", None),
        ] {
            has(&events, kind, actor, name);
        }
        // The same by the filters: of the station by its id, of the operator by hers.
        let own = caused(&app.client, &format!("actor={}", station.id)).await;
        assert!(own.len() >= 4 && own.iter().all(|(_, actor, _)| actor == "station"), "{version}: {own:?}");
        assert_eq!(own, caused(&app.client, "actor_type=station").await);
        let operators = caused(&app.client, "actor_type=operator&type=session.*").await;
        let found = app.client.get("/events?actor_type=operator&limit=1").await.json();
        let id = text(&found["result"][0]["actor"]["_id"]);
        assert_eq!(caused(&app.client, &format!("actor={id}&type=session.*")).await, operators);
        assert_eq!(caused(&app.client, &format!("actor={id}&actor_type=station")).await, []);
    }
}

/// What the key of the test's client is called.
async fn key_name(app: &TestApp) -> String {
    let keys = app.client.get("/api_keys?sort_order=asc").await.json();
    text(&keys["result"][0]["name"])
}

/// Somebody at the portal with a group of their own: what opens it, and the group.
async fn home_user(app: &TestApp, mail: &MailServer) -> (Client, String) {
    let site = json!({"operatorName": "Home", "address": {}, "coordinates": [4.9, 52.4]});
    let location = app.client.post("/locations", site).await.created();
    let group =
        json!({"name": "Garage", "maximum_capacity": 7, "algorithm": "consumer_tou", "location": location["_id"]});
    let group = text(&app.client.post("/groups", group).await.created()["_id"]);
    let body = json!({"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"});
    let user = app.client.post("/home_users", body).await.created();
    let guest = Client::new(app.running.address, "nothing");
    let secret = mail.secret("ada@example.com", 1).await;
    let accept = format!("/portal/invitations/{secret}/accept");
    let tokens = guest.post(&accept, json!({"password": "correct horse battery"})).await.ok();
    app.client.put(&format!("/groups/{group}/user"), json!({"user": user["_id"]})).await.ok();
    (Client::new(app.running.address, &text(&tokens["access_token"])), group)
}

/// A driver without a key starts a session with a card.
async fn driver_starts(app: &TestApp, station: &TestStation) {
    app.client.post("/tokens", json!({"physicalId": "04A1B2C3"})).await.created();
    let evses = app.client.get(&format!("/evses?chargestation={}", station.id)).await.json();
    let code = text(&evses["result"][0]["code"]);
    let driver = Client::new(app.running.address, "nothing");
    let started = driver.post(&format!("/driver/evses/{code}/sessions"), json!({"id_tag": "04A1B2C3"})).await;
    assert_eq!(started.status, 201, "{}", started.text);
}

#[actix_web::test]
async fn home_users_drivers_timers_retention_and_the_command_line_are_named() {
    let mail = MailServer::start().await;
    let options = mail.options();
    let mut options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let short = [("EVENWATT_RETENTION_ACTIONS_DAYS", "3")];
    options.extend(short);
    let app = TestApp::start_with(&options).await;
    let mut keeper = Keeper::new(&app, &short).await;

    let (ada, group) = home_user(&app, &mail).await;
    let times = json!({"windows": [{"from": "17:00", "to": "20:00"}]});
    ada.put(&format!("/portal/groups/{group}/exclusion_times"), times).await.ok();

    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    driver_starts(&app, &station).await;
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Rejected"})).await;
    app.eventually(async || app.event_types().await.contains(&"session.cancelled".to_owned())).await;

    let made = Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .env_clear()
        .env("DATABASE_URL", app.store_url())
        .args(["operator", "create", "--email", GRACE, "--name", "Grace"])
        .output()
        .expect("the program starts");
    assert!(made.status.success(), "{made:?}");

    // A session that never starts is given up by the timer.
    app.client.post("/sessions", json!({"connector": station.connector})).await.created();
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Accepted"})).await;
    app.eventually(async || app.event_types().await.contains(&"session.start.accepted".to_owned())).await;
    app.pass(Duration::from_secs(3_600)).await;
    let cancelled = async || caused(&app.client, "type=session.cancelled").await;
    app.eventually(async || cancelled().await.len() == 2).await;
    keeper.pass(&app, 5).await;

    let events = caused(&app.client, "type=*").await;
    let updated: Vec<_> = events.iter().filter(|(kind, ..)| kind == "load_management.group.updated").collect();
    let last = updated.last().expect("an update");
    assert_eq!((last.1.as_str(), last.2.as_deref()), ("home_user", Some("Ada Lovelace")));
    has(&events, "home_user.accepted", "home_user", Some("Ada Lovelace"));
    has(&events, "operator.created", "server", Some("command line"));
    has(&events, "organization.retention.applied", "server", Some("retention"));
    let actors: Vec<_> = cancelled().await.into_iter().map(|(_, actor, name)| (actor, name)).collect();
    let timer = ("server".to_owned(), Some("timer".to_owned()));
    assert_eq!(actors, [("driver".to_owned(), None), timer]);
    has(&caused(&app.client, "actor_type=driver").await, "session.created", "driver", None);
    let server = caused(&app.client, "actor_type=server").await;
    assert!(server.iter().any(|(_, _, name)| name.as_deref() == Some("timer")));
    assert!(server.iter().all(|(_, actor, _)| actor == "server"));
    assert_eq!(lines(&app, "actor_type=server").await, [("server".to_owned(), "operator.created".to_owned())]);
}

#[actix_web::test]
async fn writers_that_share_a_commit_keep_their_own_actors() {
    let app = TestApp::start().await;
    let make = async |name: &str| {
        let created = app.client.post("/api_keys", json!({"name": name, "scopes": ["*"]})).await.created();
        (name.to_owned(), Client::new(app.running.address, &text(&created["key"])))
    };
    let keys = [make("Left").await, make("Right").await];
    let stations = join_all(["A", "B"].map(|name| app.station(name))).await;
    let sockets = join_all(stations.iter().map(|station| FakeStation::connect(&station.url))).await;
    let keys = &keys;
    let requests = (0..60_usize).map(|number| async move {
        let (name, client) = &keys[number % 2];
        // Every fifth is refused in its transaction, so that what it shared a commit with is run again.
        let capacity = json!({"operatorName": name, "address": {}, "coordinates": [4.9, 52.4]});
        let answer = match number % 5 {
            0 => client.delete("/locations/650000000000000000000001").await,
            _ => client.post("/locations", capacity).await,
        };
        assert!([201, 404].contains(&answer.status.as_u16()), "{}", answer.text);
    });
    let boots = sockets.into_iter().map(|mut socket: FakeStation| async move {
        for _ in 0..20 {
            socket.boot().await;
        }
    });
    futures_util::future::join(join_all(requests), join_all(boots)).await;

    let events = app.client.get("/events?limit=1000&type=location.created").await.json();
    let rows = events["result"].as_array().expect("events");
    assert_eq!(rows.len(), 48);
    for event in rows {
        assert_eq!(event["actor"]["name"], event["data"]["operatorName"]);
    }
    let boots = app.client.get("/events?limit=1000&type=chargestation.booted").await.json();
    let rows = boots["result"].as_array().expect("events");
    assert_eq!(rows.len(), 40);
    for event in rows {
        assert_eq!(event["actor"]["_id"], event["data"]["_id"]);
    }
}

#[actix_web::test]
async fn a_request_that_is_repeated_keeps_the_first_actor() {
    let app = TestApp::start().await;
    let created = app.client.post("/api_keys", json!({"name": "Before", "scopes": ["*"]})).await.created();
    let key = Client::new(app.running.address, &text(&created["key"]));
    let place = json!({"operatorName": "P", "address": {}, "coordinates": [4.9, 52.4]});
    let once = async || {
        let request = key.request(Method::POST, "/locations").header("idempotency-key", "one").json(&place);
        key.send(request).await.created()
    };
    let first = once().await;
    let path = format!("/api_keys/{}", text(&created["_id"]));
    app.client.patch(&path, json!({"name": "After"})).await.ok();
    assert_eq!(once().await, first);
    let made = [("location.created".to_owned(), "api_key".to_owned(), Some("Before".to_owned()))];
    assert_eq!(caused(&app.client, "type=location.*").await, made);
}

#[actix_web::test]
async fn names_are_for_those_who_may_read_the_audit() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let [all, some] = [Endpoint::start("200 OK").await, Endpoint::start("200 OK").await];
    app.client.post("/webhooks", json!({"url": all.url, "events": "location.*"})).await.created();
    let limited = app.client_with(&["read:events", "read:locations", "write:webhooks"]).await;
    limited.post("/webhooks", json!({"url": some.url, "events": "location.*"})).await.created();
    app.client
        .post("/locations", json!({"operatorName": "P", "address": {}, "coordinates": [4.9, 52.4]}))
        .await
        .created();
    let name = key_name(&app).await;
    let made = |name: Option<String>| [("location.created".to_owned(), "api_key".to_owned(), name)];
    assert_eq!(caused(&app.client, "type=location.*").await, made(Some(name.clone())));
    assert_eq!(caused(&limited, "type=location.*").await, made(None));
    for (endpoint, expected) in [(all, json!(name)), (some, Value::Null)] {
        endpoint.receives(1).await;
        let actor = endpoint.bodies()[0]["actor"].clone();
        assert_eq!((&actor["type"], &actor["name"]), (&json!("api_key"), &expected));
    }
}

#[actix_web::test]
async fn the_history_of_a_station_has_who_changed_it_and_what_changed_by_itself() {
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Admin").await;
    let station = app.station("S").await;
    app.station("Other").await;
    grace.patch(&station.path, json!({"name": "T"})).await.ok();
    grace.patch(&format!("/connectors/{}", station.connector), json!({"power": 11})).await.ok();
    let mut socket = FakeStation::speaking(&station.url, "ocpp2.0.1").await;
    socket.boot_2().await;
    socket.boot_2().await; // the same device again
    let variable = |value: &str| {
        json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"},
            "variableAttribute": [{"value": value, "mutability": "ReadWrite"}]})
    };
    for (number, value) in ["300", "300", "60"].into_iter().enumerate() {
        let report = json!({"requestId": 1, "generatedAt": "2026-04-24T03:00:00Z", "seqNo": number,
            "reportData": [variable(value)]});
        socket.call("NotifyReport", report).await;
    }
    let under = |path: &str| format!("/v1.1{path}");
    let expected = [
        ("api_key", "POST /v1.1/chargestations".to_owned()),
        ("api_key", format!("POST {}", under(&format!("{}/connectors", station.path)))),
        ("operator", format!("PATCH {}", under(&station.path))),
        ("operator", format!("PATCH {}", under(&format!("/connectors/{}", station.connector)))),
        ("station", "chargestation.booted".to_owned()),
        ("station", "chargestation.configuration.updated".to_owned()),
    ];
    let history = lines(&app, &format!("object={}", station.id)).await;
    assert_eq!(history, expected.map(|(actor, what)| (actor.to_owned(), what)));
    let own = lines(&app, &format!("actor={}", station.id)).await;
    assert_eq!(own.len(), 2);
    assert_eq!(own, lines(&app, "actor_type=station").await);
    let connector = lines(&app, &format!("object={}", station.connector)).await;
    assert_eq!(connector.len(), 1, "{connector:?}");
    let found = app.client.get("/events?type=chargestation.configuration.updated").await.json();
    let changes = json!([{"variable": "OCPPCommCtrlr.HeartbeatInterval", "from": "300", "to": "60"}]);
    assert_eq!(found["result"][0]["data"]["changes"], changes);
    let line = app.client.get(&format!("/audit?object={}&sort_order=asc", station.id)).await.json();
    assert_eq!(line["result"][0]["event"], "chargestation.created");
}
