//! What makes a group a home user's: its exclusion times, which operator and user edit as one record, and whose it is.

use actix_web::{delete, get, put, web};
use diesel::prelude::*;

use super::exclusion::{ExclusionTimes, GroupExclusionTimes};
use super::model::{Group, GroupView};
use super::prices::EnergyPrices;
use super::store;
use crate::events::{Change, EventKind};
use crate::http::caller::{ReadGroups, WriteGroups};
use crate::http::docs::{OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Ctx, Found, IfMatch, PathId};
use crate::sites::rates;
use crate::sites::stations::link::{Signal, SignalKind, Signals};
use crate::store::schema::load_groups;
use crate::store::{Conn, Json, StoreError, StoreResult};
use kernel::*;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_group_exclusion_times)
        .service(set_group_exclusion_times)
        .service(set_group_energy_prices)
        .service(clear_group_energy_prices);
}

pub(super) fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "group")
}

/// Notifies balancing that limits, members or exclusions changed.
pub fn replan(signals: &Signals, organization: OrganizationId, stations: impl IntoIterator<Item = StationId>) {
    for station in stations {
        signals.notify(Signal { organization, station, kind: SignalKind::Reconfigured });
    }
}

/// Reads the exclusion times of a group; its `ETag` is that of the group, so `If-Match` of a `PUT` can have it.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupExclusionTimes>), OneErrors))]
#[get("/load_management/groups/{id}/exclusion_times")]
async fn get_group_exclusion_times(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
) -> ApiResult<Found<GroupExclusionTimes>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| store::find(conn, organization, id));
    Ok(Found(read.await.map_err(missing)?.into()))
}

/// Replaces the exclusion times of a group with the algorithm `consumer_tou`; they apply at once. Its home user sees and edits
/// the same ones in the portal.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = ExclusionTimes, responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[put("/load_management/groups/{id}/exclusion_times")]
async fn set_group_exclusion_times(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(times): Body<ExclusionTimes>,
) -> ApiResult<Changed<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let view = ctx
        .db
        .write(move |conn| {
            let group = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            set_exclusion_times(conn, &moment, group, times.clone())
        })
        .await?;
    replan(&signals, organization, view.stations());
    Ok(Changed(view))
}

/// Sets what energy costs a group with the algorithm `consumer_tou`: prices hour by hour, such as the day-ahead prices of an
/// exchange, or a rate or schedule of rates. Cars whose session has `departure_time` and `energy_need` then charge in the
/// cheapest hours that are allowed; see `…/charging_plan`.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = EnergyPrices, responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[put("/load_management/groups/{id}/energy_prices")]
async fn set_group_energy_prices(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(prices): Body<EnergyPrices>,
) -> ApiResult<Changed<GroupView>> {
    price(&caller, &ctx, &signals, id, if_match, Some(prices)).await
}

/// Forgets what energy costs a group: its cars charge as soon as they may.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[delete("/load_management/groups/{id}/energy_prices")]
async fn clear_group_energy_prices(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
) -> ApiResult<Changed<GroupView>> {
    price(&caller, &ctx, &signals, id, if_match, None).await
}

async fn price(
    caller: &Caller<WriteGroups>,
    ctx: &Ctx,
    signals: &Signals,
    id: GroupId,
    if_match: IfMatch,
    prices: Option<EnergyPrices>,
) -> ApiResult<Changed<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let view = ctx
        .db
        .write(move |conn| {
            let mut group = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            refuse_others(&group)?;
            if let Some(prices) = &prices {
                prices.check()?;
                if let Some(rate) = prices.rate {
                    rates::require(conn, organization, rate, "rate")?;
                }
            }
            group.energy_prices = prices.clone().map(Json);
            changed(conn, &moment, group)
        })
        .await?;
    replan(signals, organization, view.stations());
    Ok(Changed(view))
}

/// Replaces the exclusion times of a home user's group.
pub fn set_exclusion_times(
    conn: &mut Conn,
    moment: &Moment,
    mut group: Group,
    times: ExclusionTimes,
) -> ApiResult<GroupView> {
    refuse_others(&group)?;
    times.check()?;
    group.exclusion_times = Json(times.spelled_out());
    changed(conn, moment, group)
}

/// Gives a group to a home user, or takes it away from the one it has. Two never have it.
pub fn give_to(conn: &mut Conn, moment: &Moment, mut group: Group, user: Option<UserId>) -> ApiResult<GroupView> {
    refuse_others(&group)?;
    if user.is_some() && group.user_id.is_some_and(|has| Some(has) != user) {
        let message = "The group has another home user, who must be removed first";
        return Err(ApiError::conflict(message));
    }
    group.user_id = user;
    changed(conn, moment, group)
}

fn refuse_others(group: &Group) -> ApiResult<()> {
    if group.is_home() {
        return Ok(());
    }
    let message = format!("The algorithm of the group is {}, but only consumer_tou is for home users", group.algorithm);
    Err(ApiError::conflict(message))
}

fn changed(conn: &mut Conn, moment: &Moment, mut group: Group) -> ApiResult<GroupView> {
    let organization = group.organization_id;
    group.updated_at = moment.version_after(group.updated_at);
    store::update(conn, &group)?;
    let view = store::view(conn, group)?;
    Change::new(conn, organization, moment).record(EventKind::GroupUpdated, &view)?;
    Ok(view)
}

/// The groups of a home user, by id.
pub fn groups_of_user(conn: &mut Conn, organization: OrganizationId, user: UserId) -> StoreResult<Vec<Group>> {
    Ok(load_groups::table
        .filter(load_groups::organization_id.eq(organization))
        .filter(load_groups::user_id.eq(user))
        .order(load_groups::id)
        .select(Group::as_select())
        .load(conn)?)
}
