//! The endpoints of groups: eDRV's, to the letter, and what goes beyond them.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};

use super::capacity::ExternalCap;
use super::home::{self, missing, replan};
use super::membership::{GroupConnector, GroupStation, MembershipView};
use super::model::*;
use super::store;
use super::uses::Uses;
use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadGroups, ReadLocations, ReadUsers, WriteGroups};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::include::{Shown, include};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{
    ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Faults, Found, IfMatch, PathId, Query,
};
use crate::people::users;
use crate::sites::locations;
use crate::sites::stations;
use crate::sites::stations::link::Signals;
use crate::store::{Conn, Json, StoreError, StoreResult};
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

filters! {
    /// What is put in place of an id.
    pub(crate) struct GroupIncludes {
        /// Put the whole location in place of its id.
        pub include_location: bool,
        /// Put the whole home user in place of its id.
        pub include_user: bool,
    }
}

impl GroupIncludes {
    fn permit(&self, caller: &Caller<ReadGroups>) -> ApiResult<()> {
        caller.may_include::<ReadLocations>("include_location", self.include_location)?;
        caller.may_include::<ReadUsers>("include_user", self.include_user)
    }

    /// Puts objects in place of the ids of these rows.
    fn put(&self, conn: &mut Conn, organization: OrganizationId, rows: &mut [Shown<GroupView>]) -> StoreResult<()> {
        if self.include_location == Some(true) {
            include(rows, "location", |ids| locations::views_of(conn, organization, ids))?;
        }
        if self.include_user == Some(true) {
            include(rows, "user", |ids| users::find_many(conn, organization, ids))?;
        }
        Ok(())
    }
}

/// Lists load-management groups; also at `/v1.1/groups`.
#[utoipa::path(tag = "load management", params(ListParameters, GroupFilter),
    responses((status = OK, body = ListReply<GroupView>), ListErrors))]
