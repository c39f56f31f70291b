//! How everything of an organization is doing, in one answer: the page that an operator has open all day.
//!
//! Numbers come from the tables in a fixed number of queries, whatever there is of everything; how groups are doing is in the memory
//! of balancing. Here, because it asks slices of every wing, and balancing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;

use crate::balancing::{CurrentTrees, GroupNow};
use crate::charging::reservations::{self, ReservationStatus};
use crate::charging::sessions;
use crate::http::caller::{
    Permission, ReadAssets, ReadConnectors, ReadGroups, ReadLocations, ReadReservations, ReadSessions, ReadStations,
};
use crate::http::docs::ListErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Caller, Ctx, Principal};
use crate::load::assets;
use crate::load::groups::{self, Group, PlanStage};
use crate::sites::locations;
use crate::sites::stations::{self, ConnectorStatus};
use crate::store::{Conn, StoreResult};
use kernel::spelled::Spelled as _;
use kernel::*;

/// How long a start that failed is counted.
const FAILED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Groups that are shown one by one at most: more fill no page. Numbers are of all.
const MOST_GROUPS: i64 = 200;
/// Groups that need attention that are named at most.
const MOST_ATTENTION: usize = 100;

/// How everything is doing. Each number is that of a list: how to ask for it stands beside it. What the caller may not read is null.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OverviewView {
    /// When it was so.
    at: Timestamp,
    /// Charge stations.
    chargestations: StationsOverview,
    /// Connectors; null without the scope `read:connectors`.
    connectors: Option<ConnectorsOverview>,
    /// Sessions; null without the scope `read:sessions`.
    sessions: Option<SessionsOverview>,
    /// Reservations; null without the scope `read:reservations`.
    reservations: Option<ReservationsOverview>,
    /// Assets; null without the scope `read:assets`.
    assets: Option<AssetsOverview>,
    /// Load-management groups; null without the scope `read:groups`.
    groups: Option<GroupsOverview>,
}

/// How many charge stations are doing what: numbers of `GET /v1.1/chargestations`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StationsOverview {
    /// All of them.
    total: i64,
    /// Those whose socket is open (`online=true`).
    online: i64,
    /// Those whose socket is not open (`online=false`).
    offline: i64,
    /// Of those that are online: silent for longer than their heartbeat interval and a minute (`late=true`).
    late: i64,
    /// Of those that are offline: never seen (`never_connected=true`).
    never_connected: i64,
    /// Those with a connector that is broken (`status=Faulted`).
    faulted: i64,
    /// Those that do not keep the limits of their load-management group (`obeying=false`).
    not_obeying: i64,
}

/// How many connectors are doing what: numbers of `GET /v1.1/connectors`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ConnectorsOverview {
    /// All of them.
    total: i64,
    /// Those with each status (`status=…`); all statuses are named.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"Available": 3, "Charging": 2}))]
    by_status: BTreeMap<ConnectorStatus, i64>,
}

/// How many sessions are under way: numbers of `GET /v1.1/sessions`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SessionsOverview {
    /// Those whose station was asked to start (`status=created`).
    created: i64,
    /// Those that run (`status=started`).
    started: i64,
    /// Those that never started, of the last 24 hours (`status=cancelled` and `createdAt[$gte]=` what `failed_since` says).
    failed_starts: i64,
    /// Since when failed starts are counted.
    failed_since: Timestamp,
}

/// How many connectors are kept: numbers of `GET /v1.1/reservations`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ReservationsOverview {
    /// Those that the station has not agreed to yet (`status=requested`).
    requested: i64,
    /// Those that hold (`status=active`).
    active: i64,
}

/// Assets: numbers of `GET /v1.1/assets`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AssetsOverview {
    /// All of them.
    total: i64,
    /// Smart meters in use whose data is too old to go by (`type=smart_meter`, `stale=true` and `active=true`).
    silent_meters: i64,
}

