//! Hands a station the certificate that it asked for (OCPP 1.6 security whitepaper A02, OCPP 2 A02).

use super::wire::exact;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use kernel::Protocol;
use ocpp::v2::CertificateSigningUse;
use ocpp::{v2, v16};

pub(super) struct CertificateSigned<'a> {
    /// PEM, the station's own first.
    pub(super) chain: &'a str,
    /// The number of the station's request, where it had one.
    pub(super) request: Option<i64>,
}

impl Spoken for CertificateSigned<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let certificate_chain = exact(self.chain, "certificateChain")?;
        Ok(WireCall::v16(v16::certificate_signed::Request { certificate_chain }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::certificate_signed::Request {
            certificate_chain: exact(self.chain, "certificateChain")?,
            certificate_type: Some(CertificateSigningUse::ChargingStationCertificate),
            request_id: self.request.filter(|_| names.version >= Protocol::V21),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;

    #[test]
    fn the_number_of_the_request_came_with_2_1() {
        let signed = StationCommand::CertificateSigned { chain: "-----BEGIN".to_owned(), request: Some(7) };
        assert_eq!(said_v16(&signed), json!({"certificateChain": "-----BEGIN"}));
        let kind = "ChargingStationCertificate";
        let old = json!({"certificateChain": "-----BEGIN", "certificateType": kind});
        assert_eq!(said_v2(&signed, Protocol::V201), old);
        let new = json!({"certificateChain": "-----BEGIN", "certificateType": kind, "requestId": 7});
        assert_eq!(said_v2(&signed, Protocol::V21), new);
    }
}
