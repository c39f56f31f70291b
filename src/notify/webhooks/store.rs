//! Webhooks and deliveries in the database.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::delivery::{Delivery, DeliveryFilter, DeliveryStatus, Head};
use super::model::{Webhook, WebhookFilter};
use crate::events::{self, EventKind, Forgotten};
use crate::http::ApiResult;
use crate::http::caller::{Permission as _, ReadAudit};
use crate::http::query::ListQuery;
use crate::store::changes::Changes;
use crate::store::columns::Instant;
use crate::store::error::optional;
use crate::store::query::{contains, lower};
use crate::store::schema::{webhook_deliveries as deliveries, webhooks};
use crate::store::{Conn, StoreResult};
use crate::{each, fetch_page, forget_found};
use kernel::id::RawId;
use kernel::*;

/// Events that are taken over at once.
const TAKEN_AT_ONCE: i64 = 200;
/// Deliveries that are deleted in one go, so that others can write in between.
const DELETED_AT_ONCE: i64 = 500;

pub(super) fn insert(conn: &mut Conn, webhook: &Webhook) -> StoreResult<()> {
    diesel::insert_into(webhooks::table).values(webhook).execute(conn)?;
    CHANGES.note(ANY);
    Ok(())
}

pub(super) fn update(conn: &mut Conn, webhook: &Webhook) -> StoreResult<()> {
    diesel::update(webhooks::table.find(webhook.id)).set(webhook).execute(conn)?;
    CHANGES.note(ANY);
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, id: WebhookId) -> StoreResult<()> {
    diesel::delete(deliveries::table.filter(deliveries::webhook_id.eq(id))).execute(conn)?;
    diesel::delete(webhooks::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: WebhookId) -> StoreResult<Webhook> {
    Ok(webhooks::table
        .filter(webhooks::organization_id.eq(organization).and(webhooks::id.eq(id)))
        .select(Webhook::as_select())
        .first(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<WebhookFilter>,
) -> ApiResult<Page<Webhook>> {
    let filtered = || {
        let mut rows = webhooks::table.filter(webhooks::organization_id.eq(organization)).into_boxed();
        if let Some(active) = query.filter.active {
            rows = rows.filter(webhooks::active.eq(active));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(webhooks::url.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(webhooks::description).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, webhooks, filtered(), { "url" => webhooks::url });
    Ok(Page { rows: rows.select(Webhook::as_select()).load(conn)?, total, request: query.page })
}

/// The webhooks of all organizations.
pub(super) fn all(conn: &mut Conn) -> StoreResult<Vec<Webhook>> {
    Ok(webhooks::table.order(webhooks::id).select(Webhook::as_select()).load(conn)?)
}

/// The webhooks of all organizations that are on and can sign.
pub(super) fn active(conn: &mut Conn) -> StoreResult<Vec<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::active.eq(true))
        .filter(webhooks::secret_lost.eq(false))
        .order(webhooks::id)
        .select(Webhook::as_select())
        .load(conn)?)
}

/// When webhooks are made or changed, any of them.
static CHANGES: Changes = Changes::new();
const ANY: RawId = RawId::from_bytes([0; 12]);

/// How often webhooks were made or changed in this process; to be asked before they are read.
pub(super) fn changes() -> u64 {
    CHANGES.of(ANY)
}

/// Those of them for which the log has more. One that receives nothing need not be looked at as soon as there is.
pub(super) fn behind(conn: &mut Conn) -> StoreResult<Vec<Webhook>> {
    let mut newest = BTreeMap::new();
    let mut found = Vec::new();
    let receiving = active(conn)?.into_iter().filter(|webhook| webhook.failing_since.is_none());
    for webhook in receiving {
        let organization = webhook.organization_id;
        let newest = match newest.entry(organization) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(events::latest_cursor(conn, organization)?),
        };
        if webhook.cursor < newest {
            found.push(webhook);
        }
    }
    Ok(found)
}

/// The webhook, while it is on and can sign.
fn find_active(conn: &mut Conn, id: WebhookId) -> StoreResult<Option<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::id.eq(id))
        .filter(webhooks::active.eq(true))
        .filter(webhooks::secret_lost.eq(false))
        .select(Webhook::as_select())
        .first(conn)
        .optional()?)
}

