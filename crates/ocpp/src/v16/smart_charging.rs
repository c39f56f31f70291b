//! Smart charging (OCPP 1.6 Smart Charging profile, §5.5, §5.7 and §5.16); the profiles themselves are in
//! [`charging_profile`](super::charging_profile).

use super::charging_profile::*;
use kernel::Timestamp;

crate::choice! {
    /// What became of a profile (§7.11).
    pub open enum ChargingProfileStatus { Accepted, Rejected, NotSupported }
}

crate::choice! {
    /// Whether any profile matched (§7.21).
    pub open enum ClearChargingProfileStatus { Accepted, NoneFound = "Unknown" }
}

crate::choice! {
    /// Whether there is a schedule (§7.26).
    pub open enum GetCompositeScheduleStatus { Accepted, Rejected }
}

crate::exchange! {
    /// SetChargingProfile (§5.16): the limit of a connector or of the whole station.
    ///
    /// `Accepted` does not prove that it obeys.
    set_charging_profile
    asks {
        /// The connector, or 0 for the whole station.
        connector_id: u32,
        /// The limit.
        cs_charging_profiles: ChargingProfile,
    }
    answers {
        /// What became of it.
        status: ChargingProfileStatus,
    }
}

crate::exchange! {
    /// ClearChargingProfile (§5.5): remove the profiles that match every given field, or all of them. Never clear
    /// before setting: between the two the car draws full power.
    clear_charging_profile
    asks {
        /// This very profile.
        id: Option<i32>,
        /// Those of this connector; 0 is the station.
        connector_id: Option<u32>,
        /// Those of this purpose.
        charging_profile_purpose: Option<Purpose>,
        /// Those of this level.
        stack_level: Option<u32>,
    }
    answers {
        /// What became of it.
        status: ClearChargingProfileStatus,
    }
}

crate::exchange! {
    /// GetCompositeSchedule (§5.7): what limit do your profiles add up to?
    get_composite_schedule
    asks {
        /// The connector, or 0 for the whole station.
        connector_id: u32,
        /// Seconds the schedule should cover.
        duration: u32,
        /// The unit we would like.
        charging_rate_unit: Option<RateUnit>,
    }
    answers {
        /// Whether there is a schedule.
        status: GetCompositeScheduleStatus,
        /// The connector it is for.
        connector_id: Option<u32>,
        /// When it begins.
        schedule_start: Option<Timestamp>,
        /// The limits.
        charging_schedule: Option<ChargingSchedule>,
    }
}
