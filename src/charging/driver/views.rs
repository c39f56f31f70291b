//! What drivers see of stations, EVSEs and their own session.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prices::DriverRate;
use crate::charging::sessions::{ChargingState, Session, SessionStatus};
use crate::http::address::Address;
use crate::http::money::Amount;
use crate::people::organizations::PublicOrganization;
use crate::sites::locations::{Coordinates, Location};
use crate::sites::stations::{ConnectorType, ConnectorView, DetailedStatus, Evse, PowerType};
use kernel::*;

/// Where a charger is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverPlace {
    /// What the location is called, by its operator where it has no name.
    name: String,
    /// Who runs it.
    #[serde(rename = "operatorName")]
    operator_name: String,
    /// Postal address.
    #[schema(inline)]
    address: Address,
    /// How drivers find it on site.
    directions: Option<String>,
}

impl From<&Location> for DriverPlace {
    fn from(location: &Location) -> Self {
        Self {
            name: location.name.clone().unwrap_or_else(|| location.operator_name.clone()),
            operator_name: location.operator_name.clone(),
            address: location.address.0.clone(),
            directions: location.directions.clone(),
        }
    }
}

/// A connector as drivers see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverConnector {
    /// Its id.
    #[serde(rename = "_id")]
    id: ConnectorId,
    /// Its number at the station.
    number: i32,
    /// What drivers call it.
    name: Option<String>,
    /// What the page of its EVSE is called: `/e/<code>`.
    #[schema(example = "K3M9X7PA")]
    pub code: String,
    /// How it is doing; how it was, where the station is offline.
    #[schema(inline)]
    status: DetailedStatus,
    /// The shape of the plug.
    #[serde(rename = "type")]
    #[schema(inline)]
    kind: ConnectorType,
    /// What kind of power it gives.
    #[schema(inline)]
    power_type: PowerType,
    /// In kW.
    power: f64,
}

impl DriverConnector {
    /// The connectors of an EVSE.
    pub(super) fn of_evse(evse: &Evse, all: &[ConnectorView]) -> Vec<Self> {
        let own: Vec<_> = all.iter().filter(|connector| connector.evse == evse.id && connector.active).collect();
        let seen = |connector: &&ConnectorView| {
            let named = connector.code.clone().unwrap_or_else(|| connector.number.to_string());
            Self {
                id: connector.id,
                number: connector.number,
                name: connector.name.clone(),
                code: evse.code_at(&named, own.len()),
                status: connector.detailed_status,
                kind: connector.kind,
                power_type: connector.power_type,
                power: connector.power,
            }
        };
        own.iter().map(seen).collect()
    }

    pub(super) fn id(&self) -> ConnectorId {
        self.id
    }

    /// Whether a car waits there for its driver.
    pub(super) fn is_plugged_in(&self) -> bool {
        self.status == DetailedStatus::Preparing
    }
}

/// A station as drivers see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverStation {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: StationId,
    /// Display name.
    pub name: Option<String>,
    /// Whether it is connected.
    pub online: bool,
    /// Whether anybody may charge there; else those whom its operator knows.
    pub public: bool,
    /// Whether all drivers see it; else those of its operator's private group.
    pub visible: bool,
    /// Where it is.
    pub location: Option<DriverPlace>,
    /// Degrees.
    #[schema(inline)]
    pub coordinates: Option<Coordinates>,
    /// How far it is from `near`, in km.
    pub distance_km: Option<f64>,
    /// Its connectors.
    pub connectors: Vec<DriverConnector>,
}

/// An EVSE as the driver sees it who stands before it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverEvse {
    /// Its code.
    #[schema(example = "K3M9X7PA")]
    pub code: String,
    /// What drivers call it: by its station, where it has no name.
    pub name: Option<String>,
    /// How it is doing; how it was, where the station is offline.
    #[schema(inline)]
    pub status: DetailedStatus,
    /// Whether its station is connected.
    pub online: bool,
    /// Whether anybody may charge there; else those whom its operator knows.
    pub public: bool,
    /// Whether all drivers see it; else those of its operator's private group.
    pub visible: bool,
    /// Whose it is: its name, its logo, and whom to call when it does not charge.
    pub organization: PublicOrganization,
    /// Where it is.
    pub location: Option<DriverPlace>,
    /// Its connectors; the one alone that the code names, where it names one.
    pub connectors: Vec<DriverConnector>,
    /// What charging costs for who starts now; null where nothing prices it.
    pub rate: Option<DriverRate>,
}

/// What a session costs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverCost {
    /// With tax, in the currency's major unit.
    amount: Amount,
    /// In what.
    currency: Currency,
}

impl DriverCost {
    /// That of a session; none where nothing prices it.
    pub(super) fn of(session: &Session) -> Option<Self> {
        let cost = session.cost.as_ref()?;
        Some(Self { amount: cost.0.amount, currency: cost.0.currency })
    }
}

/// The own session as a driver sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DriverSession {
    /// Its id.
    #[serde(rename = "_id")]
    id: SessionId,
    /// created, started, ended or cancelled.
    #[schema(inline)]
    status: SessionStatus,
    /// Where.
    connector: Option<ConnectorId>,
    /// When it began to charge.
    #[serde(rename = "chargingStart")]
    charging_start: Option<Timestamp>,
    /// When it stopped.
    #[serde(rename = "chargingStop")]
    charging_stop: Option<Timestamp>,
    /// Wh delivered.
    #[serde(rename = "energyConsumed")]
    energy_consumed: i64,
    /// What the car is doing.
    #[serde(rename = "chargingState")]
    #[schema(value_type = Option<String>)]
    charging_state: Option<ChargingState>,
    /// What it costs, so far or in the end; null where nothing prices it.
    cost: Option<DriverCost>,
}

impl From<Session> for DriverSession {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            status: session.status,
            connector: session.connector_id,
            charging_start: session.started_at,
            charging_stop: session.ended_at,
            energy_consumed: session.energy.get(),
            charging_state: session.charging_state,
            cost: DriverCost::of(&session),
        }
    }
}

/// By station.
pub(super) fn by_station(evses: &[Evse], connectors: &[ConnectorView]) -> BTreeMap<StationId, Vec<DriverConnector>> {
    let mut all: BTreeMap<StationId, Vec<ConnectorView>> = BTreeMap::new();
    for connector in connectors {
        all.entry(connector.chargestation).or_default().push(connector.clone());
    }
    let mut seen: BTreeMap<StationId, Vec<DriverConnector>> = BTreeMap::new();
    for evse in evses {
        let station = evse.chargestation_id;
        let own = all.get(&station).map(Vec::as_slice).unwrap_or_default();
        seen.entry(station).or_default().extend(DriverConnector::of_evse(evse, own));
    }
    seen
}
