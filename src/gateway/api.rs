//! The last messages of a station, over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};

use super::dependencies::GatewayDependencies;
use super::recorder::RecordedMessage;
use crate::http::caller::ReadOcpp;
use crate::http::docs::OneErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, PathId};
use crate::sites::stations::{self, BootInfo, Station};
use kernel::Protocol;
use kernel::{OrganizationId, StationId};

/// Adds these endpoints.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_messages).service(download_messages);
}

/// The format of a bundle; a reader refuses others.
pub const BUNDLE_FORMAT: &str = "evenwatt-messages/1";

/// The last messages of a station in a file, with what is needed to play them again.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bundle {
    /// evenwatt-messages/1.
    pub format: String,
    /// What the station speaks.
    pub protocol: Protocol,
    /// What it said of itself.
    pub boot_info: BootInfo,
    /// Its connectors' numbers.
    pub connectors: Vec<i32>,
    /// The messages, oldest first.
    pub messages: Vec<RecordedMessage>,
}

async fn find(
    gateway: &GatewayDependencies,
    organization: OrganizationId,
    id: StationId,
) -> ApiResult<(Station, Vec<i32>)> {
    let found = gateway.context.db.read(move |conn| {
        let station = stations::find_station(conn, organization, id)?;
        let connectors = stations::connectors_of_station(conn, id)?;
        let numbers = connectors.into_iter().map(|connector| connector.number);
        Ok((station, numbers.collect()))
    });
    found.await.map_err(|error| ApiError::missing(error, "charge station"))
}

/// Lists the last messages of a station, oldest first, without secrets.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<Vec<RecordedMessage>>), OneErrors))]
#[get("/chargestations/{id}/messages")]
async fn list_messages(
    caller: Caller<ReadOcpp>,
    gateway: web::Data<GatewayDependencies>,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    find(&gateway, caller.organization(), id).await?;
    Ok(reply(StatusCode::OK, "Found", gateway.recorder.messages(id)))
}

/// The same as a file for `evenwatt replay-messages`.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, content_type = "application/octet-stream", body = Bundle, description = "A file of JSON"), OneErrors))]
#[get("/chargestations/{id}/messages/bundle")]
async fn download_messages(
    caller: Caller<ReadOcpp>,
    gateway: web::Data<GatewayDependencies>,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let (station, connectors) = find(&gateway, caller.organization(), id).await?;
    let bundle = Bundle {
        format: BUNDLE_FORMAT.to_owned(),
        protocol: station.protocol,
        boot_info: station.boot_info.0,
        connectors,
        messages: gateway.recorder.messages(id),
    };
    let name = format!("attachment; filename=\"{}.json\"", station.endpoint);
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(("Content-Disposition", name))
        .json(bundle))
}
