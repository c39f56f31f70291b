//! The endpoints of acceptance tests.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};

use super::model::{AcceptanceTest, AcceptanceTestView, NewAcceptanceTest};
use super::run::{self, Tester};
use super::store;
use super::uses::Uses;
use crate::control::actions::Performer;
use crate::events::EventKind;
use crate::http::caller::{ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId};
use crate::sites::stations::link::Signals;
use crate::sites::stations::{self, Station};
use crate::store::{Conn, StoreResult, cause};
use kernel::{ConnectorId, StationId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(start_acceptance_test).service(list_acceptance_tests);
}

/// Starts an acceptance test of a charge station.
///
/// It looks for boot, statuses and meter values, sends a limit, proves that it is obeyed, and takes it back. With a car that
/// charges the meter must follow within 90 seconds; without one the station must say that the limit applies. A station in a
/// load-management group is limited by its balancing, below what the group allows. One test at a time: 409. It takes up to
/// four minutes; `GET …/acceptance_tests` shows how far it is, and the event `chargestation.acceptance_test.ended` comes at its end.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    request_body = NewAcceptanceTest,
    responses((status = ACCEPTED, body = Reply<AcceptanceTestView>), CommandErrors))]
#[post("/chargestations/{id}/acceptance_test")]
async fn start_acceptance_test(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    (performer, signals, uses): (web::Data<Performer>, web::Data<Signals>, web::Data<Uses>),
    PathId(id): PathId<StationId>,
    Body(new): Body<NewAcceptanceTest>,
) -> ApiResult<HttpResponse> {
    let (online, functions) = (performer.is_online(id), **uses);
    let test = ctx
        .change(caller.organization())
        .write(move |change| {
            let found = stations::find_station(change.conn, change.organization, id);
            let station = found.map_err(|error| ApiError::missing(error, "charge station"))?;
            if !online {
                return Err(ApiError::station_offline());
            }
            let connector = connector_of(change.conn, functions, &station, new.connector)?;
            let test = AcceptanceTest::new(&station, connector, change.moment);
            store::insert(change.conn, &test)?;
            store::record(change.conn, change.moment, &test, EventKind::AcceptanceTestStarted)?;
            Ok(test)
        })
        .await?;
    let view = AcceptanceTestView::from(test.clone());
    let tester = Tester::new(performer.get_ref().clone(), signals.get_ref().clone(), functions);
    tokio::spawn(cause::along(run::run(tester, test)));
    Ok(reply(StatusCode::ACCEPTED, "Acceptance test started", view))
}

/// The connector that is meant: the one that is named, else the one where a car charges, else the first.
fn connector_of(conn: &mut Conn, uses: Uses, station: &Station, wanted: Option<ConnectorId>) -> ApiResult<ConnectorId> {
    let mut own = stations::connectors_of_station(conn, station.id)?;
    own.retain(|connector| connector.active);
    if let Some(wanted) = wanted {
        let missing = || ApiError::field("connector", "not_found", "is no active connector of this station");
        return own.iter().any(|connector| connector.id == wanted).then_some(wanted).ok_or_else(missing);
    }
    for connector in &own {
        if (uses.running_on)(conn, connector.id)?.is_some() {
            return Ok(connector.id);
        }
    }
    let first = own.first().map(|connector| connector.id);
    first.ok_or_else(|| ApiError::conflict("The charge station has no active connector"))
}

/// Lists the acceptance tests of a charge station, the newest first.
///
/// The last 50 are kept.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<Vec<AcceptanceTestView>>), OneErrors))]
#[get("/chargestations/{id}/acceptance_tests")]
async fn list_acceptance_tests(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| -> StoreResult<Vec<_>> {
        stations::find_station(conn, organization, id)?;
        let tests = store::list(conn, organization, id)?;
        Ok(tests.into_iter().map(AcceptanceTestView::from).collect())
    });
    let views = read.await.map_err(|error| ApiError::missing(error, "charge station"))?;
    Ok(reply(StatusCode::OK, "Found", views))
}
