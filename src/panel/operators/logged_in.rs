//! Somebody who is logged in, as a handler of `/v1.1/account` asks for it.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::accounts::Accounts;
use super::logins::Login;
use super::model::{Account, Operator};
use crate::http::audit::{ActorKind, Name, Noted, Who};
use crate::http::{ApiError, ApiResult, Code, login};

/// A login that goes on. Where the request is to change something, a page of ours sent it.
pub(super) struct LoggedIn {
    pub login: Login,
    /// The secret of the cookie.
    pub secret: String,
}

impl FromRequest for LoggedIn {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { admit(&request).await })
    }
}

async fn admit(request: &HttpRequest) -> ApiResult<LoggedIn> {
    let nobody = || ApiError::new(Code::Unauthenticated, "Log in by POST /v1.1/account/login");
    let accounts = request.app_data::<web::Data<Accounts>>();
    let accounts = accounts.ok_or_else(|| ApiError::new(Code::Internal, "no accounts"))?;
    let secret = login::secret_of(request).ok_or_else(nobody)?.to_owned();
    let login = accounts.login(&secret).await?.ok_or_else(nobody)?;
    if !request.method().is_safe() && !login::shows_token(request, &secret) {
        return Err(ApiError::new(Code::Csrf, Code::Csrf.meaning()));
    }
    Noted::of(request).note(|| who(&login.operator, &login.account));
    Ok(LoggedIn { login, secret })
}

/// An operator as the audit has them.
pub(super) fn who(operator: &Operator, account: &Account) -> Who {
    Who {
        organization: operator.organization_id,
        kind: ActorKind::Operator,
        id: operator.id.raw(),
        name: Name::Known(account.name.as_str().into()),
    }
}
