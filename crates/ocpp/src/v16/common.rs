//! What several messages of OCPP 1.6 share (§7).

use kernel::Timestamp;

use crate::text::Exact;

/// A card or token (§7.28 IdToken); compared without regard to letter case. Longer ones than the specification
/// allows come from stations that append a serial number, so they are kept whole and noted as a deviation.
pub type IdTag = Exact<20>;

crate::choice! {
    /// Whether a card may charge (§7.2).
    pub enum Authorization { Accepted, Blocked, Expired, Invalid, ConcurrentTx }
}

crate::message! {
    /// What we know of a card (§7.27).
    pub struct IdTagInfo {
        /// Until when a station may remember it.
        pub expiry_date: Option<Timestamp>,
        /// The group it belongs to.
        pub parent_id_tag: Option<IdTag>,
        /// Whether it may charge.
        pub status: Authorization,
    }
}

impl From<Authorization> for IdTagInfo {
    fn from(status: Authorization) -> Self {
        Self { expiry_date: None, parent_id_tag: None, status }
    }
}

crate::choice! {
    /// Yes or no, as most answers are.
    pub open enum Acceptance { Accepted, Rejected }
}

crate::choice! {
    /// What a root certificate is for (security whitepaper).
    pub enum RootCertificate {
        CentralSystem = "CentralSystemRootCertificate",
        Manufacturer = "ManufacturerRootCertificate",
    }
}

crate::choice! {
    /// How a certificate is hashed (security whitepaper).
    pub enum HashAlgorithm { Sha256 = "SHA256", Sha384 = "SHA384", Sha512 = "SHA512" }
}

crate::message! {
    /// What distinguishes a certificate from others (security whitepaper).
    pub struct CertificateHash {
        /// How it is hashed.
        pub hash_algorithm: HashAlgorithm,
        /// The hash of who issued it.
        pub issuer_name_hash: Exact<128>,
        /// The hash of the key that signed it.
        pub issuer_key_hash: Exact<128>,
        /// Its number at the issuer.
        pub serial_number: Exact<40>,
    }
}
