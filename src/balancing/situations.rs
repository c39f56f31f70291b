//! Wrong words of chargers and meters against the limit of their group, one situation a test.

use std::time::Duration;

use serde_json::json;

use super::loads::loads;
use super::virtual_group::{PILOT, RATING, VirtualGroup, kilowatts, shown};
use crate::sites::stations::ConnectorStatus;
use crate::sites::stations::link::{LimitPurpose, Stray};
use engine::transition::Stage;
use kernel::*;

// ---- a meter of the site against what stations claim

/// A group of 30 kW with 15 kW of other load and one car for 14 kW; it draws what it may, its station claims something else, and
/// the meter shows what is drawn every second.
fn with_claim(claim: impl Fn(f64) -> f64) -> VirtualGroup {
    let mut group = VirtualGroup::settled(2, 30);
    let meter = group.site_meter();
    group.plug(0);
    for second in 0..240 {
        if second % 10 == 0 {
            group.shows(0, Some(claim(group.last_sent(0).min(14.0))), None);
        }
        group.pass_reading(meter, 1, |group| 15.0 + group.last_sent(0).min(14.0));
    }
    group
}

#[test]
fn who_claims_what_it_may_draw_gets_what_the_load_leaves() {
    let group = with_claim(|drawn| drawn);
    assert!(group.load() >= Watts(14_900), "{}", group.load());
    assert!((13_000..=15_100).contains(&group.limit(0).get()), "{}", group.limit(0));
}

#[test]
fn who_claims_twice_the_rating_hides_no_load() {
    let group = with_claim(|_| 44.0);
    // Reserved at what it claims: nobody else gets anything, and no load is taken for less than it is.
    assert!(group.limit(1) == Watts::ZERO && group.load() >= Watts::ZERO);
}

#[test]
fn a_slip_of_units_is_bounded_warned_of_and_hides_no_load() {
    let group = with_claim(|drawn| drawn * 1_000.0);
    assert!(group.warned().contains(&"implausible_reading"));
    assert!(group.load() >= Watts(14_900), "{}", group.load());
}

#[test]
fn who_claims_nothing_makes_the_load_larger_not_smaller() {
    let group = with_claim(|_| 0.0);
    assert!(group.load() >= Watts(15_000), "{}", group.load());
}

#[test]
fn a_negative_claim_is_no_draw() {
    let group = with_claim(|drawn| -drawn);
    assert!(group.load() >= Watts(15_000), "{}", group.load());
}

#[test]
fn one_reading_far_below_zero_gives_nobody_more_and_stops_nobody() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    group.plug(0);
    group.pass_reading(meter, 200, |group| 15.0 + group.limit(0).kilowatts());
    let before = group.limit(0);
    assert!(before >= Watts(14_000), "{before}");
    group.reads(meter, -30.0);
    group.pass(1);
    assert_eq!(group.load(), Watts::ZERO, "no producer explains less");
    group.pass_reading(meter, 5, |_| 15.0 + before.kilowatts());
    assert!(group.limit(0) >= Watts(13_000), "{} after seconds", group.limit(0));
}

#[test]
fn what_a_producer_gives_may_make_the_load_negative_and_no_more() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    let sun = group.asset(json!({"type": "producer"}));
    group.reads(sun, 4.0);
    group.reads(meter, -30.0);
    group.pass(1);
    assert_eq!(group.load(), Watts(-4_000));
}

#[test]
fn a_producer_that_is_silent_explains_its_rating_and_without_one_nothing() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    group.asset(json!({"type": "producer", "static_power": 6}));
    group.reads(meter, -30.0);
    group.pass(1);
    assert_eq!(group.load(), Watts(-6_000));
}

#[test]
fn a_meter_above_the_capacity_cuts_by_the_excess() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    group.plug(0);
    group.pass_reading(meter, 200, |group| 10.0 + group.limit(0).kilowatts());
    assert!(group.limit(0) >= Watts(19_000), "{}", group.limit(0));
    let before = group.limit(0);
    group.reads(meter, 34.0);
    group.pass(1);
    assert!(group.limit(0) <= before - Watts(4_000), "{}", group.limit(0));
    assert!(group.warned().contains(&"meter_above_capacity"));
}

