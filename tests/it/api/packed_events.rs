//! What stations cause with every charge is packed some minutes later, and nobody who reads the log sees a difference.

use std::time::Duration;

use diesel::prelude::*;
use evenwatt::store::StoreError;
use evenwatt::store::schema::{event_packs, frequent_events};
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

/// After so long everything so far is packed.
const PACKED_AFTER: Duration = Duration::from_secs(1_200);

/// A charge of four minutes, from a minute of the hour on.
async fn charge(socket: &mut FakeStation, from: i64) {
    let at = |minute: i64| format!("2026-04-24T03:{:02}:00Z", from + minute);
    let transaction = socket.start(1, "TAG", 1_000, &at(0)).await;
    for minute in 1..=3 {
        let sampled = json!([{"value": (1_000 + minute * 100).to_string(), "unit": "Wh"}]);
        let value = json!([{"timestamp": at(minute), "sampledValue": sampled}]);
        let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": value});
        socket.call("MeterValues", values).await;
    }
    let stop = json!({"transactionId": transaction, "meterStop": 1_400, "timestamp": at(4)});
    socket.call("StopTransaction", stop).await;
}

/// Events that wait to be packed, and packs.
async fn stored(app: &TestApp) -> (i64, i64) {
    let counts = app.running.context.db.read(|conn| {
        let waiting = frequent_events::table.count().get_result(conn)?;
        Ok::<_, StoreError>((waiting, event_packs::table.count().get_result(conn)?))
    });
    counts.await.expect("counts")
}

/// The log as each of these asks for it, up to a cursor.
async fn asked_in_all_ways(app: &TestApp, stations: &[&TestStation; 2], until: i64) -> Vec<Vec<Value>> {
    let before = until + 1;
    let mut queries = vec![
        "after=0&limit=1000".to_owned(),
        format!("before={before}&limit=7"),
        "after=0&limit=1000&type=session.updated".to_owned(),
        "after=0&limit=1000&type=session.started,session.ended,location.created".to_owned(),
        format!("before={before}&limit=1000&type=session.*&actor_type=station"),
    ];
    for station in stations {
        queries.push(format!("after=0&limit=1000&chargestation={}", station.id));
        queries.push(format!("before={before}&limit=1000&actor={}", station.id));
    }
    let mut answers = Vec::new();
    for query in queries {
        let answer = app.client.get(&format!("/events?{query}")).await.json();
        let mut events = answer["result"].as_array().expect("events").clone();
        events.retain(|event| event["cursor"].as_i64().is_some_and(|cursor| cursor <= until));
        assert!(!events.is_empty(), "{query}");
        answers.push(events);
    }
    answers
}

#[actix_web::test]
async fn events_that_are_packed_read_as_before() {
    let app = TestApp::start().await;
    let (one, other) = (app.station("one").await, app.station("other").await);
    let mut sockets = [FakeStation::connect(&one.url).await, FakeStation::connect(&other.url).await];
    for socket in &mut sockets {
        charge(socket, 0).await;
    }
    let (waiting, packs) = stored(&app).await;
    assert!(waiting >= 2 * 3, "each charge has a start, an update and an end at least: {waiting}");
    assert_eq!(packs, 0);
    let newest = app.client.get("/events?before=0&limit=1").await.json();
    let until = newest["result"][0]["cursor"].as_i64().expect("a cursor");
    let asked = asked_in_all_ways(&app, &[&one, &other], until).await;
    drop(sockets);

    app.pass(PACKED_AFTER).await;
    app.pass(PACKED_AFTER).await;
    assert_eq!(stored(&app).await, (0, 1), "all in one pack");
    assert_eq!(asked_in_all_ways(&app, &[&one, &other], until).await, asked);

    // The next ones come behind all of them, and into the same pack.
    let mut socket = FakeStation::connect(&one.url).await;
    charge(&mut socket, 40).await;
    drop(socket);
    let after = format!("/events?after={until}&type=session.*");
    let later = app.client.get(&after).await.json();
    let kinds: Vec<_> = later["result"].as_array().expect("events").iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds.first(), Some(&json!("session.started")));
    assert_eq!(kinds.last(), Some(&json!("session.ended")));
    app.pass(PACKED_AFTER).await;
    app.pass(PACKED_AFTER).await;
    assert_eq!(stored(&app).await, (0, 1), "still one pack");
    assert_eq!(app.client.get(&after).await.json()["result"], later["result"]);
    assert_eq!(asked_in_all_ways(&app, &[&one, &other], until).await, asked);
}
