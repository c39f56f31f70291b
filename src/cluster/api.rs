//! The nodes over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};

use super::model::{Node, NodeView};
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
    /// Whether this is one.
    pub is_alone: bool,
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
    alone: web::Data<Alone>,
) -> ApiResult<HttpResponse> {
    let now = context.clock.now();
    if alone.is_alone {
        let (sockets, trees) = (alone.counts)();
        let node = Node {
            name: "evenwatt".to_owned(),
            token: 0,
            address: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: alone.started_at,
            seen_at: now,
            draining: false,
            sockets,
            trees,
            term: Some(1),
            leads_since: Some(alone.started_at),
            secret: String::new(),
        };
        return Ok(reply(StatusCode::OK, "Found", vec![NodeView::of(node, now, Some(1))]));
    }
    let read =
        context.db.read(move |conn| -> StoreResult<_> { Ok((store::database_now(conn, now)?, store::list(conn)?)) });
    let (now, nodes) = read.await?;
    let leading = nodes.iter().filter_map(|node| node.term).max();
    let views: Vec<NodeView> = nodes.into_iter().map(|node| NodeView::of(node, now, leading)).collect();
    Ok(reply(StatusCode::OK, "Found", views))
}
