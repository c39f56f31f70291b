//! Has a station forget the tokens that it remembered (OCPP 1.6 §5.4, OCPP 2 C11).

use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

pub(super) struct ClearCache;

impl Spoken for ClearCache {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::clear_cache::Request {}))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::clear_cache::Request {}))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{answered_v2, answered_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn only_accepted_agrees() {
        for (answer, agrees) in [(json!({"status": "Accepted"}), true), (json!({"status": "Rejected"}), false)] {
            assert_eq!(answered_v16(&StationCommand::ClearCache, &answer).accepted, agrees);
            assert_eq!(answered_v2(&StationCommand::ClearCache, Protocol::V201, &answer).accepted, agrees);
        }
        assert!(!answered_v16(&StationCommand::ClearCache, &json!({})).accepted, "no status is no agreement");
    }
}
