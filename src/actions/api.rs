//! The endpoints of actions and of the commands that make them.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, patch, post, web};
use serde_json::{Value, json};
use utoipa_actix_web::service_config::ServiceConfig;

use super::commands::*;
use super::model::{ActionStatus, ActionView};
use super::performer::{NewAction, Performer};
use super::store;
use crate::filters;
use crate::http::caller::{
    Permission, ReadActions, ReadStations, WriteConnectors, WriteOcpp, WriteStations,
};
use crate::http::docs::{CommandErrors, ListErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::quantities::LimitUnit;
use crate::http::query::{ListParameters, ListQuery};
use crate::http::{ApiError, ApiResult, Body, Caller, Code, Ctx, Found, PathId, Query};
use crate::kernel::{ActionId, ConnectorId, Millivolts, PhaseSet, StationId};
use crate::stations::link::{Command, LimitPurpose, Outcome, SetLimit};
use crate::stations::{self, Connector, Station};

/// How long a call is held open for a station's answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Voltage for conversions where a location says nothing.
const MAINS: Millivolts = Millivolts(230_000);

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_actions)
        .service(get_action)
        .service(reset_chargestation)
        .service(trigger_message)
        .service(change_chargestation_availability)
        .service(get_variables)
        .service(get_configurations)
        .service(update_configurations)
        .service(set_chargestation_power_limit)
        .service(clear_chargestation_power_limit)
        .service(set_charging_profile)
        .service(clear_charging_profile)
        .service(get_composite_schedule)
        .service(clear_cache)
        .service(send_local_list)
        .service(get_local_list_version)
        .service(update_firmware)
        .service(get_diagnostics)
        .service(transfer_data)
        .service(send_ocpp)
        .service(unlock_connector)
        .service(change_connector_availability)
        .service(set_connector_power_limit)
        .service(clear_connector_power_limit);
}

filters! {
    /// Filters of actions.
    pub struct ActionFilter {
        /// Only those asked of this station.
        pub chargestation: StationId,
        /// Only those that got this far.
        #[param(inline)]
        pub status: ActionStatus,
        /// Only those of this type.
        pub kind as "type": String,
    }
}

filters! {
    /// Whether to wait.
    pub struct Wait {
        /// Hold the call until the station answers, 60 s at most.
        pub wait: bool,
    }
}

/// Lists actions.
#[utoipa::path(tag = "actions", params(ListParameters, ActionFilter),
    responses((status = OK, body = ListReply<ActionView>), ListErrors))]
#[get("/actions")]
async fn list_actions(
    caller: Caller<ReadActions>,
    ctx: Ctx,
    query: ListQuery<ActionFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        Ok(store::list(conn, organization, query)?.map(ActionView::from))
    })
    .await
}

/// Reads an action.
#[utoipa::path(tag = "actions", params(("id" = ActionId, Path, description = "The action")),
    responses((status = OK, body = Reply<ActionView>), OneErrors))]
#[get("/actions/{id}")]
async fn get_action(
    caller: Caller<ReadActions>,
    ctx: Ctx,
    PathId(id): PathId<ActionId>,
) -> ApiResult<Found<ActionView>> {
    let organization = caller.organization();
    let found = ctx
        .db
        .read(move |conn| store::find(conn, organization, id))
        .await;
    found
        .map(|action| Found(action.into()))
        .map_err(|error| ApiError::missing(error, "action"))
}

/// Whom a command is for, once it was found to be the caller's.
struct Target {
    station: Station,
    connector: Option<Connector>,
}

impl Target {
    async fn station<P: Permission>(
        caller: &Caller<P>,
        ctx: &Ctx,
        id: StationId,
    ) -> ApiResult<Self> {
        let organization = caller.organization();
        let found = ctx
            .db
            .read(move |conn| stations::find_station(conn, organization, id))
            .await;
        let station = found.map_err(|error| ApiError::missing(error, "charge station"))?;
        Ok(Self {
            station,
            connector: None,
        })
    }

    async fn connector<P: Permission>(
        caller: &Caller<P>,
        ctx: &Ctx,
        id: ConnectorId,
    ) -> ApiResult<Self> {
        let organization = caller.organization();
        let found = ctx.db.read(move |conn| {
            let connector = stations::find_connector(conn, organization, id)?;
            Ok((
                stations::find_station(conn, organization, connector.chargestation_id)?,
                connector,
            ))
        });
        let (station, connector) = found
            .await
            .map_err(|error| ApiError::missing(error, "connector"))?;
        Ok(Self {
            station,
            connector: Some(connector),
        })
    }

