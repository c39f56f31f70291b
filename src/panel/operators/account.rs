//! The own account of somebody who is logged in.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, put, web};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use super::accounts::Accounts;
use super::come_in::{locked, wrong_code};
use super::logged_in::LoggedIn;
use super::model::*;
use super::role::Role;
use super::{api, logins, second_factor, store};
use crate::events::EventKind;
use crate::home::portal::{Attempt, Guesser};
use crate::http::docs::{AccountErrors, OwnErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, client_address, login};
use crate::people::organizations::Organization;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Where the picture of a second factor is.
const PICTURE: &str = "/v1.1/account/totp/qr.svg";

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_account)
        .service(update_account)
        .service(log_operator_out)
        .service(choose_organization)
        .service(change_password)
        .service(begin_second_factor)
        .service(get_picture)
        .service(confirm_second_factor)
        .service(end_second_factor);
}

/// The person who is logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PersonView {
    /// The id of what the person is in this organization.
    #[serde(rename = "_id")]
    id: OperatorId,
    /// The address to log in with.
    email: String,
    /// What the person is called.
    name: String,
    /// In which language the pages are; null: the browser's.
    language: Option<String>,
    /// Admin, Operator or Viewer.
    role: Role,
    /// The locations that the person works at; null: everywhere.
    locations: Option<Vec<LocationId>>,
    /// Whether logging in needs a code of a second factor.
    totp: bool,
}

/// The organization of a login.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NamedOrganization {
    /// Its id.
    #[serde(rename = "_id")]
    id: OrganizationId,
    /// What it is called.
    name: String,
    /// Where its logo is, on this server; null without one.
    #[schema(example = "/v1.1/organizations/650000000000000000000001/logo?v=9f86d081884c7d65")]
    logo: Option<String>,
}

/// An organization in which the person works.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Workplace {
    /// Its id.
    #[serde(rename = "_id")]
    id: OrganizationId,
    /// What it is called.
    name: String,
    /// Admin, Operator or Viewer.
    role: Role,
}

/// Who is logged in, and what they may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AccountView {
    /// The person.
    operator: PersonView,
    /// The organization that the login is for.
    organization: NamedOrganization,
    /// All in which the person works.
    organizations: Vec<Workplace>,
    /// Whether the person administers this installation: `GET /v1.1/organizations`, new ones, joining them.
    installation_admin: bool,
    /// The scopes of the role: `read:groups`, …, or `*` for everything.
    scopes: Vec<String>,
    /// For the header `X-CSRF-Token` of requests that change something.
    csrf_token: String,
}

impl AccountView {
    pub(super) fn new(account: &Account, here: &Operator, all: &[(Operator, Organization)], secret: &str) -> Self {
        let own = all.iter().find(|(operator, _)| operator.id == here.id).map(|(_, own)| own);
        Self {
            operator: PersonView {
                id: here.id,
                email: account.email.clone().unwrap_or_default(),
                name: account.name.clone(),
                language: account.language.clone(),
                role: here.role,
                locations: here.reach().locations().map(<[LocationId]>::to_vec),
                totp: account.has_second_factor(),
            },
            organization: NamedOrganization {
                id: here.organization_id,
                name: own.map(|own| own.name.clone()).unwrap_or_default(),
                logo: own.and_then(Organization::logo),
            },
            installation_admin: account.installation_admin,
            organizations: all
                .iter()
                .map(|(operator, organization)| Workplace {
                    id: operator.organization_id,
                    name: organization.name.clone(),
                    role: operator.role,
                })
                .collect(),
            scopes: here.scopes().iter().cloned().collect(),
            csrf_token: login::csrf_token(secret),
        }
    }

    fn read(conn: &mut Conn, account: &Account, here: &Operator, secret: &str) -> StoreResult<Self> {
        Ok(Self::new(account, here, &store::of_account(conn, account.id)?, secret))
    }
}

/// An answer that is for this reader only.
fn answer(message: &str, result: impl Serialize) -> HttpResponse {
    let mut response = reply(StatusCode::OK, message, result);
    response.headers_mut().insert(CACHE_CONTROL, actix_web::http::header::HeaderValue::from_static("no-store"));
    response
}

