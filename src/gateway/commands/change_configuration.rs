//! Changes a configuration key (OCPP 1.6 §5.3), in OCPP 2 a variable of the device model (B05).

use super::answer_rule::AnswerRule;
use super::wire::exact;
use super::{Manner, Names, Spoken, WireCall, variables};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

pub(super) const ANSWER_V2: AnswerRule = AnswerRule::of("SetVariables").results("setVariableResult", "attributeStatus");

pub(super) struct ChangeConfiguration<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl Spoken for ChangeConfiguration<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let (key, value) = (exact(self.key, "key")?, exact(self.value, "value")?);
        Ok(WireCall::v16(v16::change_configuration::Request { key, value }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        let setting = variables::setting(self.key, self.value)?;
        Ok(WireCall::v2(v2::set_variables::Request { set_variable_data: vec![setting] }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{answered_v2, answered_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_reboot_that_is_needed_agrees_and_one_refused_variable_refuses() {
        let change = StationCommand::ChangeConfiguration { key: "A.B".to_owned(), value: "1".to_owned() };
        assert!(answered_v16(&change, &json!({"status": "RebootRequired"})).accepted);
        assert!(!answered_v16(&change, &json!({"status": "NotSupported"})).accepted);
        let answer = |statuses: &[&str]| {
            let results: Vec<_> = statuses.iter().map(|status| json!({"attributeStatus": status})).collect();
            answered_v2(&change, Protocol::V201, &json!({"setVariableResult": results}))
        };
        assert!(answer(&["RebootRequired"]).accepted);
        let mixed = answer(&["Accepted", "Rejected"]);
        assert_eq!((mixed.accepted, mixed.status.as_deref()), (false, Some("Rejected")));
        assert!(!answer(&[]).accepted, "no result is no agreement");
    }
}
