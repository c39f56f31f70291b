//! A station's configuration: read from it, kept with its age, changed on it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, patch, post, web};
use serde_json::{Value, json};
use utoipa_actix_web::service_config::ServiceConfig;

use super::target::{Target, Wait, in_time};
use crate::actions::commands::*;
use crate::actions::model::ActionView;
use crate::actions::performer::Performer;
use crate::http::caller::{ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId, Query};
use crate::kernel::StationId;
use crate::stations;
use crate::stations::link::Command;

/// Adds these endpoints.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(get_variables)
        .service(get_configurations)
        .service(update_configurations);
}

/// What a station's configuration is.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
struct Variables {
    /// Key → value, read-only flag.
    #[schema(value_type = Object)]
    variables: Value,
    /// Keys the station does not know.
    unknown: Vec<String>,
}

/// Reads configuration keys from the station, keeps them, and answers them.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    request_body = GetVariablesRequest, responses((status = OK, body = Reply<Variables>), CommandErrors))]
#[post("/chargestations/{id}/get_variables")]
async fn get_variables(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Body(request): Body<GetVariablesRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let keys: Vec<String> = request
        .key
        .unwrap_or_default()
        .into_iter()
        .map(String::from)
        .collect();
    let data = json!({"key": keys, "meta_data": request.meta_data});
    let action = target.action("get_variables", data);
    let (_, outcome) =
        in_time(performer.perform(action, Command::GetConfiguration { keys })).await?;
    let variables = Variables {
        variables: outcome.data.get("variables").cloned().unwrap_or_default(),
        unknown: serde_json::from_value(outcome.data.get("unknown").cloned().unwrap_or_default())
            .unwrap_or_default(),
    };
    let (organization, now, read) = (
        caller.organization(),
        ctx.clock.now(),
        variables.variables.clone(),
    );
    ctx.db
        .write(move |conn| stations::keep_variables(conn, organization, id, &read, now))
        .await?;
    Ok(reply(StatusCode::OK, "Found", variables))
}

/// The station's configuration as it was last read, without asking the station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<Variables>), OneErrors))]
#[get("/chargestations/{id}/configurations")]
async fn get_configurations(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let Target { station, .. } = Target::station(&caller, &ctx, id).await?;
    Ok(reply(
        StatusCode::OK,
        "Found",
        Variables {
            variables: station.variables.0,
            unknown: Vec::new(),
        },
    ))
}

/// Changes a configuration key on the station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = ConfigurationPatch, responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[patch("/chargestations/{id}/configurations")]
async fn update_configurations(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<ConfigurationPatch>,
) -> ApiResult<HttpResponse> {
    let seconds: Option<i64> = request.value.0.parse().ok();
    if request.key.as_str() == "MeterValueSampleInterval"
        && seconds.is_none_or(|seconds| seconds < 30)
    {
        return Err(ApiError::field(
            "value",
            "out_of_range",
            "MeterValueSampleInterval must be at least 30",
        ));
    }
    let target = Target::station(&caller, &ctx, id).await?;
    let data =
        json!({"key": request.key, "value": request.value.0, "meta_data": request.meta_data});
    let command = Command::ChangeConfiguration {
        key: request.key.into(),
        value: request.value.0,
    };
    target
        .command(
            &performer,
            "update_configuration",
            data,
            command,
            query.wait.unwrap_or(false),
        )
        .await
}
