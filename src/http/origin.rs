//! Requests that a browser makes for a page of somebody else, which carry the cookies of ours.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, ORIGIN};

use super::headers::OverTls;
use super::{ApiError, ApiResult, Code, was_encrypted};

/// Whether the way from the browser to here was encrypted.
pub fn is_encrypted(request: &HttpRequest) -> bool {
    request.conn_data::<OverTls>().is_some() || was_encrypted(request)
}

/// Who sent a request, by its `Origin`: browsers say it with every request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of this server.
    Page,
    /// A page of another server, or one that hides where it is from.
    Stranger,
    /// A program, or a page that only reads.
    Unknown,
}

impl Sender {
    /// Who sent this request to a server that is also reached at these addresses, such as `https://charge.example.com`.
    pub fn of<'a>(request: &HttpRequest, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(origin) = header(ORIGIN) else {
            return Self::Unknown;
        };
        let authority = request.uri().authority().map(|authority| authority.as_str());
        let host = header(HOST).or(authority).unwrap_or_default();
        let schemes: &[&str] = if is_encrypted(request) { &["https"] } else { &["https", "http"] };
        let is_asked = schemes.iter().any(|scheme| origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")));
        match is_asked || addresses.into_iter().any(|address| is_origin_of(origin, address)) {
            true => Self::Page,
            false => Self::Stranger,
        }
    }
}

/// Refuses a request that a page of another server makes. `public` is how this one is reached from outside.
pub fn require_own_origin(request: &HttpRequest, public: &str) -> ApiResult<()> {
    match Sender::of(request, [public]) {
        Sender::Stranger => Err(ApiError::new(Code::ForeignOrigin, Code::ForeignOrigin.meaning())),
        Sender::Page | Sender::Unknown => Ok(()),
    }
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

    fn sender(origin: Option<&str>, host: &str) -> Sender {
        let mut request = TestRequest::default().insert_header((HOST, host.to_owned()));
        if let Some(origin) = origin {
            request = request.insert_header((ORIGIN, origin.to_owned()));
        }
        Sender::of(&request.to_http_request(), ["https://charge.example.com/ev"])
    }

    #[test]
    fn only_pages_of_this_server_are_its_own() {
        assert_eq!(sender(None, "10.0.0.5:8080"), Sender::Unknown);
        for own in ["http://10.0.0.5:8080", "https://charge.example.com", "https://CHARGE.example.com"] {
            assert_eq!(sender(Some(own), "10.0.0.5:8080"), Sender::Page, "{own}");
        }
        for foreign in
            ["null", "", "https://charge.example.co", "https://charge.example.com.evil.example", "http://10.0.0.5"]
        {
            assert_eq!(sender(Some(foreign), "10.0.0.5:8080"), Sender::Stranger, "{foreign}");
        }
    }
}
