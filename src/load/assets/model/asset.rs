//! An asset: what may be said about one, and which of it fits together.

use diesel::prelude::*;
use resource::resource;
use serde_json::Value;

use super::reading::{Measured, ReadingView, RefusedReading};
use crate::filters;
use crate::http::Faults;
use crate::http::envelope::Reference;
use crate::http::fields::{CustomFields, MetaData};
use crate::http::quantities::{Kilowatts, PowerFactor, Volts};
use crate::input;
use crate::load::groups::GroupView;
use crate::sites::locations::{Coordinates, Location, LocationView};
use crate::sites::stations::CurrentType;
use crate::store::Json;
use crate::store::schema::assets;
use kernel::text::{Code, Name, Note};
use kernel::*;

crate::spelled! {
    /// What an asset is.
    pub enum AssetType {
        /// Measures what flows at one point.
        SmartMeter = "smart_meter" | "meter",
        /// Gives power: solar panels, a generator.
        Producer = "producer",
        /// Draws power besides the chargers: a building, a heat pump.
        Consumer = "consumer",
        /// Gives power while it is on, and may draw some.
        Battery = "battery" | "storage",
        /// Anything else; what it draws counts as a consumer's.
        Other = "other",
    }
}

crate::spelled! {
    /// Between what `voltage` is measured.
    pub enum VoltageType {
        /// A phase and neutral, or the two poles of DC.
        LineToNeutral = "line_to_neutral" | "phase_to_neutral" | "L-N",
        /// Two phases; of a three-phase asset √3 times as much.
        LineToLine = "line_to_line" | "phase_to_phase" | "L-L",
    }
}

crate::spelled! {
    /// What a smart meter sees.
    pub enum MeterScope {
        /// Everything, chargers included.
        Site = "site",
        /// Everything but the chargers.
        Building = "building",
        /// What is produced.
        Production = "production",
    }
}

crate::text_column!(spelled AssetType, VoltageType, MeterScope);

input! {
    /// Whether a battery is on.
    #[schema(example = json!({"on": true}))]
    pub(crate) struct NewState {
        /// True: it gives power that may be used.
        #[schema(example = true)]
        pub on: bool,
    }
}

