//! What balancing shows of a group: its status, the reasons of its plans, its plans, and what it drew.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};

use super::cheap_hours::ChargingPlanView;
use super::explain::{self, ExplanationView, PlanView};
use super::plan_rows;
use super::power::{self, PowerView, Stretch};
use super::proposal::{Proposal, ProposalView};
use super::status::{self, GroupStatusView};
use super::timeline::{self, Axis, TimelineView};
use crate::filters;
use crate::http::caller::ReadGroups;
use crate::http::docs::{OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Code, Ctx, Faults, PathId, Query};
use crate::load::groups;
use crate::sites::stations::link::SharedLink;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

/// Plans one answer holds when nobody says otherwise, and at most.
const PLANS: (u32, u32) = (20, 100);
/// Spans one answer of the power series holds at most.
const MOST_SPANS: i64 = 10_000;

/// Adds the endpoints of balancing.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(get_group_status)
        .service(explain_group)
        .service(list_group_plans)
        .service(simulate_group)
        .service(get_group_power)
        .service(get_group_timeline)
        .service(get_group_charging_plan);
}

filters! {
    /// Which plan is explained.
    pub(crate) struct ExplainQuery {
        /// The plan that held then, which lies in the past; the newest when absent.
        pub at: Timestamp,
    }
}

filters! {
    /// Which plans are listed.
    pub(crate) struct PlansQuery {
        /// Plans a page, 20 when absent, at most 100.
        pub limit: u32,
        /// Which page, from 1.
        pub page: u32,
    }
}

filters! {
    /// Which part of the past is shown.
    pub(crate) struct PowerQuery {
        /// From when; an hour ago when absent.
        pub from: Timestamp,
        /// Until when; now when absent.
        pub to: Timestamp,
        /// Seconds of one span; 60 when absent.
        pub resolution: u32,
    }
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "group")
}

/// The root of the tree of a group of this organization.
fn root(conn: &mut Conn, organization: OrganizationId, group: GroupId) -> StoreResult<GroupId> {
    groups::find_group(conn, organization, group)?;
    groups::root_of(conn, group)
}

/// Shows how a group is doing: how far its plan has come, its members' limits with reasons, and the exposures.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupStatusView>), OneErrors))]
#[get("/load_management/groups/{id}/status")]
async fn get_group_status(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let is_online = |station| link.is_online(station);
        status::read(conn, organization, id, now, is_online)
    });
    Ok(reply(StatusCode::OK, "Found", read.await.map_err(missing)?))
}

/// Explains a plan: every limit with its reason, computed again from the stored snapshot.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group"), ExplainQuery),
    responses((status = OK, body = Reply<ExplanationView>), OneErrors))]
#[get("/load_management/groups/{id}/explain")]
async fn explain_group(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<GroupId>,
    Query(query): Query<ExplainQuery>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let moment = ctx.moment();
    if query.at.is_some_and(|at| at > moment.now) {
        let mut faults = Faults::default();
        faults.add("at", "out_of_range", "must not be in the future: plans are made for the moment only");
        return Err(ApiError::faulty(Code::InvalidQuery, faults));
    }
    let read = ctx.db.read(move |conn| {
        let root = root(conn, organization, id)?;
        match plan_rows::plan_at(conn, root, query.at)? {
            None if query.at.is_none() => {
                let is_online = |station| link.is_online(station);
                status::plan_now(conn, root, &moment, is_online).map(|plan| Some(Ok(plan)))
            }
            stored => Ok(stored),
        }
    });
    let stored = read.await.map_err(missing)?;
    let stored = stored.ok_or_else(|| ApiError::not_found("plan of this group at that time"))?;
    let stored = stored.map_err(|damaged| {
        tracing::error!(group = %id, error = %damaged, "a plan cannot be explained");
        ApiError::new(Code::Internal, format!("The explanation failed: {damaged}"))
    })?;
    Ok(reply(StatusCode::OK, "Found", explain::explain(stored, id)))
}

/// Lists the plans of a group's tree, newest first.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group"), PlansQuery),
    responses((status = OK, body = Reply<Vec<PlanView>>), OneErrors))]
#[get("/load_management/groups/{id}/plans")]
async fn list_group_plans(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    Query(query): Query<PlansQuery>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let limit = i64::from(query.limit.unwrap_or(PLANS.0).clamp(1, PLANS.1));
    let skipped = i64::from(query.page.unwrap_or(1).max(1) - 1) * limit;
    let read = ctx.db.read(move |conn| {
        let root = root(conn, organization, id)?;
        plan_rows::list_plans(conn, root, skipped, limit)
    });
    let plans = read.await.map_err(missing)?;
    let views: Vec<PlanView> = plans.into_iter().map(|stored| explain::show(stored, id)).collect();
    Ok(reply(StatusCode::OK, "Found", views))
}

