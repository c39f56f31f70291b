//! The refresh token as a cookie: no script of the portal's pages reads it, and no page of another server sends it.
//!
//! Only requests of the portal's own pages are given it. Other clients find the token in the body, as they always did.

use actix_web::http::header::{COOKIE, HOST, HeaderValue, ORIGIN, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};

use super::Portal;
use crate::http::headers::OverTls;
use crate::http::{ApiError, ApiResult, Code, was_encrypted};
use kernel::Timestamp;

/// What the cookie is called.
const NAME: &str = "evenwatt_portal";
/// Which requests carry it.
const PATH: &str = "/v1.1/portal";

/// Who sent a request, by its `Origin`: browsers say it with every request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A page of this server.
    Page,
    /// A page of another server, or one that hides where it is from.
    Stranger,
    /// A program, or a page that only reads.
    Unknown,
}

impl Sender {
    pub(super) fn of(request: &HttpRequest, portal: &Portal) -> Self {
        let Some(origin) = request.headers().get(ORIGIN) else {
            return Self::Unknown;
        };
        let origin = origin.to_str().unwrap_or_default();
        let host = origin.split_once("://").map(|(_, host)| host);
        let asked = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let asked = asked.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        let is_asked = host.zip(asked).is_some_and(|(host, asked)| host.eq_ignore_ascii_case(asked));
        match is_asked || portal.origins.iter().any(|own| own.eq_ignore_ascii_case(origin)) {
            true => Self::Page,
            false => Self::Stranger,
        }
    }
}

/// The origin of an address such as `https://charge.example.com/portal`.
pub(super) fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next().filter(|host| !host.is_empty())?;
    let scheme = match scheme {
        "ws" => "http",
        "wss" => "https",
        other => other,
    };
    Some(format!("{scheme}://{host}"))
}

/// The refresh token that the browser keeps; an error where another server's page sends it.
pub(super) fn kept(request: &HttpRequest, portal: &Portal) -> ApiResult<Option<String>> {
    let headers = request.headers().get_all(COOKIE).filter_map(|header| header.to_str().ok());
    let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, value)| *name == NAME && !value.is_empty());
    match found {
        Some(_) if Sender::of(request, portal) == Sender::Stranger => {
            let message = "A page of another server must not use the portal's cookie";
            Err(ApiError::new(Code::Forbidden, message))
        }
        found => Ok(found.map(|(_, value)| value.to_owned())),
    }
}

/// Has the browser keep a refresh token until its login ends.
pub(super) fn keep(
    response: &mut HttpResponse,
    (request, portal): (&HttpRequest, &Portal),
    token: &str,
    (now, ends): (Timestamp, Timestamp),
) {
    set(response, (request, portal), token, ends.seconds_since(now).max(0));
}

/// Has the browser forget it.
pub(super) fn forget(response: &mut HttpResponse, asked: (&HttpRequest, &Portal)) {
    set(response, asked, "", 0);
}

fn set(response: &mut HttpResponse, (request, portal): (&HttpRequest, &Portal), token: &str, seconds: i64) {
    let over_tls = portal.is_secure || request.conn_data::<OverTls>().is_some() || was_encrypted(request);
    let secure = if over_tls { "; Secure" } else { "" };
    let text = format!("{NAME}={token}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        for (url, origin) in [
            ("https://charge.example.com/portal", Some("https://charge.example.com")),
            ("wss://charge.example.com:8443", Some("https://charge.example.com:8443")),
            ("ws://127.0.0.1:8080/", Some("http://127.0.0.1:8080")),
            ("charge.example.com", None),
            ("https:///portal", None),
        ] {
            assert_eq!(origin_of(url).as_deref(), origin, "{url}");
        }
    }
}
