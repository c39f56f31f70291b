//! How a group is doing now: how far its plan has come, what everybody may draw and what the exposure is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::because::Because;
use super::cheap_hours::{self, ChargingPlanView};
use super::counted::{Counted, counted};
use super::follow::note_phases;
use super::gather::{Role, Site, SiteConnector};
use super::ledger_rows::{self, plan_stage};
use super::load::Load;
use super::loads::{Loads, loads};
use super::plan_rows::{self, StoredPlan};
use super::prices::Prices;
use super::site_readiness::{Warning, warnings};
use super::snapshot::planned;
use super::state::{Memory, State};
use crate::load::assets::{Asset, AssetType, Basis};
use crate::load::groups::{self, CapacitySource, PlanStage};
use crate::sites::locations;
use crate::sites::stations::{self, ConnectorStatus};
use crate::store::{Conn, StoreError, StoreResult};
use engine::{Limit, NodeBudget, Plan};
use kernel::*;

/// How a group is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct GroupStatusView {
    /// The group.
    pub group: GroupId,
    /// The group at the top of its tree, which is planned as a whole.
    pub root: GroupId,
    /// How far the newest plan has come: planned, lowering, raising, settled or degraded.
    #[schema(value_type = String, example = "settled")]
    pub stage: PlanStage,
    /// Nothing is sent.
    pub dry_run: bool,
    /// The plan that applies; see `explain`.
    pub plan: Option<PlanId>,
    /// What everything in the group may draw, after the buffer and what else draws here, in kW.
    pub capacity: f64,
    /// Where that comes from: its maximum_capacity, a weekly or dated schedule, or a cap from outside.
    #[schema(inline)]
    pub capacity_source: CapacitySource,
    /// What else draws here by its assets and those of the groups below, in kW; negative when more is produced than used, null
    /// when an asset that may draw has no data, so that nothing can be handed out.
    pub uncontrolled_load: Option<f64>,
    /// What is reserved for connectors that cannot be steered, in kW.
    pub reserved: f64,
    /// What is left for the others, in kW.
    pub available: f64,
    /// What they were given, in kW.
    pub granted: f64,
    /// What they draw by their meters, in kW.
    pub drawn: f64,
    /// The most that may be drawn this moment, whatever message is lost or late, in kW.
    pub worst_case_kw: f64,
    /// The most that may be drawn when this server is not heard of any more, in kW; above `capacity` the fallbacks
    /// are too high.
    pub worst_case_if_server_dies_kw: f64,
    /// Its connectors.
    pub members: Vec<MemberStatusView>,
    /// Its assets and those of the groups below.
    pub assets: Vec<AssetStatusView>,
    /// What should be put right before one relies on it.
    pub warnings: Vec<Warning>,
}

/// What an asset adds to the load of its group now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssetStatusView {
    /// The asset.
    pub asset: AssetId,
    /// Display name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: AssetType,
    /// The group whose power it concerns.
    pub group: Option<GroupId>,
    /// What it adds by itself, in kW; negative takes off; null when nobody knows how much. A meter of the site shows the
    /// chargers too.
    pub load: Option<f64>,
    /// What of it is in `uncontrolled_load`, in kW: all assets add up to that. 0 where a meter replaces it; null when nobody
    /// knows how much.
    pub counted: Option<f64>,
    /// The smart meter of the site or the building that counts instead, because it sees what this draws or gives.
    pub replaced_by: Option<AssetId>,
    /// What that rests on.
    #[schema(value_type = String, example = "fresh")]
    pub basis: Basis,
    /// How old its data is, in seconds.
    pub age_seconds: Option<i64>,
    /// Whether it is too old to go by.
    pub stale: bool,
}

