//! What a caller may ask, in API terms, and the command each becomes.

use serde_json::{Value, json};

use crate::http::Faults;
use crate::http::fields::{Field, MetaData, Path, wrong};
use crate::http::quantities::LimitUnit;
use crate::input;
use crate::sites::stations::VariableName;
use crate::sites::stations::link::{self, StationCommand};
use kernel::Protocol;
use kernel::Timestamp;
use kernel::text::{Line, Note, Text};

crate::spelled! {
    /// How a station restarts.
    pub enum ResetType {
        /// At once (OCPP 1.6).
        Hard = "Hard",
        /// After running transactions were ended (OCPP 1.6).
        Soft = "Soft",
        /// At once (OCPP 2).
        Immediate = "Immediate",
        /// When nothing is being charged (OCPP 2).
        OnIdle = "OnIdle",
    }
}

impl ResetType {
    /// Whether the word belongs to this protocol.
    pub(super) fn fits(self, protocol: Protocol) -> bool {
        matches!(self, Self::Hard | Self::Soft) == (protocol == Protocol::V16)
    }
}

crate::spelled! {
    /// In or out of use.
    pub enum AvailabilityType {
        /// In use.
        Operative = "Operative",
        /// Out of use; a running session ends first.
        Inoperative = "Inoperative",
    }
}

input! {
    /// Restart.
    pub(crate) struct ResetRequest {
        /// Hard or Soft for OCPP 1.6, Immediate or OnIdle for OCPP 2.
        #[schema(example = "Soft")]
        pub kind as "type": ResetType,
        /// The EVSE alone (OCPP 2); the whole station when absent.
        #[schema(minimum = 1)]
        pub evse_id as "evseId": Option<i32>,
        /// JSON of your own, kept with the action.
        pub meta_data: Option<MetaData>,
    }
}

input! {
    /// Send a message now.
    pub struct TriggerRequest {
        /// BootNotification, StatusNotification, Heartbeat, MeterValues, DiagnosticsStatusNotification or
        /// FirmwareStatusNotification.
        #[schema(example = "StatusNotification")]
        pub message: Text<1, 50>,
        /// About this connector.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
    }
}

input! {
    /// Put into or out of use.
    pub struct AvailabilityRequest {
        /// Operative or Inoperative.
        pub kind as "type": AvailabilityType,
        /// The connector's number; the whole station when absent.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
    }
}

input! {
    /// A limit until it is cleared.
    pub(crate) struct PowerLimitRequest {
        /// power (W) or current (A).
        pub unit: LimitUnit,
        /// The limit in W or A.
        #[schema(minimum = 0, example = 7000)]
        pub limit: f64,
    }
}

input! {
    /// A charging profile in the protocol's own form.
    pub struct ChargingProfileRequest {
        /// The connector's number (OCPP 2: the EVSE); 0 is the whole station.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
        /// csChargingProfiles (OCPP 1.6) or chargingProfile (OCPP 2).
        #[schema(value_type = Object)]
        pub profile as "csChargingProfiles": RawObject,
    }
}

input! {
    /// Which profiles to forget; all when empty.
    pub struct ClearProfileRequest {
        /// Its id.
        pub id: Option<i32>,
        /// The same under eDRV's name.
        pub charging_profile_id as "chargingProfileId": Option<i32>,
        /// Of this connector.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
        /// With this purpose.
        pub purpose as "chargingProfilePurpose": Option<Text<1, 50>>,
        /// With this stack level.
        pub stack_level as "stackLevel": Option<i32>,
    }
}

input! {
    /// Which limits will apply.
    pub struct CompositeScheduleRequest {
        /// The connector's number; 0 is the whole station.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
        /// For how many seconds; a day when absent.
        #[schema(minimum = 1)]
        pub duration: Option<i32>,
        /// power (W) or current (A).
        pub unit: Option<LimitUnit>,
    }
}

/// The key of a setting: a configuration key, or the name of a variable such as `SmartChargingCtrlr.Enabled`.
pub(super) type SettingKey = Text<1, 250>;

input! {
    /// Which keys to read.
    pub(crate) struct GetVariablesRequest {
        /// The keys; all when absent.
        pub key: Option<Vec<SettingKey>>,
        /// The same as variables of the device model (OCPP 2); all when empty.
        pub variables as "getVariableData": Option<Vec<VariableWanted>>,
        /// JSON of your own, kept with the action.
        pub meta_data: Option<MetaData>,
    }
}

