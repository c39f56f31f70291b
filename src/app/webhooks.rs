//! From the section `[webhooks]` to what the dispatcher is opened with.

use std::time::Duration;

use anyhow::Result;

use super::Config;
use super::config::check_key;
use crate::notify::webhooks::WebhookSettings;

impl Config {
    /// The dispatcher's settings.
    pub fn webhook_settings(&self) -> Result<WebhookSettings> {
        let webhooks = &self.webhooks;
        check_key("webhooks.secret_key", &webhooks.secret_key)?;
        Ok(WebhookSettings {
            secret_key: webhooks.secret_key.clone(),
            allow_private: webhooks.allow_private,
            allow_http: webhooks.allow_http,
            patience: Duration::from_secs(u64::from(webhooks.patience_seconds.get())),
        })
    }
}
