//! What a caller may ask of stations with a device model (OCPP 2). The bodies have the form of the messages, so each is sent as
//! it was read; numbers of requests are made on the way.

use serde::Serialize;
use serde_json::{Value, json};

use super::commands::{ComponentInput, RawObject, VariableInput};
use crate::http::Faults;
use crate::http::fields::{Field, Path, wrong};
use crate::input;
use crate::sites::stations::link::{DeviceRequest, StationCommand};
use kernel::Protocol;
use kernel::Timestamp;
use kernel::text::Text;

impl DeviceRequest {
    /// Whether stations that speak this know the request.
    pub fn is_known_to(self, protocol: Protocol) -> bool {
        let is_new = matches!(
            self,
            Self::SetDerControl
                | Self::GetDerControl
                | Self::ClearDerControl
                | Self::RequestBatterySwap
                | Self::AfrrSignal
        );
        match protocol {
            Protocol::V16 => false,
            Protocol::V201 => !is_new,
            Protocol::V21 => true,
        }
    }
}

/// Declares lists that must not be empty.
macro_rules! at_least_one {
    ($($(#[$meta:meta])* $name:ident($item:ty);)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name(pub Vec<$item>);

        impl Field for $name {
            fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
                match value.as_array().is_some_and(Vec::is_empty) {
                    true => wrong(at, faults, "an array of at least one element"),
                    false => Field::read(value, at, faults).map(Self),
                }
            }
        }
    )*};
}

at_least_one! {
    /// Numbers of what a station keeps.
    Ids(u32);
    /// What is to be watched.
    Monitors(MonitorInput);
}

/// From 0 (danger) to 9 (debug).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Severity(pub u32);

crate::json_schema!(Severity, {"type": "integer", "minimum": 0, "maximum": 9, "example": 4});

impl Field for Severity {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| *number <= 9) {
            Some(number) => Some(Self(number)),
            None => wrong(at, faults, "a whole number between 0 and 9"),
        }
    }
}

crate::spelled! {
    /// The state of components.
    pub enum ComponentCriterion {
        Active = "Active",
        Available = "Available",
        Enabled = "Enabled",
        Problem = "Problem",
    }
}

crate::spelled! {
    /// Which kind of monitors.
    pub enum MonitoringCriterion {
        Threshold = "ThresholdMonitoring",
        Delta = "DeltaMonitoring",
        Periodic = "PeriodicMonitoring",
    }
}

crate::spelled! {
    /// Which monitors are active.
    pub enum MonitoringBase {
        All = "All",
        FactoryDefault = "FactoryDefault",
        HardWiredOnly = "HardWiredOnly",
    }
}

crate::spelled! {
    /// What a monitor watches for; TargetDelta and TargetDeltaRelative came with OCPP 2.1.
    pub enum MonitorType {
        UpperThreshold = "UpperThreshold",
        LowerThreshold = "LowerThreshold",
        Delta = "Delta",
        Periodic = "Periodic",
        PeriodicClockAligned = "PeriodicClockAligned",
        TargetDelta = "TargetDelta",
        TargetDeltaRelative = "TargetDeltaRelative",
    }
}

crate::spelled! {
    /// How urgent a message is.
    pub enum MessagePriority {
        AlwaysFront = "AlwaysFront",
        InFront = "InFront",
        NormalCycle = "NormalCycle",
    }
}

crate::spelled! {
    /// While a station does what a message is shown; Suspended and Discharging came with OCPP 2.1.
    pub enum MessageState {
        Charging = "Charging",
        Faulted = "Faulted",
        Idle = "Idle",
        Unavailable = "Unavailable",
        Suspended = "Suspended",
        Discharging = "Discharging",
    }
}

crate::spelled! {
    /// How a message is written; QRCODE came with OCPP 2.1.
    pub enum MessageFormat {
        Ascii = "ASCII",
        Html = "HTML",
        Uri = "URI",
        Utf8 = "UTF8",
        QrCode = "QRCODE",
    }
}

input! {
    /// A component, or one variable of it.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ComponentVariableInput {
        /// The component.
        pub component: ComponentInput,
        /// The variable; all when absent.
        pub variable: Option<VariableInput>,
    }
}

