//! A connector: cable or socket, with what it can carry and how it is doing.

use diesel::prelude::*;
use serde::Serialize;

use super::condition::{Condition, DetailedStatus, StationState};
use super::number::Number;
use super::origin::CreatedBy;
use super::station::OperationalStatus;
use crate::http::fields::{CustomFields, Field, Mandatory, MetaData, Path, wrong};
use crate::http::quantities::{PowerFactor, RatedAmps, RatedKilowatts, Volts, WholeWatts, shown};
use crate::http::{Faults, Versioned};
use crate::sites::rates::AnyRateView;
use crate::store::Json;
use crate::store::schema::connectors;
use crate::{input, json_schema, patch};
use kernel::text::{Code, Name, Note};
use kernel::*;

crate::spelled! {
    /// How a connector is doing, in OCPP 1.6's words.
    pub enum ConnectorStatus {
        /// Free for a new driver.
        Available = "Available",
        /// Taken, no session yet (OCPP 2: Occupied).
        Preparing = "Preparing" | "Occupied",
        /// Charging.
        Charging = "Charging",
        /// The station offers no energy.
        SuspendedEvse = "SuspendedEVSE",
        /// The car takes no energy.
        SuspendedEv = "SuspendedEV",
        /// Done, but not free yet.
        Finishing = "Finishing",
        /// Reserved.
        Reserved = "Reserved",
        /// Not to be used.
        Unavailable = "Unavailable",
        /// Broken.
        Faulted = "Faulted",
    }
}

crate::spelled! {
    /// The shape of the plug.
    pub enum ConnectorType {
        /// SAE J1772, type 1.
        J1772 = "J1772" | "Type1" | "c_type_1",
        /// IEC 62196 type 2.
        Type2 = "Type2" | "c_type_2",
        /// Combo 1.
        Ccs1 = "CCS1" | "c_ccs_1",
        /// Combo 2.
        Ccs2 = "CCS2" | "c_ccs_2",
        /// CHAdeMO.
        Chademo = "CHADEMO" | "G105" | "c_g105",
        /// SAE J3400, once Tesla's.
        Tesla = "Tesla" | "NACS" | "J3400",
        /// GB/T.
        Gbt = "GBT" | "c_gbt",
        /// A household socket.
        Domestic = "Domestic" | "Schuko",
    }
}

crate::spelled! {
    /// Whether the cable is fixed.
    pub enum ConnectorFormat {
        /// A fixed cable.
        Cable = "CABLE",
        /// A socket.
        Socket = "SOCKET",
    }
}

crate::spelled! {
    /// What kind of power a connector gives, in eDRV's words.
    pub enum PowerType {
        /// One phase.
        AcSinglePhase = "AC Single Phase" | "AC_1_PHASE",
        /// Three phases.
        AcThreePhase = "AC Three Phase" | "AC_3_PHASE",
        /// Direct current.
        Dc = "DC",
    }
}

crate::spelled! {
    /// What kind of current flows, in Tridens' words.
    pub enum CurrentType {
        /// Direct current.
        Dc = "DC",
        /// One phase.
        AcSinglePhase = "AC_single_phase",
        /// Three phases.
        AcThreePhase = "AC_three_phase",
    }
}

crate::spelled! {
    /// Which grid phases a connector's L1, L2 and L3 are wired to (OCPP 1.6 ConnectorPhaseRotation).
    pub enum PhaseRotation {
        /// L1, L2, L3.
        Rst = "RST",
        /// L1, L3, L2.
        Rts = "RTS",
        /// L2, L1, L3.
        Srt = "SRT",
        /// L2, L3, L1.
        Str = "STR",
        /// L3, L1, L2.
        Trs = "TRS",
        /// L3, L2, L1.
        Tsr = "TSR",
    }
}

crate::text_column!(
    spelled ConnectorStatus, ConnectorType, ConnectorFormat, PowerType, CurrentType, PhaseRotation
);

impl PhaseRotation {
    /// The grid phase (0, 1, 2) behind each of the connector's phases.
    pub const fn grid_phases(self) -> [usize; 3] {
        match self {
            Self::Rst => [0, 1, 2],
            Self::Rts => [0, 2, 1],
            Self::Srt => [1, 0, 2],
            Self::Str => [1, 2, 0],
            Self::Trs => [2, 0, 1],
            Self::Tsr => [2, 1, 0],
        }
    }
}

