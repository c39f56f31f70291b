//! What happens around every request: its id, its log line and metrics, who is calling, how often.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::Ctx;
use super::caller::{Authenticator, KeyValidity};
use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::idempotency::{self, Answering};
use super::login;
use super::principal::{Actor, Principal};
use super::reach;
use super::request_id::REQUEST_ID;
use kernel::CallerId;

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from a client.
const LONGEST_REQUEST_ID: usize = 100;

/// Gives the request an id, logs it in one line, and counts it.
pub async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = id_of(&request);
    let started = Instant::now();
    let method = request.method().clone();
    REQUEST_ID
        .scope(id.clone(), async move {
            let mut response = next.call(request).await?;
            let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
            let status = response.status().as_u16();
            let elapsed = started.elapsed();
            let labels = [
                ("method", metric_method(&method).to_owned()),
                ("route", route.clone()),
                ("status", status.to_string()),
            ];
            metrics::counter!("evenwatt_http_requests_total", &labels).increment(1);
            metrics::histogram!("evenwatt_http_request_seconds", "route" => route.clone()).record(elapsed);
            tracing::debug!(%method, route, status, ?elapsed, request_id = id, "answered a request");
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(REQUEST_ID_HEADER, value);
            }
            Ok(response)
        })
        .await
}

/// Serves one path under the name of another: `(from, to)`, both without a trailing slash.
pub fn rename_path(request: &mut ServiceRequest, from: &str, to: &str) {
    let path = request.path();
    let Some(rest) = path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return;
    };
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    if let Ok(uri) = format!("{to}{rest}{query}").parse::<actix_web::http::Uri>() {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// Answers HEAD as GET outside the API and the sockets of stations; the connection leaves the body away.
pub fn head_as_get(request: &mut ServiceRequest) {
    let path = request.path();
    let is_page = !["/v1.1/", "/ocpp/"].iter().any(|begin| path.starts_with(begin));
    if is_page && *request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

fn metric_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn id_of(request: &ServiceRequest) -> String {
    let given = request.headers().get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if !id.is_empty() && id.len() <= LONGEST_REQUEST_ID && id.chars().all(|c| c.is_ascii_graphic()) => {
            id.to_owned()
        }
        _ => request.app_data::<Ctx>().map_or_else(String::new, |ctx| ctx.ids.next_raw(ctx.clock.now()).to_string()),
    }
}

/// How many requests a key may make.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// Requests a second, on average.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

type Limiter = RateLimiter<CallerId, DefaultKeyedStateStore<CallerId>, DefaultClock, StateInformationMiddleware>;

/// The auth guard of `/v1.1`: knows the callers and counts their requests.
pub struct AuthGuard {
    keys: Arc<dyn Authenticator>,
    logins: Arc<dyn Authenticator>,
    limiter: Limiter,
    limit: RateLimit,
    answering: Answering,
}

impl AuthGuard {
    /// An auth guard that asks who has an API key or a login, and allows each `limit`.
    pub fn new(keys: Arc<dyn Authenticator>, logins: Arc<dyn Authenticator>, limit: RateLimit) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let limiter = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Self { keys, logins, limiter, limit, answering: Answering::default() }
    }

    /// Forgets callers that have been quiet; called by a timer, or the map would only grow.
    pub fn forget_quiet_keys(&self) {
        self.limiter.retain_recent();
    }

    async fn admit(&self, request: &ServiceRequest) -> ApiResult<Admitted> {
        let refused = |sentence| ApiError::new(Code::Unauthenticated, sentence);
        let (authenticator, secret, worthless) = match (key_of(request), login::secret_of(request.request())) {
            (Some(key), _) => (&self.keys, key.to_owned(), "The API key is wrong, expired or revoked"),
            (None, Some(secret)) => (&self.logins, secret.to_owned(), "The login is over; log in again"),
            (None, None) => return Err(refused("Send Authorization: Bearer <API key>")),
        };
        let principal = authenticator.authenticate(&secret).await?.ok_or_else(|| refused(worthless))?;
        if matches!(principal.actor, Actor::Operator(_)) {
            login::require_our_page(request, &secret)?;
        }
        Ok(Admitted { authenticator: Arc::clone(authenticator), secret, principal })
    }

    fn count(&self, caller: CallerId) -> ApiResult<u32> {
        self.limiter.check_key(&caller).map(|state| state.remaining_burst_capacity()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            ApiError::new(Code::TooManyRequests, "Too many requests with this API key or login")
                .retry_after(wait.as_secs() + 1)
        })
    }
}

/// A caller who got in.
struct Admitted {
    authenticator: Arc<dyn Authenticator>,
    secret: String,
    principal: Principal,
}

fn key_of(request: &ServiceRequest) -> Option<&str> {
    bearer(request).or_else(|| offered(request))
}

fn bearer(request: &ServiceRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Browsers can say nothing else when they open a WebSocket, so there the last sub-protocol may be the key.
fn offered(request: &ServiceRequest) -> Option<&str> {
    let offer = request.headers().get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offer.rsplit(',').next().map(str::trim)
}

/// Admits callers to `/v1.1`: authentication, the rate limit, then idempotency keys.
pub async fn guard<B: MessageBody + 'static>(
    keeper: web::Data<AuthGuard>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::EitherBody<B>>, Error> {
    let admitted = match keeper.admit(&request).await {
        Ok(admitted) => keeper.count(admitted.principal.caller()).map(|remaining| (admitted, remaining)),
        Err(error) => Err(error),
    };
    let (Admitted { authenticator, secret, principal }, remaining) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return Ok(request.error_response(error).map_into_right_body()),
    };
    if let Err(error) = reach::keep_within(&request, &principal.reach).await {
        return Ok(request.error_response(error).map_into_right_body());
    }
    request.extensions_mut().insert(principal.clone());
    let validity = KeyValidity::new(authenticator, secret.clone(), principal.clone());
    request.extensions_mut().insert(validity);
    let mut response = idempotency::once(&keeper.answering, (principal, secret), request, next).await?;
    let headers = response.headers_mut();
    for (name, value) in
        [("ratelimit-limit", keeper.limit.burst.get()), ("ratelimit-remaining", remaining), ("ratelimit-reset", 1)]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    Ok(response)
}
