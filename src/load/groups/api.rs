//! The endpoints of groups: eDRV's, to the letter, and what goes beyond them.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};

use super::capacity::ExternalCap;
use super::home::{self, missing, replan};
use super::model::*;
use super::store;
use super::view::*;
use crate::events::{self, Event, EventKind};
use crate::http::caller::{ReadGroups, WriteGroups};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Faults, Found, IfMatch, PathId};
use crate::sites::locations;
use crate::sites::stations;
use crate::sites::stations::link::Signals;
use crate::store::{Conn, Json, StoreError};
use kernel::*;

/// Adds the endpoints of this slice. The paths with words come before those with ids.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_groups)
        .service(create_group)
        .service(update_group_chargestation)
        .service(remove_group_chargestation)
        .service(get_group)
        .service(update_group)
        .service(delete_group)
        .service(set_group_external_cap)
        .service(clear_group_external_cap)
        .configure(home::routes)
        .service(add_group_chargestation)
        .service(list_group_chargestations);
}

/// Lists load-management groups; also at `/v1.1/groups`.
#[utoipa::path(tag = "load management", params(ListParameters, GroupFilter),
    responses((status = OK, body = ListReply<GroupView>), ListErrors))]
#[get("/load_management/groups")]
async fn list_groups(caller: Caller<ReadGroups>, ctx: Ctx, query: ListQuery<GroupFilter>) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list(conn, organization, query)).await
}

/// Creates a load-management group; also at `/v1.1/groups`.
#[utoipa::path(tag = "load management", request_body = NewGroup,
    responses((status = CREATED, body = Reply<GroupView>), WriteErrors))]
#[post("/load_management/groups")]
async fn create_group(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    Body(new): Body<NewGroup>,
) -> ApiResult<Created<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let group = Group::new(new, organization, &moment);
    group.check()?;
    ctx.answer(move |conn| {
        locations::require(conn, organization, group.location_id, "location")?;
        store::check_parent(conn, &group)?;
        store::insert(conn, &group)?;
        let view = store::view(conn, group.clone())?;
        events::record(conn, &moment, Event::new(organization, EventKind::GroupCreated), &view)?;
        Ok(Created(view))
    })
    .await
}

/// Reads a load-management group with its stations; also at `/v1.1/groups/{id}`.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupView>), OneErrors))]
#[get("/load_management/groups/{id}")]
async fn get_group(caller: Caller<ReadGroups>, ctx: Ctx, PathId(id): PathId<GroupId>) -> ApiResult<Found<GroupView>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let group = store::find(conn, organization, id)?;
        store::view(conn, group)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes a load-management group (JSON merge patch); its members get new limits at once.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = GroupPatch, responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[patch("/load_management/groups/{id}")]
async fn update_group(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(patch): Body<GroupPatch>,
) -> ApiResult<Changed<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let (view, affected) = ctx
        .db
        .write(move |conn| {
            let mut group = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            let location = group.location_id;
            group.apply(patch.clone(), &moment)?;
            locations::require(conn, organization, group.location_id, "location")?;
            store::check_parent(conn, &group)?;
            if group.location_id != location
                && (store::tree_of(conn, id)?.len() > 1
                    || !store::stations_of(conn, &[id])?.is_empty()
                    || store::assets_of(conn, id)? > 0)
            {
                let message = "cannot change while the group has stations, assets or groups below it";
                return Err(ApiError::field("location", "invalid", message));
            }
            store::update(conn, &group)?;
            let affected = store::stations_below(conn, id)?;
            let view = store::view(conn, group)?;
            events::record(conn, &moment, Event::new(organization, EventKind::GroupUpdated), &view)?;
            Ok::<_, ApiError>((view, affected))
        })
        .await?;
    replan(&signals, organization, affected);
    Ok(Changed(view))
}

/// Caps a group from outside, such as for the grid operator, until an instant; replaces the cap before.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = ExternalCap, responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[put("/load_management/groups/{id}/external_cap")]
async fn set_group_external_cap(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    Body(cap): Body<ExternalCap>,
) -> ApiResult<Changed<GroupView>> {
    if cap.until <= ctx.clock.now() {
        return Err(ApiError::field("until", "out_of_range", "must be in the future"));
    }
    cap_group(caller.organization(), id, Some(cap), &ctx, &signals).await
}

