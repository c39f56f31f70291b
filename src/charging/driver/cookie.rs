//! The cookie that opens a session to the browser that started it, and to no other.
//!
//! It is signed, so that nothing of it is stored, and names the start: where another driver starts the same session, because the
//! first start was refused and the car stayed plugged in, the first cookie opens it no more.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{COOKIE, HeaderValue};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::charging::sessions::Session;
use crate::http::origin::is_encrypted;
use kernel::{SessionId, Timestamp};

/// What the names of these cookies begin with; the id of the session follows.
const NAME: &str = "evenwatt_driver_";
/// The only part of the server that is sent them.
const PATH: &str = "/v1.1/driver";
/// How long one opens its session: longer than a car stays.
const LASTS: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Signs cookies and reads them.
pub(super) struct SessionCookies(Hmac<Sha256>);

impl SessionCookies {
    /// Those that this key signs.
    pub(super) fn new(key: &str) -> Self {
        let mac = Hmac::new_from_slice(key.as_bytes());
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        Self(mac.expect("HMAC takes keys of every length"))
    }

    fn mac(&self, session: &Session, until: i64) -> Hmac<Sha256> {
        let start = session.start_request.unwrap_or_default();
        let mut mac = self.0.clone();
        mac.update(format!("{} {start} {until}", session.id).as_bytes());
        mac
    }

    /// The header that sets the cookie of a session that this request started.
    pub(super) fn set(&self, request: &HttpRequest, session: &Session, now: Timestamp) -> Option<HeaderValue> {
        let until = (now + LASTS).unix_seconds();
        let signature = hex::encode(self.mac(session, until).finalize().into_bytes());
        let secure = if is_encrypted(request) { "; Secure" } else { "" };
        let (id, age) = (session.id, LASTS.as_secs());
        let text =
            format!("{NAME}{id}={until}.{signature}; Path={PATH}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// Whether a request may see and stop a session.
    pub(super) fn opens(&self, request: &HttpRequest, session: &Session, now: Timestamp) -> bool {
        cookie_of(request, session.id).is_some_and(|value| self.is_good(value, session, now))
    }

    fn is_good(&self, value: &str, session: &Session, now: Timestamp) -> bool {
        let Some((until, signature)) = value.split_once('.') else {
            return false;
        };
        let (Ok(until), Ok(signature)) = (until.parse(), hex::decode(signature)) else {
            return false;
        };
        let is_signed = self.mac(session, until).verify_slice(&signature).is_ok();
        is_signed && session.start_request.is_some() && now.unix_seconds() < until
    }
}

/// The value of a session's cookie, where the request has it.
fn cookie_of(request: &HttpRequest, session: SessionId) -> Option<&str> {
    let name = format!("{NAME}{session}");
    let lines = request.headers().get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim())
}
