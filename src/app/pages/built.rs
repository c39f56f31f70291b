//! The pages of `web/`, as `build.rs` put them into the program: a shell for each app, and the hashed files that it loads.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderValue, REFERRER_POLICY, VARY,
};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};

use super::settings::Settings;
use crate::app::routes::{self, RouteTable};
use crate::http::has;

/// A file of the pages.
struct PageFile {
    /// Its path below `dist/`.
    name: &'static str,
    /// Whether its name changes with what is in it.
    is_hashed: bool,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

/// The pages, or why they were not built.
static PAGES: Result<&[PageFile], &str> = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Which app answers which paths.
const SHELLS: [(&str, &str); 8] = [
    ("/panel", "panel/index.html"),
    ("/panel/{path:.*}", "panel/index.html"),
    ("/portal", "portal/index.html"),
    ("/portal/{path:.*}", "portal/index.html"),
    ("/e", "driver/index.html"),
    ("/e/{path:.*}", "driver/index.html"),
    ("/map", "driver/index.html"),
    ("/map/{path:.*}", "driver/index.html"),
];

/// A name with a hash means the same for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");
/// What changes seldom, and matters little: an icon.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("max-age=3600");
/// A shell names the files of its own build, so it is asked for each time.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");
/// Servers of map tiles want to know which site shows them.
const ORIGIN: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");

/// Whether this program has the pages within.
pub(super) fn are_there() -> bool {
    PAGES.is_ok()
}

/// Adds the pages and their files.
pub(super) fn routes(config: &mut ServiceConfig) {
    for (path, name) in SHELLS {
        let shell = move |request: HttpRequest, settings: web::Data<Settings>| async move {
            match PAGES {
                Ok(files) => match files.iter().find(|file| file.name == name) {
                    Some(file) => {
                        let mut response = answer(file, &request);
                        response.headers_mut().insert(CONTENT_SECURITY_POLICY, settings.policy.clone());
                        response.headers_mut().insert(REFERRER_POLICY, ORIGIN);
                        response
                    }
                    None => missing("They were built incompletely."),
                },
                Err(reason) => missing(reason),
            }
        };
        config.route(path, web::get().to(shell));
    }
    config.route("/assets/{path:.*}", web::get().to(asset));
}

async fn asset(request: HttpRequest, table: web::Data<RouteTable>) -> HttpResponse {
    let name = request.path().trim_start_matches('/');
    match PAGES.ok().and_then(|files| files.iter().find(|file| file.name == name)) {
        Some(file) => answer(file, &request),
        None => routes::nowhere(request, table).await,
    }
}

/// The file in the smallest form that the client reads; nothing of it where the client has it.
fn answer(file: &PageFile, request: &HttpRequest) -> HttpResponse {
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let forms = [("br", file.br), ("gzip", file.gz)].into_iter();
    let chosen = forms.filter_map(|(name, bytes)| Some((name, bytes?))).find(|(name, _)| accepts(accepted, name));
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, ACCEPT_ENCODING.as_str())).insert_header((CACHE_CONTROL, kept(file)));
    if !file.is_hashed {
        let tag = tag(file, chosen.map_or("", |(name, _)| name));
        response.insert_header((ETAG, tag.as_str()));
        if has(request, &tag) {
            return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
        }
    }
    response.content_type(type_of(file.name));
    match chosen {
        Some((name, bytes)) => response.insert_header((CONTENT_ENCODING, name)).body(bytes),
        None => response.body(file.plain),
    }
}

fn kept(file: &PageFile) -> HeaderValue {
    match file {
        PageFile { is_hashed: true, .. } => FOR_EVER,
        PageFile { name, .. } if name.starts_with("assets/") => FOR_AN_HOUR,
        _ => ASK,
    }
}

/// Each form of a file has a tag of its own.
fn tag(file: &PageFile, encoding: &str) -> String {
    let hash = hex::encode(Sha256::digest(file.plain));
    format!("\"{}{encoding}\"", hash.get(..16).unwrap_or_default())
}

