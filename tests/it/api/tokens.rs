//! Tokens over HTTP, and what stations are answered about them.

use std::time::Duration;

use evenwatt::people::tokens::{self, Authorization, AuthorizationStatus};
use serde_json::{Value, json};

use crate::support::TestApp;

async fn authorize(app: &TestApp, id_tag: &str) -> Authorization {
    let (organization, id_tag) = (app.organization, id_tag.to_owned());
    let context = &app.running.context;
    let now = context.clock.now();
    let answer = context.db.read(move |conn| tokens::authorize(conn, organization, &id_tag, now)).await;
    answer.expect("an answer")
}

async fn user(app: &TestApp) -> Value {
    app.client.post("/users", json!({"firstname": "Ada", "lastname": "Lovelace"})).await.created()
}

#[actix_web::test]
async fn a_token_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let user = user(&app).await;
    let new = json!({"physicalId": " 04A2b3 ", "type": "iso14443", "user": user["_id"], "parent_group": "FLEET"});
    let created = app.client.post("/tokens", new).await.created();
    assert_eq!(
        (&created["physicalId"], &created["type"], &created["status"], &created["user"]),
        (&json!("04A2b3"), &json!("ISO14443"), &json!("active"), &user["_id"])
    );
    let path = format!("/tokens/{}", created["_id"].as_str().unwrap());
    assert_eq!(app.client.get(&path).await.ok(), created);
    assert_eq!(app.client.get(&format!("{path}?include_user=true")).await.ok()["user"], user);
    assert_eq!(app.client.get("/tokens?include_user=true").await.json()["result"][0]["user"], user);

    let changed = app.client.patch(&path, json!({"user": null, "status": "blocked", "type": "Central"})).await.ok();
    assert_eq!(
        (&changed["user"], &changed["status"], &changed["type"]),
        (&Value::Null, &json!("blocked"), &json!("Central"))
    );
    assert_eq!(app.client.patch(&path, json!({"physicalId": null})).await.faulty_fields(), ["physicalId"]);

    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
    let recorded = app.client.get("/events?type=token.deleted").await.json();
    assert_eq!(
        (&recorded["result"][0]["object"], &recorded["result"][0]["data"]["_id"]),
        (&json!("token"), &created["_id"])
    );
}

#[actix_web::test]
async fn a_physical_id_belongs_to_one_token_of_an_organization() {
    let app = TestApp::start().await;
    app.client.post("/tokens", json!({"physicalId": "abc"})).await.created();
    assert_eq!(app.client.post("/tokens", json!({"physicalId": "ABC"})).await.error(409), "already_exists");
    app.stranger().await.post("/tokens", json!({"physicalId": "ABC"})).await.created();

    let body = json!({"physicalId": "x".repeat(256), "type": "stone", "user": "650000000000000000000001"});
    assert_eq!(app.client.post("/tokens", body).await.faulty_fields(), ["physicalId", "type"]);
    let unknown = json!({"physicalId": "d", "user": "650000000000000000000001"});
    assert_eq!(app.client.post("/tokens", unknown).await.faulty_fields(), ["user"]);
}

#[actix_web::test]
async fn lists_filter_by_user_and_status() {
    let app = TestApp::start().await;
    let user = user(&app).await;
    app.client.post("/tokens", json!({"physicalId": "A1", "user": user["_id"]})).await.created();
    app.client.post("/tokens", json!({"physicalId": "B2", "status": "blocked"})).await.created();
    let found = async |query: &str| -> Vec<String> {
        let answer = app.client.get(&format!("/tokens?sort_by=physicalId&sort_order=asc&{query}")).await.json();
        answer["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["physicalId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("").await, ["A1", "B2"]);
    assert_eq!(found(&format!("user={}", user["_id"].as_str().unwrap())).await, ["A1"]);
    assert_eq!(found("status=blocked").await, ["B2"]);
    assert_eq!(found("type=Central").await, Vec::<String>::new());
    assert_eq!(found("search=b").await, ["B2"]);
    assert_eq!(app.client.get("/tokens?status=lost").await.faulty_fields(), ["status"]);
}

#[actix_web::test]
async fn stations_are_answered_who_may_charge() {
    let app = TestApp::start().await;
    let user = user(&app).await;
    let new = json!({"physicalId": "04A2b3", "user": user["_id"], "parent_group": "FLEET",
        "expires_at": "2026-04-24T05:00:00Z"}); // the test's clock stands at 2026-04-24T03:06:40Z
    let token = app.client.post("/tokens", new).await.created();
    let token_path = format!("/tokens/{}", token["_id"].as_str().unwrap());
    let user_path = format!("/users/{}", user["_id"].as_str().unwrap());

    let known = authorize(&app, "04a2B3").await;
    assert_eq!(known.status, AuthorizationStatus::Accepted);
    assert_eq!(known.token.map(|id| id.to_string()).as_deref(), token["_id"].as_str());
    assert_eq!(known.user.map(|id| id.to_string()).as_deref(), user["_id"].as_str());
    assert_eq!(known.parent_group.as_deref(), Some("FLEET"));
    assert_eq!(known.expires_at.map(|at| at.to_string()).as_deref(), Some("2026-04-24T05:00:00.000Z"));

    app.client.patch(&token_path, json!({"status": "blocked"})).await.ok();
    assert_eq!(authorize(&app, "04A2b3").await.status, AuthorizationStatus::Blocked);
    app.client.patch(&token_path, json!({"status": "active"})).await.ok();
    app.client.patch(&user_path, json!({"active": false})).await.ok();
    assert_eq!(authorize(&app, "04A2b3").await.status, AuthorizationStatus::Blocked);
    app.client.patch(&user_path, json!({"active": true})).await.ok();

    app.pass(Duration::from_secs(2 * 3600)).await;
    assert_eq!(authorize(&app, "04A2b3").await.status, AuthorizationStatus::Expired);
    app.client.patch(&token_path, json!({"expires_at": null})).await.ok();
    assert_eq!(authorize(&app, "04A2b3").await.status, AuthorizationStatus::Accepted);

    let unknown = authorize(&app, "04A2b4").await;
    assert_eq!((unknown.status, unknown.token), (AuthorizationStatus::Invalid, None));
}
