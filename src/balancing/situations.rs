//! Wrong words of chargers and meters against the limit of their group, one situation a test.

use std::time::Duration;

use serde_json::json;

use super::loads::loads;
use super::yard::{PILOT, RATING, Yard, kilowatts, shown};
use crate::sites::stations::ConnectorStatus;
use crate::sites::stations::link::{LimitPurpose, Stray};
use engine::transition::Stage;
use kernel::*;

// ---- a meter of the site against what stations claim

/// A group of 30 kW with 15 kW of other load and one car for 14 kW; it draws what it may, its station claims something else, and
/// the meter shows what is drawn every second.
fn with_claim(claim: impl Fn(f64) -> f64) -> Yard {
    let mut yard = Yard::settled(2, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    for second in 0..240 {
        if second % 10 == 0 {
            yard.shows(0, Some(claim(yard.told(0).min(14.0))), None);
        }
        yard.pass_reading(meter, 1, |yard| 15.0 + yard.told(0).min(14.0));
    }
    yard
}

#[test]
fn who_claims_what_it_may_draw_gets_what_the_load_leaves() {
    let yard = with_claim(|drawn| drawn);
    assert!(yard.load() >= Watts(14_900), "{}", yard.load());
    assert!((13_000..=15_100).contains(&yard.limit(0).get()), "{}", yard.limit(0));
}

#[test]
fn who_claims_twice_the_rating_hides_no_load() {
    let yard = with_claim(|_| 44.0);
    // Reserved at what it claims: nobody else gets anything, and no load is taken for less than it is.
    assert!(yard.limit(1) == Watts::ZERO && yard.load() >= Watts::ZERO);
}

#[test]
fn a_slip_of_units_is_bounded_flagged_and_hides_no_load() {
    let yard = with_claim(|drawn| drawn * 1_000.0);
    assert!(yard.warned().contains(&"implausible_reading"));
    assert!(yard.load() >= Watts(14_900), "{}", yard.load());
}

#[test]
fn who_claims_nothing_makes_the_load_larger_not_smaller() {
    let yard = with_claim(|_| 0.0);
    assert!(yard.load() >= Watts(15_000), "{}", yard.load());
}

#[test]
fn a_negative_claim_is_no_draw() {
    let yard = with_claim(|drawn| -drawn);
    assert!(yard.load() >= Watts(15_000), "{}", yard.load());
}

#[test]
fn one_reading_far_below_zero_gives_nobody_more_and_stops_nobody() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    yard.pass_reading(meter, 200, |yard| 15.0 + yard.limit(0).kilowatts());
    let before = yard.limit(0);
    assert!(before >= Watts(14_000), "{before}");
    yard.reads(meter, -30.0);
    yard.pass(1);
    assert_eq!(yard.load(), Watts::ZERO, "no producer explains less");
    yard.pass_reading(meter, 5, |_| 15.0 + before.kilowatts());
    assert!(yard.limit(0) >= Watts(13_000), "{} after seconds", yard.limit(0));
}

#[test]
fn what_a_producer_gives_may_make_the_load_negative_and_no_more() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    let sun = yard.asset(json!({"type": "producer"}));
    yard.reads(sun, 4.0);
    yard.reads(meter, -30.0);
    yard.pass(1);
    assert_eq!(yard.load(), Watts(-4_000));
}

#[test]
fn a_producer_that_is_silent_explains_its_rating_and_without_one_nothing() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    yard.asset(json!({"type": "producer", "static_power": 6}));
    yard.reads(meter, -30.0);
    yard.pass(1);
    assert_eq!(yard.load(), Watts(-6_000));
}

#[test]
fn a_meter_above_the_capacity_cuts_by_the_excess() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    yard.pass_reading(meter, 200, |yard| 10.0 + yard.limit(0).kilowatts());
    assert!(yard.limit(0) >= Watts(19_000), "{}", yard.limit(0));
    let before = yard.limit(0);
    yard.reads(meter, 34.0);
    yard.pass(1);
    assert!(yard.limit(0) <= before - Watts(4_000), "{}", yard.limit(0));
    assert!(yard.warned().contains(&"meter_above_capacity"));
}

