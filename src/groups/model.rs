//! What a group is, and what its members are.

use diesel::prelude::*;
use serde::Serialize;

use super::capacity::{CapacitySchedules, ExternalCap};
use crate::db::Json;
use crate::db::schema::{group_connectors, group_stations, load_groups};
use crate::filters;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::quantities::{Amps, Kilowatts, Share, shown};
use crate::http::{Faults, Versioned};
use crate::kernel::text::{Name, Note};
use crate::kernel::*;
use crate::{input, patch};

crate::spelled! {
    /// How what is left after the minimums is shared.
    pub enum Algorithm {
        /// Equally (eDRV: Equal Power Distribution).
        EqualShare = "equal_share" | "Equal Power Distribution",
        /// In proportion to the members' priority.
        Priority = "priority",
        /// To whoever came first.
        FirstCome = "first_come",
    }
}
crate::text_column!(spelled Algorithm);

input! {
    /// A new load-management group.
    #[schema(example = json!({
        "name": "Park3-E1", "description": "Airport Parking Floor 3 - East Side",
        "notes": "Supports 100kW peak power demand. Recommend a 10% buffer",
        "maximum_capacity": 100, "minimum_connector_capacity": 2.5, "buffer": 0.1, "location": "650000000000000000000001"
    }))]
    pub struct NewGroup {
        /// What people call it.
        #[schema(example = "Park3-E1")]
        pub name: Name,
        /// What it is.
        #[schema(example = "Airport Parking Floor 3 - East Side")]
        pub description: Option<Note>,
        /// For your own use.
        #[schema(example = "Supports 100kW peak power demand. Recommend a 10% buffer")]
        pub notes: Option<Note>,
        /// What the grid supplies to the group, in kW.
        #[schema(example = 100)]
        pub maximum_capacity: Kilowatts,
        /// The least power that keeps a session alive, in kW.
        #[schema(example = 2.5)]
        pub minimum_connector_capacity: Option<Kilowatts>,
        /// The share of `maximum_capacity` that is set aside, from 0.0 to 1.0.
        pub buffer: Option<Share>,
        /// Where it is.
        pub location: LocationId,
        /// The group whose limit it shares as well.
        pub parent: Option<GroupId>,
        /// How power is shared; equal_share when absent.
        pub algorithm: Option<Algorithm>,
        /// Compute and record, but send nothing.
        pub dry_run: Option<bool>,
        /// What a connector may draw when its station lost this server, in kW; when absent its minimum, but never more
        /// than its fair part of the group.
        #[schema(example = 5)]
        pub fallback_capacity: Option<Kilowatts>,
        /// A limit per phase, in A, beside the one in kW.
        #[schema(example = 160)]
        pub phase_capacity: Option<Amps>,
        /// How far two phases may be apart, in A.
        pub imbalance_limit: Option<Amps>,
        /// What the feeder itself bears, in kW: up to this, production on the site may lift what the group draws. Without it
        /// production covers other load only.
        pub feeder_rating: Option<Kilowatts>,
        /// Other capacities at certain times.
        pub capacity_schedules: Option<CapacitySchedules>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a group (JSON merge patch).
    #[schema(example = json!({"maximum_capacity": 80, "buffer": 0.15}))]
    pub struct GroupPatch {
        /// What people call it.
        pub name: Name,
        /// What it is.
        pub description: Note,
        /// For your own use.
        pub notes: Note,
        /// What the grid supplies to the group, in kW.
        pub maximum_capacity: Kilowatts,
        /// The least power that keeps a session alive, in kW.
        pub minimum_connector_capacity: Kilowatts,
        /// The share that is set aside.
        pub buffer: Share,
        /// Where it is.
        pub location: LocationId,
        /// The group whose limit it shares as well.
        pub parent: GroupId,
        /// How power is shared.
        pub algorithm: Algorithm,
        /// Compute and record, but send nothing.
        pub dry_run: bool,
        /// What a connector may draw when its station lost this server, in kW.
        pub fallback_capacity: Kilowatts,
        /// A limit per phase, in A.
        pub phase_capacity: Amps,
        /// How far two phases may be apart, in A.
        pub imbalance_limit: Amps,
        /// What the feeder itself bears, in kW.
        pub feeder_rating: Kilowatts,
        /// Other capacities at certain times; replaced as a whole.
        pub capacity_schedules: CapacitySchedules,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored group.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = load_groups, treat_none_as_null = true)]