/// How a connector in a group is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MemberStatusView {
    /// Its station.
    pub chargestation: StationId,
    /// What that is called: its name, else its code, else its endpoint.
    pub chargestation_name: String,
    /// The number by which its station means it.
    pub number: i32,
    /// The connector.
    pub connector: ConnectorId,
    /// The group it is directly in.
    pub group: GroupId,
    /// Whether its station is connected.
    pub online: bool,
    /// How it is doing.
    #[schema(value_type = String)]
    pub status: ConnectorStatus,
    /// The session that runs there.
    pub session: Option<SessionId>,
    /// What it may draw by the plan, in kW.
    pub limit: f64,
    /// What its station confirmed, in kW; null while that is not certain.
    pub acknowledged: Option<f64>,
    /// The most it may be drawing, in kW.
    #[serde(rename = "worst")]
    pub exposure: f64,
    /// What it draws by its meter, in kW.
    pub drawing: Option<f64>,
    /// What it draws at most when this server is not heard of, in kW.
    pub fallback: f64,
    /// How many phases its car uses: all it is offered, unless its meter showed otherwise.
    pub phases: i64,
    /// Why the limit is what it is.
    #[schema(
        example = "6 kW: its share of 30 kW of group 650000000000000000000001 for 5 session(s) (rule max-min-share)."
    )]
    pub reason: Option<String>,
    /// The same for programs, and to be said in other languages.
    pub because: Option<Because>,
    /// The rule's name.
    #[schema(example = "max-min-share")]
    pub rule: Option<&'static str>,
    /// Since when it has this limit.
    pub since: Option<Timestamp>,
}

/// The status of a group of this organization.
pub(super) fn read(
    conn: &mut Conn,
    organization: OrganizationId,
    group: GroupId,
    now: Timestamp,
    is_online: impl Fn(StationId) -> bool,
) -> StoreResult<GroupStatusView> {
    let (_, source) = {
        let found = groups::find_group(conn, organization, group)?;
        let location = locations::find(conn, organization, found.location_id)?;
        found.capacity_at(now, location.time_zone())
    };
    let root = groups::root_of(conn, group)?;
    let mut site = Site::read(conn, root, now)?.ok_or(StoreError::NotFound)?;
    for site_connector in &mut site.connectors {
        site_connector.online = is_online(site_connector.station);
    }
    let mut state = ledger_rows::load(conn, root)?.unwrap_or_default();
    site.add_strays(&state);
    note_phases(&mut site, &state);
    state.follow_ends(&site, now);
    let plan = match plan_rows::plan_at(conn, root, None)?.and_then(plan_rows::readable) {
        Some(stored) => stored.plan,
        None => planned(&site, &state, &loads(&site, &state, now), now).1, // the first is made in a moment
    };
    let below: Vec<GroupId> = groups::tree_of(conn, group)?.iter().map(|group| group.id).collect();
    site.connectors.retain(|site_connector| below.contains(&site_connector.group));
    let loads = loads(&site, &state, now);
    let load = loads.by_group.get(&group).copied();
    let shares = counted(&site, &loads, group);
    let concerned = site.assets.iter();
    let stations: Vec<StationId> = site.connectors.iter().map(|site_connector| site_connector.station).collect();
    let others = Others {
        names: stations::names_of(conn, &stations)?,
        load: load.unwrap_or(Load::NONE),
        assets: concerned
            .filter(|asset| asset.group_id.is_some_and(|its| below.contains(&its)))
            .filter_map(|asset| asset_view(asset, &loads, shares.get(&asset.id), now))
            .collect(),
        warnings: warnings(&site, &state, &loads, &below, now),
    };
    Ok(view((group, source, now), root, &site, &state, &plan, others))
}

/// What would be planned now, for a tree that has no plan yet; nothing is stored or sent.
pub(super) fn plan_now(
    conn: &mut Conn,
    root: GroupId,
    moment: &Moment,
    is_online: impl Fn(StationId) -> bool,
) -> StoreResult<StoredPlan> {
    let mut site = Site::read(conn, root, moment.now)?.ok_or(StoreError::NotFound)?;
    for site_connector in &mut site.connectors {
        site_connector.online = is_online(site_connector.station);
    }
    let state = ledger_rows::load(conn, root)?.unwrap_or_default();
    site.add_strays(&state);
    note_phases(&mut site, &state);
    let loads = loads(&site, &state, moment.now);
    let (snapshot, plan) = planned(&site, &state, &loads, moment.now);
    Ok(StoredPlan { id: moment.id(), at: moment.now, trigger: "asked".to_owned(), snapshot, plan })
}

/// What a kilowatt-hour costs, in millionths, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct PriceNow {
    pub millionths: Option<i64>,
    pub currency: Option<Currency>,
}

