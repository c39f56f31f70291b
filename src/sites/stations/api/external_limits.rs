//! What somebody else than this server limits, over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get};

use crate::http::caller::ReadStations;
use crate::http::docs::OneErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Ctx, PathId};
use crate::sites::stations::model::external_limit::ExternalLimitView;
use crate::sites::stations::store::{external_limits as store, stations};
use crate::store::StoreResult;
use kernel::StationId;

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_external_limits);
}

/// What somebody else than this server limits at a station: an energy manager on site, a grid operator. The station keeps to
/// it by itself, and balancing gives to others what it cannot draw.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<Vec<ExternalLimitView>>), OneErrors))]
#[get("/chargestations/{id}/external_limits")]
async fn list_external_limits(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| -> StoreResult<Vec<_>> {
        stations::find_station(conn, organization, id)?;
        let limits = store::external_limits_of(conn, &[id])?;
        let views = limits.iter().map(|limit| ExternalLimitView::new(limit, now));
        Ok(views.collect())
    });
    let views = read.await.map_err(|error| ApiError::missing(error, "charge station"))?;
    Ok(reply(StatusCode::OK, "Found", views))
}
