//! What a station can do, and its password, over the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};

use super::capabilities::{self, CapabilitiesView};
use super::password;
use super::uses::Uses;
use crate::control::actions::Performer;
use crate::http::caller::{ReadStations, WriteStations};
use crate::http::docs::{CommandErrors, OneErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId};
use crate::input;
use crate::sites::stations::{self, Station, StationView};
use kernel::text::Text;
use kernel::{OrganizationId, StationId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(get_capabilities).service(probe_capabilities).service(change_chargestation_password);
}

async fn find(ctx: &Ctx, organization: OrganizationId, id: StationId) -> ApiResult<Station> {
    let found = ctx.db.read(move |conn| stations::find_station(conn, organization, id));
    found.await.map_err(|error| ApiError::missing(error, "charge station"))
}

/// What a station can do: what is known of its kind, and what it said when it was last asked.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<CapabilitiesView>), OneErrors))]
#[get("/chargestations/{id}/capabilities")]
async fn get_capabilities(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let station = find(&ctx, caller.organization(), id).await?;
    Ok(reply(StatusCode::OK, "Found", CapabilitiesView::from(station)))
}

/// Asks a station what it can do; not while a car is charging.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    responses((status = OK, body = Reply<CapabilitiesView>), CommandErrors))]
#[post("/chargestations/{id}/probe_capabilities")]
async fn probe_capabilities(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    (performer, uses): (web::Data<Performer>, web::Data<Uses>),
    PathId(id): PathId<StationId>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let station = find(&ctx, organization, id).await?;
    if !capabilities::probe(&performer, **uses, &station).await? {
        return Err(ApiError::conflict("A car is charging; it is not disturbed"));
    }
    let station = find(&ctx, organization, id).await?;
    Ok(reply(StatusCode::OK, "Probed", CapabilitiesView::from(station)))
}

input! {
    /// The password that a station gets.
    #[schema(example = json!({}))]
    pub(crate) struct PasswordChange {
        /// A password of 16 to 40 characters, 20 where OCPP 1.6 is spoken; one is made when absent.
        pub password: Option<Text<16, 40>>,
    }
}

/// Changes the password of a charge station over its own connection; this answer is the only place that shows it. The old one
/// stays right until the station connects with the new one (`security.password_pending`), and where the station refuses or does
/// not answer. A station without security gets basic_auth by it, once it connects with the password.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station")),
    request_body = PasswordChange, responses((status = OK, body = Reply<StationView>), CommandErrors))]
#[post("/chargestations/{id}/change_password")]
async fn change_chargestation_password(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Body(change): Body<PasswordChange>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let station = find(&ctx, organization, id).await?;
    let wanted = change.password.map(String::from);
    let changed = password::change(&performer, &station, wanted).await?;
    let (base, now) = (ctx.websocket_url.clone(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let station = stations::find_station(conn, organization, id)?;
        stations::station_view(conn, station, &base, now)
    });
    let mut view = read.await?;
    view.security.password = Some(changed);
    Ok(reply(StatusCode::OK, "The station took the password", view))
}