/// Ends the cap from outside.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[delete("/load_management/groups/{id}/external_cap")]
async fn clear_group_external_cap(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
) -> ApiResult<Changed<GroupView>> {
    cap_group(caller.organization(), id, None, &ctx, &signals).await
}

async fn cap_group(
    organization: OrganizationId,
    id: GroupId,
    cap: Option<ExternalCap>,
    ctx: &Ctx,
    signals: &Signals,
) -> ApiResult<Changed<GroupView>> {
    let moment = ctx.moment();
    let (view, affected) = ctx
        .db
        .write(move |conn| -> ApiResult<_> {
            let mut group = store::find(conn, organization, id).map_err(missing)?;
            group.external_cap = cap.clone().map(Json);
            group.updated_at = moment.version_after(group.updated_at);
            store::update(conn, &group)?;
            let affected = store::stations_below(conn, id)?;
            let view = store::view(conn, group)?;
            events::record(conn, &moment, Event::new(organization, EventKind::GroupUpdated), &view)?;
            Ok((view, affected))
        })
        .await?;
    replan(signals, organization, affected);
    Ok(Changed(view))
}

/// Deletes a load-management group that has no stations.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupView>), DeleteErrors))]
#[delete("/load_management/groups/{id}")]
async fn delete_group(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.db
        .write(move |conn| {
            let group = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            let view = store::view(conn, group.clone())?;
            store::delete(conn, &group)?;
            events::record(conn, &moment, Event::new(organization, EventKind::GroupDeleted), &view)?;
            Ok(Deleted(view))
        })
        .await
}

/// The members that a request names, checked against the station's connectors.
fn members(
    conn: &mut Conn,
    membership: &GroupStation,
    group: &Group,
    named: Option<&[NewMember]>,
) -> ApiResult<Vec<GroupConnector>> {
    let connectors = stations::connectors_of_station(conn, membership.chargestation_id)?;
    let Some(named) = named else {
        let plain = |connector: &stations::Connector| GroupConnector::plain(membership, connector.id);
        return Ok(connectors.iter().map(plain).collect());
    };
    let mut faults = Faults::default();
    let mut members: Vec<GroupConnector> = Vec::new();
    for (index, new) in named.iter().enumerate() {
        let field = |name: &str| format!("connectors[{index}].{name}");
        if !connectors.iter().any(|connector| connector.id == new.id) {
            faults.add(field("id"), "not_found", "the charge station has no such connector");
        }
        if members.iter().any(|member| member.connector_id == new.id) {
            faults.add(field("id"), "invalid", "is named twice");
        }
        let (maximum, minimum) = (new.maximum_capacity.map(|most| most.0), new.minimum_capacity.map(|least| least.0));
        let least = minimum.unwrap_or(group.minimum_connector_capacity);
        if maximum.is_some_and(|most| most <= Watts::ZERO) {
            faults.add(field("maximum_capacity"), "out_of_range", "must be more than 0");
        } else if maximum.is_some_and(|most| most < least) {
            let message = format!("must be at least the minimum of {} kW", least.kilowatts());
            faults.add(field("maximum_capacity"), "out_of_range", message);
        }
        if new.priority.is_some_and(|weight| !(1..=1000).contains(&weight)) {
            faults.add(field("priority"), "out_of_range", "must be between 1 and 1000");
        }
        members.push(GroupConnector {
            maximum_capacity: maximum,
            minimum_capacity: minimum,
            priority: new.priority.unwrap_or(1),
            ..GroupConnector::plain(membership, new.id)
        });
    }
    faults.into_body_error()?;
    Ok(members)
}

