//! The two steps of a login by OpenID Connect, as a browser makes them: to the provider, and back.
//!
//! A browser that comes back is led to the panel in any case: with the cookie of a login, or with a word that the login page explains.

use std::time::Duration;

use actix_web::cookie::SameSite;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse, get, web};
use kernel::Moment;
use kernel::spelled::Spelled as _;
use subtle::ConstantTimeEq;
use utoipa::IntoParams;

use super::id_token::Claims;
use super::provider::{ExchangeFault, Provider, Unavailable, printable};
use super::requests::{LASTS, Request};
use super::{Refusal, identities};
use crate::events::EventKind;
use crate::http::audit::Noted;
use crate::http::docs::LoginProviderErrors;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, cookies};
use crate::panel::operators::accounts::Accounts;
use crate::panel::operators::come_in::{PANEL, begin, set_cookie};
use crate::panel::operators::model::Account;
use crate::panel::operators::{api, links, store};
use crate::store::{Conn, StoreError, StoreFailure};

/// The cookie of a browser that is at a provider.
const COOKIE: &str = "evenwatt_oidc";

pub(in crate::panel::operators) fn routes(config: &mut ServiceConfig) {
    config.service(begin_oidc_login).service(end_oidc_login);
}

/// Where the steps of a provider are; also where its cookie goes, and no further.
fn path(provider: &str) -> String {
    format!("/v1.1/account/oidc/{provider}")
}

/// Where the provider sends the browser back to: its administrator enters this address.
fn back(accounts: &Accounts, provider: &str) -> String {
    format!("{}{}/callback", accounts.links.address(), path(provider))
}

/// Why a login ended before its end.
enum Stopped {
    /// The login page has a sentence for it.
    Refused(Refusal),
    /// The store failed.
    Failed(ApiError),
}

impl From<ApiError> for Stopped {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl StoreFailure for Stopped {
    fn store_failure(&self) -> Option<&StoreError> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(error) => error.store_failure(),
        }
    }
}

impl Stopped {
    /// What the login page has a sentence for.
    fn refusal(self, provider: &Provider) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Failed(error) => {
                tracing::error!(provider = provider.settings.id, %error, "a login by OpenID Connect was not stored");
                Refusal::Busy
            }
        }
    }
}

/// The provider cannot be used now; whoever runs the server finds out why.
fn unavailable(provider: &Provider, error: &Unavailable) -> Refusal {
    tracing::warn!(provider = provider.settings.id, %error, "a login provider cannot be used");
    Refusal::Unavailable
}

/// An answer that is for this browser only.
fn lead(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .finish()
}

/// To the login page, with the word.
fn refuse(refusal: Refusal) -> HttpResponse {
    lead(&format!("{PANEL}?login_error={}", refusal.as_str()))
}

fn keep(response: &mut HttpResponse, request: &HttpRequest, (provider, secret): (&Provider, &str), lasts: Duration) {
    let path = path(&provider.settings.id);
    cookies::set(response, request, (COOKIE, secret), (&path, SameSite::Lax), lasts);
}

fn find<'a>(accounts: &'a Accounts, id: &str) -> ApiResult<&'a Provider> {
    accounts.providers.find(id).ok_or_else(|| ApiError::not_found("login provider"))
}

/// Begins a login by OpenID Connect: leads to the provider.
///
/// `GET /v1.1/pages/config` lists the providers. The answer sets a cookie of ten minutes that binds the provider's answer to this browser.
/// Where the provider cannot be used, it leads to the login page instead.
#[utoipa::path(tag = "accounts", security(()), params(("provider" = String, Path, description = "Its id in the configuration")),
    responses((status = FOUND, description = "To the provider"), (status = SEE_OTHER, description = "To the login page"), LoginProviderErrors))]
#[get("/oidc/{provider}")]
async fn begin_oidc_login(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let provider = find(&accounts, &id)?;
    let clock = &accounts.context.clock;
    let metadata = match provider.metadata(clock).await {
        Ok(metadata) => metadata,
        Err(error) => return Ok(refuse(unavailable(provider, &error))),
    };
    let (made, id) = (Request::draw(), provider.settings.id.clone());
    let (stored, now) = (made.clone(), clock.now());
    accounts.context.db.write(move |conn| stored.insert(conn, &id, now)).await?;
    let url = metadata.destination(&provider.settings, &made, &back(&accounts, &provider.settings.id));
    let mut response = HttpResponse::Found()
        .insert_header((LOCATION, url.as_str()))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .finish();
    keep(&mut response, &request, (provider, made.secret()), LASTS);
    Ok(response)
}

/// What a provider sends back in the address; it may send more.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
struct Answer {
    /// What the ID token is had for.
    code: Option<String>,
    /// The state of the request.
    state: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

impl Answer {
    /// Reads the query; none where a word is there twice, which no provider does (RFC 6749, section 3.1).
    fn of(request: &HttpRequest) -> Option<Self> {
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
            let slot = match name.as_ref() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(answer)
    }
}

/// Ends a login by OpenID Connect: takes the browser back from the provider, and leads to the panel.
///
/// The first time, the account is found by the e-mail address that the provider has verified, and linked to the person there; later by the
/// person alone. Nobody comes in who was not invited. On success the answer sets the cookie of a login, else the address of the login page
/// has the reason in `login_error`.
#[utoipa::path(tag = "accounts", security(()), params(("provider" = String, Path, description = "Its id in the configuration"), Answer),
    responses((status = SEE_OTHER, description = "To the panel, with the cookie of the login, or to the login page"), LoginProviderErrors))]
