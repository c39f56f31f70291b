//! Asks for the version of the list of tokens that may charge while offline (OCPP 1.6 §5.10, OCPP 2 D02).

use super::answer_rule::AnswerRule;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

pub(super) const ANSWER: AnswerRule = AnswerRule::of("GetLocalListVersion").without_status();

pub(super) struct GetLocalListVersion;

impl Spoken for GetLocalListVersion {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::get_local_list_version::Request {}))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::get_local_list_version::Request {}))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{answered_v2, answered_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_version_agrees_by_being_there() {
        let ask = StationCommand::GetLocalListVersion;
        assert!(answered_v16(&ask, &json!({"listVersion": 0})).accepted);
        assert!(answered_v2(&ask, Protocol::V201, &json!({"versionNumber": 3})).accepted);
    }
}
