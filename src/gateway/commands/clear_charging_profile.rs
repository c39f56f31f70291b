//! Has a station forget charging profiles that match (OCPP 1.6 §5.5, OCPP 2 K10).

use serde_json::json;

use super::answer_rule::AnswerRule;
use super::wire::{by_hand, optional_number};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

/// A station that knows no such profile has what it was asked for.
pub(super) const ANSWER: AnswerRule = AnswerRule::of("ClearChargingProfile").nothing_there("Unknown");

pub(super) struct ClearChargingProfile<'a> {
    pub(super) id: Option<i32>,
    pub(super) connector: Option<i32>,
    pub(super) purpose: Option<&'a str>,
    pub(super) stack_level: Option<i32>,
}

impl Spoken for ClearChargingProfile<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let purpose = self.purpose.map(|purpose| by_hand(&json!(purpose), "chargingProfilePurpose"));
        Ok(WireCall::v16(v16::clear_charging_profile::Request {
            id: self.id,
            connector_id: optional_number(self.connector, "connectorId")?,
            charging_profile_purpose: purpose.transpose()?,
            stack_level: optional_number(self.stack_level, "stackLevel")?,
        }))
    }

    /// One without any criterion is not allowed, so all profiles are those of every EVSE.
    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        let purpose = self.purpose.map(|purpose| match purpose {
            "ChargePointMaxProfile" => "ChargingStationMaxProfile",
            other => other,
        });
        let purpose = purpose.map(|purpose| by_hand(&json!(purpose), "chargingProfilePurpose"));
        let criteria = v2::ClearChargingProfile {
            evse_id: self.connector.map(|connector| names.evse_id(connector)).transpose()?,
            charging_profile_purpose: purpose.transpose()?,
            stack_level: optional_number(self.stack_level, "stackLevel")?,
        };
        let says_something =
            criteria.evse_id.is_some() || criteria.charging_profile_purpose.is_some() || criteria.stack_level.is_some();
        Ok(WireCall::v2(v2::clear_charging_profile::Request {
            charging_profile_id: self.id.map(|id| names.profile(id)),
            charging_profile_criteria: (says_something || self.id.is_none()).then_some(criteria),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands::testing::{answered_v2, answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    fn clear(id: Option<i32>, purpose: Option<&str>) -> StationCommand {
        let purpose = purpose.map(str::to_owned);
        StationCommand::ClearChargingProfile { id, connector: None, purpose, stack_level: None }
    }

    #[test]
    fn what_is_not_given_is_left_out_and_no_profile_that_matches_agrees() {
        assert_eq!(said_v16(&clear(None, None)), json!({}));
        assert_eq!(said_v2(&clear(None, None), Protocol::V201), json!({"chargingProfileCriteria": {}}));
        let station = clear(None, Some("ChargePointMaxProfile"));
        assert_eq!(said_v16(&station), json!({"chargingProfilePurpose": "ChargePointMaxProfile"}));
        let criteria = json!({"chargingProfilePurpose": "ChargingStationMaxProfile"});
        assert_eq!(said_v2(&station, Protocol::V201), json!({"chargingProfileCriteria": criteria}));
        let unknown = json!({"status": "Unknown"});
        assert!(answered_v16(&station, &unknown).accepted);
        assert!(answered_v2(&station, Protocol::V201, &unknown).accepted);
    }

    #[test]
    fn connectors_that_share_an_evse_share_its_profile() {
        assert_eq!(said_v2(&clear(Some(10_003), None), Protocol::V201), json!({"chargingProfileId": 10_002}));
        assert_eq!(said_v16(&clear(Some(10_003), None)), json!({"id": 10_003}));
    }
}