impl From<PowerType> for CurrentType {
    fn from(power: PowerType) -> Self {
        match power {
            PowerType::AcSinglePhase => Self::AcSinglePhase,
            PowerType::AcThreePhase => Self::AcThreePhase,
            PowerType::Dc => Self::Dc,
        }
    }
}

/// One or three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseCount(pub i32);

json_schema!(PhaseCount, {"type": "integer", "enum": [1, 3]});

impl Field for PhaseCount {
    fn read(value: &serde_json::Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_i64() {
            Some(1) => Some(Self(1)),
            Some(3) => Some(Self(3)),
            _ => wrong(at, faults, "1 or 3"),
        }
    }
}

input! {
    /// A new connector.
    #[schema(example = json!({
        "name": "Left", "type": "Type2", "format": "CABLE", "power_type": "AC Three Phase", "power": 22
    }))]
    pub struct NewConnector {
        /// Display name.
        #[schema(example = "Left")]
        pub name: Option<Name>,
        /// Description.
        pub description: Option<Note>,
        /// A code of your own.
        pub code: Option<Code>,
        /// Its EVSE; one is made when absent.
        pub evse: Option<EvseId>,
        /// OCPP 2 EVSE number, as eDRV names it.
        pub evse_number as "evseId": Option<Number>,
        /// OCPP 1.6 connectorId; the next free one when absent.
        pub number: Option<Number>,
        /// Whether it may be used.
        pub active: Option<bool>,
        /// The shape of the plug; J1772 when absent.
        pub kind as "type": Option<ConnectorType>,
        /// CABLE (the default) or SOCKET.
        pub format: Option<ConnectorFormat>,
        /// What kind of power it gives; AC Single Phase when absent.
        pub power_type: Option<PowerType>,
        /// What it can give at most, in kW.
        pub power: RatedKilowatts,
        /// Its limit in V.
        pub voltage_limit: Option<Volts>,
        /// Its limit in A per phase.
        pub amperage_limit: Option<RatedAmps>,
        /// Its limit in W: 22000 for a 22 kW connector.
        pub wattage_limit: Option<WholeWatts>,
        /// The relationship of current and voltage; 1 when absent.
        pub power_factor: Option<PowerFactor>,
        /// How many phases it has; from `power_type` when absent.
        pub phases: Option<PhaseCount>,
        /// Which grid phases it is wired to.
        pub phase_rotation: Option<PhaseRotation>,
        /// The rate, or schedule of rates, that prices its sessions.
        pub rate: Option<RateId>,
        /// Texts of your own.
        pub custom_fields: Option<CustomFields>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a connector (JSON merge patch).
    #[schema(example = json!({"power": 11, "amperage_limit": 16}))]
    pub struct ConnectorPatch {
        /// Display name.
        pub name: Name,
        /// Description.
        pub description: Note,
        /// A code of your own.
        pub code: Code,
        /// Whether it may be used.
        pub active: bool,
        /// The shape of the plug.
        pub kind as "type": ConnectorType,
        /// CABLE or SOCKET.
        pub format: ConnectorFormat,
        /// What kind of power it gives.
        pub power_type: PowerType,
        /// What it can give at most, in kW.
        pub power: RatedKilowatts,
        /// Its limit in V.
        pub voltage_limit: Volts,
        /// Its limit in A per phase.
        pub amperage_limit: RatedAmps,
        /// Its limit in W.
        pub wattage_limit: WholeWatts,
        /// The relationship of current and voltage.
        pub power_factor: PowerFactor,
        /// How many phases it has.
        pub phases: PhaseCount,
        /// Which grid phases it is wired to.
        pub phase_rotation: PhaseRotation,
        /// The rate, or schedule of rates, that prices its sessions.
        pub rate: RateId,
        /// Texts of your own.
        pub custom_fields: CustomFields,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored connector.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = connectors, treat_none_as_null = true)]