input! {
    /// New values of configuration keys: one by `key` and `value`, or several by `variables`.
    #[schema(example = json!({"key": "MeterValueSampleInterval", "value": "60"}))]
    pub(crate) struct ConfigurationPatch {
        /// The key.
        pub key: Option<SettingKey>,
        /// Its value.
        pub value: Option<ConfigurationValue>,
        /// Several keys with their values; the call waits, and answers how each went.
        pub variables: Option<Vec<SettingInput>>,
        /// The same as variables of the device model (OCPP 2); a list of them may also stand alone.
        pub set_variable_data as "setVariableData": Option<Vec<VariableChange>>,
        /// JSON of your own, kept with the action.
        pub meta_data: Option<MetaData>,
    }
}

input! {
    /// A key and the value it should have.
    pub struct SettingInput {
        /// The key.
        #[schema(example = "MeterValueSampleInterval")]
        pub key: SettingKey,
        /// Its value.
        #[schema(example = "60")]
        pub value: ConfigurationValue,
    }
}

input! {
    /// A component of the device model.
    #[schema(example = json!({"name": "SmartChargingCtrlr"}))]
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ComponentInput {
        /// Its name.
        pub name: Text<1, 50>,
        /// Which of several.
        pub instance: Option<Text<1, 50>>,
        /// The EVSE it belongs to.
        pub evse: Option<EvseInput>,
    }
}

input! {
    /// An EVSE by the station's numbers.
    #[schema(example = json!({"id": 1}))]
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct EvseInput {
        /// The EVSE.
        #[schema(minimum = 0)]
        pub id: u32,
        /// The connector within it.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<u32>,
    }
}

input! {
    /// A variable of a component.
    #[schema(example = json!({"name": "Enabled"}))]
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct VariableInput {
        /// Its name.
        pub name: Text<1, 50>,
        /// Which of several.
        pub instance: Option<Text<1, 50>>,
    }
}

input! {
    /// A variable to read.
    pub(crate) struct VariableWanted {
        /// The component.
        pub component: ComponentInput,
        /// The variable.
        pub variable: VariableInput,
    }
}

input! {
    /// A variable and the value it should have.
    pub(crate) struct VariableChange {
        /// The component.
        pub component: ComponentInput,
        /// The variable.
        pub variable: VariableInput,
        /// The value.
        #[schema(example = "true")]
        pub attribute_value as "attributeValue": ConfigurationValue,
    }
}

/// The name of a variable as one text.
pub(super) fn variable_name(component: ComponentInput, variable: VariableInput) -> String {
    let name = VariableName {
        component: component.name.into(),
        component_instance: component.instance.map(String::from),
        evse: component.evse.map(|evse| (evse.id, evse.connector_id)),
        variable: variable.name.into(),
        variable_instance: variable.instance.map(String::from),
    };
    name.to_string()
}

/// The same of a variable as OCPP 2 writes it.
pub(super) fn variable_name_of(change: &Value) -> Option<String> {
    let mut faults = Faults::default();
    let component = ComponentInput::read(change.get("component")?, Path::Root, &mut faults)?;
    let variable = VariableInput::read(change.get("variable")?, Path::Root, &mut faults)?;
    Some(variable_name(component, variable))
}

/// The body of a change: an object, or a list of variables alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConfigurationBody(pub ConfigurationPatch);

impl Field for ConfigurationBody {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let alone = value.is_array().then(|| json!({"setVariableData": value}));
        ConfigurationPatch::read(alone.as_ref().unwrap_or(value), at, faults).map(Self)
    }
}

/// A configuration value: a text, or a number or truth value that is written as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationValue(pub String);

crate::json_schema!(ConfigurationValue, {"type": ["string", "number", "boolean"]});

impl Field for ConfigurationValue {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::String(text) if text.chars().count() <= 2_500 => Some(Self(text.clone())),
            Value::Number(number) => Some(Self(number.to_string())),
            Value::Bool(flag) => Some(Self(flag.to_string())),
            _ => wrong(at, faults, "a text of at most 2500 characters"),
        }
    }
}

/// A JSON object that the protocol checks.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RawObject(pub Value);

crate::json_schema!(RawObject, {"type": "object", "additionalProperties": true});

impl Field for RawObject {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        if value.is_object() { Some(Self(value.clone())) } else { wrong(at, faults, "an object") }
    }
}

