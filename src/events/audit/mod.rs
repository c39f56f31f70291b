//! `GET /v1.1/audit`: who changed what people set up.
//!
//! A request has a line by `http::audit`, in the transaction of its first effect. What a station or the server itself changes has a
//! line beside its event, where the event is one of `setup`.

mod store;

pub(super) use store::record_event;
pub use store::{forget, oldest, record};

use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::actor::{self, ActorView};
use crate::http::caller::ReadAudit;
use crate::http::docs::ListErrors;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Caller, Ctx};
use kernel::{AuditId, StationId, Timestamp};
use store::{AuditFilter, Line};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_audit);
}

/// A change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditView {
    /// Its id.
    #[serde(rename = "_id")]
    id: AuditId,
    /// Who changed something.
    actor: ActorView,
    /// The method of the request; null where a station, balancing or the server changed something without one.
    #[schema(example = "PATCH")]
    method: Option<String>,
    /// Its path, with the ids of what was changed.
    #[schema(example = "/v1.1/chargestations/650000000000000000000001")]
    path: Option<String>,
    /// The type of the first event of the change; null where it has none.
    #[schema(example = "chargestation.updated")]
    event: Option<String>,
    /// The id of what was changed: the first one of the path, else that of what the event is about.
    #[schema(example = "650000000000000000000001")]
    object: Option<String>,
    /// The charge station that the event is about, also where the object is one of its connectors or sessions.
    chargestation: Option<StationId>,
    /// When it was made.
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

impl From<Line> for AuditView {
    fn from(line: Line) -> Self {
        let number = actor::number_of(line.actor_type);
        Self {
            id: line.id,
            actor: ActorView::new(number, line.actor_id, line.actor_name),
            method: line.method,
            path: line.path,
            event: line.event,
            object: line.object,
            chargestation: line.chargestation_id,
            created_at: line.created_at,
        }
    }
}

/// Lists who changed what; `search` finds by name and path.
///
/// Each request that stored something is in it, with who made it: a key, an operator or a home user. So is each change of what people set
/// up that a station or the server made without a request, such as a connector that a station reported, a setting that was changed at
/// the station, or an offer whose time came. A line is written in the transaction of the change. The objects themselves, what stations
/// report as they charge, the limits that balancing sets, and what drivers start with a card are in the events, each with its `actor`.
#[utoipa::path(tag = "audit", params(ListParameters, AuditFilter),
    responses((status = OK, body = ListReply<AuditView>), ListErrors))]
#[get("/audit")]
async fn list_audit(caller: Caller<ReadAudit>, ctx: Ctx, query: ListQuery<AuditFilter>) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(AuditView::from)))
        .await
}
