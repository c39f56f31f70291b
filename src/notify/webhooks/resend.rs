//! Sending a part of the log again.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post};
use serde::Serialize;

use super::model::{WantedEvents, Webhook};
use super::store;
use crate::events::{self, EventTypes, Selection};
use crate::http::caller::WriteWebhooks;
use crate::http::docs::WriteErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, Faults, PathId};
use crate::input;
use kernel::{EventId, Timestamp, WebhookId};

/// Events that one request may name, by ids or by a stretch of time.
const MOST_IDS: usize = 1_000;
const MOST_EVENTS: usize = 10_000;
/// Events that are written in one go, so that others can write in between.
const WRITTEN_AT_ONCE: usize = 200;

input! {
    /// Which events are sent again: those from an instant on, or those of some ids.
    #[schema(example = json!({"from": "2026-05-01T08:00:00Z", "to": "2026-05-01T09:00:00Z", "types": "session.*"}))]
    pub(crate) struct Resend {
        /// Events that happened from then on.
        pub from: Option<Timestamp>,
        /// Events that happened until then; now when absent.
        pub to: Option<Timestamp>,
        /// The ids of events, at most 1000.
        pub events: Option<Vec<EventId>>,
        /// Only these types; those that the webhook wants when absent.
        pub types: Option<WantedEvents>,
    }
}

/// What was queued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Resent {
    /// How many events will be sent again; those that were still waiting are not counted.
    queued: u32,
}

impl Resend {
    fn selection(&self, now: Timestamp) -> ApiResult<Selection> {
        let mut faults = Faults::default();
        let to = self.to.unwrap_or(now);
        match (self.from, &self.events) {
            (Some(from), None) if from <= to => return Ok(Selection::Times(from, to)),
            (Some(_), None) => faults.add("to", "out_of_range", "must not be before from"),
            (None, Some(ids)) if self.to.is_none() && ids.len() <= MOST_IDS => {
                return Ok(Selection::Ids(ids.clone()));
            }
            (None, Some(_)) if self.to.is_none() => {
                let message = format!("must be at most {MOST_IDS} ids");
                faults.add("events", "out_of_range", message);
            }
            (None, None) => faults.add("from", "required", "is required, unless there are events"),
            (_, Some(_)) => faults.add("events", "invalid", "must not stand beside from and to"),
        }
        Err(faults.into())
    }

    /// Those types that were asked for, or that the webhook wants.
    fn types(&self, webhook: &Webhook) -> EventTypes {
        webhook.may_send(self.types.as_ref())
    }
}

/// Sends events of the log again, under their old ids, before what waits.
///
/// At most 10,000 events at once, and only those that the log still has.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")), request_body = Resend,
    responses((status = OK, body = Reply<Resent>), WriteErrors))]
#[post("/webhooks/{id}/resend")]
pub(super) async fn resend_events(
    caller: Caller<WriteWebhooks>,
    ctx: Ctx,
    PathId(id): PathId<WebhookId>,
    Body(resend): Body<Resend>,
) -> ApiResult<HttpResponse> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let selection = resend.selection(moment.now)?;
    let found = ctx.db.read(move |conn| {
        let webhook = store::find(conn, organization, id).map_err(|error| ApiError::missing(error, "webhook"))?;
        if !webhook.active {
            return Err(ApiError::conflict("The webhook is off"));
        }
        let types = resend.types(&webhook);
        let which = (&selection, Some(&types));
        let most = i64::try_from(MOST_EVENTS + 1).unwrap_or(i64::MAX);
        let cursors = events::cursors_of(conn, organization, which, most)?;
        Ok((webhook, cursors))
    });
    let (webhook, mut cursors) = found.await?;
    if cursors.len() > MOST_EVENTS {
        let message = format!("there are more than {MOST_EVENTS} events; choose a shorter time");
        return Err(ApiError::field("from", "out_of_range", message));
    }
    cursors.retain(|cursor| *cursor <= webhook.cursor); // what comes after is sent anyway
    cursors.sort_unstable();
    let mut queued = 0;
    for some in cursors.chunks(WRITTEN_AT_ONCE) {
        let (webhook, some, moment) = (webhook.clone(), some.to_vec(), moment.clone());
        let write = ctx.db.write(move |conn| store::resend(conn, &webhook, &some, &moment));
        queued += write.await?;
    }
    Ok(reply(StatusCode::OK, "Updated", Resent { queued }))
}
