//! An answer as it is kept for a repeated request: status, the headers that matter, and the body byte for byte.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::http::ApiResult;

/// Headers that belong to the answer; the others belong to the request that is answered.
const HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// An answer that can be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub(super) status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl KeptAnswer {
    /// A JSON answer.
    pub fn json<T: Serialize>(status: StatusCode, etag: String, value: &T) -> serde_json::Result<Self> {
        Ok(Self {
            status,
            headers: vec![(CONTENT_TYPE.to_string(), "application/json".to_owned()), (ETAG.to_string(), etag)],
            body: serde_json::to_vec(value)?,
        })
    }

    /// What is kept of an answer.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let kept = HEADERS.iter().filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        Self { status, headers: kept.collect(), body: body.to_vec() }
    }

    /// The headers in a line of JSON, then the body.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::json!(self.headers).to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(super) fn from_bytes(status: i32, bytes: &[u8]) -> Option<Self> {
        let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (headers, body) = bytes.split_at(end);
        Some(Self { status, headers: serde_json::from_slice(headers).ok()?, body: body.get(1..)?.to_vec() })
    }

    /// The answer, sent again.
    pub(super) fn replay(self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        response.insert_header(("idempotency-replayed", "true"));
        response.body(self.body)
    }
}

/// An answer that can be kept in the transaction that it reports.
pub trait Keepable {
    /// Its form to be kept.
    fn to_keep(&self) -> ApiResult<KeptAnswer>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_byte_for_byte() {
        let answer = KeptAnswer {
            status: StatusCode::CREATED,
            headers: vec![("etag".to_owned(), "\"a\"".to_owned())],
            body: vec![0x1f, 0x8b, b'\n', 0xff, 0],
        };
        assert_eq!(KeptAnswer::from_bytes(201, &answer.to_bytes()), Some(answer));
        assert_eq!(KeptAnswer::from_bytes(200, b"{\"ok\":true}"), None);
    }
}
