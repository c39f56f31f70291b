//! Actions in the database.

use diesel::prelude::*;

use super::model::Action;
use super::model::ActionFilter;
use crate::events::ActionKind;
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::sites::stations;
use crate::store::schema::actions;
use crate::store::{Conn, StoreResult};
use kernel::spelled::Spelled;
use kernel::{ActionId, OrganizationId, Page, RawId, StationId};

pub(super) fn insert(conn: &mut Conn, action: &Action) -> StoreResult<()> {
    diesel::insert_into(actions::table).values(action).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, action: &Action) -> StoreResult<()> {
    diesel::update(actions::table.find(action.id)).set(action).execute(conn)?;
    Ok(())
}

/// Deletes the log of what a station was asked.
pub fn forget_station(conn: &mut Conn, station: StationId) -> StoreResult<()> {
    diesel::delete(actions::table.filter(actions::chargestation_id.eq(station))).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: ActionId) -> StoreResult<Action> {
    Ok(actions::table
        .filter(actions::organization_id.eq(organization).and(actions::id.eq(id)))
        .select(Action::as_select())
        .first(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<ActionFilter>,
) -> ApiResult<Page<Action>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = actions::table.filter(actions::organization_id.eq(organization)).into_boxed();
        if let Some(within) = query.reach.locations() {
            rows = rows.filter(actions::chargestation_id.eq_any(stations::ids_at_any(within.to_vec())));
        }
        if let Some(station) = filter.chargestation {
            rows = rows.filter(actions::chargestation_id.eq(station));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(actions::status.eq(status));
        }
        if let Some(kind) = &filter.kind {
            rows = rows.filter(actions::type_.eq(kind));
        }
        if let Some(text) = &query.search {
            let text = text.to_lowercase();
            let kinds = ActionKind::ALL.iter().copied();
            let named: Vec<_> = kinds.filter(|kind| kind.as_str().contains(&text)).collect();
            rows = rows.filter(actions::type_.eq_any(named));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, actions, filtered(), {
        "type" => actions::type_,
        "status" => actions::status,
    });
    Ok(Page { rows: rows.select(Action::as_select()).load(conn)?, total, request: query.page })
}

/// Of those of some ids that are of actions: the station.
pub fn stations_of(conn: &mut Conn, ids: &[RawId]) -> StoreResult<Vec<(RawId, StationId)>> {
    let ids = ids.iter().copied().map(ActionId::from);
    let found: Vec<(ActionId, StationId)> =
        actions::table.filter(actions::id.eq_any(ids)).select((actions::id, actions::chargestation_id)).load(conn)?;
    Ok(found.into_iter().map(|(id, station)| (id.raw(), station)).collect())
}
