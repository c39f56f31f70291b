//! Successful answers: `{ok, message, result}`, with an `ETag` that `If-Match` can refuse a lost update by.

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::idempotency::{Keepable, KeptAnswer};
use kernel::Timestamp;

/// The envelope of one object.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Reply<T> {
    /// Always true.
    #[schema(example = true)]
    pub ok: bool,
    /// What happened.
    #[schema(example = "Found")]
    pub message: String,
    /// The object.
    pub result: T,
}

/// How a view refers to another object: by its id, or with `include_…=true` by the whole object in its place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Reference<I, V> {
    /// Its id.
    Id(I),
    /// The whole object.
    Whole(V),
}

/// A view that knows when it last changed.
pub trait Versioned {
    /// When it last changed.
    fn version(&self) -> Timestamp;
}

/// The `ETag` of a version.
pub fn etag(version: Timestamp) -> String {
    format!("\"{:x}\"", version.micros())
}

macro_rules! answers {
    ($($(#[$meta:meta])* $name:ident: $status:ident $message:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name<T>(pub T);

        impl<T: Serialize + Versioned> Responder for $name<T> {
            type Body = BoxBody;
            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                HttpResponse::build(StatusCode::$status)
                    .insert_header((header::ETAG, etag(self.0.version())))
                    .json(Reply { ok: true, message: $message.to_owned(), result: self.0 })
            }
        }

        impl<T: Serialize + Versioned> Keepable for $name<T> {
            fn to_keep(&self) -> ApiResult<KeptAnswer> {
                let etag = etag(self.0.version());
                let reply = Reply { ok: true, message: $message.to_owned(), result: &self.0 };
                KeptAnswer::json(StatusCode::$status, etag, &reply)
                    .map_err(|error| ApiError::new(Code::Internal, error.to_string()))
            }
        }
    )*};
}

answers! {
    /// 200 with the object that was asked for.
    Found: OK "Found";
    /// 201 with the object that now exists.
    Created: CREATED "Created";
    /// 200 with the object after the change.
    Changed: OK "Updated";
    /// 200 with the object as it last was.
    Deleted: OK "Deleted";
}

/// Any other answer with the envelope.
pub fn reply<T: Serialize>(status: StatusCode, message: &str, result: T) -> HttpResponse {
    HttpResponse::build(status).json(Reply { ok: true, message: message.to_owned(), result })
}

/// Whether the client has what this tag names: its `If-None-Match` says so.
pub fn has(request: &HttpRequest, tag: &str) -> bool {
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|tags| {
        tags.split(',').any(|one| matches!(one.trim().trim_start_matches("W/"), known if known == tag || known == "*"))
    })
}

/// The `If-Match` header, where the client sent one.
#[derive(Debug, Clone)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// Refuses when the object changed since the client read it.
    pub fn check(&self, version: Timestamp) -> ApiResult<()> {
        match &self.0 {
            Some(tags) if tags.trim() != "*" => {
                let current = etag(version);
                if tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == current) {
                    Ok(())
                } else {
                    Err(ApiError::new(Code::VersionMismatch, Code::VersionMismatch.meaning()))
                }
            }
            _ => Ok(()),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let tags = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        std::future::ready(Ok(Self(tags.map(str::to_owned))))
    }
}
