//! Has a station upload its security log or its diagnostics (OCPP 1.6 security whitepaper N01, OCPP 2 N01).

use super::wire::{exact, optional_number, request_id};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::{GetLog, LinkError};
use ocpp::{v2, v16};

impl Spoken for &GetLog {
    fn v16(&self, manner: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::get_log::Request {
            log: v16::LogParameters {
                remote_location: exact(&self.location, "remoteLocation")?,
                oldest_timestamp: self.oldest,
                latest_timestamp: self.latest,
            },
            log_type: if self.security { v16::LogKind::Security } else { v16::LogKind::Diagnostics },
            request_id: request_id(self.request, manner.now),
            retries: optional_number(self.retries, "retries")?,
            retry_interval: optional_number(self.retry_interval, "retryInterval")?,
        }))
    }

    fn v2(&self, manner: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::get_log::Request {
            log: v2::LogParameters {
                remote_location: exact(&self.location, "remoteLocation")?,
                oldest_timestamp: self.oldest,
                latest_timestamp: self.latest,
            },
            log_type: if self.security { v2::LogKind::SecurityLog } else { v2::LogKind::DiagnosticsLog },
            request_id: request_id(self.request, manner.now),
            retries: optional_number(self.retries, "retries")?,
            retry_interval: self.retry_interval.map(i64::from),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{answered_v2, answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_log_is_asked_for_alike_and_one_that_gives_up_another_upload_agrees_in_ocpp_2() {
        let log = StationCommand::GetLog(GetLog {
            security: true,
            location: "https://files.example.com/in".to_owned(),
            oldest: None,
            latest: None,
            retries: None,
            retry_interval: None,
            request: Some(7),
        });
        let wanted = json!({"remoteLocation": "https://files.example.com/in"});
        let said = json!({"log": wanted, "logType": "SecurityLog", "requestId": 7});
        assert_eq!(said_v16(&log), said);
        assert_eq!(said_v2(&log, Protocol::V201), said);
        let canceled = json!({"status": "AcceptedCanceled"});
        assert!(!answered_v16(&log, &canceled).accepted);
        assert!(answered_v2(&log, Protocol::V201, &canceled).accepted);
    }
}