/// Changes the account of who is logged in, as `change` says, and answers what it is then.
async fn change_account(
    caller: LoggedIn,
    accounts: &web::Data<Accounts>,
    kind: EventKind,
    change: impl Fn(&mut Conn, &mut Account, Timestamp) -> ApiResult<()> + Send + 'static,
) -> ApiResult<HttpResponse> {
    let (LoggedIn { login, secret }, moment) = (caller, accounts.context.moment());
    let changed = accounts.context.db.write(move |conn| {
        let mut account = store::find_account(conn, login.account.id)?;
        change(conn, &mut account, moment.now)?;
        account.updated_at = moment.version_after(account.updated_at);
        store::update_account(conn, &account)?;
        api::record_everywhere(conn, &moment, &account, kind)?;
        Ok::<_, ApiError>(AccountView::read(conn, &account, &login.operator, &secret)?)
    });
    let view = changed.await?;
    accounts.changed();
    Ok(answer("Changed", view))
}

/// Counts a try of a password or a code by somebody who has the cookie, perhaps stolen; too many are refused.
async fn count_try(request: &HttpRequest, accounts: &Accounts, account: AccountId) -> ApiResult<Guesser> {
    let guesser = Guesser::of_operator(&account.to_string(), client_address(request));
    let (counting, now) = (guesser.clone(), accounts.context.clock.now());
    match accounts.context.db.write(move |conn| counting.take(conn, now)).await? {
        Attempt::Allowed => Ok(guesser),
        Attempt::Locked { until } => Err(locked(until, now)),
    }
}

/// Reads who is logged in.
#[utoipa::path(tag = "accounts", security(("cookie" = [])),
    responses((status = OK, body = Reply<AccountView>), OwnErrors))]
#[get("")]
async fn get_account(caller: LoggedIn, accounts: web::Data<Accounts>) -> ApiResult<HttpResponse> {
    let LoggedIn { login, secret } = caller;
    let read = accounts.context.db.read(move |conn| AccountView::read(conn, &login.account, &login.operator, &secret));
    Ok(answer("Found", read.await?))
}

/// Changes the own account (JSON merge patch).
#[utoipa::path(tag = "accounts", security(("cookie" = [])), request_body = AccountPatch,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[patch("")]
async fn update_account(
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
    Body(AccountPatch { name, language }): Body<AccountPatch>,
) -> ApiResult<HttpResponse> {
    if name == Patch::Null {
        return Err(ApiError::field("name", "required", "cannot be null"));
    }
    change_account(caller, &accounts, EventKind::OperatorUpdated, move |_, account, _| {
        if let Some(name) = name.value() {
            account.name = name.clone().into();
        }
        language.clone().map(String::from).apply(&mut account.language);
        Ok(())
    })
    .await
}

/// What ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LogoutView {
    /// Whether the login is over: always true.
    #[schema(example = true)]
    ended: bool,
}

/// Ends this login.
#[utoipa::path(tag = "accounts", security(("cookie" = [])), responses((status = OK, body = Reply<LogoutView>), OwnErrors))]
#[post("/logout")]
async fn log_operator_out(
    request: HttpRequest,
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
) -> ApiResult<HttpResponse> {
    let id = caller.login.id;
    accounts.context.db.write(move |conn| logins::end(conn, id)).await?;
    accounts.changed();
    let mut response = answer("Logged out", LogoutView { ended: true });
    login::set(&mut response, &request, "", Duration::ZERO);
    Ok(response)
}

/// Makes the login one for another organization of the account.
#[utoipa::path(tag = "accounts", security(("cookie" = [])), request_body = OrganizationChoice,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[put("/organization")]
async fn choose_organization(
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
    Body(OrganizationChoice { organization }): Body<OrganizationChoice>,
) -> ApiResult<HttpResponse> {
    let LoggedIn { login, secret } = caller;
    let changed = accounts.context.db.write(move |conn| {
        let mine = store::of_account(conn, login.account.id)?;
        let chosen = mine.iter().find(|(operator, _)| operator.organization_id == organization);
        let foreign = || ApiError::field("organization", "not_found", "is none of the account's organizations");
        let (chosen, _) = chosen.ok_or_else(foreign)?;
        logins::move_to(conn, login.id, chosen.id)?;
        Ok::<_, ApiError>(AccountView::new(&login.account, chosen, &mine, &secret))
    });
    let view = changed.await?;
    accounts.changed();
    Ok(answer("Changed", view))
}

/// Chooses another password; all other logins end.
#[utoipa::path(tag = "accounts", security(("cookie" = [])), request_body = PasswordChange,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/password")]
async fn change_password(
    request: HttpRequest,
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
    Body(PasswordChange { current_password, new_password }): Body<PasswordChange>,
) -> ApiResult<HttpResponse> {
    let (login, known) = (caller.login.id, caller.login.account.password_hash.clone());
    let guesser = count_try(&request, &accounts, caller.login.account.id).await?;
    if !accounts.hasher.matches(current_password, known).await? {
        return Err(ApiError::field("current_password", "invalid", "is not the password until now"));
    }
    let hash = accounts.hasher.hash(new_password).await?;
    change_account(caller, &accounts, EventKind::OperatorPasswordReset, move |conn, account, now| {
        guesser.prove(conn, now)?;
        account.password_hash = Some(hash.clone());
        Ok(logins::end_others(conn, account.id, Some(login))?)
    })
    .await
}

