//! From the section `[panel]` to how operators' accounts are kept.

use anyhow::Result;

use super::Config;
use super::config::check_key;
use super::portal::times;
use crate::http::Context;
use crate::http::middleware::RateLimit;
use crate::panel::operators::{AccountSettings, PanelLinks};
use crate::store::secrets;

/// The name of the key that seals second factors.
const SECRET_KEY: &str = "panel_secret_key";

impl Config {
    /// Where the panel's pages are: at `/panel` of this address unless it is configured where.
    pub fn panel_links(&self, address: &str) -> PanelLinks {
        let panel = &self.panel;
        let url = match panel.url.as_str() {
            "" => format!("{address}/panel"),
            url => url.trim_end_matches('/').to_owned(),
        };
        PanelLinks { url, invitation: times(panel.invitation_hours, 3_600), reset: times(panel.reset_minutes, 60) }
    }

    /// How operators' accounts are kept; a key that nobody configured is made once and kept in the store.
    pub async fn account_settings(&self, context: &Context) -> Result<AccountSettings> {
        let panel = &self.panel;
        check_key("panel.secret_key", &panel.secret_key)?;
        let is_kept = panel.secret_key.is_empty();
        secrets::log_where_kept("panel.secret_key", is_kept, context.db.url());
        let now = context.clock.now();
        let secret_key = match is_kept {
            true => context.db.write(move |conn| secrets::keep(conn, SECRET_KEY, now)).await?,
            false => panel.secret_key.clone(),
        };
        Ok(AccountSettings {
            login: times(panel.login_days, 24 * 3_600),
            unused: times(panel.login_hours, 3_600),
            secret_key,
            rate: RateLimit { per_second: panel.rate_per_second, burst: panel.rate_burst },
        })
    }
}
