//! The endpoints of EVSEs.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use crate::events::EventKind;
use crate::http::caller::{ReadEvses, WriteEvses};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery, PlaceParameters};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId};
use crate::sites::stations::model::evse::*;
use crate::sites::stations::store::{connectors, evses as store, stations};
use crate::sites::stations::uses::Uses;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{EvseId, StationId};

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_evses).service(create_evse).service(get_evse).service(update_evse).service(delete_evse);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "EVSE")
}

fn view_of(conn: &mut Conn, evse: Evse) -> StoreResult<EvseView> {
    let condition = connectors::conditions_of_evses(conn, &[evse.id])?.remove(&evse.id);
    let station = evse.chargestation_id;
    let place = store::places(conn, &[station])?.remove(&station);
    Ok(EvseView::new(evse, condition, place.unwrap_or_default()))
}

/// Lists EVSEs.
#[utoipa::path(tag = "evses", params(ListParameters, PlaceParameters, EvseFilter),
    responses((status = OK, body = ListReply<EvseView>), ListErrors))]
#[get("/evses")]
async fn list_evses(caller: Caller<ReadEvses>, ctx: Ctx, query: ListQuery<EvseFilter>) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        let page = store::list(conn, organization, query)?;
        let ids: Vec<EvseId> = page.rows.iter().map(|evse| evse.id).collect();
        let conditions = connectors::conditions_of_evses(conn, &ids)?;
        let stations: Vec<StationId> = page.rows.iter().map(|evse| evse.chargestation_id).collect();
        let places = store::places(conn, &stations)?;
        Ok(page.map(|evse| {
            let condition = conditions.get(&evse.id).copied();
            let place = places.get(&evse.chargestation_id).copied();
            EvseView::new(evse, condition, place.unwrap_or_default())
        }))
    })
    .await
}

/// Adds an EVSE to a charge station.
#[utoipa::path(tag = "evses", params(("id" = StationId, Path, description = "The station")), request_body = NewEvse,
    responses((status = CREATED, body = Reply<EvseView>), WriteErrors))]
#[post("/chargestations/{id}/evses")]
async fn create_evse(
    caller: Caller<WriteEvses>,
    ctx: Ctx,
    PathId(station): PathId<StationId>,
    Body(new): Body<NewEvse>,
) -> ApiResult<Created<EvseView>> {
    ctx.change(caller.organization())
        .answer(move |change| {
            let station = stations::find_station(change.conn, change.organization, station)
                .map_err(|error| ApiError::missing(error, "charge station"))?;
            let number = match new.number {
                Some(number) => number.0,
                None => store::next_number(change.conn, station.id)?,
            };
            let evse = Evse::new(new.clone(), change.organization, station.id, number, change.moment);
            store::insert(change.conn, &evse)?;
            let view = view_of(change.conn, evse)?;
            change.record_at(station.id, EventKind::EvseCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads an EVSE.
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE")),
    responses((status = OK, body = Reply<EvseView>), OneErrors))]
#[get("/evses/{id}")]
async fn get_evse(caller: Caller<ReadEvses>, ctx: Ctx, PathId(id): PathId<EvseId>) -> ApiResult<Found<EvseView>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let evse = store::find(conn, organization, id)?;
        view_of(conn, evse)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes an EVSE (JSON merge patch).
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE")), request_body = EvsePatch,
    responses((status = OK, body = Reply<EvseView>), WriteErrors))]
#[patch("/evses/{id}")]
async fn update_evse(
    caller: Caller<WriteEvses>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<EvseId>,
    if_match: IfMatch,
    Body(patch): Body<EvsePatch>,
) -> ApiResult<Changed<EvseView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut evse = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(evse.updated_at)?;
            let (known_as, code) = (evse.evse_id.clone(), evse.code.clone());
            evse.apply(patch.clone(), change.moment)?;
            if known_as.is_some() && evse.evse_id != known_as {
                let what = "The EVSE would lose its evse_id";
                store::require_not_offered(change.conn, &uses, &[id], change.moment.now, what)?;
            }
            if evse.code != code {
                store::require_free_code(change.conn, &evse)?;
            }
            store::update(change.conn, &evse)?;
            let station = evse.chargestation_id;
            let view = view_of(change.conn, evse)?;
            change.record_at(station, EventKind::EvseUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes an EVSE that has no connectors.
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE")),
    responses((status = OK, body = Reply<EvseView>), DeleteErrors))]
#[delete("/evses/{id}")]
async fn delete_evse(
    caller: Caller<WriteEvses>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<EvseId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<EvseView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let evse = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(evse.updated_at)?;
            store::delete(change.conn, &uses, &evse)?;
            let station = evse.chargestation_id;
            let view = view_of(change.conn, evse)?;
            change.record_at(station, EventKind::EvseDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
