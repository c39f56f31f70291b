//! Groups and their members in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::answers::group_of_station;
use super::membership::{GroupConnector, GroupStation, MembershipView};
use super::model::{Group, GroupFilter, GroupView, PlanStage};
use super::uses::Uses;
use crate::events::{Change, EventKind};
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Reach};
use crate::sites::stations;
use crate::store::connection::MultiBackend;
use crate::store::query::{contains, lower};
use crate::store::schema::{group_connectors, group_stations, load_groups};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

/// Groups from a root to its deepest descendant at most; the engine bounds it too.
const DEEPEST: usize = 8;

pub(super) fn insert(conn: &mut Conn, group: &Group) -> StoreResult<()> {
    diesel::insert_into(load_groups::table).values(group).execute(conn)?;
    Ok(())
}

/// The organization's group with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: GroupId) -> StoreResult<Group> {
    Ok(load_groups::table
        .filter(load_groups::organization_id.eq(organization).and(load_groups::id.eq(id)))
        .select(Group::as_select())
        .first(conn)?)
}

pub(super) fn update(conn: &mut Conn, group: &Group) -> StoreResult<()> {
    diesel::update(load_groups::table.find(group.id)).set(group).execute(conn)?;
    Ok(())
}

/// Refuses a parent that is unknown, at another location, below the group itself, or too deep.
pub(super) fn check_parent(conn: &mut Conn, group: &Group) -> ApiResult<()> {
    let mut next = group.parent_id;
    let mut depth = 1;
    while let Some(id) = next {
        let parent = find(conn, group.organization_id, id)
            .map_err(|_| ApiError::field("parent", "not_found", "there is no such group in your organization"))?;
        depth += 1;
        if id == group.id || depth > DEEPEST {
            let message = format!("groups nest without circles, at most {DEEPEST} deep");
            return Err(ApiError::field("parent", "invalid", message));
        }
        if parent.location_id != group.location_id {
            return Err(ApiError::field("parent", "invalid", "must be at the same location"));
        }
        next = parent.parent_id;
    }
    Ok(())
}

/// Deletes a group that has no stations, no groups below it, no assets and no home user.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, group: &Group) -> ApiResult<()> {
    if group.user_id.is_some() {
        return Err(ApiError::in_use("The group still has a home user"));
    }
    let stations: i64 = group_stations::table.filter(group_stations::group_id.eq(group.id)).count().get_result(conn)?;
    let children: i64 = load_groups::table.filter(load_groups::parent_id.eq(group.id)).count().get_result(conn)?;
    let assets = (uses.assets)(conn, group.id)?;
    if stations + children + assets > 0 {
        return Err(ApiError::in_use(format!(
            "The group still has {stations} charge station(s), {children} group(s) below it and {assets} asset(s)"
        )));
    }
    diesel::delete(load_groups::table.find(group.id)).execute(conn)?;
    Ok(())
}

/// The memberships of these groups, in the order in which stations joined.
pub fn stations_of(conn: &mut Conn, groups: &[GroupId]) -> StoreResult<Vec<GroupStation>> {
    Ok(group_stations::table
        .filter(group_stations::group_id.eq_any(groups))
        .order(group_stations::id)
        .select(GroupStation::as_select())
        .load(conn)?)
}

/// The stations of a group and of all groups below it.
pub(super) fn stations_below(conn: &mut Conn, group: GroupId) -> StoreResult<Vec<StationId>> {
    let below: Vec<GroupId> = tree_of(conn, group)?.iter().map(|one| one.id).collect();
    let stations = stations_of(conn, &below)?;
    Ok(stations.into_iter().map(|station| station.chargestation_id).collect())
}

/// The members of these groups, by connector.
pub fn members_of(conn: &mut Conn, groups: &[GroupId]) -> StoreResult<Vec<GroupConnector>> {
    Ok(group_connectors::table
        .filter(group_connectors::group_id.eq_any(groups))
        .order(group_connectors::connector_id)
        .select(GroupConnector::as_select())
        .load(conn)?)
}

pub(super) fn view(conn: &mut Conn, group: Group) -> StoreResult<GroupView> {
    views(conn, vec![group])?.pop().ok_or(crate::store::StoreError::NotFound)
}

/// The views of these groups with their members, two queries in all.
pub(super) fn views(conn: &mut Conn, groups: Vec<Group>) -> StoreResult<Vec<GroupView>> {
    let ids: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
    let (stations, members) = (stations_of(conn, &ids)?, members_of(conn, &ids)?);
    let view = |group: Group| {
        let mine = stations.iter().filter(|station| station.group_id == group.id);
        let memberships = mine.map(|station| MembershipView::new(station.clone(), &members)).collect();
        GroupView::new(group, memberships)
    };
    Ok(groups.into_iter().map(view).collect())
}

