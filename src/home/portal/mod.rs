//! The portal of home users: who may log in, how they prove themselves, and the little they may do.
//!
//! An operator invites an e-mail address and gives the user a group; the user chooses a password, sees that group, edits its
//! exclusion times and starts priority charges. Everything here is about the same rows that the operator sees.
//!
//! A home user is no API key. [`Portal`] answers below `/v1.1/portal`, where only its own access tokens are known; they are
//! short, and looked up at every request, so that what was taken away is gone at once.

mod api;
mod attempts;
mod auth_guard;
mod cookie;
mod emails;
mod logins;
mod mailer;
mod model;
mod notices;
mod passwords;
mod secrets;
mod signer;
mod store;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

pub use api::{operator_routes, portal_routes};
pub use attempts::{Attempt, Guesser};
pub use auth_guard::{HomeCaller, guard};
pub use mailer::{MailFault, MailSettings, Security, try_mail_server};
pub use notices::{About, DriverLetters, Letter, Notice, Notices, OperatorLetters};
pub use passwords::{Hasher, Password, TypedPassword};

use crate::http::Context;
use crate::http::address_limiter::AddressLimiter;
use crate::http::middleware::RateLimit;
use crate::store::{Conn, StoreResult};
use emails::Links;
use kernel::Timestamp;
use mailer::Mailer;
use signer::Signer;

/// The name of the key that signs access tokens.
const SIGNING_KEY: &str = "portal_signing_key";

/// How the portal is run.
#[derive(Clone)]
pub struct PortalSettings {
    /// Where its pages are: what links in e-mails begin with.
    pub url: String,
    /// What signs access tokens; empty: made once and kept in the store.
    pub signing_key: String,
    /// How long an access token works.
    pub access: Duration,
    /// How long a login may be refreshed.
    pub login: Duration,
    /// How long an invitation may be accepted.
    pub invitation: Duration,
    /// How long a link to another password works.
    pub reset: Duration,
    /// Requests from one address.
    pub rate: RateLimit,
    /// The mail server, where there is one.
    pub mail: Option<MailSettings>,
    /// What writes e-mails to operators.
    pub operator_letters: Arc<dyn OperatorLetters>,
    /// What writes e-mails to drivers.
    pub driver_letters: Arc<dyn DriverLetters>,
}

/// What the handlers of the portal share.
pub struct Portal {
    signer: Signer,
    hasher: Hasher,
    links: Links,
    login: Duration,
    mailer: Option<Arc<Mailer>>,
    limiter: AddressLimiter,
    /// How the server is reached from outside.
    public_url: String,
}

/// Why the portal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortalFault {
    /// The mail server's settings are wrong.
    #[error(transparent)]
    Mail(#[from] MailFault),
    /// The signing key could not be had.
    #[error("the portal's signing key: {0}")]
    Store(#[from] crate::store::StoreError),
}

impl Portal {
    /// Opens the portal, and begins to send e-mails where there is a mail server.
    pub async fn open(
        context: &Context,
        settings: PortalSettings,
    ) -> Result<(Self, Option<JoinHandle<()>>), PortalFault> {
        let kept = settings.signing_key.is_empty();
        crate::store::secrets::log_where_kept("portal.signing_key", kept, context.db.url());
        let key = match kept {
            true => kept_key(context).await?,
            false => settings.signing_key,
        };
        let links = Links {
            url: settings.url.trim_end_matches('/').to_owned(),
            invitation: settings.invitation,
            reset: settings.reset,
            operators: settings.operator_letters,
            drivers: settings.driver_letters,
        };
        let mailer = settings.mail.map(Mailer::new).transpose()?.map(Arc::new);
        let carrier = mailer.clone();
        let task = carrier.map(|mailer| mailer.start(context.clone(), links.clone()));
        let portal = Self {
            signer: Signer::new(&key, settings.access),
            hasher: Hasher::default(),
            links,
            login: settings.login,
            mailer,
            limiter: AddressLimiter::new(settings.rate),
            public_url: context.public_url(),
        };
        Ok((portal, task))
    }

    /// Forgets addresses that have been quiet; called by a timer.
    pub fn forget_quiet_addresses(&self) {
        self.limiter.forget_quiet();
    }

    /// The way for e-mails of others, where there is a mail server.
    pub fn notices(&self) -> Option<Notices> {
        self.mailer.clone().map(Notices)
    }

    /// Says that an e-mail was queued.
    fn notify(&self) {
        if let Some(mailer) = &self.mailer {
            mailer.notify();
        }
    }
}

async fn kept_key(context: &Context) -> StoreResult<String> {
    let now = context.clock.now();
    context.db.write(move |conn| crate::store::secrets::keep(conn, SIGNING_KEY, now)).await
}

/// Forgets what is over: links, logins, attempts and e-mails.
pub fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    store::tidy_links(conn, now)?;
    logins::tidy(conn, now)?;
    attempts::tidy(conn, now)?;
    emails::tidy(conn, now)
}
