//! Cookies: how they are read and set. None can be read by scripts.
//!
//! A browser sends all cookies of a host, also those of other programs there, so one that is malformed spoils no other.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};

use super::Ctx;
use super::origin::is_encrypted;

/// The value of a cookie of this name, where the request has one that is not empty.
pub fn find<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    let lines = request.headers().get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(own, value)| own.trim() == name && !value.trim().is_empty());
    found.map(|(_, value)| value.trim())
}

/// Has the browser keep a cookie for this long, and send it with requests below this path; for no time: forget it. It is kept from
/// ways without TLS where this one has it, or the server is reached by it.
pub fn set(
    response: &mut HttpResponse,
    request: &HttpRequest,
    (name, value): (&str, &str),
    (path, same_site): (&str, SameSite),
    lasts: Duration,
) {
    let is_public_by_tls = request.app_data::<Ctx>().is_some_and(|ctx| ctx.public_url().starts_with("https:"));
    let cookie = Cookie::build(name, value)
        .path(path)
        .http_only(true)
        .same_site(same_site)
        .secure(is_public_by_tls || is_encrypted(request))
        .max_age(time::Duration::try_from(lasts).unwrap_or(time::Duration::MAX))
        .finish();
    // Its name and value are ours, and have no letters that a header lacks.
    if let Ok(header) = HeaderValue::try_from(cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, header);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_cookie_is_found_beside_those_of_others() {
        let found = |lines: &[&str]| {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((COOKIE, *line));
            }
            find(&request.to_http_request(), "own").map(str::to_owned)
        };
        assert_eq!(found(&["own=a-b_1"]).as_deref(), Some("a-b_1"));
        assert_eq!(found(&["broken; =; x=%ZZ; own=a=b"]).as_deref(), Some("a=b"));
        assert_eq!(found(&["other=1", "owner=2; own=3"]).as_deref(), Some("3"));
        assert_eq!(found(&["own="]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_dies_when_it_is_set_for_no_time() {
        let request = TestRequest::default().to_http_request();
        let mut response = HttpResponse::Ok().finish();
        set(&mut response, &request, ("own", ""), ("/x", SameSite::Strict), Duration::ZERO);
        let text = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        assert_eq!(text, Some("own=; HttpOnly; SameSite=Strict; Path=/x; Max-Age=0"));
    }
}
