//! What the handlers of operators share, and how the auth guard finds out who is behind a cookie.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::links::{Purpose, make_link};
use super::logins::{self, Lasting, Login};
use super::oidc::Providers;
use super::store;
use crate::home::portal::{About, Hasher, Letter, Notices, OperatorLetters};
use crate::http::address_limiter::AddressLimiter;
use crate::http::caller::Authenticator;
use crate::http::middleware::RateLimit;
use crate::http::{Actor, ApiResult, Context, Principal};
use crate::people::organizations::{self, Organization};
use crate::store::seal::{NotSealed, Seal};
use crate::store::{Conn, StoreResult};
use kernel::Timestamp;

/// Separates the key of second factors from others of the same secret.
const PURPOSE: &str = "evenwatt: second factors of operators";

/// Where the panel's pages are, and how long links to them are good.
#[derive(Debug, Clone)]
pub struct PanelLinks {
    /// What links begin with.
    pub url: String,
    /// How long an invitation may be accepted.
    pub invitation: Duration,
    /// How long a link to another password works.
    pub reset: Duration,
}

impl PanelLinks {
    /// Where the panel and the API are for its browsers, such as `https://charge.example.com`.
    pub(super) fn address(&self) -> &str {
        let host = self.url.find("://").map_or(0, |scheme| scheme + "://".len());
        let end = self.url.get(host..).and_then(|rest| rest.find('/')).map_or(self.url.len(), |path| host + path);
        self.url.get(..end).unwrap_or_default()
    }

    /// The page where an invitation is accepted.
    pub fn invitation(&self, secret: &str) -> String {
        format!("{}/invitations/{secret}", self.url)
    }

    /// The page where another password is chosen.
    pub fn password_reset(&self, secret: &str) -> String {
        format!("{}/password_reset/{secret}", self.url)
    }
}

impl OperatorLetters for PanelLinks {
    fn write(&self, conn: &mut Conn, about: About<'_>, now: Timestamp) -> StoreResult<Option<Letter>> {
        match about {
            About::Invitation(organization, account) => {
                let name = organizations::find_organization(conn, organization)?.name;
                let account = store::find_account(conn, account)?;
                let body = if account.has_accepted() {
                    format!("{name} gave you access to its charging panel. Log in as you are used to:\n\n{}", self.url)
                } else {
                    let secret = make_link(conn, account.id, Purpose::Invitation, now + self.invitation)?;
                    let (link, hours) = (self.invitation(&secret), self.invitation.as_secs() / 3_600);
                    format!(
                        "{name} invites you to its charging panel. Choose a password here:\n\n{link}\n\n\
                         The link works once, within {hours} hours."
                    )
                };
                Ok(Some(Letter { subject: format!("{name} invites you"), body, from: name }))
            }
            About::PasswordReset(email) => {
                let Some(account) = store::find_by_email(conn, email)?.filter(|found| found.password_hash.is_some())
                else {
                    return Ok(None);
                };
                let Some((_, Organization { name: from, .. })) =
                    store::of_account(conn, account.id)?.into_iter().next()
                else {
                    return Ok(None);
                };
                let secret = make_link(conn, account.id, Purpose::PasswordReset, now + self.reset)?;
                let body = format!(
                    "Somebody, we hope you, asked for another password of your account at the charging panel. Choose it \
                     here:\n\n{}\n\nThe link works once, within {} minutes. If it was not you, nothing needs to be done.",
                    self.password_reset(&secret),
                    self.reset.as_secs() / 60
                );
                Ok(Some(Letter { from, subject: "Choose another password".to_owned(), body }))
            }
        }
    }
}

/// How accounts are kept.
#[derive(Clone)]
pub struct AccountSettings {
    /// How long a login lasts, however often it is used.
    pub login: Duration,
    /// After how long without a request it is over.
    pub unused: Duration,
    /// What seals second factors.
    pub secret_key: String,
    /// Requests from one address.
    pub rate: RateLimit,
    /// Who operators may log in by, beside a password.
    pub providers: Providers,
}

/// What the handlers share.
pub struct Accounts {
    pub(super) context: Context,
    pub(super) hasher: Hasher,
    pub(super) seal: Seal,
    pub(super) links: PanelLinks,
    pub(super) lasts: Lasting,
    pub(super) limiter: AddressLimiter,
    pub(super) providers: Providers,
    /// The way to the mail server, where there is one.
    pub(super) notices: Option<Notices>,
    changes: watch::Sender<()>,
}

impl Accounts {
    /// Those in the store of this context.
    pub fn new(
        context: Context,
        links: PanelLinks,
        settings: &AccountSettings,
        notices: Option<Notices>,
    ) -> Result<Self, NotSealed> {
        Ok(Self {
            context,
            hasher: Hasher::default(),
            seal: Seal::new(&settings.secret_key, PURPOSE)?,
            links,
            lasts: Lasting { altogether: settings.login, unused: settings.unused },
            limiter: AddressLimiter::new(settings.rate),
            providers: settings.providers.clone(),
            notices,
            changes: watch::Sender::new(()),
        })
    }

    /// Forgets addresses that have been quiet; called by a timer.
    pub fn forget_quiet_addresses(&self) {
        self.limiter.forget_quiet();
    }

    /// Wakes whose requests go on: somebody's role or login was changed.
    pub(super) fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Says that an e-mail was queued.
    pub(super) fn notify(&self) {
        if let Some(notices) = &self.notices {
            notices.notify();
        }
    }

    /// The login behind a secret, noted as used.
    pub(super) async fn login(&self, secret: &str) -> ApiResult<Option<Login>> {
        let (now, lasts, shown) = (self.context.clock.now(), self.lasts, secret.to_owned());
        let Some(login) = self.context.db.read(move |conn| logins::find(conn, &shown, now, lasts)).await? else {
            return Ok(None);
        };
        if login.is_to_be_touched(now) {
            let id = login.id;
            self.context.db.write(move |conn| -> StoreResult<()> { logins::touch(conn, id, now) }).await?;
        }
        Ok(Some(login))
    }
}

#[async_trait]
impl Authenticator for Accounts {
    fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    async fn authenticate(&self, secret: &str) -> ApiResult<Option<Principal>> {
        let login = self.login(secret).await?;
        Ok(login.map(|Login { operator, account, .. }| Principal {
            organization: operator.organization_id,
            actor: Actor::Operator(operator.id),
            installation_admin: account.installation_admin.then_some(account.id),
            name: account.name.into(),
            scopes: operator.scopes(),
            reach: operator.reach(),
        }))
    }
}