#[resource(
    new(
        "A new asset.",
        pub struct,
        function = begin,
        example = json!({
            "name": "Battery in the cellar", "type": "battery", "location": "650000000000000000000001",
            "electric_current_type": "AC_three_phase", "on": false, "fluctuation_margin": 1.5,
            "custom_fields": {"cost centre": "4711"}
        })
    ),
    patch(
        "Changes of an asset (JSON merge patch); a battery is turned on and off by `POST /assets/{id}/state`.",
        pub struct,
        function = merge,
        example = json!({"description": "In the cellar", "fluctuation_margin": 2})
    ),
    view("An asset as clients see it.")
)]
/// A stored asset.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = assets, treat_none_as_null = true)]
pub struct Asset {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: AssetId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name, new(example = "Battery in the cellar"))]
    pub name: String,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// What it is.
    #[field(name = "type", read, patch("What it is; it stays what it is once it has readings."))]
    #[diesel(column_name = type_)]
    pub kind: AssetType,
    /// What kind of current flows.
    #[field(
        read,
        default = CurrentType::AcThreePhase,
        new("What kind of current flows; AC_three_phase when absent.")
    )]
    pub electric_current_type: CurrentType,
    /// Between what `voltage` is measured.
    #[field(
        read,
        default = VoltageType::LineToNeutral,
        new("Between what `voltage` is measured; line_to_neutral when absent.")
    )]
    pub electric_voltage_type: VoltageType,
    /// Its voltage in V; null means the location's.
    #[field(
        read = Volts,
        shown = f64,
        new("Its voltage in V, for readings in A; the location's when absent."),
        patch("Its voltage in V, for readings in A; null means the location's.")
    )]
    pub voltage: Option<Millivolts>,
    /// Real power by apparent power.
    #[field(
        read = PowerFactor,
        default = UNITY,
        shown = f64,
        new("Real power by apparent power, for readings in A; 1 when absent."),
        patch("Real power by apparent power, for readings in A.")
    )]
    pub power_factor: i64, // parts per million
    /// Where it is.
    #[field(
        name = "location",
        read,
        shown = Value,
        show = |id| Value::String(id.to_string()),
        view(
            "Where it is: an id, or with `include_location=true` the whole location.",
            value_type = Reference<LocationId, LocationView>
        )
    )]
    pub location_id: LocationId,
    /// Where exactly it is: its own coordinates, else the location's.
    #[field(
        computed,
        read,
        new("Where exactly it is; the location's coordinates when absent."),
        patch("Where exactly it is; null means where the location is."),
        view(inline)
    )]
    pub coordinates: Coordinates,
    #[field(hidden, initial = new.coordinates.map(|place| place.longitude))]
    pub longitude: Option<f64>,
    #[field(hidden, initial = new.coordinates.map(|place| place.latitude))]
    pub latitude: Option<f64>,
    /// The load-management group whose power it concerns.
    #[field(
        name = "group",
        read,
        view(
            "The load-management group whose power it concerns: an id, or with `include_group=true` the whole group.",
            value_type = Option<Reference<GroupId, GroupView>>
        )
    )]
    pub group_id: Option<GroupId>,
    /// What a smart meter sees.
    #[field(
        read,
        new("What a smart meter sees; site when absent. No other type has one."),
        patch(
            "What a smart meter sees. Once there are readings, production stays production, and the others stay others."
        )
    )]
    pub meter_scope: Option<MeterScope>,
    /// What a consumer counts with at least when its data is stale, in kW; what a producer or a battery is rated for: it counts with that
    /// and a tenth at most.
    #[field(
        read = Kilowatts,
        shown = f64,
        view("What a consumer counts with at least when its data is stale, in kW.")
    )]
    pub static_power: Option<Watts>,
    /// What is added to what it draws, and taken off what it gives, in kW.
    #[field(
        read = Kilowatts,
        default = Watts::ZERO,
        shown = f64,
        new("What is added to what it draws, and taken off what it gives, because readings are always a little old; in kW.")
    )]
    pub fluctuation_margin: Watts,
    /// What a smart meter counts with when its data is stale, in kW: the load without the chargers.
    #[field(read = Kilowatts, shown = f64)]
    pub fallback_power: Option<Watts>,
    /// Whether a battery is on; null for all others.
    #[field(name = "on", read, fixed, new("Whether a battery is on; false when absent. No other type has it."))]
    pub switched_on: Option<bool>,
    /// Whether it counts.
    #[field(read, default = true)]
    pub active: bool,
    #[field(hidden, initial = Measured::default())]
    #[diesel(embed, skip_update)]
    pub measured: Measured,
    /// Its latest reading.
    #[field(computed)]
    pub latest_reading: Option<ReadingView>,
    /// The last reading since then that was refused because no hardware gives it; null as soon as a better one came.
    #[field(computed)]
    pub refused_reading: Option<RefusedReading>,
    /// When the latest reading was measured by our clock, or when it came if that was earlier.
    #[field(computed)]
    pub latest_at: Option<Timestamp>,
    /// How long ago that was.
    #[field(computed)]
    pub age_seconds: Option<i64>,
    /// Whether its data is too old to go by: no reading for three times the usual spacing and at least a minute.
    #[field(computed)]
    pub stale: bool,
    /// The usual spacing of its readings, as it was learnt.
    #[field(computed)]
    pub interval_seconds: Option<i64>,
    /// How far its meter's clock is ahead of ours, negative where it is behind, as its readings show; they count as measured
    /// that much earlier or later.
    #[field(computed)]
    pub clock_offset_seconds: Option<i64>,
    /// Texts of your own.
    #[field(read, default)]
    pub custom_fields: Json<CustomFields>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed; readings do not change it.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

/// The power factor where nothing else is said.
const UNITY: i64 = 1_000_000;

impl Asset {
    /// The asset that `new` describes.
    pub fn new(new: NewAsset, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut asset = Self::begin(new, organization_id, moment);
        asset.meter_scope = scope(asset.kind, asset.meter_scope, &mut faults);
        if asset.kind == AssetType::Battery {
            asset.switched_on.get_or_insert(false);
        } else if asset.switched_on.is_some() {
            faults.add("on", "invalid", "only a battery is on or off");
        }
        asset.unless(faults)
    }

