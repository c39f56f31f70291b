//! Has a station fetch firmware, verify its signature and install it (OCPP 1.6 security whitepaper L01, OCPP 2 L01).

use super::wire::{exact, optional_number, request_id};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::{LinkError, SignedUpdateFirmware};
use ocpp::{v2, v16};

impl Spoken for &SignedUpdateFirmware {
    fn v16(&self, manner: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::signed_update_firmware::Request {
            retries: optional_number(self.retries, "retries")?,
            retry_interval: optional_number(self.retry_interval, "retryInterval")?,
            request_id: request_id(self.request, manner.now),
            firmware: v16::SignedFirmware {
                location: exact(&self.location, "location")?,
                retrieve_date_time: self.retrieve_at.unwrap_or(manner.now),
                install_date_time: self.install_at,
                signing_certificate: exact(&self.certificate, "signingCertificate")?,
                signature: exact(&self.signature, "signature")?,
            },
        }))
    }

    fn v2(&self, manner: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::update_firmware::Request {
            retries: optional_number(self.retries, "retries")?,
            retry_interval: self.retry_interval.map(i64::from),
            request_id: request_id(self.request, manner.now),
            firmware: v2::Firmware {
                location: exact(&self.location, "location")?,
                retrieve_date_time: self.retrieve_at.unwrap_or(manner.now),
                install_date_time: self.install_at,
                signing_certificate: Some(exact(&self.certificate, "signingCertificate")?),
                signature: Some(exact(&self.signature, "signature")?),
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{call_v2, call_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn it_is_fetched_now_where_no_time_is_given() {
        let update = StationCommand::SignedUpdateFirmware(SignedUpdateFirmware {
            location: "https://files.example.com/1.bin".to_owned(),
            retrieve_at: None,
            install_at: None,
            certificate: "-----BEGIN".to_owned(),
            signature: "c2ln".to_owned(),
            retries: None,
            retry_interval: None,
            request: Some(7),
        });
        // The station's clock shows second 1,000.
        let firmware = json!({"location": "https://files.example.com/1.bin",
            "retrieveDateTime": "1970-01-01T00:16:40.000Z", "signingCertificate": "-----BEGIN", "signature": "c2ln"});
        let said = json!({"requestId": 7, "firmware": firmware});
        assert_eq!(call_v16(&update).action, "SignedUpdateFirmware");
        assert_eq!(said_v16(&update), said);
        assert_eq!(call_v2(&update, Protocol::V201).expect("said").action, "UpdateFirmware");
        assert_eq!(said_v2(&update, Protocol::V201), said);
    }
}