#[get("/oidc/{provider}/callback")]
async fn end_oidc_login(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let provider = find(&accounts, &id)?;
    let answer = Answer::of(&request);
    let made = cookies::find(&request, COOKIE).map(Request::of);
    let is_meant = |answer: &Answer, made: &Request| {
        let state = answer.state.as_deref().unwrap_or_default();
        bool::from(state.as_bytes().ct_eq(made.state().as_bytes()))
    };
    // The answer to another browser, or to nobody: the cookie of a login that goes on is left alone.
    let Some((answer, made)) = answer.zip(made).filter(|(answer, made)| is_meant(answer, made)) else {
        return Ok(refuse(Refusal::Expired));
    };
    let mut response = match come_in(&request, &accounts, provider, (answer, made)).await {
        Ok(secret) => {
            accounts.changed();
            let mut response = lead(PANEL);
            set_cookie(&mut response, &request, &accounts, &secret);
            response
        }
        Err(stopped) => refuse(stopped.refusal(provider)),
    };
    keep(&mut response, &request, (provider, ""), Duration::ZERO);
    Ok(response)
}

/// Uses the request up, then the code, then begins a login: its secret.
async fn come_in(
    request: &HttpRequest,
    accounts: &web::Data<Accounts>,
    provider: &Provider,
    (answer, made): (Answer, Request),
) -> Result<String, Stopped> {
    let moment = accounts.context.moment();
    let (taking, id, now) = (made.clone(), provider.settings.id.clone(), moment.now);
    if !accounts.context.db.write(move |conn| taking.take(conn, &id, now)).await? {
        return Err(Stopped::Refused(Refusal::Expired));
    }
    let claims = ask(accounts, provider, (&answer, &made)).await.map_err(Stopped::Refused)?;
    let (shared, noted, issuer) = (accounts.clone(), Noted::of(request), provider.settings.issuer.clone());
    let begun = accounts.context.db.write(move |conn| {
        let account = whose(conn, &issuer, &claims, &moment)?;
        if store::of_account(conn, account.id)?.is_empty() {
            return Err(Stopped::Refused(Refusal::Disabled));
        }
        let (secret, _) = begin(conn, (&shared, &noted), &account, &moment)?;
        Ok(secret)
    });
    begun.await
}

/// Has the provider say who it is.
async fn ask(accounts: &Accounts, provider: &Provider, (answer, made): (&Answer, &Request)) -> Result<Claims, Refusal> {
    let clock = &accounts.context.clock;
    let log = |reason: &str| tracing::info!(provider = provider.settings.id, reason, "nobody was logged in");
    let metadata = provider.metadata(clock).await.map_err(|error| unavailable(provider, &error))?;
    let is_named = match &answer.iss {
        Some(issuer) => *issuer == provider.settings.issuer,
        None => !metadata.names_issuer,
    };
    if !is_named {
        log("the answer names another issuer, or none");
        return Err(Refusal::Invalid);
    }
    if let Some(error) = &answer.error {
        log(&printable(error));
        return Err(Refusal::Refused);
    }
    let code = answer.code.as_deref().ok_or(Refusal::Invalid)?;
    let back = back(accounts, &provider.settings.id);
    provider.exchange((code, &back), made, clock).await.map_err(|fault| match fault {
        ExchangeFault::Unavailable(error) => unavailable(provider, &error),
        ExchangeFault::Code(_) | ExchangeFault::Token(_) => {
            log(&fault.to_string());
            Refusal::Invalid
        }
    })
}

/// The account of a person: the one that is linked, or the one with the address, which is linked now.
fn whose(conn: &mut Conn, issuer: &str, claims: &Claims, moment: &Moment) -> Result<Account, Stopped> {
    if let Some(account) = identities::find(conn, issuer, &claims.sub)? {
        return Ok(account);
    }
    let email = claims.verified_email().ok_or(Stopped::Refused(Refusal::Unverified))?;
    let found = store::find_by_email(conn, email.as_str())?;
    let mut account = found.ok_or(Stopped::Refused(Refusal::NotInvited))?;
    // An address that was given to somebody else does not open the account of who had it before.
    if identities::is_used(conn, issuer, account.id)? {
        return Err(Stopped::Refused(Refusal::OtherPerson));
    }
    identities::link(conn, (issuer, &claims.sub), account.id, moment.now)?;
    tracing::info!(account = %account.id, issuer, "an account was linked to a person of a login provider");
    if !account.has_accepted() {
        links::drop_all(conn, account.id)?;
        if let Some(name) = claims.name().filter(|_| account.name.is_empty()) {
            account.name = name.into();
        }
        account.last_login_at = Some(moment.now);
        account.updated_at = moment.version_after(account.updated_at);
        store::update_account(conn, &account)?;
        api::record_everywhere(conn, moment, &account, EventKind::OperatorAccepted)?;
    }
    Ok(account)
}
