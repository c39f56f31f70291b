//! How home users come in: invitations, passwords, logins and their tokens.
//!
//! A page of the portal gets its refresh token as a cookie, which no script can read; any other client finds it in the body.
//!
//! Nothing here shows whether an address is known: the answers are the same, and so is the work. A wrong address costs a
//! hash as a wrong password does, and a forgotten password is looked up when its e-mail is written.

use std::net::IpAddr;

use actix_web::ResponseError as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, post, web};

use super::super::Portal;
use super::super::attempts::{Attempt, Guesser};
use super::super::auth_guard::{CookieCaller, who};
use super::super::cookie::{self, is_page};
use super::super::emails::{self, EmailKind};
use super::super::logins::{self, Carrier, Continued, Refreshed};
use super::super::model::{HomeUser, Login, NewPassword, Refresh, ResetRequest, Tokens};
use super::super::store::{self, Purpose};
use super::record_event;
use crate::events::EventKind;
use crate::http::audit::Noted;
use crate::http::client_address;
use crate::http::docs::{HomeErrors, PortalErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, Ctx};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::Timestamp;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(accept_invitation)
        .service(log_in)
        .service(refresh_login)
        .service(request_password_reset)
        .service(reset_password)
        .service(log_out)
        .service(log_out_everywhere);
}

impl Portal {
    fn tokens(&self, continued: Continued, now: Timestamp) -> ApiResult<Tokens> {
        let Continued { organization, user, login, expires_at, refresh } = continued;
        Ok(Tokens {
            access_token: self.signer.sign((organization, user, login), now)?,
            token_type: "Bearer",
            expires_in: self.signer.lifetime.as_secs(),
            refresh_token: refresh,
            login_expires_at: expires_at,
        })
    }
}

/// The answer to a login that begins or goes on, which no cache may keep. `by_cookie`: whoever asks keeps its token there.
fn answer(
    (request, portal): (&HttpRequest, &Portal),
    by_cookie: bool,
    continued: Continued,
    now: Timestamp,
) -> ApiResult<HttpResponse> {
    let ends = continued.expires_at;
    let mut tokens = portal.tokens(continued, now)?;
    let kept = if by_cookie { tokens.refresh_token.take() } else { None };
    let mut response = reply(StatusCode::OK, "Welcome", tokens);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(token) = kept {
        cookie::keep(&mut response, request, &token, (now, ends));
    }
    Ok(response)
}

/// Accepts an invitation: chooses the password and logs in. The link in the e-mail works once.
#[utoipa::path(tag = "portal", security(()), params(("token" = String, Path, description = "From the link in the e-mail")),
    request_body = NewPassword, responses((status = OK, body = Reply<Tokens>), PortalErrors))]
#[post("/invitations/{token}/accept")]
async fn accept_invitation(
    request: HttpRequest,
    ctx: Ctx,
    portal: web::Data<Portal>,
    token: web::Path<String>,
    Body(new): Body<NewPassword>,
) -> ApiResult<HttpResponse> {
    let link = (token.into_inner(), Purpose::Invitation);
    choose_password(&request, (&ctx, &portal), link, new).await
}

/// Chooses another password and logs in; all other logins end. The link in the e-mail works once.
#[utoipa::path(tag = "portal", security(()), params(("reset_token" = String, Path, description = "From the link in the e-mail")),
    request_body = NewPassword, responses((status = OK, body = Reply<Tokens>), PortalErrors))]
#[post("/password_reset/{reset_token}")]
async fn reset_password(
    request: HttpRequest,
    ctx: Ctx,
    portal: web::Data<Portal>,
    token: web::Path<String>,
    Body(new): Body<NewPassword>,
) -> ApiResult<HttpResponse> {
    let link = (token.into_inner(), Purpose::PasswordReset);
    choose_password(&request, (&ctx, &portal), link, new).await
}

