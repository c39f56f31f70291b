//! Who is calling and what they may do: permission is part of a handler's signature.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::timeout;

use super::audit::Noted;
use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::idempotency::Needs;
use super::login::{FromOurPage, foreign};
use super::principal::{Actor, Principal};
use super::reach::Reach;
use kernel::{AccountId, OrganizationId};

/// Knows API keys, or the logins of operators. A trait because these are nouns of slices and this floor lies below them.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Whose secret this is, or `None` when it is wrong, expired or revoked.
    async fn authenticate(&self, secret: &str) -> ApiResult<Option<Principal>>;

    /// Wakes whoever waits after each change of what it knows.
    fn changes(&self) -> watch::Receiver<()>;
}

/// How often a key is looked at whose request goes on: it may expire, or be revoked by the command line.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Whether a key or a login is still what it was when its request was admitted: for requests that go on, such as streams.
#[derive(Clone)]
pub struct KeyValidity {
    authenticator: Arc<dyn Authenticator>,
    secret: String,
    principal: Principal,
    changes: watch::Receiver<()>,
}

impl KeyValidity {
    /// That of a caller who was just admitted with this secret.
    pub(super) fn new(authenticator: Arc<dyn Authenticator>, secret: String, principal: Principal) -> Self {
        let changes = authenticator.changes();
        Self { authenticator, secret, principal, changes }
    }

    /// Waits until the key does not work any more, lost one of its scopes, or works elsewhere.
    pub async fn lost(mut self) {
        let mut notified = true;
        while self.holds().await {
            if notified {
                notified = !matches!(timeout(LOOKED_AT_EVERY, self.changes.changed()).await, Ok(Err(_)));
            } else {
                tokio::time::sleep(LOOKED_AT_EVERY).await; // the API-key cache is gone: the server stops
            }
        }
    }

    async fn holds(&self) -> bool {
        match self.authenticator.authenticate(&self.secret).await {
            Ok(Some(now)) => {
                now.reach == self.principal.reach && self.principal.scopes.iter().all(|scope| now.may(scope))
            }
            Ok(None) => false,
            Err(_) => true, // the store is busy; the next look will show it
        }
    }
}

impl FromRequest for KeyValidity {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let validity = request.extensions().get::<Self>().cloned();
        let unknown = || ApiError::new(Code::Unauthenticated, Code::Unauthenticated.meaning());
        std::future::ready(validity.ok_or_else(unknown))
    }
}

/// A permission: one scope.
pub trait Permission: 'static {
    /// The scope's name.
    const SCOPE: &'static str;
}

/// A caller who has permission `P`.
#[derive(Debug)]
pub struct Caller<P> {
    /// Who it is.
    pub principal: Principal,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// Whose data may be touched.
    pub const fn organization(&self) -> OrganizationId {
        self.principal.organization
    }

    /// Where it may reach.
    pub const fn reach(&self) -> &Reach {
        &self.principal.reach
    }

    /// Whether numbers of cards are shown whole.
    pub fn sees_cards(&self) -> bool {
        self.principal.may(ReadTokens::SCOPE)
    }

    /// Refuses to put objects in place of their ids which the caller could not read by themselves.
    pub fn may_include<I: Permission>(&self, parameter: &str, asked: Option<bool>) -> ApiResult<()> {
        if asked != Some(true) || self.principal.may(I::SCOPE) {
            return Ok(());
        }
        let message = format!("{parameter} needs the scope {}", I::SCOPE);
        Err(ApiError::new(Code::Forbidden, message))
    }

    /// Refuses what shows numbers of cards, or lets them be found out one by one, to who may not read tokens.
    pub fn must_see_cards(&self, what: &str) -> ApiResult<()> {
        if self.sees_cards() {
            return Ok(());
        }
        let scope = ReadTokens::SCOPE;
        let message = format!("{what} needs the scope {scope}");
        Err(ApiError::new(Code::Forbidden, message))
    }
}

