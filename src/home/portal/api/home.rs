//! What a home user sees and does: the own groups, their exclusion times, priority charges.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use serde::Serialize;

use super::super::auth_guard::HomeCaller;
use crate::home::priority_charges::{self, NewPriorityCharge, PriorityChargeView};
use crate::http::docs::{HomeChargeErrors, HomeErrors, HomeWriteErrors};
use crate::http::envelope::{Reply, Versioned, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Changed, Ctx, Found, IfMatch, PathId};
use crate::load::groups::{self, ExclusionTimes, ExclusionWarning, Group, GroupExclusionTimes};
use crate::people::organizations::{self, PublicOrganization};
use crate::sites::locations;
use crate::sites::stations::link::{SharedLink, Signals};
use crate::sites::stations::{self, ConnectorStatus};
use crate::store::{Conn, StoreResult};
use kernel::*;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_home_organization)
        .service(list_home_groups)
        .service(get_home_group)
        .service(get_home_exclusion_times)
        .service(set_home_exclusion_times)
        .service(start_home_priority_charge)
        .service(end_home_priority_charge);
}

/// A connector as its home user sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HomeConnectorView {
    /// Its id.
    #[serde(rename = "_id")]
    id: ConnectorId,
    /// Display name.
    name: Option<String>,
    /// How it is doing.
    #[schema(value_type = String, example = "Charging")]
    status: ConnectorStatus,
}

/// A charge station as its home user sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HomeStationView {
    /// Its id.
    #[serde(rename = "_id")]
    id: StationId,
    /// Display name.
    name: Option<String>,
    /// Whether it is connected.
    online: bool,
    /// Its connectors.
    connectors: Vec<HomeConnectorView>,
}

/// A group as its home user sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HomeGroupView {
    /// Its id.
    #[serde(rename = "_id")]
    id: GroupId,
    /// Display name.
    name: String,
    /// What it is.
    description: Option<String>,
    /// When it does not charge.
    exclusion_times: ExclusionTimes,
    /// What should be known of them.
    warnings: Vec<ExclusionWarning>,
    /// Whose clocks these follow.
    timezone: TimeZone,
    /// Whether it must not charge now, if there was no priority charge.
    excluded_now: bool,
    /// The priority charge that it has.
    priority_charge: Option<PriorityChargeView>,
    /// Its stations.
    chargestations: Vec<HomeStationView>,
    /// When it was created.
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    updated_at: Timestamp,
}

impl Versioned for HomeGroupView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

impl HomeGroupView {
    fn read(conn: &mut Conn, group: Group, now: Timestamp) -> StoreResult<Self> {
        let organization = group.organization_id;
        let local = locations::find(conn, organization, group.location_id)?.time_zone();
        let charge = priority_charges::open_of(conn, group.id)?;
        let charge = charge.filter(|charge| charge.expires_at > now);
        let mut chargestations = Vec::new();
        for member in groups::stations_of(conn, &[group.id])? {
            let station = stations::find_station(conn, organization, member.chargestation_id)?;
            let connectors = stations::connectors_of_station(conn, station.id)?.into_iter();
            chargestations.push(HomeStationView {
                id: station.id,
                name: station.name,
                online: station.online,
                connectors: connectors
                    .map(|connector| HomeConnectorView {
                        id: connector.id,
                        name: connector.name,
                        status: connector.status,
                    })
                    .collect(),
            });
        }
        Ok(Self {
            excluded_now: group.excludes(now, local),
            timezone: group.exclusion_times.0.timezone.unwrap_or(local),
            id: group.id,
            name: group.name,
            description: group.description,
            warnings: group.exclusion_times.0.warnings(),
            exclusion_times: group.exclusion_times.0,
            priority_charge: charge.map(PriorityChargeView::from),
            chargestations,
            created_at: group.created_at,
            updated_at: group.updated_at,
        })
    }
}

/// Reads whose customer the user is: its name, its logo, and whom to ask for help.
#[utoipa::path(tag = "portal", security(("portal" = [])),
    responses((status = OK, body = Reply<PublicOrganization>), HomeErrors))]
#[get("/organization")]
async fn get_home_organization(caller: HomeCaller, ctx: Ctx) -> ApiResult<HttpResponse> {
    let read = ctx.db.read(move |conn| organizations::find_organization(conn, caller.organization));
    Ok(reply(StatusCode::OK, "Found", PublicOrganization::from(read.await?)))
}

/// Lists the user's groups.
#[utoipa::path(tag = "portal", security(("portal" = [])),
    responses((status = OK, body = Reply<Vec<HomeGroupView>>), HomeErrors))]
