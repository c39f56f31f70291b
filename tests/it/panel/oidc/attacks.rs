//! Those who try to get in between a browser and its provider.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::browser::GRACE;
use super::provider::{FakeProvider, Signing, parameter, token};
use super::{app_with, begin, came_in, come_back, refused};
use crate::support::TestApp;

fn now(app: &TestApp) -> i64 {
    app.running.context.clock.now().unix_seconds()
}

fn person(sub: &str, email: &str) -> Value {
    json!({"sub": sub, "email": email, "email_verified": true})
}

/// A server with two operators who know a provider: Grace, and Mallory, who wants more.
async fn two(provider: &FakeProvider) -> (TestApp, Value, Value) {
    let app = app_with(&[("keycloak", provider)]).await;
    for email in [GRACE, "mallory@example.com"] {
        app.client.post("/operators", json!({"email": email, "role": "Viewer"})).await.created();
    }
    (app, person("grace", GRACE), person("mallory", "mallory@example.com"))
}

#[actix_web::test]
async fn nobody_is_logged_in_as_somebody_else_by_a_link() {
    let provider = FakeProvider::start().await;
    let (app, _, mallory) = two(&provider).await;
    // Mallory logs in, keeps the last link for himself, and sends it to Grace, whose work would become his (login CSRF).
    let his = begin(&app, "keycloak").await;
    let link = provider.approve(&his.to, &mallory, now(&app));
    assert_eq!(refused(&come_back(&app, "keycloak", "", &link).await), "oidc_expired", "she has begun nothing");
    let hers = begin(&app, "keycloak").await;
    assert_eq!(refused(&come_back(&app, "keycloak", &hers.cookie, &link).await), "oidc_expired", "nor this");
    for query in ["", "code=code-0", "state=", "state=x&code=code-0", "error=access_denied"] {
        assert_eq!(refused(&come_back(&app, "keycloak", &hers.cookie, query).await), "oidc_expired", "{query}");
    }
    // Her own login goes on all the same, and so does his: the code was spent by nobody.
    let query = provider.approve(&hers.to, &person("grace", GRACE), now(&app));
    came_in(&app, &come_back(&app, "keycloak", &hers.cookie, &query).await);
    came_in(&app, &come_back(&app, "keycloak", &his.cookie, &link).await);
}

#[actix_web::test]
async fn a_code_that_was_stolen_opens_nothing_in_another_browser() {
    let provider = FakeProvider::start().await;
    let (app, grace, _) = two(&provider).await;
    for ignores_pkce in [false, true] {
        provider.change(|state| state.ignores_pkce = ignores_pkce);
        let hers = begin(&app, "keycloak").await;
        let stolen = provider.approve(&hers.to, &grace, now(&app));
        let code = stolen.split('&').next().expect("a code");
        // In a login that Mallory began himself: PKCE refuses the code, and where a provider knows no PKCE, the nonce is another.
        let his = begin(&app, "keycloak").await;
        let injected = format!("{code}&state={}", parameter(&his.to, "state"));
        assert_eq!(refused(&come_back(&app, "keycloak", &his.cookie, &injected).await), "oidc_invalid");
    }
}

#[actix_web::test]
async fn an_answer_works_once_and_for_ten_minutes() {
    let provider = FakeProvider::start().await;
    let (app, grace, _) = two(&provider).await;
    let begun = begin(&app, "keycloak").await;
    let query = provider.approve(&begun.to, &grace, now(&app));
    came_in(&app, &come_back(&app, "keycloak", &begun.cookie, &query).await);
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &query).await), "oidc_expired", "replayed");
    // Also with a new code of the provider for the old request, …
    let again = provider.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &again).await), "oidc_expired");
    // … after one that failed, …
    let begun = begin(&app, "keycloak").await;
    let state = parameter(&begun.to, "state");
    let failed = format!("error=server_error&state={state}");
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &failed).await), "oidc_refused");
    let query = provider.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &query).await), "oidc_expired");
    // … twice at the same time, …
    let begun = begin(&app, "keycloak").await;
    let query = provider.approve(&begun.to, &grace, now(&app));
    let (one, other) = futures_util::future::join(
        come_back(&app, "keycloak", &begun.cookie, &query),
        come_back(&app, "keycloak", &begun.cookie, &query),
    )
    .await;
    let logins = [one, other].iter().filter(|answer| answer.headers["location"] == "/panel").count();
    assert_eq!(logins, 1);
    // … and too late.
    let begun = begin(&app, "keycloak").await;
    app.clock.advance(Duration::from_secs(600));
    let query = provider.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &query).await), "oidc_expired");
}