impl<P: Permission> FromRequest for Caller<P> {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = request.extensions().get::<Principal>().cloned();
        std::future::ready(match principal {
            None => Err(ApiError::new(Code::Unauthenticated, Code::Unauthenticated.meaning())),
            // Also where the method is GET: eDRV stops sessions by one.
            Some(Principal { actor: Actor::Operator(_), .. })
                if P::SCOPE.starts_with("write:") && !request.extensions().contains::<FromOurPage>() =>
            {
                Err(foreign())
            }
            Some(principal) if principal.may(P::SCOPE) => {
                Needs::here().note(P::SCOPE);
                Noted::of(request).note(|| (&principal).into());
                Ok(Self { principal, permission: PhantomData })
            }
            Some(_) => Err(ApiError::new(Code::Forbidden, format!("This needs the scope {}", P::SCOPE))),
        })
    }
}

/// A person who is logged in and administers this installation: may make organizations, and see which there are. No scope is enough for
/// that, and no API key.
#[derive(Debug)]
pub struct InstallationAdmin {
    /// Who it is in the organization of the login.
    pub principal: Principal,
    /// The person.
    pub account: AccountId,
}

impl FromRequest for InstallationAdmin {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = request.extensions().get::<Principal>().cloned();
        std::future::ready(match principal {
            None => Err(ApiError::new(Code::Unauthenticated, Code::Unauthenticated.meaning())),
            Some(Principal { actor: Actor::ApiKey(_), .. }) => Err(ApiError::new(
                Code::Forbidden,
                "No API key may do this: log in at the panel as an installation-wide admin",
            )),
            Some(Principal { installation_admin: None, .. }) => {
                let message =
                    "Only an installation-wide admin may do this; `evenwatt operator installation-admin` makes one";
                Err(ApiError::new(Code::Forbidden, message))
            }
            Some(principal @ Principal { installation_admin: Some(account), .. }) => Ok(Self { principal, account }),
        })
    }
}

macro_rules! permissions {
    ($($resource:literal: $read:ident $write:ident),* $(,)?) => {
        $(
            #[doc = concat!("May read ", $resource, ".")]
            #[derive(Debug)]
            pub struct $read;
            impl Permission for $read { const SCOPE: &'static str = concat!("read:", $resource); }
            #[doc = concat!("May change ", $resource, ".")]
            #[derive(Debug)]
            pub struct $write;
            impl Permission for $write { const SCOPE: &'static str = concat!("write:", $resource); }
        )*
        /// Every scope there is, besides `*`.
        pub const SCOPES: &[&str] = &[$($read::SCOPE, $write::SCOPE,)* ReadOcpp::SCOPE, WriteOcpp::SCOPE, ReadAudit::SCOPE];
    };
}

permissions! {
    "organization": ReadOrganization WriteOrganization,
    "api_keys": ReadApiKeys WriteApiKeys,
    "operators": ReadOperators WriteOperators,
    "locations": ReadLocations WriteLocations,
    "chargestations": ReadStations WriteStations,
    "evses": ReadEvses WriteEvses,
    "connectors": ReadConnectors WriteConnectors,
    "users": ReadUsers WriteUsers,
    "home_users": ReadHomeUsers WriteHomeUsers,
    "tokens": ReadTokens WriteTokens,
    "sessions": ReadSessions WriteSessions,
    "actions": ReadActions WriteActions,
    "reservations": ReadReservations WriteReservations,
    "charging_profiles": ReadProfiles WriteProfiles,
    "configuration_templates": ReadTemplates WriteTemplates,
    "groups": ReadGroups WriteGroups,
    "assets": ReadAssets WriteAssets,
    "rates": ReadRates WriteRates,
    "evse_networks": ReadEvseNetworks WriteEvseNetworks,
    "service_offers": ReadServiceOffers WriteServiceOffers,
    "events": ReadEvents WriteEvents,
    "webhooks": ReadWebhooks WriteWebhooks,
}

/// May read who changed what.
#[derive(Debug)]
pub struct ReadAudit;
impl Permission for ReadAudit {
    const SCOPE: &'static str = "read:audit";
}

/// May read the messages of a station.
#[derive(Debug)]
pub struct ReadOcpp;
impl Permission for ReadOcpp {
    const SCOPE: &'static str = "read:ocpp";
}

/// May send any OCPP message to a station.
#[derive(Debug)]
pub struct WriteOcpp;
impl Permission for WriteOcpp {
    const SCOPE: &'static str = "write:ocpp";
}
