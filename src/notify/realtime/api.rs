//! The handshake of the socket.

use std::time::Duration;

use actix_web::http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use actix_web::{HttpRequest, HttpResponse, get, web};

use super::metrics::{Wanted, Watch};
use super::socket::Connection;
use crate::events::{self, EventTypes, Feed, Listener, Sight};
use crate::http::caller::{KeyValidity, Permission as _, ReadEvents, ReadSessions};
use crate::http::docs::LogErrors;
use crate::http::error::Problem;
use crate::http::routing::ServiceConfig;
use crate::http::websocket::{self, Terms};
use crate::http::{ApiError, ApiResult, Caller, Code, Ctx, Faults, Query};
use crate::store::cause::ActorKind;
use kernel::{RawId, SessionId, StationId};

/// Adds the endpoint of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(open_realtime);
}

/// How often metrics are sent where nothing is said, in seconds.
const METRICS_EVERY: u32 = 5;
/// The longest time between two of them.
const LONGEST_PAUSE: u32 = 3_600;
/// Bytes of the largest message of a client: it has nothing to say but a word by mistake.
const LARGEST_MESSAGE: usize = 1_024;

crate::filters! {
    /// What to listen to.
    pub(crate) struct RealtimeFilter {
        /// Only events after this cursor; 0 is the beginning. When absent: only new ones.
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
        /// Seconds between two looks at what running sessions measure, 5 when absent; 0 for no metrics.
        #[param(minimum = 0, maximum = 3600)]
        pub metrics: u32,
        /// Only metrics of this session.
        #[param(value_type = String)]
        pub session: SessionId,
    }
}

/// Opens a WebSocket that sends events and the metrics of running sessions.
///
/// Each message is an event as in `GET /events`. Messages of type `session.metrics` carry a running session, at once and
/// then whenever it measured something new; they are in no log, have no `cursor` and need the scope `read:sessions`. A client that comes back with the
/// last cursor as `after` misses no event. Browsers, which cannot send `Authorization` here, offer the API key as the last
/// sub-protocol: `new WebSocket(url, ["evenwatt", key])`.
#[utoipa::path(tag = "events", params(RealtimeFilter),
    responses((status = SWITCHING_PROTOCOLS, description = "Messages, until one side closes"),
        (status = UPGRADE_REQUIRED, body = Problem, description = "The request opens no WebSocket"), LogErrors))]
#[get("/realtime")]
async fn open_realtime(
    caller: Caller<ReadEvents>,
    ctx: Ctx,
    (feed, validity): (web::Data<Feed>, KeyValidity),
    request: HttpRequest,
    query: Query<RealtimeFilter>,
) -> ApiResult<HttpResponse> {
    let Query(RealtimeFilter { after, types, actor_type, actor, chargestation, metrics, session }) = query;
    let seconds = metrics.unwrap_or(METRICS_EVERY);
    if seconds > LONGEST_PAUSE {
        let mut faults = Faults::default();
        faults.add("metrics", "out_of_range", "must be 0 to 3600");
        return Err(ApiError::faulty(Code::InvalidQuery, faults));
    }
    if !request.headers().contains_key(UPGRADE) {
        return Err(ApiError::new(Code::UpgradeRequired, Code::UpgradeRequired.meaning()));
    }
    let organization = caller.organization();
    let owner = (organization, Sight::of(&caller.principal, caller.sees_cards()), caller.reach().clone());
    let types = EventTypes::seen_by(types, &caller.principal);
    let wanted_events = events::Wanted { types, actor_type, actor, station: chargestation };
    let listener = Listener::open(&feed, &ctx, owner, wanted_events, after).await?;
    let wanted =
        Wanted { organization, reach: caller.reach().clone(), session, every: Duration::from_secs(seconds.into()) };
    let measures = seconds > 0 && caller.principal.may(ReadSessions::SCOPE);
    let watch = measures.then(|| Watch::new(ctx.get_ref().clone(), wanted));
    let offered = request.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let offered = offered.and_then(|offer| offer.to_str().ok());
    let chosen = offered.and_then(|offer| offer.split(',').map(str::trim).next());
    let terms = Terms { protocol: chosen, largest: LARGEST_MESSAGE, compresses: true };
    let no_handshake = |_| ApiError::new(Code::BadRequest, "The WebSocket handshake is not complete");
    let (response, sender, receiver) = websocket::open(&request, terms).map_err(no_handshake)?;
    actix_web::rt::spawn(Connection::new(listener, validity, watch, sender).run(receiver));
    Ok(response)
}
