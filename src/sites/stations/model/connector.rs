//! A connector: cable or socket, with what it can carry and how it is doing.

use diesel::prelude::*;
use resource::resource;
use utoipa::openapi::schema::Schema;

use super::condition::{Condition, ConnectorStatus, DetailedStatus, StationState};
use super::number::Number;
use super::origin::CreatedBy;
use super::station::OperationalStatus;
use crate::http::Faults;
use crate::http::fields::{CustomFields, Field, MetaData, Path, wrong};
use crate::http::include::reference;
use crate::http::quantities::{PowerFactor, RatedAmps, RatedKilowatts, Volts, WholeWatts};
use crate::json_schema;
use crate::sites::rates::AnyRateView;
use crate::store::Json;
use crate::store::schema::connectors;
use kernel::text::{Code, Name, Note};
use kernel::*;

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

impl From<PhaseCount> for i32 {
    fn from(count: PhaseCount) -> Self {
        count.0
    }
}

impl Field for PhaseCount {
    fn read(value: &serde_json::Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_i64() {
            Some(1) => Some(Self(1)),
            Some(3) => Some(Self(3)),
            _ => wrong(at, faults, "1 or 3"),
        }
    }
}

#[resource(
    new(
        "A new connector.",
        pub(in crate::sites::stations),
        example = json!({
            "name": "Left", "type": "Type2", "format": "CABLE", "power_type": "AC Three Phase", "power": 22
        })
    ),
    patch(
        "Changes of a connector (JSON merge patch).",
        pub(in crate::sites::stations),
        example = json!({"power": 11, "amperage_limit": 16})
    ),
    view("A connector as clients see it.")
)]
/// A stored connector.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = connectors, treat_none_as_null = true)]
pub struct Connector {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: ConnectorId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Its station.
    #[field(
        name = "chargestation",
        argument,
        view(
            "Its station: an id, or with `include_chargestation=true` the whole station.",
            schema_with = station_reference
        )
    )]
    pub chargestation_id: StationId,
    /// Its EVSE.
    #[field(name = "evse", argument)]
    pub evse_id: EvseId,
    /// OCPP 1.6 connectorId.
    #[field(argument)]
    pub number: i32,
    /// Display name.
    #[field(read = Name, new(example = "Left"))]
    pub name: Option<String>,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// Its EVSE; one is made when absent.
    #[field(name = "evse", request, fixed)]
    pub wanted_evse: Option<EvseId>,
    /// OCPP 2 EVSE number, as eDRV names it.
    #[field(name = "evseId", computed, read = Number, fixed, view(after = evse))]
    pub evse_number: i32,
    /// OCPP 1.6 connectorId; the next free one when absent.
    #[field(name = "number", request, fixed)]
    pub wanted_number: Option<Number>,
    /// Whether it may be used.
    #[field(read, default = true)]
    pub active: bool,
    /// How it is doing.
    #[field(initial = ConnectorStatus::Unavailable)]
    pub status: ConnectorStatus,
    /// Operative, Inoperative or Closed: from its status, its station's, and whether it is active.
    #[field(computed)]
    pub operational_status: OperationalStatus,
    /// How it is doing; Closed where its station is.
    #[field(computed, view(inline))]
    pub detailed_status: DetailedStatus,
    /// Since when nothing is known of how it is doing, because its station is offline: what is shown is how it was then. Null while
    /// the station is connected.
    #[field(computed)]
    pub status_unknown_since: Option<Timestamp>,
    /// What is wrong with it, in OCPP's words.
    #[field(initial = None)]
    pub error_code: Option<String>,
    /// When it got its status, by the clock of its station.
    #[field(hidden, initial = None)]
    pub status_at: Option<Timestamp>,
    /// When the status was last received, by our clock.
    #[field(hidden, initial = None)]
    pub status_heard_at: Option<Timestamp>,
    /// When it was first received after another one, by our clock.
    #[field(hidden, initial = None)]
    pub status_changed_at: Option<Timestamp>,
    /// The shape of the plug.
    #[field(
        name = "type",
        read,
        default = ConnectorType::J1772,
        not_null,
        new("The shape of the plug; J1772 when absent.")
    )]
    #[diesel(column_name = type_)]
    pub kind: ConnectorType,
    /// CABLE or SOCKET.
    #[field(read, default = ConnectorFormat::Cable, not_null, new("CABLE (the default) or SOCKET."))]
    pub format: ConnectorFormat,
    /// What kind of power it gives.
    #[field(
        read,
        default = PowerType::AcSinglePhase,
        not_null,
        new("What kind of power it gives; AC Single Phase when absent.")
    )]
    pub power_type: PowerType,
    /// What it can give at most, in kW.
    #[field(read = RatedKilowatts, shown = f64)]
    pub power: Watts,
    /// Its limit in V.
    #[field(read = Volts, shown = f64)]
    pub voltage_limit: Option<Millivolts>,
    /// Its limit in A per phase.
    #[field(read = RatedAmps, shown = f64)]
    pub amperage_limit: Option<Milliamps>,
    /// Its limit in W.
    #[field(read = WholeWatts, shown = i64, new("Its limit in W: 22000 for a 22 kW connector."))]
    pub wattage_limit: Option<Watts>,
    /// The relationship of current and voltage.
    #[field(read = PowerFactor, default = 1.0, new("The relationship of current and voltage; 1 when absent."))]
    pub power_factor: f64,
    /// How many phases it has.
    #[field(read = PhaseCount, new("How many phases it has; from `power_type` when absent."))]
    pub phases: Option<i32>,
    /// Which grid phases it is wired to.
    #[field(read)]
    pub phase_rotation: Option<PhaseRotation>,
    /// The rate, or schedule of rates, that prices its sessions.
    #[field(read, hidden)]
    pub rate: Option<RateId>,
    /// The rate, or schedule of rates, that prices its sessions.
    #[field(name = "rate", computed)]
    pub whole_rate: Option<AnyRateView>,
    /// Texts of your own.
    #[field(read, default)]
    pub custom_fields: Json<CustomFields>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// operator, or station where it was created as its station reported it.
    #[field(initial = CreatedBy::Operator)]
    pub created_by: CreatedBy,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

/// An id or a station, which has its connectors in it.
fn station_reference() -> Schema {
    let description = "Its station: an id, or with `include_chargestation=true` the whole station.";
    Schema::OneOf(reference::<StationId>("StationView").description(Some(description)).build())
}

impl Connector {
    /// What stands behind its EVSE's code where several connectors work at the same time.
    pub fn code_or_number(&self) -> String {
        self.code.clone().unwrap_or_else(|| self.number.to_string())
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

/// Connectors in the order of their numbers.
pub type ConnectorViews = Vec<ConnectorView>;

impl ConnectorView {
    /// The view of a connector whose EVSE has this number, and whose station is doing so.
    pub fn new(connector: Connector, evse_number: i32, station: StationState, rate: Option<AnyRateView>) -> Self {
        let condition = Condition::of_connector(connector.status, connector.active, station.operational);
        let computed = ConnectorComputed {
            evse_number,
            operational_status: condition.operational,
            detailed_status: condition.detailed,
            status_unknown_since: station.unknown_since(connector.status_heard_at, connector.created_at),
            rate,
        };
        Self::of(connector, computed)
    }
}
