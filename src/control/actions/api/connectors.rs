//! Commands to single connectors.

use actix_web::{HttpResponse, post, web};
use serde_json::json;

use super::target::{Target, Wait};
use crate::control::actions::commands::{AvailabilityRequest, AvailabilityType};
use crate::control::actions::model::ActionView;
use crate::control::actions::performer::Performer;
use crate::events::ActionKind;
use crate::http::caller::WriteConnectors;
use crate::http::docs::CommandErrors;
use crate::http::envelope::Reply;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Body, Caller, Ctx, PathId, Query};
use crate::sites::stations::link::StationCommand;
use kernel::ConnectorId;

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(unlock_connector).service(change_connector_availability);
}

/// Lets go of the plug of a connector.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector"), Wait),
    responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/connectors/{id}/unlock")]
async fn unlock_connector(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<ConnectorId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::connector(&caller, &ctx, id).await?;
    let connector = target.connector.as_ref().map_or(0, |connector| connector.number);
    let command = StationCommand::UnlockConnector { connector };
    target.command(&performer, ActionKind::ConnectorUnlock, json!({}), command, query.wait.unwrap_or(false)).await
}

/// Puts a connector into or out of use.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector"), Wait),
    request_body = AvailabilityRequest, responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/connectors/{id}/change_availability")]
async fn change_connector_availability(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<ConnectorId>,
    Query(query): Query<Wait>,
    Body(request): Body<AvailabilityRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::connector(&caller, &ctx, id).await?;
    let connector = target.connector.as_ref().map_or(0, |connector| connector.number);
    let operative = request.kind == AvailabilityType::Operative;
    let data = json!({"type": request.kind});
    let command = StationCommand::ChangeAvailability { connector, operative };
    target
        .command(&performer, ActionKind::ConnectorChangeAvailability, data, command, query.wait.unwrap_or(false))
        .await
}
