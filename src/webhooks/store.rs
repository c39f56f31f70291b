//! Webhooks and deliveries in the database.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::{Delivery, DeliveryFilter, DeliveryStatus, Webhook, WebhookFilter};
use crate::db::query::{contains, lower};
use crate::db::schema::{webhook_deliveries as deliveries, webhooks};
use crate::db::{Conn, StoreResult};
use crate::events::{self, EventTypes, Told};
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::kernel::*;

/// Events that are taken over at once.
const TAKEN_AT_ONCE: i64 = 200;
/// Pending deliveries among which those are looked for that are first of their key.
const LOOKED_THROUGH: i64 = 1_000;
/// Deliveries of one endpoint that are read at once.
const SENT_AT_ONCE: usize = 16;

pub(super) fn insert(conn: &mut Conn, webhook: &Webhook) -> StoreResult<()> {
    diesel::insert_into(webhooks::table)
        .values(webhook)
        .execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, webhook: &Webhook) -> StoreResult<()> {
    diesel::update(webhooks::table.find(webhook.id))
        .set(webhook)
        .execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, id: WebhookId) -> StoreResult<()> {
    diesel::delete(deliveries::table.filter(deliveries::webhook_id.eq(id))).execute(conn)?;
    diesel::delete(webhooks::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find(
    conn: &mut Conn,
    organization: OrganizationId,
    id: WebhookId,
) -> StoreResult<Webhook> {
    Ok(webhooks::table
        .filter(
            webhooks::organization_id
                .eq(organization)
                .and(webhooks::id.eq(id)),
        )
        .select(Webhook::as_select())
        .first(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<WebhookFilter>,
) -> ApiResult<Page<Webhook>> {
    let filtered = || {
        let mut rows = webhooks::table
            .filter(webhooks::organization_id.eq(organization))
            .into_boxed();
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
    Ok(Page {
        rows: rows.select(Webhook::as_select()).load(conn)?,
        total,
        request: query.page,
    })
}

/// The webhooks of all organizations.
pub(super) fn all(conn: &mut Conn) -> StoreResult<Vec<Webhook>> {
    Ok(webhooks::table
        .order(webhooks::id)
        .select(Webhook::as_select())
        .load(conn)?)
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

/// Makes deliveries of the next events of the log that a webhook wants; false when there are no more events.
pub(super) fn take_over(conn: &mut Conn, webhook: &Webhook, moment: &Moment) -> StoreResult<bool> {
    // Somebody may have changed it since it was read.
    let Some(mut webhook) = webhooks::table
        .filter(webhooks::id.eq(webhook.id).and(webhooks::active.eq(true)))
        .select(Webhook::as_select())
        .first(conn)
        .optional()?
    else {
        return Ok(false);
    };
    let told = events::told_after(conn, webhook.organization_id, webhook.cursor, TAKEN_AT_ONCE)?;
    let Some(last) = told.last() else {
        return Ok(false);
    };
    webhook.cursor = last.cursor;
    let wanted: Option<EventTypes> = webhook.events.parse().ok();
    for event in told {
        if wanted
            .as_ref()
            .is_some_and(|wanted| wanted.fit(&event.kind))
        {
            queue(conn, &Delivery::new(&webhook, event, moment))?;
        }
    }
    diesel::update(webhooks::table.find(webhook.id))
        .set(webhooks::cursor.eq(webhook.cursor))
        .execute(conn)?;
    Ok(true)
}

pub(super) fn queue(conn: &mut Conn, delivery: &Delivery) -> StoreResult<()> {
    diesel::insert_into(deliveries::table)
        .values(delivery)
        .execute(conn)?;
    Ok(())
}

/// The deliveries whose turn it is: of each key the first that is pending.
pub(super) fn due(
    conn: &mut Conn,
    webhook: WebhookId,
    now: Timestamp,
) -> StoreResult<Vec<Delivery>> {
    let pending: Vec<(DeliveryId, String, Timestamp)> = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::status.eq(DeliveryStatus::Pending))
        .order((deliveries::cursor, deliveries::id))
        .limit(LOOKED_THROUGH)
        .select((deliveries::id, deliveries::ordering, deliveries::next_at))
        .load(conn)?;
    let mut seen = BTreeSet::new();
    let first = pending
        .into_iter()
        .filter(|(_, key, _)| seen.insert(key.clone()));
    let due = first
        .filter(|(_, _, next_at)| *next_at <= now)
        .map(|(id, ..)| id);
    let due: Vec<DeliveryId> = due.take(SENT_AT_ONCE).collect();
    Ok(deliveries::table
        .filter(deliveries::id.eq_any(due))
        .select(Delivery::as_select())
        .load(conn)?)
}

/// Tries again now what is pending, for a webhook that was turned on.
pub(super) fn revive(conn: &mut Conn, webhook: WebhookId, now: Timestamp) -> StoreResult<()> {
    diesel::update(deliveries::table)
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::status.eq(DeliveryStatus::Pending))
        .set((deliveries::next_at.eq(now), deliveries::since.eq(now)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn update_delivery(conn: &mut Conn, delivery: &Delivery) -> StoreResult<()> {
    diesel::update(deliveries::table.find(delivery.id))
        .set(delivery)
        .execute(conn)?;
    Ok(())
}

pub(super) fn find_delivery(
    conn: &mut Conn,
    webhook: WebhookId,
    id: DeliveryId,
) -> StoreResult<Delivery> {
    Ok(deliveries::table
        .filter(
            deliveries::webhook_id
                .eq(webhook)
                .and(deliveries::id.eq(id)),
        )
        .select(Delivery::as_select())
        .first(conn)?)
}

pub(super) fn list_deliveries(
    conn: &mut Conn,
    webhook: WebhookId,
    query: &ListQuery<DeliveryFilter>,
) -> ApiResult<Page<Delivery>> {
    let filtered = || {
        let mut rows = deliveries::table
            .filter(deliveries::webhook_id.eq(webhook))
            .into_boxed();
        if let Some(status) = query.filter.status {
            rows = rows.filter(deliveries::status.eq(status));
        }
        if let Some(kind) = &query.filter.kind {
            rows = rows.filter(deliveries::type_.eq(kind.clone()));
        }
        if let Some(text) = &query.search {
            rows = rows.filter(deliveries::type_.like(contains(text)).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, deliveries, filtered(), {
        "type" => deliveries::type_,
        "status" => deliveries::status,
    });
    Ok(Page {
        rows: rows.select(Delivery::as_select()).load(conn)?,
        total,
        request: query.page,
    })
}

impl Delivery {
    /// An event on its way to a webhook.
    pub(super) fn new(webhook: &Webhook, event: Told, moment: &Moment) -> Self {
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
            since: moment.now,
            answer_status: None,
            answer_body: None,
            error: None,
            milliseconds: None,
            created_at: moment.now,
            updated_at: moment.now,
        }
    }
}
