//! Those who come in by a provider, those who do not, and what is known of them afterwards.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::browser::{Browser, GRACE, PASSWORD};
use super::super::second_factor::code;
use super::provider::{CLIENT, FakeProvider, base64url, parameter};
use super::{app_with, begin, came_in, come_back, location, refused, sent, set_cookie};
use crate::support::{Answer, TestApp, secret_of};

const MINUTE: Duration = Duration::from_secs(60);

fn now(app: &TestApp) -> i64 {
    app.running.context.clock.now().unix_seconds()
}

fn grace() -> Value {
    json!({"sub": "248289761001", "email": "Grace@Example.com", "email_verified": true, "name": "Grace Hopper"})
}

/// The whole way of a person to a provider and back.
async fn log_in(app: &TestApp, (id, provider): (&str, &FakeProvider), person: &Value) -> Answer {
    let begun = begin(app, id).await;
    let query = provider.approve(&begun.to, person, now(app));
    come_back(app, id, &begun.cookie, &query).await
}

async fn invite(app: &TestApp, email: &str) -> Value {
    app.client.post("/operators", json!({"email": email, "role": "Operator"})).await.created()
}

#[actix_web::test]
async fn somebody_who_was_invited_comes_in_by_a_provider_without_a_password() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    let invited = invite(&app, GRACE).await;
    let config = app.client.get_bare("/v1.1/pages/config").await.ok();
    let listed = json!({"id": "keycloak", "name": "keycloak", "url": "/v1.1/account/oidc/keycloak"});
    assert_eq!(config["login"], json!({"password": true, "oidc": [listed]}));

    let asked = super::browser(&app).get("/account/oidc/keycloak").await;
    let set = set_cookie(&asked, "evenwatt_oidc").expect("a cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/v1.1/account/oidc/keycloak;", "Max-Age=600"] {
        assert!(set.contains(part), "{set}");
    }
    assert_eq!(asked.headers["cache-control"], "no-store");
    let begun = begin(&app, "keycloak").await;
    let back = format!("{}/v1.1/account/oidc/keycloak/callback", app.client.base);
    assert_eq!(parameter(&begun.to, "redirect_uri"), back);
    assert_eq!(parameter(&begun.to, "scope"), "openid email profile");
    assert_ne!(parameter(&begun.to, "state"), parameter(&begun.to, "nonce"));
    assert!(!begun.to.as_str().contains(&begun.cookie["evenwatt_oidc=".len()..]), "the secret stays in the browser");

    let answer = come_back(&app, "keycloak", &begun.cookie, &provider.approve(&begun.to, &grace(), now(&app))).await;
    let set = set_cookie(&answer, "evenwatt_session").expect("a login");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/;", "Max-Age=604800"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(set_cookie(&answer, "evenwatt_oidc").expect("it is taken away").contains("Max-Age=0"));
    let account = came_in(&app, &answer).get("/account").await.ok();
    assert_eq!((&account["operator"]["email"], &account["operator"]["name"]), (&json!(GRACE), &json!("Grace Hopper")));
    assert_eq!(provider.change(|state| state.authentication.clone()), "basic");

    // The invitation counts as accepted, and its link is worthless.
    let known = app.client.get(&format!("/operators/{}", invited["_id"].as_str().expect("an id"))).await.ok();
    assert_eq!((&known["state"], &known["name"]), (&json!("active"), &json!("Grace Hopper")));
    let link = secret_of(invited["invitation_url"].as_str().expect("a link"));
    assert_eq!(Browser::new(&app).get(&format!("/account/invitations/{link}")).await.error(404), "not_found");
    let again = format!("/operators/{}/invitation", invited["_id"].as_str().expect("an id"));
    assert_eq!(app.client.post(&again, json!({})).await.error(409), "conflict");
    let events = app.client.get("/events?type=operator.*").await.json();
    let types: Vec<_> = events["result"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["operator.created", "operator.accepted"]);
    let audit = app.client.get("/audit?actor_type=operator").await.json();
    let line = &audit["result"][0];
    assert_eq!(
        (&line["path"], &line["actor"]["name"]),
        (&json!("/v1.1/account/oidc/keycloak/callback"), &json!("Grace Hopper"))
    );
    // A password was never chosen, and none is right.
    assert_eq!(Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401), "login_failed");
}

