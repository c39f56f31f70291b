//! `GET /v1.1/audit`: who changed what over the API. The lines are written by `http::audit`.

mod store;

pub use store::{forget, oldest, record};

use actix_web::{HttpResponse, get};
use serde::Serialize;

use crate::http::audit::ActorKind;
use crate::http::caller::ReadAudit;
use crate::http::docs::ListErrors;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Caller, Ctx};
use kernel::{AuditId, Timestamp};
use store::{AuditFilter, Line};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_audit);
}

/// Who changed something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ActorView {
    /// api_key, operator or home_user.
    #[serde(rename = "type")]
    kind: ActorKind,
    /// The id of the key, the operator or the user, who may be gone by now.
    #[serde(rename = "_id")]
    #[schema(example = "650000000000000000000001")]
    id: String,
    /// What they were called then.
    #[schema(example = "Grace Hopper")]
    name: String,
}

/// A change over the API.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditView {
    /// Its id.
    #[serde(rename = "_id")]
    id: AuditId,
    /// Who changed something.
    actor: ActorView,
    /// The method of the request.
    #[schema(example = "PATCH")]
    method: String,
    /// Its path, with the ids of what was changed.
    #[schema(example = "/v1.1/chargestations/650000000000000000000001")]
    path: String,
    /// When it was made.
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

impl From<Line> for AuditView {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            actor: ActorView { kind: line.actor_type, id: line.actor_id, name: line.actor_name },
            method: line.method,
            path: line.path,
            created_at: line.created_at,
        }
    }
}

/// Lists who changed what over the API; `search` finds by name and path.
///
/// Each request that stored something is in it, with who made it: a key, an operator or a home user. It is written in the transaction of
/// the change. The objects themselves are in the events.
#[utoipa::path(tag = "audit", params(ListParameters, AuditFilter),
    responses((status = OK, body = ListReply<AuditView>), ListErrors))]
#[get("/audit")]
async fn list_audit(caller: Caller<ReadAudit>, ctx: Ctx, query: ListQuery<AuditFilter>) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(AuditView::from)))
        .await
}
