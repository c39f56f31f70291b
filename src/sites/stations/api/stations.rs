//! The endpoints of stations.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadGroups, ReadLocations, ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::include::{Shown, include};
use crate::http::list::{self, ListReply};
use crate::http::query::{Format, ListParameters, ListQuery, PlaceParameters};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, Query};
use crate::people::organizations::default_security;
use crate::sites::locations;
use crate::sites::stations::link::{SharedLink, Signal, SignalKind, Signals};
use crate::sites::stations::model::station::*;
use crate::sites::stations::store::{evses, station_view, station_views, stations as store};
use crate::sites::stations::uses::Uses;
use crate::store::{Conn, StoreError};
use kernel::{LocationId, OrganizationId, Page, StationId};

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_chargestations)
        .service(create_chargestation)
        .service(get_chargestation)
        .service(update_chargestation)
        .service(delete_chargestation)
        .service(reset_chargestation_password)
        .service(disconnect_chargestation);
}

filters! {
    /// What is put in place of an id.
    pub(crate) struct StationIncludes {
        /// Put the whole location in place of its id.
        pub include_location: bool,
        /// Put the whole load-management group in place of its id.
        pub include_group: bool,
    }
}

impl StationIncludes {
    fn permit(&self, caller: &Caller<ReadStations>) -> ApiResult<()> {
        caller.may_include::<ReadLocations>("include_location", self.include_location)?;
        caller.may_include::<ReadGroups>("include_group", self.include_group)
    }

    /// Puts objects in place of the ids of these rows.
    fn put(
        &self,
        conn: &mut Conn,
        organization: OrganizationId,
        uses: &Uses,
        rows: &mut [Shown<StationView>],
    ) -> ApiResult<()> {
        if self.include_location == Some(true) {
            include(rows, "location", |ids| locations::views_of(conn, organization, ids))?;
        }
        if self.include_group == Some(true) {
            include(rows, "group", |ids| (uses.groups)(conn, organization, ids))?;
        }
        Ok(())
    }
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "charge station")
}

/// Lists charge stations, each with its connectors.
#[utoipa::path(tag = "chargestations", params(ListParameters, PlaceParameters, StationFilter),
    responses((status = OK, body = ListReply<StationView>), ListErrors))]
#[get("/chargestations")]
async fn list_chargestations(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    query: ListQuery<StationFilter>,
) -> ApiResult<HttpResponse> {
    let StationFilter { include_location, include_group, .. } = query.filter;
    let includes = StationIncludes { include_location, include_group };
    includes.permit(&caller)?;
    let organization = caller.organization();
    let (base, now) = (ctx.websocket_url.clone(), ctx.clock.now());
    list::respond(&ctx, query, move |conn, query| {
        let Page { rows, total, request } = store::list(conn, organization, &uses, query, now)?;
        let mut views = station_views(conn, rows, (&base, now))?;
        let on_a_map = query.near.is_some() || query.format == Format::GeoJson;
        if query.filter.include_location == Some(true) || on_a_map {
            place_at_locations(conn, &mut views)?;
        }
        let mut rows: Vec<Shown<StationView>> = views.into_iter().map(Shown::new).collect();
        includes.put(conn, organization, &uses, &mut rows)?;
        Ok(Page { rows, total, request })
    })
    .await
}

/// A station without coordinates of its own is where its location is.
fn place_at_locations(conn: &mut Conn, views: &mut [StationView]) -> ApiResult<()> {
    let place = |view: &StationView| -> Option<LocationId> { view.location.as_ref()?.as_str()?.parse().ok() };
    let without = views.iter().filter(|view| view.coordinates.is_none());
    let places: Vec<LocationId> = without.filter_map(place).collect();
    let known = locations::coordinates_of(conn, &places)?;
    for view in views.iter_mut().filter(|view| view.coordinates.is_none()) {
        view.coordinates = place(view).and_then(|id| known.get(&id).copied());
    }
    Ok(())
}

/// Creates a charge station; the answer has the URL to configure into it and, once, its password.
#[utoipa::path(tag = "chargestations", request_body = NewStation,
    responses((status = CREATED, body = Reply<StationView>), WriteErrors))]
#[post("/chargestations")]
async fn create_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    Body(new): Body<NewStation>,
) -> ApiResult<Created<StationView>> {
    let (base, reach) = (ctx.websocket_url.clone(), caller.reach().clone());
    ctx.change(caller.organization())
        .answer(move |change| {
            let usual = default_security(change.conn, change.organization)?;
            let (station, password) = Station::new(new.clone(), (change.organization, usual), change.moment);
            reach.require_location(station.location_id)?;
            if let Some(location) = station.location_id {
                locations::require(change.conn, change.organization, location, "location")?;
            }
            store::require_free_endpoint(change.conn, &station)?;
            store::insert(change.conn, &station)?;
            let mut view = station_view(change.conn, station.clone(), &base, change.moment.now)?;
            change.record_at(station.id, EventKind::StationCreated, &view)?;
            view.security.password = password;
            Ok(Created(view))
        })
        .await
}

/// Reads a charge station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), StationIncludes),
    responses((status = OK, body = Reply<StationView>), OneErrors))]
