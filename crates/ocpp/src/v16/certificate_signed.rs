//! CertificateSigned (OCPP 1.6 security whitepaper, use cases A02 and A03): the certificate that was asked for by SignCertificate.

use super::common::Acceptance;
use crate::text::Exact;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The certificate and those above it, as PEM, the station's own first.
        pub certificate_chain: Exact<10000>,
    }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
