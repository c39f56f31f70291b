//! What stations, EVSEs and connectors have to know of the slices above: who still needs them, and which are in a group. These
//! slices import this one, so the server hands their functions in.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, EvseId, GroupId, LocationId, OrganizationId, ServiceOfferId, StationId, Timestamp};

/// Finds a service offer, with its name.
type OfferShowing = fn(&mut Conn, &[EvseId], Timestamp) -> StoreResult<Option<(ServiceOfferId, String)>>;

/// Finds load-management groups, as clients see them.
type Groups = fn(&mut Conn, OrganizationId, &[GroupId]) -> StoreResult<BTreeMap<GroupId, Value>>;

/// What is asked of the slices above.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// How many sessions there were at a station.
    pub sessions_at_station: fn(&mut Conn, StationId) -> StoreResult<i64>,
    /// How many sessions there were at a connector.
    pub sessions_at_connector: fn(&mut Conn, ConnectorId) -> StoreResult<i64>,
    /// Whether a session runs at a station.
    pub is_charging: fn(&mut Conn, StationId) -> StoreResult<bool>,
    /// Whether a station is in a load-management group.
    pub is_station_in_group: fn(&mut Conn, StationId) -> StoreResult<bool>,
    /// Whether a connector is in a load-management group.
    pub is_connector_in_group: fn(&mut Conn, ConnectorId) -> StoreResult<bool>,
    /// Where the load-management group of a station is, if it is in any.
    pub location_of_group: fn(&mut Conn, StationId) -> StoreResult<Option<LocationId>>,
    /// The stations of one of the organization's groups and of all groups below it.
    pub stations_in_group: fn(&mut Conn, OrganizationId, GroupId) -> StoreResult<Vec<StationId>>,
    /// Those of these load-management groups that the organization has.
    pub groups: Groups,
    /// Whether one of these EVSEs is in a group of an EVSE network.
    pub are_in_network: fn(&mut Conn, &[EvseId]) -> StoreResult<bool>,
    /// The oldest service offer, with its name, that shows one of these EVSEs to partners at an instant or later.
    pub offer_showing: OfferShowing,
    /// Deletes the log of what a station was asked.
    pub forget_actions: fn(&mut Conn, StationId) -> StoreResult<()>,
}
