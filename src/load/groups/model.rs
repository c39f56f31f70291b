//! What a group is, and what may be said about one.

use diesel::prelude::*;
use resource::resource;

use super::capacity::{CapacitySchedules, ExternalCap};
use super::exclusion::{ExclusionTimes, ExclusionWarning};
use super::membership::MembershipView;
use super::prices::EnergyPrices;
use crate::filters;
use crate::http::Faults;
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::http::quantities::{Amps, Kilowatts, Share};
use crate::input;
use crate::people::users::UserView;
use crate::sites::locations::LocationView;
use crate::store::Json;
use crate::store::schema::load_groups;
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

crate::spelled! {
    /// How far the newest plan of a tree of groups has come.
    pub enum PlanStage {
        /// Nothing was sent yet, or nothing is sent at all.
        Planned = "planned",
        /// Limits are being lowered.
        Lowering = "lowering",
        /// Into the room that is proven, limits are being raised.
        Raising = "raising",
        /// Every station confirmed its limit.
        Settled = "settled",
        /// A station cannot be steered, and what it may draw is reserved.
        Degraded = "degraded",
    }
}

#[resource(
    new("A new load-management group.", pub struct, pub, example = json!({
        "name": "Park3-E1", "description": "Airport Parking Floor 3 - East Side",
        "notes": "Supports 100kW peak power demand. Recommend a 10% buffer",
        "maximum_capacity": 100, "minimum_connector_capacity": 2.5, "buffer": 0.1, "location": "650000000000000000000001"
    })),
    patch(
        "Changes of a group (JSON merge patch).",
        function = merge,
        example = json!({"maximum_capacity": 80, "buffer": 0.15})
    ),
    view("A group as clients see it.")
)]
/// A stored group.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = load_groups, treat_none_as_null = true)]
pub struct Group {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: GroupId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name, new(example = "Park3-E1"))]
    pub name: String,
    /// What it is.
    #[field(read = Note, new(example = "Airport Parking Floor 3 - East Side"))]
    pub description: Option<String>,
    /// For your own use.
    #[field(read = Note, new(example = "Supports 100kW peak power demand. Recommend a 10% buffer"))]
    pub notes: Option<String>,
    /// What the grid supplies to the group, in kW.
    #[field(read = Kilowatts, shown = f64, new(example = 100))]
    pub maximum_capacity: Watts,
    /// The least power that keeps a session alive, in kW.
    #[field(read = Kilowatts, default = Watts::ZERO, shown = f64, new(example = 2.5))]
    pub minimum_connector_capacity: Watts,
    /// The share that is reserved.
    #[field(
        read = Share,
        default = 0,
        shown = f64,
        new("The share of `maximum_capacity` that is reserved, from 0.0 to 1.0.")
    )]
    pub buffer: i64, // parts per million
    /// Where it is.
    #[field(
        name = "location",
        read,
        view(
            "Where it is: an id, or with `include_location=true` the whole location.",
            value_type = Reference<LocationId, LocationView>
        )
    )]
    pub location_id: LocationId,
    /// The group whose limit it shares as well.
    #[field(name = "parent", read)]
    pub parent_id: Option<GroupId>,
    /// How power is shared.
    #[field(read, default = Algorithm::EqualShare, new("How power is shared; equal_share when absent."))]
    pub algorithm: Algorithm,
    /// Under `deadline`: cars that have time may be paused for those that have not.
    #[field(
        read,
        default,
        new("Under `deadline`: cars that have time may be paused for those that have not; false when absent.")
    )]
    pub allow_pause: bool,
    /// Under `deadline`: who has least time is also started first.
    #[field(
        read,
        default,
        new("Under `deadline`: departures come from a system and not from a guess, so that who has least time is also started
            first; false when absent. That of the group at the top counts.")
    )]
    pub trusted_departures: bool,
    /// The most a limit rises in ten seconds, in kW.
    #[field(
        read = Kilowatts,
        shown = f64,
        new("The most a limit rises in ten seconds, in kW; at once when absent, or 1.38 where assets are read. That of the
            group at the top counts.")
    )]
    pub raise_step: Option<Watts>,
    /// How long a car that was started keeps its place.
    #[field(
        read,
        new(
            "The minimum on-time of a car that was started; one that was stopped stays off for a third of it. 30 when absent.
            That of the group at the top counts.",
            minimum = 1,
            maximum = 1440
        ),
        patch(minimum = 1, maximum = 1440)
    )]
    pub hold_minutes: Option<i64>,
    /// Sessions are stopped whose stations do not keep their limits, when more is drawn than there is.
    #[field(
        read,
        default,
        new("When more is drawn than there is for a minute, sessions are stopped whose stations do not keep their limits; false
            when absent.")
    )]
    pub stop_when_exceeded: bool,
    /// Compute and record, but send nothing.
    #[field(read, default)]
    pub dry_run: bool,
    /// What a connector may draw when its station lost this server, in kW.
    #[field(
        read = Kilowatts,
        shown = f64,
        new(
            "What a connector may draw when its station lost this server, in kW; when absent its minimum, but never more
            than its fair part of the group.",
            example = 5
        )
    )]
    pub fallback_capacity: Option<Watts>,
    /// A limit per phase, in A.
    #[field(read = Amps, shown = f64, new("A limit per phase, in A, beside the one in kW.", example = 160))]
    pub phase_capacity: Option<Milliamps>,
    /// How far two phases may be apart, in A.
    #[field(read = Amps, shown = f64)]
    pub imbalance_limit: Option<Milliamps>,
    /// What the feeder itself bears, in kW.
    #[field(
        read = Kilowatts,
        shown = f64,
        new("What the feeder itself bears, in kW: up to this, production on the site may lift what the group draws. Without it
            production covers other load only.")
    )]
    pub feeder_rating: Option<Watts>,
    /// Other capacities at certain times.
    #[field(read, default, patch("Other capacities at certain times; each list is replaced whole."))]
    pub capacity_schedules: Json<CapacitySchedules>,
    /// The external cap that applies, or applied last.
    #[field(initial = None)]
    pub external_cap: Option<Json<ExternalCap>>,
    /// The home user, under `consumer_tou`.
    #[field(
        name = "user",
        initial = None,
        view(
            "The home user, under `consumer_tou`: an id, or with `include_user=true` the whole user.",
            value_type = Option<Reference<UserId, UserView>>
        )
    )]
    pub user_id: Option<UserId>,
    /// When its connectors do not charge; they count under `consumer_tou`.
    #[field(initial = Json::default())]
    pub exclusion_times: Json<ExclusionTimes>,
    /// What should be known of them; empty where they do not count.
    #[field(computed = Group::warnings)]
    pub warnings: Vec<ExclusionWarning>,
    /// What energy costs it; it counts under `consumer_tou`, for cars whose departure and need are known.
    #[field(initial = None)]
    pub energy_prices: Option<Json<EnergyPrices>>,
    /// The stations in it.
    #[field(computed)]
    pub chargestations: Vec<MembershipView>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