input! {
    /// Which variables to report: those named, and those of components in one of the states.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"componentCriteria": ["Problem"]}))]
    pub struct ReportRequest {
        /// These.
        pub component_variable as "componentVariable": Option<Vec<ComponentVariableInput>>,
        /// Of components in one of these states.
        pub component_criteria as "componentCriteria": Option<Vec<ComponentCriterion>>,
    }
}

input! {
    /// Which transaction.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct TransactionStatusRequest {
        /// The station's name of it, `transaction_name` of its session; whether anything is still to come when absent.
        pub transaction_id as "transactionId": Option<Text<1, 36>>,
    }
}

input! {
    /// Which charging profiles to report.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}))]
    pub struct ChargingProfilesRequest {
        /// Of this EVSE by the station's number; 0 is the whole station, absent all.
        pub evse_id as "evseId": Option<u32>,
        /// Those that match.
        pub charging_profile as "chargingProfile": ProfileCriterion,
    }
}

input! {
    /// What charging profiles must match.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ProfileCriterion {
        /// With this purpose.
        pub charging_profile_purpose as "chargingProfilePurpose": Option<Text<1, 50>>,
        /// With this stack level.
        pub stack_level as "stackLevel": Option<u32>,
        /// With one of these ids.
        pub charging_profile_id as "chargingProfileId": Option<Vec<i32>>,
        /// From one of these: CSO, EMS, SO, Other.
        pub charging_limit_source as "chargingLimitSource": Option<Vec<Text<1, 20>>>,
    }
}

input! {
    /// What somebody holds to a reader.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"idToken": "04A1B2C3", "type": "ISO14443"}))]
    pub struct IdTokenInput {
        /// Its text.
        pub id_token as "idToken": Text<0, 255>,
        /// Central, eMAID, ISO14443, ISO15693, KeyCode, Local, MacAddress, NoAuthorization.
        #[serde(rename = "type")]
        pub kind as "type": Text<1, 20>,
    }
}

input! {
    /// What is to be done with what a station knows of a customer, who is named in one of three ways.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"report": true, "clear": false, "customerIdentifier": "C-4711"}))]
    pub struct CustomerInformationRequest {
        /// Report it.
        pub report: bool,
        /// Forget it.
        pub clear: bool,
        /// The customer's name for the vendor.
        pub customer_identifier as "customerIdentifier": Option<Text<1, 64>>,
        /// The customer's token.
        pub id_token as "idToken": Option<IdTokenInput>,
        /// The customer's certificate: hashAlgorithm, issuerNameHash, issuerKeyHash and serialNumber.
        #[schema(value_type = Option<Object>)]
        pub customer_certificate as "customerCertificate": Option<RawObject>,
    }
}

input! {
    /// What is written.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"format": "UTF8", "language": "en", "content": "Back at noon"}))]
    pub struct MessageContentInput {
        /// How it is written.
        pub format: MessageFormat,
        /// In which language, by RFC 5646.
        pub language: Option<Text<1, 8>>,
        /// The text.
        pub content: Text<1, 1024, true>,
    }
}

input! {
    /// A message, when it is shown and where.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct MessageInput {
        /// Its number; one with the same is replaced.
        pub id: u32,
        /// How urgent it is.
        pub priority: MessagePriority,
        /// Only while the station does this.
        pub state: Option<MessageState>,
        /// From when.
        pub start_date_time as "startDateTime": Option<Timestamp>,
        /// Until when.
        pub end_date_time as "endDateTime": Option<Timestamp>,
        /// Only during this transaction, by the station's name of it.
        pub transaction_id as "transactionId": Option<Text<1, 36>>,
        /// What is written.
        pub message: MessageContentInput,
        /// The same in other languages (OCPP 2.1).
        pub message_extra as "messageExtra": Option<Vec<MessageContentInput>>,
        /// On which display, where there are several.
        pub display: Option<ComponentInput>,
    }
}

