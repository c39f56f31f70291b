//! What a browser finds: Swagger UI, the OpenAPI document that it shows, the pages of `docs/` that the document links to, and the
//! page that the portal's e-mails link to.

use std::convert::Infallible;

use actix_web::body::SizedStream;
use actix_web::dev::Service as _;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
use actix_web::middleware::Compress;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpResponse, ResponseError as _};
use futures_util::stream;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::routes;
use crate::http::{ApiError, Code};

/// Where the OpenAPI document is.
const DOCUMENT: &str = "/openapi.json";
/// Bytes of it that are handed over at once.
const PIECE: usize = 16 * 1_024;
/// Where Swagger UI is.
const SWAGGER: &str = "/swagger-ui/";
/// What Swagger UI loads: its own scripts, styles and pictures.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// What the portal's page loads, and what it asks: its own server.
const PORTAL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'",
);

macro_rules! pages {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../../docs/", $name)))),*] };
}

/// The pages of `docs/`, as they are in the repository.
const DOCS: [(&str, &str); 12] = pages![
    "API-DESIGN.md",
    "BALANCING.md",
    "BENCHMARKS.md",
    "ERRORS.md",
    "EVENTS.md",
    "FROM-EDRV.md",
    "HOME-CHARGING.md",
    "INTEGRATING.md",
    "METERING.md",
    "OCPP-STATUS.md",
    "SECURITY.md",
    "WEBHOOKS.md",
];

/// Adds the pages.
pub(super) fn routes(config: &mut ServiceConfig) {
    let swagger = SwaggerUi::new("/{_:.*}").config(Config::from(DOCUMENT).doc_expansion("none").filter(true));
    let swagger = web::scope("/swagger-ui")
        .wrap_fn(|request, service| {
            let answered = service.call(request);
            async move {
                let mut response = answered.await?;
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
                Ok(response)
            }
        })
        .route("", web::get().to(to_swagger))
        .service(swagger);
    config
        .service(web::resource(DOCUMENT).wrap(Compress::default()).route(web::get().to(document)))
        .route("/", web::get().to(to_swagger))
        .route("/docs/{name}", web::get().to(page))
        .route("/portal", web::get().to(portal))
        .route("/portal/", web::get().to(portal))
        .route("/portal/invitations/{secret}", web::get().to(portal))
        .route("/portal/password_reset/{secret}", web::get().to(portal))
        .route("/portal.js", web::get().to(portal_script))
        .route("/portal.css", web::get().to(portal_style))
        .service(swagger);
}

/// The document in pieces: a client that does not read has one of them waiting, not all.
async fn document() -> HttpResponse {
    let document = routes::COMMITTED.as_bytes();
    let pieces = document.chunks(PIECE).map(Bytes::from_static);
    let pieces = stream::iter(pieces.map(Ok::<_, Infallible>));
    HttpResponse::Ok().content_type("application/json").body(SizedStream::new(document.len() as u64, pieces))
}

async fn to_swagger() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, SWAGGER)).finish()
}

/// The same page for every link in an e-mail: its script reads which one was opened.
async fn portal() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, PORTAL_POLICY))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(include_str!("portal.html"))
}

async fn portal_script() -> HttpResponse {
    HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(include_str!("portal.js"))
}

async fn portal_style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("portal.css"))
}

async fn page(name: web::Path<String>) -> HttpResponse {
    match DOCS.iter().find(|(own, _)| *own == name.as_str()) {
        Some((_, text)) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(*text),
        None => ApiError::new(Code::NotFound, "There is no page of this name").error_response(),
    }
}