/// What an app needs to make codes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SecondFactorView {
    /// To be typed into the app (Base32).
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// A picture to be read by the app.
    #[schema(example = "/v1.1/account/totp/qr.svg")]
    qr_svg_url: &'static str,
}

/// Begins to set up a second factor (TOTP).
///
/// It is asked for once a code of the app was sent to `…/totp/confirm`.
#[utoipa::path(tag = "accounts", security(("cookie" = [])),
    responses((status = OK, body = Reply<SecondFactorView>), AccountErrors))]
#[post("/totp")]
async fn begin_second_factor(caller: LoggedIn, accounts: web::Data<Accounts>) -> ApiResult<HttpResponse> {
    let (id, secret, shared) = (caller.login.account.id, second_factor::draw(), accounts.clone());
    let shown = secret.clone();
    let begun = accounts.context.db.write(move |conn| {
        let mut account = store::find_account(conn, id)?;
        if account.has_second_factor() {
            return Err(ApiError::conflict("There is a second factor; take it away first"));
        }
        account.totp_secret = Some(second_factor::seal(&shared.seal, &account, &secret)?);
        store::update_account(conn, &account)?;
        Ok::<_, ApiError>(())
    });
    begun.await?;
    Ok(answer("Changed", SecondFactorView { secret: shown, qr_svg_url: PICTURE }))
}

/// Shows a second factor that is being set up, as a picture for the app.
#[utoipa::path(tag = "accounts", security(("cookie" = [])),
    responses((status = OK, content_type = "image/svg+xml", body = String, description = "A QR code"), OwnErrors))]
#[get("/totp/qr.svg")]
async fn get_picture(caller: LoggedIn, accounts: web::Data<Accounts>) -> ApiResult<HttpResponse> {
    let account = caller.login.account;
    let waiting = (!account.totp_confirmed).then(|| second_factor::url(&accounts.seal, &account)).flatten();
    let url = waiting.ok_or_else(|| ApiError::not_found("second factor that is being set up"))?;
    let code = QrCode::new(url).map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let picture = code.render::<svg::Color>().min_dimensions(240, 240).build();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "image/svg+xml"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(picture))
}

/// Confirms the second factor by a code of the app; from then on it is asked for.
#[utoipa::path(tag = "accounts", security(("cookie" = [])), request_body = Confirmation,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/totp/confirm")]
async fn confirm_second_factor(
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
    Body(Confirmation { code }): Body<Confirmation>,
) -> ApiResult<HttpResponse> {
    let (login, shared) = (caller.login.id, accounts.clone());
    change_account(caller, &accounts, EventKind::OperatorUpdated, move |conn, account, now| {
        if account.totp_secret.is_none() || account.totp_confirmed {
            return Err(ApiError::conflict("No second factor is being set up; begin with POST /v1.1/account/totp"));
        }
        let wrong = || ApiError::field("code", "invalid", "is not the code that the app shows now");
        account.totp_step = second_factor::step(&shared.seal, account, &code, now).ok_or_else(wrong)?;
        account.totp_confirmed = true;
        Ok(logins::end_others(conn, account.id, Some(login))?)
    })
    .await
}

/// Takes the second factor away; it needs a code of it.
#[utoipa::path(tag = "accounts", security(("cookie" = [])), request_body = Confirmation,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/totp/end")]
async fn end_second_factor(
    request: HttpRequest,
    caller: LoggedIn,
    accounts: web::Data<Accounts>,
    Body(Confirmation { code }): Body<Confirmation>,
) -> ApiResult<HttpResponse> {
    let guesser = count_try(&request, &accounts, caller.login.account.id).await?;
    let shared = accounts.clone();
    change_account(caller, &accounts, EventKind::OperatorUpdated, move |conn, account, now| {
        if !account.has_second_factor() {
            return Err(ApiError::conflict("There is no second factor"));
        }
        let step = second_factor::step(&shared.seal, account, &code, now).ok_or_else(wrong_code)?;
        if !store::use_step(conn, account.id, step)? {
            return Err(wrong_code());
        }
        guesser.prove(conn, now)?;
        account.totp_step = step;
        account.take_second_factor();
        Ok(())
    })
    .await
}
