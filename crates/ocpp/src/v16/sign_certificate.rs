//! SignCertificate (OCPP 1.6 security whitepaper, use cases A02 and A03): please sign my certificate request.

use super::common::Acceptance;
use crate::text::Exact;

crate::message! {
    /// The request to be signed.
    pub struct Request {
        /// PKCS #10, as PEM.
        pub csr: Exact<5500>,
    }
}

crate::message! {
    /// Whether it will be signed; the certificate follows as CertificateSigned.
    pub struct Response {
        /// Whether it will be signed.
        pub status: Acceptance,
    }
}
