//! Limits as charging profiles: what [`set_limit`](super::set_limit) and [`set_schedule`](super::set_schedule) share.

use super::Names;
use super::wire::{WireCall, number};
use crate::gateway::profile_variants::{Purpose, Saying};
use crate::sites::stations::link::LinkError;
use kernel::Protocol;
use ocpp::tenths::{Ceiling, Tenths};
use ocpp::v16::charging_profile::{self, Slot};
use ocpp::{v2, v16};

/// SetChargingProfile in the words of OCPP 1.6.
pub(super) fn v16(saying: &Saying) -> Result<WireCall, LinkError> {
    let slot = Slot {
        id: saying.profile,
        stack_level: saying.level,
        purpose: match saying.purpose {
            Purpose::Station => charging_profile::Purpose::ChargePointMaxProfile,
            Purpose::Default => charging_profile::Purpose::TxDefaultProfile,
            Purpose::Transaction => charging_profile::Purpose::TxProfile,
        },
    };
    let mut profile = charging_profile::ChargingProfile::stepped(slot, &saying.steps, saying.phases, saying.start);
    profile.charging_schedule.duration = saying.seconds;
    profile.transaction_id = saying.transaction;
    Ok(WireCall::v16(v16::set_charging_profile::Request {
        connector_id: number(saying.connector, "connector")?,
        cs_charging_profiles: profile,
    }))
}

/// SetChargingProfile in the words of OCPP 2.
pub(super) fn v2(saying: &Saying, names: &Names) -> Result<WireCall, LinkError> {
    let in_amps = matches!(saying.steps.first(), Some((_, Ceiling::Current(_))));
    let phases = saying.phases.and_then(|phases| u32::try_from(phases.count()).ok());
    let period = |(start, ceiling): &(u32, Ceiling)| v2::ChargingSchedulePeriod {
        number_phases: phases.filter(|_| in_amps),
        ..v2::ChargingSchedulePeriod::of(i64::from(*start), Tenths::from(*ceiling).into())
    };
    let periods = saying.steps.iter().map(period).collect();
    let schedule = v2::ChargingSchedule {
        duration: saying.seconds.map(i64::from),
        start_schedule: saying.start,
        ..v2::ChargingSchedule::new(i64::from(saying.profile), unit(in_amps), periods)
    };
    let purpose = match saying.purpose {
        Purpose::Station => v2::ChargingProfilePurpose::ChargingStationMaxProfile,
        Purpose::Default => v2::ChargingProfilePurpose::TxDefaultProfile,
        Purpose::Transaction => v2::ChargingProfilePurpose::TxProfile,
    };
    Ok(WireCall::v2(v2::set_charging_profile::Request {
        evse_id: names.evse_id(saying.connector)?,
        charging_profile: v2::ChargingProfile {
            transaction_id: saying.transaction.map(|_| names.transaction()).transpose()?,
            charging_profile_kind: match saying.start {
                Some(_) => v2::ChargingProfileKind::Absolute,
                None => v2::ChargingProfileKind::Relative,
            },
            // Runs out when the station is offline for so long, even where its clock stands still.
            max_offline_duration: saying.seconds.filter(|_| names.version >= Protocol::V21).map(i64::from),
            ..v2::ChargingProfile::new(names.profile(saying.profile), saying.level, purpose, schedule)
        },
    }))
}

/// The unit of limits in the words of OCPP 2.
pub(super) const fn unit(in_amps: bool) -> v2::ChargingRateUnit {
    if in_amps { v2::ChargingRateUnit::A } else { v2::ChargingRateUnit::W }
}
