//! What a delivery is: an event on its way to a webhook, and each try.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::model::Webhook;
use crate::events::WebhookPayload;
use crate::filters;
use crate::http::Versioned;
use crate::store::Json;
use crate::store::schema::webhook_deliveries;
use kernel::*;

/// Tries of one delivery that are kept, the last ones.
const ATTEMPTS_KEPT: usize = 20;

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

/// A try to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    /// When it was sent.
    pub at: Timestamp,
    /// The headers that were chosen for it.
    pub request_headers: BTreeMap<String, String>,
    /// The HTTP status of the answer.
    pub response_status: Option<u16>,
    /// The beginning of the answer, at most 1 KiB.
    pub response_body: Option<String>,
    /// Why the event was not received.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: u32,
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
    /// What is sent.
    pub body: String,
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i32,
    pub next_at: Timestamp,
    /// Since when every try failed.
    pub failing_since: Option<Timestamp>,
    /// The last tries, oldest first.
    pub history: Json<Vec<Attempt>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A delivery that is next: the first of its key.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Head {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub id: DeliveryId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub ordering: String,
}

impl Delivery {
    pub(super) fn new(webhook: &Webhook, event: WebhookPayload, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id: webhook.organization_id,
            webhook_id: webhook.id,
            event_id: event.id,
            type_: event.kind,
            cursor: event.cursor,
            ordering: event.ordering,
            body: event.body,
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_at: moment.now,
            failing_since: None,
            history: Json(Vec::new()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Notes a try.
    pub(super) fn note(&mut self, attempt: Attempt, moment: &Moment) {
        let Json(history) = &mut self.history;
        history.push(attempt);
        let too_many = history.len().saturating_sub(ATTEMPTS_KEPT);
        history.drain(..too_many);
        self.attempts += 1;
        self.updated_at = moment.version_after(self.updated_at);
    }

    /// Has it sent as if it had never been tried.
    pub(super) fn send_again(&mut self, moment: &Moment) {
        self.status = DeliveryStatus::Pending;
        self.next_at = moment.now;
        self.failing_since = None;
        self.updated_at = moment.version_after(self.updated_at);
    }
}

/// A delivery as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DeliveryView {
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
    pub attempt_count: i32,
    /// When it is tried next, while it is pending.
    pub next_at: Option<Timestamp>,
    /// Since when every try failed.
    pub failing_since: Option<Timestamp>,
    /// The HTTP status of the last answer.
    pub response_status: Option<u16>,
    /// Why the event was not received, at the last try.
    pub error: Option<String>,
    /// How long the last try took.
    pub milliseconds: Option<u32>,
    /// What is sent.
    pub request_body: String,
    /// Each try, oldest first, the last 20 of them; only where one delivery is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
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
        let Json(mut history) = delivery.history;
        let last = history.pop();
        Self {
            id: delivery.id,
            webhook: delivery.webhook_id,
            event: delivery.event_id,
            kind: delivery.type_,
            status: delivery.status,
            attempt_count: delivery.attempts,
            next_at: pending.then_some(delivery.next_at),
            failing_since: delivery.failing_since,
            response_status: last.as_ref().and_then(|last| last.response_status),
            milliseconds: last.as_ref().map(|last| last.milliseconds),
            error: last.and_then(|last| last.error),
            request_body: delivery.body,
            attempts: None,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

impl DeliveryView {
    /// With each try.
    pub(super) fn with_attempts(delivery: Delivery) -> Self {
        let Json(attempts) = delivery.history.clone();
        Self { attempts: Some(attempts), ..delivery.into() }
    }
}

impl Versioned for DeliveryView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of deliveries.
    pub(crate) struct DeliveryFilter {
        /// Only those that stand so.
        #[param(inline)]
        pub status: DeliveryStatus,
        /// Only events of this type.
        pub kind as "type": String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::CountingIds;

    #[test]
    fn only_the_last_tries_are_kept() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let moment = Moment::new(now, std::sync::Arc::new(CountingIds::default()));
        let mut delivery = Delivery {
            id: moment.id(),
            organization_id: moment.id(),
            webhook_id: moment.id(),
            event_id: moment.id(),
            type_: "location.created".to_owned(),
            cursor: 1,
            ordering: "location".to_owned(),
            body: "{}".to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_at: now,
            failing_since: None,
            history: Json(Vec::new()),
            created_at: now,
            updated_at: now,
        };
        for number in 0..25 {
            let attempt = Attempt {
                at: now,
                request_headers: BTreeMap::new(),
                response_status: None,
                response_body: None,
                error: None,
                milliseconds: number,
            };
            delivery.note(attempt, &moment);
        }
        let kept = delivery.history.0.iter().map(|one| one.milliseconds);
        assert_eq!(kept.collect::<Vec<_>>(), (5..25).collect::<Vec<_>>());
        assert_eq!(delivery.attempts, 25);
    }
}