/// Adds a charge station to a group.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    request_body = NewMembership, responses((status = CREATED, body = Reply<MembershipView>), WriteErrors))]
#[post("/load_management/groups/{id}/chargestations")]
async fn add_group_chargestation(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    Body(new): Body<NewMembership>,
) -> ApiResult<Created<MembershipView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let Created(view) = ctx
        .answer(move |conn| {
            let group = store::find(conn, organization, id).map_err(missing)?;
            let station = stations::require_station(conn, organization, new.chargestation, "chargestation")?;
            match store::membership(conn, organization, station.id) {
                Ok(other) => {
                    let message = format!("The charge station is already in group {}", other.group_id);
                    return Err(ApiError::conflict(message));
                }
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            if station.location_id.is_some_and(|location| location != group.location_id) {
                let message = "stands at another location than the group";
                return Err(ApiError::field("chargestation", "invalid", message));
            }
            let membership = GroupStation {
                id: moment.id(),
                organization_id: organization,
                group_id: id,
                chargestation_id: station.id,
                created_at: moment.now,
                updated_at: moment.now,
            };
            let members = members(conn, &membership, &group, new.connectors.as_deref())?;
            store::insert_membership(conn, &membership)?;
            store::replace_members(conn, &membership, &members)?;
            let view = store::membership_view(conn, membership)?;
            let kind = EventKind::GroupStationAdded;
            events::record(conn, &moment, Event::new(organization, kind), &view)?;
            Ok(Created(view))
        })
        .await?;
    replan(&signals, organization, [view.chargestation]);
    Ok(Created(view))
}

/// Lists the charge stations of a group with the limits of their connectors.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<Vec<MembershipView>>), OneErrors))]
#[get("/load_management/groups/{id}/chargestations")]
async fn list_group_chargestations(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let group = store::find(conn, organization, id)?;
        store::view(conn, group)
    });
    let view = read.await.map_err(missing)?;
    Ok(reply(actix_web::http::StatusCode::OK, "Found", view.chargestations))
}

/// Changes what a charge station's connectors may draw in its group.
#[utoipa::path(tag = "load management", params(("chargestation" = StationId, Path, description = "The station")),
    request_body = MembershipPatch, responses((status = OK, body = Reply<MembershipView>), WriteErrors))]
#[patch("/load_management/groups/chargestations/{chargestation}")]
async fn update_group_chargestation(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(station): PathId<StationId>,
    if_match: IfMatch,
    Body(patch): Body<MembershipPatch>,
) -> ApiResult<Changed<MembershipView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let view = ctx
        .db
        .write(move |conn| {
            let mut membership = store::membership(conn, organization, station).map_err(not_a_member)?;
            if_match.check(membership.updated_at)?;
            membership.updated_at = moment.version_after(membership.updated_at);
            let group = store::find(conn, organization, membership.group_id)?;
            let members = members(conn, &membership, &group, Some(&patch.connectors))?;
            store::replace_members(conn, &membership, &members)?;
            let view = store::membership_view(conn, membership)?;
            let kind = EventKind::GroupStationUpdated;
            events::record(conn, &moment, Event::new(organization, kind), &view)?;
            Ok::<_, ApiError>(view)
        })
        .await?;
    replan(&signals, organization, [station]);
    Ok(Changed(view))
}

fn not_a_member(error: StoreError) -> ApiError {
    ApiError::missing(error, "charge station in a group")
}

/// Removes a charge station from its group; balancing no longer limits it.
#[utoipa::path(tag = "load management", params(("chargestation" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<MembershipView>), DeleteErrors))]
#[delete("/load_management/groups/chargestations/{chargestation}")]
async fn remove_group_chargestation(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(station): PathId<StationId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<MembershipView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let (view, rest) = ctx
        .db
        .write(move |conn| {
            let membership = store::membership(conn, organization, station).map_err(not_a_member)?;
            if_match.check(membership.updated_at)?;
            let view = store::membership_view(conn, membership.clone())?;
            store::delete_membership(conn, &membership)?;
            let kind = EventKind::GroupStationRemoved;
            events::record(conn, &moment, Event::new(organization, kind), &view)?;
            let rest = store::stations_of(conn, &[view.group])?;
            Ok::<_, ApiError>((view, rest))
        })
        .await?;
    let others = rest.into_iter().map(|other| other.chargestation_id);
    replan(&signals, organization, others.chain([station]));
    Ok(Deleted(view))
}
