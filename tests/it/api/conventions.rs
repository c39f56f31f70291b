//! What every endpoint shares: errors, idempotency, lost updates, the event log, limits.

use diesel::prelude::*;
use evenwatt::store::StoreError;
use evenwatt::store::schema::idempotency_keys;
use reqwest::Method;
use serde_json::json;

use crate::support::{Client, TestApp};

fn site(name: &str) -> serde_json::Value {
    json!({"operatorName": name, "address": {}, "coordinates": [4.89, 52.37]})
}

#[actix_web::test]
async fn wrong_requests_get_their_envelope() {
    let app = TestApp::start().await;
    let client = &app.client;
    assert_eq!(client.get_bare("/v1.1/locations").await.error(401), "unauthenticated");
    assert_eq!(client.get("/nothing").await.error(404), "not_found");
    let wrong_method = client.delete("/locations").await;
    assert_eq!(
        (wrong_method.error(405).as_str(), &wrong_method.headers["allow"]),
        ("method_not_allowed", &"GET, POST".parse().unwrap())
    );
    assert_eq!(client.get("/locations/12").await.error(422), "invalid_path");
    let request = |body: &'static str, kind: &'static str| {
        client.send(client.request(Method::POST, "/locations").header("content-type", kind).body(body))
    };
    assert_eq!(request("{oops", "application/json").await.error(400), "not_json");
    assert_eq!(request("a=1", "application/x-www-form-urlencoded").await.error(415), "unsupported_media_type");
    assert_eq!(request("[]", "application/json").await.error(422), "invalid_body");
    let huge = client.request(Method::POST, "/locations").json(&json!({"notes": "x".repeat(2_000_000)}));
    assert_eq!(client.send(huge).await.error(413), "body_too_large");
}

#[actix_web::test]
async fn the_same_idempotency_key_does_it_once() {
    let app = TestApp::start().await;
    let post = |name: &str| {
        app.client
            .send(app.client.request(Method::POST, "/locations").header("idempotency-key", "k1").json(&site(name)))
    };
    let first = post("Once").await.created();
    let again = post("Once").await;
    assert_eq!((again.created(), &again.headers["idempotency-replayed"]), (first, &"true".parse().unwrap()));
    assert_eq!(post("Other").await.error(422), "idempotency_key_reused");
    assert_eq!(app.client.get("/locations").await.json()["totalDocs"], 1);
}

/// A new API key is shown once. The answer that is kept for a repeated request can be read by its caller only, and not with the
/// caller's next key.
#[actix_web::test]
async fn an_answer_that_is_kept_shows_its_secrets_to_its_caller_only() {
    let app = TestApp::start().await;
    let mine = json!({"name": "Mine", "scopes": ["write:api_keys"]});
    let mine = app.client.post("/api_keys", mine).await.created();
    let caller = Client::new(app.running.address, mine["key"].as_str().expect("a key"));
    let ask = async |client: &Client| {
        let request = client.request(Method::POST, "/api_keys");
        let body = json!({"name": "New", "scopes": ["write:api_keys"]});
        let request = request.header("idempotency-key", "k1").json(&body);
        client.send(request).await
    };
    let made = ask(&caller).await.created();
    assert_eq!(ask(&caller).await.created(), made);

    let bodies = app.running.context.db.read(|conn| {
        let bodies = idempotency_keys::table.select(idempotency_keys::body);
        Ok::<_, StoreError>(bodies.load::<Option<String>>(conn)?)
    });
    let kept = bodies.await.expect("rows").remove(0).expect("an answer");
    assert!(!kept.contains(made["key"].as_str().expect("a key")) && !kept.contains("\"ok\""));

    let rotate = format!("/api_keys/{}/rotate", mine["_id"].as_str().expect("an id"));
    let rotated = app.client.post(&rotate, json!({})).await.json();
    let next = rotated["result"]["key"].as_str().expect("the next key");
    let answer = ask(&Client::new(app.running.address, next)).await;
    assert_eq!(answer.error(409), "conflict");
}

#[actix_web::test]
async fn if_match_refuses_a_lost_update() {
    let app = TestApp::start().await;
    let created = app.client.post("/locations", site("A")).await.created();
    let path = format!("/locations/{}", created["_id"].as_str().unwrap());
    let etag = app.client.get(&path).await.headers["etag"].clone();
    let patch = || {
        let request = app.client.request(Method::PATCH, &path).header("if-match", etag.clone());
        app.client.send(request.json(&json!({"name": "B"})))
    };
    patch().await.ok();
    assert_eq!(patch().await.error(412), "version_mismatch");
}

#[actix_web::test]
async fn changes_are_recorded_in_order_with_the_whole_object() {
    let app = TestApp::start().await;
    let created = app.client.post("/locations", site("A")).await.created();
    app.client.delete(&format!("/locations/{}", created["_id"].as_str().unwrap())).await.ok();
    let first = app.client.get("/events?after=0&limit=1").await.json();
    assert_eq!((&first["result"][0]["type"], &first["result"][0]["data"]), (&json!("location.created"), &created));
    let rest = app.client.get(&format!("/events?after={}", first["next_after"])).await.json();
    assert_eq!((&rest["result"][0]["type"], &rest["hasNextPage"]), (&json!("location.deleted"), &json!(false)));
    assert_eq!(app.stranger().await.get("/events").await.json()["result"], json!([]));
}

#[actix_web::test]
async fn too_many_requests_are_answered_when_to_come_back() {
    let options = [("EVENWATT_HTTP_RATE_BURST", "3"), ("EVENWATT_HTTP_RATE_PER_SECOND", "1")];
    let app = TestApp::start_with(&options).await;
    let first = app.client.get("/organization").await;
    assert_eq!(
        (&first.headers["ratelimit-limit"], &first.headers["ratelimit-remaining"]),
        (&"3".parse().unwrap(), &"2".parse().unwrap())
    );
    app.client.get("/organization").await;
    app.client.get("/organization").await;
    let refused = app.client.get("/organization").await;
    assert_eq!(refused.error(429), "too_many_requests");
    assert!(refused.headers.contains_key("retry-after"));
}

#[actix_web::test]
async fn operators_see_health_metrics_and_the_document() {
    let app = TestApp::start().await;
    assert_eq!(app.client.get_bare("/healthz").await.status, 200);
    assert_eq!(app.client.get_bare("/readyz").await.status, 200);
    app.client.get("/organization").await.ok();
    assert!(app.client.get_bare("/metrics").await.text.contains("evenwatt_http_requests_total"));
    assert!(app.client.get_bare("/swagger-ui/").await.text.contains("swagger"));
    assert_eq!(app.client.get_bare("/openapi.json").await.json()["info"]["title"], "Evenwatt");
}
