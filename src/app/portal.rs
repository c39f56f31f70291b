//! From the sections `[portal]` and `[mail]` to what the portal is opened with.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Config;
use super::config::{Mail, check_key};
use crate::charging::driver::DriverLinks;
use crate::home::portal::{MailSettings, PortalSettings, Security};
use crate::http::middleware::RateLimit;
use crate::panel::operators::PanelLinks;
use kernel::spelled::Spelled;

pub(super) fn times(count: NonZeroU32, seconds: u64) -> Duration {
    Duration::from_secs(u64::from(count.get()) * seconds)
}

impl Config {
    /// The portal's settings; its pages are at `/portal` of this address unless it is configured where.
    pub fn portal_settings(&self, address: &str, panel: PanelLinks, driver: DriverLinks) -> Result<PortalSettings> {
        let portal = &self.portal;
        let key = portal.signing_key.clone();
        check_key("portal.signing_key", &key)?;
        let url = match portal.url.as_str() {
            "" => format!("{address}/portal"),
            url => url.to_owned(),
        };
        Ok(PortalSettings {
            url,
            signing_key: key,
            access: times(portal.access_minutes, 60),
            login: times(portal.login_days, 24 * 3_600),
            invitation: times(portal.invitation_hours, 3_600),
            reset: times(portal.reset_minutes, 60),
            rate: RateLimit { per_second: portal.rate_per_second, burst: portal.rate_burst },
            mail: self.mail_settings()?,
            operator_letters: Arc::new(panel),
            driver_letters: Arc::new(driver),
        })
    }

    /// The mail server's settings, where there is one.
    pub fn mail_settings(&self) -> Result<Option<MailSettings>> {
        mail_settings(&self.mail)
    }
}

fn mail_settings(mail: &Mail) -> Result<Option<MailSettings>> {
    if mail.host.is_empty() {
        return Ok(None);
    }
    let security = Security::from_spelling(&mail.security).with_context(|| {
        let (given, choices) = (&mail.security, Security::choices());
        format!("mail.security is \"{given}\", but must be one of {choices}")
    })?;
    let authority = match mail.authority.as_os_str().is_empty() {
        true => None,
        false => Some(
            std::fs::read(&mail.authority)
                .with_context(|| format!("mail.authority: {} cannot be read", mail.authority.display()))?,
        ),
    };
    let login = (!mail.user.is_empty()).then(|| (mail.user.clone(), mail.password.clone()));
    Ok(Some(MailSettings {
        host: mail.host.clone(),
        port: mail.port,
        security,
        login,
        from: mail.from.clone(),
        authority,
    }))
}
