//! Requests that one node passes on to another: how it proves that it is one, and what it says of the client.
//!
//! The leader's own address takes requests of nodes alone. Each carries the secret of the cluster, and in `X-Forwarded-For` and
//! `X-Forwarded-Proto` what the edge found out about the client.

use std::fmt;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, ResponseError as _, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::http::headers::{AttachedAgain, ShownCertificate};
use crate::http::{ApiError, Code};

/// Carries the secret of the cluster.
pub const NODE: HeaderName = HeaderName::from_static("x-evenwatt-node");
/// Carries the certificate that a station showed, in base64.
pub const CERTIFICATE: HeaderName = HeaderName::from_static("x-evenwatt-certificate");
/// On a handshake: the station was connected already, and only its leader changed.
pub const AGAIN: HeaderName = HeaderName::from_static("x-evenwatt-again");

/// What the nodes of a cluster know and nobody else.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// That of the configuration.
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// As it is written into the header.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Stands for it in the table of nodes.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(format!("node {}", self.0)))
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(&NODE).map(|shown| shown.as_bytes()).unwrap_or_default();
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Lets only nodes in, where this address is for nodes; the certificate that a station showed at the edge counts as if it had been shown here.
pub async fn only_nodes<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let secret = request.app_data::<web::Data<Secret>>().cloned();
    let Some(secret) = secret else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    if !secret.is_in(request.headers()) {
        let refusal = ApiError::new(Code::Forbidden, "This address is for the other nodes of the cluster");
        return Ok(request.into_response(refusal.error_response()).map_into_right_body());
    }
    if let Some(shown) = request.headers().get(&CERTIFICATE).and_then(|shown| STANDARD.decode(shown).ok()) {
        request.extensions_mut().insert(ShownCertificate(shown.into()));
    }
    if request.headers().contains_key(&AGAIN) {
        request.extensions_mut().insert(AttachedAgain);
    }
    Ok(next.call(request).await?.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, HttpRequest, HttpResponse, test};

    use super::*;

    async fn shown(request: HttpRequest) -> HttpResponse {
        let certificate = request.extensions().get::<ShownCertificate>().map(|shown| shown.0.to_vec());
        let again = request.extensions().contains::<AttachedAgain>();
        HttpResponse::Ok().json((certificate, again))
    }

    async fn asked(secret: Option<&str>, headers: &[(HeaderName, &'static str)]) -> (u16, Vec<u8>) {
        let app = App::new().wrap(from_fn(only_nodes)).default_service(web::to(shown));
        let app = match secret {
            Some(secret) => app.app_data(web::Data::new(Secret::new(secret.to_owned()))),
            None => app,
        };
        let app = test::init_service(app).await;
        let request =
            headers.iter().fold(test::TestRequest::get(), |request, header| request.insert_header(header.clone()));
        let answer = test::call_service(&app, request.to_request()).await;
        (answer.status().as_u16(), test::read_body(answer).await.to_vec())
    }

    #[actix_web::test]
    async fn who_does_not_know_the_secret_gets_nothing() {
        for headers in [vec![], vec![(NODE, "wrong")], vec![(NODE, "")], vec![(CERTIFICATE, "AQID"), (AGAIN, "1")]] {
            assert_eq!(asked(Some("right"), &headers).await.0, 403, "{headers:?}");
        }
    }

    #[actix_web::test]
    async fn a_node_shows_what_its_client_showed() {
        let node = [(NODE, "right"), (CERTIFICATE, "AQID"), (AGAIN, "1")];
        assert_eq!(asked(Some("right"), &node).await, (200, b"[[1,2,3],true]".to_vec()));
        assert_eq!(asked(Some("right"), &node[..1]).await, (200, b"[null,false]".to_vec()));
    }

    #[actix_web::test]
    async fn where_no_nodes_are_expected_their_headers_mean_nothing() {
        let node = [(NODE, "right"), (CERTIFICATE, "AQID"), (AGAIN, "1")];
        assert_eq!(asked(None, &node).await, (200, b"[null,false]".to_vec()));
    }
}
