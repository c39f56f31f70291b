//! The audit: who changed what, written with the change.

use serde_json::{Value, json};

use super::browser::{Browser, GRACE, PASSWORD};
use crate::support::{FakeStation, TestApp};

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
    let seen = lines(&audit);
    let test = seen.first().expect("the invitation").1.clone();
    let expected = [
        ("api_key", test.as_str(), "POST", "/v1.1/operators"),
        ("operator", "Grace Hopper", "POST", "/v1.1/account/invitations/…/accept"),
        ("operator", "Grace Hopper", "POST", "/v1.1/locations"),
        ("api_key", &test, "POST", "/v1.1/api_keys"),
        ("api_key", "Limited", "PATCH", &format!("/v1.1{path}")),
        ("api_key", "Limited", "POST", "/v1.1/locations"),
    ];
    let expected = expected
        .map(|(kind, name, method, path)| (kind.to_owned(), name.to_owned(), method.to_owned(), path.to_owned()));
    assert_eq!(seen, expected);
    assert_eq!(lines(&app.client.get("/audit?actor_type=operator").await.json()).len(), 2);
    assert_eq!(lines(&app.client.get("/audit?method=patch").await.json()).len(), 1);
    assert_eq!(lines(&app.client.get("/audit?search=grace").await.json()).len(), 2);
    assert_eq!(lines(&app.client.get(&format!("/audit?search={path}")).await.json()).len(), 1);
    assert_eq!(app.stranger().await.get("/audit").await.json()["totalDocs"], 0);
    assert_eq!(key.get("/audit").await.error(403), "forbidden");
}

#[actix_web::test]
async fn logins_and_commands_to_stations_are_there_too() {
    let app = TestApp::start().await;
    Browser::invited(&app, &app.client, GRACE, "Operator").await;
    let answer = Browser::new(&app).log_in(GRACE, PASSWORD).await;
    Browser::new(&app).log_in(GRACE, "guess").await.error(401);
    let grace = Browser::new(&app).after(&answer);
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let reset = format!("{}/reset", station.path);
    let asked = grace.post(&reset, json!({"type": "Soft"}));
    let answered = async {
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
    };
    let (outcome, ()) = futures_util::future::join(asked, answered).await;
    assert_eq!(outcome.status, 200, "{}", outcome.text);
    assert_eq!(grace.post(&format!("{}/disconnect", station.path), json!({})).await.status, 200);
    let audit = app.client.get("/audit?sort_order=asc&actor_type=operator").await.json();
    let made: Vec<_> = lines(&audit).into_iter().skip(1).map(|line| line.3).collect();
    let under = |path: &str| format!("/v1.1{path}");
    let expected = [under("/account/login"), under(&reset), under(&format!("{}/disconnect", station.path))];
    assert_eq!(made, expected, "the wrong password is nobody's");
}
