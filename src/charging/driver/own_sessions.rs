//! The sessions of a driver who is logged in, as they are listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::views::{DriverCost, DriverPlace, by_station};
use crate::charging::sessions::{Session, SessionStatus};
use crate::people::organizations;
use crate::sites::locations;
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// A session of the driver.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DriverOwnSession)]
pub(super) struct OwnSession {
    /// Its id.
    #[serde(rename = "_id")]
    id: SessionId,
    /// created, started, ended or cancelled.
    #[schema(inline)]
    status: SessionStatus,
    /// The code of the charger, where its connector is in use; it opens the session at `/v1.1/driver/evses/{code}/sessions/{id}`.
    #[schema(example = "K3M9X7PA")]
    code: Option<String>,
    /// What the station is called.
    name: Option<String>,
    /// Where the station is.
    location: Option<DriverPlace>,
    /// Whose it is.
    #[schema(example = "Harbour Charging")]
    organization: String,
    /// When it began to charge.
    #[serde(rename = "chargingStart")]
    charging_start: Option<Timestamp>,
    /// When it stopped.
    #[serde(rename = "chargingStop")]
    charging_stop: Option<Timestamp>,
    /// Wh delivered.
    #[serde(rename = "energyConsumed")]
    energy_consumed: i64,
    /// What it costs, so far or in the end; null where nothing prices it.
    cost: Option<DriverCost>,
}

/// A station where sessions were.
struct Place {
    name: Option<String>,
    location: Option<DriverPlace>,
    codes: BTreeMap<ConnectorId, String>,
}

/// Where some sessions were.
pub(super) struct Places {
    stations: BTreeMap<StationId, Place>,
    organizations: BTreeMap<OrganizationId, String>,
}

impl Places {
    /// Where these sessions were, asked for all of them together.
    pub(super) fn of(conn: &mut Conn, sessions: &[Session]) -> StoreResult<Self> {
        let mut ids: Vec<StationId> = sessions.iter().map(|session| session.chargestation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = stations::found_stations(conn, &ids)?;
        let at: Vec<LocationId> = rows.iter().filter_map(|row| row.location_id).collect();
        let locations = locations::find_many(conn, &at)?;
        let evses = stations::evses_of_stations(conn, &ids)?;
        let mut connectors = by_station(&evses, &stations::views_of_stations(conn, &ids)?);
        let place = |row: stations::PublicStation| {
            let connectors = connectors.remove(&row.id).unwrap_or_default();
            let location = row.location_id.and_then(|id| locations.get(&id)).map(DriverPlace::from);
            let codes = connectors.into_iter().map(|one| (one.id(), one.code)).collect();
            (row.id, Place { name: row.name, location, codes })
        };
        let stations = rows.into_iter().map(place).collect();
        let mut organizations = BTreeMap::new();
        let of: BTreeSet<OrganizationId> = sessions.iter().map(|session| session.organization_id).collect();
        for id in of {
            organizations.insert(id, organizations::find_organization(conn, id)?.name);
        }
        Ok(Self { stations, organizations })
    }

    /// One of them as the driver sees it.
    pub(super) fn view(&self, session: Session) -> OwnSession {
        let place = self.stations.get(&session.chargestation_id);
        let code = place.zip(session.connector_id).and_then(|(place, connector)| place.codes.get(&connector));
        OwnSession {
            id: session.id,
            status: session.status,
            code: code.cloned(),
            name: place.and_then(|place| place.name.clone()),
            location: place.and_then(|place| place.location.clone()),
            organization: self.organizations.get(&session.organization_id).cloned().unwrap_or_default(),
            charging_start: session.started_at,
            charging_stop: session.ended_at,
            energy_consumed: session.energy.get(),
            cost: DriverCost::of(&session),
        }
    }
}