async fn choose_password(
    request: &HttpRequest,
    (ctx, portal): (&Ctx, &Portal),
    (secret, purpose): (String, Purpose),
    new: NewPassword,
) -> ApiResult<HttpResponse> {
    let from = client_address(request);
    let worthless = || ApiError::not_found("link; it is unknown, was used, or has expired");
    let (moment, lasts, looked_up) = (ctx.moment(), portal.login, secret.clone());
    let now = moment.now;
    // A link that is no good is not worth a hash; whoever has a good one is no stranger.
    let found = ctx.db.read(move |conn| store::find_link(conn, &looked_up, purpose, now));
    found.await?.ok_or_else(worthless)?;
    let hash = portal.hasher.hash(new.password).await?;
    let noted = Noted::of(request);
    let begun = ctx.db.write(move |conn| {
        let found = store::find_link(conn, &secret, purpose, now)?;
        let (mut home, user) = found.ok_or_else(worthless)?;
        if store::drop_links(conn, user.id)? == 0 {
            return Err(worthless()); // somebody else was using it at the same time
        }
        logins::end_all(conn, user.id)?;
        home.password_hash = Some(hash.clone());
        home.accepted_at = home.accepted_at.or(Some(now));
        home.updated_at = moment.version_after(home.updated_at);
        store::update(conn, &home)?;
        if let Some(email) = &user.email {
            prove(conn, email, &home, from, now)?;
        }
        let kind = match purpose {
            Purpose::Invitation => EventKind::HomeUserAccepted,
            Purpose::PasswordReset => EventKind::HomeUserPasswordReset,
        };
        let whom = (home.organization_id, user.id);
        noted.note(|| who(whom.0, whom.1));
        record_event(conn, &moment, (&home, &user), kind)?;
        Ok::<_, ApiError>(logins::begin(conn, &moment, whom, lasts)?)
    });
    answer((request, portal), is_page(request, portal), begun.await?, now)
}

/// Forgets wrong passwords of somebody who had the e-mail: at this operator, and without a name of one where that is meant.
fn prove(conn: &mut Conn, email: &str, home: &HomeUser, from: IpAddr, now: Timestamp) -> StoreResult<()> {
    Guesser::new(Some(home.organization_id), email, from).prove(conn, now)?;
    let meant = store::find_by_email(conn, email, None)?;
    if meant.is_some_and(|meant| meant.id == home.id) {
        Guesser::new(None, email, from).prove(conn, now)?;
    }
    Ok(())
}

/// Logs in. After five wrong passwords for an account, the network address they came from is locked for a minute, then for
/// longer and longer (429); so are all addresses that the account does not know after fifty in an hour.
#[utoipa::path(tag = "portal", security(()), request_body = Login,
    responses((status = OK, body = Reply<Tokens>), PortalErrors))]
#[post("/login")]
async fn log_in(
    request: HttpRequest,
    ctx: Ctx,
    portal: web::Data<Portal>,
    Body(given): Body<Login>,
) -> ApiResult<HttpResponse> {
    let moment = ctx.moment();
    let (now, lasts) = (moment.now, portal.login);
    let (email, organization) = (String::from(given.email), given.organization);
    let guesser = Guesser::new(organization, &email, client_address(&request));
    let counting = guesser.clone();
    // Counted before it is judged: guesses that come at the same time are counted, too.
    let counted = ctx.db.write(move |conn| {
        let attempt = counting.take(conn, now)?;
        Ok::<_, StoreError>(match attempt {
            Attempt::Locked { until } => Err(until),
            Attempt::Allowed => Ok(store::find_by_email(conn, &email, organization)?),
        })
    });
    let home = counted.await?.map_err(|until| locked(until, now))?;
    let hash = home.as_ref().and_then(|home| home.password_hash.clone());
    let right = portal.hasher.matches(given.password, hash).await?;
    let Some(home) = home.filter(|_| right) else {
        return Err(ApiError::new(Code::LoginFailed, Code::LoginFailed.meaning()));
    };
    let noted = Noted::of(&request);
    let begun = ctx.db.write(move |conn| -> StoreResult<_> {
        guesser.prove(conn, now)?;
        noted.note(|| who(home.organization_id, home.id));
        logins::begin(conn, &moment, (home.organization_id, home.id), lasts)
    });
    answer((&request, &portal), is_page(&request, &portal), begun.await?, now)
}

fn locked(until: Timestamp, now: Timestamp) -> ApiError {
    let message = "Too many wrong passwords for this address; wait, or choose another password";
    ApiError::new(Code::TooManyRequests, message).retry_after(until.since(now).as_secs() + 1)
}

/// Continues a login: a new access token and the next refresh token.
///
/// Each refresh token works once; when one comes a second time, somebody else has it, and the login ends. A page of the portal sends
/// `{}`: its token is the cookie `evenwatt_portal`, and so is the next one. Two of its tabs may send the same cookie within 30
/// seconds. The answer to a page that has no cookie is 204: nobody is logged in.
#[utoipa::path(tag = "portal", security(()), request_body = Refresh,
    responses((status = OK, body = Reply<Tokens>),
        (status = NO_CONTENT, description = "A page of the portal has no cookie: nobody is logged in"), PortalErrors))]
