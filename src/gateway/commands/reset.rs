//! Restarts a station (OCPP 1.6 §5.14, OCPP 2 B11 and B12), or in OCPP 2 one EVSE of it.

use super::wire::optional_number;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::v2::ResetKind;
use ocpp::{v2, v16};

pub(super) struct Reset {
    pub(super) hard: bool,
    pub(super) evse: Option<i32>,
}

impl Spoken for Reset {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let kind = if self.hard { v16::ResetType::Hard } else { v16::ResetType::Soft };
        Ok(WireCall::v16(v16::reset::Request { r#type: kind }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::reset::Request {
            r#type: if self.hard { ResetKind::Immediate } else { ResetKind::OnIdle },
            evse_id: optional_number(self.evse, "evseId")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_hard_reset_is_immediate_in_ocpp_2_and_a_soft_one_waits_for_transactions() {
        let reset = |hard, evse| StationCommand::Reset { hard, evse };
        assert_eq!(said_v16(&reset(true, None)), json!({"type": "Hard"}));
        assert_eq!(said_v16(&reset(false, None)), json!({"type": "Soft"}));
        assert_eq!(said_v2(&reset(true, None), Protocol::V201), json!({"type": "Immediate"}));
        assert_eq!(said_v2(&reset(false, Some(2)), Protocol::V201), json!({"type": "OnIdle", "evseId": 2}));
    }
}