input! {
    /// A message to show.
    #[derive(Serialize)]
    #[schema(example = json!({"message": {"id": 1, "priority": "NormalCycle",
        "message": {"format": "UTF8", "content": "Back at noon"}}}))]
    pub struct DisplayMessageRequest {
        /// The message.
        pub message: MessageInput,
    }
}

input! {
    /// Which messages to report; all when empty.
    #[derive(Serialize)]
    pub struct DisplayMessagesRequest {
        /// With one of these numbers.
        pub id: Option<Vec<u32>>,
        /// As urgent as this.
        pub priority: Option<MessagePriority>,
        /// Those for this state.
        pub state: Option<MessageState>,
    }
}

input! {
    /// Which message to show no longer.
    #[derive(Serialize)]
    #[schema(example = json!({"id": 1}))]
    pub struct ClearDisplayMessageRequest {
        /// Its number.
        pub id: u32,
    }
}

input! {
    /// A stream instead of events (OCPP 2.1).
    #[derive(Serialize)]
    pub struct StreamInput {
        /// Seconds between two messages.
        pub interval: Option<u32>,
        /// Values in one message.
        pub values: Option<u32>,
    }
}

input! {
    /// What is to be watched for.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct MonitorInput {
        /// The number of the monitor to replace; a new one when absent.
        pub id: Option<u32>,
        /// Only while a transaction runs.
        pub transaction: Option<bool>,
        /// The threshold, the change, or seconds.
        pub value: f64,
        /// What it watches for.
        #[serde(rename = "type")]
        pub kind as "type": MonitorType,
        /// How severe its events are.
        pub severity: Severity,
        /// The component.
        pub component: ComponentInput,
        /// The variable.
        pub variable: VariableInput,
        /// A stream instead of events (OCPP 2.1).
        pub periodic_event_stream as "periodicEventStream": Option<StreamInput>,
    }
}

input! {
    /// What is to be watched.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"setMonitoringData": [{"type": "UpperThreshold", "value": 70, "severity": 4,
        "component": {"name": "ChargingStation"}, "variable": {"name": "Temperature"}}]}))]
    pub struct VariableMonitoringRequest {
        /// The monitors.
        #[schema(value_type = Vec<MonitorInput>, min_items = 1)]
        pub set_monitoring_data as "setMonitoringData": Monitors,
    }
}

input! {
    /// Which monitors to forget.
    #[derive(Serialize)]
    #[schema(example = json!({"id": [1]}))]
    pub struct ClearMonitoringRequest {
        /// Their numbers.
        #[schema(value_type = Vec<u32>, min_items = 1)]
        pub id: Ids,
    }
}

input! {
    /// Which monitors to report; all when empty.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct MonitoringReportRequest {
        /// Of these.
        pub component_variable as "componentVariable": Option<Vec<ComponentVariableInput>>,
        /// Of these kinds.
        pub monitoring_criteria as "monitoringCriteria": Option<Vec<MonitoringCriterion>>,
    }
}

input! {
    /// Which monitors are active.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct MonitoringBaseRequest {
        /// All, those of the factory, or those of the hardware alone.
        pub monitoring_base as "monitoringBase": MonitoringBase,
    }
}

input! {
    /// Which events are reported.
    #[derive(Serialize)]
    pub struct MonitoringLevelRequest {
        /// Those that are as severe as this, or more: a lower number.
        pub severity: Severity,
    }
}

