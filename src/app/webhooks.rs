//! From the section `[webhooks]` to what the courier is opened with.

use std::time::Duration;

use anyhow::Result;

use super::config::{Webhooks, check_key};
use crate::webhooks::WebhookSettings;

impl Webhooks {
    /// The courier's settings.
    pub fn settings(&self) -> Result<WebhookSettings> {
        check_key("webhooks.secret_key", &self.secret_key)?;
        Ok(WebhookSettings {
            secret_key: self.secret_key.clone(),
            allow_private: self.allow_private,
            allow_http: self.allow_http,
            patience: Duration::from_secs(u64::from(self.patience_seconds.get())),
        })
    }
}
