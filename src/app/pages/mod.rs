//! What a browser finds: the pages of `web/`, Swagger UI, the OpenAPI document that it shows, and the pages of `docs/` that the
//! document links to.

mod built;
pub(super) mod settings;

use std::convert::Infallible;

use actix_web::body::SizedStream;
use actix_web::dev::Service as _;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
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
        .route("/", web::get().to(to_start))
        .route("/docs/{name}", web::get().to(page))
        .configure(built::routes)
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

/// Where somebody begins who typed the name of the host.
async fn to_start() -> HttpResponse {
    let start = if built::are_there() { "/panel/" } else { SWAGGER };
    HttpResponse::Found().insert_header((LOCATION, start)).finish()
}

async fn page(name: web::Path<String>) -> HttpResponse {
    match DOCS.iter().find(|(own, _)| *own == name.as_str()) {
        Some((_, text)) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(*text),
        None => ApiError::new(Code::NotFound, "There is no page of this name").error_response(),
    }
}
