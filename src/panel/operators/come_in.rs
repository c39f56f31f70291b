//! How operators come in: invitations, passwords, second factors, links of the machine itself.
//!
//! Nothing here shows whether an address is known: the answers are the same, and so is the work.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;

use super::account::{self, AccountView};
use super::accounts::Accounts;
use super::links::{self, Purpose};
use super::logged_in::who;
use super::model::*;
use super::{api, logins, oidc, second_factor, store};
use crate::events::EventKind;
use crate::filters;
use crate::home::portal::{Attempt, Guesser, Notices, Password};
use crate::http::audit::{self, Noted};
use crate::http::docs::{AccountErrors, AccountLinkErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::origin::require_own_origin;
use crate::http::query::{Parameter, Query};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, client_address, login, neighbourhood};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{Moment, Timestamp};

/// Where the panel's pages are, for a browser that is led there.
pub(super) const PANEL: &str = "/panel";

/// Adds the endpoints of accounts; they have an auth guard of their own.
pub fn account_routes(config: &mut ServiceConfig) {
    config
        .service(log_operator_in)
        .service(log_operator_in_by_link)
        .service(get_invitation)
        .service(accept_operator_invitation)
        .service(request_operator_password_reset)
        .service(reset_operator_password)
        .configure(oidc::routes)
        .configure(account::routes);
}

/// Lets requests about accounts through, as long as their address does not send too many, and no page of others does.
pub async fn guard<B: MessageBody + 'static>(
    accounts: web::Data<Accounts>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let address = neighbourhood(client_address(request.request()));
    let own = match request.method().is_safe() {
        true => Ok(()),
        false => require_own_origin(request.request(), &accounts.context.public_url()),
    };
    let admitted = own.and_then(|()| accounts.limiter.count(address));
    match admitted {
        Ok(()) => Ok(audit::during(request, |request| next.call(request)).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

/// The account, with the cookie of a new login. No cache may keep it.
fn welcome(request: &HttpRequest, accounts: &Accounts, (secret, view): (String, AccountView)) -> HttpResponse {
    let mut response = reply(StatusCode::OK, "Welcome", view);
    set_cookie(&mut response, request, accounts, &secret);
    response
}

pub(super) fn set_cookie(response: &mut HttpResponse, request: &HttpRequest, accounts: &Accounts, secret: &str) {
    login::set(response, request, secret, accounts.lasts.altogether);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Begins a login at the first of the account's organizations.
pub(super) fn begin(
    conn: &mut Conn,
    (accounts, noted): (&Accounts, &Noted),
    account: &Account,
    moment: &Moment,
) -> ApiResult<(String, AccountView)> {
    let mine = store::of_account(conn, account.id)?;
    let (first, _) = mine.first().ok_or_else(|| ApiError::new(Code::LoginFailed, Code::LoginFailed.meaning()))?;
    noted.note(|| who(first, account));
    let secret = logins::begin(conn, moment, first, accounts.lasts)?;
    store::touch_account(conn, account.id, moment.now)?;
    let view = AccountView::new(account, first, &mine, &secret);
    Ok((secret, view))
}

/// Logs in.
///
/// The answer sets the cookie `evenwatt_session`, with which every endpoint works as with a key of the role's scopes; requests that
/// change something then need the header `X-CSRF-Token`. Where the account has a second factor, the code has to be sent, too: 401
/// with the code `totp_required` asks for it. After five wrong passwords or codes the network address they came from is locked for a
/// minute, then for longer and longer (429).
#[utoipa::path(tag = "accounts", security(()), request_body = Login,
    responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/login")]
async fn log_operator_in(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    Body(given): Body<Login>,
) -> ApiResult<HttpResponse> {
    let moment = accounts.context.moment();
    let now = moment.now;
    let email = String::from(given.email);
    let guesser = Guesser::of_operator(&email, client_address(&request));
    let counting = guesser.clone();
    // Counted before it is judged: guesses that come at the same time are counted, too.
    let counted = accounts.context.db.write(move |conn| {
        Ok::<_, StoreError>(match counting.take(conn, now)? {
            Attempt::Locked { until } => Err(until),
            Attempt::Allowed => Ok(store::find_by_email(conn, &email)?),
        })
    });
    let account = counted.await?.map_err(|until| locked(until, now))?;
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = accounts.hasher.matches(given.password, hash).await?;
    let failed = || ApiError::new(Code::LoginFailed, Code::LoginFailed.meaning());
    let account = account.filter(|_| right).ok_or_else(failed)?;
    let step = match (account.has_second_factor(), &given.totp) {
        (false, _) => None,
        (true, None) => return Err(ApiError::new(Code::TotpRequired, Code::TotpRequired.meaning())),
        (true, Some(code)) => Some(second_factor::step(&accounts.seal, &account, code, now).ok_or_else(wrong_code)?),
    };
    let (shared, noted) = (accounts.clone(), Noted::of(&request));
    let begun = accounts.context.db.write(move |conn| {
        if let Some(step) = step
            && !store::use_step(conn, account.id, step)?
        {
            return Err(wrong_code());
        }
        guesser.prove(conn, now)?;
        begin(conn, (&shared, &noted), &account, &moment)
    });
    Ok(welcome(&request, &accounts, begun.await?))
}

pub(super) fn wrong_code() -> ApiError {
    ApiError::new(Code::TotpRequired, "The code is wrong, or was used before; send the one that the app shows now")
}

pub(super) fn locked(until: Timestamp, now: Timestamp) -> ApiError {
    let message = "Too many wrong passwords for this address; wait, or choose another password";
    ApiError::new(Code::TooManyRequests, message).retry_after(until.since(now).as_secs() + 1)
}

fn worthless() -> ApiError {
    ApiError::not_found("link; it is unknown, was used, or has expired")
}

/// A path of the panel, such as `/groups/6613f1b2c9d4a8e7f0a1b2c3`: letters, digits, `/`, `-` and `_`.
#[derive(Debug, Clone)]
pub(crate) struct PanelPath(String);

impl Parameter for PanelPath {
    fn expectation() -> String {
        "a path of the panel such as /groups".to_owned()
    }

    fn from_parameter(text: &str) -> Option<Self> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/-_".contains(letter);
        let is_path = text.starts_with('/') && text.len() <= 200 && text.chars().all(is_plain);
        is_path.then(|| Self(text.to_owned()))
    }
}

filters! {
    /// Where a link leads.
    pub(crate) struct LinkTarget {
        /// The page of the panel, by its path there; its first page when absent.
        #[param(value_type = String, pattern = "^/[A-Za-z0-9/_-]*$", max_length = 200, example = "/groups")]
        pub to: PanelPath,
    }
}

/// Logs in by a link of the machine itself, once, and leads to the panel.
///
/// `evenwatt demo` prints such a link.
#[utoipa::path(tag = "accounts", security(()),
    params(("login_token" = String, Path, description = "From the link"), LinkTarget),
    responses((status = FOUND, description = "To the panel, with the cookie of the login"), AccountLinkErrors))]
