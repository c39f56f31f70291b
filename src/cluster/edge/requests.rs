//! Passing requests on to the leader.
//!
//! A request that never arrived is sent again to whoever leads next. One that may have arrived is repeated only where it has an
//! `Idempotency-Key` or its method is safe. Of the few GET that do something (eDRV stops sessions by one) a second one does nothing more.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, timeout};

use super::{Edge, LEADER_WITHIN, followed, leaderless, lines, stays_here, wait_for_leader};
use crate::http::{ApiError, ApiResult, Code};

/// How long a body may take to come.
const BODY_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Passes a request on, and its answer back as it comes.
pub(super) async fn pass_on(edge: &Edge, request: &HttpRequest, payload: web::Payload) -> ApiResult<HttpResponse> {
    let body = whole(payload, edge.settings.body_bytes).await?;
    let lines = lines(edge, request);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes());
    let method = method.map_err(|_| ApiError::new(Code::BadRequest, "The method cannot be read"))?;
    let may_repeat = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || request.headers().contains_key("idempotency-key");
    let (until, mut seen) = (Instant::now() + LEADER_WITHIN, edge.seen.clone());
    let mut tried = None;
    while Instant::now() < until {
        let Some(leader) = edge.leader() else {
            wait_for_leader(&mut seen, None).await;
            continue;
        };
        let mut passed = edge.client.request(method.clone(), format!("{}{path}", leader.address));
        for (name, value) in &lines {
            passed = passed.header(name, value.as_slice());
        }
        let answer = tokio::select! {
            answer = passed.body(body.clone()).send() => answer.map_err(|error| (error.is_connect(), error.to_string())),
            () = followed(edge.seen.clone(), leader.term) => Err((false, "another node leads".to_owned())),
        };
        match answer {
            Ok(answer) => return Ok(passed_back(answer, followed(edge.seen.clone(), leader.term))),
            Err((never_arrived, error)) if never_arrived || may_repeat => {
                tracing::debug!(error, leader = leader.node, "a request was not answered by the leader");
                tried = Some(leader);
                wait_for_leader(&mut seen, tried.as_ref()).await;
            }
            Err((_, error)) => {
                tracing::warn!(error, leader = leader.node, "the leader was lost while it answered a request");
                let message = "The leading node was lost before it answered: the request may have been carried out, or not. With an \
                    Idempotency-Key it would have been repeated for you";
                return Err(ApiError::new(Code::Busy, message));
            }
        }
    }
    tracing::warn!(?tried, "a request found no leader in time");
    Err(leaderless())
}

/// The body of a request; of one that is too large, one byte more than is allowed, so that the leader refuses it.
async fn whole(mut payload: web::Payload, most: usize) -> ApiResult<Bytes> {
    let mut body = BytesMut::new();
    let read = async {
        while let Some(part) = payload.next().await {
            let part =
                part.map_err(|error| ApiError::new(Code::BadRequest, format!("The body cannot be read: {error}")))?;
            body.extend_from_slice(&part);
            if body.len() > most {
                body.truncate(most + 1);
                break;
            }
        }
        Ok::<(), ApiError>(())
    };
    timeout(BODY_WITHIN, read).await.map_err(|_| ApiError::new(Code::BadRequest, "The body takes too long"))??;
    Ok(body.freeze())
}

/// The answer for the client. Its body breaks off where its leader is none any more: an event stream would go on without events.
fn passed_back(answer: reqwest::Response, over: impl Future<Output = ()> + 'static) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    let length = answer.content_length();
    for (name, value) in answer.headers() {
        let name = actix_web::http::header::HeaderName::from_bytes(name.as_str().as_bytes());
        let value = actix_web::http::header::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value)
            && !stays_here(&name)
        {
            response.append_header((name, value));
        }
    }
    let parts = Parts { incoming: Box::pin(answer.bytes_stream()), over: Box::pin(over) };
    match length {
        Some(length) => response.no_chunking(length).streaming(parts),
        None => response.streaming(parts),
    }
}

/// The body of an answer as it comes.
struct Parts {
    incoming: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>>>>,
    over: Pin<Box<dyn Future<Output = ()>>>,
}

impl Stream for Parts {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(std::io::Error::other("another node leads"))));
        }
        self.incoming.as_mut().poll_next(context).map_err(std::io::Error::other)
    }
}
