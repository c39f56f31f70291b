//! What balancing shows a home user: what the own group draws and pays now, and when its car is to charge.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;

use super::because::Because;
use super::cheap_hours::ChargingPlanView;
use super::status;
use crate::charging::sessions;
use crate::home::portal::HomeCaller;
use crate::http::docs::HomeErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::quantities::shown;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Ctx, PathId};
use crate::load::groups;
use crate::sites::stations::link::SharedLink;
use kernel::*;

/// Adds what home users may ask; below `/v1.1/portal`.
pub fn portal_routes(config: &mut ServiceConfig) {
    config.service(get_home_now).service(get_home_charging_plan);
}

/// What a home user's group does now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HomeNowView {
    /// What it draws by the meters of its chargers, in kW.
    power: f64,
    /// What the car that is plugged in has charged, in Wh; null where there is none.
    energy: Option<i64>,
    /// Why it charges as it does; null where no car is plugged in.
    reason: Option<String>,
    /// The same for programs, and to be said in other languages.
    because: Option<Because>,
    /// What a kilowatt-hour costs now; null where nobody knows.
    price: Option<f64>,
    /// In what.
    currency: Option<Currency>,
    /// When the car leaves and is to be ready, where its charging is planned.
    ready_by: Option<Timestamp>,
}

/// Shows what the user's group draws and pays now.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<HomeNowView>), HomeErrors))]
#[get("/groups/{id}/now")]
async fn get_home_now(
    caller: HomeCaller,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let now = ctx.clock.now();
    let read = ctx.db.read(move |conn| -> ApiResult<_> {
        caller.group(conn, id)?;
        let status = status::read(conn, caller.organization, id, now, |station| link.is_online(station))?;
        let root = groups::root_of(conn, id)?;
        let (plans, price) = status::planned_and_priced(conn, root, id, now)?;
        let session = sessions::running_in(conn, id)?;
        let plugged_in = session.as_ref().and_then(|session| session.connector_id);
        let power = status.members.iter().filter_map(|member| member.drawing).sum();
        let mut members = status.members.into_iter();
        let member = members.find(|member| Some(member.connector) == plugged_in);
        let (reason, because) = member.map_or((None, None), |member| (member.reason, member.because));
        Ok(HomeNowView {
            power,
            energy: session.map(|session| session.energy.get()),
            reason,
            because,
            price: price.millionths.map(|millionths| shown(millionths) / 1_000.0),
            currency: price.currency,
            ready_by: plans.first().map(|plan| plan.departure_time),
        })
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

/// When the car of a home user is to charge.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HomeChargingPlanView {
    /// When the car leaves, as the user set it.
    departure_time: Option<Timestamp>,
    /// What it needs by then, in kWh, as the user set it.
    energy_need: Option<f64>,
    /// Whether a car is plugged in.
    is_plugged_in: bool,
    /// The plans of its cars; none where nobody set what they need, or what energy costs.
    plans: Vec<ChargingPlanView>,
}

/// Shows when the car of the user's group charges, and what that costs.
///
/// A car is planned when its need is set (`PUT …/need`) and the group has energy prices, in the cheapest hours that are allowed.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<HomeChargingPlanView>), HomeErrors))]
#[get("/groups/{id}/charging_plan")]
async fn get_home_charging_plan(caller: HomeCaller, ctx: Ctx, PathId(id): PathId<GroupId>) -> ApiResult<HttpResponse> {
    let now = ctx.clock.now();
    let read = ctx.db.read(move |conn| {
        caller.group(conn, id)?;
        let root = groups::root_of(conn, id)?;
        let (plans, _) = status::planned_and_priced(conn, root, id, now)?;
        let session = sessions::running_in(conn, id)?;
        let need = session.as_ref().and_then(|session| session.energy_need);
        Ok::<_, ApiError>(HomeChargingPlanView {
            departure_time: session.as_ref().and_then(|session| session.departure_at),
            energy_need: need.map(|energy| shown(energy.get())),
            is_plugged_in: session.is_some(),
            plans,
        })
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}
