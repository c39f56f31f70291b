//! OCPP 1.6 with the security whitepaper: what a station may say and what it may be told.
//!
//! A new action is one file, its `mod` line and one word in the list below.

pub mod authorize;
pub mod boot_notification;
pub mod cancel_reservation;
pub mod certificate_signed;
pub mod change_availability;
pub mod change_configuration;
pub mod charging_profile;
pub mod clear_cache;
pub mod clear_charging_profile;
pub mod common;
pub mod data_transfer;
pub mod delete_certificate;
pub mod diagnostics_status_notification;
pub mod extended_trigger_message;
pub mod firmware_status_notification;
pub mod get_composite_schedule;
pub mod get_configuration;
pub mod get_diagnostics;
pub mod get_installed_certificate_ids;
pub mod get_local_list_version;
pub mod get_log;
pub mod heartbeat;
pub mod install_certificate;
pub mod log_status_notification;
pub mod meter;
pub mod meter_values;
pub mod remote_start_transaction;
pub mod remote_stop_transaction;
pub mod reserve_now;
pub mod reset;
pub mod security_event_notification;
pub mod send_local_list;
pub mod set_charging_profile;
pub mod sign_certificate;
pub mod signed_firmware_status_notification;
pub mod signed_update_firmware;
pub mod start_transaction;
pub mod status_notification;
pub mod stop_transaction;
pub mod trigger_message;
pub mod unlock_connector;
pub mod update_firmware;

crate::actions! {
    from_station {
        Authorize = authorize,
        BootNotification = boot_notification,
        DiagnosticsStatusNotification = diagnostics_status_notification,
        FirmwareStatusNotification = firmware_status_notification,
        Heartbeat = heartbeat,
        LogStatusNotification = log_status_notification,
        MeterValues = meter_values,
        SecurityEventNotification = security_event_notification,
        SignCertificate = sign_certificate,
        SignedFirmwareStatusNotification = signed_firmware_status_notification,
        StartTransaction = start_transaction,
        StatusNotification = status_notification,
        StopTransaction = stop_transaction,
    }
    both_ways {
        DataTransfer = data_transfer,
    }
    to_station {
        CancelReservation = cancel_reservation,
        CertificateSigned = certificate_signed,
        ChangeAvailability = change_availability,
        ChangeConfiguration = change_configuration,
        ClearCache = clear_cache,
        ClearChargingProfile = clear_charging_profile,
        DeleteCertificate = delete_certificate,
        ExtendedTriggerMessage = extended_trigger_message,
        GetCompositeSchedule = get_composite_schedule,
        GetConfiguration = get_configuration,
        GetDiagnostics = get_diagnostics,
        GetInstalledCertificateIds = get_installed_certificate_ids,
        GetLocalListVersion = get_local_list_version,
        GetLog = get_log,
        InstallCertificate = install_certificate,
        RemoteStartTransaction = remote_start_transaction,
        RemoteStopTransaction = remote_stop_transaction,
        ReserveNow = reserve_now,
        Reset = reset,
        SendLocalList = send_local_list,
        SetChargingProfile = set_charging_profile,
        SignedUpdateFirmware = signed_update_firmware,
        TriggerMessage = trigger_message,
        UnlockConnector = unlock_connector,
        UpdateFirmware = update_firmware,
    }
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
