//! Firmware (functional block L).

use super::common::*;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum FirmwareStatus {
        Downloaded, DownloadFailed, Downloading, DownloadScheduled, DownloadPaused, Idle, InstallationFailed,
        Installing, Installed, InstallRebooting, InstallScheduled, InstallVerificationFailed, InvalidSignature,
        SignatureVerified,
    }
}

crate::choice! {
    pub open enum PublishFirmwareStatus {
        Idle, DownloadScheduled, Downloading, Downloaded, Published, DownloadFailed, DownloadPaused, InvalidChecksum,
        ChecksumVerified, PublishFailed,
    }
}

crate::choice! {
    pub open enum UnpublishFirmwareStatus { DownloadOngoing, NoFirmware, Unpublished }
}

crate::message! {
    /// Firmware, where it is and when to install it.
    pub struct Firmware {
        pub install_date_time: Option<Timestamp>,
        pub location: Exact<2000, 512>,
        pub retrieve_date_time: Timestamp,
        pub signature: Option<Exact<800>>,
        pub signing_certificate: Option<Exact<5500>>,
    }
}

crate::choice! {
    pub open enum UpdateFirmwareStatus {
        Accepted, Rejected, AcceptedCanceled, InvalidCertificate, RevokedCertificate,
    }
}

crate::exchange! {
    /// How an update goes (L01).
    firmware_status_notification
    asks {
        status: FirmwareStatus,
        request_id: Option<i64>,
        status_info: Option<StatusInfo> [V21],
    }
    answers {}
}

crate::exchange! {
    /// Offer firmware to the stations behind a local controller (L03).
    publish_firmware
    asks {
        location: Exact<2000, 512>,
        retries: Option<u32>,
        checksum: Exact<32>,
        request_id: u32,
        retry_interval: Option<u32>,
    }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// How the offering goes (L03).
    publish_firmware_status_notification
    asks {
        status: PublishFirmwareStatus,
        location: Option<Vec<Exact<2000, 512>>>,
        request_id: Option<u32>,
        status_info: Option<StatusInfo> [V21],
    }
    answers {}
}

crate::exchange! {
    /// Offer it no longer (L04).
    unpublish_firmware
    asks { checksum: Exact<32> }
    answers { status: UnpublishFirmwareStatus }
}

crate::exchange! {
    /// Fetch and install firmware (L01, L02).
    update_firmware
    asks {
        retries: Option<u32>,
        retry_interval: Option<i64>,
        request_id: i64,
        firmware: Firmware,
    }
    answers { status: UpdateFirmwareStatus, status_info: Option<StatusInfo> }
}
