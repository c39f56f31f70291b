//! The rules of composite limits, one at a time.

use super::*;
use kernel::{Milliamps, Watts};
use ocpp::tenths::Tenths;
use ocpp::v16::charging_profile::{ChargingSchedule, RateUnit};

const START: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);

fn outlet() -> Outlet {
    Outlet { maximum: Milliamps(32_000), ..Outlet::single_phase(Watts(7_360)) }
}

fn second(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

/// A profile in amperes: `(second, amperes)` for each period, counted from `START`.
fn profile(id: i32, purpose: Purpose, level: u32, periods: &[(u32, i32)]) -> ChargingProfile {
    ChargingProfile {
        charging_profile_id: id,
        transaction_id: None,
        stack_level: level,
        charging_profile_purpose: purpose,
        charging_profile_kind: Kind::Absolute,
        recurrency_kind: None,
        valid_from: None,
        valid_to: None,
        charging_schedule: ChargingSchedule {
            duration: None,
            start_schedule: Some(START),
            charging_rate_unit: RateUnit::Amperes,
            charging_schedule_period: periods
                .iter()
                .map(|&(start_period, amps)| SchedulePeriod {
                    start_period,
                    limit: Tenths(amps * 10),
                    number_phases: Some(1),
                })
                .collect(),
            min_charging_rate: None,
        },
    }
}

fn default(id: i32, level: u32, amps: i32) -> ChargingProfile {
    profile(id, Purpose::TxDefaultProfile, level, &[(0, amps)])
}

fn running() -> Option<Running> {
    Some(Running { id: Some(7), started_at: second(100) })
}

fn amps(profiles: &Profiles, connector: u32, running: Option<Running>, at: u64) -> i64 {
    let limit = profiles.composite(connector, &outlet(), running, second(at));
    limit.current.get() / 1_000
}

#[test]
fn without_profiles_the_outlet_is_the_limit() {
    assert_eq!(amps(&Profiles::default(), 1, running(), 0), 32);
}

#[test]
fn section_3_13_a_transaction_profile_goes_before_the_default_and_ends_with_it() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 9, 10), START);
    profiles.install(1, profile(2, Purpose::TxProfile, 0, &[(0, 20)]), START);
    assert_eq!(amps(&profiles, 1, running(), 200), 20);
    assert_eq!(amps(&profiles, 1, None, 200), 10);
    profiles.end_transaction(1);
    assert_eq!(amps(&profiles, 1, running(), 200), 10);
}

#[test]
fn a_profile_of_another_transaction_does_not_count() {
    let mut profiles = Profiles::default();
    let mut other = profile(2, Purpose::TxProfile, 0, &[(0, 20)]);
    other.transaction_id = Some(8);
    profiles.install(1, other, START);
    assert_eq!(amps(&profiles, 1, running(), 200), 32);
}

#[test]
fn the_highest_active_level_wins_and_gives_way_when_it_ends() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 6), START);
    let mut live = default(2, 1, 16);
    live.charging_schedule.duration = Some(300);
    profiles.install(1, live, START);
    assert_eq!((amps(&profiles, 1, None, 299), amps(&profiles, 1, None, 300)), (16, 6));
}

#[test]
fn the_connectors_own_default_goes_before_that_of_all_connectors() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 16), START);
    profiles.install(0, default(2, 0, 8), START);
    assert_eq!((amps(&profiles, 1, None, 5), amps(&profiles, 2, None, 5)), (16, 8));
}

#[test]
fn the_station_maximum_cuts_everything() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 16), START);
    profiles.install(0, profile(2, Purpose::ChargePointMaxProfile, 0, &[(0, 12)]), START);
    assert_eq!((amps(&profiles, 1, None, 5), amps(&profiles, 2, None, 5)), (12, 12));
}

#[test]
fn validity_and_a_later_start_are_respected() {
    let mut profiles = Profiles::default();
    let mut one = default(1, 0, 16);
    one.valid_from = Some(second(10));
    one.valid_to = Some(second(20));
    profiles.install(1, one, START);
    let seen: Vec<_> = [9, 10, 19, 20].map(|at| amps(&profiles, 1, None, at)).into();
    assert_eq!(seen, [32, 16, 16, 32]);

    let mut later = default(1, 0, 8);
    later.charging_schedule.start_schedule = Some(second(50));
    profiles.install(1, later, START);
    assert_eq!((amps(&profiles, 1, None, 49), amps(&profiles, 1, None, 50)), (32, 8));
}

#[test]
fn a_relative_profile_counts_from_the_start_of_charging() {
    let mut profiles = Profiles::default();
    let mut one = profile(1, Purpose::TxDefaultProfile, 0, &[(0, 6), (60, 16)]);
    one.charging_profile_kind = Kind::Relative;
    one.charging_schedule.start_schedule = None;
    profiles.install(0, one, START);
    assert_eq!((amps(&profiles, 1, running(), 159), amps(&profiles, 1, running(), 160)), (6, 16));
}

#[test]
fn a_daily_profile_comes_back() {
    let mut profiles = Profiles::default();
    let mut night = profile(1, Purpose::TxDefaultProfile, 0, &[(0, 10)]);
    night.charging_profile_kind = Kind::Recurring;
    night.recurrency_kind = Some(Recurrence::Daily);
    night.charging_schedule.duration = Some(3_600);
    profiles.install(1, night, START);
    let day = 86_400;
    let seen = [10, 3_600, day - 1, day + 10, 3 * day + 3_599, 3 * day + 3_600];
    assert_eq!(seen.map(|at| amps(&profiles, 1, None, at)), [10, 32, 32, 10, 10, 32]);
}

#[test]
fn section_5_16_the_same_number_or_place_is_replaced() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 16), START);
    profiles.install(2, default(1, 3, 10), START);
    assert_eq!((amps(&profiles, 1, None, 5), amps(&profiles, 2, None, 5)), (32, 10));
    profiles.install(2, default(9, 3, 8), START);
    assert_eq!((profiles.count(), amps(&profiles, 2, None, 5)), (1, 8));
}

#[test]
fn section_5_5_clearing_needs_every_given_field() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 16), START);
    let mut which = clear_charging_profile::Request {
        id: None,
        connector_id: Some(1),
        charging_profile_purpose: Some(Purpose::TxProfile),
        stack_level: None,
    };
    assert!(!profiles.clear(&which));
    which.charging_profile_purpose = None;
    assert!(profiles.clear(&which) && profiles.count() == 0);
}

#[test]
fn a_composite_schedule_has_every_change_once() {
    let mut profiles = Profiles::default();
    profiles.install(1, default(1, 0, 6), START);
    let mut live = profile(2, Purpose::TxDefaultProfile, 1, &[(0, 16), (60, 20), (90, 20)]);
    live.charging_schedule.duration = Some(120);
    profiles.install(1, live, START);
    let schedule = profiles.schedule(1, &outlet(), None, second(30), 600);
    let seen: Vec<_> = schedule.iter().map(|(at, limit)| (*at, limit.current.get() / 1_000)).collect();
    assert_eq!(seen, [(0, 16), (30, 20), (90, 6)]);
}