/// Makes deliveries of the next events of the log that a webhook wants; false when there were none.
pub(super) fn take_over(conn: &mut Conn, id: WebhookId, moment: &Moment) -> StoreResult<bool> {
    let Some(webhook) = find_active(conn, id)? else {
        return Ok(false);
    };
    let payloads = events::payloads_after(
        conn,
        webhook.organization_id,
        (webhook.cursor, TAKEN_AT_ONCE),
        webhook.may(ReadAudit::SCOPE),
    )?;
    let Some(last) = payloads.last().map(|event| event.cursor) else {
        return Ok(false);
    };
    let wanted = webhook.may_send(None);
    for event in payloads.into_iter().filter(|event| wanted.fit(&event.kind)) {
        queue(conn, &Delivery::new(&webhook, event, moment))?;
    }
    diesel::update(webhooks::table.find(id)).set(webhooks::cursor.eq(last)).execute(conn)?;
    Ok(true)
}

/// Whether the log has more for a webhook that is on.
pub(super) fn is_behind(conn: &mut Conn, id: WebhookId) -> StoreResult<bool> {
    let Some(webhook) = find_active(conn, id)? else {
        return Ok(false);
    };
    Ok(webhook.cursor < events::latest_cursor(conn, webhook.organization_id)?)
}

/// Makes a delivery, unless the webhook has one of this event.
pub(super) fn queue(conn: &mut Conn, delivery: &Delivery) -> StoreResult<()> {
    each!(conn, |conn| diesel::insert_into(deliveries::table).values(delivery).on_conflict_do_nothing().execute(conn))?;
    Ok(())
}

/// Steps by the index of what is pending from the first delivery of a key to that of the next, so that what waits behind
/// them costs nothing, and stops at the limit. It has no ORDER BY, for which all keys would have to be read first.
const HEADS: &str = "
    WITH RECURSIVE heads (id, ordering, next_at) AS (
        SELECT d.id, d.ordering, d.next_at FROM webhook_deliveries d
        WHERE d.id = (
            SELECT n.id FROM webhook_deliveries n
            WHERE n.webhook_id = $1 AND n.status = 'pending' AND n.ordering > $2
            ORDER BY n.ordering, n.cursor, n.id LIMIT 1)
        UNION ALL
        SELECT d.id, d.ordering, d.next_at FROM heads JOIN webhook_deliveries d
        ON d.id = (
            SELECT n.id FROM webhook_deliveries n
            WHERE n.webhook_id = $1 AND n.status = 'pending' AND n.ordering > heads.ordering
            ORDER BY n.ordering, n.cursor, n.id LIMIT 1)
    )
    SELECT id, ordering FROM heads WHERE next_at <= $3 LIMIT $4";

/// The deliveries that are next, of the keys after one: of each key the first that is pending, if its pause is over.
pub(super) fn heads(
    conn: &mut Conn,
    webhook: WebhookId,
    now: Timestamp,
    (after, limit): (&str, usize),
) -> StoreResult<Vec<Head>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(each!(conn, |conn| diesel::sql_query(HEADS)
        .bind::<Text, _>(webhook)
        .bind::<Text, _>(after)
        .bind::<Instant, _>(now)
        .bind::<BigInt, _>(limit)
        .load(conn))?)
}

/// A delivery that may be sent, and where: while both are as they were when it was found.
pub(super) fn find_to_send(
    conn: &mut Conn,
    webhook: WebhookId,
    delivery: DeliveryId,
) -> StoreResult<Option<(Webhook, Delivery)>> {
    let webhook_row = find_active(conn, webhook)?;
    let delivery = optional(find_delivery(conn, webhook, delivery))?;
    let pending = delivery.filter(|one| one.status == DeliveryStatus::Pending);
    Ok(webhook_row.zip(pending))
}

/// Notes that something was received.
pub(super) fn clear_failing(conn: &mut Conn, webhook: WebhookId) -> StoreResult<()> {
    let failing = webhooks::table.find(webhook).filter(webhooks::failing_since.is_not_null());
    diesel::update(failing)
        .set((webhooks::failing_since.eq(None::<Timestamp>), webhooks::alerted_at.eq(None::<Timestamp>)))
        .execute(conn)?;
    Ok(())
}

/// Notes that something was not received, unless that is known.
pub(super) fn note_failing(conn: &mut Conn, webhook: WebhookId, now: Timestamp) -> StoreResult<()> {
    let well = webhooks::table.find(webhook).filter(webhooks::failing_since.is_null());
    diesel::update(well).set(webhooks::failing_since.eq(now)).execute(conn)?;
    Ok(())
}

/// Notes that somebody is notified; false when somebody was before.
pub(super) fn note_alerted(conn: &mut Conn, webhook: WebhookId, now: Timestamp) -> StoreResult<bool> {
    let not_alerted = webhooks::table.find(webhook).filter(webhooks::alerted_at.is_null());
    let noted = diesel::update(not_alerted).set(webhooks::alerted_at.eq(now)).execute(conn)?;
    Ok(noted == 1)
}

