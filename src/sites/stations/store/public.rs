//! Stations as drivers find them: those that are public and visible, of every organization, and those that a login shows besides.

use diesel::prelude::*;

use crate::http::geo::Bounds;
use crate::sites::locations;
use crate::sites::stations::model::connector::Connector;
use crate::sites::stations::model::evse::{CODE_SEPARATOR, Evse};
use crate::sites::stations::model::station::{OperationalStatus, Station};
use crate::store::schema::{chargestations, connectors, evses};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, EvseId, LocationId, OrganizationId, StationId};

/// Of which organizations somebody also sees stations that are not for everybody.
#[derive(Debug, Clone, Default)]
pub struct StationSight {
    /// Those that are visible, though not public.
    pub visible_of: Vec<OrganizationId>,
    /// All.
    pub all_of: Vec<OrganizationId>,
}

impl StationSight {
    /// Whether a station is seen.
    pub fn sees(&self, station: &Station) -> bool {
        let of = station.organization_id;
        station.is_for_everybody() || self.all_of.contains(&of) || station.visible && self.visible_of.contains(&of)
    }
}

/// A station as drivers find it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = chargestations)]
pub struct PublicStation {
    /// Its id.
    pub id: StationId,
    /// Display name.
    pub name: Option<String>,
    /// Whether it is connected.
    pub online: bool,
    /// Where it stands.
    pub location_id: Option<LocationId>,
    /// Its own coordinates.
    pub longitude: Option<f64>,
    /// Its own coordinates.
    pub latitude: Option<f64>,
    /// Whether anybody may charge there.
    pub public: bool,
    /// Whether all drivers see it.
    pub visible: bool,
}

/// Stations that somebody sees: within these bounds where there are any, `most` at most.
pub fn public_stations(
    conn: &mut Conn,
    sight: &StationSight,
    bounds: Option<Bounds>,
    most: i64,
) -> StoreResult<Vec<PublicStation>> {
    let for_everybody = chargestations::public.eq(true).and(chargestations::visible.eq(true));
    let visible = chargestations::visible.eq(true).and(chargestations::organization_id.eq_any(&sight.visible_of));
    let all = chargestations::organization_id.eq_any(&sight.all_of);
    let mut rows = chargestations::table
        .filter(for_everybody.or(visible).or(all))
        .filter(chargestations::active.eq(true))
        .filter(chargestations::operational_status.ne(OperationalStatus::Closed))
        .into_boxed();
    if let Some(Bounds { longitudes, latitudes }) = bounds {
        let own = chargestations::longitude
            .between(longitudes.0, longitudes.1)
            .and(chargestations::latitude.between(latitudes.0, latitudes.1));
        let there = chargestations::location_id.eq_any(locations::ids_within(longitudes, latitudes).nullable());
        rows = rows.filter(own.or(chargestations::longitude.is_null().nullable().and(there)));
    }
    let rows = rows.order(chargestations::id).limit(most).select(PublicStation::as_select());
    Ok(rows.load(conn)?)
}

/// These stations.
pub fn found_stations(conn: &mut Conn, ids: &[StationId]) -> StoreResult<Vec<PublicStation>> {
    let rows = chargestations::table.filter(chargestations::id.eq_any(ids)).select(PublicStation::as_select());
    Ok(rows.load(conn)?)
}

impl Station {
    /// Whether everybody sees it, and with every card that is accepted there may charge.
    pub fn is_for_everybody(&self) -> bool {
        self.public && self.visible
    }
}

/// The EVSEs of these stations, station by station in the order of their numbers.
pub fn evses_of_stations(conn: &mut Conn, stations: &[StationId]) -> StoreResult<Vec<Evse>> {
    Ok(evses::table
        .filter(evses::chargestation_id.eq_any(stations))
        .order((evses::chargestation_id, evses::number))
        .select(Evse::as_select())
        .load(conn)?)
}

/// The EVSE whose QR code leads to this text, whatever the organization, and the connector that the text names where it names
/// one. A code that two organizations gave before codes were unique on a server leads nowhere; an EVSE's id always does.
pub fn find_by_code(conn: &mut Conn, text: &str) -> StoreResult<Option<(Evse, Option<ConnectorId>)>> {
    if let Some(evse) = evse_of_code(conn, text)? {
        return Ok(Some((evse, None)));
    }
    let Some((code, of_connector)) = text.rsplit_once(CODE_SEPARATOR) else {
        return Ok(None);
    };
    let Some(evse) = evse_of_code(conn, code)? else {
        return Ok(None);
    };
    let own: Vec<Connector> =
        connectors::table.filter(connectors::evse_id.eq(evse.id)).select(Connector::as_select()).load(conn)?;
    let named = own.iter().find(|connector| connector.code_or_number() == of_connector);
    Ok(named.map(|connector| (evse, Some(connector.id))))
}

fn evse_of_code(conn: &mut Conn, text: &str) -> StoreResult<Option<Evse>> {
    if let Ok(id) = text.parse::<EvseId>() {
        let found = evses::table.find(id).select(Evse::as_select()).first(conn).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    for code in [text.to_owned(), text.to_uppercase()] {
        let mut found: Vec<Evse> =
            evses::table.filter(evses::code.eq(&code)).limit(2).select(Evse::as_select()).load(conn)?;
        if !found.is_empty() {
            let evse = found.pop();
            return Ok(evse.filter(|_| found.is_empty()));
        }
    }
    Ok(None)
}