    fn action(&self, name: &str, data: Value) -> NewAction {
        let resource = if self.connector.is_some() {
            "connector"
        } else {
            "chargestation"
        };
        NewAction {
            organization: self.station.organization_id,
            station: self.station.id,
            connector: self.connector.as_ref().map(|connector| connector.id),
            session: None,
            kind: format!("{resource}.{name}"),
            data,
        }
    }

    /// Sends the command and answers with its action: at once, or after the station answered.
    async fn command(
        &self,
        performer: &Performer,
        name: &str,
        data: Value,
        command: Command,
        wait: bool,
    ) -> ApiResult<HttpResponse> {
        let action = self.action(name, data);
        if !wait {
            let view = performer.start(action, command).await?;
            return Ok(reply(
                StatusCode::ACCEPTED,
                &format!("{} requested", sentence(name)),
                view,
            ));
        }
        let (view, outcome) = in_time(performer.perform(action, command)).await?;
        accepted(&outcome)?;
        Ok(reply(
            StatusCode::OK,
            &format!("{} accepted", sentence(name)),
            view,
        ))
    }
}

async fn in_time<T>(work: impl Future<Output = ApiResult<T>>) -> ApiResult<T> {
    let silent = |_| ApiError::new(Code::StationSilent, Code::StationSilent.meaning());
    tokio::time::timeout(LONGEST_WAIT, work)
        .await
        .map_err(silent)?
}

fn accepted(outcome: &Outcome) -> ApiResult<()> {
    if outcome.accepted {
        return Ok(());
    }
    let status = outcome.status.as_deref().unwrap_or("no");
    Err(ApiError::new(
        Code::CommandFailed,
        format!("The station answered {status}"),
    ))
}

/// `set_power_limit` → `Set power limit`.
fn sentence(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

macro_rules! station_commands {
    ($($(#[$doc:meta])* $handler:ident $path:literal $name:literal ($request:ty) wait $wait:literal $allow:ty;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
            request_body = $request, responses(
                (status = OK, body = Reply<ActionView>, description = "The station accepted"),
                (status = ACCEPTED, body = Reply<ActionView>, description = "Asked; the outcome comes by event"),
                CommandErrors))]
        #[post($path)]
        async fn $handler(
            caller: Caller<$allow>,
            ctx: Ctx,
            performer: web::Data<Performer>,
            PathId(id): PathId<StationId>,
            Query(query): Query<Wait>,
            Body(request): Body<$request>,
        ) -> ApiResult<HttpResponse> {
            let target = Target::station(&caller, &ctx, id).await?;
            let command = Command::from(request);
            let data = told(&command);
            target.command(&performer, $name, data, command, query.wait.unwrap_or($wait)).await
        }
    )*};
}

/// What the action shows of a command.
fn told(command: &Command) -> Value {
    json!({"command": format!("{command:?}")})
}

station_commands! {
    /// Asks a station to send a message now.
    trigger_message "/chargestations/{id}/trigger_message" "trigger_message" (TriggerRequest) wait false WriteStations;
    /// Puts a station or one of its connectors into or out of use.
    change_chargestation_availability "/chargestations/{id}/change_availability" "change_availability"
        (AvailabilityRequest) wait false WriteStations;
    /// Installs a charging profile in the protocol's own form.
    set_charging_profile "/chargestations/{id}/set_charging_profile" "set_charging_profile"
        (ChargingProfileRequest) wait false WriteStations;
    /// Removes charging profiles.
    clear_charging_profile "/chargestations/{id}/clear_charging_profile" "clear_charging_profile"
        (ClearProfileRequest) wait false WriteStations;
    /// Asks which limits will apply.
    get_composite_schedule "/chargestations/{id}/get_composite_schedule" "get_composite_schedule"
        (CompositeScheduleRequest) wait false WriteStations;
    /// Tells a station which tokens may charge while it is offline.
    send_local_list "/chargestations/{id}/send_local_list" "send_local_list" (LocalListRequest) wait false WriteStations;
    /// Asks for an upload of diagnostics.
    get_diagnostics "/chargestations/{id}/get_diagnostics" "get_diagnostics"
        (DiagnosticsRequest) wait false WriteStations;
    /// Sends whatever the vendor agreed on.
    transfer_data "/chargestations/{id}/data_transfer" "data_transfer" (DataTransferRequest) wait false WriteStations;
    /// Sends any OCPP action with its own payload and answers what the station said.
    send_ocpp "/chargestations/{id}/ocpp" "ocpp" (RawRequest) wait true WriteOcpp;
}

/// Restarts a station; waits for its answer unless told otherwise.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = ResetRequest, responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/reset")]
async fn reset_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<ResetRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    if !request.kind.fits(target.station.protocol) {
        let message = format!(
            "{} is not a reset of {}",
            request.kind, target.station.protocol
        );
        return Err(ApiError::field("type", "invalid", message));
    }
    let command = Command::Reset {
        hard: matches!(request.kind, ResetType::Hard | ResetType::Immediate),
    };
    let data = json!({"type": request.kind, "meta_data": request.meta_data});
    target
        .command(
            &performer,
            "reset",
            data,
            command,
            query.wait.unwrap_or(true),
        )
        .await
}

