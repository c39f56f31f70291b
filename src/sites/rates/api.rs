//! The endpoints of rates and their schedules.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::model::{NewRate, Rate, RateFilter, RatePatch, RateView};
use super::schedule::{NewRateSchedule, RateSchedule, RateSchedulePatch, RateScheduleView};
use super::store;
use super::uses::Uses;
use crate::events::EventKind;
use crate::http::caller::{ReadRates, WriteRates};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId};
use crate::store::StoreError;
use kernel::*;

/// Adds the endpoints of this slice. The paths with words come before those with ids.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_rates)
        .service(create_rate)
        .service(list_rate_schedules)
        .service(create_rate_schedule)
        .service(get_rate_schedule)
        .service(update_rate_schedule)
        .service(delete_rate_schedule)
        .service(get_rate)
        .service(update_rate)
        .service(delete_rate);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "rate")
}

fn missing_schedule(error: StoreError) -> ApiError {
    ApiError::missing(error, "schedule of rates")
}

/// Lists rates.
#[utoipa::path(tag = "rates", params(ListParameters, RateFilter),
    responses((status = OK, body = ListReply<RateView>), ListErrors))]
#[get("/rates")]
async fn list_rates(
    caller: Caller<ReadRates>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    query: ListQuery<RateFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list(conn, organization, &uses, query)).await
}

/// Creates a rate; attach it to a connector by its field `rate`.
#[utoipa::path(tag = "rates", request_body = NewRate,
    responses((status = CREATED, body = Reply<RateView>), WriteErrors))]
#[post("/rates")]
async fn create_rate(caller: Caller<WriteRates>, ctx: Ctx, Body(new): Body<NewRate>) -> ApiResult<Created<RateView>> {
    let change = ctx.change(caller.organization());
    let rate = Rate::new(new, change.organization, &change.moment);
    rate.check()?;
    change
        .answer(move |change| {
            store::insert(change.conn, &rate)?;
            let view = RateView::from(rate.clone());
            change.record(EventKind::RateCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads a rate.
#[utoipa::path(tag = "rates", params(("id" = RateId, Path, description = "The rate")),
    responses((status = OK, body = Reply<RateView>), OneErrors))]
#[get("/rates/{id}")]
async fn get_rate(caller: Caller<ReadRates>, ctx: Ctx, PathId(id): PathId<RateId>) -> ApiResult<Found<RateView>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| store::find(conn, organization, id));
    Ok(Found(read.await.map_err(missing)?.into()))
}

/// Changes a rate (JSON merge patch); sessions that already started keep the prices they began with.
#[utoipa::path(tag = "rates", params(("id" = RateId, Path, description = "The rate")),
    request_body = RatePatch, responses((status = OK, body = Reply<RateView>), WriteErrors))]
#[patch("/rates/{id}")]
async fn update_rate(
    caller: Caller<WriteRates>,
    ctx: Ctx,
    PathId(id): PathId<RateId>,
    if_match: IfMatch,
    Body(patch): Body<RatePatch>,
) -> ApiResult<Changed<RateView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut rate = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(rate.updated_at)?;
            rate.apply(patch.clone(), change.moment)?;
            store::update(change.conn, &rate)?;
            let view = RateView::from(rate);
            change.record(EventKind::RateUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a rate that no connector and no schedule uses.
#[utoipa::path(tag = "rates", params(("id" = RateId, Path, description = "The rate")),
    responses((status = OK, body = Reply<RateView>), DeleteErrors))]
#[delete("/rates/{id}")]
async fn delete_rate(
    caller: Caller<WriteRates>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<RateId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<RateView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let rate = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(rate.updated_at)?;
            store::delete(change.conn, &uses, &rate)?;
            let view = RateView::from(rate);
            change.record(EventKind::RateDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}

/// Lists schedules of rates.
#[utoipa::path(tag = "rates", params(ListParameters, RateFilter),
    responses((status = OK, body = ListReply<RateScheduleView>), ListErrors))]
#[get("/rates/schedule")]
async fn list_rate_schedules(
    caller: Caller<ReadRates>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    query: ListQuery<RateFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list_schedules(conn, organization, &uses, query)).await
}

/// Creates a schedule of rates; attach it to a connector like a rate.
#[utoipa::path(tag = "rates", request_body = NewRateSchedule,
    responses((status = CREATED, body = Reply<RateScheduleView>), WriteErrors))]
#[post("/rates/schedule")]
async fn create_rate_schedule(
    caller: Caller<WriteRates>,
    ctx: Ctx,
    Body(new): Body<NewRateSchedule>,
) -> ApiResult<Created<RateScheduleView>> {
    let change = ctx.change(caller.organization());
    let schedule = RateSchedule::new(new, change.organization, &change.moment);
    schedule.check()?;
    change
        .answer(move |change| {
            store::check_rates(change.conn, &schedule)?;
            store::insert_schedule(change.conn, &schedule)?;
            let view = store::schedule_view(change.conn, schedule.clone())?;
            change.record(EventKind::RateScheduleCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads a schedule of rates.
#[utoipa::path(tag = "rates", params(("id" = RateScheduleId, Path, description = "The schedule")),
    responses((status = OK, body = Reply<RateScheduleView>), OneErrors))]
#[get("/rates/schedule/{id}")]
async fn get_rate_schedule(
    caller: Caller<ReadRates>,
    ctx: Ctx,
    PathId(id): PathId<RateScheduleId>,
) -> ApiResult<Found<RateScheduleView>> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let schedule = store::find_schedule(conn, organization, id)?;
        store::schedule_view(conn, schedule)
    });
    Ok(Found(read.await.map_err(missing_schedule)?))
}

/// Changes a schedule of rates (JSON merge patch); sessions that already started keep the prices they began with.
#[utoipa::path(tag = "rates", params(("id" = RateScheduleId, Path, description = "The schedule")),
    request_body = RateSchedulePatch, responses((status = OK, body = Reply<RateScheduleView>), WriteErrors))]
#[patch("/rates/schedule/{id}")]
async fn update_rate_schedule(
    caller: Caller<WriteRates>,
    ctx: Ctx,
    PathId(id): PathId<RateScheduleId>,
    if_match: IfMatch,
    Body(patch): Body<RateSchedulePatch>,
) -> ApiResult<Changed<RateScheduleView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut schedule = store::find_schedule(change.conn, change.organization, id).map_err(missing_schedule)?;
            if_match.check(schedule.updated_at)?;
            schedule.apply(patch.clone(), change.moment)?;
            schedule.check()?;
            store::check_rates(change.conn, &schedule)?;
            store::update_schedule(change.conn, &schedule)?;
            let view = store::schedule_view(change.conn, schedule)?;
            change.record(EventKind::RateScheduleUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a schedule of rates that no connector uses.
#[utoipa::path(tag = "rates", params(("id" = RateScheduleId, Path, description = "The schedule")),
    responses((status = OK, body = Reply<RateScheduleView>), DeleteErrors))]
#[delete("/rates/schedule/{id}")]
async fn delete_rate_schedule(
    caller: Caller<WriteRates>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<RateScheduleId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<RateScheduleView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let schedule = store::find_schedule(change.conn, change.organization, id).map_err(missing_schedule)?;
            if_match.check(schedule.updated_at)?;
            let view = store::schedule_view(change.conn, schedule.clone())?;
            store::delete_schedule(change.conn, &uses, &schedule)?;
            change.record(EventKind::RateScheduleDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
