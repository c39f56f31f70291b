//! Requests of the panel: an operator's log-in comes as a cookie, which browsers send by themselves, so whatever changes something
//! must also show that one of our own pages sent it.
//!
//! The proof is a token that only a page of this server can read (`GET /v1.1/account`), sent as `X-CSRF-Token`. It is derived from
//! the secret in the cookie, so that nothing is stored and every log-in has its own. A WebSocket can send no header; there the page's
//! `Origin` has to be this server.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, ORIGIN, UPGRADE};
use actix_web::{HttpMessage, HttpRequest};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::client::was_encrypted;
use super::headers::OverTls;
use super::{ApiError, ApiResult, Code};

/// The cookie with an operator's log-in.
pub const COOKIE: &str = "evenwatt_session";
/// The header that shows that a page of ours asks.
const CSRF_HEADER: &str = "x-csrf-token";
/// Separates the token from other uses of the secret.
const PURPOSE: &[u8] = b"evenwatt: X-CSRF-Token";

/// Noted of a request that showed its token.
#[derive(Debug, Clone, Copy)]
pub struct FromOurPage;

/// The secret in the cookie of a request.
pub fn secret_of(request: &HttpRequest) -> Option<String> {
    request.cookie(COOKIE).map(|cookie| cookie.value().to_owned()).filter(|secret| !secret.is_empty())
}

/// The cookie of a log-in with this secret, for this long; scripts cannot read it, and other sites cannot send it with what changes
/// something.
pub fn cookie(request: &HttpRequest, secret: String, lasts: Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, secret)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(was_encrypted(request) || request.conn_data::<OverTls>().is_some())
        .max_age(time::Duration::try_from(lasts).unwrap_or(time::Duration::MAX))
        .finish()
}

/// The token that belongs to a secret.
pub fn csrf_token(secret: &str) -> String {
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(PURPOSE);
        hex::encode(mac.finalize().into_bytes())
    });
    mac.unwrap_or_default()
}

/// Notes whether a request with this secret comes from a page of ours, and refuses it where it has to and does not.
pub(super) fn require_our_page(request: &ServiceRequest, secret: &str) -> ApiResult<()> {
    if shows_token(request.request(), secret) {
        request.extensions_mut().insert(FromOurPage);
        return Ok(());
    }
    let is_socket = request.headers().contains_key(UPGRADE);
    match request.method().is_safe() && (!is_socket || is_same_origin(request.request())) {
        true => Ok(()),
        false => Err(foreign()),
    }
}

/// Whether a request has the token of this secret.
pub fn shows_token(request: &HttpRequest, secret: &str) -> bool {
    let shown = request.headers().get(CSRF_HEADER).map(|token| token.as_bytes());
    shown.is_some_and(|shown| bool::from(shown.ct_eq(csrf_token(secret).as_bytes())))
}

/// Whether the page that asks is of this server; what is no browser says nothing, and is.
pub fn is_same_origin(request: &HttpRequest) -> bool {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(origin) = text(ORIGIN) else {
        return true;
    };
    let asked = origin.split_once("://").map(|(_, host)| host);
    asked.zip(text(HOST)).is_some_and(|(page, server)| page.eq_ignore_ascii_case(server))
}

/// The refusal of what no page of ours sent.
pub(super) fn foreign() -> ApiError {
    ApiError::new(Code::Csrf, Code::Csrf.meaning())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn each_secret_has_a_token_of_its_own() {
        // printf 'evenwatt: X-CSRF-Token' | openssl dgst -sha256 -hmac secret
        let expected = "a6635ddb618b49dccd70f9274efec7b731b5aee28638208a14c16c24ece1e89f";
        assert_eq!(csrf_token("secret"), expected);
        assert_ne!(csrf_token("other"), expected);
    }

    #[test]
    fn an_origin_is_ours_when_it_is_the_host_that_was_asked() {
        for (origin, is_ours) in [
            ("http://charge.example.com", true),
            ("https://CHARGE.example.com", true),
            ("https://charge.example.com:8443", false),
            ("https://evil.example.com", false),
            ("https://charge.example.com.evil.com", false),
            ("null", false),
        ] {
            let request = TestRequest::default()
                .insert_header((HOST, "charge.example.com"))
                .insert_header((ORIGIN, origin))
                .to_http_request();
            assert_eq!(is_same_origin(&request), is_ours, "{origin}");
        }
        assert!(is_same_origin(&TestRequest::default().to_http_request()), "no browser");
    }
}