/// How load management is doing: numbers of `GET /v1.1/load_management/groups`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct GroupsOverview {
    /// All of them.
    total: i64,
    /// Those in a tree with a station that cannot be steered (`stage=degraded`).
    degraded: i64,
    /// Those with a station, directly in them, that does not keep its limits (`obeying=false`).
    not_obeying: i64,
    /// Those of both kinds, at most 100.
    attention: Vec<GroupId>,
    /// What all groups at the top draw, in kW.
    drawn: f64,
    /// What they may draw, after the buffers and what else draws, in kW; of groups without stations, what is configured counts only
    /// where they are in `list`.
    capacity: f64,
    /// The groups one by one, in the order of their names, at most 200.
    list: Vec<GroupOverview>,
}

/// How a group is doing: what its `…/status` says, in a line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct GroupOverview {
    /// The group.
    group: GroupId,
    /// Its name.
    name: String,
    /// Where it is.
    location: LocationId,
    /// What its location is called; null without the scope `read:locations`.
    location_name: Option<String>,
    /// The group above it.
    parent: Option<GroupId>,
    /// How far the newest plan of its tree has come.
    #[schema(inline)]
    stage: PlanStage,
    /// Whether nothing is sent.
    dry_run: bool,
    /// What everything in it may draw, after the buffer and what else draws, in kW.
    capacity: f64,
    /// What connectors were given, in kW.
    granted: f64,
    /// What they draw by their meters, in kW.
    drawn: f64,
    /// What they draw at most when this server is not heard of, in kW.
    worst_case_if_server_dies_kw: f64,
    /// How many warnings its status has.
    warnings: usize,
    /// How many stations, directly in it, do not keep their limits.
    not_obeying: usize,
}

/// Adds this endpoint.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get_overview);
}