#[actix_web::test]
async fn later_a_person_is_known_by_the_provider_whatever_the_address_is() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    let known = ("keycloak", &provider);
    invite(&app, GRACE).await;
    invite(&app, "ada@example.com").await;
    came_in(&app, &log_in(&app, known, &grace()).await);
    for person in [
        json!({"sub": "248289761001", "email": "ada@example.com", "email_verified": true}),
        json!({"sub": "248289761001", "email": "grace@other.example", "email_verified": false}),
        json!({"sub": "248289761001"}),
    ] {
        let account = came_in(&app, &log_in(&app, known, &person).await).get("/account").await.ok();
        assert_eq!(account["operator"]["email"], GRACE, "{person}");
    }
    // Grace left, and another Grace got her address: that is nobody who was invited.
    let other = json!({"sub": "another", "email": GRACE, "email_verified": true});
    assert_eq!(refused(&log_in(&app, known, &other).await), "oidc_other_person");
    // The names of a provider differ by case, too.
    let case = json!({"sub": "AB", "email": "ada@example.com", "email_verified": true});
    came_in(&app, &log_in(&app, known, &case).await);
    assert_eq!(refused(&log_in(&app, known, &json!({"sub": "ab"})).await), "oidc_email_unverified");
}

#[actix_web::test]
async fn nobody_comes_in_who_was_not_invited_or_whose_address_is_not_verified() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    let known = ("keycloak", &provider);
    invite(&app, GRACE).await;
    let nobody = json!({"sub": "1", "email": "mallory@example.com", "email_verified": true});
    assert_eq!(refused(&log_in(&app, known, &nobody).await), "oidc_not_invited");
    for said in [json!(false), json!("false"), Value::Null] {
        let unverified = json!({"sub": "2", "email": GRACE, "email_verified": said});
        assert_eq!(refused(&log_in(&app, known, &unverified).await), "oidc_email_unverified");
    }
    assert_eq!(app.client.get("/operators").await.json()["totalDocs"], 1, "no account comes to be by itself");
    assert_eq!(app.client.get("/operators").await.json()["result"][0]["state"], "invited");
    came_in(&app, &log_in(&app, known, &grace()).await);
}

#[actix_web::test]
async fn an_operator_who_was_disabled_stays_out() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    let known = ("keycloak", &provider);
    let path = format!("/operators/{}", invite(&app, GRACE).await["_id"].as_str().expect("an id"));
    app.client.patch(&path, json!({"active": false})).await.ok();
    assert_eq!(refused(&log_in(&app, known, &grace()).await), "oidc_disabled");
    app.client.patch(&path, json!({"active": true})).await.ok();
    assert_eq!(app.client.get(&path).await.ok()["state"], "invited", "nothing was kept of the try");
    let browser = came_in(&app, &log_in(&app, known, &grace()).await);
    app.client.patch(&path, json!({"active": false})).await.ok();
    assert_eq!(browser.get("/account").await.error(401), "unauthenticated");
    assert_eq!(refused(&log_in(&app, known, &grace()).await), "oidc_disabled");
    // Who is invited anew is a new account, and is linked anew.
    app.client.delete(&path).await.ok();
    assert_eq!(refused(&log_in(&app, known, &grace()).await), "oidc_not_invited");
    invite(&app, GRACE).await;
    came_in(&app, &log_in(&app, known, &grace()).await);
}

#[actix_web::test]
async fn an_account_with_a_password_is_linked_and_keeps_it() {
    let provider = FakeProvider::start().await;
    let other = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider), ("other", &other)]).await;
    let first = Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    // The second factor of the panel is not asked for: the provider has asked for its own.
    let secret = first.post("/account/totp", json!({})).await.ok()["secret"].as_str().expect("a secret").to_owned();
    first.post("/account/totp/confirm", json!({"code": code(&secret, now(&app))})).await.ok();
    let answer = log_in(&app, ("keycloak", &provider), &grace()).await;
    let account = came_in(&app, &answer).get("/account").await.ok();
    assert_eq!(account["operator"]["_id"], first.get("/account").await.ok()["operator"]["_id"]);
    assert_eq!(Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401), "totp_required");
    app.clock.advance(MINUTE);
    let with_code = json!({"email": GRACE, "password": PASSWORD, "totp": code(&secret, now(&app))});
    Browser::new(&app).post("/account/login", with_code).await.ok();
    // The same person at another provider is a second link to the same account.
    let elsewhere = json!({"sub": "g", "email": GRACE, "email_verified": true});
    came_in(&app, &log_in(&app, ("other", &other), &elsewhere).await);
    let types = app.event_types().await;
    let accepted = types.iter().filter(|kind| *kind == "operator.accepted").count();
    assert_eq!(accepted, 1, "by the password: {types:?}");
}

#[actix_web::test]
async fn a_provider_that_takes_the_secret_in_the_form_gets_it_there() {
    let provider = FakeProvider::start().await;
    provider.change(|state| state.document = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}));
    let app = app_with(&[("keycloak", &provider)]).await;
    invite(&app, GRACE).await;
    came_in(&app, &log_in(&app, ("keycloak", &provider), &grace()).await);
    assert_eq!(provider.change(|state| state.authentication.clone()), "post");
}