pub(super) fn membership(
    conn: &mut Conn,
    organization: OrganizationId,
    station: StationId,
) -> StoreResult<GroupStation> {
    Ok(group_stations::table
        .filter(group_stations::organization_id.eq(organization))
        .filter(group_stations::chargestation_id.eq(station))
        .select(GroupStation::as_select())
        .first(conn)?)
}

pub(super) fn membership_view(conn: &mut Conn, membership: GroupStation) -> StoreResult<MembershipView> {
    let members = members_of(conn, &[membership.group_id])?;
    Ok(MembershipView::new(membership, &members))
}

pub(super) fn insert_membership(conn: &mut Conn, membership: &GroupStation) -> StoreResult<()> {
    diesel::insert_into(group_stations::table).values(membership).execute(conn)?;
    Ok(())
}

/// Replaces the members of a station.
pub(super) fn replace_members(
    conn: &mut Conn,
    membership: &GroupStation,
    members: &[GroupConnector],
) -> StoreResult<()> {
    let station = membership.chargestation_id;
    diesel::delete(group_connectors::table.filter(group_connectors::chargestation_id.eq(station))).execute(conn)?;
    for member in members {
        diesel::insert_into(group_connectors::table).values(member).execute(conn)?;
    }
    diesel::update(group_stations::table.find(membership.id))
        .set(group_stations::updated_at.eq(membership.updated_at))
        .execute(conn)?;
    Ok(())
}

