//! Networks and their groups in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::model::*;
use super::uses::Uses;
use crate::each;
use crate::events::{Change, EventKind};
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::store::query::{contains, lower};
use crate::store::schema::{evse_groups, evse_networks, network_evses};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

pub(super) fn insert(conn: &mut Conn, network: &EvseNetwork) -> ApiResult<()> {
    check_name(conn, network)?;
    diesel::insert_into(evse_networks::table).values(network).execute(conn)?;
    Ok(())
}

fn check_name(conn: &mut Conn, network: &EvseNetwork) -> ApiResult<()> {
    let taken: i64 = evse_networks::table
        .filter(evse_networks::organization_id.eq(network.organization_id))
        .filter(evse_networks::name.eq(&network.name))
        .filter(evse_networks::id.ne(network.id))
        .count()
        .get_result(conn)?;
    refuse_taken(taken, "another network of your organization has this name")
}

fn refuse_taken(taken: i64, message: &str) -> ApiResult<()> {
    if taken > 0 {
        return Err(ApiError::field("name", "already_exists", message));
    }
    Ok(())
}

/// The organization's network with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: EvseNetworkId) -> StoreResult<EvseNetwork> {
    Ok(evse_networks::table
        .filter(evse_networks::organization_id.eq(organization).and(evse_networks::id.eq(id)))
        .select(EvseNetwork::as_select())
        .first(conn)?)
}

/// The same for a reference in a body: an unknown id is a fault of that field.
pub fn require(
    conn: &mut Conn,
    organization: OrganizationId,
    id: EvseNetworkId,
    field: &str,
) -> ApiResult<EvseNetwork> {
    match find(conn, organization, id) {
        Err(StoreError::NotFound) => {
            Err(ApiError::field(field, "not_found", "there is no such EVSE network in your organization"))
        }
        other => Ok(other?),
    }
}

pub(super) fn update(conn: &mut Conn, network: &EvseNetwork) -> ApiResult<()> {
    check_name(conn, network)?;
    diesel::update(evse_networks::table.find(network.id)).set(network).execute(conn)?;
    Ok(())
}

/// Makes a network active, where it is not yet: a service offer was published for it.
pub fn activate(conn: &mut Conn, organization: OrganizationId, id: EvseNetworkId, moment: &Moment) -> StoreResult<()> {
    let mut network = find(conn, organization, id)?;
    if network.status == NetworkStatus::Active {
        return Ok(());
    }
    network.status = NetworkStatus::Active;
    network.updated_at = moment.version_after(network.updated_at);
    diesel::update(evse_networks::table.find(id)).set(&network).execute(conn)?;
    let view = view(conn, network)?;
    Change::new(conn, organization, moment).record(EventKind::EvseNetworkActivated, &view)
}

/// Deletes a network that has neither EVSEs nor offers, with its groups.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, network: &EvseNetwork) -> ApiResult<()> {
    let evses: i64 = network_evses::table.filter(network_evses::network_id.eq(network.id)).count().get_result(conn)?;
    let offers = (uses.offers)(conn, network.id)?;
    if evses + offers > 0 {
        return Err(ApiError::in_use(format!("The network still has {evses} EVSE(s) and {offers} service offer(s)")));
    }
    diesel::delete(evse_groups::table.filter(evse_groups::network_id.eq(network.id))).execute(conn)?;
    diesel::delete(evse_networks::table.find(network.id)).execute(conn)?;
    Ok(())
}

pub(super) fn insert_group(conn: &mut Conn, group: &EvseGroup) -> ApiResult<()> {
    check_group_name(conn, group)?;
    diesel::insert_into(evse_groups::table).values(group).execute(conn)?;
    Ok(())
}

fn check_group_name(conn: &mut Conn, group: &EvseGroup) -> ApiResult<()> {
    let taken: i64 = evse_groups::table
        .filter(evse_groups::network_id.eq(group.network_id))
        .filter(evse_groups::name.eq(&group.name))
        .filter(evse_groups::id.ne(group.id))
        .count()
        .get_result(conn)?;
    refuse_taken(taken, "another group of the network has this name")
}

pub(super) fn find_group(conn: &mut Conn, network: EvseNetworkId, id: EvseGroupId) -> StoreResult<EvseGroup> {
    Ok(evse_groups::table
        .filter(evse_groups::network_id.eq(network).and(evse_groups::id.eq(id)))
        .select(EvseGroup::as_select())
        .first(conn)?)
}

pub(super) fn update_group(conn: &mut Conn, group: &EvseGroup) -> ApiResult<()> {
    check_group_name(conn, group)?;
    diesel::update(evse_groups::table.find(group.id)).set(group).execute(conn)?;
    Ok(())
}