#[get("/login/{login_token}")]
async fn log_operator_in_by_link(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    token: web::Path<String>,
    Query(LinkTarget { to }): Query<LinkTarget>,
) -> ApiResult<HttpResponse> {
    let (moment, shared, secret) = (accounts.context.moment(), accounts.clone(), token.into_inner());
    let noted = Noted::of(&request);
    let begun = accounts.context.db.write(move |conn| {
        let account = links::find(conn, &secret, Purpose::Login, moment.now)?.ok_or_else(worthless)?;
        links::drop_all(conn, account.id)?;
        begin(conn, (&shared, &noted), &account, &moment)
    });
    let (secret, _) = begun.await?;
    let page = format!("{PANEL}{}", to.map_or_else(String::new, |PanelPath(path)| path));
    let mut response = HttpResponse::Found().insert_header((LOCATION, page)).finish();
    set_cookie(&mut response, &request, &accounts, &secret);
    Ok(response)
}

/// Whom an invitation is for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InvitationView {
    /// The address it was sent to; null for the first operator, who chooses one.
    email: Option<String>,
    /// What the person is called, where that is known.
    name: String,
    /// Who invites.
    organization: String,
}

/// Reads whom an invitation is for.
#[utoipa::path(tag = "accounts", security(()), params(("invitation_token" = String, Path, description = "From the link")),
    responses((status = OK, body = Reply<InvitationView>), AccountLinkErrors))]
#[get("/invitations/{invitation_token}")]
async fn get_invitation(accounts: web::Data<Accounts>, token: web::Path<String>) -> ApiResult<HttpResponse> {
    let (now, secret) = (accounts.context.clock.now(), token.into_inner());
    let found = accounts.context.db.read(move |conn| -> StoreResult<_> {
        let Some(account) = links::find(conn, &secret, Purpose::Invitation, now)? else {
            return Ok(None);
        };
        let mine = store::of_account(conn, account.id)?;
        Ok(mine.into_iter().next().map(|(_, organization)| (account, organization)))
    });
    let (account, organization) = found.await?.ok_or_else(worthless)?;
    let view = InvitationView { email: account.email, name: account.name, organization: organization.name };
    Ok(reply(StatusCode::OK, "Found", view))
}

/// Accepts an invitation: chooses name and password, and logs in.
///
/// The link works once. `email` is needed where the invitation was sent to none, as that of the first start.
#[utoipa::path(tag = "accounts", security(()), params(("invitation_token" = String, Path, description = "From the link")),
    request_body = Acceptance, responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/invitations/{invitation_token}/accept")]
