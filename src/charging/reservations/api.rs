//! The endpoints of reservations.

use actix_web::rt::task::JoinHandle;
use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::includes::{ChargingIncludes, ServerNow};
use super::model::*;
use super::uses::Uses;
use super::{life_cycle, store};
use crate::control::actions::Performer;
use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadReservations, WriteReservations};
use crate::http::docs::{CommandErrors, ListErrors, OneErrors};
use crate::http::envelope::Reply;
use crate::http::include::Shown;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{
    ApiError, ApiResult, Body, Caller, Changed, Code, Created, Ctx, Deleted, Found, IfMatch, PathId, Query,
};
use crate::sites::stations::link::SharedLink;
use crate::store::{StoreError, cause};
use kernel::{ReservationId, StationId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_reservations)
        .service(create_reservation)
        .service(get_reservation)
        .service(update_reservation)
        .service(delete_reservation);
}

filters! {
    /// Whether to wait.
    pub(crate) struct ReservationWait {
        /// Kept the call until the station answers (the default); else the outcome comes by event.
        pub wait: bool,
    }
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "reservation")
}

fn refuse_offline(link: &SharedLink, station: StationId) -> ApiResult<()> {
    if link.is_online(station) { Ok(()) } else { Err(ApiError::station_offline()) }
}

/// Lists reservations; `from` and `to` choose a period.
#[utoipa::path(tag = "reservations", params(ListParameters, ReservationFilter),
    responses((status = OK, body = ListReply<ReservationView>), ListErrors))]
#[get("/reservations")]
async fn list_reservations(
    caller: Caller<ReadReservations>,
    ctx: Ctx,
    query: ListQuery<ReservationFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, whole) = (caller.organization(), caller.sees_cards());
    if query.search.is_some() {
        caller.must_see_cards("Searching by number of card")?;
    }
    let (includes, server) = (query.filter.includes(), ServerNow::from(&**ctx));
    includes.permit(&caller)?;
    list::respond(&ctx, query, move |conn, query| {
        let view = |one: Reservation| Shown::new(ReservationView::from(one).seen(whole));
        let mut page = store::list(conn, organization, query)?.map(view);
        includes.put(conn, organization, &server, &mut page.rows)?;
        Ok(page)
    })
    .await
}

/// Keeps a connector for a token; it is `active` when the station agreed.
#[utoipa::path(tag = "reservations", params(ReservationWait), request_body = NewReservation,
    responses((status = CREATED, body = Reply<ReservationView>), CommandErrors))]
#[post("/reservations")]
async fn create_reservation(
    caller: Caller<WriteReservations>,
    ctx: Ctx,
    (link, uses): (web::Data<SharedLink>, web::Data<Uses>),
    performer: web::Data<Performer>,
    Query(query): Query<ReservationWait>,
    Body(new): Body<NewReservation>,
) -> ApiResult<Created<ReservationView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let link = link.get_ref().clone();
    let reservation = ctx
        .db
        .write(move |conn| {
            let reservation = life_cycle::prepare(conn, organization, new.clone(), (&moment, &*link, &**uses))?;
            store::insert(conn, &reservation)?;
            for kind in [EventKind::ReservationCreated, EventKind::ReservationRequested] {
                life_cycle::record_event(conn, &moment, &reservation, kind)?;
            }
            Ok::<_, ApiError>(reservation)
        })
        .await?;
    let view = ReservationView::from(reservation.clone());
    let kept = keep(ctx, performer, reservation);
    let view = match query.wait {
        Some(false) => view,
        _ => finished(kept).await?,
    };
    Ok(Created(view.seen(caller.sees_cards())))
}

/// Asks the station, also when the caller goes away meanwhile.
fn keep(ctx: Ctx, performer: web::Data<Performer>, reservation: Reservation) -> JoinHandle<ApiResult<Reservation>> {
    let id = reservation.id;
    actix_web::rt::spawn(cause::along(async move {
        let kept = life_cycle::keep(&ctx, &performer, reservation).await;
        if let Err(error) = &kept {
            tracing::info!(%error, reservation = %id, "a connector is not kept");
        }
        kept
    }))
}

