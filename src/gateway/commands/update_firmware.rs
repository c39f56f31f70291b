//! Has a station fetch and install firmware (OCPP 1.6 §5.19, OCPP 2 L02).

use super::answer_rule::AnswerRule;
use super::wire::{exact, optional_number, request_id};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::{LinkError, UpdateFirmware};
use ocpp::{v2, v16};

/// The answer of OCPP 1.6 is empty.
pub(super) const ANSWER_V16: AnswerRule = AnswerRule::of("UpdateFirmware").without_status();

impl Spoken for &UpdateFirmware {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::update_firmware::Request {
            location: self.location.clone(),
            retries: optional_number(self.retries, "retries")?,
            retrieve_date: self.retrieve_at,
            retry_interval: optional_number(self.retry_interval, "retryInterval")?,
        }))
    }

    fn v2(&self, manner: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::update_firmware::Request {
            retries: optional_number(self.retries, "retries")?,
            retry_interval: self.retry_interval.map(i64::from),
            request_id: request_id(None, manner.now),
            firmware: v2::Firmware {
                location: exact(&self.location, "location")?,
                retrieve_date_time: self.retrieve_at,
                install_date_time: None,
                signing_certificate: None,
                signature: None,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{answered_v2, answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::{Protocol, Timestamp};

    #[test]
    fn ocpp_2_numbers_it_and_1_6_answers_nothing() {
        let update = StationCommand::UpdateFirmware(UpdateFirmware {
            location: "https://files.example.com/1.bin".to_owned(),
            retrieve_at: Timestamp::from_unix_seconds(0),
            retries: Some(3),
            retry_interval: None,
        });
        let (location, at) = ("https://files.example.com/1.bin", "1970-01-01T00:00:00.000Z");
        assert_eq!(said_v16(&update), json!({"location": location, "retries": 3, "retrieveDate": at}));
        let firmware = json!({"location": location, "retrieveDateTime": at});
        // The station's clock shows second 1,000.
        assert_eq!(said_v2(&update, Protocol::V201), json!({"retries": 3, "requestId": 1_000, "firmware": firmware}));
        assert!(answered_v16(&update, &json!({})).accepted);
        assert!(!answered_v2(&update, Protocol::V201, &json!({})).accepted);
    }
}