/// Whether an `Accept-Encoding` (RFC 9110, section 12.5.3) takes this encoding.
fn accepts(header: &str, encoding: &str) -> bool {
    let weight = |wanted: &str| {
        header.split(',').find_map(|element| {
            let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
            if !name.trim().eq_ignore_ascii_case(wanted) {
                return None;
            }
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse::<f64>().ok());
            Some(weight.unwrap_or(0.0))
        })
    };
    weight(encoding).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

/// What stands where the pages would be: why they are not there, and how to have them.
fn missing(reason: &str) -> HttpResponse {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let page = include_str!("missing.html").replace("{reason}", &reason);
    HttpResponse::ServiceUnavailable()
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/html; charset=utf-8")
        .body(page)
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use actix_web::http::header::{HeaderName, IF_NONE_MATCH};
    use actix_web::test::TestRequest;
    use actix_web::web::Bytes;

    use super::*;

    const SHELL: PageFile = PageFile {
        name: "panel/index.html",
        is_hashed: false,
        plain: b"plain",
        br: Some(b"brotli"),
        gz: Some(b"gzip"),
    };

    fn asked(file: &PageFile, headers: &[(HeaderName, &str)]) -> HttpResponse {
        let mut request = TestRequest::default();
        for (name, value) in headers {
            request = request.append_header((name.clone(), *value));
        }
        answer(file, &request.to_http_request())
    }

    fn header(response: &HttpResponse, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    #[test]
    fn the_smallest_form_that_is_read_is_sent() {
        for (accepted, encoding, body) in [
            ("", "", "plain"),
            ("gzip, deflate, br, zstd", "br", "brotli"),
            ("gzip, deflate", "gzip", "gzip"),
            ("br;q=0, GZIP;q=0.5", "gzip", "gzip"),
            ("*", "br", "brotli"),
            ("br;q=0, *", "gzip", "gzip"),
            ("*;q=0", "", "plain"),
            ("brotli, gzipped", "", "plain"),
            ("br;q=nonsense", "", "plain"),
        ] {
            let response = asked(&SHELL, &[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(header(&response, CONTENT_ENCODING), encoding, "{accepted}");
            assert_eq!(header(&response, VARY), "accept-encoding");
            assert_eq!(response.into_body().try_into_bytes().ok(), Some(Bytes::from(body)), "{accepted}");
        }
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let first = asked(&SHELL, &[(ACCEPT_ENCODING, "br")]);
        let tag = header(&first, ETAG).to_owned();
        for known in [tag.as_str(), &format!("\"other\", {tag}"), &format!("W/{tag}"), "*"] {
            let again = asked(&SHELL, &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, known)]);
            assert_eq!((again.status().as_u16(), header(&again, ETAG)), (304, tag.as_str()), "{known}");
        }
        let plain = asked(&SHELL, &[(IF_NONE_MATCH, &tag)]);
        assert_eq!(plain.status(), 200, "another form is another thing");
        let other = PageFile { plain: b"another build", ..SHELL };
        assert_eq!(asked(&other, &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, &tag)]).status(), 200);
    }

    #[test]
    fn how_long_a_file_is_kept_depends_on_whether_its_name_changes() {
        let hashed = PageFile { name: "assets/App-12345678.js", is_hashed: true, ..SHELL };
        let icon = PageFile { name: "assets/icon.svg", ..SHELL };
        let kept = |file| header(&asked(file, &[]), CACHE_CONTROL).to_owned();
        assert_eq!(kept(&hashed), "max-age=31536000, immutable");
        assert_eq!(kept(&icon), "max-age=3600");
        assert_eq!(kept(&SHELL), "no-cache");
        assert_eq!(header(&asked(&hashed, &[]), ETAG), "");
    }

    #[test]
    fn a_server_without_pages_says_why_and_what_helps() {
        let response = missing("`npm ci` failed.\nnode <18> & older");
        assert_eq!(response.status(), 503);
        let body = response.into_body().try_into_bytes().expect("bytes");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert!(text.contains("node &lt;18&gt; &amp; older") && text.contains("npm"), "{text}");
    }
}
