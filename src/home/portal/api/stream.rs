//! `GET /v1.1/portal/events/stream`: says to a home user's page that something of the own groups changed.
//!
//! It says what happened to which group and no more: events carry whole objects as operators see them. The page reads again what
//! it shows.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, web};
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::super::auth_guard::{CookieCaller, HomeCaller};
use super::super::logins;
use crate::events::{EventTypes, Feed, Line, Listener, Sight};
use crate::http::docs::HomeListErrors;
use crate::http::{ApiResult, Ctx, Reach};
use crate::load::groups;
use crate::store::{Conn, StoreResult};
use kernel::{GroupId, StationId};

/// After so long without an event a comment shows that the connection is alive, and whether the login still goes on.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(15);
/// A stream ends after so long, and its reader comes back: proxies on the way forget no one.
const LONGEST_STREAM: Duration = Duration::from_secs(3_600);

/// What is about a home user's groups: what is set of them, and what their chargers and cars do.
static TYPES: LazyLock<Option<EventTypes>> = LazyLock::new(|| {
    let names = "load_management.*,session.*,chargestation.online,chargestation.offline,\
        chargestation.connector_status.updated";
    names.parse().ok()
});

/// What changed, such as `session.updated`.
#[derive(Debug, Serialize)]
struct HomeEventView<'a> {
    /// What happened.
    #[serde(rename = "type")]
    kind: &'a str,
    /// To which of the user's groups.
    group: GroupId,
}

/// Streams what changes in the user's groups, as server-sent events.
///
/// Each message's `data` has the `type` of what happened (docs/EVENTS.md) and the `group`; read the group again to see it. A comment
/// comes every 15 seconds. The cookie of a page is enough: an EventSource sends no headers. A reader that is too slow is
/// disconnected, and so is every one after an hour, or when the login ends; whoever comes back reads everything again.
#[utoipa::path(tag = "portal", security(("portal" = [])),
    responses((status = OK, body = String, content_type = "text/event-stream", description = "Events, until one side hangs up"), HomeListErrors))]
#[get("/events/stream")]
pub(super) async fn stream_home_events(
    CookieCaller(caller): CookieCaller,
    ctx: Ctx,
    feed: web::Data<Feed>,
) -> ApiResult<HttpResponse> {
    let listener = Listener::open(
        &feed,
        &ctx,
        (caller.organization, Sight::NEITHER, Reach::default()),
        TYPES.clone().into(),
        None,
    )
    .await?;
    let own = ctx.db.read(move |conn| Own::read(conn, &caller)).await?;
    let reader = Reader {
        listener,
        caller,
        own,
        silent_until: Instant::now() + HEARTBEAT_AFTER,
        ends_at: Instant::now() + LONGEST_STREAM,
        ctx,
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

/// The user's groups and their stations.
#[derive(Debug, Default)]
struct Own {
    /// As they are written in events.
    groups: Vec<(GroupId, String)>,
    stations: BTreeMap<StationId, GroupId>,
    user: String,
}

impl Own {
    fn read(conn: &mut Conn, caller: &HomeCaller) -> StoreResult<Self> {
        let own = groups::groups_of_user(conn, caller.organization, caller.user)?;
        let groups: Vec<GroupId> = own.into_iter().map(|group| group.id).collect();
        let stations = groups::stations_of(conn, &groups)?;
        Ok(Self {
            groups: groups.into_iter().map(|group| (group, group.to_string())).collect(),
            stations: stations.into_iter().map(|station| (station.chargestation_id, station.group_id)).collect(),
            user: caller.user.to_string(),
        })
    }

    /// The group that an event is about. What is of a station says so; what is of a group names it in its text.
    fn group_of(&self, line: &Line, text: &str) -> Option<GroupId> {
        let of_station = line.station.and_then(|station| self.stations.get(&station)).copied();
        let named = || self.groups.iter().find(|(_, name)| text.contains(name)).map(|(group, _)| *group);
        of_station.or_else(|| named().filter(|_| line.is("load_management.")))
    }

    /// Whether it may make other groups or stations the user's.
    fn may_change_with(&self, line: &Line, text: &str) -> bool {
        line.is("load_management.group.")
            && (text.contains(&self.user) || self.groups.iter().any(|(_, name)| text.contains(name)))
    }
}

struct Reader {
    listener: Listener,
    caller: HomeCaller,
    own: Own,
    ctx: Ctx,
    silent_until: Instant,
    ends_at: Instant,
}

impl Reader {
    /// What to send next, once there is something; `None` hangs up.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let mut text = String::new();
        while text.is_empty() {
            match timeout_at(self.silent_until.min(self.ends_at), self.listener.next()).await {
                Ok(line) => {
                    let mut next = Some(line.ok()?);
                    while let Some(line) = next {
                        text.push_str(&self.message(&line).await?);
                        next = self.listener.ready();
                    }
                }
                Err(_) if Instant::now() >= self.ends_at => return None,
                Err(_) => ": still here\n\n".clone_into(&mut text),
            }
        }
        let (login, now) = (self.caller.login, self.ctx.clock.now());
        let going = self.ctx.db.read(move |conn| logins::find(conn, login, now)).await;
        going.ok().flatten()?;
        self.silent_until = Instant::now() + HEARTBEAT_AFTER;
        Some((Ok(text.into()), self))
    }

    /// What the user is sent of an event; nothing where it concerns others.
    async fn message(&mut self, line: &Line) -> Option<String> {
        let text = self.listener.text(line);
        let group = self.own.group_of(line, text);
        let mut said = group;
        if self.own.may_change_with(line, text) {
            let caller = self.caller;
            self.own = self.ctx.db.read(move |conn| Own::read(conn, &caller)).await.ok()?;
            said = group.or_else(|| self.own.group_of(line, text));
        }
        let Some(group) = said else {
            return Some(String::new());
        };
        let data = serde_json::to_string(&HomeEventView { kind: line.kind(), group }).ok()?;
        Some(format!("data: {data}\n\n"))
    }
}