#[post("/refresh")]
async fn refresh_login(
    request: HttpRequest,
    ctx: Ctx,
    portal: web::Data<Portal>,
    Body(given): Body<Refresh>,
) -> ApiResult<HttpResponse> {
    let moment = ctx.moment();
    let now = moment.now;
    let (carrier, token) = match given.refresh_token {
        Some(token) => (Carrier::Body, token.to_string()),
        None => match cookie::kept(&request, &portal)? {
            Some(token) => (Carrier::Cookie, token),
            None if is_page(&request, &portal) => return Ok(HttpResponse::NoContent().finish()),
            None => return Err(ApiError::field("refresh_token", "required", "is required")),
        },
    };
    let refreshed = ctx.db.write(move |conn| -> StoreResult<_> {
        let refreshed = logins::refresh(conn, now, (carrier, &token))?;
        if let Refreshed::Reused { organization, user } = refreshed {
            let (home, user) = store::find(conn, organization, user)?;
            record_event(conn, &moment, (&home, &user), EventKind::HomeUserRefreshReused)?;
        }
        Ok(refreshed)
    });
    match refreshed.await? {
        Refreshed::Continued(continued) => answer((&request, &portal), carrier == Carrier::Cookie, continued, now),
        Refreshed::Reused { user, .. } => {
            tracing::warn!(%user, "a refresh token came twice; its login was ended");
            Ok(refresh_refused(&request, carrier))
        }
        Refreshed::Refused => Ok(refresh_refused(&request, carrier)),
    }
}

/// A cookie that opens nothing is not sent again.
fn refresh_refused(request: &HttpRequest, carrier: Carrier) -> HttpResponse {
    let message = "The refresh token is unknown, was used, or its login is over; log in again";
    let mut response = ApiError::new(Code::Unauthenticated, message).error_response();
    if carrier == Carrier::Cookie {
        cookie::forget(&mut response, request);
    }
    response
}

/// What is said to somebody who forgot the password.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct ResetReply {
    /// The address, as it was read.
    #[schema(example = "ada@example.com")]
    email: String,
}

/// Asks for another password. The answer is always the same; whoever has an account gets an e-mail with a link, at most three
/// an hour.
#[utoipa::path(tag = "portal", security(()), request_body = ResetRequest,
    responses((status = ACCEPTED, body = Reply<ResetReply>), PortalErrors))]
#[post("/password_reset")]
async fn request_password_reset(
    ctx: Ctx,
    portal: web::Data<Portal>,
    Body(request): Body<ResetRequest>,
) -> ApiResult<HttpResponse> {
    let moment = ctx.moment();
    let (email, organization) = (String::from(request.email), request.organization);
    let address = email.clone();
    if portal.mailer.is_some() {
        let queue = ctx.db.write(move |conn| {
            emails::queue_asked_for(conn, &moment, (&address, organization), EmailKind::PasswordReset)
        });
        queue.await?;
        portal.notify();
    } else {
        tracing::warn!("somebody asked for another password, but no mail server is configured");
    }
    let message = "If the address is known, an e-mail is on its way";
    Ok(reply(StatusCode::ACCEPTED, message, ResetReply { email }))
}

/// What ended.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct LogoutReply {
    /// Whether other logins of the user ended, too.
    everywhere: bool,
}

/// Ends this login: its access and refresh tokens stop working at once.
///
/// The cookie of a page is forgotten; it is also enough to end its login.
#[utoipa::path(tag = "portal", security(("portal" = [])),
    responses((status = OK, body = Reply<LogoutReply>), HomeErrors))]
#[post("/logout")]
async fn log_out(
    request: HttpRequest,
    CookieCaller(caller): CookieCaller,
    ctx: Ctx,
    portal: web::Data<Portal>,
) -> ApiResult<HttpResponse> {
    ctx.db.write(move |conn| logins::end(conn, caller.login)).await?;
    let mut response = reply(StatusCode::OK, "Logged out", LogoutReply { everywhere: false });
    if is_page(&request, &portal) {
        cookie::forget(&mut response, &request);
    }
    Ok(response)
}

/// Ends all logins of the user, on every device.
///
/// The cookie of a page is forgotten; it is also enough to end the logins.
#[utoipa::path(tag = "portal", security(("portal" = [])),
    responses((status = OK, body = Reply<LogoutReply>), HomeErrors))]
#[post("/logout_everywhere")]
async fn log_out_everywhere(
    request: HttpRequest,
    CookieCaller(caller): CookieCaller,
    ctx: Ctx,
    portal: web::Data<Portal>,
) -> ApiResult<HttpResponse> {
    ctx.db.write(move |conn| logins::end_all(conn, caller.user)).await?;
    let mut response = reply(StatusCode::OK, "Logged out everywhere", LogoutReply { everywhere: true });
    if is_page(&request, &portal) {
        cookie::forget(&mut response, &request);
    }
    Ok(response)
}