pub struct Connector {
    pub id: ConnectorId,
    pub organization_id: OrganizationId,
    pub chargestation_id: StationId,
    pub evse_id: EvseId,
    pub number: i32,
    pub name: Option<String>,
    pub description: Option<String>,
    pub code: Option<String>,
    pub active: bool,
    pub status: ConnectorStatus,
    pub error_code: Option<String>,
    pub status_at: Option<Timestamp>,
    pub type_: ConnectorType,
    pub format: ConnectorFormat,
    pub power_type: PowerType,
    pub power: Watts,
    pub voltage_limit: Option<Millivolts>,
    pub amperage_limit: Option<Milliamps>,
    pub wattage_limit: Option<Watts>,
    pub power_factor: f64,
    pub phases: Option<i32>,
    pub phase_rotation: Option<PhaseRotation>,
    pub rate: Option<RateId>,
    pub custom_fields: Json<CustomFields>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the status was last received, by our clock; `status_at` is by the clock of the station.
    pub status_heard_at: Option<Timestamp>,
    /// When it was first received after another one, by our clock.
    pub status_changed_at: Option<Timestamp>,
    pub created_by: CreatedBy,
}

impl Connector {
    /// The connector that `new` describes, as number `number` of its station.
    pub(in crate::sites::stations) fn new(
        new: NewConnector,
        (organization_id, chargestation_id, evse_id): (OrganizationId, StationId, EvseId),
        number: i32,
        moment: &Moment,
    ) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            chargestation_id,
            evse_id,
            number,
            name: new.name.map(String::from),
            description: new.description.map(String::from),
            code: new.code.map(String::from),
            active: new.active.unwrap_or(true),
            status: ConnectorStatus::Unavailable,
            error_code: None,
            status_at: None,
            type_: new.kind.unwrap_or(ConnectorType::J1772),
            format: new.format.unwrap_or(ConnectorFormat::Cable),
            power_type: new.power_type.unwrap_or(PowerType::AcSinglePhase),
            power: new.power.0,
            voltage_limit: new.voltage_limit.map(|limit| limit.0),
            amperage_limit: new.amperage_limit.map(|limit| limit.0),
            wattage_limit: new.wattage_limit.map(|limit| limit.0),
            power_factor: new.power_factor.map_or(1.0, PowerFactor::ratio),
            phases: new.phases.map(|count| count.0),
            phase_rotation: new.phase_rotation,
            rate: new.rate,
            custom_fields: Json(new.custom_fields.unwrap_or_default()),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
            status_heard_at: None,
            status_changed_at: None,
            created_by: CreatedBy::Operator,
        }
    }

    pub(in crate::sites::stations) fn apply(&mut self, patch: ConnectorPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).apply(&mut self.name);
        patch.description.map(String::from).apply(&mut self.description);
        patch.code.map(String::from).apply(&mut self.code);
        patch.active.apply_or(&mut self.active, true);
        patch.kind.set(&mut self.type_, "type", &mut faults);
        patch.format.set(&mut self.format, "format", &mut faults);
        patch.power_type.set(&mut self.power_type, "power_type", &mut faults);
        patch.power.map(|power| power.0).set(&mut self.power, "power", &mut faults);
        patch.voltage_limit.map(|limit| limit.0).apply(&mut self.voltage_limit);
        patch.amperage_limit.map(|limit| limit.0).apply(&mut self.amperage_limit);
        patch.wattage_limit.map(|limit| limit.0).apply(&mut self.wattage_limit);
        patch.power_factor.map(PowerFactor::ratio).apply_or(&mut self.power_factor, 1.0);
        patch.phases.map(|count| count.0).apply(&mut self.phases);
        patch.phase_rotation.apply(&mut self.phase_rotation);
        patch.rate.apply(&mut self.rate);
        patch.custom_fields.map(Json).apply_or(&mut self.custom_fields, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The grid phases it uses; all three for direct current, and one-phase connectors without a known rotation use
    /// the first.
    pub fn phase_set(&self) -> PhaseSet {
        let count = self.phases.unwrap_or(match self.power_type {
            PowerType::AcSinglePhase => 1,
            PowerType::AcThreePhase | PowerType::Dc => 3,
        });
        let [first, _, _] = self.phase_rotation.map_or([0, 1, 2], PhaseRotation::grid_phases);
        if count == 1 { PhaseSet::from_fn(|phase| phase == first) } else { PhaseSet::ALL }
    }

    /// What it can carry at most at this voltage: the least of its power, wattage and amperage limits.
    pub fn rating(&self, voltage: Millivolts) -> Watts {
        let volts = self.voltage_limit.unwrap_or(voltage);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "powers are far below 2^53")]
        let by_current = self
            .amperage_limit
            .filter(|_| self.power_type != PowerType::Dc)
            .map(|limit| Watts((limit.to_power(volts, self.phase_set()).get() as f64 * self.power_factor) as i64));
        [self.wattage_limit, by_current].into_iter().flatten().fold(self.power, Watts::min)
    }
}

