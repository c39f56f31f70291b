//! SignedUpdateFirmware (OCPP 1.6 security whitepaper, use case L01): fetch, verify and install a firmware.

use kernel::Timestamp;

use crate::text::Exact;

crate::message! {
    /// Where the firmware is and who vouches for it.
    pub struct Firmware {
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

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// How often to try.
        pub retries: Option<u32>,
        /// Seconds between two tries.
        pub retry_interval: Option<u32>,
        /// Our number, repeated in every SignedFirmwareStatusNotification.
        pub request_id: i64,
        /// The firmware.
        pub firmware: Firmware,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, AcceptedCanceled, InvalidCertificate, RevokedCertificate }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
