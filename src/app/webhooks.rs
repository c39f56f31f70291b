//! From the sections `[webhooks]` and `[events]` to what the courier is opened with, and to how long its traces are kept.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Config;
use super::config::check_key;
use crate::webhooks::{Retention, WebhookSettings};

/// Webhooks are tried for so long.
const FEWEST_DAYS: u32 = 3;

fn days(count: NonZeroU32) -> Duration {
    Duration::from_secs(u64::from(count.get()) * 24 * 3_600)
}

impl Config {
    /// The courier's settings.
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

    /// How long events and deliveries are kept.
    pub fn retention(&self) -> Result<Retention> {
        let kept = self.events.keep_days;
        if kept.get() < FEWEST_DAYS {
            bail!(
                "events.keep_days is {kept}, but must be at least {FEWEST_DAYS}: webhooks are tried for so long"
            );
        }
        Ok(Retention {
            events: days(kept),
            deliveries: days(self.webhooks.keep_days),
        })
    }
}
