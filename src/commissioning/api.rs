//! What a station can do, over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::capabilities::{self, CapabilitiesView};
use crate::actions::Performer;
use crate::http::caller::{ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::{ApiError, ApiResult, Caller, Ctx, PathId};
use crate::kernel::{OrganizationId, StationId};
use crate::stations::{self, Station};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(get_capabilities).service(probe_capabilities);
}

async fn find(ctx: &Ctx, organization: OrganizationId, id: StationId) -> ApiResult<Station> {
    let found = ctx
        .db
        .read(move |conn| stations::find_station(conn, organization, id));
    found
        .await
        .map_err(|error| ApiError::missing(error, "charge station"))
}

/// What a station can do: what is known of its kind, and what it said when it was last asked.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<CapabilitiesView>), OneErrors))]
#[get("/chargestations/{id}/capabilities")]
async fn get_capabilities(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let station = find(&ctx, caller.organization(), id).await?;
    Ok(reply(
        StatusCode::OK,
        "Found",
        CapabilitiesView::from(station),
    ))
}

/// Asks a station what it can do; not while a car is charging.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<CapabilitiesView>), CommandErrors))]
#[post("/chargestations/{id}/probe_capabilities")]
async fn probe_capabilities(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let station = find(&ctx, organization, id).await?;
    if !capabilities::probe(&performer, &station).await? {
        return Err(ApiError::conflict("A car is charging; it is not disturbed"));
    }
    let station = find(&ctx, organization, id).await?;
    Ok(reply(
        StatusCode::OK,
        "Probed",
        CapabilitiesView::from(station),
    ))
}
