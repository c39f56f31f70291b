//! The refresh token as a cookie: no script of the portal's pages reads it, and no page of another server sends it.
//!
//! Only requests of the portal's own pages are given it. Other clients find the token in the body, as they always did.

use std::time::Duration;

use actix_web::cookie::SameSite;
use actix_web::{HttpRequest, HttpResponse};

use super::Portal;
use crate::http::origin::Sender;
use crate::http::{ApiError, ApiResult, Code, cookies};
use kernel::Timestamp;

/// What the cookie is called.
const NAME: &str = "evenwatt_portal";
/// Which requests carry it.
const PATH: &str = "/v1.1/portal";

/// Who sent a request.
fn sender(request: &HttpRequest, portal: &Portal) -> Sender {
    Sender::of(request, [portal.links.url.as_str(), &portal.public_url])
}

/// Whether a page of the portal sent a request: its refresh token belongs into the cookie.
pub(super) fn is_page(request: &HttpRequest, portal: &Portal) -> bool {
    sender(request, portal) == Sender::Page
}

/// The refresh token that the browser keeps; an error where another server's page sends it.
pub(super) fn kept(request: &HttpRequest, portal: &Portal) -> ApiResult<Option<String>> {
    let found = cookies::find(request, NAME);
    if found.is_some() && sender(request, portal) == Sender::Stranger {
        return Err(ApiError::new(Code::ForeignOrigin, Code::ForeignOrigin.meaning()));
    }
    Ok(found.map(str::to_owned))
}

/// Has the browser keep a refresh token until its login ends.
pub(super) fn keep(response: &mut HttpResponse, request: &HttpRequest, token: &str, lasts: (Timestamp, Timestamp)) {
    let (now, ends) = lasts;
    cookies::set(response, request, (NAME, token), (PATH, SameSite::Strict), ends.since(now));
}

/// Has the browser forget it.
pub(super) fn forget(response: &mut HttpResponse, request: &HttpRequest) {
    cookies::set(response, request, (NAME, ""), (PATH, SameSite::Strict), Duration::ZERO);
}