#[get("/load_management/groups")]
async fn list_groups(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    query: ListQuery<GroupFilter>,
) -> ApiResult<HttpResponse> {
    let GroupFilter { include_location, include_user, .. } = query.filter;
    let includes = GroupIncludes { include_location, include_user };
    includes.permit(&caller)?;
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        let mut page = store::list(conn, organization, &uses, query)?.map(Shown::new);
        includes.put(conn, organization, &mut page.rows)?;
        Ok(page)
    })
    .await
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
    let change = ctx.change(caller.organization());
    let group = Group::new(new, change.organization, &change.moment);
    group.check()?;
    change
        .answer(move |change| {
            locations::require(change.conn, change.organization, group.location_id, "location")?;
            store::check_parent(change.conn, &group)?;
            store::insert(change.conn, &group)?;
            let view = store::view(change.conn, group.clone())?;
            change.record(EventKind::GroupCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads a load-management group with its stations; also at `/v1.1/groups/{id}`.
#[utoipa::path(tag = "load management", params(("id" = GroupId, Path, description = "The group"), GroupIncludes),
    responses((status = OK, body = Reply<GroupView>), OneErrors))]
#[get("/load_management/groups/{id}")]
async fn get_group(
    caller: Caller<ReadGroups>,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
    Query(includes): Query<GroupIncludes>,
) -> ApiResult<Found<Shown<GroupView>>> {
    includes.permit(&caller)?;
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let group = store::find(conn, organization, id)?;
        let mut view = [Shown::new(store::view(conn, group)?)];
        includes.put(conn, organization, &mut view)?;
        let [view] = view;
        Ok(view)
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
    (signals, uses): (web::Data<Signals>, web::Data<Uses>),
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(patch): Body<GroupPatch>,
) -> ApiResult<Changed<GroupView>> {
    let organization = caller.organization();
    let (view, affected) = ctx
        .change(organization)
        .write(move |change| {
            let mut group = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            let location = group.location_id;
            group.apply(patch.clone(), change.moment)?;
            locations::require(change.conn, change.organization, group.location_id, "location")?;
            store::check_parent(change.conn, &group)?;
            if group.location_id != location
                && (store::tree_of(change.conn, id)?.len() > 1
                    || !store::stations_of(change.conn, &[id])?.is_empty()
                    || (uses.assets)(change.conn, id)? > 0)
            {
                let message = "cannot change while the group has stations, assets or groups below it";
                return Err(ApiError::field("location", "invalid", message));
            }
            store::update(change.conn, &group)?;
            let affected = store::stations_below(change.conn, id)?;
            let view = store::view(change.conn, group)?;
            change.record(EventKind::GroupUpdated, &view)?;
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
    let (view, affected) = ctx
        .change(organization)
        .write(move |change| -> ApiResult<_> {
            let mut group = store::find(change.conn, change.organization, id).map_err(missing)?;
            group.external_cap = cap.clone().map(Json);
            group.updated_at = change.moment.version_after(group.updated_at);
            store::update(change.conn, &group)?;
            let affected = store::stations_below(change.conn, id)?;
            let view = store::view(change.conn, group)?;
            change.record(EventKind::GroupUpdated, &view)?;
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
    uses: web::Data<Uses>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<GroupView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let group = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(group.updated_at)?;
            let view = store::view(change.conn, group.clone())?;
            store::delete(change.conn, &uses, &group)?;
            change.record(EventKind::GroupDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}

/// The members that a request names, checked against the station's connectors.
fn members(
    conn: &mut Conn,
    membership: &GroupStation,
    group: &Group,
    given: Option<&[NewMember]>,
) -> ApiResult<Vec<GroupConnector>> {
    let connectors = stations::connectors_of_station(conn, membership.chargestation_id)?;
    let Some(given) = given else {
        let plain = |connector: &stations::Connector| GroupConnector::plain(membership, connector.id);
        return Ok(connectors.iter().map(plain).collect());
    };
    let mut faults = Faults::default();
    let mut members: Vec<GroupConnector> = Vec::new();
    for (index, new) in given.iter().enumerate() {
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
    let organization = caller.organization();
    let Created(view) = ctx
        .change(organization)
        .answer(move |change| {
            let group = store::find(change.conn, change.organization, id).map_err(missing)?;
            let station =
                stations::require_station(change.conn, change.organization, new.chargestation, "chargestation")?;
            match store::membership(change.conn, change.organization, station.id) {
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
                id: change.moment.id(),
                organization_id: change.organization,
                group_id: id,
                chargestation_id: station.id,
                created_at: change.moment.now,
                updated_at: change.moment.now,
            };
            let members = members(change.conn, &membership, &group, new.connectors.as_deref())?;
            store::insert_membership(change.conn, &membership)?;
            store::replace_members(change.conn, &membership, &members)?;
            let view = store::membership_view(change.conn, membership)?;
            change.record(EventKind::GroupStationAdded, &view)?;
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
    let organization = caller.organization();
    let view = ctx
        .change(organization)
        .write(move |change| {
            let mut membership = store::membership(change.conn, change.organization, station).map_err(not_a_member)?;
            if_match.check(membership.updated_at)?;
            membership.updated_at = change.moment.version_after(membership.updated_at);
            let group = store::find(change.conn, change.organization, membership.group_id)?;
            let members = members(change.conn, &membership, &group, Some(&patch.connectors))?;
            store::replace_members(change.conn, &membership, &members)?;
            let view = store::membership_view(change.conn, membership)?;
            change.record(EventKind::GroupStationUpdated, &view)?;
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
    let organization = caller.organization();
    let (view, rest) = ctx
        .change(organization)
        .write(move |change| {
            let membership = store::membership(change.conn, change.organization, station).map_err(not_a_member)?;
            if_match.check(membership.updated_at)?;
            let view = store::membership_view(change.conn, membership.clone())?;
            store::delete_membership(change.conn, &membership)?;
            change.record(EventKind::GroupStationRemoved, &view)?;
            let rest = store::stations_of(change.conn, &[view.group])?;
            Ok::<_, ApiError>((view, rest))
        })
        .await?;
    let others = rest.into_iter().map(|other| other.chargestation_id);
    replan(&signals, organization, others.chain([station]));
    Ok(Deleted(view))
}
