//! The portal's auth guard: how often an address may call, and who gets in: by an access token or, where a page asks what has no
//! headers, by its cookie.

use std::future::Future;
use std::pin::Pin;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};

use super::logins::Going;
use super::{Portal, cookie, logins};
use crate::http::audit::{self, ActorKind, Name, Noted, Who};
use crate::http::{ApiError, ApiResult, Code, Ctx, client_address, neighbourhood};
use crate::load::groups::{self, Group};
use crate::people::users;
use crate::store::error::optional;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{GroupId, HomeLoginId, OrganizationId, RawId, Timestamp, UserId};

/// Lets requests to the portal through, as long as their address does not send too many.
pub async fn guard<B: MessageBody + 'static>(
    portal: web::Data<Portal>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let address = neighbourhood(client_address(request.request()));
    match portal.limiter.count(address) {
        Ok(()) => Ok(audit::during(request, |request| next.call(request)).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

/// A home user who came in with an access token, whose login still goes on.
#[derive(Debug, Clone, Copy)]
pub struct HomeCaller {
    /// Whose customer.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// When the user was first invited: what was over before is somebody else's.
    pub invited_at: Timestamp,
    pub(super) login: HomeLoginId,
}

impl HomeCaller {
    const fn new(login: HomeLoginId, of: Going) -> Self {
        let Going { organization, user, invited_at, .. } = of;
        Self { organization, user, invited_at, login }
    }

    /// The group, where it is this user's: anybody else's does not exist.
    pub fn group(&self, conn: &mut Conn, id: GroupId) -> ApiResult<Group> {
        match groups::find_group(conn, self.organization, id) {
            Ok(group) if group.user_id == Some(self.user) => Ok(group),
            Ok(_) | Err(StoreError::NotFound) => Err(ApiError::not_found("group")),
            Err(error) => Err(error.into()),
        }
    }
}

impl FromRequest for HomeCaller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { noted(&request, admit(&request).await?) })
    }
}

/// A home user who came in so, or by the cookie of the login: for what a page asks without headers of its own, and for leaving
/// when the access token is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct CookieCaller(pub HomeCaller);

impl FromRequest for CookieCaller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let known = match admit(&request).await? {
                Some(caller) => Some(caller),
                None => admit_by_cookie(&request).await?,
            };
            noted(&request, known).map(Self)
        })
    }
}

/// A home user who is known, noted for the audit.
fn noted(request: &HttpRequest, known: Option<HomeCaller>) -> ApiResult<HomeCaller> {
    let caller = known.ok_or_else(refused)?;
    Noted::of(request).note(|| who(caller.organization, caller.user));
    Ok(caller)
}

/// A home user as the audit has them.
pub(super) fn who(organization: OrganizationId, user: UserId) -> Who {
    Who { organization, kind: ActorKind::HomeUser, id: user.raw(), name: Name::Of(name_of) }
}

fn name_of(conn: &mut Conn, organization: OrganizationId, user: RawId) -> StoreResult<String> {
    let found = optional(users::find(conn, organization, user.into()))?;
    Ok(found.map(|user| format!("{} {}", user.firstname, user.lastname)).unwrap_or_default())
}

fn refused() -> ApiError {
    let message = "Send Authorization: Bearer <access token>, one that has not expired";
    ApiError::new(Code::Unauthenticated, message)
}

fn shared(request: &HttpRequest) -> ApiResult<(&web::Data<Portal>, &Ctx)> {
    let shared = request.app_data::<web::Data<Portal>>().zip(request.app_data::<Ctx>());
    shared.ok_or_else(|| ApiError::new(Code::Internal, "no portal or no context"))
}

async fn admit_by_cookie(request: &HttpRequest) -> ApiResult<Option<HomeCaller>> {
    let (portal, ctx) = shared(request)?;
    let Some(token) = cookie::kept(request, portal)? else {
        return Ok(None);
    };
    let now = ctx.clock.now();
    let found = ctx.db.read(move |conn| logins::find_by_refresh(conn, &token, now)).await?;
    Ok(found.map(|(login, of)| HomeCaller::new(login, of)))
}

async fn admit(request: &HttpRequest) -> ApiResult<Option<HomeCaller>> {
    let (portal, ctx) = shared(request)?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let now = ctx.clock.now();
    let Some(claims) = token.and_then(|token| portal.signer.read(token, now)) else {
        return Ok(None);
    };
    let login = claims.login;
    let found = ctx.db.read(move |conn| logins::find(conn, login, now));
    let found = found.await?;
    let found = found.filter(|of| of.organization == claims.org && of.user == claims.sub);
    Ok(found.map(|of| HomeCaller::new(login, of)))
}
