//! What only stations with a device model can be asked, in the protocol's own form (OCPP 2; OCPP 1.6 has nothing like it).

use serde_json::{Value, json};

use super::answer_rule::AnswerRule;
use super::wire::{invalid, request_id};
use super::{Manner, Names, Report, Spoken, WireCall};
use crate::gateway::reports::ReportKind;
use crate::sites::stations::link::{DeviceRequest, LinkError, StationCommand};

pub(super) const ANSWERS_V2: [AnswerRule; 8] = [
    AnswerRule::of("ClearVariableMonitoring").results("clearMonitoringResult", "status").nothing_there("NotFound"),
    AnswerRule::of("GetChargingProfiles").nothing_there("NoProfiles"),
    AnswerRule::of("GetDERControl").nothing_there("NotFound"),
    AnswerRule::of("GetDisplayMessages").nothing_there("Unknown"),
    AnswerRule::of("GetMonitoringReport").nothing_there("EmptyResultSet"),
    AnswerRule::of("GetReport").nothing_there("EmptyResultSet"),
    AnswerRule::of("GetTransactionStatus").without_status(),
    AnswerRule::of("SetVariableMonitoring").results("setMonitoringResult", "status"),
];

pub(super) struct Device<'a> {
    pub(super) request: DeviceRequest,
    pub(super) payload: &'a Value,
}

impl Spoken for Device<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Err(invalid(format!("OCPP 1.6 has no {}", self.request)))
    }

    /// A request in the words it came in; one that needs a number and has none gets one.
    fn v2(&self, manner: Manner, _: &Names) -> Result<WireCall, LinkError> {
        let mut payload = self.payload.clone();
        let is_numbered =
            matches!(self.request, DeviceRequest::CustomerInformation | DeviceRequest::RequestBatterySwap);
        if let Some(fields) = payload.as_object_mut().filter(|_| is_numbered) {
            let number = || request_id(None, manner.now).into();
            fields.entry("requestId").or_insert_with(number);
        }
        Ok(WireCall { action: self.request.to_string(), payload: payload.to_string() })
    }

    fn report(&self) -> Option<Report> {
        let kind = match self.request {
            DeviceRequest::GetReport => ReportKind::Variables,
            DeviceRequest::CustomerInformation if self.payload.get("report") == Some(&Value::Bool(true)) => {
                ReportKind::Text
            }
            DeviceRequest::GetChargingProfiles
            | DeviceRequest::GetDisplayMessages
            | DeviceRequest::GetMonitoringReport
            | DeviceRequest::GetDerControl => ReportKind::List,
            _ => return None,
        };
        Some(Report { kind, numbered, combined: |answer, report| with(answer, "report", report) })
    }
}

/// The request with the number of its report.
fn numbered(command: &StationCommand, number: i64) -> StationCommand {
    match command {
        StationCommand::Device { request, payload } => {
            let payload = with(payload.clone(), "requestId", json!(number));
            StationCommand::Device { request: *request, payload }
        }
        other => other.clone(),
    }
}

/// An object with one more field; anything else stays as it is.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{MANNER, answered_v2, said_v2};
    use kernel::Protocol;

    fn device(request: DeviceRequest, payload: Value) -> StationCommand {
        StationCommand::Device { request, payload }
    }

    #[test]
    fn a_request_that_needs_a_number_gets_one_and_1_6_has_none_of_them() {
        let swap =
            device(DeviceRequest::RequestBatterySwap, json!({"idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}}));
        // The station's clock shows second 1,000.
        assert_eq!(said_v2(&swap, Protocol::V21)["requestId"], 1_000);
        assert_eq!(spoken(&swap).v16(MANNER), Err(invalid("OCPP 1.6 has no RequestBatterySwap")));
    }

    #[test]
    fn a_report_that_follows_has_its_number_and_stands_in_the_answer() {
        let ask = device(DeviceRequest::GetReport, json!({}));
        let report = spoken(&ask).report().expect("a report follows");
        assert_eq!(report.kind, ReportKind::Variables);
        assert_eq!((report.numbered)(&ask, 7), device(DeviceRequest::GetReport, json!({"requestId": 7})));
        let reported = (report.combined)(json!({"status": "Accepted"}), json!({"A.B": 1}));
        assert_eq!(reported, json!({"status": "Accepted", "report": {"A.B": 1}}));
        let customer = |report| device(DeviceRequest::CustomerInformation, json!({"report": report}));
        assert!(spoken(&customer(false)).report().is_none());
        assert_eq!(spoken(&customer(true)).report().map(|report| report.kind), Some(ReportKind::Text));
    }

    #[test]
    fn nothing_of_the_kind_is_what_was_asked_for_and_one_refused_monitor_refuses() {
        let answered = |request, answer| answered_v2(&device(request, json!({})), Protocol::V201, &answer).accepted;
        assert!(answered(DeviceRequest::GetReport, json!({"status": "EmptyResultSet"})));
        assert!(answered(DeviceRequest::GetTransactionStatus, json!({"messagesInQueue": false})));
        let cleared = |status| json!({"clearMonitoringResult": [{"status": "Accepted"}, {"status": status}]});
        assert!(answered(DeviceRequest::ClearVariableMonitoring, cleared("NotFound")));
        assert!(!answered(DeviceRequest::ClearVariableMonitoring, cleared("Rejected")));
        let set = json!({"setMonitoringResult": [{"status": "UnknownVariable"}]});
        assert!(!answered(DeviceRequest::SetVariableMonitoring, set));
    }
}