input! {
    /// A control of grid support, with the settings of its type.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"isDefault": false, "controlId": "c-1", "controlType": "LimitMaxDischarge",
        "limitMaxDischarge": {"priority": 0, "pctMaxDischargePower": 50}}))]
    pub struct DerControlRequest {
        /// Whether it holds where no other does.
        pub is_default as "isDefault": bool,
        /// Its name.
        pub control_id as "controlId": Text<1, 36>,
        /// Its type, for example LimitMaxDischarge or VoltVar.
        pub control_type as "controlType": Text<1, 50>,
        /// A curve, for the types that have one.
        #[schema(value_type = Option<Object>)]
        pub curve: Option<RawObject>,
        /// For EnterService.
        #[schema(value_type = Option<Object>)]
        pub enter_service as "enterService": Option<RawObject>,
        /// For FixedPFAbsorb.
        #[serde(rename = "fixedPFAbsorb")]
        #[schema(value_type = Option<Object>)]
        pub fixed_pf_absorb as "fixedPFAbsorb": Option<RawObject>,
        /// For FixedPFInject.
        #[serde(rename = "fixedPFInject")]
        #[schema(value_type = Option<Object>)]
        pub fixed_pf_inject as "fixedPFInject": Option<RawObject>,
        /// For FixedVar.
        #[schema(value_type = Option<Object>)]
        pub fixed_var as "fixedVar": Option<RawObject>,
        /// For FreqDroop.
        #[schema(value_type = Option<Object>)]
        pub freq_droop as "freqDroop": Option<RawObject>,
        /// For Gradients.
        #[schema(value_type = Option<Object>)]
        pub gradient: Option<RawObject>,
        /// For LimitMaxDischarge.
        #[schema(value_type = Option<Object>)]
        pub limit_max_discharge as "limitMaxDischarge": Option<RawObject>,
    }
}

input! {
    /// Which controls of grid support to report; all when empty.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct GetDerControlRequest {
        /// Defaults alone, or others alone.
        pub is_default as "isDefault": Option<bool>,
        /// Of this type.
        pub control_type as "controlType": Option<Text<1, 50>>,
        /// With this name.
        pub control_id as "controlId": Option<Text<1, 36>>,
    }
}

input! {
    /// Which controls of grid support to forget.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    #[schema(example = json!({"isDefault": false, "controlId": "c-1"}))]
    pub struct ClearDerControlRequest {
        /// Defaults, or others.
        pub is_default as "isDefault": bool,
        /// Of this type.
        pub control_type as "controlType": Option<Text<1, 50>>,
        /// With this name.
        pub control_id as "controlId": Option<Text<1, 36>>,
    }
}

input! {
    /// Who swaps batteries.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct BatterySwapRequest {
        /// The token.
        pub id_token as "idToken": IdTokenInput,
    }
}

input! {
    /// A signal of the automatic frequency restoration reserve.
    #[derive(Serialize)]
    #[schema(example = json!({"timestamp": "2026-04-24T03:00:00Z", "signal": 1}))]
    pub struct AfrrSignalRequest {
        /// From when it holds.
        pub timestamp: Timestamp,
        /// Its value; `v2xSignalWattCurve` of the charging profile says what power that is.
        pub signal: i32,
    }
}

/// The same without what is absent: stations are never sent null, nor lists of nothing.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let said = fields.into_iter().map(|(name, value)| (name, without_nothing(value)));
            let is_something =
                |(_, value): &(String, Value)| !value.is_null() && !value.as_array().is_some_and(Vec::is_empty);
            said.filter(is_something).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nothing).collect(),
        other => other,
    }
}

macro_rules! device_requests {
    ($($body:ty => $request:ident;)*) => {$(
        impl From<$body> for StationCommand {
            fn from(body: $body) -> Self {
                let (request, payload) = (DeviceRequest::$request, without_nothing(json!(body)));
                Self::Device { request, payload }
            }
        }
    )*};
}

device_requests! {
    ReportRequest => GetReport;
    TransactionStatusRequest => GetTransactionStatus;
    ChargingProfilesRequest => GetChargingProfiles;
    CustomerInformationRequest => CustomerInformation;
    DisplayMessageRequest => SetDisplayMessage;
    DisplayMessagesRequest => GetDisplayMessages;
    ClearDisplayMessageRequest => ClearDisplayMessage;
    VariableMonitoringRequest => SetVariableMonitoring;
    ClearMonitoringRequest => ClearVariableMonitoring;
    MonitoringReportRequest => GetMonitoringReport;
    MonitoringBaseRequest => SetMonitoringBase;
    MonitoringLevelRequest => SetMonitoringLevel;
    DerControlRequest => SetDerControl;
    GetDerControlRequest => GetDerControl;
    ClearDerControlRequest => ClearDerControl;
    BatterySwapRequest => RequestBatterySwap;
    AfrrSignalRequest => AfrrSignal;
}