#[actix_web::test]
async fn a_login_gets_a_fresh_secret_whatever_the_browser_brings() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    invite(&app, GRACE).await;
    let mut secrets = Vec::new();
    for _ in 0..2 {
        let begun = begin(&app, "keycloak").await;
        let query = provider.approve(&begun.to, &grace(), now(&app));
        let cookies = format!("evenwatt_session=chosen-by-somebody-else; {}", begun.cookie);
        let answer = come_back(&app, "keycloak", &cookies, &query).await;
        secrets.push(sent(&set_cookie(&answer, "evenwatt_session").expect("a login")));
    }
    assert_ne!(secrets[0], secrets[1]);
    assert!(secrets.iter().all(|secret| secret.len() == "evenwatt_session=".len() + 43), "{secrets:?}");
    // What is done with the cookie needs the token of a page, as after a password.
    let browser = Browser { cookie: secrets.remove(0), ..super::browser(&app) };
    let place = json!({"operatorName": "P", "address": {}, "coordinates": [4.9, 52.4]});
    let request = browser.bare(Method::POST, "/locations").json(&place);
    assert_eq!(browser.client.send(request).await.error(403), "csrf");
}

#[actix_web::test]
async fn a_provider_that_refuses_or_cannot_be_used_leads_to_the_login_page() {
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    invite(&app, GRACE).await;
    let begun = begin(&app, "keycloak").await;
    let denied = format!("error=access_denied&state={}", parameter(&begun.to, "state"));
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &denied).await), "oidc_refused");

    // While somebody is at the provider, it breaks.
    let large = format!("{{\"id_token\": \"{}\"}}", "a".repeat(300_000));
    for (status, body) in [(500, "no"), (200, "no JSON"), (200, "{}"), (302, ""), (200, &large)] {
        let begun = begin(&app, "keycloak").await;
        let query = provider.approve(&begun.to, &grace(), now(&app));
        provider.change(|state| state.broken = Some((status, body.to_owned())));
        let answer = come_back(&app, "keycloak", &begun.cookie, &query).await;
        assert_eq!(refused(&answer), "oidc_unavailable", "{status}");
        provider.change(|state| state.broken = None);
    }

    // Later nobody gets there at all, and it is left alone for a moment.
    app.clock.advance(61 * MINUTE);
    provider.change(|state| state.broken = Some((503, String::new())));
    let read = provider.change(|state| state.document_read);
    for _ in 0..3 {
        let answer = super::browser(&app).get("/account/oidc/keycloak").await;
        assert_eq!((answer.status.as_u16(), refused(&answer)), (303, "oidc_unavailable".to_owned()));
    }
    assert_eq!(provider.change(|state| state.document_read), read + 1);
    provider.change(|state| state.broken = None);
    app.clock.advance(Duration::from_secs(5));
    came_in(&app, &log_in(&app, ("keycloak", &provider), &grace()).await);
    assert_eq!(super::browser(&app).get("/account/oidc/unknown").await.error(404), "not_found");
    assert_eq!(super::browser(&app).get("/account/oidc/unknown/callback").await.error(404), "not_found");
}

#[actix_web::test]
async fn a_provider_that_is_somebody_else_is_not_believed() {
    let provider = FakeProvider::start().await;
    provider.change(|state| state.document = json!({"issuer": "https://evil.example.com"}));
    let app = app_with(&[("keycloak", &provider)]).await;
    let answer = super::browser(&app).get("/account/oidc/keycloak").await;
    assert_eq!(refused(&answer), "oidc_unavailable");
    provider.change(|state| state.document = json!({"token_endpoint": "http://evil.example.com/token"}));
    app.clock.advance(MINUTE);
    let answer = super::browser(&app).get("/account/oidc/keycloak").await;
    assert_eq!(location(&answer), "/panel?login_error=oidc_unavailable");
}

#[actix_web::test]
async fn the_store_has_nothing_by_which_a_login_could_be_finished() {
    use diesel::prelude::*;
    use evenwatt::store::schema::operator_oidc_requests as requests;
    let provider = FakeProvider::start().await;
    let app = app_with(&[("keycloak", &provider)]).await;
    let begun = begin(&app, "keycloak").await;
    let read = async || {
        let rows = app.running.context.db.read(|conn| -> evenwatt::store::StoreResult<Vec<(String, String)>> {
            Ok(requests::table.select((requests::hash, requests::provider)).load(conn)?)
        });
        rows.await.expect("rows")
    };
    let rows = read().await;
    assert_eq!(rows.len(), 1);
    let text = format!("{rows:?}");
    let secret = &begun.cookie["evenwatt_oidc=".len()..];
    for word in [secret, &parameter(&begun.to, "state"), &parameter(&begun.to, "nonce"), &base64url(secret), CLIENT] {
        assert!(!text.contains(word), "{text}");
    }
    // Who does not come back is forgotten.
    app.pass(11 * MINUTE).await;
    app.eventually(async || read().await.is_empty()).await;
}