/// Tells a station to forget remembered tokens.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/clear_cache")]
async fn clear_cache(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    target
        .command(
            &performer,
            "clear_cache",
            json!({}),
            Command::ClearCache,
            query.wait.unwrap_or(false),
        )
        .await
}

/// Asks for the version of the station's list of tokens.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/get_local_list_version")]
async fn get_local_list_version(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let wait = query.wait.unwrap_or(false);
    target
        .command(
            &performer,
            "get_local_list_version",
            json!({}),
            Command::GetLocalListVersion,
            wait,
        )
        .await
}

/// Tells a station to install firmware.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = FirmwareRequest, responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/update_firmware")]
async fn update_firmware(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<FirmwareRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let command = Command::UpdateFirmware {
        location: request.location.into(),
        retrieve_at: request.retrieve_date.unwrap_or_else(|| ctx.clock.now()),
        retries: request.retries,
        retry_interval: request.retry_interval,
    };
    let data = told(&command);
    target
        .command(
            &performer,
            "update_firmware",
            data,
            command,
            query.wait.unwrap_or(false),
        )
        .await
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
        .write(move |conn| {
            let mut station = stations::find_station(conn, organization, id)?;
            keep_variables(&mut station, &read, now);
            stations::update_station(conn, &station)
        })
        .await?;
    Ok(reply(StatusCode::OK, "Found", variables))
}

/// Merges what was read into the stored copy, each key with the time it was read.
fn keep_variables(station: &mut Station, read: &Value, now: crate::kernel::Timestamp) {
    let mut stored = station.variables.0.as_object().cloned().unwrap_or_default();
    for (key, value) in read.as_object().into_iter().flatten() {
        let mut entry = value.as_object().cloned().unwrap_or_default();
        entry.insert("readAt".to_owned(), json!(now));
        stored.insert(key.clone(), entry.into());
    }
    let values = stored
        .iter()
        .filter_map(|(key, entry)| Some((key.clone(), entry.get("value")?.clone())));
    station.configuration.0 = Value::Object(values.collect());
    station.variables.0 = Value::Object(stored);
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

impl PowerLimitRequest {
    /// The limit of one connector, or of the whole station.
    fn command(&self, connector: Option<&Connector>) -> ApiResult<Command> {
        let voltage = connector
            .and_then(|connector| connector.voltage_limit)
            .unwrap_or(MAINS);
        let phases = connector.map_or(PhaseSet::ALL, Connector::phase_set);
        let limit = self.unit.watts(self.limit, voltage, phases)?;
        Ok(Command::SetLimit(SetLimit {
            connector: connector.map_or(0, |connector| connector.number),
            limit,
            purpose: LimitPurpose::Default,
            voltage,
            phases,
            in_amps: self.unit == LimitUnit::Current,
            duration_seconds: None,
            lowers: true,
        }))
    }
}

/// The commands that forget a limit set by API.
fn clear_limit(connector: i32) -> Command {
    Command::ClearChargingProfile {
        id: Some(crate::stations::link::DEFAULT_LIMIT_PROFILE + connector),
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
    target
        .command(
            &performer,
            "set_power_limit",
            data,
            command,
            query.wait.unwrap_or(false),
        )
        .await
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
        .command(
            &performer,
            "clear_power_limit",
            json!({}),
            clear_limit(0),
            query.wait.unwrap_or(false),
        )
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
    target
        .command(
            &performer,
            "set_power_limit",
            data,
            command,
            query.wait.unwrap_or(false),
        )
        .await
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
    let number = target
        .connector
        .as_ref()
        .map_or(0, |connector| connector.number);
    target
        .command(
            &performer,
            "clear_power_limit",
            json!({}),
            clear_limit(number),
            query.wait.unwrap_or(false),
        )
        .await
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
    let connector = target
        .connector
        .as_ref()
        .map_or(0, |connector| connector.number);
    let command = Command::UnlockConnector { connector };
    target
        .command(
            &performer,
            "unlock",
            json!({}),
            command,
            query.wait.unwrap_or(false),
        )
        .await
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
    let connector = target
        .connector
        .as_ref()
        .map_or(0, |connector| connector.number);
    let operative = request.kind == AvailabilityType::Operative;
    let data = json!({"type": request.kind});
    let command = Command::ChangeAvailability {
        connector,
        operative,
    };
    target
        .command(
            &performer,
            "change_availability",
            data,
            command,
            query.wait.unwrap_or(false),
        )
        .await
}
