//! What a webhook is, and what may be said about one.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::guard::Guard;
use super::secret_store::{Fresh, Opened, SecretStore};
use crate::events::EventTypes;
use crate::filters;
use crate::http::fields::{Field, Mandatory, Path, wrong};
use crate::http::{ApiResult, Faults, Principal, Versioned};
use crate::people::users::Email;
use crate::store::schema::webhooks;
use crate::store::{Json, StoreResult};
use crate::{input, json_schema, patch};
use kernel::text::{Note, Text};
use kernel::*;

/// How long the secret before still signs after a rotation.
pub(super) const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// The address of an endpoint.
pub type Target = Text<1, 2000>;

/// Which events an endpoint wants, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEvents(pub String);

json_schema!(WantedEvents, {
    "type": "string", "minLength": 1, "maxLength": 2000, "example": "session.*,chargestation.online",
    "description": "Names of docs/EVENTS.md with commas between; * stands for anything."
});

impl Field for WantedEvents {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.as_str().filter(|text| text.len() <= 2_000);
        let known = text.filter(|text| text.parse::<EventTypes>().is_ok());
        known.map(|text| Self(text.to_owned())).or_else(|| {
            let must = "names of docs/EVENTS.md with commas between, such as session.*,chargestation.online";
            wrong(at, faults, must)
        })
    }
}

input! {
    /// A new webhook.
    #[schema(example = json!({"url": "https://example.com/events", "events": "session.*"}))]
    pub struct NewWebhook {
        /// Where events are sent by POST; https, and not in a private network.
        #[schema(example = "https://example.com/events")]
        pub url: Target,
        /// Which events; all when absent.
        pub events: Option<WantedEvents>,
        /// What it is for.
        pub description: Option<Note>,
        /// Who is written to when nothing was received for an hour, and when the server turns it off; needs a mail server.
        pub alert_email: Option<Email>,
        /// Whether events are sent; true when absent.
        pub active: Option<bool>,
    }
}

patch! {
    /// Changes of a webhook (JSON merge patch).
    #[schema(example = json!({"active": true}))]
    pub struct WebhookPatch {
        /// Where events are sent by POST.
        pub url: Target,
        /// Which events.
        pub events: WantedEvents,
        /// What it is for.
        pub description: Note,
        /// Who is written to when it receives nothing.
        pub alert_email: Email,
        /// Whether events are sent. One that was off goes on where it stopped, as far as the log still goes back.
        pub active: bool,
    }
}

/// A stored webhook.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub(super) struct Webhook {
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    pub url: String,
    pub events: String,
    pub description: Option<String>,
    pub active: bool,
    /// Sealed, as the one before.
    pub secret: String,
    pub previous_secret: Option<String>,
    pub previous_until: Option<Timestamp>,
    /// The place in the log up to which events were taken over into deliveries.
    pub cursor: i64,
    /// Why it was turned off by the server.
    pub disabled_reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The secret was sealed with a key that the server does not have: it cannot sign.
    pub secret_lost: bool,
    pub alert_email: Option<String>,
    /// Since when every try failed, whatever the event.
    pub failing_since: Option<Timestamp>,
    /// When somebody was notified of that.
    pub alerted_at: Option<Timestamp>,
    /// The scopes of the key that made or last changed it; everything where it is older than them.
    pub scopes: Option<Json<BTreeSet<String>>>,
}

fn checked(url: &str, guard: Guard, faults: &mut Faults) {
    if let Err(refused) = guard.check(url) {
        faults.add("url", "invalid", refused.to_string());
    }
}

impl Webhook {
    /// A new webhook, and its secret.
    pub fn new(
        new: NewWebhook,
        (caller, cursor): (&Principal, i64),
        (guard, vault): (Guard, &SecretStore),
        moment: &Moment,
    ) -> ApiResult<(Self, String)> {
        let mut faults = Faults::default();
        let id = moment.id();
        let Fresh { shown, sealed } = vault.fresh(id)?;
        let webhook = Self {
            id,
            organization_id: caller.organization,
            url: new.url.into(),
            events: new.events.map_or_else(|| "*".to_owned(), |events| events.0),
            description: new.description.map(String::from),
            active: new.active.unwrap_or(true),
            secret: sealed,
            previous_secret: None,
            previous_until: None,
            cursor,
            disabled_reason: None,
            created_at: moment.now,
            updated_at: moment.now,
            secret_lost: false,
            alert_email: new.alert_email.map(String::from),
            failing_since: None,
            alerted_at: None,
            scopes: Some(Json((*caller.scopes).clone())),
        };
        checked(&webhook.url, guard, &mut faults);
        faults.into_body_error()?;
        Ok((webhook, shown))
    }

