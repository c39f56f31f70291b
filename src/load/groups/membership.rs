//! The stations of a group and their connectors: as they are stored, and as clients see them.

use diesel::prelude::*;
use serde::Serialize;

use crate::http::Versioned;
use crate::store::schema::{group_connectors, group_stations};
use kernel::*;

/// That a station is in a group.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = group_stations)]
pub struct GroupStation {
    pub id: GroupStationId,
    pub organization_id: OrganizationId,
    pub group_id: GroupId,
    pub chargestation_id: StationId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A member: a connector with what it may and must have.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = group_connectors, primary_key(connector_id), treat_none_as_null = true)]
pub struct GroupConnector {
    pub connector_id: ConnectorId,
    pub group_id: GroupId,
    pub chargestation_id: StationId,
    pub maximum_capacity: Option<Watts>,
    pub minimum_capacity: Option<Watts>,
    pub priority: i64,
}

impl GroupConnector {
    /// A member without limits of its own.
    pub(super) const fn plain(membership: &GroupStation, connector_id: ConnectorId) -> Self {
        Self {
            connector_id,
            group_id: membership.group_id,
            chargestation_id: membership.chargestation_id,
            maximum_capacity: None,
            minimum_capacity: None,
            priority: 1,
        }
    }
}

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