    /// Applies a patch; what must not be empty refuses null.
    pub fn apply(&mut self, patch: AssetPatch, moment: &Moment) -> Result<(), Faults> {
        let produced = self.produces();
        let says_kind = !patch.kind.is_absent();
        let says_scope = patch.meter_scope.value().is_some();
        patch.coordinates.map(|place| place.longitude).apply(&mut self.longitude);
        patch.coordinates.map(|place| place.latitude).apply(&mut self.latitude);
        let mut faults = self.merge(patch, moment).err().unwrap_or_default();
        if self.kind != AssetType::SmartMeter && !says_scope {
            self.meter_scope = None; // it was one until now
        }
        self.meter_scope = scope(self.kind, self.meter_scope, &mut faults);
        self.switched_on = (self.kind == AssetType::Battery).then(|| self.switched_on.unwrap_or(false));
        if self.produces() != produced && self.measured.latest.is_some() {
            let message = "cannot change once there are readings: the sign of power would mean something else";
            faults.add(if says_kind { "type" } else { "meter_scope" }, "invalid", message);
        }
        self.clone().unless(faults).map(|_| ())
    }

    fn unless(self, faults: Faults) -> Result<Self, Faults> {
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// Turns a battery on or off; false when it was so already.
    pub fn switch(&mut self, on: bool, moment: &Moment) -> bool {
        let changes = self.switched_on != Some(on);
        if changes {
            self.switched_on = Some(on);
            self.updated_at = moment.version_after(self.updated_at);
        }
        changes
    }

    /// Whether positive power is what it gives, and not what it draws.
    pub fn produces(&self) -> bool {
        match self.kind {
            AssetType::Producer | AssetType::Battery => true,
            AssetType::SmartMeter => self.meter_scope == Some(MeterScope::Production),
            AssetType::Consumer | AssetType::Other => false,
        }
    }

    /// Where it is, when that is not where its location is.
    pub fn own_coordinates(&self) -> Option<Coordinates> {
        Some(Coordinates { longitude: self.longitude?, latitude: self.latitude? })
    }

    /// The voltage of one phase to neutral, or of DC. The location's voltage is an AC one.
    pub fn phase_voltage(&self, location: &Location) -> Option<Millivolts> {
        match (self.voltage, self.electric_current_type) {
            (Some(voltage), _) => Some(self.to_neutral(voltage)),
            (None, CurrentType::Dc) => None,
            (None, CurrentType::AcSinglePhase | CurrentType::AcThreePhase) => Some(location.voltage),
        }
    }

    /// What a voltage of the asset's voltage type drives through one phase.
    pub fn to_neutral(&self, voltage: Millivolts) -> Millivolts {
        let three = self.electric_current_type == CurrentType::AcThreePhase;
        if three && self.electric_voltage_type == VoltageType::LineToLine {
            Millivolts(voltage.get() * 1_000_000 / SQRT_3)
        } else {
            voltage
        }
    }

    /// Whether its data is stale at `now`: never a reading, or none for three times the usual spacing.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.measured.fresh_until.is_none_or(|until| now >= until)
    }
}

/// √3 in millionths.
const SQRT_3: i64 = 1_732_051;

/// The scope of a meter, and of nothing else.
fn scope(kind: AssetType, scope: Option<MeterScope>, faults: &mut Faults) -> Option<MeterScope> {
    if kind == AssetType::SmartMeter {
        return Some(scope.unwrap_or(MeterScope::Site));
    }
    if scope.is_some() {
        faults.add("meter_scope", "invalid", "only a smart meter has one");
    }
    None
}

filters! {
    /// Filters of assets.
    pub(crate) struct AssetFilter [has_places] {
        /// Only those of this type.
        #[param(inline)]
        pub kind as "type": AssetType,
        /// Only those of this group.
        pub group: GroupId,
        /// Only those at this location.
        pub location: LocationId,
        /// Only those whose data is stale, or only those whose data is fresh.
        pub stale: bool,
        /// Only those that count, or only those that do not.
        pub active: bool,
        /// Only batteries that are on, or only those that are off.
        pub on: bool,
        /// Put the whole location in place of its id.
        pub include_location: bool,
        /// Put the whole load-management group in place of its id.
        pub include_group: bool,
    }
}