impl Group {
    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: GroupPatch, moment: &Moment) -> Result<(), Faults> {
        self.merge(patch, moment)?;
        self.check()
    }

    /// What should be known of its exclusion times, where they count.
    fn warnings(&self) -> Vec<ExclusionWarning> {
        match self.algorithm {
            Algorithm::ConsumerTou => self.exclusion_times.0.warnings(),
            _ => Vec::new(),
        }
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

input! {
    /// A connector of a station that joins a group.
    pub(crate) struct NewMember {
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
    pub(crate) struct NewMembership {
        /// The station.
        pub chargestation: StationId,
        /// Its connectors; all of them, without limits of their own, when absent.
        pub connectors: Option<Vec<NewMember>>,
    }
}

input! {
    /// New limits of a station's connectors; those that are not listed leave the group's control.
    #[schema(example = json!({"connectors": [{"id": "650000000000000000000001", "maximum_capacity": 11}]}))]
    pub(crate) struct MembershipPatch {
        /// Its connectors.
        pub connectors: Vec<NewMember>,
    }
}

filters! {
    /// Filters of groups.
    pub(crate) struct GroupFilter {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those directly below this group.
        pub parent: GroupId,
        /// Only those of this home user.
        pub user: UserId,
        /// Only those that share so.
        #[param(inline)]
        pub algorithm: Algorithm,
        /// Only those in a tree whose newest plan has come so far.
        #[param(inline)]
        pub stage: PlanStage,
        /// Only those with a station, directly in them, that does not keep its limits (false), or that does (true).
        pub obeying: bool,
        /// Put the whole location in place of its id.
        pub include_location: bool,
        /// Put the whole home user in place of its id.
        pub include_user: bool,
    }
}
