//! Groups and their members as clients see them.

use serde::Serialize;

use super::capacity::{CapacitySchedules, ExternalCap};
use super::exclusion::{ExclusionTimes, ExclusionWarning};
use super::model::{Algorithm, Group, GroupConnector, GroupStation};
use super::prices::EnergyPrices;
use crate::http::Versioned;
use crate::http::fields::MetaData;
use crate::http::quantities::shown;
use kernel::*;

/// A connector of a member station, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MemberView {
    /// The connector.
    pub id: ConnectorId,
    /// What it may draw at most, in kW; null means what it can do.
    pub maximum_capacity: Option<f64>,
    /// The least power that keeps a session alive here, in kW; null means the group's.
    pub minimum_capacity: Option<f64>,
    /// Its weight when the group shares by priority.
    pub priority: i64,
}

impl From<GroupConnector> for MemberView {
    fn from(member: GroupConnector) -> Self {
        Self {
            id: member.connector_id,
            maximum_capacity: member.maximum_capacity.map(Watts::kilowatts),
            minimum_capacity: member.minimum_capacity.map(Watts::kilowatts),
            priority: member.priority,
        }
    }
}

/// A station's membership, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MembershipView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: GroupStationId,
    /// The group.
    pub group: GroupId,
    /// The station.
    pub chargestation: StationId,
    /// Its connectors.
    pub connectors: Vec<MemberView>,
    /// When it joined.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When its limits last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl MembershipView {
    pub(super) fn new(station: GroupStation, members: &[GroupConnector]) -> Self {
        let mine = members.iter().filter(|member| member.chargestation_id == station.chargestation_id);
        Self {
            id: station.id,
            group: station.group_id,
            chargestation: station.chargestation_id,
            connectors: mine.cloned().map(MemberView::from).collect(),
            created_at: station.created_at,
            updated_at: station.updated_at,
        }
    }
}

impl Versioned for MembershipView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

/// A group as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: GroupId,
    /// Display name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// For your own use.
    pub notes: Option<String>,
    /// What the grid supplies to the group, in kW.
    pub maximum_capacity: f64,
    /// The least power that keeps a session alive, in kW.
    pub minimum_connector_capacity: f64,
    /// The share that is reserved.
    pub buffer: f64,
    /// Where it is.
    pub location: LocationId,
    /// The group whose limit it shares as well.
    pub parent: Option<GroupId>,
    /// How power is shared.
    pub algorithm: Algorithm,
    /// Under `deadline`: cars that have time may be paused for those that have not.
    pub allow_pause: bool,
    /// Under `deadline`: who has least time is also started first.
    pub trusted_departures: bool,
    /// The most a limit rises in ten seconds, in kW.
    pub raise_step: Option<f64>,
    /// How long a car that was started keeps its place.
    pub hold_minutes: Option<i64>,
    /// Sessions are stopped whose stations do not keep their limits, when more is drawn than there is.
    pub stop_when_exceeded: bool,
    /// Compute and record, but send nothing.
    pub dry_run: bool,
    /// What a connector may draw when its station lost this server, in kW.
    pub fallback_capacity: Option<f64>,
    /// A limit per phase, in A.
    pub phase_capacity: Option<f64>,
    /// How far two phases may be apart, in A.
    pub imbalance_limit: Option<f64>,
    /// What the feeder itself bears, in kW.
    pub feeder_rating: Option<f64>,
    /// Other capacities at certain times.
    pub capacity_schedules: CapacitySchedules,
    /// The external cap that applies, or applied last.
    pub external_cap: Option<ExternalCap>,
    /// The home user, under `consumer_tou`.
    pub user: Option<UserId>,
    /// When its connectors do not charge; they count under `consumer_tou`.
    pub exclusion_times: ExclusionTimes,
    /// What should be known of them; empty where they do not count.
    pub warnings: Vec<ExclusionWarning>,
    /// What energy costs it; it counts under `consumer_tou`, for cars whose departure and need are known.
    pub energy_prices: Option<EnergyPrices>,
    /// The stations in it.
    pub chargestations: Vec<MembershipView>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl GroupView {
    pub(super) fn new(group: Group, chargestations: Vec<MembershipView>) -> Self {
        let Group {
            id,
            organization_id: _,
            location_id,
            parent_id,
            name,
            description,
            notes,
            maximum_capacity,
            minimum_connector_capacity,
            buffer,
            algorithm,
            dry_run,
            fallback_capacity,
            phase_capacity,
            imbalance_limit,
            feeder_rating,
            allow_pause,
            trusted_departures,
            raise_step,
            hold_minutes,
            stop_when_exceeded,
            capacity_schedules,
            external_cap,
            user_id,
            exclusion_times,
            energy_prices,
            meta_data,
            created_at,
            updated_at,
        } = group;
        Self {
            id,
            name,
            description,
            notes,
            maximum_capacity: maximum_capacity.kilowatts(),
            minimum_connector_capacity: minimum_connector_capacity.kilowatts(),
            buffer: shown(buffer) / 1000.0,
            location: location_id,
            parent: parent_id,
            algorithm,
            allow_pause,
            trusted_departures,
            raise_step: raise_step.map(Watts::kilowatts),
            hold_minutes,
            stop_when_exceeded,
            dry_run,
            fallback_capacity: fallback_capacity.map(Watts::kilowatts),
            phase_capacity: phase_capacity.map(|limit| shown(limit.get())),
            imbalance_limit: imbalance_limit.map(|limit| shown(limit.get())),
            feeder_rating: feeder_rating.map(Watts::kilowatts),
            capacity_schedules: capacity_schedules.0,
            external_cap: external_cap.map(|cap| cap.0),
            user: user_id,
            warnings: match algorithm {
                Algorithm::ConsumerTou => exclusion_times.0.warnings(),
                _ => Vec::new(),
            },
            exclusion_times: exclusion_times.0,
            energy_prices: energy_prices.map(|prices| prices.0),
            chargestations,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl GroupView {
    /// Its stations.
    pub fn stations(&self) -> impl Iterator<Item = StationId> {
        self.chargestations.iter().map(|member| member.chargestation)
    }
}

impl Versioned for GroupView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}
