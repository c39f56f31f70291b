//! Reads configuration keys (OCPP 1.6 §5.8), in OCPP 2 variables of the device model (B06); all of them are a report there
//! (B07).

use serde_json::{Map, Value, json};

use super::answer_rule::{Answer, AnswerRule};
use super::wire::exact;
use super::{Manner, Names, Report, Spoken, WireCall, variables};
use crate::gateway::reports::ReportKind;
use crate::sites::stations::link::{LinkError, StationCommand};
use ocpp::{v2, v16};

pub(super) const ANSWER_V16: AnswerRule = AnswerRule::of("GetConfiguration").without_status();
pub(super) const ANSWER_V2: AnswerRule = AnswerRule::of("GetVariables").without_status();
pub(super) const REPORT_ANSWER_V2: AnswerRule = AnswerRule::of("GetBaseReport").nothing_there("EmptyResultSet");

/// Of these keys; none means all.
pub(super) struct GetConfiguration<'a>(pub(super) &'a [String]);

impl Spoken for GetConfiguration<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let keys: Result<Vec<_>, _> = self.0.iter().map(|key| exact(key, "key")).collect();
        let key = Some(keys?).filter(|keys| !keys.is_empty());
        Ok(WireCall::v16(v16::get_configuration::Request { key }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::get_variables::Request { get_variable_data: variables::wanted(self.0)? }))
    }

    fn data(&self, answer: Answer<'_>) -> Value {
        match answer.action {
            "GetConfiguration" => configuration(&answer.data),
            "GetVariables" => variables::read(answer.raw, self.0),
            _ => answer.data,
        }
    }

    fn report(&self) -> Option<Report> {
        let numbered = |_: &StationCommand, number| StationCommand::Raw {
            action: "GetBaseReport".to_owned(),
            payload: json!({"requestId": number, "reportBase": "FullInventory"}),
        };
        let combined = |_, report| json!({"variables": report, "unknown": []});
        self.0.is_empty().then_some(Report { kind: ReportKind::Variables, numbered, combined })
    }
}

/// `{variables: {key: {value, readonly}}, unknown: […]}` of a GetConfiguration answer.
fn configuration(answer: &Value) -> Value {
    let mut variables = Map::new();
    for setting in answer.get("configurationKey").and_then(Value::as_array).into_iter().flatten() {
        if let Some(key) = setting.get("key").and_then(Value::as_str) {
            let value = setting.get("value").cloned().unwrap_or_default();
            let readonly = setting.get("readonly").cloned().unwrap_or(Value::Bool(false));
            variables.insert(key.to_owned(), json!({"value": value, "readonly": readonly}));
        }
    }
    json!({"variables": variables, "unknown": answer.get("unknownKey").cloned().unwrap_or(json!([]))})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{answered_v2, answered_v16, said_v2, said_v16};
    use kernel::Protocol;

    fn ask(keys: &[&str]) -> StationCommand {
        StationCommand::GetConfiguration { keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    #[test]
    fn keys_become_variables_and_all_of_them_a_report() {
        assert_eq!(said_v16(&ask(&[])), json!({}));
        assert_eq!(said_v16(&ask(&["HeartbeatInterval"])), json!({"key": ["HeartbeatInterval"]}));
        let variable = json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}});
        assert_eq!(said_v2(&ask(&["HeartbeatInterval"]), Protocol::V201), json!({"getVariableData": [variable]}));
        assert!(spoken(&ask(&["HeartbeatInterval"])).report().is_none());
        let all = ask(&[]);
        let report = spoken(&all).report().expect("a report follows");
        let payload = json!({"requestId": 7, "reportBase": "FullInventory"});
        let asked = StationCommand::Raw { action: "GetBaseReport".to_owned(), payload };
        assert_eq!((report.numbered)(&all, 7), asked);
    }

    #[test]
    fn an_answer_without_status_agrees_and_is_reported_alike_in_every_version() {
        let reported = json!({"variables": {"HeartbeatInterval": {"value": "60", "readonly": false}}, "unknown": []});
        let answer = json!({"configurationKey": [{"key": "HeartbeatInterval", "readonly": false, "value": "60"}]});
        let outcome = answered_v16(&ask(&["HeartbeatInterval"]), &answer);
        assert_eq!((outcome.accepted, &outcome.data), (true, &reported));
        let answer = json!({"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "60",
            "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]});
        let outcome = answered_v2(&ask(&["HeartbeatInterval"]), Protocol::V201, &answer);
        assert_eq!((outcome.accepted, &outcome.data), (true, &reported));
    }
}