/// When the cars of a group are planned to charge, and what energy costs it now.
pub(super) fn planned_and_priced(
    conn: &mut Conn,
    root: GroupId,
    group: GroupId,
    now: Timestamp,
) -> StoreResult<(Vec<ChargingPlanView>, PriceNow)> {
    let mut site = Site::read(conn, root, now)?.ok_or(StoreError::NotFound)?;
    let state = ledger_rows::load(conn, root)?.unwrap_or_default();
    site.add_strays(&state);
    note_phases(&mut site, &state);
    let prices = site.prices.get(&group);
    let price = PriceNow {
        millionths: prices.and_then(|prices| prices.at(now, site.zone)),
        currency: prices.and_then(Prices::currency),
    };
    Ok((cheap_hours::plans(&site, &state, group, now), price))
}

/// What the status shows of a group besides its connectors, and what their stations are called.
struct Others {
    names: BTreeMap<StationId, String>,
    load: Load,
    assets: Vec<AssetStatusView>,
    warnings: Vec<Warning>,
}

fn view(
    (group, capacity_source, now): (GroupId, CapacitySource, Timestamp),
    root: GroupId,
    site: &Site,
    state: &State,
    plan: &Plan,
    others: Others,
) -> GroupStatusView {
    let budget = plan.nodes.iter().find(|budget| budget.node == group);
    let of = |part: fn(&NodeBudget) -> Watts| budget.map_or(0.0, |it| part(it).kilowatts());
    let sum = |part: &dyn Fn(&SiteConnector) -> Watts| site.connectors.iter().map(part).sum::<Watts>().kilowatts();
    let drawn = |site_connector: &SiteConnector| state.drawn(site_connector, now);
    GroupStatusView {
        group,
        root,
        stage: plan_stage(state.stage),
        dry_run: site.dry_run,
        plan: state.plan,
        capacity: of(|it| it.capacity),
        capacity_source,
        uncontrolled_load: others.load.power.map(Watts::kilowatts),
        reserved: of(|it| it.reserved),
        available: of(|it| it.available),
        granted: of(|it| it.granted),
        drawn: sum(&|site_connector| drawn(site_connector).unwrap_or_default()),
        worst_case_kw: sum(&|site_connector| state.exposure(site_connector)),
        worst_case_if_server_dies_kw: sum(&|site_connector| state.alone(site_connector)),
        members: site
            .connectors
            .iter()
            .filter(|site_connector| site_connector.role != Role::Stray)
            .map(|site_connector| {
                let limit = plan.limit_of(site_connector.connector);
                let name = others.names.get(&site_connector.station).cloned().unwrap_or_default();
                member((site_connector, name), state, limit, drawn(site_connector))
            })
            .collect(),
        assets: others.assets,
        warnings: others.warnings,
    }
}

fn asset_view(asset: &Asset, loads: &Loads, share: Option<&Counted>, now: Timestamp) -> Option<AssetStatusView> {
    let contribution = loads.by_asset.get(&asset.id)?;
    let latest_at = asset.measured.latest_at;
    Some(AssetStatusView {
        asset: asset.id,
        name: asset.name.clone(),
        kind: asset.kind,
        group: asset.group_id,
        load: contribution.load.map(Watts::kilowatts),
        counted: share.and_then(|share| share.load).map(Watts::kilowatts),
        replaced_by: share.and_then(|share| share.replaced_by),
        basis: contribution.basis,
        age_seconds: latest_at.map(|at| now.seconds_since(at)),
        stale: asset.is_stale(now),
    })
}

fn member(
    (site_connector, chargestation_name): (&SiteConnector, String),
    state: &State,
    limit: Option<&Limit>,
    drawing: Option<Watts>,
) -> MemberStatusView {
    let memory: Option<&Memory> = state.connectors.get(&site_connector.connector);
    MemberStatusView {
        chargestation: site_connector.station,
        chargestation_name,
        number: site_connector.number,
        connector: site_connector.connector,
        group: site_connector.group,
        online: site_connector.online,
        status: site_connector.status,
        session: site_connector.session.as_ref().map(|session| session.id),
        limit: limit.map_or(0.0, |limit| limit.limit.kilowatts()),
        acknowledged: state.ledger.known(site_connector.connector).map(Watts::kilowatts),
        exposure: state.exposure(site_connector).kilowatts(),
        drawing: drawing.map(Watts::kilowatts),
        fallback: state.alone(site_connector).kilowatts(),
        phases: site_connector.phases.count(),
        reason: limit.map(Limit::explain),
        because: limit.map(|limit| Because::from(&limit.reason)),
        rule: limit.map(|limit| limit.reason.rule()),
        since: memory.map(|memory| memory.since),
    }
}