#[test]
fn nobody_is_told_more_while_a_meter_is_above_the_capacity() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    yard.pass_reading(meter, 200, |yard| 10.0 + yard.limit(0).kilowatts());
    yard.reads(meter, 38.0);
    yard.pass(1);
    let cut = yard.limit(0);
    assert!(cut <= Watts(12_000), "{cut}");
    // It claims to draw as it did before the cut, and to explain what the meter still shows too much.
    for shown in [34.0, 32.0, 31.0] {
        yard.shows(0, Some(20.0), None);
        yard.reads(meter, shown);
        yard.pass(1);
        assert!(yard.limit(0) <= cut, "{} at {shown} kW", yard.limit(0));
    }
    yard.pass_reading(meter, 60, |yard| 10.0 + yard.limit(0).kilowatts());
    assert!(yard.limit(0) > cut, "it fits again");
}

#[test]
fn where_a_cut_does_not_help_it_is_repeated_until_it_does() {
    let mut yard = Yard::settled(2, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    yard.plug(1);
    yard.pass_reading(meter, 100, |yard| yard.limit(0).kilowatts() + yard.limit(1).kilowatts());
    // The first one draws all it can from now on and reports nothing.
    let drawn = |yard: &Yard| 22.0 + yard.limit(1).kilowatts();
    yard.pass_reading(meter, 50, drawn);
    assert!(drawn(&yard) <= 30.0, "{}", drawn(&yard));
}

#[test]
fn who_hid_load_from_the_first_cut_is_not_believed_at_the_next() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    yard.plug(0);
    // Its car takes 12.4 kW at most, and it reports nothing: by itself, what it leaves of its limit is not known.
    let car = |yard: &Yard| yard.limit(0).kilowatts().min(12.4);
    yard.pass_reading(meter, 180, |yard| 11.2 + car(yard));
    assert!(yard.limit(0) > Watts(13_300), "{}", yard.limit(0));
    // 30.9 kW: a cut by 0.9 kW changes nothing.
    yard.pass_reading(meter, 8, |yard| 18.5 + car(yard));
    assert!(yard.limit(0) <= Watts(11_500), "{}", yard.limit(0));
    // And by then the meter proves what the load is.
    yard.pass_reading(meter, 120, |yard| 18.5 + car(yard));
    assert!(yard.limit(0) > Watts(10_000), "{}", yard.limit(0));
    assert!(yard.limit(0) <= Watts(11_500), "{}", yard.limit(0));
}

// ---- draws that nobody steers

#[test]
fn a_car_at_a_connector_that_is_not_set_up_is_set_aside() {
    let mut yard = Yard::settled(2, 22);
    let drawing = yard.drawing(22.0);
    yard.stray(0, 2, drawing);
    yard.plug(1);
    yard.pass(20);
    assert_eq!((yard.reserved(), yard.limit(1)), (Watts(22_000), Watts::ZERO));
    assert!(yard.warned().contains(&"unknown_connector"));
}

#[test]
fn one_that_only_says_that_it_charges_is_set_aside_at_the_rating_of_the_others() {
    let mut yard = Yard::settled(2, 40);
    yard.stray(0, 7, Stray::Occupied);
    yard.pass(5);
    assert_eq!(yard.reserved(), RATING);
}

#[test]
fn a_stray_that_is_free_or_draws_nothing_is_forgotten() {
    for over in [Stray::Free, Yard::new(1, 1).drawing(0.0)] {
        let mut yard = Yard::settled(1, 30);
        let drawing = yard.drawing(11.0);
        yard.stray(0, 2, drawing);
        yard.pass(2);
        assert_eq!(yard.reserved(), Watts(11_000));
        yard.stray(0, 2, over);
        yard.pass(2);
        assert_eq!((yard.reserved(), yard.warned()), (Watts::ZERO, vec![]));
    }
}

#[test]
fn a_stray_that_tells_its_register_only_is_found() {
    let mut yard = Yard::settled(2, 30);
    // 60 Wh in 10 s are 21.6 kW.
    for reading in 0..6 {
        let register = Some(WattHours(1_001 + 60 * reading));
        let shown = shown(yard.now(), None, register);
        yard.stray(0, 258, Stray::Metered(shown));
        yard.pass(10);
    }
    assert_eq!(yard.reserved(), Watts(21_600));
    let drawing = yard.drawing(5.0);
    yard.stray(0, 2, drawing);
    yard.pass(1);
    assert_eq!(yard.reserved(), Watts(26_600), "2 is another one than 258");
}

