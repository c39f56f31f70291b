//! The endpoints of webhooks and of their deliveries.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::delivery::{Delivery, DeliveryFilter, DeliveryView};
use super::dispatcher::Dispatcher;
use super::model::*;
use super::{resend, store};
use crate::events::{self, Change, EventKind, WebhookPayload};
use crate::http::caller::{Permission as _, ReadAudit, ReadWebhooks, WriteWebhooks};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, PartErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, PathIds};
use crate::store::{StoreError, StoreResult};
use kernel::{DeliveryId, WebhookId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(update_webhook)
        .service(delete_webhook)
        .service(rotate_webhook_secret)
        .service(test_webhook)
        .service(list_webhook_deliveries)
        .service(get_webhook_delivery)
        .service(resend::resend_events)
        .service(resend_webhook_delivery);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "webhook")
}

fn recorded(change: &mut Change<'_>, webhook: &Webhook, kind: EventKind) -> StoreResult<WebhookView> {
    let view = WebhookView::from(webhook.clone());
    change.record(kind, &view)?;
    Ok(view)
}

/// Lists webhooks.
#[utoipa::path(tag = "webhooks", params(ListParameters, WebhookFilter),
    responses((status = OK, body = ListReply<WebhookView>), ListErrors))]
#[get("/webhooks")]
async fn list_webhooks(
    caller: Caller<ReadWebhooks>,
    ctx: Ctx,
    query: ListQuery<WebhookFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(WebhookView::from)))
        .await
}

/// Creates a webhook; this answer is the only place that shows its secret. It gets what happens from now on.
#[utoipa::path(tag = "webhooks", request_body = NewWebhook,
    responses((status = CREATED, body = Reply<WebhookView>), WriteErrors))]
#[post("/webhooks")]
async fn create_webhook(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    dispatcher: web::Data<Dispatcher>,
    Body(new): Body<NewWebhook>,
) -> ApiResult<Created<WebhookView>> {
    let caller = caller.principal;
    ctx.change(caller.organization)
        .answer(move |change| {
            let newest = events::latest_cursor(change.conn, change.organization)?;
            let tools = (dispatcher.sender.guard, &*dispatcher.sender.secret_store);
            let (webhook, secret) = Webhook::new(new.clone(), (&caller, newest), tools, change.moment)?;
            store::insert(change.conn, &webhook)?;
            let view = recorded(change, &webhook, EventKind::WebhookCreated)?;
            Ok(Created(view.with_secret(secret)))
        })
        .await
}

/// Reads a webhook.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = OK, body = Reply<WebhookView>), OneErrors))]
#[get("/webhooks/{id}")]
async fn get_webhook(
    caller: Caller<ReadWebhooks>,
    ctx: Ctx,
    PathId(id): PathId<WebhookId>,
) -> ApiResult<Found<WebhookView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| store::find(conn, organization, id));
    Ok(Found(found.await.map_err(missing)?.into()))
}

/// Changes a webhook (JSON merge patch).
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    request_body = WebhookPatch, responses((status = OK, body = Reply<WebhookView>), WriteErrors))]
#[patch("/webhooks/{id}")]
async fn update_webhook(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    dispatcher: web::Data<Dispatcher>,
    PathId(id): PathId<WebhookId>,
    if_match: IfMatch,
    Body(patch): Body<WebhookPatch>,
) -> ApiResult<Changed<WebhookView>> {
    let caller = caller.principal;
    ctx.change(caller.organization)
        .write(move |change| {
            let before = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(before.updated_at)?;
            let was_active = before.active;
            let webhook = before.apply(patch.clone(), (&caller, dispatcher.sender.guard), change.moment)?;
            store::update(change.conn, &webhook)?;
            if webhook.active && !was_active {
                store::revive(change.conn, id, change.moment.now)?;
            }
            Ok(Changed(recorded(change, &webhook, EventKind::WebhookUpdated)?))
        })
        .await
}

