//! What a caller may ask of the OCPP 1.6 security whitepaper, and the command each becomes.

use super::commands::RawObject;
use crate::input;
use crate::sites::stations::link::{self, StationCommand};
use kernel::Timestamp;
use kernel::text::Text;

/// A certificate as PEM; stations take 5500 characters at most.
type Pem = Text<1, 5500, true>;
/// A URL; stations take 512 characters at most.
type Url = Text<1, 512>;

crate::spelled! {
    /// Which log.
    pub enum LogType {
        /// What helps to find a fault.
        Diagnostics = "DiagnosticsLog",
        /// Events that matter for security.
        Security = "SecurityLog",
    }
}

crate::spelled! {
    /// What a root certificate is for.
    pub enum CertificateUse {
        /// To trust this server.
        CentralSystem = "CentralSystemRootCertificate",
        /// To trust signed firmware.
        Manufacturer = "ManufacturerRootCertificate",
    }
}

input! {
    /// Which log is wanted, and where.
    pub struct LogRequest {
        /// DiagnosticsLog or SecurityLog.
        pub kind as "logType": LogType,
        /// Where to upload it.
        #[schema(example = "https://files.example.com/in")]
        pub remote_location as "remoteLocation": Url,
        /// From when.
        pub oldest as "oldestTimestamp": Option<Timestamp>,
        /// Until when.
        pub latest as "latestTimestamp": Option<Timestamp>,
        /// How often to try.
        #[schema(minimum = 0)]
        pub retries: Option<i32>,
        /// Seconds between tries.
        #[schema(minimum = 0)]
        pub retry_interval as "retryInterval": Option<i32>,
        /// The number that status notifications repeat; made when absent.
        pub request_id as "requestId": Option<i32>,
    }
}

input! {
    /// Send a message now, one of the security whitepaper too.
    pub struct ExtendedTriggerRequest {
        /// BootNotification, LogStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        /// SignChargePointCertificate or StatusNotification.
        #[schema(example = "SignChargePointCertificate")]
        pub message: Text<1, 50>,
        /// About this connector.
        #[schema(minimum = 0)]
        pub connector_id as "connectorId": Option<i32>,
    }
}

input! {
    /// A root certificate to trust.
    pub struct InstallCertificateRequest {
        /// CentralSystemRootCertificate or ManufacturerRootCertificate.
        pub kind as "certificateType": CertificateUse,
        /// The certificate as PEM.
        pub certificate: Pem,
    }
}

input! {
    /// A root certificate to trust no longer.
    pub struct DeleteCertificateRequest {
        /// hashAlgorithm, issuerNameHash, issuerKeyHash and serialNumber, as `get_installed_certificate_ids` returns them.
        #[schema(value_type = Object, example = json!({
            "hashAlgorithm": "SHA256", "issuerNameHash": "00ff", "issuerKeyHash": "00ff", "serialNumber": "01"
        }))]
        pub certificate as "certificateHashData": RawObject,
    }
}

input! {
    /// Which certificates to list.
    pub struct InstalledCertificatesRequest {
        /// CentralSystemRootCertificate or ManufacturerRootCertificate.
        pub kind as "certificateType": CertificateUse,
    }
}

input! {
    /// Firmware with a signature.
    pub struct SignedFirmwareRequest {
        /// Where it is.
        #[schema(example = "https://firmware.example.com/v2.bin")]
        pub location: Url,
        /// When to fetch it; now when absent.
        pub retrieve_at as "retrieveDateTime": Option<Timestamp>,
        /// When to install it.
        pub install_at as "installDateTime": Option<Timestamp>,
        /// The certificate it was signed with, as PEM.
        pub certificate as "signingCertificate": Pem,
        /// The signature in base64.
        #[schema(example = "c2lnbmF0dXJl")]
        pub signature: Text<1, 800, true>,
        /// How often to try.
        #[schema(minimum = 0)]
        pub retries: Option<i32>,
        /// Seconds between tries.
        #[schema(minimum = 0)]
        pub retry_interval as "retryInterval": Option<i32>,
        /// The number that status notifications repeat; made when absent.
        pub request_id as "requestId": Option<i32>,
    }
}

impl From<LogRequest> for StationCommand {
    fn from(request: LogRequest) -> Self {
        Self::GetLog(link::GetLog {
            security: request.kind == LogType::Security,
            location: request.remote_location.into(),
            oldest: request.oldest,
            latest: request.latest,
            retries: request.retries,
            retry_interval: request.retry_interval,
            request: request.request_id,
        })
    }
}

impl From<ExtendedTriggerRequest> for StationCommand {
    fn from(request: ExtendedTriggerRequest) -> Self {
        Self::ExtendedTrigger { message: request.message.into(), connector: request.connector_id }
    }
}

impl From<InstallCertificateRequest> for StationCommand {
    fn from(request: InstallCertificateRequest) -> Self {
        Self::InstallCertificate { kind: request.kind.to_string(), certificate: request.certificate.into() }
    }
}

impl From<DeleteCertificateRequest> for StationCommand {
    fn from(request: DeleteCertificateRequest) -> Self {
        Self::DeleteCertificate { certificate: request.certificate.0 }
    }
}

impl From<InstalledCertificatesRequest> for StationCommand {
    fn from(request: InstalledCertificatesRequest) -> Self {
        Self::GetInstalledCertificates { kind: request.kind.to_string() }
    }
}

impl From<SignedFirmwareRequest> for StationCommand {
    fn from(request: SignedFirmwareRequest) -> Self {
        Self::SignedUpdateFirmware(link::SignedUpdateFirmware {
            location: request.location.into(),
            retrieve_at: request.retrieve_at,
            install_at: request.install_at,
            certificate: request.certificate.into(),
            signature: request.signature.into(),
            retries: request.retries,
            retry_interval: request.retry_interval,
            request: request.request_id,
        })
    }
}
