//! Who gets anything: queue positions, minimum on-times, off-times, classes and pauses.

use super::*;

#[test]
fn a_car_that_waits_moves_up_when_another_leaves() {
    let mut full = site(kw(10), (1..=3).map(|number| charging(number, kw(5), kw(7))).collect());
    assert_eq!(carry_on(&mut full, NOON), [5_000, 5_000, 0]);
    full.members[0].state = MemberState::Idle { exposure: Watts::ZERO };
    assert_eq!(carry_on(&mut full, minutes_later(1)), [0, 5_000, 5_000]);
}

#[test]
fn the_queue_rotates_after_the_minimum_on_time_and_stopped_cars_stay_off() {
    let mut full = site(kw(5), (1..=2).map(|number| charging(number, kw(5), kw(7))).collect());
    assert_eq!(carry_on(&mut full, NOON), [5_000, 0]);
    session(&mut full.members[0]).attained = WattHours(2_400);
    assert_eq!(carry_on(&mut full, minutes_later(29)), [5_000, 0], "held");
    assert_eq!(carry_on(&mut full, minutes_later(30)), [0, 5_000], "its turn");
    full.members[1].state = MemberState::Idle { exposure: Watts::ZERO };
    let off = plan(&full, minutes_later(35));
    assert_eq!(off.limits[0].reason, Reason::OffTime { until: minutes_later(40) });
    assert_eq!(off.next_change_at, Some(minutes_later(40)));
    assert_eq!(carry_on(&mut full, minutes_later(40)), [5_000, 0]);
}

#[test]
fn a_plan_says_when_the_queue_changes_next() {
    let mut full = site(kw(5), (1..=2).map(|number| charging(number, kw(5), kw(7))).collect());
    full.settings.off_seconds = 7_200;
    assert_eq!(plan(&full, NOON).next_change_at, Some(minutes_later(30)));
    full.nodes[0].limit = kw(14);
    assert_eq!(plan(&full, NOON).next_change_at, None);
}

#[test]
fn first_come_first_served_does_not_rotate() {
    let mut full = site(kw(5), (1..=2).map(|number| charging(number, kw(5), kw(7))).collect());
    full.nodes[0].algorithm = Algorithm::FirstCome;
    session(&mut full.members[0]).arrived_at = minutes_later(1);
    for minute in [2, 40, 300, 1_000] {
        session(&mut full.members[1]).attained = WattHours(minute * 100);
        assert_eq!(carry_on(&mut full, minutes_later(minute)), [0, 5_000]);
    }
}

#[test]
fn a_small_car_passes_a_large_one_until_that_waited_three_minimum_on_times() {
    let mut full =
        site(kw(10), [(1, 4), (2, 4), (3, 10)].map(|(number, least)| charging(number, kw(least), kw(22))).to_vec());
    session(&mut full.members[1]).arrived_at = minutes_later(-1);
    session(&mut full.members[2]).attained = WattHours(50_000);
    assert_eq!(carry_on(&mut full, NOON), [5_000, 5_000, 0]);
    assert_eq!(carry_on(&mut full, minutes_later(89)), [5_000, 5_000, 0]);
    assert_eq!(carry_on(&mut full, minutes_later(90)), [0, 0, 10_000]);
}

#[test]
fn a_minimum_above_the_limit_is_said_so() {
    let tiny = site(kw(3), vec![charging(1, kw(5), kw(7)), charging(2, kw(2), kw(7)), charging(3, kw(8), kw(7))]);
    let plan = plan(&tiny, NOON);
    assert!(matches!(plan.limits[0].reason, Reason::MinimumDoesNotFit { minimum: Watts(5_000), .. }));
    assert_eq!(plan.limits[1].limit, kw(3));
    assert!(matches!(plan.limits[2].reason, Reason::Unsatisfiable { .. }));
}

#[test]
fn who_waits_for_cheaper_hours_goes_on_without_an_off_time() {
    let mut home = site(kw(7), vec![charging(1, kw(2), kw(7))]);
    assert_eq!(carry_on(&mut home, NOON), [7_000]);
    let until = minutes_later(5);
    session(&mut home.members[0]).waits_until = Some(until);
    let waiting = plan(&home, minutes_later(1));
    assert_eq!(waiting.limits[0].reason, Reason::CheaperLater { until });
    assert_eq!(waiting.next_change_at, Some(until));
    assert_eq!(carry_on(&mut home, minutes_later(1)), [0]);
    session(&mut home.members[0]).priority_charge = true;
    assert_eq!(limits(&home, minutes_later(2)), [7_000]);
    session(&mut home.members[0]).priority_charge = false;
    assert_eq!(carry_on(&mut home, until), [7_000]);
}

#[test]
fn a_priority_charge_is_first_in_the_queue_and_overrides_a_window_but_no_limit() {
    let mut full = site(kw(7), (1..=2).map(|number| charging(number, kw(5), kw(11))).collect());
    for member in &mut full.members {
        session(member).excluded = true;
    }
    session(&mut full.members[1]).priority_charge = true;
    let plan = plan(&full, NOON);
    assert_eq!(plan.limits[0].reason, Reason::ExclusionWindow);
    assert_eq!(plan.limits[1].limit, kw(7));
}

#[test]
fn a_pausing_car_keeps_its_minimum_for_a_while_then_takes_what_is_left() {
    let mut site = site(kw(20), (1..=2).map(|number| charging(number, kw(5), kw(22))).collect());
    site.members[0].state = MemberState::Suspended { since: NOON, session: Session::new(NOON) };
    assert_eq!(limits(&site, minutes_later(4)), [5_000, 15_000]);
    assert_eq!(plan(&site, minutes_later(4)).next_change_at, Some(minutes_later(5)));
    assert_eq!(limits(&site, minutes_later(5)), [0, 20_000]);
    site.members[1].maximum = kw(11);
    assert_eq!(limits(&site, minutes_later(5)), [5_000, 11_000]);
}

#[test]
fn a_stopped_car_starts_again_when_there_was_room_long_enough() {
    let mut site = site(kw(10), vec![charging(1, kw(4), kw(7))]);
    site.settings.restart_after_seconds = 120;
    session(&mut site.members[0]).queue_state.stopped_at = Some(minutes_later(-60));
    assert_eq!(carry_on(&mut site, NOON), [0]);
    assert_eq!(carry_on(&mut site, minutes_later(1)), [0]);
    assert_eq!(carry_on(&mut site, minutes_later(2)), [7_000]);
}

#[test]
fn trusted_departures_put_the_most_urgent_first() {
    let mut full = site(kw(5), (1..=2).map(|number| charging(number, kw(5), kw(7))).collect());
    full.nodes[0].algorithm = Algorithm::Deadline;
    session(&mut full.members[1]).attained = WattHours(5_000);
    session(&mut full.members[1]).deadline = Some(Deadline { departure: minutes_later(90), energy: WattHours(12_000) });
    assert_eq!(limits(&full, NOON), [5_000, 0], "the least served is first");
    full.settings.trusted_departures = true;
    assert_eq!(limits(&full, NOON), [0, 5_000]);
}
