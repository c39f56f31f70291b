//! What a webhook is, what may be said about one, and how a delivery went.

use std::time::Duration;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::guard::Guard;
use super::vault::{Fresh, Opened, Vault};
use crate::db::StoreResult;
use crate::db::schema::{webhook_deliveries, webhooks};
use crate::events::EventTypes;
use crate::filters;
use crate::http::fields::{Field, Mandatory, Path, wrong};
use crate::http::{ApiResult, Faults, Versioned};
use crate::kernel::text::{Note, Text};
use crate::kernel::*;
use crate::{input, json_schema, patch};

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

crate::spelled! {
    /// How a delivery stands.
    pub enum DeliveryStatus {
        /// It is sent again and again.
        Pending = "pending",
        /// The endpoint has it.
        Delivered = "delivered",
        /// The endpoint never took it, and it was given up.
        Failed = "failed",
    }
}
crate::text_column!(spelled DeliveryStatus);

input! {
    /// A new webhook.
    #[schema(example = json!({"url": "https://example.com/events", "events": "session.*"}))]
    pub struct NewWebhook {
        /// Where events are posted to; https, and not in a private network.
        #[schema(example = "https://example.com/events")]
        pub url: Target,
        /// Which events; all when absent.
        pub events: Option<WantedEvents>,
        /// What it is for.
        pub description: Option<Note>,
        /// Whether events are sent; true when absent.
        pub active: Option<bool>,
    }
}

patch! {
    /// Changes of a webhook (JSON merge patch).
    #[schema(example = json!({"active": true}))]
    pub struct WebhookPatch {
        /// Where events are posted to.
        pub url: Target,
        /// Which events.
        pub events: WantedEvents,
        /// What it is for.
        pub description: Note,
        /// Whether events are sent. One that was off goes on with what happens from then on.
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
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub(super) struct Delivery {
    pub id: DeliveryId,
    pub organization_id: OrganizationId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub type_: String,
    /// The event's place in the log.
    pub cursor: i64,
    /// Deliveries of one key are sent one after the other.
    pub ordering: String,
    /// What is posted.
    pub body: String,
    pub status: DeliveryStatus,
    pub attempts: i32,
    pub next_at: Timestamp,
    /// From when on it was tried; it is given up three days later.
    pub since: Timestamp,
    pub answer_status: Option<i32>,
    pub answer_body: Option<String>,
    pub error: Option<String>,
    pub milliseconds: Option<i32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
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
        (organization_id, cursor): (OrganizationId, i64),
        (guard, vault): (Guard, &Vault),
        moment: &Moment,
    ) -> ApiResult<(Self, String)> {
        let mut faults = Faults::default();
        let id = moment.id();
        let Fresh { shown, sealed } = vault.fresh(id)?;
        let webhook = Self {
            id,
            organization_id,
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
        };
        checked(&webhook.url, guard, &mut faults);
        faults.into_body_error()?;
        Ok((webhook, shown))
    }

    /// Applies a patch; `newest` is the end of the log.
    pub fn apply(
        mut self,
        patch: WebhookPatch,
        guard: Guard,
        (newest, moment): (i64, &Moment),
    ) -> ApiResult<Self> {
        let mut faults = Faults::default();
        let was_active = self.active;
        patch
            .url
            .map(String::from)
            .set(&mut self.url, "url", &mut faults);
        patch
            .events
            .map(|events| events.0)
            .apply_or(&mut self.events, "*".to_owned());
        patch
            .description
            .map(String::from)
            .apply(&mut self.description);
        patch.active.apply_or(&mut self.active, true);
        if self.active && !was_active {
            self.cursor = newest;
            self.disabled_reason = None;
        }
        checked(&self.url, guard, &mut faults);
        self.updated_at = moment.version_after(self.updated_at);
        faults.into_body_error()?;
        Ok(self)
    }

    /// Makes another secret and answers it; the one before signs too for a day, unless it is lost.
    pub fn rotate(&mut self, vault: &Vault, moment: &Moment) -> StoreResult<String> {
        let Fresh { shown, sealed } = vault.fresh(self.id)?;
        let before = std::mem::replace(&mut self.secret, sealed);
        self.previous_secret = (!self.secret_lost).then_some(before);
        self.previous_until = (!self.secret_lost).then_some(moment.now + OVERLAP);
        self.secret_lost = false;
        self.updated_at = moment.version_after(self.updated_at);
        Ok(shown)
    }

    /// The secrets that sign at this instant, the newest first; none when that one cannot be opened.
    pub fn secrets(&self, vault: &Vault, now: Timestamp) -> Option<Vec<String>> {
        let open = |stored| match vault.open(self.id, stored) {
            Opened::Sealed(secret) | Opened::Former(secret) => Some(secret),
            Opened::Lost => None,
        };
        let newest = open(&self.secret)?;
        let overlaps = self.previous_until.is_some_and(|until| now < until);
        let previous = self.previous_secret.as_deref().filter(|_| overlaps);
        Some(
            std::iter::once(newest)
                .chain(previous.and_then(open))
                .collect(),
        )
    }
}

/// A webhook as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: WebhookId,
    /// Where events are posted to.
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
        Self {
            secret: Some(secret),
            ..self
        }
    }
}

impl Versioned for WebhookView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

/// A delivery as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeliveryView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: DeliveryId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// The event; its id is the same at every try.
    pub event: EventId,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "session.started")]
    pub kind: String,
    /// How it stands.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub next_at: Option<Timestamp>,
    /// What was posted.
    pub request_body: String,
    /// The HTTP status of the last answer.
    pub response_status: Option<i32>,
    /// The beginning of the last answer.
    pub response_body: Option<String>,
    /// What was wrong, at the last try.
    pub error: Option<String>,
    /// How long the last try took.
    pub milliseconds: Option<i32>,
    /// When the event was taken over.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it was last tried.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let pending = delivery.status == DeliveryStatus::Pending;
        Self {
            id: delivery.id,
            webhook: delivery.webhook_id,
            event: delivery.event_id,
            kind: delivery.type_,
            status: delivery.status,
            attempts: delivery.attempts,
            next_at: pending.then_some(delivery.next_at),
            request_body: delivery.body,
            response_status: delivery.answer_status,
            response_body: delivery.answer_body,
            error: delivery.error,
            milliseconds: delivery.milliseconds,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

impl Versioned for DeliveryView {
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

filters! {
    /// Filters of deliveries.
    pub struct DeliveryFilter {
        /// Only those that stand so.
        #[param(inline)]
        pub status: DeliveryStatus,
        /// Only events of this type.
        pub kind as "type": String,
    }
}
