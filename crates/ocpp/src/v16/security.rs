//! Security (OCPP 1.6 security whitepaper): certificates, security events, logs and signed firmware.

use super::common::*;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    /// What became of the installation.
    pub open enum InstallCertificateStatus { Accepted, Failed, Rejected }
}

crate::choice! {
    /// What became of the deletion.
    pub open enum DeleteCertificateStatus { Accepted, Failed, NotFound }
}

crate::choice! {
    /// Whether there are certificates of the kind.
    pub open enum GetInstalledCertificateStatus { Accepted, NotFound }
}

crate::choice! {
    /// Which log.
    pub enum LogKind { Diagnostics = "DiagnosticsLog", Security = "SecurityLog" }
}

crate::message! {
    /// Which part of a log, and where to.
    pub struct LogParameters {
        /// The URL to upload to.
        pub remote_location: Exact<512>,
        /// Nothing older than this.
        pub oldest_timestamp: Option<Timestamp>,
        /// Nothing younger than this.
        pub latest_timestamp: Option<Timestamp>,
    }
}

crate::choice! {
    /// What became of the request; `AcceptedCanceled` gives up an upload that was running.
    pub open enum LogStatus { Accepted, Rejected, AcceptedCanceled }
}

crate::choice! {
    /// The states of an upload of a log.
    pub open enum UploadLogStatus {
        BadMessage, Idle, NotSupportedOperation, PermissionDenied, Uploaded, UploadFailure, Uploading,
    }
}

crate::message! {
    /// Where the firmware is and who vouches for it.
    pub struct SignedFirmware {
        /// Its URL.
        pub location: Exact<512>,
        /// When to fetch it.
        pub retrieve_date_time: Timestamp,
        /// When to install it.
        pub install_date_time: Option<Timestamp>,
        /// The certificate it was signed with, as PEM.
        pub signing_certificate: Exact<5500>,
        /// The signature, in base64.
        pub signature: Exact<800>,
    }
}

crate::choice! {
    /// What became of a signed update.
    pub open enum SignedUpdateFirmwareStatus {
        Accepted, Rejected, AcceptedCanceled, InvalidCertificate, RevokedCertificate,
    }
}

crate::choice! {
    /// The states of a signed update.
    pub open enum SignedFirmwareStatus {
        Downloaded, DownloadFailed, Downloading, DownloadScheduled, DownloadPaused, Idle, InstallationFailed, Installing,
        Installed, InstallRebooting, InstallScheduled, InstallVerificationFailed, InvalidSignature, SignatureVerified,
    }
}

crate::choice! {
    /// What a station can be asked to say, its certificate request too.
    pub enum ExtendedMessageTrigger {
        BootNotification, LogStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        SignChargePointCertificate, StatusNotification,
    }
}

crate::choice! {
    /// Whether a station will say it.
    pub open enum ExtendedTriggerMessageStatus { Accepted, Rejected, NotImplemented }
}

crate::exchange! {
    /// SignCertificate (security whitepaper, use cases A02 and A03): please sign my certificate request.
    ///
    /// The certificate follows as CertificateSigned.
    sign_certificate
    asks {
        /// PKCS #10, as PEM.
        csr: Exact<5500>,
    }
    answers {
        /// Whether it will be signed.
        status: Acceptance,
    }
}

crate::exchange! {
    /// CertificateSigned (security whitepaper, use cases A02 and A03): the certificate that was asked for by
    /// SignCertificate.
    certificate_signed
    asks {
        /// The certificate and those above it, as PEM, the station's own first.
        certificate_chain: Exact<10000>,
    }
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}

crate::exchange! {
    /// InstallCertificate (security whitepaper, use case M05): trust this root certificate.
    install_certificate
    asks {
        /// What it is for.
        certificate_type: RootCertificate,
        /// The certificate, as PEM.
        certificate: Exact<5500>,
    }
    answers {
        /// What became of it.
        status: InstallCertificateStatus,
    }
}

crate::exchange! {
    /// DeleteCertificate (security whitepaper, use case M04): trust this root certificate no longer.
    delete_certificate
    asks {
        /// Which one.
        certificate_hash_data: CertificateHash,
    }
    answers {
        /// What became of it.
        status: DeleteCertificateStatus,
    }
}

crate::exchange! {
    /// GetInstalledCertificateIds (security whitepaper, use case M03): which root certificates do you trust?
    get_installed_certificate_ids
    asks {
        /// Which kind.
        certificate_type: RootCertificate,
    }
    answers {
        /// What distinguishes them.
        certificate_hash_data: Option<Vec<CertificateHash>>,
        /// Whether there are any.
        status: GetInstalledCertificateStatus,
    }
}

crate::exchange! {
    /// SecurityEventNotification (security whitepaper, use case A04): something suspicious happened.
    security_event_notification
    asks {
        /// The kind of event, such as `InvalidMessages`; vendors have their own.
        r#type: Label<50>,
        /// When it happened.
        timestamp: Timestamp,
        /// What a technician should know.
        tech_info: Option<Label<255>>,
    }
    answers {}
}

crate::exchange! {
    /// GetLog (security whitepaper, use case N01): upload a log.
    get_log
    asks {
        /// Which part of it, and where to.
        log: LogParameters,
        /// Which log.
        log_type: LogKind,
        /// Our number, repeated in every LogStatusNotification.
        request_id: i64,
        /// How often to try.
        retries: Option<u32>,
        /// Seconds between two tries.
        retry_interval: Option<u32>,
    }
    answers {
        /// What became of it; `AcceptedCanceled` gives up an upload that was running.
        status: LogStatus,
        /// The name of the file.
        filename: Option<Label<255>>,
    }
}

crate::exchange! {
    /// LogStatusNotification (security whitepaper, use case N01): how far the upload of a log is.
    log_status_notification
    asks {
        /// How far it is.
        status: UploadLogStatus,
        /// The number of the order it belongs to.
        request_id: Option<i64>,
    }
    answers {}
}

crate::exchange! {
    /// SignedUpdateFirmware (security whitepaper, use case L01): fetch, verify and install a firmware.
    signed_update_firmware
    asks {
        /// How often to try.
        retries: Option<u32>,
        /// Seconds between two tries.
        retry_interval: Option<u32>,
        /// Our number, repeated in every SignedFirmwareStatusNotification.
        request_id: i64,
        /// The firmware.
        firmware: SignedFirmware,
    }
    answers {
        /// What became of it.
        status: SignedUpdateFirmwareStatus,
    }
}

crate::exchange! {
    /// SignedFirmwareStatusNotification (security whitepaper, use case L01): how far a signed update is.
    signed_firmware_status_notification
    asks {
        /// How far it is.
        status: SignedFirmwareStatus,
        /// The number of the order it belongs to.
        request_id: Option<i64>,
    }
    answers {}
}

crate::exchange! {
    /// ExtendedTriggerMessage (security whitepaper, use cases A02 and N01): TriggerMessage with the messages of the
    /// whitepaper.
    extended_trigger_message
    asks {
        /// What to say.
        requested_message: ExtendedMessageTrigger,
        /// About which connector.
        connector_id: Option<u32>,
    }
    answers {
        /// What became of it.
        status: ExtendedTriggerMessageStatus,
    }
}