#[test]
fn nobody_is_sent_more_while_a_meter_is_above_the_capacity() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    group.plug(0);
    group.pass_reading(meter, 200, |group| 10.0 + group.limit(0).kilowatts());
    group.reads(meter, 38.0);
    group.pass(1);
    let cut = group.limit(0);
    assert!(cut <= Watts(12_000), "{cut}");
    // It claims to draw as it did before the cut, and to explain what the meter still shows too much.
    for shown in [34.0, 32.0, 31.0] {
        group.shows(0, Some(20.0), None);
        group.reads(meter, shown);
        group.pass(1);
        assert!(group.limit(0) <= cut, "{} at {shown} kW", group.limit(0));
    }
    group.pass_reading(meter, 60, |group| 10.0 + group.limit(0).kilowatts());
    assert!(group.limit(0) > cut, "it fits again");
}

#[test]
fn where_a_cut_does_not_help_it_is_repeated_until_it_does() {
    let mut group = VirtualGroup::settled(2, 30);
    let meter = group.site_meter();
    group.plug(0);
    group.plug(1);
    group.pass_reading(meter, 100, |group| group.limit(0).kilowatts() + group.limit(1).kilowatts());
    // The first one draws all it can from now on and reports nothing.
    let drawn = |group: &VirtualGroup| 22.0 + group.limit(1).kilowatts();
    group.pass_reading(meter, 50, drawn);
    assert!(drawn(&group) <= 30.0, "{}", drawn(&group));
}

#[test]
fn who_hid_load_from_the_first_cut_is_not_believed_at_the_next() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    group.plug(0);
    // Its car takes 12.4 kW at most, and it reports nothing: by itself, what it leaves of its limit is not known.
    let car = |group: &VirtualGroup| group.limit(0).kilowatts().min(12.4);
    group.pass_reading(meter, 180, |group| 11.2 + car(group));
    assert!(group.limit(0) > Watts(13_300), "{}", group.limit(0));
    // 30.9 kW: a cut by 0.9 kW changes nothing.
    group.pass_reading(meter, 8, |group| 18.5 + car(group));
    assert!(group.limit(0) <= Watts(11_500), "{}", group.limit(0));
    // And by then the meter proves what the load is.
    group.pass_reading(meter, 120, |group| 18.5 + car(group));
    assert!(group.limit(0) > Watts(10_000), "{}", group.limit(0));
    assert!(group.limit(0) <= Watts(11_500), "{}", group.limit(0));
}

// ---- draws that nobody steers

#[test]
fn a_car_at_a_connector_that_is_not_set_up_is_reserved() {
    let mut group = VirtualGroup::settled(2, 22);
    let drawing = group.drawing(22.0);
    group.stray(0, 2, drawing);
    group.plug(1);
    group.pass(20);
    assert_eq!((group.reserved(), group.limit(1)), (Watts(22_000), Watts::ZERO));
    assert!(group.warned().contains(&"unknown_connector"));
}

#[test]
fn one_that_only_says_that_it_charges_is_reserved_at_the_rating_of_the_others() {
    let mut group = VirtualGroup::settled(2, 40);
    group.stray(0, 7, Stray::Occupied);
    group.pass(5);
    assert_eq!(group.reserved(), RATING);
}

#[test]
fn a_stray_that_is_free_or_draws_nothing_is_forgotten() {
    for over in [Stray::Free, VirtualGroup::new(1, 1).drawing(0.0)] {
        let mut group = VirtualGroup::settled(1, 30);
        let drawing = group.drawing(11.0);
        group.stray(0, 2, drawing);
        group.pass(2);
        assert_eq!(group.reserved(), Watts(11_000));
        group.stray(0, 2, over);
        group.pass(2);
        assert_eq!((group.reserved(), group.warned()), (Watts::ZERO, vec![]));
    }
}