#[test]
fn a_stray_of_fifty_kilowatts_is_no_slip_of_the_unit() {
    for power in [44.0, 50.0, 150.0] {
        let mut yard = Yard::settled(1, 300);
        let drawing = yard.drawing(power);
        yard.stray(0, 2, drawing);
        yard.pass(2);
        assert_eq!(yard.reserved(), kilowatts(power));
    }
}

#[test]
fn a_stray_that_falls_silent_keeps_what_it_drew() {
    let mut yard = Yard::settled(1, 30);
    let drawing = yard.drawing(11.0);
    yard.stray(0, 2, drawing);
    yard.pass(4_000);
    assert_eq!(yard.reserved(), Watts(11_000));
}

#[test]
fn a_stray_that_is_set_up_since_is_steered_as_any_other() {
    let mut yard = Yard::settled(1, 30);
    let drawing = yard.drawing(11.0);
    yard.stray(0, 1, drawing);
    yard.pass(2);
    assert_eq!(yard.reserved(), Watts::ZERO, "number 1 is a member");
}

#[test]
fn who_charges_without_a_transaction_is_set_aside_and_warned_of() {
    let mut yard = Yard::settled(2, 15);
    yard.plug(1);
    yard.says(0, ConnectorStatus::Charging);
    yard.pass_showing(0, (40, 5), 11.0);
    yard.pass(10);
    assert_eq!((yard.worst(0), yard.limit(1)), (RATING, Watts::ZERO));
    assert!(yard.warned().contains(&"charges_without_session"));
}

#[test]
fn a_connector_that_says_it_is_broken_and_draws_is_set_aside() {
    let mut yard = Yard::settled(2, 30);
    yard.plug(0);
    yard.pass(30);
    yard.says(0, ConnectorStatus::Faulted);
    yard.pass_showing(0, (40, 10), 11.0);
    assert_eq!(yard.worst(0), RATING);
}

#[test]
fn a_connector_that_says_it_is_free_and_draws_is_set_aside() {
    let mut yard = Yard::settled(2, 30);
    yard.pass_showing(0, (40, 10), 9.0);
    assert_eq!(yard.worst(0), RATING);
}

#[test]
fn the_electronics_of_a_station_are_no_car() {
    let mut yard = Yard::settled(2, 30);
    yard.pass_showing(0, (120, 10), 0.09);
    assert_eq!((yard.worst(0), yard.warned()), (Watts::ZERO, vec![]));
}

// ---- chargers that refuse

#[test]
fn those_that_refuse_zero_hold_their_fallback_and_no_more() {
    let mut yard = Yard::new(3, 22);
    yard.takes = |limit| limit.limit >= PILOT;
    yard.pass(25);
    assert_eq!(yard.reserved(), PILOT + PILOT + PILOT);
    assert!(yard.warned().contains(&"refuses_zero"));
    yard.plug(0);
    yard.pass(25);
    assert_eq!(yard.limit(0), Watts(22_000) - PILOT - PILOT);
    assert_eq!(yard.worst(0), yard.limit(0));
}

#[test]
fn what_a_station_refuses_is_not_told_again_and_again() {
    let mut yard = Yard::new(1, 22);
    yard.takes = |limit| limit.limit >= PILOT;
    yard.pass(1_000);
    assert_eq!(yard.sent_to(0), 2, "before it took its fallback, and since");
    yard.plug(0);
    yard.pass(20);
    yard.site.seats[0].session = None;
    yard.says(0, ConnectorStatus::Available);
    yard.pass(1_000);
    let sent = &yard.sent[&yard.site.seats[0].station];
    let zeros = sent.iter().filter(|limit| **limit == Watts::ZERO).count();
    assert_eq!(zeros, 2, "{sent:?}");
}

