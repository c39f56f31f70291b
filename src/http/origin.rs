//! Requests that a browser makes for a page of somebody else, which carry the cookies of ours.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, ORIGIN};

use super::headers::OverTls;
use super::{ApiError, ApiResult, Code, was_encrypted};

/// Whether the way from the browser to here was encrypted.
pub fn is_encrypted(request: &HttpRequest) -> bool {
    request.conn_data::<OverTls>().is_some() || was_encrypted(request)
}

/// Refuses a request that a page of another server makes. `public` is how this one is reached from outside, such as
/// `https://charge.example.com`. Who sends no `Origin` is no browser.
pub fn require_own_origin(request: &HttpRequest, public: &str) -> ApiResult<()> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(origin) = header(ORIGIN) else {
        return Ok(());
    };
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = header(HOST).or(authority).unwrap_or_default();
    let schemes: &[&str] = if is_encrypted(request) { &["https"] } else { &["https", "http"] };
    let asked = schemes.iter().any(|scheme| origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")));
    if asked || is_origin_of(origin, public) {
        return Ok(());
    }
    Err(ApiError::new(Code::ForeignOrigin, Code::ForeignOrigin.meaning()))
}

/// Whether a URL begins with this origin.
fn is_origin_of(origin: &str, url: &str) -> bool {
    let (begin, rest) = url.split_at_checked(origin.len()).unwrap_or_default();
    !begin.is_empty() && begin.eq_ignore_ascii_case(origin) && (rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn is_own(origin: Option<&str>, host: &str) -> bool {
        let mut request = TestRequest::default().insert_header((HOST, host.to_owned()));
        if let Some(origin) = origin {
            request = request.insert_header((ORIGIN, origin.to_owned()));
        }
        require_own_origin(&request.to_http_request(), "https://charge.example.com/ev").is_ok()
    }

    #[test]
    fn only_pages_of_this_server_are_its_own() {
        assert!(is_own(None, "10.0.0.5:8080"));
        assert!(is_own(Some("http://10.0.0.5:8080"), "10.0.0.5:8080"));
        assert!(is_own(Some("https://charge.example.com"), "10.0.0.5:8080"));
        for foreign in
            ["null", "", "https://charge.example.co", "https://charge.example.com.evil.example", "http://10.0.0.5"]
        {
            assert!(!is_own(Some(foreign), "10.0.0.5:8080"), "{foreign}");
        }
    }
}
