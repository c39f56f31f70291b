//! The endpoints of connectors.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post, web};

use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadConnectors, ReadStations, WriteConnectors};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::include::{Shown, include};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, Query};
use crate::sites::rates;
use crate::sites::stations::link::{Signal, SignalKind, Signals};
use crate::sites::stations::model::connector::*;
use crate::sites::stations::model::connector_filter::ConnectorFilter;
use crate::sites::stations::model::station::Station;
use crate::sites::stations::store::statuses::{self, StatusChange};
use crate::sites::stations::store::{connectors as store, evses, stations, views_of};
use crate::sites::stations::uses::Uses;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{ConnectorId, EvseId, Moment, OrganizationId, StationId, Timestamp};

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_connectors)
        .service(create_connector)
        .service(get_connector)
        .service(update_connector)
        .service(delete_connector)
        .service(list_connector_statuses);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "connector")
}

filters! {
    /// What is put in place of an id.
    pub(crate) struct ConnectorIncludes {
        /// Put the whole charge station in place of its id.
        pub include_chargestation: bool,
    }
}

/// Puts stations in place of their ids.
fn include_stations(
    conn: &mut Conn,
    organization: OrganizationId,
    server: (&str, Timestamp),
    rows: &mut [Shown<ConnectorView>],
) -> StoreResult<()> {
    include(rows, "chargestation", |ids| views_of(conn, organization, ids, server))
}

/// Lists connectors.
///
/// `search` finds them by their own name and code, and by the name, code, endpoint, maker and model of their charge station.
#[utoipa::path(tag = "connectors", params(ListParameters, ConnectorFilter),
    responses((status = OK, body = ListReply<ConnectorView>), ListErrors))]
#[get("/connectors")]
async fn list_connectors(
    caller: Caller<ReadConnectors>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    query: ListQuery<ConnectorFilter>,
) -> ApiResult<HttpResponse> {
    caller.may_include::<ReadStations>("include_chargestation", query.filter.include_chargestation)?;
    let organization = caller.organization();
    let (base, now) = (ctx.websocket_url.clone(), ctx.clock.now());
    list::respond(&ctx, query, move |conn, query| {
        let mut page = store::list(conn, organization, &uses, query)?.map(Shown::new);
        if query.filter.include_chargestation == Some(true) {
            include_stations(conn, organization, (&base, now), &mut page.rows)?;
        }
        Ok(page)
    })
    .await
}

/// Adds a connector to a charge station; without an EVSE it gets one of its own.
#[utoipa::path(tag = "connectors", params(("id" = StationId, Path, description = "The station")),
    request_body = NewConnector, responses((status = CREATED, body = Reply<ConnectorView>), WriteErrors))]
#[post("/chargestations/{id}/connectors")]
async fn create_connector(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<StationId>,
    Body(new): Body<NewConnector>,
) -> ApiResult<Created<ConnectorView>> {
    let organization = caller.organization();
    let Created(view) = ctx
        .change(organization)
        .answer(move |change| -> ApiResult<_> {
            let station = stations::find_station(change.conn, change.organization, id)
                .map_err(|error| ApiError::missing(error, "charge station"))?;
            let number = match new.number {
                Some(number) => number.0,
                None => store::next_number(change.conn, id)?,
            };
            if let Some(rate) = new.rate {
                rates::require(change.conn, change.organization, rate, "rate")?;
            }
            let evse = evse_for(change.conn, &station, &new, number, change.moment)?;
            let connector = Connector::new(new.clone(), change.organization, id, evse, number, change.moment);
            store::insert(change.conn, &connector)?;
            let view = store::view_of(change.conn, connector)?;
            change.record_at(id, EventKind::ConnectorCreated, &view)?;
            Ok(Created(view))
        })
        .await?;
    signals.notify(Signal { organization, station: id, kind: SignalKind::Reconfigured });
    Ok(Created(view))
}

