//! GetInstalledCertificateIds (OCPP 1.6 security whitepaper, use case M03): which root certificates do you trust?

use super::common::{CertificateHash, RootCertificate};

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// Which kind.
        pub certificate_type: RootCertificate,
    }
}

crate::choice! {
    /// Whether there are any.
    pub open enum Status { Accepted, NotFound }
}

crate::message! {
    /// The certificates of that kind.
    pub struct Response {
        /// What tells them apart.
        pub certificate_hash_data: Option<Vec<CertificateHash>>,
        /// Whether there are any.
        pub status: Status,
    }
}