    /// Applies a patch.
    pub fn apply(
        mut self,
        patch: WebhookPatch,
        (caller, guard): (&Principal, Guard),
        moment: &Moment,
    ) -> ApiResult<Self> {
        let mut faults = Faults::default();
        let was_active = self.active;
        self.scopes = Some(Json((*caller.scopes).clone()));
        patch.url.map(String::from).set(&mut self.url, "url", &mut faults);
        patch.events.map(|events| events.0).apply_or(&mut self.events, "*".to_owned());
        patch.description.map(String::from).apply(&mut self.description);
        patch.alert_email.map(String::from).apply(&mut self.alert_email);
        patch.active.apply_or(&mut self.active, true);
        if self.active && !was_active {
            self.disabled_reason = None;
            (self.failing_since, self.alerted_at) = (None, None);
        }
        checked(&self.url, guard, &mut faults);
        self.updated_at = moment.version_after(self.updated_at);
        faults.into_body_error()?;
        Ok(self)
    }

    /// Of these events, or of those that it wants, the ones that its maker could read.
    pub fn may_tell(&self, asked: Option<&WantedEvents>) -> EventTypes {
        let text = asked.map_or(&self.events, |asked| &asked.0);
        let wanted = text.parse().unwrap_or_default();
        let scopes = self.scopes.as_ref();
        let may = |scope: &str| scopes.is_none_or(|Json(scopes)| scopes.contains("*") || scopes.contains(scope));
        EventTypes::seen_with(Some(wanted), may).unwrap_or_default()
    }

    /// Makes another secret and answers it; the one before signs too for a day, unless it is lost.
    pub fn rotate(&mut self, vault: &SecretStore, moment: &Moment) -> StoreResult<String> {
        let Fresh { shown, sealed } = vault.fresh(self.id)?;
        let before = std::mem::replace(&mut self.secret, sealed);
        self.previous_secret = (!self.secret_lost).then_some(before);
        self.previous_until = (!self.secret_lost).then_some(moment.now + OVERLAP);
        self.secret_lost = false;
        self.updated_at = moment.version_after(self.updated_at);
        Ok(shown)
    }

    /// The secrets that sign at this instant, the newest first; none when that one cannot be opened.
    pub fn secrets(&self, vault: &SecretStore, now: Timestamp) -> Option<Vec<String>> {
        let open = |stored| match vault.open(self.id, stored) {
            Opened::Sealed(secret) | Opened::Former(secret) => Some(secret),
            Opened::Lost => None,
        };
        let newest = open(&self.secret)?;
        let overlaps = self.previous_until.is_some_and(|until| now < until);
        let previous = self.previous_secret.as_deref().filter(|_| overlaps);
        Some(std::iter::once(newest).chain(previous.and_then(open)).collect())
    }
}

/// A webhook as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: WebhookId,
    /// Where events are sent by POST.
    pub url: String,
    /// Which events.
    #[schema(example = "session.*")]
    pub events: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether events are sent.
    pub active: bool,
    /// Why the server turned it off.
    pub disabled_reason: Option<String>,
    /// Who is written to when it receives nothing.
    pub alert_email: Option<String>,
    /// Since when it received nothing, although it was tried.
    pub failing_since: Option<Timestamp>,
    /// The server's key is not the one that sealed the secret (`webhooks.secret_key`): nothing is sent until the secret is
    /// rotated, or the key is back.
    pub secret_lost: bool,
    /// The secret that signs; shown when it was made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until when the secret before signs too.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events,
            description: webhook.description,
            active: webhook.active,
            disabled_reason: webhook.disabled_reason,
            alert_email: webhook.alert_email,
            failing_since: webhook.failing_since,
            secret_lost: webhook.secret_lost,
            secret: None,
            previous_secret_until: webhook.previous_until,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl WebhookView {
    /// With the secret, for the answer to whoever had it made.
    pub(super) fn with_secret(self, secret: String) -> Self {
        Self { secret: Some(secret), ..self }
    }
}

impl Versioned for WebhookView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of webhooks.
    pub struct WebhookFilter {
        /// Only those that are on or off.
        pub active: bool,
    }
}
