//! What drivers do without a key: they find stations, see the price of the charger before them, and charge there with the number of
//! their card or by a login.
//!
//! Whoever starts a session gets a cookie that opens this session and no other; a card's number and a session's id alone open none.
//! A login proves an e-mail address by a link that is sent there. It opens the sessions of the active users who have the address, and
//! shows the stations that they see. Requests are counted by address, and cards that are not accepted by address and by EVSE.

mod account;
mod api;
mod attempts;
mod cookie;
mod letters;
mod logins;
mod own_sessions;
mod prices;
mod views;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

pub use api::routes;
pub use letters::DriverLinks;
pub use logins::tidy;

use crate::home::portal::Notices;
use crate::http::address_limiter::AddressLimiter;
use crate::http::audit;
use crate::http::middleware::RateLimit;
use crate::http::{ApiError, ApiResult, Code, Context, client_address, neighbourhood};
use crate::store::cause::Cause;
use crate::store::{StoreResult, secrets};
use attempts::Attempts;
use cookie::SessionCookies;

/// The name of the key that signs cookies.
const SIGNING_KEY: &str = "driver_signing_key";

/// What the handlers share.
pub struct DriverAccess {
    enabled: bool,
    limiter: AddressLimiter,
    attempts: Attempts,
    cookies: SessionCookies,
    /// The way for e-mails to log in by, where there is a mail server.
    notices: Option<Notices>,
}

impl DriverAccess {
    /// Opens it with the key that is kept in the store; `enabled` says whether anything is answered.
    pub async fn open(
        context: &Context,
        enabled: bool,
        rate: RateLimit,
        notices: Option<Notices>,
    ) -> StoreResult<Self> {
        let now = context.clock.now();
        let key = context.db.write(move |conn| secrets::keep(conn, SIGNING_KEY, now)).await?;
        Ok(Self {
            enabled,
            limiter: AddressLimiter::new(rate),
            attempts: Attempts::default(),
            cookies: SessionCookies::new(&key),
            notices,
        })
    }

    /// Whether drivers can log in: where they are served at all, and e-mails are sent.
    pub fn has_logins(&self) -> bool {
        self.enabled && self.notices.is_some()
    }

    /// Forgets addresses that have been quiet; called by a timer.
    pub fn forget_quiet_addresses(&self) {
        self.limiter.forget_quiet();
    }

    fn admit(&self, request: &ServiceRequest) -> ApiResult<()> {
        if !self.enabled {
            return Err(ApiError::new(Code::NotFound, "Charging without a key is switched off here"));
        }
        self.limiter.count(neighbourhood(client_address(request.request())))
    }
}

/// Lets requests of drivers through, as long as their address does not send too many.
pub async fn guard<B: MessageBody + 'static>(
    access: web::Data<DriverAccess>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match access.admit(&request) {
        Ok(()) => {
            let answered = audit::during_as(Cause::Driver, request, |request| next.call(request));
            Ok(answered.await?.map_into_left_body())
        }
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}
