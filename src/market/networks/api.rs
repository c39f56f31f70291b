//! The endpoints of EVSE networks and their groups.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::assign::{self, NewAssignment};
use super::evses::{self, NetworkEvseFilter, NetworkEvseView, Scope};
use super::model::*;
use super::store;
use super::uses::Uses;
use crate::events::EventKind;
use crate::http::caller::{ReadEvseNetworks, WriteEvseNetworks};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, PartErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, PathIds};
use crate::store::{Conn, StoreError};
use kernel::*;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_evse_networks)
        .service(create_evse_network)
        .service(get_evse_network)
        .service(update_evse_network)
        .service(delete_evse_network)
        .service(list_evse_groups)
        .service(create_evse_group)
        .service(get_evse_group)
        .service(update_evse_group)
        .service(delete_evse_group)
        .service(list_unassigned_evses)
        .service(list_assigned_evses)
        .service(assign_evses);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "EVSE network")
}

fn missing_group(error: StoreError) -> ApiError {
    ApiError::missing(error, "group in the EVSE network")
}

/// Refuses what only a draft allows.
fn check_draft(network: &EvseNetwork, what: &str) -> ApiResult<()> {
    match network.status {
        NetworkStatus::Draft => Ok(()),
        NetworkStatus::Active => Err(ApiError::conflict(format!(
            "The network is active: {what}; only EVSEs that are in no group may be added"
        ))),
    }
}

/// Lists EVSE networks.
#[utoipa::path(tag = "evse networks", params(ListParameters, EvseNetworkFilter),
    responses((status = OK, body = ListReply<EvseNetworkView>), ListErrors))]
#[get("/evse_networks")]
async fn list_evse_networks(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    query: ListQuery<EvseNetworkFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list(conn, organization, query)).await
}

/// Creates an EVSE network, as a draft.
#[utoipa::path(tag = "evse networks", request_body = NewEvseNetwork,
    responses((status = CREATED, body = Reply<EvseNetworkView>), WriteErrors))]
#[post("/evse_networks")]
async fn create_evse_network(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    Body(new): Body<NewEvseNetwork>,
) -> ApiResult<Created<EvseNetworkView>> {
    let change = ctx.change(caller.organization());
    let network = EvseNetwork::new(new, change.organization, &change.moment);
    change
        .answer(move |change| {
            store::insert(change.conn, &network)?;
            let view = EvseNetworkView::new(network.clone(), Vec::new());
            change.record(EventKind::EvseNetworkCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads an EVSE network with its groups.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network")),
    responses((status = OK, body = Reply<EvseNetworkView>), OneErrors))]
#[get("/evse_networks/{id}")]
async fn get_evse_network(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
) -> ApiResult<Found<EvseNetworkView>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let network = store::find(conn, organization, id)?;
        store::view(conn, network)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes an EVSE network (JSON merge patch); an active one keeps its name.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network")),
    request_body = EvseNetworkPatch, responses((status = OK, body = Reply<EvseNetworkView>), WriteErrors))]
#[patch("/evse_networks/{id}")]
async fn update_evse_network(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    if_match: IfMatch,
    Body(patch): Body<EvseNetworkPatch>,
) -> ApiResult<Changed<EvseNetworkView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut network = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(network.updated_at)?;
            if !patch.name.is_absent() {
                check_draft(&network, "it keeps its name")?;
            }
            network.apply(patch.clone(), change.moment)?;
            store::update(change.conn, &network)?;
            let view = store::view(change.conn, network)?;
            change.record(EventKind::EvseNetworkUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes an EVSE network that has neither EVSEs nor service offers, with its groups.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network")),
    responses((status = OK, body = Reply<EvseNetworkView>), DeleteErrors))]
#[delete("/evse_networks/{id}")]
async fn delete_evse_network(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<EvseNetworkId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<EvseNetworkView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let network = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(network.updated_at)?;
            let view = store::view(change.conn, network.clone())?;
            store::delete(change.conn, &uses, &network)?;
            change.record(EventKind::EvseNetworkDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}

/// Lists the groups of an EVSE network.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"), ListParameters),
    responses((status = OK, body = ListReply<EvseGroupView>), PartErrors))]
#[get("/evse_networks/{id}/groups")]
async fn list_evse_groups(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    query: ListQuery<()>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        store::find(conn, organization, id).map_err(missing)?;
        store::list_groups(conn, id, query)
    })
    .await
}

/// Adds a group to an EVSE network that is a draft.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network")),
    request_body = NewEvseGroup, responses((status = CREATED, body = Reply<EvseGroupView>), WriteErrors))]
