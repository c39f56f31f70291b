//! The cookie that opens a session to the browser that started it, and to no other.
//!
//! It is signed, so that nothing of it is stored, and names the start: where another driver starts the same session, because the
//! first start was refused and the car stayed plugged in, the first cookie opens it no more.

use std::time::Duration;

use actix_web::cookie::SameSite;
use actix_web::{HttpRequest, HttpResponse};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::charging::sessions::Session;
use crate::http::cookies;
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

    /// Sets the cookie of a session that this request started.
    pub(super) fn set(&self, response: &mut HttpResponse, request: &HttpRequest, session: &Session, now: Timestamp) {
        let until = (now + LASTS).unix_seconds();
        let signature = hex::encode(self.mac(session, until).finalize().into_bytes());
        let value = format!("{until}.{signature}");
        cookies::set(response, request, (&name(session.id), &value), (PATH, SameSite::Strict), LASTS);
    }

    /// Whether a request may see and stop a session.
    pub(super) fn opens(&self, request: &HttpRequest, session: &Session, now: Timestamp) -> bool {
        cookies::find(request, &name(session.id)).is_some_and(|value| self.is_good(value, session, now))
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

fn name(session: SessionId) -> String {
    format!("{NAME}{session}")
}