/// Deletes a group that has no EVSEs.
pub(super) fn delete_group(conn: &mut Conn, group: &EvseGroup) -> ApiResult<()> {
    let evses: i64 = network_evses::table.filter(network_evses::group_id.eq(group.id)).count().get_result(conn)?;
    if evses > 0 {
        return Err(ApiError::in_use(format!("The group still has {evses} EVSE(s)")));
    }
    diesel::delete(evse_groups::table.find(group.id)).execute(conn)?;
    Ok(())
}

/// The groups of a network, in the order in which they were made.
pub fn groups_of(conn: &mut Conn, network: EvseNetworkId) -> StoreResult<Vec<EvseGroup>> {
    Ok(evse_groups::table
        .filter(evse_groups::network_id.eq(network))
        .order(evse_groups::id)
        .select(EvseGroup::as_select())
        .load(conn)?)
}

/// The group in which an EVSE is, with its network.
pub fn group_of(conn: &mut Conn, evse: EvseId) -> StoreResult<Option<(EvseNetworkId, EvseGroupId)>> {
    let found = each!(conn, |conn| network_evses::table
        .find(evse)
        .select((network_evses::network_id, network_evses::group_id))
        .first(conn));
    Ok(found.optional()?)
}

/// The networks in whose groups these EVSEs are.
pub fn networks_of(conn: &mut Conn, evses: &[EvseId]) -> StoreResult<Vec<EvseNetworkId>> {
    Ok(network_evses::table
        .filter(network_evses::evse_id.eq_any(evses))
        .select(network_evses::network_id)
        .distinct()
        .load(conn)?)
}

/// Whether one of these EVSEs is in a group.
pub fn is_any_in(conn: &mut Conn, evses: &[EvseId]) -> StoreResult<bool> {
    let members: i64 = network_evses::table.filter(network_evses::evse_id.eq_any(evses)).count().get_result(conn)?;
    Ok(members > 0)
}

fn counts(conn: &mut Conn, groups: &[EvseGroupId]) -> StoreResult<BTreeMap<EvseGroupId, i64>> {
    let rows: Vec<(EvseGroupId, i64)> = network_evses::table
        .filter(network_evses::group_id.eq_any(groups))
        .group_by(network_evses::group_id)
        .select((network_evses::group_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

pub(super) fn group_views(conn: &mut Conn, groups: Vec<EvseGroup>) -> StoreResult<Vec<EvseGroupView>> {
    let ids: Vec<EvseGroupId> = groups.iter().map(|group| group.id).collect();
    let counts = counts(conn, &ids)?;
    let view = |group: EvseGroup| {
        let count = counts.get(&group.id).copied().unwrap_or(0);
        EvseGroupView::new(group, count)
    };
    Ok(groups.into_iter().map(view).collect())
}

pub(super) fn group_view(conn: &mut Conn, group: EvseGroup) -> StoreResult<EvseGroupView> {
    group_views(conn, vec![group])?.pop().ok_or(StoreError::NotFound)
}

pub(super) fn view(conn: &mut Conn, network: EvseNetwork) -> StoreResult<EvseNetworkView> {
    let groups = groups_of(conn, network.id)?;
    Ok(EvseNetworkView::new(network, group_views(conn, groups)?))
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<EvseNetworkFilter>,
) -> ApiResult<Page<EvseNetworkView>> {
    let filtered = || {
        let mut rows = evse_networks::table.filter(evse_networks::organization_id.eq(organization)).into_boxed();
        if let Some(status) = query.filter.status {
            rows = rows.filter(evse_networks::status.eq(status));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(evse_networks::name.nullable()).like(pattern.clone()).escape('\\').or(lower(
                    evse_networks::description,
                )
                .like(pattern)
                .escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, evse_networks, filtered(), {
        "name" => evse_networks::name,
        "status" => evse_networks::status,
    });
    let rows: Vec<EvseNetwork> = rows.select(EvseNetwork::as_select()).load(conn)?;
    let views: StoreResult<Vec<_>> = rows.into_iter().map(|row| view(conn, row)).collect();
    Ok(Page { rows: views?, total, request: query.page })
}

pub(super) fn list_groups(
    conn: &mut Conn,
    network: EvseNetworkId,
    query: &ListQuery<()>,
) -> ApiResult<Page<EvseGroupView>> {
    let filtered = || {
        let mut rows = evse_groups::table.filter(evse_groups::network_id.eq(network)).into_boxed();
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(evse_groups::name.nullable()).like(pattern.clone()).escape('\\').or(lower(
                    evse_groups::description,
                )
                .like(pattern)
                .escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, evse_groups, filtered(), {
        "name" => evse_groups::name,
    });
    let rows: Vec<EvseGroup> = rows.select(EvseGroup::as_select()).load(conn)?;
    Ok(Page { rows: group_views(conn, rows)?, total, request: query.page })
}
