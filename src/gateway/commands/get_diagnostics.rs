//! Has a station upload its diagnostics (OCPP 1.6 §5.9), in OCPP 2 its diagnostics log (N01).

use super::answer_rule::AnswerRule;
use super::wire::{exact, optional_number, request_id};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::{GetDiagnostics, LinkError};
use ocpp::{v2, v16};

/// The answer of OCPP 1.6 has the name of the file.
pub(super) const ANSWER_V16: AnswerRule = AnswerRule::of("GetDiagnostics").without_status();

impl Spoken for &GetDiagnostics {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::get_diagnostics::Request {
            location: self.location.clone(),
            retries: optional_number(self.retries, "retries")?,
            retry_interval: optional_number(self.retry_interval, "retryInterval")?,
            start_time: self.start_at,
            stop_time: self.stop_at,
        }))
    }

    fn v2(&self, manner: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::get_log::Request {
            log: v2::LogParameters {
                remote_location: exact(&self.location, "location")?,
                oldest_timestamp: self.start_at,
                latest_timestamp: self.stop_at,
            },
            log_type: v2::LogKind::DiagnosticsLog,
            request_id: request_id(None, manner.now),
            retries: optional_number(self.retries, "retries")?,
            retry_interval: self.retry_interval.map(i64::from),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn in_ocpp_2_they_are_a_log() {
        let diagnostics = StationCommand::GetDiagnostics(GetDiagnostics {
            location: "ftp://files.example.com".to_owned(),
            retries: None,
            retry_interval: Some(60),
            start_at: None,
            stop_at: None,
        });
        assert_eq!(said_v16(&diagnostics), json!({"location": "ftp://files.example.com", "retryInterval": 60}));
        let log = json!({"remoteLocation": "ftp://files.example.com"});
        assert_eq!(
            said_v2(&diagnostics, Protocol::V201),
            json!({"log": log, "logType": "DiagnosticsLog", "requestId": 1_000, "retryInterval": 60})
        );
        assert!(answered_v16(&diagnostics, &json!({"fileName": "1.zip"})).accepted);
    }
}
