//! How drivers come in: by a link in an e-mail. Nothing here shows whether an address is known: the answers are the same, and so is
//! the work, since an address is looked up when its e-mail is written.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;

use super::super::account::{self, Account, Anybody};
use super::super::{DriverAccess, logins};
use crate::home::portal::Notices;
use crate::http::audit::Noted;
use crate::http::docs::{DriverAccountErrors, DriverLinkErrors, DriverLoginErrors, DriverLogoutErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::origin::require_own_origin;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, Ctx, client_address};
use crate::input;
use crate::people::organizations::{self, PublicOrganization};
use crate::people::users::Email;
use crate::store::{Conn, StoreResult};
use kernel::UserId;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(request_driver_login).service(log_driver_in).service(get_driver_account).service(log_driver_out);
}

input! {
    /// Who wants to log in.
    #[schema(example = json!({"email": "ada@example.com"}))]
    pub(crate) struct DriverLoginRequest {
        /// The address that an operator has of the driver.
        pub email: Email,
    }
}

/// What is said to somebody who wants to log in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DriverLoginReply {
    /// The address, as it was read.
    #[schema(example = "ada@example.com")]
    email: String,
}

/// Asks for an e-mail with a link to log in by.
///
/// The answer is always the same; whoever is an active user of an organization with this address gets an e-mail, at most three an
/// hour. The link works once, within 15 minutes, and the next one replaces it. A network address may ask thirty times an hour. 409
/// where the server sends no e-mails.
#[utoipa::path(tag = "driver", security(()), request_body = DriverLoginRequest,
    responses((status = ACCEPTED, body = Reply<DriverLoginReply>), DriverLoginErrors))]
#[post("/login")]
async fn request_driver_login(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    Body(DriverLoginRequest { email }): Body<DriverLoginRequest>,
) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    let moment = ctx.moment();
    let without = || ApiError::conflict("This server sends no e-mails, so drivers cannot log in; charge with a card");
    let notices = access.notices.as_ref().ok_or_else(without)?;
    access.attempts.take_login(client_address(&request), moment.now).map_err(|until| {
        let message = "Too many e-mails were asked for from this network; wait, or charge with a card";
        ApiError::new(Code::TooManyRequests, message).retry_after(until.since(moment.now).as_secs() + 1)
    })?;
    let email = String::from(email);
    let address = email.clone();
    ctx.db.write(move |conn| Notices::queue_driver_login(conn, &address, &moment)).await?;
    notices.notify();
    let message = "If the address is known, an e-mail is on its way";
    Ok(reply(StatusCode::ACCEPTED, message, DriverLoginReply { email }))
}

/// The driver as an organization has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DriverMembership {
    /// The organization.
    organization: PublicOrganization,
    /// The driver's user there.
    user: UserId,
    /// What it calls the driver.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Whether the driver also sees its stations that are not visible.
    private_group: bool,
}

/// A driver who is logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DriverAccount {
    /// What the driver is called.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// The address that the login proved.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Where the driver is an active user.
    organizations: Vec<DriverMembership>,
}

impl DriverAccount {
    fn read(conn: &mut Conn, account: &Account) -> StoreResult<Self> {
        let mut memberships = Vec::new();
        for user in account.users() {
            memberships.push(DriverMembership {
                organization: organizations::find_organization(conn, user.organization_id)?.into(),
                user: user.id,
                name: account::name_of(user),
                private_group: user.private_group,
            });
        }
        Ok(Self { name: account::name_of(&account.first), email: account.email.clone(), organizations: memberships })
    }
}

/// An answer that no cache may keep.
fn uncached(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Logs in by the link in the e-mail, which works once.
///
/// The answer sets the cookie `evenwatt_driver`, which is good for 30 days below `/v1.1/driver` and for nothing else. The login is that
/// of every active user with the address, in all organizations; it opens what they may at the time of each request.
#[utoipa::path(tag = "driver", security(()),
    params(("login_token" = String, Path, description = "From the link in the e-mail")),
    responses((status = OK, body = Reply<DriverAccount>), DriverLinkErrors))]
#[post("/login/{login_token}")]
async fn log_driver_in(request: HttpRequest, ctx: Ctx, token: web::Path<String>) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    let (moment, secret, before) = (ctx.moment(), token.into_inner(), account::secret_of(&request));
    let noted = Noted::of(&request);
    let worthless = || ApiError::not_found("link; it is unknown, was used, or has expired");
    let begun = ctx.db.write(move |conn| {
        let email = logins::take_link(conn, &secret, moment.now)?.ok_or_else(worthless)?;
        let account = Account::of_address(conn, email)?.ok_or_else(worthless)?;
        account::note(&noted, &account.first);
        if let Some(before) = &before {
            logins::end(conn, before)?;
        }
        let secret = logins::begin(conn, &account.email, &moment)?;
        Ok::<_, ApiError>((secret, DriverAccount::read(conn, &account)?))
    });
    let (secret, view) = begun.await?;
    let mut response = uncached(reply(StatusCode::OK, "Welcome", view));
    account::keep(&mut response, &request, &secret);
    Ok(response)
}

/// Reads who is logged in: the driver, and where the driver is a user. 204: nobody.
#[utoipa::path(tag = "driver", security(()),
    responses((status = OK, body = Reply<DriverAccount>), (status = NO_CONTENT, description = "Nobody is logged in"),
        DriverAccountErrors))]
#[get("/account")]
async fn get_driver_account(request: HttpRequest, ctx: Ctx, Anybody(known): Anybody) -> ApiResult<HttpResponse> {
    let Some(account) = known else {
        let mut response = uncached(HttpResponse::NoContent().finish());
        if account::secret_of(&request).is_some() {
            account::forget(&mut response, &request);
        }
        return Ok(response);
    };
    let view = ctx.db.read(move |conn| DriverAccount::read(conn, &account)).await?;
    Ok(uncached(reply(StatusCode::OK, "Found", view)))
}

/// What ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DriverLogout {
    /// Whether somebody was logged in at this browser.
    ended: bool,
}

/// Ends the login of this browser; its cookie is forgotten.
#[utoipa::path(tag = "driver", security(()), responses((status = OK, body = Reply<DriverLogout>), DriverLogoutErrors))]
#[post("/logout")]
async fn log_driver_out(request: HttpRequest, ctx: Ctx, Anybody(known): Anybody) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    if let Some(secret) = account::secret_of(&request) {
        if let Some(account) = &known {
            account::note(&Noted::of(&request), &account.first);
        }
        ctx.db.write(move |conn| logins::end(conn, &secret)).await?;
    }
    let mut response = uncached(reply(StatusCode::OK, "Logged out", DriverLogout { ended: known.is_some() }));
    account::forget(&mut response, &request);
    Ok(response)
}