pub struct Group {
    pub id: GroupId,
    pub organization_id: OrganizationId,
    pub location_id: LocationId,
    pub parent_id: Option<GroupId>,
    pub name: String,
    pub description: Option<String>,
    pub notes: Option<String>,
    pub maximum_capacity: Watts,
    pub minimum_connector_capacity: Watts,
    /// Parts per million of the maximum capacity.
    pub buffer: i64,
    pub algorithm: Algorithm,
    pub dry_run: bool,
    pub fallback_capacity: Option<Watts>,
    pub phase_capacity: Option<Milliamps>,
    pub imbalance_limit: Option<Milliamps>,
    pub feeder_rating: Option<Watts>,
    pub capacity_schedules: Json<CapacitySchedules>,
    pub external_cap: Option<Json<ExternalCap>>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Group {
    /// The group that `new` describes.
    pub(super) fn new(new: NewGroup, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            location_id: new.location,
            parent_id: new.parent,
            name: new.name.into(),
            description: new.description.map(String::from),
            notes: new.notes.map(String::from),
            maximum_capacity: new.maximum_capacity.0,
            minimum_connector_capacity: new
                .minimum_connector_capacity
                .map_or(Watts::ZERO, |minimum| minimum.0),
            buffer: new.buffer.map_or(0, |share| share.0),
            algorithm: new.algorithm.unwrap_or(Algorithm::EqualShare),
            dry_run: new.dry_run.unwrap_or(false),
            fallback_capacity: new.fallback_capacity.map(|capacity| capacity.0),
            phase_capacity: new.phase_capacity.map(|limit| limit.0),
            imbalance_limit: new.imbalance_limit.map(|limit| limit.0),
            feeder_rating: new.feeder_rating.map(|rating| rating.0),
            capacity_schedules: Json(new.capacity_schedules.unwrap_or_default()),
            external_cap: None,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    pub(super) fn apply(&mut self, patch: GroupPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch
            .name
            .map(String::from)
            .set(&mut self.name, "name", &mut faults);
        patch
            .description
            .map(String::from)
            .apply(&mut self.description);
        patch.notes.map(String::from).apply(&mut self.notes);
        patch.maximum_capacity.map(|capacity| capacity.0).set(
            &mut self.maximum_capacity,
            "maximum_capacity",
            &mut faults,
        );
        patch
            .minimum_connector_capacity
            .map(|least| least.0)
            .apply_or(&mut self.minimum_connector_capacity, Watts::ZERO);
        patch
            .buffer
            .map(|share| share.0)
            .apply_or(&mut self.buffer, 0);
        patch
            .location
            .set(&mut self.location_id, "location", &mut faults);
        patch.parent.apply(&mut self.parent_id);
        patch
            .algorithm
            .apply_or(&mut self.algorithm, Algorithm::EqualShare);
        patch.dry_run.apply_or(&mut self.dry_run, false);
        patch
            .fallback_capacity
            .map(|capacity| capacity.0)
            .apply(&mut self.fallback_capacity);
        patch
            .phase_capacity
            .map(|limit| limit.0)
            .apply(&mut self.phase_capacity);
        patch
            .imbalance_limit
            .map(|limit| limit.0)
            .apply(&mut self.imbalance_limit);
        patch
            .feeder_rating
            .map(|rating| rating.0)
            .apply(&mut self.feeder_rating);
        patch
            .capacity_schedules
            .map(Json)
            .apply_or(&mut self.capacity_schedules, Json::default());
        patch
            .meta_data
            .map(Json)
            .apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() {
            self.check()
        } else {
            Err(faults)
        }
    }

    /// What must hold between its fields.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.maximum_capacity <= Watts::ZERO {
            faults.add("maximum_capacity", "out_of_range", "must be more than 0");
        }
        if self.minimum_connector_capacity > self.usable() {
            faults.add(
                "minimum_connector_capacity",
                "out_of_range",
                format!(
                    "must be at most {} kW, what the buffer leaves of maximum_capacity",
                    self.usable().kilowatts()
                ),
            );
        }
        if self
            .feeder_rating
            .is_some_and(|rating| rating < self.maximum_capacity)
        {
            faults.add(
                "feeder_rating",
                "out_of_range",
                "must be at least maximum_capacity",
            );
        }
        if let Some((field, why)) = self.capacity_schedules.0.fault() {
            faults.add(format!("capacity_schedules.{field}"), "invalid", why);
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// What the buffer leaves of the maximum capacity.
    pub fn usable(&self) -> Watts {
        self.without_buffer(self.maximum_capacity)
    }

    /// What the buffer leaves of a capacity.
    pub fn without_buffer(&self, capacity: Watts) -> Watts {
        let left = i128::from(1_000_000 - self.buffer);
        Watts(i64::try_from(i128::from(capacity.get()) * left / 1_000_000).unwrap_or(0))
    }
}

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

input! {
    /// A connector of a station that joins a group.
    pub struct NewMember {
        /// The connector.
        pub id: ConnectorId,
        /// What it may draw at most, in kW; what it can do when absent.
        #[schema(example = 15)]
        pub maximum_capacity: Option<Kilowatts>,
        /// The least power that keeps a session alive here, in kW; the group's when absent.
        #[schema(example = 5)]
        pub minimum_capacity: Option<Kilowatts>,
        /// Its weight when the group shares by priority, 1 to 1000; 1 when absent.
        #[schema(minimum = 1, maximum = 1000)]
        pub priority: Option<i64>,
    }
}

input! {
    /// A station that joins a group.
    #[schema(example = json!({
        "chargestation": "650000000000000000000001",
        "connectors": [{"id": "650000000000000000000001", "maximum_capacity": 15, "minimum_capacity": 5}]
    }))]
    pub struct NewMembership {
        /// The station.
        pub chargestation: StationId,
        /// Its connectors; all of them, without limits of their own, when absent.
        pub connectors: Option<Vec<NewMember>>,
    }
}

