//! Any action of the station's version with a payload by hand: checked against the specification, then sent as it is.

use serde_json::Value;

use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;

pub(super) struct Raw<'a> {
    pub(super) action: &'a str,
    pub(super) payload: &'a Value,
}

impl Raw<'_> {
    fn call(&self) -> WireCall {
        WireCall { action: self.action.to_owned(), payload: self.payload.to_string() }
    }
}

impl Spoken for Raw<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let call = self.call();
        call.check_v16()?;
        Ok(call)
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(self.call())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::build;
    use crate::gateway::commands::testing::{MANNER, answered_v2, answered_v16, call_v2};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    fn raw(action: &str, payload: Value) -> StationCommand {
        StationCommand::Raw { action: action.to_owned(), payload }
    }

    #[test]
    fn raw_payloads_are_checked_and_kept_as_they_are() {
        let ask = |action: &str, payload: Value| build(&raw(action, payload), MANNER, None);
        assert_eq!(ask("Reset", json!({"type": "Soft"})).expect("valid").payload, r#"{"type":"Soft"}"#);
        for (action, payload) in [
            ("Reset", json!({"type": "Gentle"})),
            ("Reset", json!({})),
            ("Heartbeat", json!({})),
            ("Nonsense", json!({})),
        ] {
            assert!(matches!(ask(action, payload), Err(LinkError::Invalid(_))), "{action}");
        }
    }

    #[test]
    fn what_came_with_2_1_is_never_said_to_2_0_1() {
        let ask = |action: &str, payload: Value, version| call_v2(&raw(action, payload), version).map(drop);
        let refused = |action, payload: Value| {
            assert_eq!(ask(action, payload.clone(), Protocol::V21), Ok(()), "{action}");
            assert!(ask(action, payload, Protocol::V201).is_err(), "{action}");
        };
        refused("ClearTariffs", json!({}));
        refused("Reset", json!({"type": "ImmediateAndResume"}));
        refused("TriggerMessage", json!({"requestedMessage": "Heartbeat", "customTrigger": "x"}));
        let long = "4".repeat(100);
        let token = json!({"idToken": long, "type": "Central"});
        refused("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1}));
        for version in [Protocol::V201, Protocol::V21] {
            assert!(ask("GetVariables", json!({"getVariableData": []}), version).is_err());
            assert!(ask("StatusNotification", json!({}), version).is_err());
            let own = json!({"type": "OnIdle", "customData": {"vendorId": "acme", "x": 1}});
            assert_eq!(ask("Reset", own, version), Ok(()));
        }
    }

    #[test]
    fn an_answer_means_what_its_action_means_and_is_reported_word_for_word() {
        let answer = json!({"configurationKey": [{"key": "A", "readonly": false}]});
        let outcome = answered_v16(&raw("GetConfiguration", json!({})), &answer);
        assert_eq!((outcome.accepted, outcome.data), (true, answer));
        let answer = json!({"status": "Unknown"});
        let clear = raw("ClearChargingProfile", json!({"chargingProfileId": 1}));
        assert!(answered_v2(&clear, Protocol::V201, &answer).accepted);
    }
}
