//! A station's configuration: read from it, kept with its age, changed on it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, patch, post, web};
use serde_json::{Value, json};

use super::target::{Target, Wait, in_time};
use crate::control::actions::commands::*;
use crate::control::actions::model::ActionView;
use crate::control::actions::performer::Performer;
use crate::events::ActionKind;
use crate::http::caller::{ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Code, Ctx, PathId, Query};
use crate::sites::stations;
use crate::sites::stations::link::StationCommand;
use kernel::credentials::hide_credentials;
use kernel::{ActionId, StationId};

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get_variables).service(get_configurations).service(update_configurations);
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
    let named = request.variables.unwrap_or_default().into_iter();
    let named = named.map(|wanted| variable_name(wanted.component, wanted.variable));
    let keys = request.key.unwrap_or_default().into_iter();
    let keys: Vec<String> = keys.map(String::from).chain(named).collect();
    let data = json!({"key": keys, "meta_data": request.meta_data});
    let action = target.action(ActionKind::StationGetVariables, data);
    let (_, outcome) = in_time(performer.perform(action, StationCommand::GetConfiguration { keys })).await?;
    let mut shown = outcome.data;
    hide_credentials(&mut shown);
    let field = |name| shown.get(name).cloned().unwrap_or_default();
    let variables = Variables {
        variables: field("variables"),
        unknown: serde_json::from_value(field("unknown")).unwrap_or_default(),
    };
    let (organization, moment, read) = (caller.organization(), ctx.moment(), variables.variables.clone());
    ctx.db.write(move |conn| stations::keep_variables(conn, organization, id, &read, &moment)).await?;
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
    Ok(reply(StatusCode::OK, "Found", Variables { variables: station.variables.0, unknown: Vec::new() }))
}

/// How the change of a key went.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
struct KeyOutcome {
    /// The key.
    key: String,
    /// Accepted, RebootRequired, NotSupported, Rejected, ReadOnly, or Failed where there was no answer.
    status: String,
    /// What was wrong, where there was no answer.
    reason: Option<String>,
    /// The action of this key.
    action: Option<ActionId>,
}

/// How the changes of all keys went.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
struct KeyOutcomes {
    /// One a key, in the order of the request.
    results: Vec<KeyOutcome>,
}

/// Changes configuration keys on the station: one, answered as an action, or several, answered key by key.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = ConfigurationPatch, responses(
        (status = OK, body = Reply<KeyOutcomes>, description = "How each of `variables` went"),
        (status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[patch("/chargestations/{id}/configurations")]
async fn update_configurations(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(ConfigurationBody(request)): Body<ConfigurationBody>,
) -> ApiResult<HttpResponse> {
    let meta_data = json!(request.meta_data);
    let variables = match (request.variables, request.set_variable_data) {
        (None, Some(changes)) => Some(changes.into_iter().map(setting).collect::<ApiResult<_>>()?),
        (variables, _) => variables,
    };
    match (request.key, request.value, variables) {
        (Some(key), Some(value), None) => {
            let setting = SettingInput { key, value };
            check(&setting, "value")?;
            let target = Target::station(&caller, &ctx, id).await?;
            let (data, command) = change(setting, &meta_data);
            let wait = query.wait.unwrap_or(false);
            target.command(&performer, ActionKind::StationUpdateConfiguration, data, command, wait).await
        }
        (None, None, Some(settings)) => {
            for (index, setting) in settings.iter().enumerate() {
                check(setting, &format!("variables[{index}].value"))?;
            }
            let target = Target::station(&caller, &ctx, id).await?;
            let mut results = Vec::with_capacity(settings.len());
            for setting in settings {
                results.push(change_and_record(&target, &performer, setting, &meta_data).await?);
            }
            Ok(reply(StatusCode::OK, "Changed", KeyOutcomes { results }))
        }
        _ => Err(ApiError::field("key", "required", "give either key and value, or variables")),
    }
}

/// A change in eDRV's form for OCPP 2.
fn setting(change: VariableChange) -> ApiResult<SettingInput> {
    let name = variable_name(change.component, change.variable);
    let key = name.parse().map_err(|_| ApiError::field("setVariableData", "invalid", "a name is too long"))?;
    Ok(SettingInput { key, value: change.attribute_value })
}

/// eDRV refuses to sample more often than every 30 seconds.
fn check(setting: &SettingInput, field: &str) -> ApiResult<()> {
    let seconds: Option<i64> = setting.value.0.parse().ok();
    let key = setting.key.as_str();
    let sampling = matches!(key, "MeterValueSampleInterval" | "SampledDataCtrlr.TxUpdatedInterval");
    if sampling && seconds.is_none_or(|seconds| seconds < 30) {
        return Err(ApiError::field(field, "out_of_range", "MeterValueSampleInterval must be at least 30"));
    }
    Ok(())
}

fn change(setting: SettingInput, meta_data: &Value) -> (Value, StationCommand) {
    let data = json!({"key": setting.key, "value": setting.value.0, "meta_data": meta_data});
    let command = StationCommand::ChangeConfiguration { key: setting.key.into(), value: setting.value.0 };
    (data, command)
}

/// Changes one of several keys; that one fails does not keep the others from being tried, a lost station does.
async fn change_and_record(
    target: &Target,
    performer: &Performer,
    setting: SettingInput,
    meta_data: &Value,
) -> ApiResult<KeyOutcome> {
    let key = setting.key.to_string();
    let stored = target.station.variables.0.get(&key);
    let read_only = stored.and_then(|entry| entry.get("readonly")) == Some(&Value::Bool(true));
    let (data, command) = change(setting, meta_data);
    let action = target.action(ActionKind::StationUpdateConfiguration, data);
    match performer.perform(action, command).await {
        Ok((action, outcome)) => {
            let said = outcome.status.unwrap_or_default();
            Ok(KeyOutcome {
                key,
                status: if said == "Rejected" && read_only { "ReadOnly".to_owned() } else { said },
                reason: None,
                action: Some(action.id),
            })
        }
        Err(error) if error.code() == Code::StationOffline => Err(error),
        Err(error) => {
            Ok(KeyOutcome { key, status: "Failed".to_owned(), reason: Some(error.message().to_owned()), action: None })
        }
    }
}