#[test]
fn a_stray_that_reports_its_register_only_is_found() {
    let mut group = VirtualGroup::settled(2, 30);
    // 60 Wh in 10 s are 21.6 kW.
    for reading in 0..6 {
        let register = Some(WattHours(1_001 + 60 * reading));
        let shown = shown(group.now(), None, register);
        group.stray(0, 258, Stray::Metered(shown));
        group.pass(10);
    }
    assert_eq!(group.reserved(), Watts(21_600));
    let drawing = group.drawing(5.0);
    group.stray(0, 2, drawing);
    group.pass(1);
    assert_eq!(group.reserved(), Watts(26_600), "2 is another one than 258");
}

#[test]
fn a_stray_of_fifty_kilowatts_is_no_slip_of_the_unit() {
    for power in [44.0, 50.0, 150.0] {
        let mut group = VirtualGroup::settled(1, 300);
        let drawing = group.drawing(power);
        group.stray(0, 2, drawing);
        group.pass(2);
        assert_eq!(group.reserved(), kilowatts(power));
    }
}

#[test]
fn a_stray_that_falls_silent_keeps_what_it_drew() {
    let mut group = VirtualGroup::settled(1, 30);
    let drawing = group.drawing(11.0);
    group.stray(0, 2, drawing);
    group.pass(4_000);
    assert_eq!(group.reserved(), Watts(11_000));
}

#[test]
fn a_stray_that_is_set_up_since_is_steered_as_any_other() {
    let mut group = VirtualGroup::settled(1, 30);
    let drawing = group.drawing(11.0);
    group.stray(0, 1, drawing);
    group.pass(2);
    assert_eq!(group.reserved(), Watts::ZERO, "number 1 is a member");
}

#[test]
fn who_charges_without_a_transaction_is_reserved_and_warned_of() {
    let mut group = VirtualGroup::settled(2, 15);
    group.plug(1);
    group.says(0, ConnectorStatus::Charging);
    group.pass_showing(0, (40, 5), 11.0);
    group.pass(10);
    assert_eq!((group.exposure(0), group.limit(1)), (RATING, Watts::ZERO));
    assert!(group.warned().contains(&"charges_without_session"));
}