input! {
    /// New limits of a station's connectors; those that are not listed leave the group's control.
    #[schema(example = json!({"connectors": [{"id": "650000000000000000000001", "maximum_capacity": 11}]}))]
    pub struct MembershipPatch {
        /// Its connectors.
        pub connectors: Vec<NewMember>,
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
        let mine = members
            .iter()
            .filter(|member| member.chargestation_id == station.chargestation_id);
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
    /// What people call it.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// For your own use.
    pub notes: Option<String>,
    /// What the grid supplies to the group, in kW.
    pub maximum_capacity: f64,
    /// The least power that keeps a session alive, in kW.
    pub minimum_connector_capacity: f64,
    /// The share that is set aside.
    pub buffer: f64,
    /// Where it is.
    pub location: LocationId,
    /// The group whose limit it shares as well.
    pub parent: Option<GroupId>,
    /// How power is shared.
    pub algorithm: Algorithm,
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
    /// The cap from outside that holds or held last.
    pub external_cap: Option<ExternalCap>,
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
            capacity_schedules,
            external_cap,
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
            dry_run,
            fallback_capacity: fallback_capacity.map(Watts::kilowatts),
            phase_capacity: phase_capacity.map(|limit| shown(limit.get())),
            imbalance_limit: imbalance_limit.map(|limit| shown(limit.get())),
            feeder_rating: feeder_rating.map(Watts::kilowatts),
            capacity_schedules: capacity_schedules.0,
            external_cap: external_cap.map(|cap| cap.0),
            chargestations,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl Versioned for GroupView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of groups.
    pub struct GroupFilter {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those directly below this group.
        pub parent: GroupId,
        /// Only those that share so.
        #[param(inline)]
        pub algorithm: Algorithm,
    }
}
