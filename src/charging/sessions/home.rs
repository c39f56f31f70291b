//! What home users see and say of sessions: those at their chargers, and what the car that is plugged in needs.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, put, web};
use diesel::prelude::*;
use serde::Serialize;

use super::model::{Session, SessionStatus};
use super::period::{PeriodFilter, page_of};
use super::store::{self, record};
use crate::events::EventKind;
use crate::home::portal::HomeCaller;
use crate::http::docs::{HomeListErrors, HomeWriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::money::Amount;
use crate::http::quantities::shown;
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, Ctx, Faults, PathId};
use crate::input;
use crate::load::groups;
use crate::sites::stations::link::Signals;
use crate::store::schema::sessions;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Adds what home users may ask; below `/v1.1/portal`.
pub fn portal_routes(config: &mut ServiceConfig) {
    config.service(list_home_sessions).service(set_home_need);
}

/// What a session costs a home user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HomeCostView {
    /// What is to be paid, with tax, in the currency's major unit.
    amount: Amount,
    /// In what.
    currency: Currency,
}

/// A session as the home user sees it at whose charger it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HomeSessionView {
    /// Its id.
    #[serde(rename = "_id")]
    id: SessionId,
    /// How far it got: started or ended.
    #[schema(value_type = String, example = "ended")]
    status: SessionStatus,
    /// When it began to charge.
    #[serde(rename = "chargingStart")]
    charging_start: Option<Timestamp>,
    /// When it stopped.
    #[serde(rename = "chargingStop")]
    charging_stop: Option<Timestamp>,
    /// What it charged, in Wh.
    #[serde(rename = "energyConsumed")]
    energy_consumed: i64,
    /// What it costs; null where its charger has no rate.
    cost: Option<HomeCostView>,
}

impl From<Session> for HomeSessionView {
    fn from(session: Session) -> Self {
        let cost = session.cost.map(|cost| cost.0);
        Self {
            id: session.id,
            status: session.status,
            charging_start: session.started_at,
            charging_stop: session.ended_at,
            energy_consumed: session.energy.get(),
            cost: cost.map(|cost| HomeCostView { amount: cost.amount, currency: cost.currency }),
        }
    }
}

/// Lists the sessions at the user's chargers.
///
/// What was over before the user was invited is somebody else's, and not shown. `format=csv` answers a file with all of them.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(ListParameters, PeriodFilter),
    responses((status = OK, body = ListReply<HomeSessionView>), HomeListErrors))]
#[get("/sessions")]
async fn list_home_sessions(caller: HomeCaller, ctx: Ctx, query: ListQuery<PeriodFilter>) -> ApiResult<HttpResponse> {
    list::respond(&ctx, query, move |conn, query| Ok(page(conn, &caller, query)?.map(HomeSessionView::from))).await
}

fn page(conn: &mut Conn, caller: &HomeCaller, query: &ListQuery<PeriodFilter>) -> ApiResult<Page<Session>> {
    let own: Vec<GroupId> =
        groups::groups_of_user(conn, caller.organization, caller.user)?.into_iter().map(|group| group.id).collect();
    let stations = stations_of(conn, &own)?;
    page_of(conn, query, || {
        sessions::table
            .filter(sessions::organization_id.eq(caller.organization))
            .filter(sessions::chargestation_id.eq_any(&stations))
            .filter(sessions::status.eq_any([SessionStatus::Started, SessionStatus::Ended]))
            .filter(sessions::ended_at.is_null().or(sessions::ended_at.gt(caller.invited_at)))
            .into_boxed()
    })
}

fn stations_of(conn: &mut Conn, groups: &[GroupId]) -> StoreResult<Vec<StationId>> {
    Ok(groups::stations_of(conn, groups)?.into_iter().map(|station| station.chargestation_id).collect())
}

/// The session that runs in a group of a home user: the car that is plugged in. Of several, the one that came last.
pub fn running_in(conn: &mut Conn, group: GroupId) -> StoreResult<Option<Session>> {
    let mut running = Vec::new();
    for station in stations_of(conn, &[group])? {
        running.extend(store::running_at(conn, station)?);
    }
    Ok(running.into_iter().max_by_key(|session| (session.started_at, session.id)))
}

input! {
    /// What the car that is plugged in needs; what is null or left out is not known.
    pub(crate) struct HomeNeed {
        /// When the car leaves.
        pub departure_time: Option<Timestamp>,
        /// How much energy it needs by then, in kWh.
        #[schema(minimum = 0, example = 20)]
        pub energy_need: Option<f64>,
    }
}

/// What the car needs from now on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HomeNeedView {
    /// The session.
    session: SessionId,
    /// When the car leaves.
    departure_time: Option<Timestamp>,
    /// How much energy it needs by then, in kWh.
    energy_need: Option<f64>,
}

impl HomeNeed {
    /// The need as energy; all faults at once.
    fn energy(&self) -> ApiResult<Option<WattHours>> {
        let Some(kwh) = self.energy_need else {
            return Ok(None);
        };
        match Watts::from_kilowatts(kwh).filter(|energy| *energy >= Watts::ZERO) {
            Some(energy) => Ok(Some(WattHours(energy.get()))),
            None => {
                let mut faults = Faults::default();
                faults.add("energy_need", "out_of_range", "must be at least 0");
                Err(faults.into())
            }
        }
    }
}

/// Sets what the car that is plugged in needs.
///
/// It charges in the cheapest hours before it leaves where the group has energy prices, see `…/charging_plan`. Both are forgotten
/// when the car leaves. 409 `no_session` while no car is plugged in.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    request_body = HomeNeed, responses((status = OK, body = Reply<HomeNeedView>), HomeWriteErrors))]
#[put("/groups/{id}/need")]
async fn set_home_need(
    caller: HomeCaller,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    Body(need): Body<HomeNeed>,
) -> ApiResult<HttpResponse> {
    let (moment, energy) = (ctx.moment(), need.energy()?);
    let session = ctx
        .db
        .write(move |conn| {
            caller.group(conn, id)?;
            let plugged_in = running_in(conn, id)?;
            let mut session = plugged_in.ok_or_else(|| ApiError::new(Code::NoSession, Code::NoSession.meaning()))?;
            session.departure_at = need.departure_time;
            session.energy_need = energy;
            session.updated_at = moment.version_after(session.updated_at);
            store::update(conn, &session)?;
            record(conn, &moment, &session, EventKind::SessionUpdated)?;
            Ok::<_, ApiError>(session)
        })
        .await?;
    groups::replan(&signals, caller.organization, [session.chargestation_id]);
    let view = HomeNeedView {
        session: session.id,
        departure_time: session.departure_at,
        energy_need: session.energy_need.map(|energy| shown(energy.get())),
    };
    Ok(reply(StatusCode::OK, "Updated", view))
}
