//! Provisioning (functional block B): who a station is, and its device model.

use super::common::*;
use crate::number::Number;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    pub open enum BootReason {
        ApplicationReset, FirmwareUpdate, LocalReset, PowerUp, RemoteReset, ScheduledReset, Triggered,
        NotKnown = "Unknown", Watchdog,
    }
}

crate::message! {
    /// What a station says of itself.
    pub struct ChargingStation {
        pub firmware_version: Option<Label<50>>,
        pub model: Label<20>,
        pub modem: Option<Modem>,
        pub serial_number: Option<Label<25>>,
        pub vendor_name: Label<50>,
    }
}

crate::message! {
    /// The SIM of a station.
    pub struct Modem {
        pub iccid: Option<Label<20>>,
        pub imsi: Option<Label<20>>,
    }
}

crate::choice! {
    pub enum RegistrationStatus { Accepted, Pending, Rejected }
}

crate::choice! {
    pub enum ReportBase { ConfigurationInventory, FullInventory, SummaryInventory }
}

crate::choice! {
    pub enum ComponentCriterion { Active, Available, Enabled, Problem }
}

crate::choice! {
    pub open enum AttributeKind { Actual, Target, MinSet, MaxSet }
}

crate::message! {
    /// A variable to read.
    pub struct GetVariableData {
        pub attribute_type: Option<AttributeKind>,
        pub component: Component,
        pub variable: Variable,
    }
}

crate::choice! {
    pub open enum GetVariableStatus {
        Accepted, Rejected, UnknownComponent, UnknownVariable, NotSupportedAttributeType,
    }
}

crate::message! {
    /// A variable as it was read.
    pub struct GetVariableResult {
        pub attribute_status: GetVariableStatus,
        pub attribute_status_info: Option<StatusInfo>,
        pub attribute_type: Option<AttributeKind>,
        pub attribute_value: Option<Exact<2500>>,
        pub component: Component,
        pub variable: Variable,
    }
}

crate::choice! {
    pub open enum DataKind {
        String = "string", Decimal = "decimal", Integer = "integer", DateTime = "dateTime", Boolean = "boolean",
        OptionList, SequenceList, MemberList,
    }
}

crate::choice! {
    pub open enum Mutability { ReadOnly, WriteOnly, ReadWrite }
}

crate::message! {
    /// A variable with all that is known of it.
    pub struct ReportData {
        pub component: Component,
        pub variable: Variable,
        pub variable_attribute: Vec<VariableAttribute>,
        pub variable_characteristics: Option<VariableCharacteristics>,
    }
}

crate::message! {
    /// One value of a variable: actual, target, least or most.
    pub struct VariableAttribute {
        pub constant: Option<bool>,
        pub mutability: Option<Mutability>,
        pub persistent: Option<bool>,
        pub r#type: Option<AttributeKind>,
        pub value: Option<Exact<2500>>,
    }
}

crate::message! {
    /// What values a variable can have.
    pub struct VariableCharacteristics {
        pub data_type: DataKind,
        pub max_elements: Option<u32> [V21],
        pub max_limit: Option<Number>,
        pub min_limit: Option<Number>,
        pub supports_monitoring: bool,
        pub unit: Option<Exact<16>>,
        pub values_list: Option<Exact<1000>>,
    }
}

crate::choice! {
    pub enum ResetKind { Immediate, OnIdle, ImmediateAndResume [V21] }
}

crate::choice! {
    pub open enum ResetStatus { Accepted, Rejected, Scheduled }
}

crate::choice! {
    pub enum ApnAuthentication { PAP, Chap = "CHAP", None = "NONE", Auto = "AUTO" }
}

crate::choice! {
    pub enum OcppInterface { Wired0, Wired1, Wired2, Wired3, Wireless0, Wireless1, Wireless2, Wireless3, Any [V21] }
}

crate::choice! {
    pub enum OcppTransport { Soap = "SOAP", Json = "JSON" }
}

crate::choice! {
    pub enum OcppVersion {
        Ocpp12 = "OCPP12", Ocpp15 = "OCPP15", Ocpp16 = "OCPP16", Ocpp20 = "OCPP20", Ocpp201 = "OCPP201" [V21],
        Ocpp21 = "OCPP21" [V21],
    }
}

