//! DeleteCertificate (OCPP 1.6 security whitepaper, use case M04): trust this root certificate no longer.

use super::common::CertificateHash;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// Which one.
        pub certificate_hash_data: CertificateHash,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Failed, NotFound }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
