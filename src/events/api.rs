//! `GET /v1.1/events`: the log, read forward by cursor.

use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::view::EventView;
use super::{EventTypes, retention, store, stream};
use crate::http::caller::ReadEvents;
use crate::http::docs::LogErrors;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Ctx, Query};

/// Events that one request returns at most.
const MOST_EVENTS: u32 = 1_000;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_events).service(stream::stream_events);
}

/// A piece of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EventsReply {
    /// Always true.
    #[schema(example = true)]
    ok: bool,
    /// What happened.
    #[schema(example = "Found")]
    message: String,
    /// The events, oldest first.
    result: Vec<EventView>,
    /// Pass this as `after` next time.
    next_after: i64,
    /// Whether more events are waiting.
    #[serde(rename = "hasNextPage")]
    has_next_page: bool,
}

crate::filters! {
    /// Which events.
    pub(crate) struct EventFilter {
        /// Only events after this cursor; 0 is the beginning.
        #[param(minimum = 0)]
        pub after: i64,
        /// How many at most.
        #[param(minimum = 1, maximum = 1000)]
        pub limit: u32,
        /// Only events of these types, with commas between; `*` stands for anything.
        #[param(value_type = String, example = "session.*,chargestation.online")]
        pub types as "type": EventTypes,
    }
}

/// Lists events after a cursor, oldest first: a missed webhook is never lost.
///
/// Events are kept for 90 days unless configured otherwise; a cursor from before that is a 410. Of what happened a key sees what it
/// could read: events of objects whose `read:` scope it has. Numbers of cards are masked for a key without the scope `read:tokens`: in
/// events about sessions, reservations and unknown cards (`id_tag`), about tokens (`physicalId`, `parent_group`), in actions and in
/// the words of stations.
#[utoipa::path(tag = "events", params(EventFilter), responses((status = OK, body = EventsReply), LogErrors))]
#[get("/events")]
async fn list_events(caller: Caller<ReadEvents>, ctx: Ctx, query: Query<EventFilter>) -> ApiResult<HttpResponse> {
    let Query(EventFilter { after, limit, types }) = query;
    let (organization, after) = (caller.organization(), after.unwrap_or(0));
    let types = EventTypes::seen_by(types, &caller.principal);
    let whole = caller.sees_cards();
    let limit = i64::from(limit.unwrap_or(100).clamp(1, MOST_EVENTS));
    let read = ctx.db.read(move |conn| {
        retention::require_kept(conn, organization, after)?;
        let rows = store::list_after(conn, organization, after, types.as_ref(), limit + 1)?;
        Ok::<_, ApiError>(rows)
    });
    let rows = read.await?;
    let has_next_page = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    let result: Vec<EventView> = rows
        .into_iter()
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .map(|row| if whole { row } else { row.veiled() })
        .map(EventView::from)
        .collect();
    let next_after = result.last().map_or(after, |event| event.cursor);
    let reply = EventsReply { ok: true, message: "Found".into(), result, next_after, has_next_page };
    Ok(HttpResponse::Ok().json(reply))
}
