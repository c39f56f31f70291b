//! Commands to stations with a device model (OCPP 2). Those that a report follows wait for it unless asked not to, and answer
//! it as `report`.

use actix_web::{HttpResponse, post, web};

use super::target::{Target, Wait, shown};
use crate::control::actions::device::*;
use crate::control::actions::model::ActionView;
use crate::control::actions::performer::Performer;
use crate::events::ActionKind;
use crate::http::caller::WriteStations;
use crate::http::docs::CommandErrors;
use crate::http::envelope::Reply;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Body, Caller, Ctx, PathId, Query};
use crate::sites::stations::link::StationCommand;
use kernel::StationId;

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_report)
        .service(get_transaction_status)
        .service(get_charging_profiles)
        .service(customer_information)
        .service(set_display_message)
        .service(get_display_messages)
        .service(clear_display_message)
        .service(set_variable_monitoring)
        .service(clear_variable_monitoring)
        .service(get_monitoring_report)
        .service(set_monitoring_base)
        .service(set_monitoring_level)
        .service(set_der_control)
        .service(get_der_control)
        .service(clear_der_control)
        .service(request_battery_swap)
        .service(send_afrr_signal);
}

station_commands! {
    /// Asks for variables by component, by variable or by state, and waits until the report of them is whole (OCPP 2).
    get_report "/chargestations/{id}/get_report" StationGetReport (ReportRequest) wait true WriteStations;
    /// Asks whether a transaction runs and whether messages of it are still to come (OCPP 2).
    get_transaction_status "/chargestations/{id}/get_transaction_status" StationGetTransactionStatus (TransactionStatusRequest) wait true WriteStations;
    /// Asks which charging profiles are installed, and waits until the report of them is whole (OCPP 2).
    get_charging_profiles "/chargestations/{id}/get_charging_profiles" StationGetChargingProfiles (ChargingProfilesRequest) wait true WriteStations;
    /// Asks what a station knows of a customer, or to forget it (OCPP 2).
    customer_information "/chargestations/{id}/customer_information" StationCustomerInformation (CustomerInformationRequest) wait true WriteStations;
    /// Shows a message on the display of a station, in the place of one with the same id (OCPP 2).
    set_display_message "/chargestations/{id}/set_display_message" StationSetDisplayMessage (DisplayMessageRequest) wait false WriteStations;
    /// Asks which messages a station shows, and waits until the report of them is whole (OCPP 2).
    get_display_messages "/chargestations/{id}/get_display_messages" StationGetDisplayMessages (DisplayMessagesRequest) wait true WriteStations;
    /// Shows a message no longer (OCPP 2).
    clear_display_message "/chargestations/{id}/clear_display_message" StationClearDisplayMessage (ClearDisplayMessageRequest) wait false WriteStations;
    /// Watches variables: the station reports an event when one crosses a threshold, changes, or regularly (OCPP 2).
    set_variable_monitoring "/chargestations/{id}/set_variable_monitoring" StationSetVariableMonitoring (VariableMonitoringRequest) wait true WriteStations;
    /// Watches variables no longer (OCPP 2).
    clear_variable_monitoring "/chargestations/{id}/clear_variable_monitoring" StationClearVariableMonitoring (ClearMonitoringRequest) wait true WriteStations;
    /// Asks what is watched, and waits until the report of it is whole (OCPP 2).
    get_monitoring_report "/chargestations/{id}/get_monitoring_report" StationGetMonitoringReport (MonitoringReportRequest) wait true WriteStations;
    /// Says which monitors are active (OCPP 2).
    set_monitoring_base "/chargestations/{id}/set_monitoring_base" StationSetMonitoringBase (MonitoringBaseRequest) wait false WriteStations;
    /// Says how severe an event of a monitor must be to be reported (OCPP 2).
    set_monitoring_level "/chargestations/{id}/set_monitoring_level" StationSetMonitoringLevel (MonitoringLevelRequest) wait false WriteStations;
    /// Sets how a station that feeds into the grid behaves there (OCPP 2.1).
    set_der_control "/chargestations/{id}/set_der_control" StationSetDerControl (DerControlRequest) wait false WriteStations;
    /// Asks which controls of grid support are set, and waits until the report of them is whole (OCPP 2.1).
    get_der_control "/chargestations/{id}/get_der_control" StationGetDerControl (GetDerControlRequest) wait true WriteStations;
    /// Forgets controls of grid support (OCPP 2.1).
    clear_der_control "/chargestations/{id}/clear_der_control" StationClearDerControl (ClearDerControlRequest) wait false WriteStations;
    /// Lets somebody swap batteries; how it goes comes by events that repeat its number (OCPP 2.1).
    request_battery_swap "/chargestations/{id}/request_battery_swap" StationRequestBatterySwap (BatterySwapRequest) wait false WriteStations;
    /// Passes a signal of the grid's automatic frequency restoration reserve on to a station, whose charging profile says what power it means (OCPP 2.1).
    send_afrr_signal "/chargestations/{id}/afrr_signal" StationAfrrSignal (AfrrSignalRequest) wait false WriteStations;
}
