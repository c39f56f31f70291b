//! What comes of a try: received, tried again later, given up, or the webhook turned off.

use std::time::Duration;

use super::alerts::{Alert, Alerts};
use super::delivery::{Attempt, DeliveryStatus};
use super::model::WebhookView;
use super::store;
use crate::events::{Change, EventKind};
use crate::store::error::optional;
use crate::store::{Conn, StoreResult};
use clock::chance;
use kernel::{DeliveryId, Moment, Timestamp, WebhookId};

/// The shortest pause before another try; then they are as long as it has been failing.
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// A delivery that failed for so long is given up; where nothing else was received either, the webhook is turned off.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);
/// Somebody is notified when nothing was received for so long.
const ALERT_AFTER: Duration = Duration::from_secs(3_600);

/// Writes down how a try went, and decides what is next.
pub(super) fn settle(
    conn: &mut Conn,
    (webhook, delivery): (WebhookId, DeliveryId),
    attempt: &Attempt,
    (alerts, moment): (&Alerts, &Moment),
) -> StoreResult<()> {
    let Some(mut delivery) = optional(store::find_delivery(conn, webhook, delivery))? else {
        return Ok(()); // its webhook was deleted
    };
    delivery.note(attempt.clone(), moment);
    let Some(error) = &attempt.error else {
        delivery.status = DeliveryStatus::Delivered;
        store::clear_failing(conn, webhook)?;
        return store::update_delivery(conn, &delivery);
    };
    let since = *delivery.failing_since.get_or_insert(moment.now);
    store::note_failing(conn, webhook, moment.now)?;
    let webhook = store::find(conn, delivery.organization_id, webhook)?;
    let failing_for = moment.now.since(since);
    if failing_for < GIVEN_UP_AFTER {
        delivery.next_at = next_try(failing_for, moment.now);
        let silent_since = webhook.failing_since.unwrap_or(moment.now);
        if moment.now.since(silent_since) >= ALERT_AFTER && store::note_alerted(conn, webhook.id, moment.now)? {
            let alert = Alert::Failing(silent_since);
            alerts.queue(conn, &webhook, &alert, error, moment)?;
        }
    } else if webhook.failing_since.is_some_and(|first| first <= since) {
        // It stays pending, for when the webhook is turned on again.
        let reason = format!("no event was received for three days: {error}");
        let off = store::turn_off(conn, webhook, reason, moment)?;
        tracing::error!(webhook = %off.id, "a webhook received nothing for days and was turned off");
        alerts.queue(conn, &off, &Alert::TurnedOff, error, moment)?;
        Change::new(conn, off.organization_id, moment).record(EventKind::WebhookDisabled, &WebhookView::from(off))?;
    } else {
        delivery.status = DeliveryStatus::Failed;
        tracing::warn!(delivery = %delivery.id, error, "an event was not received for days and is given up");
    }
    store::update_delivery(conn, &delivery)
}

/// Each pause doubles the time that it has been failing; a little chance keeps endpoints from being called all at once.
fn next_try(failing_for: Duration, now: Timestamp) -> Timestamp {
    let pause = failing_for.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    now + pause.mul_f64(chance::factor(0.8..1.2))
}
