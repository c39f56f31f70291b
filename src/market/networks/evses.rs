//! The lists of EVSEs that people choose from: those in no group, those in a network's groups, and both together.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;

use crate::fetch_page;
use crate::filters;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::sites::locations;
use crate::sites::stations::{self, CurrentType, Evse, PowerType};
use crate::store::query::{contains, lower};
use crate::store::schema::{evse_groups, evses, network_evses};
use crate::store::{Conn, StoreResult};
use kernel::*;

filters! {
    /// Filters of the EVSEs of networks.
    pub struct NetworkEvseFilter {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those with this kind of power.
        #[param(inline)]
        pub power_type: PowerType,
        /// Only those that give at least this many kW.
        #[param(minimum = 0.0)]
        pub minimum_output: f64,
        /// Only those that give at most this many kW.
        #[param(minimum = 0.0)]
        pub maximum_output: f64,
        /// Only those in this group.
        pub group: EvseGroupId,
    }
}

/// Which EVSEs a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those with an `evse_id` that are in no group.
    Unassigned,
    /// Those in this network's groups.
    Assigned(EvseNetworkId),
    /// Both: everything that an offer for this network prices.
    Priced(EvseNetworkId),
}

/// An EVSE with what helps to choose it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct NetworkEvseView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvseId,
    /// Its id for roaming.
    pub evse_id: Option<String>,
    /// What drivers call it.
    pub name: Option<String>,
    /// Its station.
    pub chargestation: StationId,
    /// Where it stands.
    pub location: Option<LocationId>,
    /// What the location is called.
    pub location_name: Option<String>,
    /// Whether roaming partners may use it; if not, exports leave it out.
    pub roaming: bool,
    /// What kind of power it gives.
    pub power_type: PowerType,
    /// What it gives at most, in kW.
    pub output: f64,
    /// The group in which it is.
    pub group: Option<EvseGroupId>,
    /// What the group is called.
    pub group_name: Option<String>,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// The time zone of its location.
    #[serde(skip)]
    pub zone: TimeZone,
}

/// A page of EVSEs.
pub fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    scope: Scope,
    query: &ListQuery<NetworkEvseFilter>,
) -> ApiResult<Page<NetworkEvseView>> {
    let filter = &query.filter;
    let watts = |kilowatts: Option<f64>| kilowatts.and_then(Watts::from_kilowatts);
    let filtered = || {
        let mut rows = evses::table.filter(evses::organization_id.eq(organization)).into_boxed();
        let grouped = || network_evses::table.select(network_evses::evse_id);
        let here = |network: EvseNetworkId| grouped().filter(network_evses::network_id.eq(network));
        rows = match scope {
            Scope::Unassigned => {
                rows.filter(evses::evse_id.is_not_null()).filter(diesel::dsl::not(evses::id.eq_any(grouped())))
            }
            Scope::Assigned(network) => rows.filter(evses::id.eq_any(here(network))),
            Scope::Priced(network) => rows.filter(
                evses::id
                    .eq_any(here(network))
                    .or(evses::evse_id.is_not_null().and(diesel::dsl::not(evses::id.eq_any(grouped())))),
            ),
        };
        if let Some(location) = filter.location {
            rows = rows.filter(evses::chargestation_id.eq_any(stations::ids_at(location)));
        }
        if let Some(power_type) = filter.power_type {
            rows = rows.filter(evses::id.eq_any(stations::evses_of_power_type(power_type)));
        }
        if let Some(least) = watts(filter.minimum_output) {
            rows = rows.filter(evses::id.eq_any(stations::evses_giving(least)));
        }
        if let Some(most) = watts(filter.maximum_output) {
            rows = rows.filter(diesel::dsl::not(evses::id.eq_any(stations::evses_giving_more(most))));
        }
        if let Some(group) = filter.group {
            let such = grouped().filter(network_evses::group_id.eq(group));
            rows = rows.filter(evses::id.eq_any(such));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(evses::evse_id)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(evses::name).like(pattern.clone()).escape('\\'))
                    .or(lower(evses::code.nullable()).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, evses, filtered(), {
        "evse_id" => evses::evse_id,
        "name" => evses::name,
    });
    let rows: Vec<Evse> = rows.select(Evse::as_select()).load(conn)?;
    Ok(Page { rows: views(conn, rows)?, total, request: query.page })
}

/// The EVSEs of the organization that could be in a group and are in none: those with an `evse_id`.
pub fn unassigned(conn: &mut Conn, organization: OrganizationId) -> StoreResult<Vec<(EvseId, String)>> {
    let assigned = network_evses::table.select(network_evses::evse_id);
    let rows: Vec<(EvseId, Option<String>)> = evses::table
        .filter(evses::organization_id.eq(organization))
        .filter(evses::evse_id.is_not_null())
        .filter(diesel::dsl::not(evses::id.eq_any(assigned)))
        .order(evses::evse_id)
        .select((evses::id, evses::evse_id))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, contract)| Some((id, contract?))).collect())
}

/// The views of these EVSEs: one query for each kind of thing beside them.
fn views(conn: &mut Conn, rows: Vec<Evse>) -> StoreResult<Vec<NetworkEvseView>> {
    let ids: Vec<EvseId> = rows.iter().map(|evse| evse.id).collect();
    let at_stations: Vec<StationId> = rows.iter().map(|evse| evse.chargestation_id).collect();
    let strongest = stations::strongest_outlets(conn, &ids)?;
    let station_state = stations::locations_of(conn, &at_stations)?;
    let at: Vec<LocationId> = station_state.values().filter_map(|location| *location).collect();
    let places = locations::names_and_zones(conn, &at)?;
    let members: Vec<(EvseId, EvseGroupId)> = network_evses::table
        .filter(network_evses::evse_id.eq_any(&ids))
        .select((network_evses::evse_id, network_evses::group_id))
        .load(conn)?;
    let members: BTreeMap<EvseId, EvseGroupId> = members.into_iter().collect();
    let groups: Vec<EvseGroupId> = members.values().copied().collect();
    let names: Vec<(EvseGroupId, String)> = evse_groups::table
        .filter(evse_groups::id.eq_any(&groups))
        .select((evse_groups::id, evse_groups::name))
        .load(conn)?;
    let names: BTreeMap<EvseGroupId, String> = names.into_iter().collect();
    let view = |evse: Evse| {
        let outlet = strongest.get(&evse.id);
        let location = station_state.get(&evse.chargestation_id).copied().flatten();
        let place = location.and_then(|location| places.get(&location));
        let group = members.get(&evse.id).copied();
        NetworkEvseView {
            id: evse.id,
            evse_id: evse.evse_id,
            name: evse.name,
            chargestation: evse.chargestation_id,
            location,
            location_name: place.map(|(name, _)| name.clone()),
            roaming: evse.roaming,
            power_type: outlet.map_or_else(|| evse.electric_current_type.into(), |(power_type, _)| *power_type),
            output: outlet.map_or(0.0, |(_, power)| power.kilowatts()),
            group,
            group_name: group.and_then(|group| names.get(&group).cloned()),
            created_at: evse.created_at,
            updated_at: evse.updated_at,
            zone: place.map(|(_, zone)| *zone).unwrap_or_default(),
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

impl From<CurrentType> for PowerType {
    fn from(current: CurrentType) -> Self {
        match current {
            CurrentType::AcSinglePhase => Self::AcSinglePhase,
            CurrentType::AcThreePhase => Self::AcThreePhase,
            CurrentType::Dc => Self::Dc,
        }
    }
}
