//! `Idempotency-Key`: the same POST twice is done once, and answered twice with the first answer.
//!
//! The key is taken in the transaction of the first effect (`claim`), and the answer is kept there too where only the store is
//! changed (`answer`). Where the server was killed in between, a retry learns that the outcome is not known: nothing is made
//! twice. Answers may hold secrets that are shown once, so they are kept sealed under what their caller showed, of which the
//! store has a hash only.

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use sha2::{Digest, Sha256};

use super::body::read_bytes;
use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::principal::Principal;
use super::reach::Reach;
use super::request_id::{REQUEST_ID, request_id};
use super::{Context, Ctx, audit};
use crate::store::Conn;

mod answer;
mod claim;

pub use answer::{Keepable, KeptAnswer};
pub use claim::{Answering, Needs};

use claim::{Answered, Claim};

impl Context {
    /// Changes the store and answers. Where the request has an `Idempotency-Key`, the answer is kept in the same transaction:
    /// whatever happens to the server, both are there or neither.
    pub async fn answer<R: Keepable + Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Conn) -> ApiResult<R> + Send + 'static,
    ) -> ApiResult<R> {
        let (answer, ()) = self.answer_and(move |conn| Ok((work(conn)?, ()))).await?;
        Ok(answer)
    }

    /// The same where the handler needs more of the transaction than its answer.
    pub async fn answer_and<R: Keepable + Send + 'static, X: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Conn) -> ApiResult<(R, X)> + Send + 'static,
    ) -> ApiResult<(R, X)> {
        let claim = Claim::here();
        let keeper = claim.clone();
        let done = self.db.write(move |conn| {
            let (answer, more) = work(conn)?;
            if let Some(claim) = &keeper {
                claim.keep(conn, &answer.to_keep()?)?;
            }
            ApiResult::Ok((answer, more))
        });
        let done = done.await?;
        if let Some(claim) = claim {
            claim.is_kept_now();
        }
        Ok(done)
    }
}

/// Longest key.
const LONGEST_KEY: usize = 255;

/// Lets the request through, unless its key was used before.
pub async fn once<B: MessageBody + 'static>(
    answering: &Answering,
    caller: (Principal, String),
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (Some(key), &Method::POST) = (key, request.method()) else {
        return Ok(audit::during(request, |request| next.call(request)).await?.map_into_left_body());
    };
    let principal = caller.0.clone();
    let (context, claim, answered) = match claim(answering, caller, key, &mut request).await {
        Ok(claimed) => claimed,
        Err(error) => return Ok(request.error_response(error).map_into_right_body()),
    };
    // A task of its own goes on when the client goes away, so that the answer is there for its retry.
    let work = actix_web::rt::spawn(REQUEST_ID.scope(request_id(), async move {
        let _answered = answered;
        let before = Arc::clone(&claim);
        let before = context.db.read(move |conn| before.find(conn, &principal));
        match before.await {
            Ok(None) => {}
            Ok(Some(answer)) => {
                let response = request.into_response(answer.replay());
                return Ok(response.map_into_right_body());
            }
            Err(error) => return Ok(request.error_response(error).map_into_right_body()),
        }
        let response = audit::during(request, |request| claim.during(next.call(request))).await?;
        let (http_request, response) = response.into_parts();
        let response = settle(&claim, &context, response.map_into_boxed_body()).await?;
        Ok::<_, Error>(ServiceResponse::new(http_request, response).map_into_right_body())
    }));
    work.await.map_err(|_| ApiError::new(Code::Internal, "a handler panicked"))?
}

async fn claim(
    answering: &Answering,
    (principal, secret): (Principal, String),
    key: String,
    request: &mut ServiceRequest,
) -> ApiResult<(Ctx, Arc<Claim>, Answered)> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(ApiError::new(Code::BadRequest, "An Idempotency-Key has 1 to 255 characters"));
    }
    let context = request.app_data::<Ctx>().cloned().ok_or_else(|| ApiError::new(Code::Internal, "no context"))?;
    let payload = request.take_payload();
    let body = read_bytes(request.request(), payload).await?;
    let (hash, now) = (hash(request, &principal.reach, &body), context.clock.now());
    request.set_payload(Payload::from(body));
    let claim = Arc::new(Claim::new((principal.caller(), &secret), key, hash, now)?);
    let answered = answering.begin(&claim)?;
    Ok((context, claim, answered))
}

/// A caller who works elsewhere by now makes another request.
fn hash(request: &ServiceRequest, reach: &Reach, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    for location in reach.locations().unwrap_or_default() {
        digest.update(location.to_string().as_bytes());
    }
    digest.update(request.uri().to_string().as_bytes());
    digest.update([0]);
    digest.update(body);
    hex::encode(digest.finalize())
}

/// Keeps the answer, where that was not done with its effect. One that a retry could better (5xx, 429) is forgotten instead;
/// after a fault of ours in the middle of the work nobody knows the outcome.
async fn settle(claim: &Arc<Claim>, context: &Context, response: HttpResponse) -> Result<HttpResponse, Error> {
    let (response, body) = response.into_parts();
    let bytes = to_bytes(body).await.map_err(|_| ApiError::new(Code::Internal, "an answer could not be read"))?;
    let status = response.status();
    let is_fault = status == StatusCode::INTERNAL_SERVER_ERROR;
    let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    if !(claim.is_kept() || (is_fault && claim.is_begun())) {
        let (claim, answer) = (Arc::clone(claim), KeptAnswer::of(status, response.headers(), &bytes));
        let stored = context.db.write(move |conn| {
            if is_passing {
                return ApiResult::Ok(claim.forget(conn)?);
            }
            claim.keep(conn, &answer)
        });
        if let Err(error) = stored.await {
            tracing::warn!(%error, "an answer could not be kept for its retry");
        }
    }
    Ok(response.set_body(BoxBody::new(bytes)))
}