#[actix_web::test]
async fn a_parameter_that_is_there_twice_is_no_answer() {
    let provider = FakeProvider::start().await;
    let (app, grace, _) = two(&provider).await;
    let begun = begin(&app, "keycloak").await;
    let query = provider.approve(&begun.to, &grace, now(&app));
    for more in ["code=other", "state=other", "iss=a&iss=b"] {
        let doubled = format!("{query}&{more}");
        assert_eq!(refused(&come_back(&app, "keycloak", &begun.cookie, &doubled).await), "oidc_expired", "{more}");
    }
}

#[actix_web::test]
async fn two_providers_are_not_mixed_up() {
    let (honest, evil) = (FakeProvider::start().await, FakeProvider::start().await);
    let app = app_with(&[("honest", &honest), ("evil", &evil)]).await;
    app.client.post("/operators", json!({"email": GRACE, "role": "Admin"})).await.created();
    let grace = person("grace", GRACE);

    // The answer of one to a login at the other: each has an address, a cookie and a state of its own.
    let begun = begin(&app, "evil").await;
    let query = evil.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "honest", &begun.cookie, &query).await), "oidc_expired");
    // A code that the honest one gave is not carried to the other by a browser that was led to the wrong place.
    let begun = begin(&app, "honest").await;
    let query = honest.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "evil", &begun.cookie, &query).await), "oidc_expired");

    // An answer that names who gives it (RFC 9207) is taken from that one alone, …
    let begun = begin(&app, "honest").await;
    let query = honest.approve(&begun.to, &grace, now(&app));
    let named = format!("{query}&iss={}", evil.issuer);
    assert_eq!(refused(&come_back(&app, "honest", &begun.cookie, &named).await), "oidc_invalid");
    let begun = begin(&app, "honest").await;
    let error = format!("error=access_denied&state={}&iss={}", parameter(&begun.to, "state"), evil.issuer);
    assert_eq!(refused(&come_back(&app, "honest", &begun.cookie, &error).await), "oidc_invalid");
    let begun = begin(&app, "honest").await;
    let named = format!("{}&iss={}", honest.approve(&begun.to, &grace, now(&app)), honest.issuer);
    came_in(&app, &come_back(&app, "honest", &begun.cookie, &named).await);

    // … and one that says it always names itself, and does not, did not answer.
    honest.change(|state| state.document = json!({"authorization_response_iss_parameter_supported": true}));
    app.clock.advance(Duration::from_secs(3_600));
    let begun = begin(&app, "honest").await;
    let query = honest.approve(&begun.to, &grace, now(&app));
    assert_eq!(refused(&come_back(&app, "honest", &begun.cookie, &query).await), "oidc_invalid");

    // What one says of the other's people counts for nothing: neither its word, nor its signature, nor the same name.
    let begun = begin(&app, "evil").await;
    let mut claims = evil.claims(&begun.to, &grace, now(&app));
    claims["iss"] = json!(honest.issuer);
    let forged = token(&json!({"alg": "ES256", "kid": "first"}), &claims, &Signing::Es256(&evil.key));
    let query = evil.answer(&begun.to, forged);
    assert_eq!(refused(&come_back(&app, "evil", &begun.cookie, &query).await), "oidc_invalid");
    let begun = begin(&app, "evil").await;
    let same_name = evil.approve(&begun.to, &json!({"sub": "grace"}), now(&app));
    assert_eq!(refused(&come_back(&app, "evil", &begun.cookie, &same_name).await), "oidc_email_unverified");
}
