//! Limits of stations and connectors that hold until they are cleared.

use actix_web::{HttpResponse, post, web};
use serde_json::json;

use super::target::{Target, Wait};
use crate::control::actions::commands::PowerLimitRequest;
use crate::control::actions::model::ActionView;
use crate::control::actions::performer::Performer;
use crate::events::ActionKind;
use crate::http::caller::{WriteConnectors, WriteStations};
use crate::http::docs::CommandErrors;
use crate::http::envelope::Reply;
use crate::http::quantities::LimitUnit;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Body, Caller, Ctx, PathId, Query};
use crate::sites::stations::Connector;
use crate::sites::stations::link::{DEFAULT_LIMIT_PROFILE, LimitPurpose, SetLimit, StationCommand};
use kernel::{ConnectorId, Millivolts, PhaseSet, StationId};

/// Voltage for conversions where a connector says nothing.
const MAINS: Millivolts = Millivolts(230_000);

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(set_chargestation_power_limit)
        .service(clear_chargestation_power_limit)
        .service(set_connector_power_limit)
        .service(clear_connector_power_limit);
}

impl PowerLimitRequest {
    /// The limit of one connector, or of the whole station.
    fn command(&self, connector: Option<&Connector>) -> ApiResult<StationCommand> {
        let voltage = connector.and_then(|connector| connector.voltage_limit).unwrap_or(MAINS);
        let phases = connector.map_or(PhaseSet::ALL, Connector::phase_set);
        let limit = self.unit.watts(self.limit, voltage, phases)?;
        Ok(StationCommand::SetLimit(SetLimit {
            connector: connector.map_or(0, |connector| connector.number),
            limit,
            purpose: LimitPurpose::Default,
            voltage,
            phases,
            offered: phases,
            transaction: None,
            sole: false,
            in_amps: self.unit == LimitUnit::Current,
            duration_seconds: None,
            lowers: true,
            escalate: false,
        }))
    }
}

/// The commands that forget a limit set by API.
fn clear_limit(connector: i32) -> StationCommand {
    StationCommand::ClearChargingProfile {
        id: Some(DEFAULT_LIMIT_PROFILE + connector),
        connector: None,
        purpose: None,
        stack_level: None,
    }
}

/// Limits a whole station until the limit is cleared.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = PowerLimitRequest, responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/set_default_power_limit")]
async fn set_chargestation_power_limit(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<PowerLimitRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let command = request.command(None)?;
    let data = json!({"unit": request.unit, "limit": request.limit});
    target.command(&performer, ActionKind::StationSetPowerLimit, data, command, query.wait.unwrap_or(false)).await
}

/// Forgets the limit of a whole station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/clear_default_power_limit")]
async fn clear_chargestation_power_limit(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    target
        .command(&performer, ActionKind::StationClearPowerLimit, json!({}), clear_limit(0), query.wait.unwrap_or(false))
        .await
}

/// Limits a connector until the limit is cleared.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector"), Wait),
    request_body = PowerLimitRequest, responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/connectors/{id}/set_default_power_limit")]
async fn set_connector_power_limit(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<ConnectorId>,
    Query(query): Query<Wait>,
    Body(request): Body<PowerLimitRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::connector(&caller, &ctx, id).await?;
    let command = request.command(target.connector.as_ref())?;
    let data = json!({"unit": request.unit, "limit": request.limit});
    target.command(&performer, ActionKind::ConnectorSetPowerLimit, data, command, query.wait.unwrap_or(false)).await
}

/// Forgets the limit of a connector.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector"), Wait),
    responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/connectors/{id}/clear_default_power_limit")]
async fn clear_connector_power_limit(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<ConnectorId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::connector(&caller, &ctx, id).await?;
    let number = target.connector.as_ref().map_or(0, |connector| connector.number);
    target
        .command(
            &performer,
            ActionKind::ConnectorClearPowerLimit,
            json!({}),
            clear_limit(number),
            query.wait.unwrap_or(false),
        )
        .await
}