/// Deletes a webhook with its deliveries.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = OK, body = Reply<WebhookView>), DeleteErrors))]
#[delete("/webhooks/{id}")]
async fn delete_webhook(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    PathId(id): PathId<WebhookId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<WebhookView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let webhook = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(webhook.updated_at)?;
            store::delete(change.conn, id)?;
            Ok(Deleted(recorded(change, &webhook, EventKind::WebhookDeleted)?))
        })
        .await
}

/// Makes another secret and shows it once; the one before signs too for 24 hours.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = OK, body = Reply<WebhookView>), WriteErrors))]
#[post("/webhooks/{id}/rotate_secret")]
async fn rotate_webhook_secret(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    dispatcher: web::Data<Dispatcher>,
    PathId(id): PathId<WebhookId>,
) -> ApiResult<Changed<WebhookView>> {
    ctx.change(caller.organization())
        .answer(move |change| {
            let mut webhook = store::find(change.conn, change.organization, id).map_err(missing)?;
            let secret = webhook.rotate(&dispatcher.sender.secret_store, change.moment)?;
            store::update(change.conn, &webhook)?;
            let view = recorded(change, &webhook, EventKind::WebhookUpdated)?;
            Ok(Changed(view.with_secret(secret)))
        })
        .await
}

/// Sends a test event to one webhook, whatever events it wants.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses((status = CREATED, body = Reply<DeliveryView>), WriteErrors))]
#[post("/webhooks/{id}/test")]
async fn test_webhook(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    PathId(id): PathId<WebhookId>,
) -> ApiResult<Created<DeliveryView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        let webhook = store::find(conn, organization, id).map_err(missing)?;
        if !webhook.active {
            return Err(ApiError::conflict("The webhook is off"));
        }
        let view = WebhookView::from(webhook.clone());
        let event =
            WebhookPayload::alone(conn, EventKind::WebhookTest, &view, (&moment, webhook.may(ReadAudit::SCOPE)))?;
        let delivery = Delivery::new(&webhook, event, &moment);
        store::queue(conn, &delivery)?;
        Ok(Created(DeliveryView::from(delivery)))
    })
    .await
}

/// Lists the deliveries of a webhook: what was sent and what was answered.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook"), ListParameters, DeliveryFilter),
    responses((status = OK, body = ListReply<DeliveryView>), PartErrors))]
#[get("/webhooks/{id}/deliveries")]
async fn list_webhook_deliveries(
    caller: Caller<ReadWebhooks>,
    ctx: Ctx,
    PathId(id): PathId<WebhookId>,
    query: ListQuery<DeliveryFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        store::find(conn, organization, id).map_err(missing)?;
        Ok(store::list_deliveries(conn, id, query)?.map(DeliveryView::from))
    })
    .await
}

/// Reads a delivery with each try.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook"),
        ("delivery" = DeliveryId, Path, description = "The delivery")),
    responses((status = OK, body = Reply<DeliveryView>), OneErrors))]
#[get("/webhooks/{id}/deliveries/{delivery}")]
async fn get_webhook_delivery(
    caller: Caller<ReadWebhooks>,
    ctx: Ctx,
    PathIds(id, delivery): PathIds<WebhookId, DeliveryId>,
) -> ApiResult<Found<DeliveryView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| {
        store::find(conn, organization, id).map_err(missing)?;
        let found = store::find_delivery(conn, id, delivery);
        found.map_err(|error| ApiError::missing(error, "delivery"))
    });
    Ok(Found(DeliveryView::with_attempts(found.await?)))
}

/// Sends a delivery again, under the same event id.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook"),
        ("delivery" = DeliveryId, Path, description = "The delivery")),
    responses((status = OK, body = Reply<DeliveryView>), WriteErrors))]
#[post("/webhooks/{id}/deliveries/{delivery}/resend")]
async fn resend_webhook_delivery(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    PathIds(id, delivery): PathIds<WebhookId, DeliveryId>,
) -> ApiResult<Changed<DeliveryView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        store::find(conn, organization, id).map_err(missing)?;
        let found = store::find_delivery(conn, id, delivery);
        let mut delivery = found.map_err(|error| ApiError::missing(error, "delivery"))?;
        delivery.send_again(&moment);
        store::update_delivery(conn, &delivery)?;
        Ok(Changed(DeliveryView::from(delivery)))
    })
    .await
}