/// Takes connectors that were found at a station into its group, where all its others are members: the station is there as a
/// whole.
pub fn take_in(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    found: &[ConnectorId],
) -> StoreResult<()> {
    let mut membership = match membership(conn, organization, station) {
        Ok(membership) => membership,
        Err(StoreError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut members = members_of(conn, &[membership.group_id])?;
    members.retain(|member| member.chargestation_id == station);
    let all = stations::connectors_of_station(conn, station)?;
    let is_steered = |id: &ConnectorId| members.iter().any(|member| member.connector_id == *id);
    let mut others = all.iter().map(|connector| &connector.id);
    if !others.all(|id| found.contains(id) || is_steered(id)) {
        return Ok(());
    }
    let joining = found.iter();
    members.extend(joining.map(|id| GroupConnector::plain(&membership, *id)));
    membership.updated_at = moment.version_after(membership.updated_at);
    replace_members(conn, &membership, &members)?;
    let view = membership_view(conn, membership)?;
    Change::new(conn, organization, moment).record(EventKind::GroupStationUpdated, &view)
}

pub(super) fn delete_membership(conn: &mut Conn, membership: &GroupStation) -> StoreResult<()> {
    replace_members(conn, membership, &[])?;
    diesel::delete(group_stations::table.find(membership.id)).execute(conn)?;
    Ok(())
}

/// The root of a group's tree.
pub fn root_of(conn: &mut Conn, group: GroupId) -> StoreResult<GroupId> {
    let mut id = group;
    for _ in 0..DEEPEST {
        let parent: Option<GroupId> = load_groups::table.find(id).select(load_groups::parent_id).first(conn)?;
        match parent {
            Some(parent) => id = parent,
            None => break,
        }
    }
    Ok(id)
}

/// The root of the tree in which a station is, if it is in any.
pub fn root_of_station(conn: &mut Conn, station: StationId) -> StoreResult<Option<GroupId>> {
    group_of_station(conn, station)?.map(|group| root_of(conn, group)).transpose()
}

/// Every group that has no parent.
pub fn all_roots(conn: &mut Conn) -> StoreResult<Vec<GroupId>> {
    Ok(load_groups::table.filter(load_groups::parent_id.is_null()).select(load_groups::id).load(conn)?)
}

/// A root and everything below it, parents before children.
pub fn tree_of(conn: &mut Conn, root: GroupId) -> StoreResult<Vec<Group>> {
    trees_of(conn, &[root])?.remove(&root).ok_or(StoreError::NotFound)
}

/// The same for many roots in as many queries; those that are not there are left out.
pub fn trees_of(conn: &mut Conn, roots: &[GroupId]) -> StoreResult<BTreeMap<GroupId, Vec<Group>>> {
    let tops: Vec<Group> =
        load_groups::table.filter(load_groups::id.eq_any(roots)).select(Group::as_select()).load(conn)?;
    let mut level: Vec<GroupId> = tops.iter().map(|top| top.id).collect();
    let mut root_of: BTreeMap<GroupId, GroupId> = level.iter().map(|id| (*id, *id)).collect();
    let mut trees: BTreeMap<GroupId, Vec<Group>> = tops.into_iter().map(|top| (top.id, vec![top])).collect();
    for _ in 0..DEEPEST {
        let below: Vec<Group> = load_groups::table
            .filter(load_groups::parent_id.eq_any(&level))
            .order(load_groups::id)
            .select(Group::as_select())
            .load(conn)?;
        level = below.iter().map(|group| group.id).collect();
        if level.is_empty() {
            break;
        }
        for group in below {
            let root = group.parent_id.and_then(|parent| root_of.get(&parent)).copied();
            if let Some((root, tree)) = root.and_then(|root| Some((root, trees.get_mut(&root)?))) {
                root_of.insert(group.id, root);
                tree.push(group);
            }
        }
    }
    Ok(trees)
}

/// The groups of the trees whose newest plan has come so far.
fn groups_at(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    stage: PlanStage,
) -> StoreResult<Vec<GroupId>> {
    let tops = load_groups::table
        .filter(load_groups::organization_id.eq(organization))
        .filter(load_groups::parent_id.is_null());
    let tops: Vec<GroupId> = tops.select(load_groups::id).load(conn)?;
    let stages = (uses.stages)(conn, &tops)?;
    let stage_of = |top: &GroupId| stages.get(top).copied().unwrap_or(PlanStage::Planned);
    let tops: Vec<GroupId> = tops.into_iter().filter(|top| stage_of(top) == stage).collect();
    Ok(trees_of(conn, &tops)?.into_values().flatten().map(|group| group.id).collect())
}

/// How many groups an organization has.
pub fn count(conn: &mut Conn, organization: OrganizationId, reach: &Reach) -> StoreResult<i64> {
    Ok(within(organization, reach).count().get_result(conn)?)
}

/// The organization's groups that somebody may reach.
fn within(organization: OrganizationId, reach: &Reach) -> load_groups::BoxedQuery<'_, MultiBackend> {
    let rows = load_groups::table.filter(load_groups::organization_id.eq(organization)).into_boxed();
    match reach.locations() {
        Some(within) => rows.filter(load_groups::location_id.eq_any(within)),
        None => rows,
    }
}

/// The organization's groups in the order of their names, as far as that many.
pub fn listed(conn: &mut Conn, organization: OrganizationId, reach: &Reach, most: i64) -> StoreResult<Vec<Group>> {
    Ok(within(organization, reach)
        .order((load_groups::name, load_groups::id))
        .limit(most)
        .select(Group::as_select())
        .load(conn)?)
}

/// The views of the organization's groups with these ids, for rows that include them.
pub fn views_of(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[GroupId],
) -> StoreResult<BTreeMap<GroupId, GroupView>> {
    let found = load_groups::table
        .filter(load_groups::organization_id.eq(organization).and(load_groups::id.eq_any(ids)))
        .select(Group::as_select())
        .load(conn)?;
    Ok(views(conn, found)?.into_iter().map(|view| (view.id, view)).collect())
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    query: &ListQuery<GroupFilter>,
) -> ApiResult<Page<GroupView>> {
    let filter = &query.filter;
    let at_stage = filter.stage.map(|stage| groups_at(conn, organization, uses, stage)).transpose()?;
    let filtered = || {
        let mut rows = load_groups::table.filter(load_groups::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(load_groups::location_id.eq_any(within));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(load_groups::location_id.eq(location));
        }
        if let Some(parent) = filter.parent {
            rows = rows.filter(load_groups::parent_id.eq(parent));
        }
        if let Some(user) = filter.user {
            rows = rows.filter(load_groups::user_id.eq(user));
        }
        if let Some(algorithm) = filter.algorithm {
            rows = rows.filter(load_groups::algorithm.eq(algorithm));
        }
        if let Some(ids) = &at_stage {
            rows = rows.filter(load_groups::id.eq_any(ids));
        }
        if let Some(obeying) = filter.obeying {
            let stations = group_stations::chargestation_id.eq_any(stations::with_member_that(obeying));
            let groups = group_stations::table.filter(stations).select(group_stations::group_id);
            rows = rows.filter(load_groups::id.eq_any(groups));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(load_groups::name.nullable()).like(pattern.clone()).escape('\\').or(lower(
                    load_groups::description,
                )
                .like(pattern)
                .escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, load_groups, filtered(), {
        "name" => load_groups::name,
        "maximum_capacity" => load_groups::maximum_capacity,
    });
    let groups: Vec<Group> = rows.select(Group::as_select()).load(conn)?;
    Ok(Page { rows: views(conn, groups)?, total, request: query.page })
}

/// Of those of some ids that are of groups: the location.
pub fn locations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(GroupId, LocationId)>> {
    let ids = ids.iter().copied().map(GroupId::from);
    Ok(load_groups::table
        .filter(load_groups::id.eq_any(ids))
        .select((load_groups::id, load_groups::location_id))
        .load(conn)?)
}
