//! Who draws more than it may, and how it is found and pardoned: by power, by register, whatever clocks and links say, one situation a
//! test.

use std::time::Duration;

use super::virtual_group::{PILOT, RATING, VirtualGroup, shown};
use crate::sites::stations::ConnectorStatus;
use kernel::*;

/// A car under a limit of 5 kW, settled.
fn limited() -> VirtualGroup {
    let mut group = VirtualGroup::settled(1, 5);
    group.plug(0);
    group.pass(40);
    assert_eq!((group.limit(0), group.exposure(0)), (Watts(5_000), Watts(5_000)));
    group
}

#[test]
fn a_register_that_rises_by_eleven_kilowatts_is_an_overdraw() {
    let mut group = limited();
    for reading in 0..12 {
        group.shows(0, None, Some(1_000 + reading * 11_000 * 8 / 3_600));
        group.pass(8);
    }
    assert_eq!(group.exposure(0), RATING);
    assert!(group.warned().contains(&"not_obeying"));
}

#[test]
fn a_register_that_keeps_the_limit_is_none() {
    let mut group = limited();
    for reading in 0..30 {
        group.shows(0, None, Some(1_000 + reading * 5_000 * 10 / 3_600));
        group.pass(10);
    }
    assert_eq!(group.exposure(0), Watts(5_000));
}

#[test]
fn a_register_of_whole_kilowatt_hours_is_none_while_it_keeps_the_limit() {
    let mut group = limited();
    for reading in 0..60 {
        group.shows(0, None, Some(5_000 * reading / 60 / 1_000 * 1_000));
        group.pass(60);
    }
    assert_eq!(group.exposure(0), Watts(5_000));
}

#[test]
fn a_register_every_quarter_of_an_hour_is_enough() {
    let mut group = limited();
    for reading in 0..3 {
        group.shows(0, None, Some(7 + reading * 2_750));
        group.pass(900);
    }
    assert_eq!(group.exposure(0), RATING, "11 kW on average");
}

#[test]
fn a_power_that_is_reported_and_kept_is_no_overdraw_whatever_was_reported_before_the_cut() {
    let mut group = VirtualGroup::settled(1, 22);
    group.plug(0);
    group.pass_showing(0, (60, 10), 20.0);
    group.site.groups[0].maximum_capacity = Watts(5_000);
    for reading in 0..12 {
        group.shows(0, None, Some(1_000 + reading * 5_000 * 10 / 3_600));
        group.pass(10);
    }
    assert_eq!(group.exposure(0), Watts(5_000), "20 kW is an old value");
}

#[test]
fn who_reports_zero_while_its_register_rises_is_found() {
    let mut group = limited();
    for reading in 0..12 {
        group.shows(0, Some(0.0), Some(1_000 + reading * 11_000 * 10 / 3_600));
        group.pass(10);
    }
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn who_obeys_again_is_trusted_again() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 11.0);
    assert_eq!(group.exposure(0), RATING);
    group.pass_showing(0, (60, 10), 4.0);
    assert_eq!(group.exposure(0), Watts(5_000));
}

#[test]
fn a_register_that_only_bounds_what_is_drawn_pardons_nobody() {
    let mut group = limited();
    for _ in 0..20 {
        group.shows(0, Some(11.0), None);
        group.shows(0, None, Some(7_000)); // whole kWh, reported by itself
        group.pass(10);
    }
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn a_clock_that_is_set_pardons_nobody() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 11.0);
    assert_eq!(group.exposure(0), RATING);
    for reading in 0..6_u64 {
        // 11 kW by receipt: 91 Wh in 30 s; by its own times, two hours apart, 46 W.
        let register = 1_001 + 91 * i64::try_from(reading).expect("few");
        let mut reported = shown(group.now(), None, Some(WattHours(register)));
        reported.reported_at = reported.at - Duration::from_secs(7_200 * (6 - reading));
        group.hear(0, reported);
        group.pass(30);
    }
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn who_does_not_obey_is_not_pardoned_because_its_link_broke() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 11.0);
    for online in [false, true] {
        group.site.connectors[0].online = online;
        group.pass(400);
        assert_eq!(group.exposure(0), RATING, "online: {online}");
    }
    group.restart();
    group.pass(5);
    assert_eq!(group.exposure(0), RATING);
    group.pass_showing(0, (60, 10), 4.0);
    assert_eq!(group.exposure(0), Watts(5_000), "it obeys again");
}

#[test]
fn what_a_car_drew_that_left_is_not_reserved_for_ever() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 11.0);
    group.site.connectors[0].session = None;
    group.says(0, ConnectorStatus::Available);
    group.pass(60);
    assert_eq!((group.reserved(), group.exposure(0)), (Watts::ZERO, Watts::ZERO));
}

#[test]
fn who_draws_too_much_is_paused_where_that_is_more_than_there_is() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 11.0);
    let sent = &group.sent[&group.site.connectors[0].station];
    assert_eq!(sent.last(), Some(&Watts::ZERO), "22 kW are reserved of 5");
}

#[test]
fn who_draws_too_much_and_refuses_to_pause_is_sent_the_least_that_it_takes() {
    let mut group = limited();
    group.takes = |limit| limit.limit > Watts::ZERO;
    group.pass_showing(0, (90, 10), 11.0);
    let sent = &group.sent[&group.site.connectors[0].station];
    assert_eq!(sent.last(), Some(&PILOT), "of {sent:?}");
}

#[test]
fn more_than_a_wrong_rating_is_believed_up_to_the_largest_socket() {
    let mut group = limited();
    group.pass_showing(0, (90, 10), 40.0);
    assert_eq!(group.exposure(0), Watts(40_000));
    group.pass_showing(0, (20, 10), 90_000.0);
    assert_eq!(group.exposure(0), Watts(43_500));
}

#[test]
fn one_wild_reading_is_forgotten_with_the_next() {
    let mut group = limited();
    group.shows(0, Some(6_000.0), None);
    group.pass(5);
    group.shows(0, Some(4.0), None);
    group.pass(5);
    assert_eq!((group.exposure(0), group.limit(0)), (Watts(5_000), Watts(5_000)));
}
