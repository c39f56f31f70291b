//! Installs a charging profile in the protocol's own form (OCPP 1.6 §5.16, OCPP 2 K01).

use serde_json::Value;

use super::wire::{by_hand, number};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

pub(super) struct SetChargingProfile<'a> {
    /// In OCPP 2 the EVSE.
    pub(super) connector: i32,
    pub(super) profile: &'a Value,
}

impl Spoken for SetChargingProfile<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::set_charging_profile::Request {
            connector_id: number(self.connector, "connectorId")?,
            cs_charging_profiles: by_hand(self.profile, "csChargingProfiles")?,
        }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::set_charging_profile::Request {
            evse_id: number(self.connector, "evseId")?,
            charging_profile: by_hand(self.profile, "chargingProfile")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{MANNER, said_v16};
    use crate::sites::stations::link::StationCommand;

    #[test]
    fn a_profile_is_sent_as_it_was_written_and_a_wrong_one_is_not() {
        let profile = json!({"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative", "chargingSchedule": {"chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}});
        let set = |profile| StationCommand::SetChargingProfile { connector: 1, profile };
        assert_eq!(said_v16(&set(profile.clone())), json!({"connectorId": 1, "csChargingProfiles": profile}));
        assert!(spoken(&set(json!({"colour": "red"}))).v16(MANNER).is_err());
    }
}
