//! Limits in the words of OCPP 2.

use super::Names;
use crate::gateway::command::{by_hand, exact, invalid, optional_number};
use crate::gateway::ladder::{Purpose, Saying};
use crate::sites::stations::link::LinkError;
use kernel::Protocol;
use ocpp::tenths::{Ceiling, Tenths};
use ocpp::v2::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit, ChargingSchedule,
    ChargingSchedulePeriod, ClearChargingProfile, clear_charging_profile, set_charging_profile,
};

pub(super) const fn unit(in_amps: bool) -> ChargingRateUnit {
    if in_amps { ChargingRateUnit::A } else { ChargingRateUnit::W }
}

/// The limit as a charging profile.
pub(super) fn profile(saying: &Saying, names: &Names) -> Result<set_charging_profile::Request, LinkError> {
    let in_amps = matches!(saying.steps.first(), Some((_, Ceiling::Current(_))));
    let phases = saying.phases.and_then(|phases| u32::try_from(phases.count()).ok());
    let period = |(start, ceiling): &(u32, Ceiling)| ChargingSchedulePeriod {
        number_phases: phases.filter(|_| in_amps),
        ..ChargingSchedulePeriod::of(i64::from(*start), Tenths::from(*ceiling).into())
    };
    let schedule = ChargingSchedule {
        duration: saying.seconds.map(i64::from),
        start_schedule: saying.start,
        ..ChargingSchedule::new(i64::from(saying.profile), unit(in_amps), saying.steps.iter().map(period).collect())
    };
    let transaction = match saying.transaction {
        Some(_) => {
            let name = names.transaction.as_deref();
            let name = name.ok_or_else(|| invalid("the station does not know this transaction"))?;
            Some(exact(name, "transaction")?)
        }
        None => None,
    };
    Ok(set_charging_profile::Request {
        evse_id: names.evse_id(saying.connector)?,
        charging_profile: ChargingProfile {
            transaction_id: transaction,
            charging_profile_kind: match saying.start {
                Some(_) => ChargingProfileKind::Absolute,
                None => ChargingProfileKind::Relative,
            },
            // Runs out when the station is offline for so long, even where its clock stands still.
            max_offline_duration: saying.seconds.filter(|_| names.version >= Protocol::V21).map(i64::from),
            ..ChargingProfile::new(
                names.profile(saying.profile),
                saying.level,
                match saying.purpose {
                    Purpose::Station => ChargingProfilePurpose::ChargingStationMaxProfile,
                    Purpose::Default => ChargingProfilePurpose::TxDefaultProfile,
                    Purpose::Transaction => ChargingProfilePurpose::TxProfile,
                },
                schedule,
            )
        },
    })
}

/// The profiles to forget; one without any criterion is not allowed, so all are those of every EVSE.
pub(super) fn clear(
    names: &Names,
    id: Option<i32>,
    connector: Option<i32>,
    purpose: Option<&str>,
    stack_level: Option<i32>,
) -> Result<clear_charging_profile::Request, LinkError> {
    let purpose = purpose.map(|purpose| match purpose {
        "ChargePointMaxProfile" => "ChargingStationMaxProfile",
        other => other,
    });
    let criteria = ClearChargingProfile {
        evse_id: connector.map(|connector| names.evse_id(connector)).transpose()?,
        charging_profile_purpose: purpose
            .map(|purpose| by_hand(&purpose.into(), "chargingProfilePurpose"))
            .transpose()?,
        stack_level: optional_number(stack_level, "stackLevel")?,
    };
    let says_something =
        criteria.evse_id.is_some() || criteria.charging_profile_purpose.is_some() || criteria.stack_level.is_some();
    Ok(clear_charging_profile::Request {
        charging_profile_id: id.map(|id| names.profile(id)),
        charging_profile_criteria: (says_something || id.is_none()).then_some(criteria),
    })
}
