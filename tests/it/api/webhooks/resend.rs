//! Sending a part of the log again.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Endpoint, LOOKED_AT_EVERY, OWN_NETWORK, create, deliveries, place};
use crate::support::TestApp;

async fn resend(app: &TestApp, path: &str, what: Value) -> Value {
    let answer = app.client.post(&format!("{path}/resend"), what).await;
    app.pass(LOOKED_AT_EVERY).await;
    answer.ok()["queued"].clone()
}

#[actix_web::test]
async fn a_stretch_of_the_log_is_sent_again_under_the_same_ids() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    app.client.post("/locations", place("before")).await.created();
    let endpoint = Endpoint::start("200 OK").await;
    let (path, _) = create(&app, &endpoint, "location.*").await;
    let mut times = Vec::new();
    for name in ["A", "B", "C"] {
        app.pass(Duration::from_secs(60)).await;
        let made = app.client.post("/locations", place(name)).await.created();
        times.push(made["createdAt"].clone());
    }
    endpoint.receives(3).await;
    let done = async || {
        let all = deliveries(&app, &path).await;
        all.iter().all(|one| one["status"] == "delivered")
    };
    app.eventually(done).await;
    let first_time: Vec<Value> = endpoint.got().into_iter().map(|one| one.body).collect();

    let some = json!({"from": times[1], "to": times[2]});
    assert_eq!(resend(&app, &path, some).await, 2);
    endpoint.receives(5).await;
    app.eventually(done).await;
    let again: Vec<Value> = endpoint.got().into_iter().skip(3).map(|one| one.body).collect();
    assert_eq!(again, first_time[1..]);
    assert_eq!(deliveries(&app, &path).await.len(), 3, "no delivery twice");

    let by_id = json!({"events": [first_time[0]["_id"], "650000000000000000000001"]});
    assert_eq!(resend(&app, &path, by_id).await, 1);
    let later = json!({"from": "2026-01-01T00:00:00Z"});
    app.eventually(done).await;
    let all = resend(&app, &path, later).await;
    assert_eq!(all, 4, "also what happened before there was a webhook");
    app.eventually(done).await;
    let other_types = json!({"from": "2026-01-01T00:00:00Z", "types": "webhook.created"});
    assert_eq!(resend(&app, &path, other_types).await, 1);
    endpoint.receives(11).await;
}

#[actix_web::test]
async fn what_cannot_be_sent_again_is_refused_with_the_reason() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("200 OK").await;
    let (path, _) = create(&app, &endpoint, "location.*").await;
    let time = "2026-05-01T08:00:00Z";
    for (body, field) in [
        (json!({}), "from"),
        (json!({"from": time, "to": "2026-04-01T08:00:00Z"}), "to"),
        (json!({"from": time, "events": []}), "events"),
        (json!({"events": vec!["650000000000000000000001"; 1001]}), "events"),
        (json!({"from": "yesterday"}), "from"),
        (json!({"from": time, "types": "sesion.*"}), "types"),
    ] {
        let answer = app.client.post(&format!("{path}/resend"), body).await;
        assert_eq!(answer.faulty_fields(), [field]);
    }
    app.client.patch(&path, json!({"active": false})).await.ok();
    let (path, all) = (format!("{path}/resend"), json!({"from": "2026-01-01T00:00:00Z"}));
    assert_eq!(app.client.post(&path, all).await.error(409), "conflict");
}
