//! The audit: who changed what, written with the change.

use serde_json::{Value, json};

use super::browser::{Browser, GRACE};
use crate::support::TestApp;

fn lines(answer: &Value) -> Vec<(String, String, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let rows = answer["result"].as_array().expect("lines").iter();
    rows.map(|line| {
        (text(&line["actor"]["type"]), text(&line["actor"]["name"]), text(&line["method"]), text(&line["path"]))
    })
    .collect()
}

#[actix_web::test]
async fn each_change_is_there_with_who_made_it_and_nothing_else() {
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Admin").await;
    let place = json!({"operatorName": "P", "address": {}, "coordinates": [4.9, 52.4]});
    let location = grace.post("/locations", place.clone()).await.created();
    let path = format!("/locations/{}", location["_id"].as_str().expect("an id"));
    grace.get(&path).await.ok();
    assert_eq!(grace.post("/locations", json!({})).await.status, 422, "nothing is stored");
    let key = app.client_with(&["write:locations"]).await;
    key.patch(&path, json!({"operatorName": "Q"})).await.ok();
    // Once, however often it is asked for.
    for _ in 0..2 {
        let request = key.request(reqwest::Method::POST, "/locations").header("idempotency-key", "one").json(&place);
        key.send(request).await.created();
    }
    let audit = app.client.get("/audit?sort_order=asc").await.json();
    let mut seen = lines(&audit);
    seen.retain(|line| !line.3.contains("/account/"));
    let test = seen.first().expect("the invitation").1.clone();
    let expected = [
        ("api_key", test.as_str(), "POST", "/v1.1/operators"),
        ("operator", "Grace Hopper", "POST", "/v1.1/locations"),
        ("api_key", &test, "POST", "/v1.1/api_keys"),
        ("api_key", "Limited", "PATCH", &format!("/v1.1{path}")),
        ("api_key", "Limited", "POST", "/v1.1/locations"),
    ];
    let expected = expected
        .map(|(kind, name, method, path)| (kind.to_owned(), name.to_owned(), method.to_owned(), path.to_owned()));
    assert_eq!(seen, expected);
    assert_eq!(lines(&app.client.get("/audit?actor_type=operator").await.json()).len(), 1);
    assert_eq!(lines(&app.client.get("/audit?method=patch").await.json()).len(), 1);
    assert_eq!(lines(&app.client.get("/audit?search=grace").await.json()).len(), 1);
    assert_eq!(lines(&app.client.get(&format!("/audit?search={path}")).await.json()).len(), 1);
    assert_eq!(app.stranger().await.get("/audit").await.json()["totalDocs"], 0);
    assert_eq!(key.get("/audit").await.error(403), "forbidden");
}
