//! `GET /v1.1/events/stream`: the log as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::feed::{Feed, Line};
use super::listener::Listener;
use super::{EventTypes, Sight, Wanted};
use crate::http::caller::{KeyValidity, ReadEvents};
use crate::http::docs::LogErrors;
use crate::http::{ApiError, ApiResult, Caller, Ctx, Query};
use crate::store::cause::ActorKind;
use kernel::{RawId, StationId};

/// After so long without an event a comment shows that the connection is alive.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(15);
/// A stream ends after so long, and its reader comes back: proxies on the way forget no one.
const LONGEST_STREAM: Duration = Duration::from_secs(3_600);

crate::filters! {
    /// Which events, and from where on.
    pub(crate) struct StreamFilter {
        /// Only events after this cursor; 0 is the beginning. When absent, and `Last-Event-ID` too: only new ones.
        #[param(minimum = 0)]
        pub after: i64,
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

/// Streams events as they happen, as server-sent events.
///
/// Each message has the cursor as its `id` and the event as its `data`; a comment comes every 15 seconds. A reader that comes
/// back with `Last-Event-ID` misses nothing, as after `after=`. One that is too slow is disconnected, and so is every one
/// after an hour, or when its key is revoked, rotated, expired or weakened.
#[utoipa::path(tag = "events",
    params(StreamFilter, ("Last-Event-ID" = Option<i64>, Header, description = "The last `id` that was received; it counts more than `after`")),
    responses((status = OK, body = String, content_type = "text/event-stream", description = "Events, until one side hangs up"), LogErrors))]
#[get("/events/stream")]
pub(super) async fn stream_events(
    caller: Caller<ReadEvents>,
    ctx: Ctx,
    (feed, validity): (web::Data<Feed>, KeyValidity),
    request: HttpRequest,
    query: Query<StreamFilter>,
) -> ApiResult<HttpResponse> {
    let Query(StreamFilter { after, types, actor_type, actor, chargestation }) = query;
    let after = last_event_id(&request)?.or(after);
    let types = EventTypes::seen_by(types, &caller.principal);
    let wanted = Wanted { types, actor_type, actor, station: chargestation };
    let sight = Sight::of(&caller.principal, caller.sees_cards());
    let owner = (caller.organization(), sight, caller.reach().clone());
    let reader = Reader {
        listener: Listener::open(&feed, &ctx, owner, wanted, after).await?,
        lost: Box::pin(validity.lost()),
        silent_until: Instant::now() + HEARTBEAT_AFTER,
        ends_at: Instant::now() + LONGEST_STREAM,
    };
    let hello = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b": welcome\n\n"))]);
    let events = Box::pin(stream::unfold(reader, Reader::next));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(ContentEncoding::Identity) // compressing would delay events
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(futures_util::StreamExt::chain(hello, events)))
}

fn last_event_id(request: &HttpRequest) -> ApiResult<Option<i64>> {
    let Some(header) = request.headers().get("Last-Event-ID") else {
        return Ok(None);
    };
    let cursor = header.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || ApiError::field("Last-Event-ID", "invalid", "must be the `id` of an event of this stream");
    cursor.map(Some).ok_or_else(wrong)
}

struct Reader {
    listener: Listener,
    lost: LocalBoxFuture<'static, ()>,
    silent_until: Instant,
    ends_at: Instant,
}

impl Reader {
    /// What to send next, once there is something; `None` hangs up.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let until = self.silent_until.min(self.ends_at);
        let sent = tokio::select! {
            biased;
            () = &mut self.lost => return None,
            sent = timeout_at(until, self.listener.next()) => sent,
        };
        let text = match sent {
            Ok(line) => {
                let mut text = message(&self.listener, &*line.ok()?);
                while let Some(line) = self.listener.ready() {
                    text.push_str(&message(&self.listener, &line));
                }
                text
            }
            Err(_) if Instant::now() >= self.ends_at => return None,
            Err(_) => ": still here\n\n".to_owned(),
        };
        self.silent_until = Instant::now() + HEARTBEAT_AFTER;
        Some((Ok(text.into()), self))
    }
}

/// JSON has no line breaks outside its texts, and inside they are escaped.
fn message(listener: &Listener, line: &Line) -> String {
    format!("id: {}\ndata: {}\n\n", line.cursor, listener.text(line))
}
