//! The members of groups as clients see them.

use serde::Serialize;

use super::model::{Group, GroupComputed, GroupConnector, GroupStation, GroupView};
use crate::http::Versioned;
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

impl GroupView {
    /// The view of a group with its stations.
    pub(super) fn new(group: Group, chargestations: Vec<MembershipView>) -> Self {
        Self::of(group, GroupComputed { chargestations })
    }

    /// Its stations.
    pub fn stations(&self) -> impl Iterator<Item = StationId> {
        self.chargestations.iter().map(|member| member.chargestation)
    }
}
