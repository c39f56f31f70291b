//! OCPP 1.6 with the security whitepaper: what a station may send and what it may be sent, one file a functional block.
//!
//! The blocks are those of OCPP 2, so that what is alike stands alike; each names the feature profile that it is of. A new
//! action is an `exchange!` in the file of its block and a word in the list below.

pub mod authorization;
pub mod availability;
pub mod charging_profile;
pub mod common;
pub mod firmware;
pub mod meter;
pub mod provisioning;
pub mod remote_control;
pub mod reservation;
pub mod security;
pub mod smart_charging;
pub mod transactions;

pub use authorization::*;
pub use availability::*;
pub use firmware::*;
pub use meter::meter_values;
pub use provisioning::*;
pub use remote_control::*;
pub use reservation::*;
pub use security::*;
pub use smart_charging::*;
pub use transactions::*;

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
