//! Requests of the panel: an operator's login comes as a cookie, which browsers send by themselves, so whatever changes something
//! must also show that one of our own pages sent it.
//!
//! The proof is a token that only a page of this server can read (`GET /v1.1/account`), sent as `X-CSRF-Token`. It is derived from
//! the secret in the cookie, so that nothing is stored and every login has its own. A WebSocket can send no header; there the page's
//! `Origin` has to be this server.

use std::time::Duration;

use actix_web::cookie::SameSite;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::UPGRADE;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::origin::require_own_origin;
use super::{ApiError, ApiResult, Code, Ctx, cookies};

/// The cookie with an operator's login.
pub const COOKIE: &str = "evenwatt_session";
/// The header that shows that a page of ours asks.
const CSRF_HEADER: &str = "x-csrf-token";
/// Separates the token from other uses of the secret.
const PURPOSE: &[u8] = b"evenwatt: X-CSRF-Token";

/// Noted of a request that showed its token.
#[derive(Debug, Clone, Copy)]
pub struct FromOurPage;

/// The secret in the cookie of a request.
pub fn secret_of(request: &HttpRequest) -> Option<&str> {
    cookies::find(request, COOKIE)
}

/// Sets the cookie of a login with this secret. Other sites send it with no request that changes something.
pub fn set(response: &mut HttpResponse, request: &HttpRequest, secret: &str, lasts: Duration) {
    cookies::set(response, request, (COOKIE, secret), ("/", SameSite::Lax), lasts);
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
    if !request.method().is_safe() {
        return Err(foreign());
    }
    match (request.headers().contains_key(UPGRADE), request.app_data::<Ctx>()) {
        (true, Some(ctx)) => require_own_origin(request.request(), &ctx.public_url()),
        _ => Ok(()),
    }
}

/// Whether a request has the token of this secret.
pub fn shows_token(request: &HttpRequest, secret: &str) -> bool {
    let shown = request.headers().get(CSRF_HEADER).map(|token| token.as_bytes());
    shown.is_some_and(|shown| bool::from(shown.ct_eq(csrf_token(secret).as_bytes())))
}

/// The refusal of what no page of ours sent.
pub(super) fn foreign() -> ApiError {
    ApiError::new(Code::Csrf, Code::Csrf.meaning())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_has_a_token_of_its_own() {
        // printf 'evenwatt: X-CSRF-Token' | openssl dgst -sha256 -hmac secret
        let expected = "a6635ddb618b49dccd70f9274efec7b731b5aee28638208a14c16c24ece1e89f";
        assert_eq!(csrf_token("secret"), expected);
        assert_ne!(csrf_token("other"), expected);
    }
}
