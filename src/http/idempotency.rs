//! `Idempotency-Key`: the same POST twice is done once, and answered twice with the first answer.
//!
//! Answers may hold secrets that are shown once, so they are kept sealed under the API key of their caller, of which the store has
//! a hash only.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::body::read_bytes;
use super::caller::Principal;
use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::{Context, Ctx};
use crate::db::schema::idempotency_keys as keys;
use crate::db::{Conn, StoreResult};
use crate::kernel::seal::{NotSealed, Seal};
use crate::kernel::{ApiKeyId, Timestamp};

/// How long the first answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// After this time a request that never finished (the server was killed) may be made again.
const ABANDONED_AFTER: Duration = Duration::from_secs(120);
/// Tells keys for this purpose from others that are derived from the same secret.
const PURPOSE: &str = "evenwatt: answers that are kept for an Idempotency-Key";
/// Longest key.
const LONGEST_KEY: usize = 255;

/// Lets the request through, unless its key was used before.
pub async fn once<B: MessageBody + 'static>(
    (principal, api_key): (Principal, String),
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let key = request
        .headers()
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let (Some(key), &Method::POST) = (key, request.method()) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let (context, claim, stored) = match claim((principal, api_key), key, &mut request).await {
        Ok(claimed) => claimed,
        Err(error) => return Ok(request.error_response(error).map_into_right_body()),
    };
    if let Some((status, body)) = stored {
        let mut response = HttpResponse::build(status);
        response
            .insert_header(("idempotency-replayed", "true"))
            .content_type("application/json");
        return Ok(request
            .into_response(response.body(body))
            .map_into_right_body());
    }
    let (http_request, response) = next.call(request).await?.into_parts();
    let response = claim
        .settle(&context, response.map_into_boxed_body())
        .await?;
    Ok(ServiceResponse::new(http_request, response).map_into_right_body())
}

type Claimed = (Ctx, Claim, Option<(StatusCode, String)>);

async fn claim(
    (principal, api_key): (Principal, String),
    key: String,
    request: &mut ServiceRequest,
) -> ApiResult<Claimed> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(ApiError::new(
            Code::BadRequest,
            "An Idempotency-Key has 1 to 255 characters",
        ));
    }
    let context = request
        .app_data::<Ctx>()
        .cloned()
        .ok_or_else(|| ApiError::new(Code::Internal, "no context"))?;
    let payload = request.take_payload();
    let body = read_bytes(request.request(), payload).await?;
    let claim = Claim {
        seal: Arc::new(Seal::new(&api_key, PURPOSE).map_err(unsealed)?),
        api_key: principal.api_key,
        key,
        hash: hash(request, &body),
    };
    request.set_payload(Payload::from(body));
    let stored = claim.take(&context).await?;
    Ok((context, claim, stored))
}

fn hash(request: &ServiceRequest, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(request.uri().to_string().as_bytes());
    digest.update([0]);
    digest.update(body);
    hex::encode(digest.finalize())
}

fn unsealed(error: NotSealed) -> ApiError {
    ApiError::new(Code::Internal, error.to_string())
}

#[derive(Clone)]
struct Claim {
    seal: Arc<Seal>,
    api_key: ApiKeyId,
    key: String,
    hash: String,
}

impl Claim {
    /// Takes the key for this request, or answers with what was stored for it.
    async fn take(&self, context: &Context) -> ApiResult<Option<(StatusCode, String)>> {
        let (claim, now) = (self.clone(), context.clock.now());
        context.db.write(move |conn| claim.take_in(conn, now)).await
    }

    fn take_in(&self, conn: &mut Conn, now: Timestamp) -> ApiResult<Option<(StatusCode, String)>> {
        let mine = keys::api_key_id
            .eq(self.api_key)
            .and(keys::key.eq(&self.key));
        let expired = keys::created_at.lt(now - KEPT_FOR);
        let abandoned = keys::status
            .is_null()
            .and(keys::created_at.lt(now - ABANDONED_AFTER));
        diesel::delete(keys::table.filter(expired.or(abandoned))).execute(conn)?;
        let stored: Option<(String, Option<i32>, Option<String>)> = keys::table
            .filter(mine)
            .select((keys::request_hash, keys::status, keys::body))
            .first(conn)
            .optional()?;
        match stored {
            None => {
                let row = (
                    keys::api_key_id.eq(self.api_key),
                    keys::key.eq(&self.key),
                    keys::request_hash.eq(&self.hash),
                    keys::created_at.eq(now),
                );
                diesel::insert_into(keys::table).values(row).execute(conn)?;
                Ok(None)
            }
            Some((hash, _, _)) if hash != self.hash => Err(ApiError::new(
                Code::IdempotencyKeyReused,
                Code::IdempotencyKeyReused.meaning(),
            )),
            Some((_, Some(status), body)) => {
                let status = u16::try_from(status)
                    .ok()
                    .and_then(|status| StatusCode::from_u16(status).ok());
                let opened = body.and_then(|body| self.seal.open(self.hash.as_bytes(), &body));
                let lost = || {
                    ApiError::conflict(
                        "This request was made before, with the API key as it was then; its answer cannot be read again",
                    )
                };
                Ok(Some((
                    status.unwrap_or(StatusCode::OK),
                    opened.ok_or_else(lost)?,
                )))
            }
            Some((_, None, _)) => Err(ApiError::new(
                Code::RequestInProgress,
                Code::RequestInProgress.meaning(),
            )
            .retry_after(1)),
        }
    }

    /// Stores the answer; one that a retry could better (5xx, 429) is forgotten instead.
    async fn settle(
        &self,
        context: &Context,
        response: HttpResponse,
    ) -> Result<HttpResponse, Error> {
        let (response, body) = response.into_parts();
        let bytes = to_bytes(body)
            .await
            .map_err(|_| ApiError::new(Code::Internal, "an answer could not be read"))?;
        let status = response.status();
        let text = String::from_utf8_lossy(&bytes);
        let sealed = self.seal.close(self.hash.as_bytes(), &text);
        let sealed = sealed.map_err(unsealed)?;
        let claim = self.clone();
        context
            .db
            .write(move |conn| -> StoreResult<()> {
                let mine = keys::api_key_id
                    .eq(claim.api_key)
                    .and(keys::key.eq(&claim.key));
                if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    diesel::delete(keys::table.filter(mine)).execute(conn)?;
                } else {
                    let answer = (
                        keys::status.eq(i32::from(status.as_u16())),
                        keys::body.eq(&sealed),
                    );
                    diesel::update(keys::table.filter(mine))
                        .set(answer)
                        .execute(conn)?;
                }
                Ok(())
            })
            .await
            .map_err(ApiError::from)?;
        Ok(response.set_body(BoxBody::new(bytes)))
    }
}