/// Computes what a change, or more cars, would do: to the plan of this moment, and to those of a stretch of the past. Nothing is
/// sent or stored.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = Proposal, responses((status = OK, body = Reply<ProposalView>), WriteErrors))]
#[post("/load_management/groups/{id}/simulate")]
async fn simulate_group(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<GroupId>,
    Body(proposal): Body<Proposal>,
) -> ApiResult<HttpResponse> {
    proposal.check()?;
    let (organization, moment) = (caller.organization(), ctx.moment());
    let stretch = proposal.stretch();
    let read = ctx.db.read(move |conn| -> StoreResult<_> {
        let root = root(conn, organization, id)?;
        let now = status::plan_now(conn, root, &moment, |station| link.is_online(station))?;
        let past = stretch.map(|stretch| plan_rows::plans_between(conn, root, stretch));
        Ok((now, past.transpose()?.unwrap_or_default()))
    });
    let (now, past) = read.await.map_err(missing)?;
    // Planning a long past again takes a while; neither the store nor other requests wait for it.
    let answer = web::block(move || proposal.answer(id, now, past)).await;
    let answer = answer.map_err(|_| ApiError::new(Code::Busy, "The server is stopping"))?;
    Ok(reply(StatusCode::OK, "Simulated", answer))
}

/// Shows what a group drew: meter values averaged over equal spans and summed over its members.
///
/// A meter value holds until the next one of its connector, for 15 minutes at most, and not beyond its session.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group"), PowerQuery),
    responses((status = OK, body = Reply<Vec<PowerView>>), OneErrors))]
#[get("/load_management/groups/{id}/power")]
async fn get_group_power(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    Query(query): Query<PowerQuery>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let stretch = stretch(&query, now)?;
    let read = ctx.db.read(move |conn| {
        groups::find_group(conn, organization, id)?;
        power::series(conn, id, stretch, now)
    });
    Ok(reply(StatusCode::OK, "Found", read.await.map_err(missing)?))
}

fn stretch(query: &PowerQuery, now: Timestamp) -> ApiResult<Stretch> {
    let to = query.to.unwrap_or(now);
    let from = query.from.unwrap_or(to - Duration::from_secs(3_600));
    let seconds = i64::from(query.resolution.unwrap_or(60));
    let mut faults = Faults::default();
    if from >= to {
        faults.add("from", "out_of_range", "must be before `to`");
    }
    if seconds == 0 || to.seconds_since(from) / seconds.max(1) > MOST_SPANS {
        let message = format!("must leave at most {MOST_SPANS} spans between `from` and `to`");
        faults.add("resolution", "out_of_range", message);
    }
    match faults.is_empty() {
        true => Ok(Stretch { from, to, seconds }),
        false => Err(ApiError::faulty(Code::InvalidQuery, faults)),
    }
}

filters! {
    /// Which part of the past and the future is shown.
    pub(crate) struct TimelineQuery {
        /// From when; a day before `to` when absent.
        pub from: Timestamp,
        /// Until when; now when absent. What lies in the future shows what is planned.
        pub to: Timestamp,
        /// Seconds of one span, rounded up to whole minutes or quarters of an hour; when absent so that there are at most 500 spans.
        pub resolution: u32,
    }
}

/// Shows a group on one axis of time, with its assets and what is planned.
///
/// Means of equal spans: what was drawn and granted, what capacity there was and how much of it was usable, what else drew, and from
/// now on what cars are planned to draw. Minutes are kept for two days, quarters of an hour for `retention.load_history_days`.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group"), TimelineQuery),
    responses((status = OK, body = Reply<TimelineView>), OneErrors))]
#[get("/load_management/groups/{id}/timeline")]
async fn get_group_timeline(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    Query(query): Query<TimelineQuery>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let axis = Axis::new((query.from, query.to), query.resolution, now)?;
    let read = ctx.db.read(move |conn| timeline::read(conn, organization, id, axis, now));
    Ok(reply(StatusCode::OK, "Found", read.await.map_err(missing)?))
}

/// Shows when the cars of a home user's group charge: in the cheapest hours that are allowed, so that each is ready when it
/// leaves, and what that costs. Only sessions with `departure_time` and `energy_need` are planned, where the group has
/// `energy_prices`.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<Vec<ChargingPlanView>>), OneErrors))]
#[get("/load_management/groups/{id}/charging_plan")]
async fn get_group_charging_plan(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let root = root(conn, organization, id)?;
        Ok(status::planned_and_priced(conn, root, id, now)?.0)
    });
    Ok(reply(StatusCode::OK, "Found", read.await.map_err(missing)?))
}
