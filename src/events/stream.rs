//! `GET /v1.1/events/stream`: the log as server-sent events. What a reader missed comes from the store, what is new from
//! the feed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};

use super::feed::{Feed, Line};
use super::{EventTypes, store};
use crate::db::StoreResult;
use crate::http::caller::ReadEvents;
use crate::http::docs::ListErrors;
use crate::http::{ApiError, ApiResult, Caller, Code, Context, Ctx, Query};
use crate::kernel::OrganizationId;

/// After so long without an event a comment shows that the connection is alive.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(15);
/// A stream ends after so long, and its reader comes back: a key that was revoked is not heard for longer.
const LONGEST_STREAM: Duration = Duration::from_secs(3_600);
/// Missed events that are read at once.
const MISSED_AT_ONCE: i64 = 200;

crate::filters! {
    /// Which events, and from where on.
    pub struct StreamFilter {
        /// Only events after this cursor; 0 is the beginning. When absent, and `Last-Event-ID` too: only new ones.
        #[param(minimum = 0)]
        pub after: i64,
        /// Only events of these types, with commas between; `*` stands for anything.
        #[param(value_type = String, example = "session.*,chargestation.online")]
        pub types as "type": EventTypes,
    }
}

/// Streams events as they happen, as server-sent events.
///
/// Each message has the cursor as its `id` and the event as its `data`; a comment comes every 15 seconds. A reader that comes
/// back with `Last-Event-ID` misses nothing, as after `after=`. One that is too slow is disconnected, and so is every one
/// after an hour.
#[utoipa::path(tag = "events",
    params(StreamFilter, ("Last-Event-ID" = Option<i64>, Header, description = "The last `id` that was received; it counts more than `after`")),
    responses((status = OK, body = String, content_type = "text/event-stream", description = "Events, until one side hangs up"), ListErrors))]
#[get("/events/stream")]
pub(super) async fn stream_events(
    caller: Caller<ReadEvents>,
    ctx: Ctx,
    feed: web::Data<Feed>,
    request: HttpRequest,
    query: Query<StreamFilter>,
) -> ApiResult<HttpResponse> {
    let Query(StreamFilter { after, types }) = query;
    let stopping = || ApiError::new(Code::Busy, "The server stops");
    let lines = feed.listen().ok_or_else(stopping)?;
    let organization = caller.organization();
    let after = match last_event_id(&request)?.or(after) {
        Some(after) => after,
        None => ctx.db.read(store::settled_cursor).await?,
    };
    let reader = Reader {
        context: ctx.get_ref().clone(),
        organization,
        types,
        after,
        missed_some: true,
        lines,
        silent_until: Instant::now() + HEARTBEAT_AFTER,
        ends_at: Instant::now() + LONGEST_STREAM,
    };
    let hello = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b": welcome\n\n"))]);
    let events = Box::pin(stream::unfold(reader, Reader::next));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(ContentEncoding::Identity) // compressing would hold events back
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(futures_util::StreamExt::chain(hello, events)))
}

fn last_event_id(request: &HttpRequest) -> ApiResult<Option<i64>> {
    let Some(header) = request.headers().get("Last-Event-ID") else {
        return Ok(None);
    };
    let cursor = header.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || {
        ApiError::field(
            "Last-Event-ID",
            "invalid",
            "must be the `id` of an event of this stream",
        )
    };
    cursor.map(Some).ok_or_else(wrong)
}

/// One who listens.
struct Reader {
    context: Context,
    organization: OrganizationId,
    types: Option<EventTypes>,
    /// The cursor of the last event that was sent.
    after: i64,
    /// The store may have events that were not sent and will not be told again.
    missed_some: bool,
    lines: broadcast::Receiver<Arc<Line>>,
    silent_until: Instant,
    ends_at: Instant,
}

impl Reader {
    /// What to send next, once there is something; `None` hangs up.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let text = loop {
            if Instant::now() >= self.ends_at {
                return None;
            }
            if self.missed_some {
                let missed = self.missed().await;
                let failed = |error| tracing::error!(%error, "a stream of events ends: the log could not be read");
                match missed.map_err(failed).ok()? {
                    text if text.is_empty() => continue,
                    text => break text,
                }
            }
            match timeout_at(self.silent_until, self.lines.recv()).await {
                Ok(Ok(line)) if self.wants(&line) => {
                    self.after = line.cursor;
                    break message(&line);
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return None, // it was too slow, or the server stops
                Err(_) => break ": still here\n\n".to_owned(),
            }
        };
        self.silent_until = Instant::now() + HEARTBEAT_AFTER;
        Some((Ok(text.into()), self))
    }

    fn wants(&self, line: &Line) -> bool {
        line.cursor > self.after
            && line.organization == self.organization
            && self
                .types
                .as_ref()
                .is_none_or(|types| types.fit(&line.kind))
    }

    /// Messages of the store. It listens anew first: what the store does not have yet is told after that.
    async fn missed(&mut self) -> StoreResult<String> {
        self.lines = self.lines.resubscribe();
        let (organization, after, types) = (self.organization, self.after, self.types.clone());
        let rows = self.context.db.read(move |conn| {
            store::list_after(conn, organization, after, types.as_ref(), MISSED_AT_ONCE)
        });
        let rows = rows.await?;
        self.missed_some = i64::try_from(rows.len()) == Ok(MISSED_AT_ONCE);
        let mut text = String::new();
        for row in rows {
            let line = Line::new(row)?;
            self.after = line.cursor;
            text.push_str(&message(&line));
        }
        Ok(text)
    }
}

/// JSON has no line breaks outside its texts, and inside they are escaped.
fn message(Line { cursor, text, .. }: &Line) -> String {
    format!("id: {cursor}\ndata: {text}\n\n")
}