/// Turns a webhook off and answers what it is now.
pub(super) fn turn_off(conn: &mut Conn, mut webhook: Webhook, reason: String, moment: &Moment) -> StoreResult<Webhook> {
    webhook.active = false;
    webhook.disabled_reason = Some(reason);
    webhook.updated_at = moment.version_after(webhook.updated_at);
    diesel::update(webhooks::table.find(webhook.id))
        .set((
            webhooks::active.eq(webhook.active),
            webhooks::disabled_reason.eq(&webhook.disabled_reason),
            webhooks::updated_at.eq(webhook.updated_at),
        ))
        .execute(conn)?;
    Ok(webhook)
}

/// Has everything sent now that is pending, for a webhook that can receive again.
pub(super) fn revive(conn: &mut Conn, webhook: WebhookId, now: Timestamp) -> StoreResult<()> {
    diesel::update(deliveries::table)
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::status.eq(DeliveryStatus::Pending))
        .set((deliveries::next_at.eq(now), deliveries::failing_since.eq(None::<Timestamp>)))
        .execute(conn)?;
    Ok(())
}

/// Has these events of the log sent again: answers how many were not waiting to be sent anyway.
pub(super) fn resend(conn: &mut Conn, webhook: &Webhook, cursors: &[i64], moment: &Moment) -> StoreResult<u32> {
    let payloads = events::payloads_at(conn, webhook.organization_id, cursors, webhook.may(ReadAudit::SCOPE))?;
    let ids: Vec<EventId> = payloads.iter().map(|event| event.id).collect();
    let known: Vec<Delivery> = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook.id))
        .filter(deliveries::event_id.eq_any(ids))
        .select(Delivery::as_select())
        .load(conn)?;
    let mut known: BTreeMap<EventId, Delivery> = known.into_iter().map(|one| (one.event_id, one)).collect();
    let mut count = 0;
    for event in payloads {
        match known.remove(&event.id) {
            Some(waiting) if waiting.status == DeliveryStatus::Pending => continue,
            Some(mut delivery) => {
                delivery.send_again(moment);
                update_delivery(conn, &delivery)?;
            }
            None => queue(conn, &Delivery::new(webhook, event, moment))?,
        }
        count += 1;
    }
    Ok(count)
}

pub(super) fn update_delivery(conn: &mut Conn, delivery: &Delivery) -> StoreResult<()> {
    diesel::update(deliveries::table.find(delivery.id)).set(delivery).execute(conn)?;
    Ok(())
}

/// Since when the delivery has been over that has been over longest.
pub fn oldest_over(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(deliveries::table
        .filter(deliveries::status.ne(sql::<Text>("'pending'"))) // as the index has it
        .order(deliveries::updated_at)
        .select(deliveries::updated_at)
        .first(conn)
        .optional()?)
}

/// Deletes some deliveries that have been over since before an instant.
pub(super) fn forget_deliveries(conn: &mut Conn, before: Timestamp) -> StoreResult<Forgotten> {
    let old = deliveries::table
        .filter(deliveries::status.ne(sql::<Text>("'pending'"))) // as the index has it
        .filter(deliveries::updated_at.lt(before))
        .order(deliveries::updated_at)
        .limit(DELETED_AT_ONCE);
    forget_found!(conn, deliveries, DeliveryId, old)
}

pub(super) fn find_delivery(conn: &mut Conn, webhook: WebhookId, id: DeliveryId) -> StoreResult<Delivery> {
    Ok(deliveries::table
        .filter(deliveries::webhook_id.eq(webhook).and(deliveries::id.eq(id)))
        .select(Delivery::as_select())
        .first(conn)?)
}

pub(super) fn list_deliveries(
    conn: &mut Conn,
    webhook: WebhookId,
    query: &ListQuery<DeliveryFilter>,
) -> ApiResult<Page<Delivery>> {
    let filtered = || {
        let mut rows = deliveries::table.filter(deliveries::webhook_id.eq(webhook)).into_boxed();
        if let Some(status) = query.filter.status {
            rows = rows.filter(deliveries::status.eq(status));
        }
        if let Some(kind) = &query.filter.kind {
            rows = rows.filter(deliveries::type_.eq(kind.clone()));
        }
        if let Some(text) = &query.search {
            let text = text.to_lowercase();
            let names = EventKind::all().map(EventKind::name);
            let named: Vec<_> = names.filter(|name| name.contains(&text)).collect();
            rows = rows.filter(deliveries::type_.eq_any(named));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, deliveries, filtered(), {
        "type" => deliveries::type_,
        "status" => deliveries::status,
    });
    Ok(Page { rows: rows.select(Delivery::as_select()).load(conn)?, total, request: query.page })
}
