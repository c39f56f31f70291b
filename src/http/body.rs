//! Extractors that answer in our envelope: JSON bodies and ids in paths.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use serde_json::Value;

use super::codes::Code;
use super::error::{ApiError, ApiResult, Faults};
use super::fields::{Field, Path};
use super::reach::note_elsewhere;

/// Largest body, unless the configuration says otherwise.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// How large a body may be; put into the application's data by `app`.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A JSON body that was read and found right.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: Field + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read_bytes(&request, payload).await?;
            let value = parse(&request, &bytes)?;
            let mut faults = Faults::default();
            note_elsewhere(&request, &value, &mut faults).await?;
            read(&value, faults).map(Self)
        })
    }
}

/// A body of bytes, as they came; `MOST` is how many it may have, whatever the limit of others is.
#[derive(Debug)]
pub struct Raw<const MOST: usize>(pub web::Bytes);

impl<const MOST: usize> FromRequest for Raw<MOST> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = payload.take();
        Box::pin(async move { read_at_most(MOST, payload).await.map(Self) })
    }
}

/// The whole body, refused when it is larger than allowed.
pub async fn read_bytes(request: &HttpRequest, payload: Payload) -> ApiResult<web::Bytes> {
    let limit = request.app_data::<BodyLimit>().map_or(DEFAULT_BODY_LIMIT, |limit| limit.0);
    read_at_most(limit, payload).await
}

async fn read_at_most(limit: usize, mut payload: Payload) -> ApiResult<web::Bytes> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::BadRequest, "The body ended early"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::new(Code::BodyTooLarge, format!("The body may have at most {limit} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn parse(request: &HttpRequest, bytes: &[u8]) -> ApiResult<Value> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = content_type.is_none_or(|text| {
        let kind = text.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("application/merge-patch+json")
    });
    if !is_json {
        return Err(ApiError::new(Code::NotJsonType, "Send the body as application/json"));
    }
    // A POST without a body is an empty object: commands such as get_variables need none.
    let text = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}".as_slice() } else { bytes };
    serde_json::from_slice(text).map_err(|error| ApiError::new(Code::NotJson, format!("Not JSON: {error}")))
}

/// What the document says, where that is right and there were no faults before.
fn read<T: Field>(value: &Value, mut faults: Faults) -> ApiResult<T> {
    refuse_nul(value, Path::Root, &mut faults);
    let read = T::read(value, Path::Root, &mut faults);
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(ApiError::faulty(Code::InvalidBody, faults)),
    }
}

/// NUL is a character of JSON that no store keeps in a text.
fn refuse_nul(value: &Value, at: Path<'_>, faults: &mut Faults) {
    let message = "must not contain NUL (U+0000)";
    match value {
        Value::String(text) if text.contains('\0') => faults.add(at, "invalid", message),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_nul(item, Path::Element(&at, index), faults);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.contains('\0') {
                    faults.add(at, "invalid", "must not have a name that contains NUL (U+0000)");
                }
                refuse_nul(field, Path::Field(&at, name), faults);
            }
        }
        _ => {}
    }
}

fn path_id<T: FromStr>(request: &HttpRequest, index: usize) -> ApiResult<T> {
    let mut given = request.match_info().iter();
    let (name, text) = given.nth(index).unwrap_or(("id", ""));
    text.parse().map_err(|_| {
        let mut faults = Faults::default();
        faults.add(name, "invalid", "must be an id of 24 hexadecimal characters");
        ApiError::faulty(Code::InvalidPath, faults)
    })
}

/// The id in a path, under its parameter's name in the route.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(path_id(request, 0).map(Self))
    }
}

/// The two ids in a path, in their order.
#[derive(Debug, Clone, Copy)]
pub struct PathIds<A, B>(pub A, pub B);

impl<A: FromStr, B: FromStr> FromRequest for PathIds<A, B> {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = path_id(request, 0).and_then(|first| Ok(Self(first, path_id(request, 1)?)));
        std::future::ready(ids)
    }
}
