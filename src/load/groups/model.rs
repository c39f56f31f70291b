//! What a group is, and what its members are.

use diesel::prelude::*;

use super::capacity::{CapacitySchedules, ExternalCap};
use super::exclusion::ExclusionTimes;
use super::prices::EnergyPrices;
use crate::filters;
use crate::http::Faults;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::quantities::{Amps, Kilowatts, Share};
use crate::store::Json;
use crate::store::schema::{group_connectors, group_stations, load_groups};
use crate::{input, patch};
use kernel::text::{Name, Note};
use kernel::*;

crate::spelled! {
    /// How what is left after the minimums is shared.
    pub enum Algorithm {
        /// Equally (eDRV: Equal Power Distribution).
        EqualShare = "equal_share" | "Equal Power Distribution",
        /// In proportion to the members' priority.
        Priority = "priority",
        /// To whoever came first.
        FirstCome = "first_come",
        /// More to those who have less time until their departure for the energy they need.
        Deadline = "deadline",
        /// Equally, for a home charger whose user says when it does not charge (GreenFlux: Consumer-configured ToU).
        ConsumerTou = "consumer_tou" | "Consumer-configured ToU",
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
        /// Display name.
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
        /// The share of `maximum_capacity` that is reserved, from 0.0 to 1.0.
        pub buffer: Option<Share>,
        /// Where it is.
        pub location: LocationId,
        /// The group whose limit it shares as well.
        pub parent: Option<GroupId>,
        /// How power is shared; equal_share when absent.
        pub algorithm: Option<Algorithm>,
        /// Under `deadline`: cars that have time may be paused for those that have not; false when absent.
        pub allow_pause: Option<bool>,
        /// Under `deadline`: departures come from a system and not from a guess, so that who has least time is also started
        /// first; false when absent. That of the group at the top counts.
        pub trusted_departures: Option<bool>,
        /// The most a limit rises in ten seconds, in kW; at once when absent, or 1.38 where assets are read. That of the
        /// group at the top counts.
        pub raise_step: Option<Kilowatts>,
        /// The minimum on-time of a car that was started; one that was stopped stays off for a third of it. 30 when absent.
        /// That of the group at the top counts.
        #[schema(minimum = 1, maximum = 1440)]
        pub hold_minutes: Option<i64>,
        /// When more is drawn than there is for a minute, sessions are stopped whose stations do not keep their limits; false
        /// when absent.
        pub stop_when_exceeded: Option<bool>,
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
        /// Display name.
        pub name: Name,
        /// What it is.
        pub description: Note,
        /// For your own use.
        pub notes: Note,
        /// What the grid supplies to the group, in kW.
        pub maximum_capacity: Kilowatts,
        /// The least power that keeps a session alive, in kW.
        pub minimum_connector_capacity: Kilowatts,
        /// The share that is reserved.
        pub buffer: Share,
        /// Where it is.
        pub location: LocationId,
        /// The group whose limit it shares as well.
        pub parent: GroupId,
        /// How power is shared.
        pub algorithm: Algorithm,
        /// Under `deadline`: cars that have time may be paused for those that have not.
        pub allow_pause: bool,
        /// Under `deadline`: who has least time is also started first.
        pub trusted_departures: bool,
        /// The most a limit rises in ten seconds, in kW.
        pub raise_step: Kilowatts,
        /// How long a car that was started keeps its place.
        #[schema(minimum = 1, maximum = 1440)]
        pub hold_minutes: i64,
        /// Sessions are stopped whose stations do not keep their limits, when more is drawn than there is.
        pub stop_when_exceeded: bool,
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
    pub allow_pause: bool,
    pub trusted_departures: bool,
    pub raise_step: Option<Watts>,
    pub hold_minutes: Option<i64>,
    pub stop_when_exceeded: bool,
    pub capacity_schedules: Json<CapacitySchedules>,
    pub external_cap: Option<Json<ExternalCap>>,
    /// The home user, under [`Algorithm::ConsumerTou`].
    pub user_id: Option<UserId>,
    pub exclusion_times: Json<ExclusionTimes>,
    pub energy_prices: Option<Json<EnergyPrices>>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Group {
    /// The group that `new` describes.
    pub fn new(new: NewGroup, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            location_id: new.location,
            parent_id: new.parent,
            name: new.name.into(),
            description: new.description.map(String::from),
            notes: new.notes.map(String::from),
            maximum_capacity: new.maximum_capacity.0,
            minimum_connector_capacity: new.minimum_connector_capacity.map_or(Watts::ZERO, |minimum| minimum.0),
            buffer: new.buffer.map_or(0, |share| share.0),
            algorithm: new.algorithm.unwrap_or(Algorithm::EqualShare),
            allow_pause: new.allow_pause.unwrap_or(false),
            trusted_departures: new.trusted_departures.unwrap_or(false),
            raise_step: new.raise_step.map(|step| step.0),
            hold_minutes: new.hold_minutes,
            stop_when_exceeded: new.stop_when_exceeded.unwrap_or(false),
            dry_run: new.dry_run.unwrap_or(false),
            fallback_capacity: new.fallback_capacity.map(|capacity| capacity.0),
            phase_capacity: new.phase_capacity.map(|limit| limit.0),
            imbalance_limit: new.imbalance_limit.map(|limit| limit.0),
            feeder_rating: new.feeder_rating.map(|rating| rating.0),
            capacity_schedules: Json(new.capacity_schedules.unwrap_or_default()),
            external_cap: None,
            user_id: None,
            exclusion_times: Json::default(),
            energy_prices: None,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    pub(super) fn apply(&mut self, patch: GroupPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.description.map(String::from).apply(&mut self.description);
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
        patch.buffer.map(|share| share.0).apply_or(&mut self.buffer, 0);
        patch.location.set(&mut self.location_id, "location", &mut faults);
        patch.parent.apply(&mut self.parent_id);
        patch.algorithm.apply_or(&mut self.algorithm, Algorithm::EqualShare);
        patch.allow_pause.apply_or(&mut self.allow_pause, false);
        patch.trusted_departures.apply_or(&mut self.trusted_departures, false);
        patch.raise_step.map(|step| step.0).apply(&mut self.raise_step);
        patch.hold_minutes.apply(&mut self.hold_minutes);
        patch.stop_when_exceeded.apply_or(&mut self.stop_when_exceeded, false);
        patch.dry_run.apply_or(&mut self.dry_run, false);
        patch.fallback_capacity.map(|capacity| capacity.0).apply(&mut self.fallback_capacity);
        patch.phase_capacity.map(|limit| limit.0).apply(&mut self.phase_capacity);
        patch.imbalance_limit.map(|limit| limit.0).apply(&mut self.imbalance_limit);
        patch.feeder_rating.map(|rating| rating.0).apply(&mut self.feeder_rating);
        patch.capacity_schedules.map(Json).apply_or(&mut self.capacity_schedules, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { self.check() } else { Err(faults) }
    }

    /// What must be true between its fields.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.maximum_capacity <= Watts::ZERO {
            faults.add("maximum_capacity", "out_of_range", "must be more than 0");
        }
        if self.minimum_connector_capacity > self.usable() {
            faults.add(
                "minimum_connector_capacity",
                "out_of_range",
                format!("must be at most {} kW, what the buffer leaves of maximum_capacity", self.usable().kilowatts()),
            );
        }
        if self.feeder_rating.is_some_and(|rating| rating < self.maximum_capacity) {
            faults.add("feeder_rating", "out_of_range", "must be at least maximum_capacity");
        }
        if self.raise_step.is_some_and(|step| step <= Watts::ZERO) {
            faults.add("raise_step", "out_of_range", "must be more than 0");
        }
        if self.hold_minutes.is_some_and(|minutes| !(1..=1_440).contains(&minutes)) {
            faults.add("hold_minutes", "out_of_range", "must be between 1 and 1440");
        }
        if self.user_id.is_some() && !self.is_home() {
            let message = "must stay consumer_tou while the group has a home user";
            faults.add("algorithm", "invalid", message);
        }
        if let Some((field, why)) = self.capacity_schedules.0.fault() {
            faults.add(format!("capacity_schedules.{field}"), "invalid", why);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
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

filters! {
    /// Filters of groups.
    pub struct GroupFilter {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those directly below this group.
        pub parent: GroupId,
        /// Only those of this home user.
        pub user: UserId,
        /// Only those that share so.
        #[param(inline)]
        pub algorithm: Algorithm,
    }
}
