//! The nodes over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};

use super::model::NodeView;
use super::store;
use crate::http::caller::ReadOrganization;
use crate::http::docs::ListErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Caller, Ctx};
use crate::store::StoreResult;
use kernel::Timestamp;

/// Adds these endpoints.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_nodes);
}

/// What a server without a cluster says of itself.
#[derive(Clone)]
pub struct Alone {
    /// When it started.
    pub started_at: Timestamp,
    /// How many WebSockets of stations are open, and how many trees it balances.
    pub counts: std::sync::Arc<dyn Fn() -> (i32, i32) + Send + Sync>,
}

/// Lists the nodes of the cluster, by name; without a cluster the one server that there is.
#[utoipa::path(tag = "nodes", responses((status = OK, body = Reply<Vec<NodeView>>), ListErrors))]
#[get("/nodes")]
async fn list_nodes(
    _caller: Caller<ReadOrganization>,
    context: Ctx,
    alone: web::Data<Option<Alone>>,
) -> ApiResult<HttpResponse> {
    let now = context.clock.now();
    if let Some(Alone { started_at, counts }) = alone.get_ref() {
        return Ok(reply(StatusCode::OK, "Found", vec![NodeView::alone(*started_at, now, counts())]));
    }
    let read =
        context.db.read(move |conn| -> StoreResult<_> { Ok((store::database_now(conn, now)?, store::list(conn)?)) });
    let (now, nodes) = read.await?;
    let leading = nodes.iter().filter_map(|node| node.term).max();
    let views: Vec<NodeView> = nodes.into_iter().map(|node| NodeView::of(node, now, leading)).collect();
    Ok(reply(StatusCode::OK, "Found", views))
}