#[test]
fn after_its_session_a_refuser_of_zero_is_told_the_least_it_takes() {
    let mut yard = Yard::new(1, 22);
    yard.takes = |limit| limit.limit >= PILOT;
    yard.pass(25);
    yard.plug(0);
    yard.pass(25);
    assert_eq!(yard.worst(0), Watts(22_000));
    yard.site.seats[0].session = None;
    yard.says(0, ConnectorStatus::Available);
    yard.pass(5);
    assert_eq!(yard.worst(0), PILOT);
}

#[test]
fn who_refuses_everything_counts_with_its_fallback_only_where_it_confirmed_one() {
    let mut yard = Yard::new(1, 30);
    yard.takes = |_| false;
    yard.pass(1_000);
    assert_eq!(yard.reserved(), RATING, "no fallback is proven");

    let mut yard = Yard::new(1, 30);
    yard.takes = |limit| limit.purpose == LimitPurpose::Fallback;
    yard.pass(1_000);
    assert_eq!(yard.reserved(), PILOT);
}

// ---- sessions and statuses

#[test]
fn a_second_car_while_the_connector_still_says_finishing_gets_power() {
    let mut yard = Yard::settled(1, 20);
    yard.plug(0);
    yard.pass(20);
    yard.says(0, ConnectorStatus::Finishing);
    yard.site.seats[0].session = None;
    yard.pass(20);
    assert_eq!(yard.limit(0), Watts::ZERO);
    yard.plug(0);
    yard.site.seats[0].status = ConnectorStatus::Finishing;
    yard.site.seats[0].status_at = Some(yard.now() - Duration::from_secs(20));
    yard.pass(10);
    assert_eq!(yard.limit(0), Watts(20_000));
}

#[test]
fn a_status_of_before_that_comes_late_stops_no_car() {
    for late in [ConnectorStatus::Finishing, ConnectorStatus::Faulted] {
        let mut yard = Yard::settled(1, 20);
        let before = yard.now() - Duration::from_secs(5);
        yard.plug(0);
        yard.pass(20);
        yard.says(0, late);
        yard.site.seats[0].status_told_at = Some(before);
        yard.pass(20);
        assert_eq!(yard.limit(0), Watts(20_000), "{late}");
    }
}

#[test]
fn a_session_that_is_finishing_gets_none() {
    let mut yard = Yard::settled(1, 20);
    yard.plug(0);
    yard.pass(20);
    yard.says(0, ConnectorStatus::Finishing);
    yard.pass(10);
    assert_eq!(yard.limit(0), Watts::ZERO);
}

// ---- meters that die

#[test]
fn a_meter_that_died_counts_with_the_highest_load_of_its_week_and_is_warned_of() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.site_meter();
    for power in [18.0, 9.0, 3.0] {
        yard.pass_reading(meter, 30, |_| power);
    }
    let loads = loads(&yard.site, &yard.state, yard.now());
    assert_eq!(loads.by_meter.len(), 1);
    // What balancing keeps with the meter, reading by reading.
    let mut peaks = crate::load::assets::Peaks::default();
    for power in [18_000, 9_000, 3_000] {
        peaks.note(yard.now(), Watts(power));
    }
    yard.site.assets[meter].measured.peaks = Some(crate::store::Json(peaks));
    yard.pass(600);
    assert_eq!(yard.load(), Watts(18_000), "not the last 3 kW");
    assert!(yard.warned().contains(&"meter_stale"));
    yard.reads(meter, 3.0);
    yard.pass(1);
    assert!(!yard.warned().contains(&"meter_stale"));
    assert_eq!(yard.load(), Watts(3_000));
}

#[test]
fn the_configured_fallback_of_a_meter_goes_before_its_history() {
    let mut yard = Yard::settled(1, 30);
    let meter = yard.asset(json!({"type": "smart_meter", "meter_scope": "site", "fallback_power": 12}));
    yard.pass_reading(meter, 10, |_| 20.0);
    yard.pass(600);
    assert_eq!(yard.load(), Watts(12_000));
}

#[test]
fn everything_settles_where_nobody_lies() {
    let mut yard = Yard::settled(3, 30);
    yard.plug(0);
    yard.plug(1);
    yard.pass(60);
    assert_eq!(yard.state.stage, Some(Stage::Settled));
    assert_eq!((yard.limit(0), yard.limit(1)), (Watts(15_000), Watts(15_000)));
    assert_eq!(yard.warned(), Vec::<&str>::new());
}
