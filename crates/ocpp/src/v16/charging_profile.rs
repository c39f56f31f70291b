//! Charging profiles (OCPP 1.6 §3.13 and §7.8): how a limit is sent to a station.

use crate::tenths::{Ceiling, Tenths};
use kernel::{PhaseSet, Timestamp};

crate::choice! {
    /// What a profile limits (§7.10).
    pub enum Purpose { ChargePointMaxProfile, TxDefaultProfile, TxProfile }
}

crate::choice! {
    /// What the instants of a schedule count from (§7.9).
    pub enum Kind { Absolute, Recurring, Relative }
}

crate::choice! {
    /// How often a recurring schedule recurs (§7.37).
    pub enum Recurrence { Daily, Weekly }
}

crate::choice! {
    /// The unit of a limit (§7.12).
    pub enum RateUnit { Amperes = "A", Watts = "W" }
}

crate::message! {
    /// One limit and when it begins (§7.14).
    pub struct SchedulePeriod {
        /// Seconds after the start of the schedule.
        pub start_period: u32,
        /// The most power, or the most current on each phase.
        pub limit: Tenths,
        /// Phases the limit is meant for; stations assume 3 when absent.
        pub number_phases: Option<u32>,
    }
}

crate::message! {
    /// A series of limits (§7.13).
    pub struct ChargingSchedule {
        /// Seconds it lasts; the last limit lasts for ever when absent.
        pub duration: Option<u32>,
        /// When it begins; must be absent for a relative profile.
        pub start_schedule: Option<Timestamp>,
        /// The unit of every limit in it.
        pub charging_rate_unit: RateUnit,
        /// The limits, the first at second 0.
        pub charging_schedule_period: Vec<SchedulePeriod>,
        /// Below this the car may as well pause.
        pub min_charging_rate: Option<Tenths>,
    }
}

crate::message! {
    /// A limit as a station keeps it (§7.8).
    pub struct ChargingProfile {
        /// Our number; a profile with the same number is replaced.
        pub charging_profile_id: i32,
        /// The transaction, for a `TxProfile` only.
        pub transaction_id: Option<i64>,
        /// The highest level of a purpose wins; some stations know only 0.
        pub stack_level: u32,
        /// What it limits.
        pub charging_profile_purpose: Purpose,
        /// What its instants count from.
        pub charging_profile_kind: Kind,
        /// How often it recurs.
        pub recurrency_kind: Option<Recurrence>,
        /// From when it counts.
        pub valid_from: Option<Timestamp>,
        /// Until when it counts.
        pub valid_to: Option<Timestamp>,
        /// The limits.
        pub charging_schedule: ChargingSchedule,
    }
}

/// Where a profile stands among others: its number, level and purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// One fixed number for each connector and purpose, so that a new limit replaces the old one in place.
    pub id: i32,
    /// See [`ChargingProfile::stack_level`].
    pub stack_level: u32,
    /// What is limited.
    pub purpose: Purpose,
}

impl ChargingProfile {
    /// Limits from so many seconds after `start` on, or after the transaction begins, all in one unit.
    ///
    /// Give a `start` a minute ago, or a station whose clock is slow waits before it obeys.
    pub fn stepped(slot: Slot, steps: &[(u32, Ceiling)], phases: Option<PhaseSet>, start: Option<Timestamp>) -> Self {
        let in_watts = matches!(steps.first(), Some((_, Ceiling::Power(_))));
        let number_phases = phases.and_then(|phases| u32::try_from(phases.count()).ok());
        let period = |(start_period, ceiling): &(u32, Ceiling)| SchedulePeriod {
            start_period: *start_period,
            limit: Tenths::from(*ceiling),
            number_phases,
        };
        Self {
            charging_profile_id: slot.id,
            transaction_id: None,
            stack_level: slot.stack_level,
            charging_profile_purpose: slot.purpose,
            charging_profile_kind: match start {
                Some(_) => Kind::Absolute,
                None => Kind::Relative,
            },
            recurrency_kind: None,
            valid_from: None,
            valid_to: None,
            charging_schedule: ChargingSchedule {
                duration: None,
                start_schedule: start,
                charging_rate_unit: if in_watts { RateUnit::Watts } else { RateUnit::Amperes },
                charging_schedule_period: steps.iter().map(period).collect(),
                min_charging_rate: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Wire;
    use kernel::{Milliamps, Watts};

    const SLOT: Slot = Slot { id: 7, stack_level: 0, purpose: Purpose::TxProfile };

    fn written(ceiling: Ceiling) -> String {
        let start = Timestamp::from_unix_seconds(1_700_000_000);
        let profile = ChargingProfile::stepped(SLOT, &[(0, ceiling)], Some(PhaseSet::ALL), Some(start));
        let of_transaction = ChargingProfile { transaction_id: Some(42), ..profile };
        of_transaction.to_json()
    }

    #[test]
    fn a_limit_is_written_with_one_decimal_place_in_the_order_of_the_schema() {
        assert_eq!(
            written(Ceiling::Current(Milliamps(16_190))),
            concat!(
                r#"{"chargingProfileId":7,"transactionId":42,"stackLevel":0,"chargingProfilePurpose":"TxProfile","#,
                r#""chargingProfileKind":"Absolute","chargingSchedule":{"startSchedule":"2023-11-14T22:13:20.000Z","#,
                r#""chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.1,"numberPhases":3}]}}"#
            )
        );
    }

    #[test]
    fn a_pause_is_an_explicit_zero_and_watts_are_whole() {
        assert!(written(Ceiling::Current(Milliamps::ZERO)).contains(r#""limit":0,"#));
        assert!(written(Ceiling::Power(Watts(11_040))).contains(r#""limit":11040,"#));
    }
}
