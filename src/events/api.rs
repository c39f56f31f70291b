//! `GET /v1.1/events`: the log, read by cursor: forward, or back from its end.

use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::near::Piece;
use super::view::EventView;
use super::{EventTypes, Sight, Wanted, near, retention, store, stream};
use crate::http::caller::ReadEvents;
use crate::http::docs::LogErrors;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Code, Ctx, Faults, Query};
use crate::store::cause::ActorKind;
use kernel::{RawId, StationId};

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
    /// The events, oldest first; with `before`, newest first.
    result: Vec<EventView>,
    /// The cursor up to which the log was read, that of the newest of them: pass this as `after` next time.
    next_after: i64,
    /// With `before`: the cursor of the oldest of them, to be passed as `before` next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before: Option<i64>,
    /// Whether there are more events in that direction.
    #[serde(rename = "hasNextPage")]
    has_next_page: bool,
}

crate::filters! {
    /// Which events.
    pub(crate) struct EventFilter {
        /// Only events after this cursor; 0 is the beginning.
        #[param(minimum = 0)]
        pub after: i64,
        /// Only events before this cursor, newest first; 0 is the end of the log. Not together with `after`.
        #[param(minimum = 0)]
        pub before: i64,
        /// How many at most.
        #[param(minimum = 1, maximum = 1000)]
        pub limit: u32,
        /// Only events of these types, with commas between; `*` stands for anything.
        #[param(value_type = String, example = "session.*,chargestation.online")]
        pub types as "type": EventTypes,
        /// Only events that such actors caused.
        #[param(inline)]
        pub actor_type: ActorKind,
        /// Only events that this key, operator, home user or charge station caused, by their id.
        #[param(value_type = String, example = "650000000000000000000001")]
        pub actor: RawId,
        /// Only events about this charge station: of itself, its connectors and its sessions.
        #[param(value_type = String)]
        pub chargestation: StationId,
    }
}

/// Lists events after a cursor, oldest first: a missed webhook is never lost.
///
/// With `before` it lists them back from a cursor, newest first, as a page shows them.
///
/// Events are kept for 90 days unless configured otherwise; a cursor from before that is a 410. Of what happened a key sees what it
/// could read: events of objects whose `read:` scope it has. Numbers of cards are masked for a key without the scope `read:tokens`: in
/// events about sessions, reservations and unknown cards (`id_tag`), about tokens (`physicalId`, `parent_group`), in actions and in
/// the words of stations. The names of people and keys in `actor` are for a key with the scope `read:audit`.
#[utoipa::path(tag = "events", params(EventFilter), responses((status = OK, body = EventsReply), LogErrors))]
#[get("/events")]
async fn list_events(caller: Caller<ReadEvents>, ctx: Ctx, query: Query<EventFilter>) -> ApiResult<HttpResponse> {
    let Query(EventFilter { after, before, limit, types, actor_type, actor, chargestation }) = query;
    if after.is_some() && before.is_some() {
        let mut faults = Faults::default();
        faults.add("before", "conflict", "must not be given together with `after`");
        return Err(ApiError::faulty(Code::InvalidQuery, faults));
    }
    let (organization, after) = (caller.organization(), after.unwrap_or(0));
    let types = EventTypes::seen_by(types, &caller.principal);
    let wanted = Wanted { types, actor_type, actor, station: chargestation };
    let sight = Sight::of(&caller.principal, caller.sees_cards());
    let limit = i64::from(limit.unwrap_or(100).clamp(1, MOST_EVENTS));
    let (whereabouts, reach) = (ctx.whereabouts, caller.reach().clone());
    let read = ctx.db.read(move |conn| {
        let place = (whereabouts, &reach);
        if let Some(before) = before {
            return Ok(near::read_near(conn, place, limit, |conn, at, most| {
                store::list_before(conn, organization, at.unwrap_or(before), &wanted, most)
            })?);
        }
        retention::require_kept(conn, organization, after)?;
        let piece = near::read_near(conn, place, limit, |conn, at, most| {
            store::list_after(conn, organization, at.unwrap_or(after), &wanted, most)
        })?;
        Ok::<_, ApiError>(piece)
    });
    let Piece { rows, looked_at, goes_on: has_next_page } = read.await?;
    let result: Vec<EventView> = rows.into_iter().map(|row| row.seen(sight)).map(EventView::from).collect();
    let (next_after, next_before) = match before {
        Some(before) => (result.first().map_or(after, |event| event.cursor), Some(looked_at.unwrap_or(before))),
        None => (looked_at.unwrap_or(after), None),
    };
    let reply = EventsReply { ok: true, message: "Found".into(), result, next_after, next_before, has_next_page };
    Ok(HttpResponse::Ok().json(reply))
}
