//! Authorization (functional block C) and the local list (D).

use super::common::*;
use crate::text::Exact;

crate::choice! {
    pub enum AuthorizeCertificateStatus {
        Accepted, SignatureError, CertificateExpired, CertificateRevoked, NoCertificateAvailable, CertChainError,
        ContractCancelled,
    }
}

crate::choice! {
    pub open enum ClearCacheStatus { Accepted, Rejected }
}

crate::choice! {
    pub enum UpdateKind { Differential, Full }
}

crate::message! {
    /// An entry of a local list: a token and what is known of it; without the latter the entry is removed.
    pub struct Authorization {
        pub id_token: IdToken,
        pub id_token_info: Option<IdTokenInfo>,
    }
}

crate::choice! {
    pub open enum SendLocalListStatus { Accepted, Failed, VersionMismatch }
}

crate::exchange! {
    /// May this token charge (C01)?
    authorize
    asks {
        id_token: IdToken,
        certificate: Option<Exact<10000, 5500>>,
        iso15118_certificate_hash_data: Option<Vec<OcspRequestData>>,
    }
    answers {
        id_token_info: IdTokenInfo,
        certificate_status: Option<AuthorizeCertificateStatus>,
        allowed_energy_transfer: Option<Vec<EnergyTransferMode>> [V21],
        tariff: Option<Tariff> [V21],
    }
}

crate::exchange! {
    /// Forget remembered tokens (C11).
    clear_cache
    asks {}
    answers { status: ClearCacheStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Return the version of the local list (D02).
    get_local_list_version
    asks {}
    answers { version_number: i64 }
}

crate::exchange! {
    /// Replace or change the local list (D01).
    send_local_list
    asks {
        local_authorization_list: Option<Vec<Authorization>>,
        version_number: i64,
        update_type: UpdateKind,
    }
    answers { status: SendLocalListStatus, status_info: Option<StatusInfo> }
}
