//! What grows is deleted when it is old, each time it is told, and no wrong clock deletes more than a day.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use evenwatt::app::retention::{self, Kept};
use evenwatt::db::schema::meter_values;
use evenwatt::db::{Conn, StoreError, StoreResult};
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, configuration, eventually};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Nothing is kept for long.
const SHORT: &[(&str, &str)] = &[
    ("EVENWATT_RETENTION_READINGS_DAYS", "3"),
    ("EVENWATT_RETENTION_ORPHANS_DAYS", "3"),
];

/// What is old is forgotten, as it is every minute.
async fn apply(app: &TestApp) {
    let config = configuration(app.store_url(), SHORT);
    let applied = retention::apply(&app.running.context, Kept::from(&config.retention)).await;
    applied.expect("it is applied");
}

async fn pass(app: &TestApp, days: u32) {
    for _ in 0..days * 2 {
        app.clock.advance(DAY / 2);
        apply(app).await;
    }
}

/// A session with three readings that is over.
async fn charge(app: &TestApp) -> Value {
    let station = app.station("Kept").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let at =
        |seconds: u64| (app.running.context.clock.now() + Duration::from_secs(seconds)).to_string();
    let start = json!({"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": at(0)});
    let started = socket.call("StartTransaction", start).await;
    let transaction = started["transactionId"].clone();
    for number in 0..3 {
        let sampled = json!([{"value": (number * 10).to_string()}]);
        let values = json!([{"timestamp": at(number), "sampledValue": sampled}]);
        let report = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
        socket.call("MeterValues", report).await;
    }
    let stop = json!({"transactionId": transaction, "meterStop": 30, "timestamp": at(5)});
    socket.call("StopTransaction", stop).await;
    app.client.get("/sessions").await.ok()[0].clone()
}

async fn readings(app: &TestApp) -> i64 {
    let count = app
        .running
        .context
        .db
        .read(|conn| Ok::<i64, StoreError>(meter_values::table.count().get_result(conn)?));
    count.await.expect("counted")
}

async fn told(app: &TestApp) -> Vec<Value> {
    let page = app
        .client
        .get("/events?type=organization.retention.applied")
        .await
        .json();
    page["result"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["data"]["what"].clone())
        .collect()
}

#[actix_web::test]
async fn readings_go_after_a_time_and_the_session_stays() {
    let app = TestApp::start_with(SHORT).await;
    apply(&app).await;
    let session = charge(&app).await;
    assert!(readings(&app).await >= 3);
    pass(&app, 2).await;
    assert!(readings(&app).await >= 3, "two days are not three");
    pass(&app, 2).await;

    assert_eq!(readings(&app).await, 0);
    assert_eq!(
        app.client.get("/sessions").await.ok()[0]["_id"],
        session["_id"]
    );
    assert!(told(&app).await.contains(&json!("readings")));
}

#[actix_web::test]
async fn a_clock_that_is_wrong_deletes_nothing_and_told_right_again_goes_on() {
    let app = TestApp::start_with(SHORT).await;
    apply(&app).await;
    charge(&app).await;
    let before = readings(&app).await;
    app.clock.advance(DAY * 1_000);
    for _ in 0..10 {
        apply(&app).await;
    }
    assert_eq!(
        readings(&app).await,
        before,
        "a thousand days in an instant are a day"
    );
    assert_eq!(told(&app).await, [json!(null); 0]);
}

#[actix_web::test]
async fn orphans_go_whole() {
    let app = TestApp::start_with(SHORT).await;
    apply(&app).await;
    let station = app.station("Forgetful").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let stop = json!({"transactionId": 77, "meterStop": 1, "timestamp": "2026-04-24T01:00:00Z"});
    socket.call("StopTransaction", stop).await;
    pass(&app, 2).await;
    assert_eq!(
        app.client.get("/sessions?orphan=true").await.json()["totalDocs"],
        1
    );
    pass(&app, 2).await;
    assert_eq!(
        app.client.get("/sessions?orphan=true").await.json()["totalDocs"],
        0
    );
    assert!(told(&app).await.contains(&json!("orphans")));
}

#[actix_web::test]
async fn a_store_that_takes_no_writes_is_not_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.client.get_bare("/readyz").await.status, 200);
    let closed = app.running.context.db.write(|conn| -> StoreResult<bool> {
        match conn {
            Conn::Sqlite(conn) => {
                conn.batch_execute("PRAGMA query_only = ON")?;
                Ok(true)
            }
            Conn::Pg(_) => Ok(false), // any of its writers may be asked
        }
    });
    if !closed.await.expect("closed") {
        return;
    }
    eventually(async || app.client.get_bare("/readyz").await.status == 503).await;
    assert_eq!(app.client.get_bare("/healthz").await.status, 200);
}