#[post("/evse_networks/{id}/groups")]
async fn create_evse_group(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    Body(new): Body<NewEvseGroup>,
) -> ApiResult<Created<EvseGroupView>> {
    ctx.change(caller.organization())
        .answer(move |change| {
            let network = store::find(change.conn, change.organization, id).map_err(missing)?;
            check_draft(&network, "it gets no further groups")?;
            let group = EvseGroup::new(new.clone(), change.organization, network.id, change.moment);
            store::insert_group(change.conn, &group)?;
            let view = EvseGroupView::new(group, 0);
            change.record(EventKind::EvseGroupCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

fn find_group(
    conn: &mut Conn,
    organization: OrganizationId,
    network: EvseNetworkId,
    group: EvseGroupId,
) -> ApiResult<(EvseNetwork, EvseGroup)> {
    let network = store::find(conn, organization, network).map_err(missing)?;
    let group = store::find_group(conn, network.id, group).map_err(missing_group)?;
    Ok((network, group))
}

/// Reads a group of an EVSE network.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"),
    ("group" = EvseGroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<EvseGroupView>), OneErrors))]
#[get("/evse_networks/{id}/groups/{group}")]
async fn get_evse_group(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    PathIds(id, group): PathIds<EvseNetworkId, EvseGroupId>,
) -> ApiResult<Found<EvseGroupView>> {
    let organization = caller.organization();
    ctx.db
        .read(move |conn| {
            let (_, group) = find_group(conn, organization, id, group)?;
            Ok(Found(store::group_view(conn, group)?))
        })
        .await
}

/// Changes a group of an EVSE network (JSON merge patch); in an active network it keeps its name.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"),
    ("group" = EvseGroupId, Path, description = "The group")),
    request_body = EvseGroupPatch, responses((status = OK, body = Reply<EvseGroupView>), WriteErrors))]
#[patch("/evse_networks/{id}/groups/{group}")]
async fn update_evse_group(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    PathIds(id, group): PathIds<EvseNetworkId, EvseGroupId>,
    if_match: IfMatch,
    Body(patch): Body<EvseGroupPatch>,
) -> ApiResult<Changed<EvseGroupView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let (network, mut group) = find_group(change.conn, change.organization, id, group)?;
            if_match.check(group.updated_at)?;
            if !patch.name.is_absent() {
                check_draft(&network, "its groups keep their names")?;
            }
            group.apply(patch.clone(), change.moment)?;
            store::update_group(change.conn, &group)?;
            let view = store::group_view(change.conn, group)?;
            change.record(EventKind::EvseGroupUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a group without EVSEs from an EVSE network that is a draft.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"),
    ("group" = EvseGroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<EvseGroupView>), DeleteErrors))]
#[delete("/evse_networks/{id}/groups/{group}")]
async fn delete_evse_group(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    PathIds(id, group): PathIds<EvseNetworkId, EvseGroupId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<EvseGroupView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let (network, group) = find_group(change.conn, change.organization, id, group)?;
            if_match.check(group.updated_at)?;
            check_draft(&network, "its groups stay")?;
            let view = store::group_view(change.conn, group.clone())?;
            store::delete_group(change.conn, &group)?;
            change.record(EventKind::EvseGroupDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}

/// Lists the EVSEs with an `evse_id` that are in no group of any network.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"), ListParameters,
    NetworkEvseFilter), responses((status = OK, body = ListReply<NetworkEvseView>), PartErrors))]
#[get("/evse_networks/{id}/unassigned_evses")]
async fn list_unassigned_evses(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    query: ListQuery<NetworkEvseFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        store::find(conn, organization, id).map_err(missing)?;
        evses::list(conn, organization, Scope::Unassigned, query)
    })
    .await
}

/// Lists the EVSEs in the groups of a network.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network"), ListParameters,
    NetworkEvseFilter), responses((status = OK, body = ListReply<NetworkEvseView>), PartErrors))]
#[get("/evse_networks/{id}/assigned_evses")]
async fn list_assigned_evses(
    caller: Caller<ReadEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    query: ListQuery<NetworkEvseFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        store::find(conn, organization, id).map_err(missing)?;
        evses::list(conn, organization, Scope::Assigned(id), query)
    })
    .await
}

/// Puts EVSEs into a group, or with `group: null` out of theirs: all of them or, with every reason, none.
#[utoipa::path(tag = "evse networks", params(("id" = EvseNetworkId, Path, description = "The network")),
    request_body = NewAssignment, responses((status = OK, body = Reply<EvseNetworkView>), WriteErrors))]
#[post("/evse_networks/{id}/assignments")]
async fn assign_evses(
    caller: Caller<WriteEvseNetworks>,
    ctx: Ctx,
    PathId(id): PathId<EvseNetworkId>,
    Body(new): Body<NewAssignment>,
) -> ApiResult<Changed<EvseNetworkView>> {
    ctx.change(caller.organization())
        .answer(move |change| {
            let network = store::find(change.conn, change.organization, id).map_err(missing)?;
            assign::assign(change.conn, &network, &new, change.moment)?;
            let view = store::view(change.conn, network)?;
            change.record(EventKind::EvseNetworkAssigned, &view)?;
            Ok(Changed(view))
        })
        .await
}