input! {
    /// The tokens that may charge while the station is offline.
    pub(crate) struct LocalListRequest {
        /// The list's version; made from the time when absent.
        #[schema(minimum = 1)]
        pub version as "listVersion": Option<i32>,
        /// Full (the default) replaces the list, Differential changes it.
        pub update_type as "updateType": Option<UpdateType>,
        /// Entries in OCPP's form; of a full list made from the tokens of your organization when absent.
        pub entries as "localAuthorizationList": Option<Vec<RawObject>>,
    }
}

crate::spelled! {
    /// Whether a list is replaced or changed.
    pub enum UpdateType {
        /// Replaced.
        Full = "Full",
        /// Changed.
        Differential = "Differential",
    }
}

input! {
    /// New firmware.
    pub(crate) struct FirmwareRequest {
        /// Where it is.
        #[schema(example = "https://firmware.example.com/v2.bin")]
        pub location: Note,
        /// When to fetch it; now when absent.
        pub retrieve_date as "retrieveDate": Option<Timestamp>,
        /// How often to try.
        pub retries: Option<i32>,
        /// Seconds between tries.
        pub retry_interval as "retryInterval": Option<i32>,
    }
}

input! {
    /// Where diagnostics are wanted.
    pub struct DiagnosticsRequest {
        /// Where to upload them.
        #[schema(example = "ftp://files.example.com/in")]
        pub location: Note,
        /// From when.
        pub start_time as "startTime": Option<Timestamp>,
        /// Until when.
        pub stop_time as "stopTime": Option<Timestamp>,
        /// How often to try.
        pub retries: Option<i32>,
        /// Seconds between tries.
        pub retry_interval as "retryInterval": Option<i32>,
    }
}

input! {
    /// Whatever the vendor agreed on.
    pub struct DataTransferRequest {
        /// Who understands it.
        pub vendor_id as "vendorId": Line,
        /// Which message.
        pub message_id as "messageId": Option<Text<0, 50>>,
        /// Its data.
        pub data: Option<Note>,
    }
}

input! {
    /// Any OCPP action with its own payload.
    pub struct RawRequest {
        /// The action's name.
        #[schema(example = "GetConfiguration")]
        pub action: Text<1, 50>,
        /// Its payload, checked against the schema of the station's version.
        #[schema(value_type = Object, example = json!({"key": ["HeartbeatInterval"]}))]
        pub payload: RawObject,
    }
}

impl From<TriggerRequest> for StationCommand {
    fn from(request: TriggerRequest) -> Self {
        Self::TriggerMessage { message: request.message.into(), connector: request.connector_id }
    }
}

impl From<AvailabilityRequest> for StationCommand {
    fn from(request: AvailabilityRequest) -> Self {
        Self::ChangeAvailability {
            connector: request.connector_id.unwrap_or(0),
            operative: request.kind == AvailabilityType::Operative,
        }
    }
}

impl From<ChargingProfileRequest> for StationCommand {
    fn from(request: ChargingProfileRequest) -> Self {
        Self::SetChargingProfile { connector: request.connector_id.unwrap_or(0), profile: request.profile.0 }
    }
}

impl From<ClearProfileRequest> for StationCommand {
    fn from(request: ClearProfileRequest) -> Self {
        Self::ClearChargingProfile {
            id: request.id.or(request.charging_profile_id),
            connector: request.connector_id,
            purpose: request.purpose.map(String::from),
            stack_level: request.stack_level,
        }
    }
}

impl From<CompositeScheduleRequest> for StationCommand {
    fn from(request: CompositeScheduleRequest) -> Self {
        Self::GetCompositeSchedule {
            connector: request.connector_id.unwrap_or(0),
            seconds: request.duration.unwrap_or(24 * 3600),
            in_amps: request.unit.map(|unit| unit == LimitUnit::Current),
        }
    }
}

impl From<DiagnosticsRequest> for StationCommand {
    fn from(request: DiagnosticsRequest) -> Self {
        Self::GetDiagnostics(link::GetDiagnostics {
            location: request.location.into(),
            retries: request.retries,
            retry_interval: request.retry_interval,
            start_at: request.start_time,
            stop_at: request.stop_time,
        })
    }
}

impl From<DataTransferRequest> for StationCommand {
    fn from(request: DataTransferRequest) -> Self {
        Self::DataTransfer {
            vendor_id: request.vendor_id.into(),
            message_id: request.message_id.map(String::from),
            data: request.data.map(String::from),
        }
    }
}

impl From<RawRequest> for StationCommand {
    fn from(request: RawRequest) -> Self {
        Self::Raw { action: request.action.into(), payload: request.payload.0 }
    }
}
