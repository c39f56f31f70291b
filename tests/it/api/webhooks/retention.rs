//! Old events and deliveries are forgotten, and whoever asks for them gets a 410.

use std::time::Duration;

use evenwatt::events::{Change, EventKind};
use evenwatt::store::StoreError;
use serde_json::json;

use super::{Endpoint, OWN_NETWORK, create, deliveries, place};
use crate::support::{Keeper, TestApp};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn names(app: &TestApp) -> Vec<String> {
    let page = app.client.get("/events?type=location.created").await.json();
    let names = page["result"].as_array().expect("events").iter();
    names.map(|one| one["data"]["operatorName"].as_str().expect("a name").to_owned()).collect()
}

#[actix_web::test]
async fn a_cursor_from_before_what_is_kept_is_answered_so() {
    let app = TestApp::start().await;
    let mut keeper = Keeper::new(&app, &[]).await;
    app.client.post("/locations", place("old")).await.created();
    let early = app.client.get("/events?limit=1").await.json();
    let early = early["next_after"].clone();
    app.client.post("/locations", place("old too")).await.created();
    let late = app.client.get("/events").await.json()["next_after"].clone();
    keeper.pass(&app, 80).await;
    app.client.post("/locations", place("new")).await.created();
    assert_eq!(names(&app).await, ["old", "old too", "new"]);

    keeper.pass(&app, 11).await;
    assert_eq!(names(&app).await, ["new"]);
    let answer = app.client.get(&format!("/events?after={early}")).await;
    assert_eq!(answer.error(410), "events_gone");
    let message = answer.json()["message"].to_string();
    assert!(message.contains(&format!("after={late}")), "{message}");
    let stream = app.client.get(&format!("/events/stream?after={early}")).await;
    assert_eq!(stream.error(410), "events_gone");
    let rest = app.client.get(&format!("/events?after={late}&type=location.created")).await.json();
    assert_eq!(rest["result"].as_array().expect("events").len(), 1);
    assert_eq!(app.stranger().await.get("/events?after=1").await.status, 200);
}

#[actix_web::test]
async fn more_old_events_than_are_deleted_in_one_go_are_all_deleted() {
    let app = TestApp::start().await;
    let mut keeper = Keeper::new(&app, &[]).await;
    let moment = app.running.context.moment();
    let organization = app.organization;
    let write = app.running.context.db.write(move |conn| {
        for number in 0..1_234 {
            Change::new(conn, organization, &moment).record(EventKind::LocationUpdated, &json!({"number": number}))?;
        }
        Ok::<_, StoreError>(())
    });
    write.await.expect("they are written");
    keeper.pass(&app, 91).await;
    assert_eq!(keeper.recorded(&app).await, [json!({"what": "events", "rows": 1_234})]);
    assert_eq!(app.event_types().await, ["organization.retention.applied"]);
}

#[actix_web::test]
async fn deliveries_are_forgotten_when_they_are_over_and_not_before() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let mut keeper = Keeper::new(&app, &[]).await;
    let (taking, refusing) = (Endpoint::start("200 OK").await, Endpoint::start("500 Internal Server Error").await);
    let (received, _) = create(&app, &taking, "location.created").await;
    let (waiting, _) = create(&app, &refusing, "location.created").await;
    app.client.post("/locations", place("A")).await.created();
    let done = async || {
        let all = deliveries(&app, &received).await;
        all.first().is_some_and(|one| one["status"] == "delivered")
    };
    app.eventually(done).await;
    refusing.receives(1).await;
    app.client.patch(&waiting, json!({"active": false})).await.ok();
    keeper.pass(&app, 29).await;
    assert_eq!(deliveries(&app, &received).await.len(), 1);
    keeper.pass(&app, 2).await;
    assert_eq!(deliveries(&app, &received).await.len(), 0);
    assert_eq!(deliveries(&app, &waiting).await.len(), 1, "it was never received");
    assert!(keeper.recorded(&app).await.contains(&json!({"what": "deliveries", "rows": 1})));
}

#[actix_web::test]
async fn what_is_still_needed_is_kept() {
    let app = TestApp::start().await;
    for name in ["A", "B"] {
        app.client.post("/locations", place(name)).await.created();
    }
    let page = app.client.get("/events?type=location.created").await.json();
    let first = page["result"][0]["cursor"].as_i64().expect("a cursor");
    app.pass(91 * DAY).await;
    let (now, needed) = (app.running.context.clock.now(), [(app.organization, first)].into());
    let forget =
        app.running.context.db.write(move |conn| evenwatt::events::forget(conn, now - 90 * DAY, &needed, None));
    let forgotten = forget.await.expect("it is forgotten");
    assert_eq!(forgotten.rows, [(app.organization, 1)].into());
    assert_eq!(names(&app).await, ["B"]);
}
