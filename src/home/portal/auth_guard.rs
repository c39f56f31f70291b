//! The portal's auth guard: how often an address may call, and who gets in.

use std::future::Future;
use std::pin::Pin;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};

use super::{Portal, logins};
use crate::http::{ApiError, ApiResult, Code, Ctx, client_address, neighbourhood};
use kernel::{HomeLoginId, OrganizationId, UserId};

/// Lets requests to the portal through, as long as their address does not send too many.
pub async fn guard<B: MessageBody + 'static>(
    portal: web::Data<Portal>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let address = neighbourhood(client_address(request.request()));
    match portal.limiter.count(address) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

/// A home user who came in with an access token, whose login still goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct HomeCaller {
    pub organization: OrganizationId,
    pub user: UserId,
    pub login: HomeLoginId,
}

impl FromRequest for HomeCaller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { admit(&request).await.and_then(|caller| caller.ok_or_else(refused)) })
    }
}

fn refused() -> ApiError {
    let message = "Send Authorization: Bearer <access token>, one that has not expired";
    ApiError::new(Code::Unauthenticated, message)
}

async fn admit(request: &HttpRequest) -> ApiResult<Option<HomeCaller>> {
    let shared = request.app_data::<web::Data<Portal>>().zip(request.app_data::<Ctx>());
    let (portal, ctx) = shared.ok_or_else(|| ApiError::new(Code::Internal, "no portal or no context"))?;
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
    Ok(found
        .filter(|(organization, user, _)| *organization == claims.org && *user == claims.sub)
        .map(|(organization, user, _)| HomeCaller { organization, user, login }))
}
