//! EVSEs in the database.

use diesel::prelude::*;

use crate::db::query::{contains, lower};
use crate::db::schema::{connectors, evses, network_evses};
use crate::db::{Conn, StoreResult};
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::kernel::{EvseId, Moment, OrganizationId, Page, StationId};
use crate::stations::model::connector::CurrentType;
use crate::stations::model::evse::{Evse, EvseFilter, NewEvse};
use crate::stations::model::number::first_free;
use crate::stations::model::station::Station;

pub fn insert(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    let taken: i64 = evses::table
        .filter(
            evses::chargestation_id
                .eq(evse.chargestation_id)
                .and(evses::number.eq(evse.number)),
        )
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(ApiError::field(
            "number",
            "already_exists",
            "the station already has an EVSE of this number",
        ));
    }
    let taken: i64 = evses::table
        .filter(
            evses::organization_id
                .eq(evse.organization_id)
                .and(evses::code.eq(&evse.code)),
        )
        .filter(evses::id.ne(evse.id))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(ApiError::field(
            "code",
            "already_exists",
            "another EVSE of your organization has this code",
        ));
    }
    diesel::insert_into(evses::table)
        .values(evse)
        .execute(conn)?;
    Ok(())
}

/// The EVSE of this number at a station, which is made where there is none.
pub fn find_or_insert(
    conn: &mut Conn,
    station: &Station,
    number: i32,
    electric_current_type: CurrentType,
    moment: &Moment,
) -> ApiResult<EvseId> {
    let numbers = numbers(conn, &[station.id])?;
    if let Some((id, _)) = numbers.iter().find(|(_, taken)| *taken == number) {
        return Ok(*id);
    }
    let template = NewEvse {
        electric_current_type: Some(electric_current_type),
        ..NewEvse::default()
    };
    let owner = (station.organization_id, station.id);
    let evse = Evse::new(template, owner, number, moment);
    insert(conn, &evse)?;
    Ok(evse.id)
}

pub fn find(conn: &mut Conn, organization: OrganizationId, id: EvseId) -> StoreResult<Evse> {
    Ok(evses::table
        .filter(
            evses::organization_id
                .eq(organization)
                .and(evses::id.eq(id)),
        )
        .select(Evse::as_select())
        .first(conn)?)
}

/// The next free number of an EVSE of this station.
pub fn next_number(conn: &mut Conn, station: StationId) -> StoreResult<i32> {
    let taken = evses::table
        .filter(evses::chargestation_id.eq(station))
        .select(evses::number)
        .load(conn)?;
    Ok(first_free(taken))
}

/// The number of each EVSE of these stations.
pub fn numbers(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<(EvseId, i32)>> {
    Ok(evses::table
        .filter(evses::chargestation_id.eq_any(stations))
        .select((evses::id, evses::number))
        .load(conn)?)
}

pub fn update(conn: &mut Conn, evse: &Evse) -> StoreResult<()> {
    diesel::update(evses::table.find(evse.id))
        .set(evse)
        .execute(conn)?;
    Ok(())
}

/// Deletes an EVSE, unless it still has connectors.
pub fn delete(conn: &mut Conn, evse: &Evse) -> ApiResult<()> {
    let connectors: i64 = connectors::table
        .filter(connectors::evse_id.eq(evse.id))
        .count()
        .get_result(conn)?;
    if connectors > 0 {
        return Err(ApiError::in_use(format!(
            "The EVSE still has {connectors} connector(s)"
        )));
    }
    if in_networks(conn, &[evse.id])? > 0 {
        return Err(ApiError::in_use(
            "The EVSE is in a group of an EVSE network",
        ));
    }
    diesel::delete(evses::table.find(evse.id)).execute(conn)?;
    Ok(())
}

/// How many of these EVSEs are in groups of EVSE networks.
pub fn in_networks(conn: &mut Conn, evses: &[EvseId]) -> StoreResult<i64> {
    Ok(network_evses::table
        .filter(network_evses::evse_id.eq_any(evses))
        .count()
        .get_result(conn)?)
}

pub fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<EvseFilter>,
) -> ApiResult<Page<Evse>> {
    let filtered = || {
        let mut rows = evses::table
            .filter(evses::organization_id.eq(organization))
            .into_boxed();
        if let Some(station) = query.filter.chargestation {
            rows = rows.filter(evses::chargestation_id.eq(station));
        }
        if let Some(reservable) = query.filter.reservable {
            rows = rows.filter(evses::reservable.eq(reservable));
        }
        if let Some(roaming) = query.filter.roaming {
            rows = rows.filter(evses::roaming.eq(roaming));
        }
        if let Some(kind) = query.filter.electric_current_type {
            rows = rows.filter(evses::electric_current_type.eq(kind));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(evses::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(evses::code.nullable())
                        .like(pattern.clone())
                        .escape('\\'))
                    .or(lower(evses::evse_id).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, evses, filtered(), {
        "name" => evses::name,
        "code" => evses::code,
        "number" => evses::number,
    });
    Ok(Page {
        rows: rows.select(Evse::as_select()).load(conn)?,
        total,
        request: query.page,
    })
}
