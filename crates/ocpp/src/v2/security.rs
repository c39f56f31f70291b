//! Security (functional block A): certificates of stations and what they notice.

use super::common::*;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    pub open enum CertificateSigningUse { ChargingStationCertificate, V2GCertificate, V2G20Certificate [V21] }
}

crate::choice! {
    pub open enum CertificateSignedStatus { Accepted, Rejected }
}

crate::exchange! {
    /// The certificate that a station asked for (A02).
    certificate_signed
    asks {
        certificate_chain: Exact<10000>,
        certificate_type: Option<CertificateSigningUse>,
        request_id: Option<i64> [V21],
    }
    answers { status: CertificateSignedStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Something about security happened (A04).
    security_event_notification
    asks {
        r#type: Exact<50>,
        timestamp: Timestamp,
        tech_info: Option<Label<255>>,
    }
    answers {}
}

crate::exchange! {
    /// A station asks for a certificate (A02).
    sign_certificate
    asks {
        csr: Exact<5500>,
        certificate_type: Option<CertificateSigningUse>,
        hash_root_certificate: Option<CertificateHashData> [V21],
        request_id: Option<i64> [V21],
    }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}
