//! Who a driver is that is logged in: looked up at each request, so that a user who may not charge any more, or has another
//! address, is out at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::cookie::SameSite;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::logins::{self, LOGIN_LASTS};
use crate::charging::sessions::Session;
use crate::http::audit::{ActorKind, Name, Noted, Who};
use crate::http::{ApiError, ApiResult, Code, Ctx, cookies};
use crate::people::users::{self, User};
use crate::sites::stations::StationSight;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Timestamp, UserId};

/// What the cookie of a login is called.
const NAME: &str = "evenwatt_driver";
/// Which requests carry it.
const PATH: &str = "/v1.1/driver";

/// A driver who proved an e-mail address.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The address.
    pub email: String,
    /// The first of those who have it, …
    pub first: User,
    /// … and the others: active users, at most one an organization.
    others: Vec<User>,
}

impl Account {
    /// Whose address this is; none where no active user has it.
    pub(super) fn of_address(conn: &mut Conn, email: String) -> StoreResult<Option<Self>> {
        let mut users = users::active_of_address(conn, &email)?.into_iter();
        Ok(users.next().map(|first| Self { email, first, others: users.collect() }))
    }

    fn find(conn: &mut Conn, secret: &str, now: Timestamp) -> StoreResult<Option<Self>> {
        match logins::find(conn, secret, now)? {
            Some(email) => Self::of_address(conn, email),
            None => Ok(None),
        }
    }

    /// The driver as each organization has it.
    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The driver as this organization has it.
    pub(super) fn user_of(&self, organization: OrganizationId) -> Option<&User> {
        self.users().find(|user| user.organization_id == organization)
    }

    /// The ids of the driver, with their organizations.
    pub(super) fn ids(&self) -> Vec<(OrganizationId, UserId)> {
        self.users().map(|user| (user.organization_id, user.id)).collect()
    }

    /// What the driver sees besides what everybody does: what is visible, and all where the driver is in the private group.
    pub(super) fn sight(&self) -> StationSight {
        let (members, others): (Vec<&User>, Vec<&User>) = self.users().partition(|user| user.private_group);
        let of = |users: Vec<&User>| users.into_iter().map(|user| user.organization_id).collect();
        StationSight { visible_of: of(others), all_of: of(members) }
    }

    /// Whether a session is the driver's.
    pub(super) fn owns(&self, session: &Session) -> bool {
        let user = self.user_of(session.organization_id);
        user.is_some_and(|user| session.user_id == Some(user.id))
    }
}

/// What a driver is called.
pub(super) fn name_of(user: &User) -> String {
    format!("{} {}", user.firstname, user.lastname)
}

/// Notes who causes what this request changes.
pub(super) fn note(noted: &Noted, user: &User) {
    noted.note(|| Who {
        organization: user.organization_id,
        kind: ActorKind::Driver,
        id: user.id.raw(),
        name: Name::Known(Arc::from(name_of(user))),
    });
}

/// The secret in the cookie of a request.
pub(super) fn secret_of(request: &HttpRequest) -> Option<String> {
    cookies::find(request, NAME).map(str::to_owned)
}

/// Has the browser keep a login.
pub(super) fn keep(response: &mut HttpResponse, request: &HttpRequest, secret: &str) {
    cookies::set(response, request, (NAME, secret), (PATH, SameSite::Strict), LOGIN_LASTS);
}

/// Has the browser forget it.
pub(super) fn forget(response: &mut HttpResponse, request: &HttpRequest) {
    cookies::set(response, request, (NAME, ""), (PATH, SameSite::Strict), std::time::Duration::ZERO);
}

/// Whoever asks: a driver who is logged in, or anybody.
#[derive(Debug, Clone)]
pub(super) struct Anybody(pub Option<Account>);

impl Anybody {
    /// The driver as this organization has it.
    pub(super) fn user_of(&self, organization: OrganizationId) -> Option<&User> {
        self.0.as_ref()?.user_of(organization)
    }

    /// What they see besides what everybody does.
    pub(super) fn sight(&self) -> StationSight {
        self.0.as_ref().map(Account::sight).unwrap_or_default()
    }
}

impl FromRequest for Anybody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(secret) = secret_of(&request) else {
                return Ok(Self(None));
            };
            let ctx = request.app_data::<Ctx>().ok_or_else(|| ApiError::new(Code::Internal, "no context"))?;
            let now = ctx.clock.now();
            Ok(Self(ctx.db.read(move |conn| Account::find(conn, &secret, now)).await?))
        })
    }
}

/// A driver who is logged in; nobody else gets further.
#[derive(Debug, Clone)]
pub(super) struct LoggedIn(pub Account);

impl FromRequest for LoggedIn {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let known = Anybody::from_request(request, payload);
        Box::pin(async move {
            let Anybody(account) = known.await?;
            let message = "Nobody is logged in, or the login is over; ask for a link by POST /v1.1/driver/login";
            account.map(Self).ok_or_else(|| ApiError::new(Code::Unauthenticated, message))
        })
    }
}
