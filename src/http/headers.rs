//! What every answer asks of browsers, whatever it is: not to guess its type, not to show it in a frame, not to pass addresses on, and
//! what its page may load.

use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

/// On every answer.
const ALWAYS: [(HeaderName, HeaderValue); 2] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];
/// On every answer that says nothing else: what is no page loads nothing, and its address is nobody's business.
const UNLESS_SAID: [(HeaderName, HeaderValue); 2] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
/// Over TLS: for a year, this host is not reached without it.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Noted of a connection that has TLS.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;

/// The certificate (DER) that a client showed, to this server or to the node that passed its request on.
#[derive(Debug, Clone)]
pub struct ShownCertificate(pub Arc<[u8]>);

/// Noted of a handshake that a node of the cluster makes for a station that it had connected already: only the leader is another one.
#[derive(Debug, Clone, Copy)]
pub struct AttachedAgain;

/// Adds the headers; a page that loads something says so itself, by policies of its own.
pub async fn protect<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let over_tls = request.conn_data::<OverTls>().is_some();
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    for (name, value) in UNLESS_SAID {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if over_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
    Ok(response)
}
