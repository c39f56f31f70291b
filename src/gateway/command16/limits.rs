//! Limits in the words of OCPP 1.6.

use super::number;
use crate::gateway::ladder::{Purpose, Saying};
use crate::sites::stations::link::LinkError;
use ocpp::v16::charging_profile::{self, ChargingProfile, Slot};
use ocpp::v16::set_charging_profile;

/// The limit as a charging profile.
pub(super) fn set_limit(saying: &Saying) -> Result<set_charging_profile::Request, LinkError> {
    let slot = Slot {
        id: saying.profile,
        stack_level: saying.level,
        purpose: match saying.purpose {
            Purpose::Station => charging_profile::Purpose::ChargePointMaxProfile,
            Purpose::Default => charging_profile::Purpose::TxDefaultProfile,
            Purpose::Transaction => charging_profile::Purpose::TxProfile,
        },
    };
    let mut profile = ChargingProfile::stepped(slot, &saying.steps, saying.phases, saying.start);
    profile.charging_schedule.duration = saying.seconds;
    profile.transaction_id = saying.transaction;
    Ok(set_charging_profile::Request {
        connector_id: number(saying.connector, "connector")?,
        cs_charging_profiles: profile,
    })
}
