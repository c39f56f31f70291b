//! Which root certificates a station trusts (OCPP 1.6 security whitepaper M03 to M05, OCPP 2 M03 to M05).

use serde_json::{Value, json};

use super::wire::{by_hand, exact};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

/// Trust a certificate of this kind.
pub(super) struct Install<'a> {
    pub(super) kind: &'a str,
    pub(super) certificate: &'a str,
}

/// Trust the certificate with these hashes no longer.
pub(super) struct Delete<'a>(pub(super) &'a Value);

/// Return which certificates of this kind it trusts.
pub(super) struct GetInstalled<'a>(pub(super) &'a str);

impl Spoken for Install<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::install_certificate::Request {
            certificate_type: by_hand(&json!(self.kind), "certificateType")?,
            certificate: exact(self.certificate, "certificate")?,
        }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::install_certificate::Request {
            certificate_type: by_hand(&json!(root(self.kind)), "certificateType")?,
            certificate: exact(self.certificate, "certificate")?,
        }))
    }
}

impl Spoken for Delete<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let certificate_hash_data = by_hand(self.0, "certificateHashData")?;
        Ok(WireCall::v16(v16::delete_certificate::Request { certificate_hash_data }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        let certificate_hash_data = by_hand(self.0, "certificateHashData")?;
        Ok(WireCall::v2(v2::delete_certificate::Request { certificate_hash_data }))
    }
}

impl Spoken for GetInstalled<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let certificate_type = by_hand(&json!(self.0), "certificateType")?;
        Ok(WireCall::v16(v16::get_installed_certificate_ids::Request { certificate_type }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        let kind = by_hand(&json!(root(self.0)), "certificateType")?;
        Ok(WireCall::v2(v2::get_installed_certificate_ids::Request { certificate_type: Some(vec![kind]) }))
    }
}

/// The kind of a root certificate as OCPP 2 calls it.
fn root(kind: &str) -> &str {
    match kind {
        "CentralSystemRootCertificate" => "CSMSRootCertificate",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn the_root_of_the_central_system_is_that_of_the_csms_in_ocpp_2() {
        let (kind, certificate) = ("CentralSystemRootCertificate".to_owned(), "-----BEGIN".to_owned());
        let installed = StationCommand::GetInstalledCertificates { kind: kind.clone() };
        assert_eq!(said_v16(&installed), json!({"certificateType": "CentralSystemRootCertificate"}));
        assert_eq!(said_v2(&installed, Protocol::V201), json!({"certificateType": ["CSMSRootCertificate"]}));
        let install = StationCommand::InstallCertificate { kind, certificate };
        let said = json!({"certificateType": "CSMSRootCertificate", "certificate": "-----BEGIN"});
        assert_eq!(said_v2(&install, Protocol::V201), said);
        let hashes =
            json!({"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"});
        let delete = StationCommand::DeleteCertificate { certificate: hashes.clone() };
        assert_eq!(said_v16(&delete), json!({"certificateHashData": hashes}));
        assert_eq!(said_v2(&delete, Protocol::V201), json!({"certificateHashData": hashes}));
    }
}
