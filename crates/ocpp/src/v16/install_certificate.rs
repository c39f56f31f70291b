//! InstallCertificate (OCPP 1.6 security whitepaper, use case M05): trust this root certificate.

use super::common::RootCertificate;
use crate::text::Exact;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// What it is for.
        pub certificate_type: RootCertificate,
        /// The certificate, as PEM.
        pub certificate: Exact<5500>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Failed, Rejected }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