async fn accept_operator_invitation(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    token: web::Path<String>,
    Body(Acceptance { name, password, email }): Body<Acceptance>,
) -> ApiResult<HttpResponse> {
    let (name, email) = (String::from(name), email.map(String::from));
    choose(&request, &accounts, (token.into_inner(), Purpose::Invitation), password, move |account| {
        account.name.clone_from(&name);
        if account.email.is_none() {
            let required =
                || ApiError::field("email", "required", "is required: the invitation was sent to no address");
            account.email = Some(email.clone().ok_or_else(required)?);
        }
        Ok(())
    })
    .await
}

/// Chooses another password and logs in.
///
/// The link in the e-mail works once, and all other logins end. Where the account has a second factor, the password is changed and the
/// answer is 401 with the code `totp_required`: a link proves the mailbox, not the second factor.
#[utoipa::path(tag = "accounts", security(()), params(("reset_token" = String, Path, description = "From the link in the e-mail")),
    request_body = ChosenPassword, responses((status = OK, body = Reply<AccountView>), AccountErrors))]
#[post("/password_reset/{reset_token}")]
async fn reset_operator_password(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    token: web::Path<String>,
    Body(ChosenPassword { password }): Body<ChosenPassword>,
) -> ApiResult<HttpResponse> {
    choose(&request, &accounts, (token.into_inner(), Purpose::PasswordReset), password, |_| Ok(())).await
}

async fn choose(
    request: &HttpRequest,
    accounts: &web::Data<Accounts>,
    (secret, purpose): (String, Purpose),
    password: Password,
    change: impl Fn(&mut Account) -> ApiResult<()> + Send + 'static,
) -> ApiResult<HttpResponse> {
    let (moment, from, looked_up) = (accounts.context.moment(), client_address(request), secret.clone());
    let now = moment.now;
    // A link that is no good is not worth a hash; whoever has a good one is no stranger.
    let found = accounts.context.db.read(move |conn| links::find(conn, &looked_up, purpose, now));
    let mut tried = found.await?.ok_or_else(worthless)?;
    change(&mut tried)?;
    let hash = accounts.hasher.hash(password).await?;
    let (shared, noted) = (accounts.clone(), Noted::of(request));
    let begun = accounts.context.db.write(move |conn| {
        let mut account = links::find(conn, &secret, purpose, now)?.ok_or_else(worthless)?;
        if links::drop_all(conn, account.id)? == 0 {
            return Err(worthless()); // somebody else was using it at the same time
        }
        logins::end_others(conn, account.id, None)?;
        change(&mut account)?;
        account.password_hash = Some(hash.clone());
        account.updated_at = moment.version_after(account.updated_at);
        store::update_account(conn, &account).map_err(|error| match error {
            StoreError::Duplicate(_) => ApiError::field("email", "taken", "belongs to another account"),
            other => other.into(),
        })?;
        if let Some(email) = &account.email {
            Guesser::of_operator(email, from).prove(conn, now)?;
        }
        let kind = match purpose {
            Purpose::PasswordReset => EventKind::OperatorPasswordReset,
            Purpose::Invitation | Purpose::Login => EventKind::OperatorAccepted,
        };
        if let Some((first, _)) = store::of_account(conn, account.id)?.first() {
            noted.note(|| who(first, &account));
        }
        api::record_everywhere(conn, &moment, &account, kind)?;
        // A link proves the mailbox, not the second factor.
        if account.has_second_factor() {
            return Ok(None);
        }
        begin(conn, (&shared, &noted), &account, &moment).map(Some)
    });
    let begun = begun.await?;
    accounts.changed();
    let changed = || ApiError::new(Code::TotpRequired, "The password is changed; log in with it, and with a code");
    Ok(welcome(request, accounts, begun.ok_or_else(changed)?))
}

/// What is said to somebody who forgot the password.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ForgottenView {
    /// The address, as it was read.
    #[schema(example = "grace@example.com")]
    email: String,
}

/// Asks for another password.
///
/// The answer is always the same; whoever has an account gets an e-mail with a link, at most three an hour.
#[utoipa::path(tag = "accounts", security(()), request_body = Forgotten,
    responses((status = ACCEPTED, body = Reply<ForgottenView>), AccountErrors))]
#[post("/password_reset")]
async fn request_operator_password_reset(
    accounts: web::Data<Accounts>,
    Body(Forgotten { email }): Body<Forgotten>,
) -> ApiResult<HttpResponse> {
    let (moment, email) = (accounts.context.moment(), String::from(email));
    let address = email.clone();
    if accounts.notices.is_some() {
        let queued = accounts.context.db.write(move |conn| Notices::queue_password_reset(conn, &address, &moment));
        queued.await?;
        accounts.notify();
    } else {
        tracing::warn!(
            "an operator asked for another password, but no mail server is configured; run: evenwatt operator reset"
        );
    }
    let message = "If the address is known, an e-mail is on its way";
    Ok(reply(StatusCode::ACCEPTED, message, ForgottenView { email }))
}