#[get("/groups")]
async fn list_home_groups(caller: HomeCaller, ctx: Ctx) -> ApiResult<HttpResponse> {
    let now = ctx.clock.now();
    let read = ctx.db.read(move |conn| -> StoreResult<Vec<_>> {
        let groups = groups::groups_of_user(conn, caller.organization, caller.user)?;
        let views = groups.into_iter();
        views.map(|group| HomeGroupView::read(conn, group, now)).collect()
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

/// Reads one of the user's groups.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<HomeGroupView>), HomeErrors))]
#[get("/groups/{id}")]
async fn get_home_group(caller: HomeCaller, ctx: Ctx, PathId(id): PathId<GroupId>) -> ApiResult<Found<HomeGroupView>> {
    let now = ctx.clock.now();
    let read = ctx.db.read(move |conn| -> ApiResult<_> {
        let group = caller.group(conn, id)?;
        Ok(HomeGroupView::read(conn, group, now)?)
    });
    Ok(Found(read.await?))
}

/// Reads the exclusion times of the user's group.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupExclusionTimes>), HomeErrors))]
#[get("/groups/{id}/exclusion_times")]
async fn get_home_exclusion_times(
    caller: HomeCaller,
    ctx: Ctx,
    PathId(id): PathId<GroupId>,
) -> ApiResult<Found<GroupExclusionTimes>> {
    let read = ctx.db.read(move |conn| caller.group(conn, id));
    Ok(Found(read.await?.into()))
}

/// Replaces the exclusion times of the user's group; they apply at once, and the operator sees them too.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    request_body = ExclusionTimes, responses((status = OK, body = Reply<HomeGroupView>), HomeWriteErrors))]
#[put("/groups/{id}/exclusion_times")]
async fn set_home_exclusion_times(
    caller: HomeCaller,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(times): Body<ExclusionTimes>,
) -> ApiResult<Changed<HomeGroupView>> {
    let moment = ctx.moment();
    let view = ctx
        .db
        .write(move |conn| {
            let group = caller.group(conn, id)?;
            if_match.check(group.updated_at)?;
            groups::set_exclusion_times(conn, &moment, group, times.clone())?;
            let group = caller.group(conn, id)?;
            Ok::<_, ApiError>(HomeGroupView::read(conn, group, moment.now)?)
        })
        .await?;
    let stations = view.chargestations.iter().map(|station| station.id);
    groups::replan(&signals, caller.organization, stations);
    Ok(Changed(view))
}

/// Lets the user's group charge at once although its exclusion times say no. Approved: 201, or 200 when one is already active;
/// without a car it waits for one. Denied: 409. Error, because no station of the group can be reached: 406.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    request_body = NewPriorityCharge, responses(
        (status = CREATED, body = Reply<PriorityChargeView>, description = "It is on, or waits for a car"),
        (status = OK, body = Reply<PriorityChargeView>, description = "One is already active"), HomeChargeErrors))]
#[post("/groups/{id}/priority_charge")]
async fn start_home_priority_charge(
    caller: HomeCaller,
    ctx: Ctx,
    (link, signals, uses): (web::Data<SharedLink>, web::Data<Signals>, web::Data<priority_charges::Uses>),
    PathId(id): PathId<GroupId>,
    Body(new): Body<NewPriorityCharge>,
) -> ApiResult<HttpResponse> {
    let (moment, lasts) = (ctx.moment(), new.lasts()?);
    let asked = ctx
        .db
        .write(move |conn| {
            let group = caller.group(conn, id)?;
            let online = |station| link.is_online(station);
            let asked = priority_charges::ask(conn, &moment, (&group, Some(caller.user)), lasts, (online, &**uses))?;
            Ok::<_, ApiError>(asked)
        })
        .await?;
    groups::replan(&signals, caller.organization, asked.stations.clone());
    asked.answer()
}

/// Ends the priority charge of the user's group; its exclusion times apply again. One that is over already is answered as it
/// was, null where there was none.
#[utoipa::path(tag = "portal", security(("portal" = [])), params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<Option<PriorityChargeView>>), HomeErrors))]
#[delete("/groups/{id}/priority_charge")]
async fn end_home_priority_charge(
    caller: HomeCaller,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
) -> ApiResult<HttpResponse> {
    let moment = ctx.moment();
    let (view, stations) = ctx
        .db
        .write(move |conn| {
            caller.group(conn, id)?;
            Ok::<_, ApiError>(priority_charges::end_on_request(conn, &moment, id)?)
        })
        .await?;
    groups::replan(&signals, caller.organization, stations);
    Ok(reply(StatusCode::OK, "Ended", view))
}
