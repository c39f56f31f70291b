//! Has a station send a message now (OCPP 1.6 §5.17 and security whitepaper A02 and N01, OCPP 2 F06).
//!
//! OCPP 1.6 has an action of its own for the messages of the whitepaper; in OCPP 2 both are one.

use serde_json::json;

use super::wire::{by_hand, optional_number};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::session::{CoalesceKey, Priority};
use ocpp::{v2, v16};

/// This message, of this connector.
pub(super) struct TriggerMessage<'a>(pub(super) &'a str, pub(super) Option<i32>);

/// This message, one of the security whitepaper too, of this connector.
pub(super) struct ExtendedTrigger<'a>(pub(super) &'a str, pub(super) Option<i32>);

impl Spoken for TriggerMessage<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::trigger_message::Request {
            requested_message: by_hand(&json!(self.0), "message")?,
            connector_id: optional_number(self.1, "connectorId")?,
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        trigger(self.0, self.1, names)
    }

    /// Nobody waits for it.
    fn urgency(&self) -> (Priority, Option<CoalesceKey>) {
        (Priority::Probe, None)
    }
}

impl Spoken for ExtendedTrigger<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::extended_trigger_message::Request {
            requested_message: by_hand(&json!(self.0), "message")?,
            connector_id: optional_number(self.1, "connectorId")?,
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        trigger(self.0, self.1, names)
    }
}

/// What 1.6 calls differently is known by both names.
fn trigger(message: &str, connector: Option<i32>, names: &Names) -> Result<WireCall, LinkError> {
    let word = match message {
        "DiagnosticsStatusNotification" => "LogStatusNotification",
        "SignChargePointCertificate" => "SignChargingStationCertificate",
        other => other,
    };
    Ok(WireCall::v2(v2::trigger_message::Request {
        requested_message: by_hand(&json!(word), "message")?,
        evse: names.part(connector)?,
        custom_trigger: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{call_v16, said_v2};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn messages_of_1_6_have_their_names_of_ocpp_2() {
        let trigger = StationCommand::TriggerMessage { message: "MeterValues".to_owned(), connector: Some(3) };
        let evse = json!({"requestedMessage": "MeterValues", "evse": {"id": 2, "connectorId": 2}});
        assert_eq!(said_v2(&trigger, Protocol::V201), evse);
        let sign = "SignChargePointCertificate".to_owned();
        let extended = StationCommand::ExtendedTrigger { message: sign, connector: None };
        let renamed = json!({"requestedMessage": "SignChargingStationCertificate"});
        assert_eq!(said_v2(&extended, Protocol::V201), renamed);
        assert_eq!(call_v16(&extended).action, "ExtendedTriggerMessage");
        assert_eq!(call_v16(&trigger).action, "TriggerMessage");
    }

    #[test]
    fn a_message_that_is_asked_for_gives_way_to_every_command() {
        let trigger = StationCommand::TriggerMessage { message: "Heartbeat".to_owned(), connector: None };
        assert_eq!(spoken(&trigger).urgency(), (Priority::Probe, None));
        assert_eq!(spoken(&StationCommand::ClearCache).urgency(), (Priority::Command, None));
    }
}