#[test]
fn a_connector_that_says_it_is_broken_and_draws_is_reserved() {
    let mut group = VirtualGroup::settled(2, 30);
    group.plug(0);
    group.pass(30);
    group.says(0, ConnectorStatus::Faulted);
    group.pass_showing(0, (40, 10), 11.0);
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn a_connector_that_says_it_is_free_and_draws_is_reserved() {
    let mut group = VirtualGroup::settled(2, 30);
    group.pass_showing(0, (40, 10), 9.0);
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn the_electronics_of_a_station_are_no_car() {
    let mut group = VirtualGroup::settled(2, 30);
    group.pass_showing(0, (120, 10), 0.09);
    assert_eq!((group.exposure(0), group.warned()), (Watts::ZERO, vec![]));
}

// ---- chargers that refuse

#[test]
fn those_that_refuse_zero_keep_their_fallback_and_no_more() {
    let mut group = VirtualGroup::new(3, 22);
    group.takes = |limit| limit.limit >= PILOT;
    group.pass(25);
    assert_eq!(group.reserved(), PILOT + PILOT + PILOT);
    assert!(group.warned().contains(&"refuses_zero"));
    group.plug(0);
    group.pass(25);
    assert_eq!(group.limit(0), Watts(22_000) - PILOT - PILOT);
    assert_eq!(group.exposure(0), group.limit(0));
}

#[test]
fn what_a_station_refuses_is_not_sent_again_and_again() {
    let mut group = VirtualGroup::new(1, 22);
    group.takes = |limit| limit.limit >= PILOT;
    group.pass(1_000);
    assert_eq!(group.sent_to(0), 2, "before it took its fallback, and since");
    group.plug(0);
    group.pass(20);
    group.site.connectors[0].session = None;
    group.says(0, ConnectorStatus::Available);
    group.pass(1_000);
    let sent = &group.sent[&group.site.connectors[0].station];
    let zeros = sent.iter().filter(|limit| **limit == Watts::ZERO).count();
    assert_eq!(zeros, 2, "{sent:?}");
}

#[test]
fn after_its_session_a_refuser_of_zero_is_sent_the_least_it_takes() {
    let mut group = VirtualGroup::new(1, 22);
    group.takes = |limit| limit.limit >= PILOT;
    group.pass(25);
    group.plug(0);
    group.pass(25);
    assert_eq!(group.exposure(0), Watts(22_000));
    group.site.connectors[0].session = None;
    group.says(0, ConnectorStatus::Available);
    group.pass(5);
    assert_eq!(group.exposure(0), PILOT);
}

#[test]
fn who_refuses_everything_counts_with_its_fallback_only_where_it_confirmed_one() {
    let mut group = VirtualGroup::new(1, 30);
    group.takes = |_| false;
    group.pass(1_000);
    assert_eq!(group.reserved(), RATING, "no fallback is proven");

    let mut group = VirtualGroup::new(1, 30);
    group.takes = |limit| limit.purpose == LimitPurpose::Fallback;
    group.pass(1_000);
    assert_eq!(group.reserved(), PILOT);
}

// ---- sessions and statuses

#[test]
fn a_second_car_while_the_connector_still_says_finishing_gets_power() {
    let mut group = VirtualGroup::settled(1, 20);
    group.plug(0);
    group.pass(20);
    group.says(0, ConnectorStatus::Finishing);
    group.site.connectors[0].session = None;
    group.pass(20);
    assert_eq!(group.limit(0), Watts::ZERO);
    group.plug(0);
    group.site.connectors[0].status = ConnectorStatus::Finishing;
    group.site.connectors[0].status_at = Some(group.now() - Duration::from_secs(20));
    group.pass(10);
    assert_eq!(group.limit(0), Watts(20_000));
}

#[test]
fn a_status_of_before_that_comes_late_stops_no_car() {
    for late in [ConnectorStatus::Finishing, ConnectorStatus::Faulted] {
        let mut group = VirtualGroup::settled(1, 20);
        let before = group.now() - Duration::from_secs(5);
        group.plug(0);
        group.pass(20);
        group.says(0, late);
        group.site.connectors[0].status_reported_at = Some(before);
        group.pass(20);
        assert_eq!(group.limit(0), Watts(20_000), "{late}");
    }
}

#[test]
fn a_session_that_is_finishing_gets_none() {
    let mut group = VirtualGroup::settled(1, 20);
    group.plug(0);
    group.pass(20);
    group.says(0, ConnectorStatus::Finishing);
    group.pass(10);
    assert_eq!(group.limit(0), Watts::ZERO);
}

// ---- meters that die

#[test]
fn a_meter_that_died_counts_with_the_highest_load_of_its_week_and_is_warned_of() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.site_meter();
    for power in [18.0, 9.0, 3.0] {
        group.pass_reading(meter, 30, |_| power);
    }
    let loads = loads(&group.site, &group.state, group.now());
    assert_eq!(loads.by_meter.len(), 1);
    // What balancing keeps with the meter, reading by reading.
    let mut peaks = crate::load::assets::Peaks::default();
    for power in [18_000, 9_000, 3_000] {
        peaks.note(group.now(), Watts(power));
    }
    group.site.assets[meter].measured.peaks = Some(crate::store::Json(peaks));
    group.pass(600);
    assert_eq!(group.load(), Watts(18_000), "not the last 3 kW");
    assert!(group.warned().contains(&"meter_stale"));
    group.reads(meter, 3.0);
    group.pass(1);
    assert!(!group.warned().contains(&"meter_stale"));
    assert_eq!(group.load(), Watts(3_000));
}

#[test]
fn the_configured_fallback_of_a_meter_goes_before_its_history() {
    let mut group = VirtualGroup::settled(1, 30);
    let meter = group.asset(json!({"type": "smart_meter", "meter_scope": "site", "fallback_power": 12}));
    group.pass_reading(meter, 10, |_| 20.0);
    group.pass(600);
    assert_eq!(group.load(), Watts(12_000));
}

#[test]
fn everything_settles_where_nobody_lies() {
    let mut group = VirtualGroup::settled(3, 30);
    group.plug(0);
    group.plug(1);
    group.pass(60);
    assert_eq!(group.state.stage, Some(Stage::Settled));
    assert_eq!((group.limit(0), group.limit(1)), (Watts(15_000), Watts(15_000)));
    assert_eq!(group.warned(), Vec::<&str>::new());
}
