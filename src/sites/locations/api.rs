//! The endpoints of locations.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::model::{Location, LocationFilter, LocationPatch, LocationView, NewLocation};
use super::store;
use super::uses::Uses;
use crate::events::EventKind;
use crate::http::caller::{ReadLocations, WriteLocations};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery, PlaceParameters};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId};
use kernel::LocationId;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_locations)
        .service(create_location)
        .service(get_location)
        .service(update_location)
        .service(delete_location);
}

/// Lists locations.
#[utoipa::path(tag = "locations", params(ListParameters, PlaceParameters, LocationFilter),
    responses((status = OK, body = ListReply<LocationView>), ListErrors))]
#[get("/locations")]
async fn list_locations(
    caller: Caller<ReadLocations>,
    ctx: Ctx,
    query: ListQuery<LocationFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(LocationView::from)))
        .await
}

/// Creates a location; an operator who works at some locations only cannot.
#[utoipa::path(tag = "locations", request_body = NewLocation,
    responses((status = CREATED, body = Reply<LocationView>), WriteErrors))]
#[post("/locations")]
async fn create_location(
    caller: Caller<WriteLocations>,
    ctx: Ctx,
    Body(new): Body<NewLocation>,
) -> ApiResult<Created<LocationView>> {
    caller.reach().require_everywhere("another location")?;
    let change = ctx.change(caller.organization());
    let location = Location::new(new, change.organization, &change.moment);
    change
        .answer(move |change| {
            store::insert(change.conn, &location)?;
            let view = LocationView::from(location.clone());
            change.record(EventKind::LocationCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads a location.
#[utoipa::path(tag = "locations", params(("id" = LocationId, Path, description = "The location")),
    responses((status = OK, body = Reply<LocationView>), OneErrors))]
#[get("/locations/{id}")]
async fn get_location(
    caller: Caller<ReadLocations>,
    ctx: Ctx,
    PathId(id): PathId<LocationId>,
) -> ApiResult<Found<LocationView>> {
    let organization = caller.organization();
    let location = ctx.db.read(move |conn| store::find(conn, organization, id)).await;
    location.map(|location| Found(location.into())).map_err(|error| ApiError::missing(error, "location"))
}

/// Changes a location (JSON merge patch).
#[utoipa::path(tag = "locations", params(("id" = LocationId, Path, description = "The location")),
    request_body = LocationPatch, responses((status = OK, body = Reply<LocationView>), WriteErrors))]
#[patch("/locations/{id}")]
async fn update_location(
    caller: Caller<WriteLocations>,
    ctx: Ctx,
    PathId(id): PathId<LocationId>,
    if_match: IfMatch,
    Body(patch): Body<LocationPatch>,
) -> ApiResult<Changed<LocationView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut location = store::find(change.conn, change.organization, id)
                .map_err(|error| ApiError::missing(error, "location"))?;
            if_match.check(location.updated_at)?;
            location.apply(patch.clone(), change.moment)?;
            store::update(change.conn, &location)?;
            let view = LocationView::from(location);
            change.record(EventKind::LocationUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a location that has no stations, no groups and no assets.
#[utoipa::path(tag = "locations", params(("id" = LocationId, Path, description = "The location")),
    responses((status = OK, body = Reply<LocationView>), DeleteErrors))]
#[delete("/locations/{id}")]
async fn delete_location(
    caller: Caller<WriteLocations>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<LocationId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<LocationView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let location = store::find(change.conn, change.organization, id)
                .map_err(|error| ApiError::missing(error, "location"))?;
            if_match.check(location.updated_at)?;
            store::delete(change.conn, &uses, &location)?;
            let view = LocationView::from(location);
            change.record(EventKind::LocationDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
