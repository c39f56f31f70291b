//! OCPP 2.0.1 and 2.1: what a station may send and what it may be sent, one file a functional block.
//!
//! 2.1 is 2.0.1 with more in it. What is marked `[V21]` does not exist for stations that speak 2.0.1; they are never sent it.

#![allow(
    missing_docs,
    reason = "fields and lists bear the names of the specification, whose part 2 describes each of them"
)]

pub mod authorization;
pub mod availability;
pub mod certificates;
pub mod charging_profile;
pub mod common;
pub mod cost;
pub mod der;
pub mod diagnostics;
pub mod display;
pub mod firmware;
pub mod metering;
pub mod provisioning;
pub mod remote_control;
pub mod reservation;
pub mod security;
pub mod smart_charging;
pub mod streams;
pub mod swapping;
pub mod transactions;
pub mod transfer;

pub use authorization::*;
pub use availability::*;
pub use certificates::*;
pub use charging_profile::*;
pub use common::*;
pub use cost::*;
pub use der::*;
pub use diagnostics::*;
pub use display::*;
pub use firmware::*;
pub use metering::*;
pub use provisioning::*;
pub use remote_control::*;
pub use reservation::*;
pub use security::*;
pub use smart_charging::*;
pub use streams::*;
pub use swapping::*;
pub use transactions::*;
pub use transfer::*;

crate::actions! {
    from_station {
        Authorize = authorize,
        BatterySwap = battery_swap [V21],
        BootNotification = boot_notification,
        ClearedChargingLimit = cleared_charging_limit,
        ClosePeriodicEventStream = close_periodic_event_stream [V21],
        FirmwareStatusNotification = firmware_status_notification,
        Get15118EVCertificate = get_15118_ev_certificate,
        GetCertificateChainStatus = get_certificate_chain_status [V21],
        GetCertificateStatus = get_certificate_status,
        Heartbeat = heartbeat,
        LogStatusNotification = log_status_notification,
        MeterValues = meter_values,
        NotifyChargingLimit = notify_charging_limit,
        NotifyCustomerInformation = notify_customer_information,
        NotifyDERAlarm = notify_der_alarm [V21],
        NotifyDERStartStop = notify_der_start_stop [V21],
        NotifyDisplayMessages = notify_display_messages,
        NotifyEVChargingNeeds = notify_ev_charging_needs,
        NotifyEVChargingSchedule = notify_ev_charging_schedule,
        NotifyEvent = notify_event,
        NotifyMonitoringReport = notify_monitoring_report,
        NotifyPeriodicEventStream = notify_periodic_event_stream [V21],
        NotifyPriorityCharging = notify_priority_charging [V21],
        NotifyReport = notify_report,
        NotifySettlement = notify_settlement [V21],
        OpenPeriodicEventStream = open_periodic_event_stream [V21],
        PublishFirmwareStatusNotification = publish_firmware_status_notification,
        PullDynamicScheduleUpdate = pull_dynamic_schedule_update [V21],
        ReportChargingProfiles = report_charging_profiles,
        ReportDERControl = report_der_control [V21],
        ReservationStatusUpdate = reservation_status_update,
        SecurityEventNotification = security_event_notification,
        SignCertificate = sign_certificate,
        StatusNotification = status_notification,
        TransactionEvent = transaction_event,
        VatNumberValidation = vat_number_validation [V21],
    }
    both_ways {
        DataTransfer = data_transfer,
    }
    to_station {
        AFRRSignal = afrr_signal [V21],
        AdjustPeriodicEventStream = adjust_periodic_event_stream [V21],
        CancelReservation = cancel_reservation,
        CertificateSigned = certificate_signed,
        ChangeAvailability = change_availability,
        ChangeTransactionTariff = change_transaction_tariff [V21],
        ClearCache = clear_cache,
        ClearChargingProfile = clear_charging_profile,
        ClearDERControl = clear_der_control [V21],
        ClearDisplayMessage = clear_display_message,
        ClearTariffs = clear_tariffs [V21],
        ClearVariableMonitoring = clear_variable_monitoring,
        CostUpdated = cost_updated,
        CustomerInformation = customer_information,
        DeleteCertificate = delete_certificate,
        GetBaseReport = get_base_report,
        GetChargingProfiles = get_charging_profiles,
        GetCompositeSchedule = get_composite_schedule,
        GetDERControl = get_der_control [V21],
        GetDisplayMessages = get_display_messages,
        GetInstalledCertificateIds = get_installed_certificate_ids,
        GetLocalListVersion = get_local_list_version,
        GetLog = get_log,
        GetMonitoringReport = get_monitoring_report,
        GetPeriodicEventStream = get_periodic_event_stream [V21],
        GetReport = get_report,
        GetTariffs = get_tariffs [V21],
        GetTransactionStatus = get_transaction_status,
        GetVariables = get_variables,
        InstallCertificate = install_certificate,
        NotifyAllowedEnergyTransfer = notify_allowed_energy_transfer [V21],
        NotifyWebPaymentStarted = notify_web_payment_started [V21],
        PublishFirmware = publish_firmware,
        RequestBatterySwap = request_battery_swap [V21],
        RequestStartTransaction = request_start_transaction,
        RequestStopTransaction = request_stop_transaction,
        ReserveNow = reserve_now,
        Reset = reset,
        SendLocalList = send_local_list,
        SetChargingProfile = set_charging_profile,
        SetDERControl = set_der_control [V21],
        SetDefaultTariff = set_default_tariff [V21],
        SetDisplayMessage = set_display_message,
        SetMonitoringBase = set_monitoring_base,
        SetMonitoringLevel = set_monitoring_level,
        SetNetworkProfile = set_network_profile,
        SetVariableMonitoring = set_variable_monitoring,
        SetVariables = set_variables,
        TriggerMessage = trigger_message,
        UnlockConnector = unlock_connector,
        UnpublishFirmware = unpublish_firmware,
        UpdateDynamicSchedule = update_dynamic_schedule [V21],
        UpdateFirmware = update_firmware,
        UsePriorityCharging = use_priority_charging [V21],
    }
}
