//! Diagnostics (functional block N): logs, monitors, what is known of customers.

use super::common::*;
use crate::number::Number;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    pub open enum ClearMonitoringStatus { Accepted, Rejected, NotFound }
}

crate::message! {
    /// Whether a monitor is gone.
    pub struct ClearMonitoringResult {
        pub id: u32,
        pub status: ClearMonitoringStatus,
        pub status_info: Option<StatusInfo>,
    }
}

crate::choice! {
    pub open enum CustomerInformationStatus { Accepted, Rejected, Invalid }
}

crate::choice! {
    pub enum LogKind { DiagnosticsLog, SecurityLog, DataCollectorLog [V21] }
}

crate::message! {
    /// Where a log is uploaded to, and from when until when it is wanted.
    pub struct LogParameters {
        pub latest_timestamp: Option<Timestamp>,
        pub oldest_timestamp: Option<Timestamp>,
        pub remote_location: Exact<2000, 512>,
    }
}

crate::choice! {
    pub open enum LogStatus { Accepted, Rejected, AcceptedCanceled }
}

crate::choice! {
    pub enum MonitoringCriterion { ThresholdMonitoring, DeltaMonitoring, PeriodicMonitoring }
}

crate::choice! {
    pub open enum UploadLogStatus {
        BadMessage, Idle, NotSupportedOperation, PermissionDenied, Uploaded, UploadFailure, Uploading,
        AcceptedCanceled,
    }
}

crate::choice! {
    pub open enum EventNotification { HardWiredNotification, HardWiredMonitor, PreconfiguredMonitor, CustomMonitor }
}

crate::choice! {
    pub open enum EventTrigger { Alerting, Delta, Periodic }
}

crate::message! {
    /// What happened to a variable.
    pub struct EventData {
        pub actual_value: Label<2500>,
        pub cause: Option<u32>,
        pub cleared: Option<bool>,
        pub component: Component,
        pub event_id: u32,
        pub event_notification_type: EventNotification,
        pub severity: Option<u32> [V21],
        pub tech_code: Option<Label<50>>,
        pub tech_info: Option<Label<500>>,
        pub timestamp: Timestamp,
        pub transaction_id: Option<Exact<36>>,
        pub trigger: EventTrigger,
        pub variable: Variable,
        pub variable_monitoring_id: Option<u32>,
    }
}

crate::choice! {
    pub open enum MonitorKind {
        UpperThreshold, LowerThreshold, Delta, Periodic, PeriodicClockAligned, TargetDelta [V21],
        TargetDeltaRelative [V21],
    }
}

crate::message! {
    /// A variable and what watches it.
    pub struct MonitoringData {
        pub component: Component,
        pub variable: Variable,
        pub variable_monitoring: Vec<VariableMonitoring>,
    }
}

crate::message! {
    /// A monitor.
    pub struct VariableMonitoring {
        pub event_notification_type: Option<EventNotification> [V21],
        pub id: u32,
        pub severity: u32,
        pub transaction: bool,
        pub r#type: MonitorKind,
        pub value: Number,
    }
}

crate::choice! {
    pub enum MonitoringBase { All, FactoryDefault, HardWiredOnly }
}

crate::message! {
    /// A monitor to set.
    pub struct SetMonitoringData {
        pub component: Component,
        pub id: Option<u32>,
        pub periodic_event_stream: Option<PeriodicEventStreamParams> [V21],
        pub severity: u32,
        pub transaction: Option<bool>,
        pub r#type: MonitorKind,
        pub value: Number,
        pub variable: Variable,
    }
}

crate::choice! {
    pub open enum SetMonitoringStatus {
        Accepted, UnknownComponent, UnknownVariable, UnsupportedMonitorType, Rejected, Duplicate,
    }
}

crate::message! {
    /// Whether a monitor was set.
    pub struct SetMonitoringResult {
        pub component: Component,
        pub id: Option<u32>,
        pub severity: u32,
        pub status: SetMonitoringStatus,
        pub status_info: Option<StatusInfo>,
        pub r#type: MonitorKind,
        pub variable: Variable,
    }
}

crate::exchange! {
    /// Watch variables no longer (N06).
    clear_variable_monitoring
    asks { id: Vec<u32> }
    answers { clear_monitoring_result: Vec<ClearMonitoringResult> }
}

crate::exchange! {
    /// Report or forget what is known of a customer (N09, N10).
    customer_information
    asks {
        customer_certificate: Option<CertificateHashData>,
        id_token: Option<IdToken>,
        request_id: u32,
        report: bool,
        clear: bool,
        customer_identifier: Option<Exact<64>>,
    }
    answers { status: CustomerInformationStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Upload a log (N01).
    get_log
    asks {
        log: LogParameters,
        log_type: LogKind,
        request_id: i64,
        retries: Option<u32>,
        retry_interval: Option<i64>,
    }
    answers {
        status: LogStatus,
        status_info: Option<StatusInfo>,
        filename: Option<Exact<255>>,
    }
}

crate::exchange! {
    /// Report what is watched (N02).
    get_monitoring_report
    asks {
        component_variable: Option<Vec<ComponentVariable>>,
        request_id: i64,
        monitoring_criteria: Option<Vec<MonitoringCriterion>>,
    }
    answers { status: GenericDeviceModelStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// How an upload goes (N01).
    log_status_notification
    asks {
        status: UploadLogStatus,
        request_id: Option<i64>,
        status_info: Option<StatusInfo> [V21],
    }
    answers {}
}

crate::exchange! {
    /// A part of what is known of a customer (N09).
    notify_customer_information
    asks {
        data: Exact<512>,
        tbc: Option<bool>,
        seq_no: u32,
        generated_at: Timestamp,
        request_id: u32,
    }
    answers {}
}

crate::exchange! {
    /// What a monitor noticed (N07).
    notify_event
    asks {
        generated_at: Timestamp,
        tbc: Option<bool>,
        seq_no: u32,
        event_data: Vec<EventData>,
    }
    answers {}
}

crate::exchange! {
    /// A part of the report of what is watched (N02).
    notify_monitoring_report
    asks {
        monitor: Option<Vec<MonitoringData>>,
        request_id: i64,
        tbc: Option<bool>,
        seq_no: u32,
        generated_at: Timestamp,
    }
    answers {}
}

crate::exchange! {
    /// Which monitors are active (N03).
    set_monitoring_base
    asks { monitoring_base: MonitoringBase }
    answers { status: GenericDeviceModelStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// How severe an event must be to be reported (N05).
    set_monitoring_level
    asks { severity: u32 }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Watch variables (N04).
    set_variable_monitoring
    asks { set_monitoring_data: Vec<SetMonitoringData> }
    answers { set_monitoring_result: Vec<SetMonitoringResult> }
}
