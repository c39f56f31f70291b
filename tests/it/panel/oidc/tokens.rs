//! ID tokens: which are taken, which are not, and the keys that they are signed with.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::browser::GRACE;
use super::provider::{
    CLIENT, FakeProvider, SECRET, Signing, base64url, elliptic_key, public_elliptic, public_rsa, public_rsa_der, token,
};
use super::{app_with, begin, came_in, come_back, refused};
use crate::support::{Answer, TestApp};

fn now(app: &TestApp) -> i64 {
    app.running.context.clock.now().unix_seconds()
}

fn grace() -> Value {
    json!({"sub": "grace", "email": GRACE, "email_verified": true})
}

async fn invited(provider: &FakeProvider) -> TestApp {
    let app = app_with(&[("keycloak", provider)]).await;
    app.client.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await.created();
    app
}

/// Logs in with a token that is made of the claims that would be right.
async fn with(app: &TestApp, provider: &FakeProvider, make: impl FnOnce(Value) -> String) -> Answer {
    let begun = begin(app, "keycloak").await;
    let made = make(provider.claims(&begun.to, &grace(), now(app)));
    let query = provider.answer(&begun.to, made);
    come_back(app, "keycloak", &begun.cookie, &query).await
}

#[actix_web::test]
async fn the_three_algorithms_are_taken() {
    let provider = FakeProvider::start().await;
    provider.change(|state| state.keys.push(public_rsa("rsa")));
    let app = invited(&provider).await;
    for (algorithm, signing) in
        [("RS256", Signing::Rs256), ("PS256", Signing::Ps256), ("ES256", Signing::Es256(&provider.key))]
    {
        let id = if algorithm == "ES256" { "first" } else { "rsa" };
        let answer =
            with(&app, &provider, |claims| token(&json!({"alg": algorithm, "kid": id}), &claims, &signing)).await;
        came_in(&app, &answer);
    }
    // A token may leave out which key it is, where only one fits.
    came_in(&app, &with(&app, &provider, |claims| token(&json!({"alg": "RS256"}), &claims, &Signing::Rs256)).await);
}

#[actix_web::test]
async fn no_token_passes_that_the_provider_did_not_sign() {
    let provider = FakeProvider::start().await;
    provider.change(|state| state.keys.push(public_rsa("rsa")));
    let app = invited(&provider).await;
    let (other, der) = (elliptic_key(), public_rsa_der());
    let right = Signing::Es256(&provider.key);
    let headers = [
        // Without a signature (RFC 8725, section 2.1).
        (json!({"alg": "none"}), Signing::Bytes(b"")),
        (json!({"alg": "None", "kid": "first"}), Signing::Bytes(b"")),
        (json!({"kid": "first"}), Signing::Es256(&provider.key)),
        // With what every client knows, taken for a secret.
        (json!({"alg": "HS256", "kid": "rsa"}), Signing::Hs256(&der)),
        (json!({"alg": "HS256"}), Signing::Hs256(SECRET.as_bytes())),
        // With a key that the token brings along, or nobody knows.
        (json!({"alg": "ES256", "kid": "first"}), Signing::Es256(&other)),
        (json!({"alg": "ES256", "jwk": public_elliptic(&other, "first")}), Signing::Es256(&other)),
        (json!({"alg": "ES256", "kid": "first", "jku": "http://127.0.0.1:1/keys"}), Signing::Es256(&other)),
        (json!({"alg": "ES256", "kid": "second"}), Signing::Es256(&provider.key)),
        // With the key of another algorithm.
        (json!({"alg": "ES256", "kid": "rsa"}), Signing::Es256(&provider.key)),
        (json!({"alg": "RS256", "kid": "first"}), Signing::Rs256),
        (json!({"alg": "RS256", "kid": "rsa"}), Signing::Ps256),
        (json!({"alg": "RS512", "kid": "rsa"}), Signing::Rs256),
        // With what must be understood, and is not.
        (json!({"alg": "ES256", "kid": "first", "crit": ["exp"]}), Signing::Es256(&provider.key)),
        // With a signature of nothing (CVE-2022-21449), or with none.
        (json!({"alg": "ES256", "kid": "first"}), Signing::Bytes(&[0; 64])),
        (json!({"alg": "ES256", "kid": "first"}), Signing::Bytes(b"")),
    ];
    for (header, signing) in &headers {
        let answer = with(&app, &provider, |claims| token(header, &claims, signing)).await;
        assert_eq!(refused(&answer), "oidc_invalid", "{header}");
    }
    // What was signed is not what is said.
    let answer = with(&app, &provider, |claims| {
        let signed = token(&json!({"alg": "ES256", "kid": "first"}), &claims, &right);
        let parts: Vec<&str> = signed.split('.').collect();
        let mut changed = claims;
        changed["sub"] = json!("somebody else");
        format!("{}.{}.{}", parts[0], base64url(changed.to_string()), parts[2])
    });
    assert_eq!(refused(&answer.await), "oidc_invalid");
    for nonsense in ["", "a.b.c", "..", "not a token"] {
        assert_eq!(refused(&with(&app, &provider, |_| nonsense.to_owned()).await), "oidc_invalid", "{nonsense}");
    }
    let header = json!({"alg": "ES256", "kid": "first"});
    came_in(&app, &with(&app, &provider, |claims| token(&header, &claims, &right)).await);
}