/// A connector as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConnectorView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ConnectorId,
    /// Its station.
    pub chargestation: StationId,
    /// Its EVSE.
    pub evse: EvseId,
    /// OCPP 2 EVSE number, as eDRV names it.
    #[serde(rename = "evseId")]
    pub evse_number: i32,
    /// OCPP 1.6 connectorId.
    pub number: i32,
    /// Display name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// A code of your own.
    pub code: Option<String>,
    /// Whether it may be used.
    pub active: bool,
    /// How it is doing.
    pub status: ConnectorStatus,
    /// Operative, Inoperative or Closed: from its status, its station's, and whether it is active.
    pub operational_status: OperationalStatus,
    /// How it is doing; Closed where its station is.
    #[schema(inline)]
    pub detailed_status: DetailedStatus,
    /// Since when nothing is known of how it is doing, because its station is offline: what is shown is how it was then. Null while
    /// the station is connected.
    pub status_unknown_since: Option<Timestamp>,
    /// What is wrong with it, in OCPP's words.
    pub error_code: Option<String>,
    /// The shape of the plug.
    #[serde(rename = "type")]
    pub kind: ConnectorType,
    /// CABLE or SOCKET.
    pub format: ConnectorFormat,
    /// What kind of power it gives.
    pub power_type: PowerType,
    /// What it can give at most, in kW.
    pub power: f64,
    /// Its limit in V.
    pub voltage_limit: Option<f64>,
    /// Its limit in A per phase.
    pub amperage_limit: Option<f64>,
    /// Its limit in W.
    pub wattage_limit: Option<i64>,
    /// The relationship of current and voltage.
    pub power_factor: f64,
    /// How many phases it has.
    pub phases: Option<i32>,
    /// Which grid phases it is wired to.
    pub phase_rotation: Option<PhaseRotation>,
    /// The rate, or schedule of rates, that prices its sessions.
    pub rate: Option<AnyRateView>,
    /// Texts of your own.
    pub custom_fields: CustomFields,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// operator, or station where it was created as its station reported it.
    pub created_by: CreatedBy,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

/// Connectors in the order of their numbers.
pub type ConnectorViews = Vec<ConnectorView>;

impl ConnectorView {
    /// The view of a connector whose EVSE has this number, and whose station is doing so.
    pub fn new(connector: Connector, evse_number: i32, station: StationState, rate: Option<AnyRateView>) -> Self {
        let condition = Condition::of_connector(&connector, station.operational);
        Self {
            id: connector.id,
            chargestation: connector.chargestation_id,
            evse: connector.evse_id,
            evse_number,
            number: connector.number,
            name: connector.name,
            description: connector.description,
            code: connector.code,
            active: connector.active,
            status: connector.status,
            operational_status: condition.operational,
            detailed_status: condition.detailed,
            status_unknown_since: station.unknown_since(connector.status_heard_at, connector.created_at),
            error_code: connector.error_code,
            kind: connector.type_,
            format: connector.format,
            power_type: connector.power_type,
            power: connector.power.kilowatts(),
            voltage_limit: connector.voltage_limit.map(|limit| shown(limit.get())),
            amperage_limit: connector.amperage_limit.map(|limit| shown(limit.get())),
            wattage_limit: connector.wattage_limit.map(Watts::get),
            power_factor: connector.power_factor,
            phases: connector.phases,
            phase_rotation: connector.phase_rotation,
            rate,
            custom_fields: connector.custom_fields.0,
            meta_data: connector.meta_data.0,
            created_by: connector.created_by,
            created_at: connector.created_at,
            updated_at: connector.updated_at,
        }
    }
}

impl Versioned for ConnectorView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}