/// The EVSE the new connector names, or one that is made for it.
fn evse_for(conn: &mut Conn, station: &Station, new: &NewConnector, number: i32, moment: &Moment) -> ApiResult<EvseId> {
    if let Some(id) = new.evse {
        let found =
            evses::find(conn, station.organization_id, id).ok().filter(|evse| evse.chargestation_id == station.id);
        return found
            .map(|evse| evse.id)
            .ok_or_else(|| ApiError::field("evse", "not_found", "the station has no such EVSE"));
    }
    let wanted = new.evse_number.map_or(number, |number| number.0);
    let power_type = new.power_type.unwrap_or(PowerType::AcSinglePhase);
    evses::find_or_insert(conn, station, wanted, power_type.into(), moment)
}

/// Reads a connector.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector"), ConnectorIncludes),
    responses((status = OK, body = Reply<ConnectorView>), OneErrors))]
#[get("/connectors/{id}")]
async fn get_connector(
    caller: Caller<ReadConnectors>,
    ctx: Ctx,
    PathId(id): PathId<ConnectorId>,
    Query(includes): Query<ConnectorIncludes>,
) -> ApiResult<Found<Shown<ConnectorView>>> {
    caller.may_include::<ReadStations>("include_chargestation", includes.include_chargestation)?;
    let (organization, base, now) = (caller.organization(), ctx.websocket_url.clone(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let connector = store::find_connector(conn, organization, id)?;
        let mut view = [Shown::new(store::view_of(conn, connector)?)];
        if includes.include_chargestation == Some(true) {
            include_stations(conn, organization, (&base, now), &mut view)?;
        }
        let [view] = view;
        Ok(view)
    });
    Ok(Found(read.await.map_err(missing)?))
}

/// Lists how a connector was doing during the last 90 days, unless configured otherwise, the newest first.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector")),
    responses((status = OK, body = Reply<Vec<StatusChange>>), OneErrors))]
#[get("/connectors/{id}/statuses")]
async fn list_connector_statuses(
    caller: Caller<ReadConnectors>,
    ctx: Ctx,
    PathId(id): PathId<ConnectorId>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        let connector = store::find_connector(conn, organization, id)?;
        statuses::statuses_of(conn, connector.id)
    });
    let changes = read.await.map_err(missing)?;
    Ok(reply(StatusCode::OK, "Found", changes))
}

/// Changes a connector (JSON merge patch).
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector")),
    request_body = ConnectorPatch, responses((status = OK, body = Reply<ConnectorView>), WriteErrors))]
#[patch("/connectors/{id}")]
async fn update_connector(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<ConnectorId>,
    if_match: IfMatch,
    Body(patch): Body<ConnectorPatch>,
) -> ApiResult<Changed<ConnectorView>> {
    let organization = caller.organization();
    let view = ctx
        .change(organization)
        .write(move |change| {
            let mut connector = store::find_connector(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(connector.updated_at)?;
            connector.apply(patch.clone(), change.moment)?;
            if let Some(rate) = patch.rate.value() {
                rates::require(change.conn, change.organization, *rate, "rate")?;
            }
            store::update(change.conn, &connector)?;
            let view = store::view_of(change.conn, connector)?;
            change.record_at(view.chargestation, EventKind::ConnectorUpdated, &view)?;
            Ok::<_, ApiError>(view)
        })
        .await?;
    signals.notify(Signal { organization, station: view.chargestation, kind: SignalKind::Reconfigured });
    Ok(Changed(view))
}

/// Deletes a connector, where no session or group needs it.
#[utoipa::path(tag = "connectors", params(("id" = ConnectorId, Path, description = "The connector")),
    responses((status = OK, body = Reply<ConnectorView>), DeleteErrors))]
#[delete("/connectors/{id}")]
async fn delete_connector(
    caller: Caller<WriteConnectors>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<ConnectorId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<ConnectorView>> {
    let organization = caller.organization();
    ctx.change(organization)
        .write(move |change| {
            let connector = store::find_connector(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(connector.updated_at)?;
            let view = store::view_of(change.conn, connector.clone())?;
            store::delete(change.conn, &uses, &connector, change.moment.now)?;
            change.record_at(view.chargestation, EventKind::ConnectorDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