#[actix_web::test]
async fn a_token_is_for_this_program_this_login_and_this_minute() {
    let provider = FakeProvider::start().await;
    let app = invited(&provider).await;
    let now = now(&app);
    for wrong in [
        json!({"iss": "https://evil.example.com"}),
        json!({"aud": "another program"}),
        json!({"aud": [CLIENT, "another program"]}),
        json!({"aud": [CLIENT, "another program"], "azp": "another program"}),
        json!({"azp": "another program"}),
        json!({"exp": now - 60}),
        json!({"iat": now + 61}),
        json!({"iat": now - 661}),
        json!({"nbf": now + 61}),
        json!({"nonce": "of another login"}),
        json!({"nonce": null}),
        json!({"sub": ""}),
        json!({"exp": null}),
        json!({"aud": null}),
        json!({"exp": "soon"}),
    ] {
        let answer = with(&app, &provider, |mut claims| {
            claims.as_object_mut().expect("an object").extend(wrong.as_object().cloned().expect("an object"));
            token(&json!({"alg": "ES256", "kid": "first"}), &claims, &Signing::Es256(&provider.key))
        });
        assert_eq!(refused(&answer.await), "oidc_invalid", "{wrong}");
    }
    let shared = with(&app, &provider, |mut claims| {
        claims["aud"] = json!(["another program", CLIENT]);
        claims["azp"] = json!(CLIENT);
        token(&json!({"alg": "ES256", "kid": "first"}), &claims, &Signing::Es256(&provider.key))
    });
    came_in(&app, &shared.await);
}

#[actix_web::test]
async fn a_new_key_is_asked_for_once_and_one_that_nobody_knows_is_not_asked_for_again_and_again() {
    let provider = FakeProvider::start().await;
    let app = invited(&provider).await;
    let read = || provider.change(|state| state.keys_read);
    let log_in = async |id: &str, signing: Signing<'_>| {
        with(&app, &provider, |claims| token(&json!({"alg": "ES256", "kid": id}), &claims, &signing)).await
    };
    came_in(&app, &log_in("first", Signing::Es256(&provider.key)).await);
    came_in(&app, &log_in("first", Signing::Es256(&provider.key)).await);
    assert_eq!(read(), 1, "keys are kept");

    // The provider changes its key.
    let second = elliptic_key();
    provider.change(|state| state.keys = vec![public_elliptic(&second, "second")]);
    app.clock.advance(Duration::from_secs(60));
    came_in(&app, &log_in("second", Signing::Es256(&second)).await);
    assert_eq!(read(), 2);
    assert_eq!(refused(&log_in("first", Signing::Es256(&provider.key)).await), "oidc_invalid", "the old one is gone");

    // Somebody sends tokens of keys that there are not.
    for id in ["x", "y", "z"] {
        assert_eq!(refused(&log_in(id, Signing::Es256(&second)).await), "oidc_invalid");
    }
    assert_eq!(read(), 2, "within a minute nothing is asked");
    app.clock.advance(Duration::from_secs(60));
    for id in ["x", "y", "z"] {
        assert_eq!(refused(&log_in(id, Signing::Es256(&second)).await), "oidc_invalid");
    }
    assert_eq!(read(), 3);

    // What the provider took back without another key is gone within the hour.
    provider.change(|state| state.keys.clear());
    came_in(&app, &log_in("second", Signing::Es256(&second)).await);
    app.clock.advance(Duration::from_secs(3_600));
    assert_eq!(refused(&log_in("second", Signing::Es256(&second)).await), "oidc_invalid");
}
