//! Firmware and diagnostics (OCPP 1.6 Firmware Management profile, §4.4, §4.5, §5.9 and §5.19).

use crate::text::Label;
use kernel::Timestamp;

crate::choice! {
    /// The states of an update (§7.25).
    pub open enum FirmwareStatus {
        Downloaded, DownloadFailed, Downloading, Idle, InstallationFailed, Installing, Installed,
    }
}

crate::choice! {
    /// The states of an upload of diagnostics (§7.24).
    pub open enum DiagnosticsStatus { Idle, Uploaded, UploadFailed, Uploading }
}

crate::exchange! {
    /// UpdateFirmware (§5.19): fetch and install a firmware.
    ///
    /// The answer says nothing; FirmwareStatusNotification reports the rest.
    update_firmware
    asks {
        /// The URL of the firmware.
        location: String,
        /// How often to try.
        retries: Option<u32>,
        /// When to fetch it.
        retrieve_date: Timestamp,
        /// Seconds between two tries.
        retry_interval: Option<u32>,
    }
    answers {}
}

crate::exchange! {
    /// FirmwareStatusNotification (§4.5): how far an update of the firmware is.
    firmware_status_notification
    asks {
        /// How far it is.
        status: FirmwareStatus,
    }
    answers {}
}

crate::exchange! {
    /// GetDiagnostics (§5.9): upload your diagnostics.
    get_diagnostics
    asks {
        /// The URL of the directory to upload to.
        location: String,
        /// How often to try.
        retries: Option<u32>,
        /// Seconds between two tries.
        retry_interval: Option<u32>,
        /// Nothing older than this.
        start_time: Option<Timestamp>,
        /// Nothing younger than this.
        stop_time: Option<Timestamp>,
    }
    answers {
        /// The name of the file; absent when there is nothing to upload.
        file_name: Option<Label<255>>,
    }
}

crate::exchange! {
    /// DiagnosticsStatusNotification (§4.4): how far the upload of diagnostics is.
    diagnostics_status_notification
    asks {
        /// How far it is.
        status: DiagnosticsStatus,
    }
    answers {}
}
