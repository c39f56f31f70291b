//! Certificates of roots and of cars (functional block M).

use super::common::*;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum DeleteCertificateStatus { Accepted, Failed, NotFound }
}

crate::choice! {
    pub open enum CertificateAction { Install, Update }
}

crate::choice! {
    pub enum Iso15118EvCertificateStatus { Accepted, Failed }
}

crate::choice! {
    pub open enum CertificateStatusSource { CRL, Ocsp = "OCSP" }
}

crate::message! {
    /// A certificate whose status is asked for, and where that can be looked up.
    pub struct CertificateStatusRequestInfo {
        pub certificate_hash_data: CertificateHashData,
        pub source: CertificateStatusSource,
        pub urls: Vec<Exact<2000>>,
    }
}

crate::choice! {
    pub enum CertificateStatusKind { Good, Revoked, NotKnown = "Unknown", Failed }
}

crate::message! {
    /// Whether a certificate is revoked, and until when that is known.
    pub struct CertificateStatus {
        pub certificate_hash_data: CertificateHashData,
        pub next_update: Timestamp,
        pub source: CertificateStatusSource,
        pub status: CertificateStatusKind,
    }
}

crate::choice! {
    pub enum GetCertificateStatus { Accepted, Failed }
}

crate::choice! {
    pub open enum GetCertificateIdUse {
        V2GRootCertificate, MORootCertificate, CSMSRootCertificate, V2GCertificateChain, ManufacturerRootCertificate,
        OEMRootCertificate [V21],
    }
}

crate::choice! {
    pub open enum GetInstalledCertificateStatus { Accepted, NotFound }
}

crate::message! {
    /// A certificate that is installed, with those below it.
    pub struct CertificateHashDataChain {
        pub certificate_hash_data: CertificateHashData,
        pub certificate_type: GetCertificateIdUse,
        pub child_certificate_hash_data: Option<Vec<CertificateHashData>>,
    }
}

crate::choice! {
    pub enum InstallCertificateUse {
        V2GRootCertificate, MORootCertificate, ManufacturerRootCertificate, CSMSRootCertificate,
        OEMRootCertificate [V21],
    }
}

crate::choice! {
    pub open enum InstallCertificateStatus { Accepted, Rejected, Failed }
}

crate::exchange! {
    /// Trust a certificate no longer (M04).
    delete_certificate
    asks { certificate_hash_data: CertificateHashData }
    answers { status: DeleteCertificateStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// A car wants a contract certificate (M01, M02).
    get_15118_ev_certificate
    asks {
        iso15118_schema_version: Exact<50>,
        action: CertificateAction,
        exi_request: Exact<11000, 5600>,
        maximum_contract_certificate_chains: Option<u32> [V21],
        prioritized_emaids as "prioritizedEMAIDs": Option<Vec<Exact<255>>> [V21],
    }
    answers {
        status: Iso15118EvCertificateStatus,
        status_info: Option<StatusInfo>,
        exi_response: Exact<17000, 7500>,
        remaining_contracts: Option<u32> [V21],
    }
}

crate::exchange! {
    /// Are these certificates revoked (2.1)?
    get_certificate_chain_status
    asks { certificate_status_requests: Vec<CertificateStatusRequestInfo> }
    answers { certificate_status: Vec<CertificateStatus> }
}

crate::exchange! {
    /// Is this certificate revoked (M06)?
    get_certificate_status
    asks { ocsp_request_data: OcspRequestData }
    answers {
        status: GetCertificateStatus,
        status_info: Option<StatusInfo>,
        ocsp_result: Option<Exact<18000, 5500>>,
    }
}

crate::exchange! {
    /// Return which certificates are trusted (M03).
    get_installed_certificate_ids
    asks { certificate_type: Option<Vec<GetCertificateIdUse>> }
    answers {
        status: GetInstalledCertificateStatus,
        status_info: Option<StatusInfo>,
        certificate_hash_data_chain: Option<Vec<CertificateHashDataChain>>,
    }
}

crate::exchange! {
    /// Trust a root certificate (M05).
    install_certificate
    asks { certificate_type: InstallCertificateUse, certificate: Exact<10000, 5500> }
    answers { status: InstallCertificateStatus, status_info: Option<StatusInfo> }
}
