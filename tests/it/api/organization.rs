//! The organization and its API keys over HTTP.

use std::time::Duration;

use serde_json::json;

use crate::support::{Client, TestApp};

#[actix_web::test]
async fn a_key_is_shown_once_limited_expired_and_revoked() {
    let app = TestApp::start().await;
    let expires_at = "2026-04-24T05:00:00Z"; // the test's clock stands at 2026-04-24T03:06:40Z
    let new = json!({"name": "Reader", "scopes": ["read:locations"], "expires_at": expires_at});
    let created = app.client.post("/api_keys", new).await.created();
    let reader = Client::new(app.running.address, created["key"].as_str().expect("shown once"));
    let path = format!("/api_keys/{}", created["_id"].as_str().expect("an id"));
    assert!(app.client.get(&path).await.ok().get("key").is_none());

    reader.get("/locations").await.json();
    assert_eq!(reader.post("/locations", json!({})).await.error(403), "forbidden");
    assert_eq!(reader.get("/organization").await.error(403), "forbidden");

    app.pass(Duration::from_secs(3 * 3600)).await;
    assert_eq!(reader.get("/locations").await.error(401), "unauthenticated");
    app.client.patch(&path, json!({"expires_at": null})).await.ok();
    reader.get("/locations").await.json();
    app.client.patch(&path, json!({"active": false})).await.ok();
    assert_eq!(reader.get("/locations").await.error(401), "unauthenticated");
}

#[actix_web::test]
async fn rotating_a_key_ends_the_old_one_and_nobody_gains_scopes() {
    let app = TestApp::start().await;
    let keeper = app.client_with(&["read:api_keys", "write:api_keys"]).await;
    let escalation = keeper.post("/api_keys", json!({"name": "More", "scopes": ["write:locations"]})).await;
    assert_eq!(escalation.error(403), "forbidden");

    let keys = app.client.get("/api_keys?sort_by=name&sort_order=asc").await.json();
    let id = keys["result"][0]["_id"].as_str().expect("an id").to_owned();
    let rotated = app.client.post(&format!("/api_keys/{id}/rotate"), json!({})).await.ok();
    assert_eq!(keeper.get("/api_keys").await.error(401), "unauthenticated");
    Client::new(app.running.address, rotated["key"].as_str().expect("the new key")).get("/api_keys").await.json();
}

#[actix_web::test]
async fn an_organization_says_whom_to_ask_and_where_it_is() {
    let app = TestApp::start().await;
    let before = app.client.get("/organization").await.ok();
    assert_eq!((&before["support_contact"], &before["address"]), (&json!(null), &json!(null)));
    let contact = json!({"email": "Help@Example.com", "phone": "+31 20 1234567", "url": "https://example.com/help"});
    let patch = json!({"support_contact": contact, "address": {"city": "Amsterdam", "country": "nl"}});
    let changed = app.client.patch("/organization", patch).await.ok();
    let lower = json!({"email": "help@example.com", "phone": "+31 20 1234567", "url": "https://example.com/help"});
    assert_eq!(changed["support_contact"], lower);
    assert_eq!(changed["address"], json!({"city": "Amsterdam", "country": "NL"}));
    // What is said is merged into what is there.
    let merged = json!({"support_contact": {"phone": null}, "address": {"postalCode": "1013 AA"}});
    let merged = app.client.patch("/organization", merged).await.ok();
    assert_eq!(merged["support_contact"], json!({"email": "help@example.com", "url": "https://example.com/help"}));
    assert_eq!(merged["address"], json!({"postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"}));
    let wrong = json!({
        "support_contact": {"email": "help", "phone": "call me", "url": "javascript:alert(1)", "fax": "1"},
        "address": {"country": "Holland"}
    });
    assert_eq!(
        app.client.patch("/organization", wrong).await.faulty_fields(),
        [
            "address.country",
            "support_contact.email",
            "support_contact.fax",
            "support_contact.phone",
            "support_contact.url"
        ]
    );
    // Of which nothing is left, it is none.
    let emptied = json!({"support_contact": {"email": null, "url": null}, "address": null});
    let emptied = app.client.patch("/organization", emptied).await.ok();
    assert_eq!((&emptied["support_contact"], &emptied["address"]), (&json!(null), &json!(null)));
    assert_eq!(app.client.get("/organization").await.ok(), emptied);
}

#[actix_web::test]
async fn the_organization_can_be_renamed() {
    let app = TestApp::start().await;
    let renamed = app.client.patch("/organization", json!({"name": " Park3 "})).await.ok();
    assert_eq!(renamed["name"], "Park3");
    assert_eq!(app.client.get("/organization").await.ok(), renamed);
}