async fn finished(kept: JoinHandle<ApiResult<Reservation>>) -> ApiResult<ReservationView> {
    let broken = |_| ApiError::new(Code::Internal, Code::Internal.meaning());
    Ok(kept.await.map_err(broken)??.into())
}

/// Reads a reservation.
#[utoipa::path(tag = "reservations",
    params(("id" = ReservationId, Path, description = "The reservation"), ChargingIncludes),
    responses((status = OK, body = Reply<ReservationView>), OneErrors))]
#[get("/reservations/{id}")]
async fn get_reservation(
    caller: Caller<ReadReservations>,
    ctx: Ctx,
    PathId(id): PathId<ReservationId>,
    Query(includes): Query<ChargingIncludes>,
) -> ApiResult<Found<Shown<ReservationView>>> {
    includes.permit(&caller)?;
    let (organization, whole, server) = (caller.organization(), caller.sees_cards(), ServerNow::from(&**ctx));
    let read = ctx.db.read(move |conn| {
        let reservation = store::find(conn, organization, id)?;
        let mut view = [Shown::new(ReservationView::from(reservation).seen(whole))];
        includes.put(conn, organization, &server, &mut view)?;
        let [view] = view;
        Ok(view)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Changes a reservation (JSON merge patch); a new end is sent to the station.
#[utoipa::path(tag = "reservations", params(("id" = ReservationId, Path, description = "The reservation")),
    request_body = ReservationPatch, responses((status = OK, body = Reply<ReservationView>), CommandErrors,
    (status = 412, description = "The object changed since the ETag in If-Match was read", body = crate::http::error::Problem)))]
#[patch("/reservations/{id}")]
async fn update_reservation(
    caller: Caller<WriteReservations>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    performer: web::Data<Performer>,
    PathId(id): PathId<ReservationId>,
    if_match: IfMatch,
    Body(patch): Body<ReservationPatch>,
) -> ApiResult<Changed<ReservationView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let link = link.get_ref().clone();
    let (reservation, moved) = ctx
        .db
        .write(move |conn| {
            let mut reservation = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(reservation.updated_at)?;
            let moved = !patch.expires_at.is_absent();
            if moved && !reservation.is_open() {
                return Err(ApiError::conflict(format!("The reservation is {}", reservation.status)));
            }
            if moved {
                refuse_offline(&link, reservation.chargestation_id)?;
            }
            reservation.apply(patch.clone(), &moment)?;
            store::update(conn, &reservation)?;
            life_cycle::record_event(conn, &moment, &reservation, EventKind::ReservationUpdated)?;
            Ok((reservation, moved))
        })
        .await?;
    let view = match moved {
        true => finished(keep(ctx, performer, reservation)).await?,
        false => reservation.into(),
    };
    Ok(Changed(view.seen(caller.sees_cards())))
}

/// Gives up a reservation that is open, which stays readable as `cancelled`; removes one that is over.
#[utoipa::path(tag = "reservations", params(("id" = ReservationId, Path, description = "The reservation")),
    responses((status = OK, body = Reply<ReservationView>), CommandErrors,
    (status = 412, description = "The object changed since the ETag in If-Match was read", body = crate::http::error::Problem)))]
#[delete("/reservations/{id}")]
async fn delete_reservation(
    caller: Caller<WriteReservations>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    performer: web::Data<Performer>,
    PathId(id): PathId<ReservationId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<ReservationView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let link = link.get_ref().clone();
    let (reservation, was_open) = ctx
        .db
        .write(move |conn| {
            let reservation = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(reservation.updated_at)?;
            if reservation.is_open() {
                refuse_offline(&link, reservation.chargestation_id)?;
                return Ok((life_cycle::cancel(conn, &moment, reservation)?, true));
            }
            store::delete(conn, id)?;
            life_cycle::record_event(conn, &moment, &reservation, EventKind::ReservationDeleted)?;
            Ok::<_, ApiError>((reservation, false))
        })
        .await?;
    let view = ReservationView::from(reservation.clone());
    if was_open {
        let released = actix_web::rt::spawn(cause::along(async move {
            life_cycle::release(&performer, &reservation, reservation.kept.0.iter()).await;
        }));
        let _ = released.await; // it goes on when the caller goes away
    }
    Ok(Deleted(view.seen(caller.sees_cards())))
}
