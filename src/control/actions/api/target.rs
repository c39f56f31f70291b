//! Whom a command is for, and how its caller is answered.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::control::actions::performer::{NewAction, Performer};
use crate::events::ActionKind;
use crate::filters;
use crate::http::caller::Permission;
use crate::http::envelope::reply;
use crate::http::{ApiError, ApiResult, Caller, Code, Ctx};
use crate::load::groups;
use crate::sites::stations::link::{DEFAULT_LIMIT_PROFILE, LinkError, Outcome, StationCommand};
use crate::sites::stations::{self, Connector, Station};
use kernel::spelled::Spelled;
use kernel::{ConnectorId, StationId};

/// How long a call is held open for a station's answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

filters! {
    /// Whether to wait.
    pub(crate) struct Wait {
        /// Hold the call until the station answers, 60 s at most.
        pub wait: bool,
    }
}

/// Whom a command is for, once it was found to be the caller's.
pub(super) struct Target {
    pub(super) station: Station,
    pub(super) connector: Option<Connector>,
    /// Whether the caller sees numbers of cards.
    sees_cards: bool,
}

impl Target {
    pub(super) async fn station<P: Permission>(caller: &Caller<P>, ctx: &Ctx, id: StationId) -> ApiResult<Self> {
        let organization = caller.organization();
        let found = ctx.db.read(move |conn| stations::find_station(conn, organization, id)).await;
        let station = found.map_err(|error| ApiError::missing(error, "charge station"))?;
        Ok(Self { station, connector: None, sees_cards: caller.sees_cards() })
    }

    pub(super) async fn connector<P: Permission>(caller: &Caller<P>, ctx: &Ctx, id: ConnectorId) -> ApiResult<Self> {
        let organization = caller.organization();
        let found = ctx.db.read(move |conn| {
            let connector = stations::find_connector(conn, organization, id)?;
            Ok((stations::find_station(conn, organization, connector.chargestation_id)?, connector))
        });
        let (station, connector) = found.await.map_err(|error| ApiError::missing(error, "connector"))?;
        Ok(Self { station, connector: Some(connector), sees_cards: caller.sees_cards() })
    }

    async fn is_balanced(&self, performer: &Performer) -> ApiResult<bool> {
        let station = self.station.id;
        let db = performer.db();
        Ok(db.read(move |conn| groups::is_member(conn, station)).await?)
    }

    pub(super) fn action(&self, kind: ActionKind, data: Value) -> NewAction {
        NewAction {
            organization: self.station.organization_id,
            station: self.station.id,
            connector: self.connector.as_ref().map(|connector| connector.id),
            session: None,
            kind,
            data,
        }
    }

    /// Sends the command and answers with its action: at once, or after the station answered.
    pub(super) async fn command(
        &self,
        performer: &Performer,
        kind: ActionKind,
        data: Value,
        command: StationCommand,
        wait: bool,
    ) -> ApiResult<HttpResponse> {
        if let StationCommand::Device { request, .. } = &command
            && performer.is_online(self.station.id)
            && !request.is_known_to(self.station.protocol)
        {
            let spoken = self.station.protocol;
            let message = format!("The station speaks {spoken}, which has no {request}");
            return Err(ApiError::conflict(message));
        }
        if overrides_balancing(&command) && self.is_balanced(performer).await? {
            return Err(ApiError::conflict(
                "The station is in a load-management group, which alone decides what its connectors may draw; change \
                 the group's members, or the session's limit",
            ));
        }
        let action = self.action(kind, data);
        if !wait {
            let view = performer.start(action, command).await?;
            let view = view.seen(self.sees_cards);
            return Ok(reply(StatusCode::ACCEPTED, &format!("{} requested", sentence(kind)), view));
        }
        let is_raw = matches!(command, StationCommand::Raw { .. });
        let (view, outcome) = in_time(performer.attempt(action, command)).await?;
        let view = view.seen(self.sees_cards);
        let is_answer = outcome.as_ref().map_or_else(LinkError::is_of_station, |_| true);
        if is_raw && is_answer {
            // Whoever speaks OCPP by hand judges the answer too.
            return Ok(reply(StatusCode::OK, "The station answered", view));
        }
        accepted(&outcome?)?;
        Ok(reply(StatusCode::OK, &format!("{} accepted", sentence(kind)), view))
    }
}

pub(super) async fn in_time<T>(work: impl Future<Output = ApiResult<T>>) -> ApiResult<T> {
    let silent = |_| ApiError::new(Code::StationSilent, Code::StationSilent.meaning());
    tokio::time::timeout(LONGEST_WAIT, work).await.map_err(silent)?
}

fn accepted(outcome: &Outcome) -> ApiResult<()> {
    if outcome.accepted {
        return Ok(());
    }
    Err(ApiError::new(Code::CommandFailed, outcome.refusal()))
}

/// `connector.set_power_limit` → `Set power limit`.
fn sentence(kind: ActionKind) -> String {
    let name = kind.as_str().rsplit('.').next().unwrap_or_default();
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// What the action shows of a command.
pub(super) fn shown(command: &StationCommand) -> Value {
    match command {
        StationCommand::Device { payload, .. } => payload.clone(),
        other => json!(other),
    }
}

/// Whether a command may replace, outrank or remove a limit of balancing. Profiles of the whole station may not: a
/// station obeys the lower of both.
fn overrides_balancing(command: &StationCommand) -> bool {
    /// The purpose of such a profile, as it was and as it is called.
    const OF_STATION: [&str; 2] = ["ChargePointMaxProfile", "ChargingStationMaxProfile"];
    let is_of_whole_station = |profile: Option<&Value>| {
        let purpose = profile.and_then(|profile| profile.get("chargingProfilePurpose"));
        purpose.and_then(Value::as_str).is_some_and(|purpose| OF_STATION.contains(&purpose))
    };
    match command {
        StationCommand::SetLimit(limit) => limit.connector != 0,
        StationCommand::SetChargingProfile { profile, .. } => !is_of_whole_station(Some(profile)),
        StationCommand::ClearChargingProfile { id, purpose, .. } => match (id, purpose) {
            (_, Some(purpose)) => !OF_STATION.contains(&purpose.as_str()),
            (Some(id), None) => !is_of_station(*id),
            (None, None) => true,
        },
        StationCommand::Raw { action, payload } => match action.as_str() {
            "SetChargingProfile" => {
                let profile = payload.get("csChargingProfiles").or(payload.get("chargingProfile"));
                !is_of_whole_station(profile)
            }
            "ClearChargingProfile" => {
                let criteria = payload.get("chargingProfileCriteria").unwrap_or(payload);
                !is_of_whole_station(Some(criteria))
            }
            "RequestStartTransaction" | "RemoteStartTransaction" => payload.get("chargingProfile").is_some(),
            "UpdateDynamicSchedule" | "UsePriorityCharging" => true,
            _ => false,
        },
        _ => false,
    }
}

/// Whether a profile id is the limit of a whole station that was set by API.
const fn is_of_station(id: i32) -> bool {
    id == DEFAULT_LIMIT_PROFILE
}
