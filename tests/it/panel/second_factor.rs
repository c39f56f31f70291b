//! The second factor: set up by its owner, asked for at each login, each code once.

use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::json;
use sha1::Sha1;

use super::browser::{Browser, GRACE, PASSWORD};
use crate::support::TestApp;

/// The code of RFC 6238 at this second, computed by its words: HMAC-SHA-1 of the half minute, cut to six digits.
pub(super) fn code(secret: &str, seconds: i64) -> String {
    let mut bits = String::new();
    for letter in secret.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|own| *own == letter).expect("Base32");
        bits.push_str(&format!("{value:05b}"));
    }
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).expect("bits")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("a key");
    mac.update(&u64::try_from(seconds / 30).expect("positive").to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[offset..offset + 4].try_into().expect("four")) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

#[actix_web::test]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    assert_eq!(code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59), "287082", "RFC 6238, appendix B");
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    let second = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    let now = || app.running.context.clock.now().unix_seconds();

    assert_eq!(grace.get("/account/totp/qr.svg").await.error(404), "not_found");
    let begun = grace.post("/account/totp", json!({})).await.ok();
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(secret.len(), 32, "160 bits");
    let picture = grace.get(begun["qr_svg_url"].as_str().expect("a path").trim_start_matches("/v1.1")).await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert!(picture.text.contains("<svg"));
    Browser::new(&app).log_in(GRACE, PASSWORD).await.ok(); // it is not asked for before it is confirmed
    let wrong = grace.post("/account/totp/confirm", json!({"code": "000000"})).await;
    assert_eq!(wrong.faulty_fields(), ["code"]);
    let first = code(&secret, now());
    let spaced = format!("{} {}", &first[..3], &first[3..]);
    assert_eq!(grace.post("/account/totp/confirm", json!({"code": spaced})).await.ok()["operator"]["totp"], true);
    assert_eq!(second.get("/account").await.error(401), "unauthenticated", "logins without it end");
    assert_eq!(grace.get("/account/totp/qr.svg").await.error(404), "not_found", "it is not shown again");
    assert_eq!(grace.post("/account/totp", json!({})).await.error(409), "conflict");

    let with = async |code: String| {
        Browser::new(&app).post("/account/login", json!({"email": GRACE, "password": PASSWORD, "totp": code})).await
    };
    assert_eq!(Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401), "totp_required");
    assert_eq!(with(first).await.error(401), "totp_required", "it confirmed already");
    app.clock.advance(Duration::from_secs(30));
    with(code(&secret, now())).await.ok();
    assert_eq!(with(code(&secret, now())).await.error(401), "totp_required", "once");
    app.clock.advance(Duration::from_secs(60));
    with(code(&secret, now() - 30)).await.ok(); // a clock that is slow by half a minute
    assert_eq!(with(code(&secret, now() - 60)).await.error(401), "totp_required", "older than the last");
    let short = json!({"email": GRACE, "password": PASSWORD, "totp": "12"});
    let short = Browser::new(&app).post("/account/login", short).await;
    assert_eq!(short.faulty_fields(), ["totp"]);
}

#[actix_web::test]
async fn a_second_factor_is_taken_away_by_a_code_or_by_an_admin() {
    let app = TestApp::start().await;
    let invited = app.client.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await.created();
    let grace = Browser::accepted(&app, &invited).await;
    let now = || app.running.context.clock.now().unix_seconds();
    let set_up = async || {
        let secret = grace.post("/account/totp", json!({})).await.ok()["secret"].as_str().expect("a secret").to_owned();
        grace.post("/account/totp/confirm", json!({"code": code(&secret, now())})).await.ok();
        secret
    };
    let secret = set_up().await;
    assert_eq!(grace.post("/account/totp/end", json!({"code": "000000"})).await.error(401), "totp_required");
    app.clock.advance(Duration::from_secs(30));
    let ended = grace.post("/account/totp/end", json!({"code": code(&secret, now())})).await.ok();
    assert_eq!(ended["operator"]["totp"], false);
    Browser::new(&app).log_in(GRACE, PASSWORD).await.ok();

    app.clock.advance(Duration::from_secs(60));
    set_up().await;
    let path = format!("/operators/{}", invited["_id"].as_str().expect("an id"));
    assert_eq!(app.client.get(&path).await.ok()["totp"], true);
    app.client.patch(&path, json!({"totp": false})).await.ok();
    Browser::new(&app).log_in(GRACE, PASSWORD).await.ok();
}

#[actix_web::test]
async fn codes_are_not_guessed() {
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    let secret = grace.post("/account/totp", json!({})).await.ok()["secret"].as_str().expect("a secret").to_owned();
    let now = || app.running.context.clock.now().unix_seconds();
    grace.post("/account/totp/confirm", json!({"code": code(&secret, now())})).await.ok();
    let guess = json!({"email": GRACE, "password": PASSWORD, "totp": "000000"});
    for _ in 0..5 {
        assert_eq!(Browser::new(&app).post("/account/login", guess.clone()).await.error(401), "totp_required");
    }
    assert_eq!(Browser::new(&app).post("/account/login", guess).await.error(429), "too_many_requests");
}
