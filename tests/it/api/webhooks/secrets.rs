//! The secrets of webhooks are sealed in the store, and a server with another key says that it cannot sign.

use diesel::prelude::*;
use evenwatt::store::schema::{secrets, webhooks};
use evenwatt::store::{StoreError, StoreResult};
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{Endpoint, OWN_NETWORK, create, place};
use crate::support::TestApp;

const KEY: (&str, &str) = ("EVENWATT_WEBHOOKS_SECRET_KEY", "the first key, long enough to be taken");
const OTHER_KEY: (&str, &str) = ("EVENWATT_WEBHOOKS_SECRET_KEY", "another key, also long enough to be taken");

fn with(key: (&'static str, &'static str)) -> Vec<(&'static str, &'static str)> {
    OWN_NETWORK.iter().copied().chain([key]).collect()
}

/// Whether a request was signed with this secret, first or second.
fn signed_with(request: &super::Request, secret: &str) -> bool {
    let (time, signatures) = request.signature.split_once(",").expect("t and v1");
    let time = time.strip_prefix("t=").expect("t");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{time}.{}", request.text).as_bytes());
    let expected = hex::encode(mac.finalize().into_bytes());
    signatures.split(',').any(|one| one == format!("v1={expected}"))
}

async fn db_secret(app: &TestApp) -> String {
    let db = &app.running.context.db;
    let read = db.read(|conn| -> StoreResult<String> { Ok(webhooks::table.select(webhooks::secret).first(conn)?) });
    read.await.expect("a webhook")
}

async fn db_set_secret(app: &TestApp, secret: &str) {
    let (db, secret) = (&app.running.context.db, secret.to_owned());
    let write = db.write(move |conn| {
        diesel::update(webhooks::table).set(webhooks::secret.eq(&secret)).execute(conn).map_err(StoreError::from)
    });
    write.await.expect("it is written");
}

#[actix_web::test]
async fn secrets_are_sealed_and_survive_a_restart_with_the_same_key() {
    let app = TestApp::start_with(&with(KEY)).await;
    let endpoint = Endpoint::start("200 OK").await;
    let (_, webhook) = create(&app, &endpoint, "location.created").await;
    let secret = webhook["secret"].as_str().expect("a secret");
    let stored = db_secret(&app).await;
    assert!(!stored.contains(secret) && !stored.contains("whsec_"), "{stored}");

    let app = app.restart_with(&with(KEY)).await;
    assert_eq!(db_secret(&app).await, stored);
    app.client.post("/locations", place("A")).await.created();
    endpoint.receives(1).await;
    assert!(signed_with(&endpoint.got()[0], secret));
}

#[actix_web::test]
async fn with_another_key_nothing_is_sent_until_the_secret_is_rotated_or_the_key_is_back() {
    let app = TestApp::start_with(&with(KEY)).await;
    let endpoint = Endpoint::start("200 OK").await;
    let (path, webhook) = create(&app, &endpoint, "location.created").await;
    let first = webhook["secret"].as_str().expect("a secret").to_owned();

    let app = app.restart_with(&with(OTHER_KEY)).await;
    assert_eq!(app.client.get(&path).await.ok()["secret_lost"], true);
    let events = app.event_types().await;
    assert!(events.contains(&"webhook.updated".to_owned()), "{events:?}");
    app.client.post("/locations", place("A")).await.created();

    let app = app.restart_with(&with(KEY)).await;
    assert_eq!(app.client.get(&path).await.ok()["secret_lost"], false);
    endpoint.receives(1).await;
    assert!(signed_with(&endpoint.got()[0], &first));

    let app = app.restart_with(&with(OTHER_KEY)).await;
    app.client.post("/locations", place("B")).await.created();
    let rotated = app.client.post(&format!("{path}/rotate_secret"), json!({})).await.ok();
    assert_eq!((&rotated["secret_lost"], &rotated["previous_secret_until"]), (&json!(false), &json!(null)));
    endpoint.receives(2).await;
    let got = &endpoint.got()[1];
    assert!(signed_with(got, rotated["secret"].as_str().expect("a secret")));
    assert_eq!(got.signature.matches("v1=").count(), 1);
}

#[actix_web::test]
async fn what_was_sealed_with_the_kept_key_or_not_at_all_is_sealed_with_the_configured_one() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("200 OK").await;
    let (path, webhook) = create(&app, &endpoint, "location.created").await;
    let secret = webhook["secret"].as_str().expect("a secret").to_owned();
    let kept = db_secret(&app).await;

    let app = app.restart_with(&with(KEY)).await;
    assert_ne!(db_secret(&app).await, kept);
    db_set_secret(&app, &secret).await;

    let app = app.restart_with(&with(KEY)).await;
    let sealed = db_secret(&app).await;
    assert!(!sealed.contains(&secret), "{sealed}");
    assert_eq!(app.client.get(&path).await.ok()["secret_lost"], false);
    app.client.post("/locations", place("A")).await.created();
    endpoint.receives(1).await;
    assert!(signed_with(&endpoint.got()[0], &secret));
}

#[actix_web::test]
async fn without_a_configured_key_one_is_made_and_kept() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let names = app
        .running
        .context
        .db
        .read(|conn| -> StoreResult<Vec<String>> { Ok(secrets::table.select(secrets::name).load(conn)?) });
    let names = names.await.expect("names");
    assert!(names.contains(&"webhook_secret_key".to_owned()), "{names:?}");
}
