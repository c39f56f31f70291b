//! Charging profiles (OCPP 1.6 §3.13 and §7.8): how a limit is told to a station.

use crate::kernel::{Milliamps, PhaseSet, Timestamp, Watts};
use crate::ocpp::tenths::Tenths;

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

/// A limit in the unit a station understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// On each phase.
    Current(Milliamps),
    /// Over all phases.
    Power(Watts),
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
    /// One limit from `start` on, never above `ceiling`: tenths of an ampere and fractions are rounded down.
    ///
    /// Give a `start` a minute ago, or a station whose clock is slow waits before it obeys.
    pub fn constant(
        slot: Slot,
        ceiling: Ceiling,
        phases: Option<PhaseSet>,
        start: Timestamp,
    ) -> Self {
        let (charging_rate_unit, limit) = match ceiling {
            Ceiling::Current(current) => (RateUnit::Amperes, Tenths::from(current)),
            Ceiling::Power(power) => (RateUnit::Watts, Tenths::from(power)),
        };
        let number_phases = phases.and_then(|phases| u32::try_from(phases.count()).ok());
        Self {
            charging_profile_id: slot.id,
            transaction_id: None,
            stack_level: slot.stack_level,
            charging_profile_purpose: slot.purpose,
            charging_profile_kind: Kind::Absolute,
            recurrency_kind: None,
            valid_from: None,
            valid_to: None,
            charging_schedule: ChargingSchedule {
                duration: None,
                start_schedule: Some(start),
                charging_rate_unit,
                charging_schedule_period: vec![SchedulePeriod {
                    start_period: 0,
                    limit,
                    number_phases,
                }],
                min_charging_rate: None,
            },
        }
    }

    /// The same limit for stations that accept nothing but relative profiles: it counts from the start of charging.
    pub fn relative(mut self) -> Self {
        self.charging_profile_kind = Kind::Relative;
        self.charging_schedule.start_schedule = None;
        self
    }

    /// The same limit for one transaction, which a `TxProfile` needs (§3.13).
    pub const fn for_transaction(mut self, transaction_id: i64) -> Self {
        self.transaction_id = Some(transaction_id);
        self
    }

    /// The same limit, given up after this instant.
    pub const fn until(mut self, end: Timestamp) -> Self {
        self.valid_to = Some(end);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocpp::wire::Wire;

    const SLOT: Slot = Slot {
        id: 7,
        stack_level: 0,
        purpose: Purpose::TxProfile,
    };

    fn written(ceiling: Ceiling) -> String {
        let start = Timestamp::from_unix_seconds(1_700_000_000);
        ChargingProfile::constant(SLOT, ceiling, Some(PhaseSet::ALL), start)
            .for_transaction(42)
            .to_json()
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

    #[test]
    fn a_relative_profile_has_no_start() {
        let profile =
            ChargingProfile::constant(SLOT, Ceiling::Power(Watts(1)), None, Timestamp::default());
        assert!(!profile.relative().to_json().contains("startSchedule"));
    }
}