/// Shows how everything is doing.
///
/// One answer for a page that is always open. Each number is that of a list with a filter, which its description names. What groups
/// draw is as balancing saw it last, a tick ago at most.
#[utoipa::path(tag = "overview", responses((status = OK, body = Reply<OverviewView>), ListErrors))]
#[get("/overview")]
async fn get_overview(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    trees: web::Data<CurrentTrees>,
) -> ApiResult<HttpResponse> {
    let (principal, now) = (caller.principal.clone(), ctx.clock.now());
    let read = ctx.db.read(move |conn| -> StoreResult<OverviewView> {
        let may = |scope| principal.may(scope);
        Ok(OverviewView {
            at: now,
            chargestations: of_stations(conn, &principal, now)?,
            connectors: if_so(may(ReadConnectors::SCOPE), || of_connectors(conn, &principal))?,
            sessions: if_so(may(ReadSessions::SCOPE), || of_sessions(conn, &principal, now))?,
            reservations: if_so(may(ReadReservations::SCOPE), || of_reservations(conn, &principal))?,
            assets: if_so(may(ReadAssets::SCOPE), || of_assets(conn, &principal, now))?,
            groups: if_so(may(ReadGroups::SCOPE), || {
                let mut groups = of_groups(conn, &principal, &trees, now)?;
                if !may(ReadLocations::SCOPE) {
                    groups.list.iter_mut().for_each(|group| group.location_name = None);
                }
                Ok(groups)
            })?,
        })
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

fn if_so<T>(may: bool, read: impl FnOnce() -> StoreResult<T>) -> StoreResult<Option<T>> {
    may.then(read).transpose()
}

fn of_stations(conn: &mut Conn, caller: &Principal, now: Timestamp) -> StoreResult<StationsOverview> {
    let counts = stations::count_stations(conn, caller.organization, &caller.reach, now)?;
    let stations::StationCounts { online, offline, late, never_connected, faulted, not_obeying } = counts;
    Ok(StationsOverview { total: online + offline, online, offline, late, never_connected, faulted, not_obeying })
}

fn of_connectors(conn: &mut Conn, caller: &Principal) -> StoreResult<ConnectorsOverview> {
    let mut by_status: BTreeMap<ConnectorStatus, i64> =
        ConnectorStatus::ALL.iter().map(|status| (*status, 0)).collect();
    by_status.extend(stations::count_connectors(conn, caller.organization, &caller.reach)?);
    Ok(ConnectorsOverview { total: by_status.values().sum(), by_status })
}

fn of_sessions(conn: &mut Conn, caller: &Principal, now: Timestamp) -> StoreResult<SessionsOverview> {
    let failed_since = now - FAILED_FOR;
    let sessions::SessionCounts { created, started, cancelled } =
        sessions::count_sessions(conn, caller.organization, &caller.reach, failed_since)?;
    Ok(SessionsOverview { created, started, failed_starts: cancelled, failed_since })
}

fn of_reservations(conn: &mut Conn, caller: &Principal) -> StoreResult<ReservationsOverview> {
    let counts = reservations::count_open(conn, caller.organization, &caller.reach)?;
    let of = |status| counts.get(&status).copied().unwrap_or_default();
    Ok(ReservationsOverview { requested: of(ReservationStatus::Requested), active: of(ReservationStatus::Active) })
}

fn of_assets(conn: &mut Conn, caller: &Principal, now: Timestamp) -> StoreResult<AssetsOverview> {
    let (total, silent_meters) = assets::count_assets(conn, caller.organization, &caller.reach, now)?;
    Ok(AssetsOverview { total, silent_meters })
}

fn of_groups(conn: &mut Conn, caller: &Principal, trees: &CurrentTrees, now: Timestamp) -> StoreResult<GroupsOverview> {
    let (organization, reach) = (caller.organization, &caller.reach);
    let listed = groups::listed(conn, organization, reach, MOST_GROUPS)?;
    let places: BTreeSet<LocationId> = listed.iter().map(|group| group.location_id).collect();
    let places = locations::names_and_zones(conn, &places.into_iter().collect::<Vec<_>>())?;
    let mut balanced = trees.groups_of(organization, reach, now);
    for group in &listed {
        let zone = places.get(&group.location_id).map(|(_, zone)| *zone).unwrap_or_default();
        balanced.entry(group.id).or_insert_with(|| GroupNow::idle(group, zone, now));
    }
    let is_degraded = |group: &&GroupNow| group.stage == PlanStage::Degraded;
    let disobeys = |group: &&GroupNow| !group.disobeying.is_empty();
    let attention = balanced.values().filter(|group| is_degraded(group) || disobeys(group));
    let tops = || balanced.values().filter(|group| group.is_top);
    Ok(GroupsOverview {
        total: groups::count(conn, organization, reach)?,
        degraded: count(balanced.values().filter(is_degraded)),
        not_obeying: count(balanced.values().filter(disobeys)),
        attention: attention.map(|group| group.group).take(MOST_ATTENTION).collect(),
        drawn: tops().map(|group| group.drawn).sum::<Watts>().kilowatts(),
        capacity: tops().map(|group| group.capacity).sum::<Watts>().kilowatts(),
        list: listed
            .into_iter()
            .filter_map(|group| {
                let place = places.get(&group.location_id).map(|(name, _)| name.clone());
                Some(line(balanced.get(&group.id)?, group, place))
            })
            .collect(),
    })
}

fn count<T>(some: impl Iterator<Item = T>) -> i64 {
    i64::try_from(some.count()).unwrap_or(i64::MAX)
}

fn line(now: &GroupNow, group: Group, location_name: Option<String>) -> GroupOverview {
    GroupOverview {
        group: group.id,
        name: group.name,
        location: group.location_id,
        location_name,
        parent: group.parent_id,
        stage: now.stage,
        dry_run: group.dry_run,
        capacity: now.capacity.kilowatts(),
        granted: now.granted.kilowatts(),
        drawn: now.drawn.kilowatts(),
        worst_case_if_server_dies_kw: now.alone.kilowatts(),
        warnings: now.warnings,
        not_obeying: now.disobeying.len(),
    }
}
