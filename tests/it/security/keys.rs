//! A key that may write keys stays as weak as it is: stronger keys are out of its reach, in every way there is.

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

const KEEPER: [&str; 3] = ["read:api_keys", "write:api_keys", "read:locations"];

/// Scopes of other keys, and which of them the keeper lacks.
const TARGETS: [(&[&str], &[&str]); 5] = [
    (&["read:locations"], &[]),
    (&["read:api_keys", "write:api_keys", "read:locations"], &[]),
    (&["read:locations", "write:locations"], &["write:locations"]),
    (&["read:groups", "write:groups"], &["read:groups", "write:groups"]),
    (&["*"], &["*"]),
];

async fn key_with(client: &Client, scopes: &[&str]) -> Value {
    let body = json!({"name": "Target", "scopes": scopes});
    client.post("/api_keys", body).await.created()
}

/// Everything that can be done to a key that exists.
async fn attempts(keeper: &Client, path: &str) -> Vec<(&'static str, Answer)> {
    vec![
        ("rename", keeper.patch(path, json!({"name": "Mine"})).await),
        ("weaken", keeper.patch(path, json!({"scopes": ["read:locations"]})).await),
        ("expire", keeper.patch(path, json!({"expires_at": "2030-01-01T00:00:00Z"})).await),
        ("revive", keeper.patch(path, json!({"active": true, "expires_at": null})).await),
        ("revoke", keeper.patch(path, json!({"active": false})).await),
        ("rotate", keeper.post(&format!("{path}/rotate"), json!({})).await),
        ("delete", keeper.delete(path).await),
    ]
}

#[track_caller]
fn refused_for(what: &str, answer: &Answer, lacking: &[&str]) {
    assert_eq!(answer.error(403), "forbidden", "{what}");
    let message = answer.json()["message"].to_string();
    for scope in lacking {
        assert!(message.contains(scope), "{what}: {message}");
    }
}

#[actix_web::test]
async fn a_key_reaches_no_key_with_scopes_that_it_lacks() {
    let app = TestApp::start().await;
    let keeper = app.client_with(&KEEPER).await;
    for (scopes, lacking) in TARGETS {
        let new = json!({"name": "New", "scopes": scopes});
        let made = keeper.post("/api_keys", new).await;
        if lacking.is_empty() {
            made.created();
        } else {
            refused_for("create", &made, lacking);
        }

        let mine = key_with(&app.client, &["read:locations"]).await;
        let path = format!("/api_keys/{}", mine["_id"].as_str().expect("an id"));
        let raised = keeper.patch(&path, json!({"scopes": scopes})).await;
        if lacking.is_empty() {
            raised.ok();
        } else {
            refused_for("raise", &raised, lacking);
        }

        let target = key_with(&app.client, scopes).await;
        let path = format!("/api_keys/{}", target["_id"].as_str().expect("an id"));
        let before = app.client.get(&path).await.ok();
        for (what, answer) in attempts(&keeper, &path).await {
            if lacking.is_empty() {
                assert!(answer.status.is_success(), "{what}: {}", answer.text);
            } else {
                refused_for(what, &answer, lacking);
            }
        }
        if !lacking.is_empty() {
            assert_eq!(app.client.get(&path).await.ok(), before);
        }
    }
}

/// Without `scopes` a new key can do everything, so only a key with `*` makes one.
#[actix_web::test]
async fn a_key_without_scopes_is_one_with_all_of_them() {
    let app = TestApp::start().await;
    let keeper = app.client_with(&KEEPER).await;
    let made = keeper.post("/api_keys", json!({"name": "All"})).await;
    refused_for("create", &made, &["*"]);
    app.client.post("/api_keys", json!({"name": "All"})).await.created();
}

/// Every scope by name is still not `*`, which later scopes will belong to.
#[actix_web::test]
async fn all_scopes_by_name_are_less_than_a_star() {
    let app = TestApp::start().await;
    let keeper = app.client_with(evenwatt::http::caller::SCOPES).await;
    let star = key_with(&app.client, &["*"]).await;
    let path = format!("/api_keys/{}", star["_id"].as_str().expect("an id"));
    let rotated = keeper.post(&format!("{path}/rotate"), json!({})).await;
    refused_for("rotate", &rotated, &["*"]);
}