#[get("/chargestations/{id}")]
async fn get_chargestation(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<StationId>,
    Query(includes): Query<StationIncludes>,
) -> ApiResult<Found<Shown<StationView>>> {
    includes.permit(&caller)?;
    let (organization, base, now) = (caller.organization(), ctx.websocket_url.clone(), ctx.clock.now());
    ctx.db
        .read(move |conn| {
            let station = store::find_station(conn, organization, id).map_err(missing)?;
            let mut view = [Shown::new(station_view(conn, station, &base, now)?)];
            includes.put(conn, organization, &uses, &mut view)?;
            let [view] = view;
            Ok(Found(view))
        })
        .await
}

/// Changes a charge station (JSON merge patch). One that is to prove otherwise who it is, to connect elsewhere or to speak
/// another version is disconnected; `change_password` sends it a new password first.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    request_body = StationPatch, responses((status = OK, body = Reply<StationView>), WriteErrors))]
#[patch("/chargestations/{id}")]
async fn update_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    (link, signals, uses): (web::Data<SharedLink>, web::Data<Signals>, web::Data<Uses>),
    PathId(id): PathId<StationId>,
    if_match: IfMatch,
    Body(patch): Body<StationPatch>,
) -> ApiResult<Changed<StationView>> {
    let (base, reach) = (ctx.websocket_url.clone(), caller.reach().clone());
    let organization = caller.organization();
    let (view, must_come_anew) = ctx
        .change(organization)
        .write(move |change| {
            let mut station = store::find_station(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(station.updated_at)?;
            if let Some(location) = patch.location.value() {
                locations::require(change.conn, change.organization, *location, "location")?;
            }
            let was = station.clone();
            let password = station.apply(patch.clone(), change.moment)?;
            store::require_free_endpoint(change.conn, &station)?;
            reach.require_location(station.location_id)?;
            if station.location_id != was.location_id {
                store::require_place_of_group(change.conn, &uses, &station)?;
            }
            if was.location_id.is_some() && station.location_id.is_none() {
                let own = evses::evses_of_station(change.conn, id)?;
                let what = "The EVSEs of the charge station would lose their place";
                evses::require_not_offered(change.conn, &uses, &own, change.moment.now, what)?;
            }
            if was.may_connect() && !station.may_connect() && (uses.is_charging)(change.conn, id)? {
                return Err(ApiError::conflict(
                    "A session is running at this charge station; stop it first, with force where the station does not",
                ));
            }
            store::update_station(change.conn, &station)?;
            let must_come_anew = !station.may_connect() || !station.connects_like(&was);
            let mut view = station_view(change.conn, station, &base, change.moment.now)?;
            change.record_at(id, EventKind::StationUpdated, &view)?;
            view.security.password = password;
            Ok::<_, ApiError>((view, must_come_anew))
        })
        .await?;
    if must_come_anew {
        link.disconnect(id);
    }
    signals.notify(Signal { organization, station: id, kind: SignalKind::Reconfigured });
    Ok(Changed(view))
}

/// Deletes a charge station with its EVSEs and connectors, where no session needs it.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<StationView>), DeleteErrors))]
#[delete("/chargestations/{id}")]
async fn delete_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    (link, uses): (web::Data<SharedLink>, web::Data<Uses>),
    PathId(id): PathId<StationId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<StationView>> {
    let base = ctx.websocket_url.clone();
    let view = ctx
        .change(caller.organization())
        .write(move |change| {
            let station = store::find_station(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(station.updated_at)?;
            let view = station_view(change.conn, station.clone(), &base, change.moment.now)?;
            store::delete(change.conn, &uses, &station)?;
            change.record_at(id, EventKind::StationDeleted, &view)?;
            Ok::<_, ApiError>(view)
        })
        .await?;
    link.disconnect(id);
    Ok(Deleted(view))
}

/// Gives a charge station a new password for HTTP Basic; this answer is the only place that shows it.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<StationView>), WriteErrors))]
#[patch("/chargestations/{id}/reset_password")]
async fn reset_chargestation_password(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<StationId>,
) -> ApiResult<Changed<StationView>> {
    let base = ctx.websocket_url.clone();
    let view = ctx
        .change(caller.organization())
        .write(move |change| {
            let mut station = store::find_station(change.conn, change.organization, id).map_err(missing)?;
            let password = station.reset_password(change.moment);
            store::update_station(change.conn, &station)?;
            let mut view = station_view(change.conn, station, &base, change.moment.now)?;
            change.record_at(id, EventKind::StationUpdated, &view)?;
            view.security.password = Some(password);
            Ok::<_, ApiError>(view)
        })
        .await?;
    link.disconnect(id); // whoever is connected proved itself with the old one
    Ok(Changed(view))
}

/// Closes the socket of a charge station; it may connect again.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<StationView>), CommandErrors))]
#[post("/chargestations/{id}/disconnect")]
async fn disconnect_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    link: web::Data<SharedLink>,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let (organization, base, now) = (caller.organization(), ctx.websocket_url.clone(), ctx.clock.now());
    let view = ctx
        .db
        .read(move |conn| {
            let station = store::find_station(conn, organization, id).map_err(missing)?;
            station_view(conn, station, &base, now).map_err(ApiError::from)
        })
        .await?;
    if !link.disconnect(id) {
        return Err(ApiError::station_offline());
    }
    ctx.db.write(|_| Ok::<_, StoreError>(())).await?; // the line of the audit alone: the socket stores that it is gone
    Ok(reply(actix_web::http::StatusCode::OK, "Disconnected", view))
}
