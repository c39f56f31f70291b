//! An asset: what may be said about one, and which of it fits together.

use diesel::prelude::*;

use super::reading::Measured;
use crate::filters;
use crate::http::Faults;
use crate::http::fields::{CustomFields, Mandatory, MetaData};
use crate::http::quantities::{Kilowatts, PowerFactor, Volts};
use crate::sites::locations::{Coordinates, Location};
use crate::sites::stations::CurrentType;
use crate::store::Json;
use crate::store::schema::assets;
use crate::{input, patch};
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
    /// A new asset.
    #[schema(example = json!({
        "name": "Battery in the cellar", "type": "battery", "location": "650000000000000000000001",
        "electric_current_type": "AC_three_phase", "on": false, "fluctuation_margin": 1.5,
        "custom_fields": {"cost centre": "4711"}
    }))]
    pub struct NewAsset {
        /// Display name.
        #[schema(example = "Battery in the cellar")]
        pub name: Name,
        /// Description.
        pub description: Option<Note>,
        /// A code of your own.
        pub code: Option<Code>,
        /// What it is.
        pub kind as "type": AssetType,
        /// What kind of current flows; AC_three_phase when absent.
        pub electric_current_type: Option<CurrentType>,
        /// Between what `voltage` is measured; line_to_neutral when absent.
        pub electric_voltage_type: Option<VoltageType>,
        /// Its voltage in V, for readings in A; the location's when absent.
        pub voltage: Option<Volts>,
        /// Real power by apparent power, for readings in A; 1 when absent.
        pub power_factor: Option<PowerFactor>,
        /// Where it is.
        pub location: LocationId,
        /// Where exactly it is; the location's coordinates when absent.
        pub coordinates: Option<Coordinates>,
        /// The load-management group whose power it concerns.
        pub group: Option<GroupId>,
        /// What a smart meter sees; site when absent. No other type has one.
        pub meter_scope: Option<MeterScope>,
        /// What a consumer counts with at least when its data is stale, in kW; what a producer or a battery is rated for: it counts with that
        /// and a tenth at most.
        pub static_power: Option<Kilowatts>,
        /// What is added to what it draws, and taken off what it gives, because readings are always a little old; in kW.
        pub fluctuation_margin: Option<Kilowatts>,
        /// What a smart meter counts with when its data is stale, in kW: the load without the chargers.
        pub fallback_power: Option<Kilowatts>,
        /// Whether a battery is on; false when absent. No other type has it.
        pub on: Option<bool>,
        /// Whether it counts.
        pub active: Option<bool>,
        /// Texts of your own.
        pub custom_fields: Option<CustomFields>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of an asset (JSON merge patch); a battery is turned on and off by `POST /assets/{id}/state`.
    #[schema(example = json!({"description": "In the cellar", "fluctuation_margin": 2}))]
    pub struct AssetPatch {
        /// Display name.
        pub name: Name,
        /// Description.
        pub description: Note,
        /// A code of your own.
        pub code: Code,
        /// What it is; it stays what it is once it has readings.
        pub kind as "type": AssetType,
        /// What kind of current flows.
        pub electric_current_type: CurrentType,
        /// Between what `voltage` is measured.
        pub electric_voltage_type: VoltageType,
        /// Its voltage in V, for readings in A; null means the location's.
        pub voltage: Volts,
        /// Real power by apparent power, for readings in A.
        pub power_factor: PowerFactor,
        /// Where it is.
        pub location: LocationId,
        /// Where exactly it is; null means where the location is.
        pub coordinates: Coordinates,
        /// The load-management group whose power it concerns.
        pub group: GroupId,
        /// What a smart meter sees. Once there are readings, production stays production, and the others stay others.
        pub meter_scope: MeterScope,
        /// What a consumer counts with at least when its data is stale, in kW; what a producer or a battery is rated for: it counts with that
        /// and a tenth at most.
        pub static_power: Kilowatts,
        /// What is added to what it draws, and taken off what it gives, in kW.
        pub fluctuation_margin: Kilowatts,
        /// What a smart meter counts with when its data is stale, in kW: the load without the chargers.
        pub fallback_power: Kilowatts,
        /// Whether it counts.
        pub active: bool,
        /// Texts of your own.
        pub custom_fields: CustomFields,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

input! {
    /// Whether a battery is on.
    #[schema(example = json!({"on": true}))]
    pub struct NewState {
        /// True: it gives power that may be used.
        #[schema(example = true)]
        pub on: bool,
    }
}

/// A stored asset.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = assets, treat_none_as_null = true)]
pub struct Asset {
    pub id: AssetId,
    pub organization_id: OrganizationId,
    pub location_id: LocationId,
    pub group_id: Option<GroupId>,
    pub name: String,
    pub description: Option<String>,
    pub code: Option<String>,
    #[diesel(column_name = type_)]
    pub kind: AssetType,
    pub electric_current_type: CurrentType,
    pub electric_voltage_type: VoltageType,
    pub voltage: Option<Millivolts>,
    /// Parts per million.
    pub power_factor: i64,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    /// Of smart meters, and always of them.
    pub meter_scope: Option<MeterScope>,
    pub static_power: Option<Watts>,
    pub fluctuation_margin: Watts,
    pub fallback_power: Option<Watts>,
    /// Of batteries, and always of them.
    pub switched_on: Option<bool>,
    pub active: bool,
    #[diesel(embed, skip_update)]
    pub measured: Measured,
    pub custom_fields: Json<CustomFields>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The power factor where nothing else is said.
const UNITY: i64 = 1_000_000;

impl Asset {
    /// The asset that `new` describes.
    pub fn new(new: NewAsset, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let asset = Self {
            id: moment.id(),
            organization_id,
            location_id: new.location,
            group_id: new.group,
            name: new.name.into(),
            description: new.description.map(String::from),
            code: new.code.map(String::from),
            kind: new.kind,
            electric_current_type: new.electric_current_type.unwrap_or(CurrentType::AcThreePhase),
            electric_voltage_type: new.electric_voltage_type.unwrap_or(VoltageType::LineToNeutral),
            voltage: new.voltage.map(|voltage| voltage.0),
            power_factor: new.power_factor.map_or(UNITY, |share| share.0),
            longitude: new.coordinates.map(|place| place.longitude),
            latitude: new.coordinates.map(|place| place.latitude),
            meter_scope: scope(new.kind, new.meter_scope, &mut faults),
            static_power: new.static_power.map(|power| power.0),
            fluctuation_margin: new.fluctuation_margin.map_or(Watts::ZERO, |power| power.0),
            fallback_power: new.fallback_power.map(|power| power.0),
            switched_on: match new.on {
                on if new.kind == AssetType::Battery => Some(on.unwrap_or(false)),
                Some(_) => {
                    faults.add("on", "invalid", "only a battery is on or off");
                    None
                }
                None => None,
            },
            active: new.active.unwrap_or(true),
            measured: Measured::default(),
            custom_fields: Json(new.custom_fields.unwrap_or_default()),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        };
        asset.unless(faults)
    }

    /// Applies a patch; what must not be empty refuses null.
    pub fn apply(&mut self, patch: AssetPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let produced = self.produces();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.description.map(String::from).apply(&mut self.description);
        patch.code.map(String::from).apply(&mut self.code);
        patch.kind.set(&mut self.kind, "type", &mut faults);
        patch.electric_current_type.apply_or(&mut self.electric_current_type, CurrentType::AcThreePhase);
        patch.electric_voltage_type.apply_or(&mut self.electric_voltage_type, VoltageType::LineToNeutral);
        patch.voltage.map(|voltage| voltage.0).apply(&mut self.voltage);
        patch.power_factor.map(|share| share.0).apply_or(&mut self.power_factor, UNITY);
        patch.location.set(&mut self.location_id, "location", &mut faults);
        patch.coordinates.map(|place| place.longitude).apply(&mut self.longitude);
        patch.coordinates.map(|place| place.latitude).apply(&mut self.latitude);
        patch.group.apply(&mut self.group_id);
        if self.kind != AssetType::SmartMeter && patch.meter_scope.value().is_none() {
            self.meter_scope = None; // it was one until now
        }
        patch.meter_scope.apply(&mut self.meter_scope);
        self.meter_scope = scope(self.kind, self.meter_scope, &mut faults);
        patch.static_power.map(|power| power.0).apply(&mut self.static_power);
        patch.fluctuation_margin.map(|power| power.0).apply_or(&mut self.fluctuation_margin, Watts::ZERO);
        patch.fallback_power.map(|power| power.0).apply(&mut self.fallback_power);
        self.switched_on = (self.kind == AssetType::Battery).then(|| self.switched_on.unwrap_or(false));
        patch.active.apply_or(&mut self.active, true);
        patch.custom_fields.map(Json).apply_or(&mut self.custom_fields, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        if self.produces() != produced && self.measured.latest.is_some() {
            let message = "cannot change once there are readings: the sign of power would mean something else";
            let field = if patch.kind.is_absent() { "meter_scope" } else { "type" };
            faults.add(field, "invalid", message);
        }
        self.updated_at = moment.version_after(self.updated_at);
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
    pub struct AssetFilter [has_places] {
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
    }
}