crate::choice! {
    pub enum VpnKind { IKEv2, IPSec, L2tp = "L2TP", Pptp = "PPTP" }
}

crate::message! {
    /// How to get into a mobile network.
    pub struct Apn {
        pub apn: Exact<2000, 512>,
        pub apn_authentication: ApnAuthentication,
        pub apn_password: Option<Exact<64, 20>>,
        pub apn_user_name: Option<Exact<50, 20>>,
        pub preferred_network: Option<Exact<6>>,
        pub sim_pin: Option<i64>,
        pub use_only_preferred_network: Option<bool>,
    }
}

crate::message! {
    /// How to reach this server.
    pub struct NetworkConnectionProfile {
        pub apn: Option<Apn>,
        pub basic_auth_password: Option<Exact<64>> [V21],
        pub identity: Option<Exact<48>> [V21],
        pub message_timeout: i64,
        pub ocpp_csms_url: Exact<2000, 512>,
        pub ocpp_interface: OcppInterface,
        pub ocpp_transport: OcppTransport,
        pub ocpp_version: Option<OcppVersion> [OptionalSinceV21],
        pub security_profile: u32,
        pub vpn: Option<Vpn>,
    }
}

crate::message! {
    /// A private network to reach it through.
    pub struct Vpn {
        pub group: Option<Exact<50, 20>>,
        pub key: Exact<255>,
        pub password: Exact<64, 20>,
        pub server: Exact<2000, 512>,
        pub r#type: VpnKind,
        pub user: Exact<50, 20>,
    }
}

crate::choice! {
    pub open enum SetNetworkProfileStatus { Accepted, Rejected, Failed }
}

crate::message! {
    /// A variable to change.
    pub struct SetVariableData {
        pub attribute_type: Option<AttributeKind>,
        pub attribute_value: Exact<2500, 1000>,
        pub component: Component,
        pub variable: Variable,
    }
}

crate::choice! {
    pub open enum SetVariableStatus {
        Accepted, Rejected, UnknownComponent, UnknownVariable, NotSupportedAttributeType, RebootRequired,
    }
}

crate::message! {
    /// Whether a variable was changed.
    pub struct SetVariableResult {
        pub attribute_status: SetVariableStatus,
        pub attribute_status_info: Option<StatusInfo>,
        pub attribute_type: Option<AttributeKind>,
        pub component: Component,
        pub variable: Variable,
    }
}

crate::exchange! {
    /// A station introduces itself (B01–B04).
    boot_notification
    asks { charging_station: ChargingStation, reason: BootReason }
    answers {
        current_time: Timestamp,
        interval: i64,
        status: RegistrationStatus,
        status_info: Option<StatusInfo>,
    }
}

crate::exchange! {
    /// Send a whole report in parts (B07).
    get_base_report
    asks { request_id: i64, report_base: ReportBase }
    answers { status: GenericDeviceModelStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Send a part of the device model in parts (B08).
    get_report
    asks {
        component_variable: Option<Vec<ComponentVariable>>,
        request_id: i64,
        component_criteria: Option<Vec<ComponentCriterion>>,
    }
    answers { status: GenericDeviceModelStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Return the values of variables (B06).
    get_variables
    asks { get_variable_data: Vec<GetVariableData> }
    answers { get_variable_result: Vec<GetVariableResult> }
}

crate::exchange! {
    /// A station is there, and asks for the time (G02).
    heartbeat
    asks {}
    answers { current_time: Timestamp }
}

crate::exchange! {
    /// A part of a report (B07, B08).
    notify_report
    asks {
        request_id: i64,
        generated_at: Timestamp,
        report_data: Option<Vec<ReportData>>,
        tbc: Option<bool>,
        seq_no: u32,
    }
    answers {}
}

crate::exchange! {
    /// Restart, the whole station or one EVSE (B11, B12).
    reset
    asks { r#type: ResetKind, evse_id: Option<u32> }
    answers { status: ResetStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Where to connect (B09).
    set_network_profile
    asks { configuration_slot: i64, connection_data: NetworkConnectionProfile }
    answers { status: SetNetworkProfileStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Change the values of variables (B05).
    set_variables
    asks { set_variable_data: Vec<SetVariableData> }
    answers { set_variable_result: Vec<SetVariableResult> }
}
