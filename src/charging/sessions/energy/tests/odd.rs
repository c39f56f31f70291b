//! Clocks that are set, garbage that is reported twice, registers beside each other, and what is known only later.

use super::*;

/// Registers of the transaction: minute and value, each reported when it is received.
fn at_minutes(story: &mut Story, values: &[(i64, i64)]) {
    for (minute, register) in values {
        story.reports(Series::Transaction, *minute, *register);
    }
}

fn interval(reported: i64, received: i64, milliwatt_hours: i64) -> Observed {
    Observed {
        mark: mark(at(reported), at(received)),
        series: Series::Transaction,
        begins: false,
        register: None,
        interval: Some(MilliwattHours(milliwatt_hours)),
        power: None,
    }
}

// ---- clocks

#[test]
fn a_clock_that_was_behind_and_is_set_right_does_not_open_the_bound() {
    let day = 86_400;
    let begin = Mark::new(at(0), at(-20 * day), at(0));
    let mut ledger = EnergyLedger::open(at(0), begin, Some(PLUG));
    ledger.begin_at(at(0), begin, Some(WattHours(0)));
    let end = ledger.end_at(mark(at(2), at(2)), Some(WattHours(9_000_000)));
    // 24.2 kW for two seconds and the two minutes of room: 820 Wh.
    assert!(ledger.energy().get() <= 820, "{}", ledger.energy());
    assert_eq!(end, at(2));
}

#[test]
fn an_end_by_a_clock_that_was_never_set_leaves_the_hour_that_waited_in_the_queue() {
    let begin = mark(at(-3_600), at(0));
    for never_set in [Timestamp::from_unix_seconds(0), at(-31 * 86_400)] {
        let mut ledger = EnergyLedger::open(at(-3_600), begin, Some(PLUG));
        ledger.begin_at(at(-3_600), begin, Some(WattHours(0)));
        let end = ledger.end_at(mark(never_set, at(0)), Some(WattHours(2_000)));
        assert_eq!((ledger.energy(), end), (WattHours(2_000), at(0)));
    }
}

#[test]
fn a_clock_that_is_set_back_by_days_does_not_open_the_bound() {
    let begin = mark(at(-3_600), at(0));
    let mut ledger = EnergyLedger::open(at(-3_600), begin, Some(PLUG));
    ledger.begin_at(at(-3_600), begin, Some(WattHours(0)));
    ledger.end_at(Mark::new(at(2), at(-9 * 86_400), at(2)), Some(WattHours(9_000_000)));
    // 24.2 kW for two seconds and the two minutes of room: 820 Wh.
    assert!(ledger.energy().get() <= 820, "{}", ledger.energy());
}

#[test]
fn an_hour_out_of_the_queue_of_a_clock_that_is_known_to_be_ahead_counts() {
    let reported = |minute: i64| Mark::new(at(minute * 60), at(minute * 60 + 7_200), at(3_600));
    let mut ledger = EnergyLedger::open(at(0), reported(0), Some(PLUG));
    ledger.begin_at(at(0), reported(0), Some(WattHours(1_000)));
    for (minute, register) in [(15, 3_500), (30, 6_000), (45, 8_500)] {
        ledger.observe(&Observed {
            mark: reported(minute),
            register: Some(WattHours(register)),
            ..Story::nothing_at(0)
        });
    }
    assert_eq!(ledger.end_at(reported(60), Some(WattHours(11_000))), at(3_600));
    assert_eq!(ledger.energy(), WattHours(10_000));
}

#[test]
fn a_register_and_a_clock_that_begin_again_lose_nothing() {
    let mut story = Story::began(1_000);
    let mut reports = |minute: i64, register: i64| {
        let times = (minute * 60, 7_200);
        story.shows(Series::Transaction, times, Some(register), None, false);
        story.energy()
    };
    reports(20, 5_000);
    assert_eq!(reports(40, 11_000), 10_000);
    // The clock went back by forty minutes.
    reports(0, 200);
    reports(20, 3_000);
    assert_eq!(reports(40, 5_500), 10_000 + 200 + 2_800 + 2_500);
}

// ---- garbage

#[test]
fn garbage_that_is_reported_twice_does_not_count() {
    for garbage in [4_294_967_295, 1_000_000] {
        let mut story = Story::began(0);
        let reported = [1_000, 2_000, garbage, garbage, 3_000, 4_000];
        assert_eq!(story.reads(&reported).energy(), 4_000);
        assert_eq!(story.ledger.unproven().get(), 0);
    }
}

#[test]
fn low_garbage_that_is_reported_twice_each_time_loses_nothing() {
    let mut story = Story::began(5_000);
    let mut register = 5_000;
    for cycle in 0..12 {
        register += 100;
        for (minute, value) in [(1, 2), (2, 4), (3, register), (4, register + 50)] {
            story.reports(Series::Transaction, cycle * 5 + minute, value);
        }
    }
    // A hundred a cycle, and fifty in the last.
    assert_eq!(story.energy(), 1_250);
    let mut story = Story::began(500_000);
    let garbage = [(30, 65_535), (35, 65_535), (40, 65_536)];
    at_minutes(&mut story, &[(10, 502_000), (20, 504_000)]);
    at_minutes(&mut story, &garbage);
    at_minutes(&mut story, &[(50, 508_000), (55, 509_000)]);
    assert_eq!(story.energy(), 9_000);
}

#[test]
fn a_register_that_began_again_may_pass_what_it_showed_before() {
    let mut story = Story::began(1_000);
    story.reads(&[4_000, 200, 1_500, 3_000, 4_500, 6_000]);
    // 3,000 before, and 6,000 since it began again.
    assert_eq!(story.energy(), 9_000);
}

// ---- registers beside each other

#[test]
fn a_register_that_is_aligned_to_the_clock_adds_nothing_to_that_of_the_transaction() {
    let mut story = Story::began(0);
    story.reports(Series::Transaction, 30, 1_000);
    story.reports(Series::TransactionClock, 59, 12_000);
    assert_eq!(story.energy(), 1_000);
    assert_eq!(story.stops(60, 2_000).energy(), 2_000);
}

#[test]
fn values_aligned_to_the_clock_count_where_the_transaction_reports_no_others_for_an_hour() {
    let mut story = Story::began(0);
    story.reports(Series::Transaction, 1, 10);
    for minute in [15, 30, 45, 60, 75, 90] {
        story.reports(Series::TransactionClock, minute, minute * 100);
    }
    assert_eq!(story.energy(), 9_000);
}

#[test]
fn a_lifetime_that_does_not_follow_from_the_start_begins_with_its_own_first_value() {
    for series in [Series::ConnectorClock, Series::Connector] {
        let mut story = Story::began(0);
        for (minute, register) in [(10, 10_300), (25, 10_800), (40, 11_300), (55, 11_800)] {
            story.reports(series, minute, register);
        }
        assert_eq!(story.energy(), 1_500);
        // The stop is of the register of the start.
        assert_eq!(story.stops(60, 1_900).energy(), 1_900);
    }
}

#[test]
fn what_is_reported_as_the_begin_with_the_time_of_the_end_is_the_begin() {
    let mut story = Story::began(0);
    let end = (900, 900);
    story.shows(Series::Transaction, end, Some(7_912_760), None, true);
    story.shows(Series::Transaction, end, Some(7_914_700), None, false);
    assert_eq!(story.stops(15, 7_914_700).energy(), 1_940);
}

// ---- the plug becomes known

#[test]
fn a_plug_that_becomes_known_bounds_what_was_counted_before() {
    let begin = mark(at(0), at(0));
    let mut ledger = EnergyLedger::open(at(0), begin, None);
    ledger.begin_at(at(0), begin, Some(WattHours(0)));
    ledger.observe(&Observed {
        mark: mark(at(300), at(300)),
        register: Some(WattHours(60_000)),
        ..Story::nothing_at(0)
    });
    assert_eq!(ledger.energy(), WattHours(60_000));
    ledger.rate(PLUG);
    // 24.2 kW for five minutes and two of room: 2,823 Wh.
    assert_eq!(ledger.energy(), WattHours(2_823));
    assert_eq!(ledger.unproven(), WattHours(57_177));
    assert!(ledger.flags().contains(&EnergyDeviation::EnergyBounded));
}

// ---- intervals

#[test]
fn intervals_of_a_clock_that_goes_back_count() {
    let mut story = Story::began(0);
    let reported = [15, 30, 45, 60, 15, 30, 45, 60];
    for (index, minute) in (1..).zip(reported) {
        let energy = 1_500_000 + index * 1_000;
        let received = index * 900;
        story.ledger.observe(&interval(minute * 60, received, energy));
        story.ledger.observe(&interval(minute * 60, received, energy));
    }
    // Eight of 1,500 Wh, and 1 to 8 on top.
    assert_eq!(story.energy(), 8 * 1_500 + 36);
}

#[test]
fn intervals_of_a_clock_that_stands_still_count() {
    let mut story = Story::began(0);
    for (second, energy) in (1..).zip([100, 101, 102, 103, 104]) {
        let reported = interval(0, second, energy * 1_000);
        story.ledger.observe(&reported);
    }
    assert_eq!(story.energy(), 510);
}

#[test]
fn intervals_of_less_than_a_watt_hour_add_up() {
    let mut story = Story::began(0);
    for second in 1..=100 {
        story.ledger.observe(&interval(second, second, 400));
    }
    assert_eq!(story.energy(), 40);
}

// ---- the time of drawing

#[test]
fn a_register_in_tenths_of_a_kilowatt_hour_draws_between_its_steps() {
    let mut story = Story::began(100_037);
    // 2 kW: 100 Wh every three minutes.
    for minute in 1..60 {
        let register = 100_000 + (minute + 2) / 3 * 100;
        story.reports(Series::Transaction, minute, register);
    }
    story.stops(60, 102_000);
    assert!(story.ledger.drawing_seconds() >= 57 * 60);
    assert!(story.ledger.drawing_seconds() <= 60 * 60);
}

#[test]
fn a_pause_is_none_of_drawing_though_the_register_counts_in_steps() {
    let mut story = Story::began(0);
    for minute in 1..60_i64 {
        let register = (minute.min(10) + (minute - 50).max(0)) * 100;
        story.reports(Series::Transaction, minute, register);
    }
    // Ten minutes, and nine.
    assert_eq!(story.ledger.drawing_seconds(), 19 * 60);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A clock that is off by anything that is known, and set anew on the way, live or out of one queue: what an honest
    /// register shows is billed to the Wh, and the end is where it was.
    #[test]
    fn a_known_offset_that_changes_costs_nothing(
        begin in 0_i64..5_000_000,
        draws in prop::collection::vec((0_i64..22_000, prop_oneof![
            5 => Just(None),
            1 => (-40_000_000_i64..40_000_000).prop_map(Some),
        ]), 1..30),
        first in -40_000_000_i64..40_000_000,
        is_queued in any::<bool>(),
    ) {
        let length = i64::try_from(draws.len()).expect("few") * 300;
        let reported = |second: i64, offset: i64| {
            let received = if is_queued { length } else { second };
            Mark::new(at(second), at(second + offset), at(received))
        };
        let mut ledger = EnergyLedger::open(at(0), reported(0, first), Some(PLUG));
        ledger.begin_at(at(0), reported(0, first), Some(WattHours(begin)));
        let (mut register, mut offset, mut changes) = (begin, first, false);
        for ((draw, set), step) in draws.into_iter().zip(1..) {
            register += draw * 300 / 3_600;
            changes |= set.is_some();
            offset = set.unwrap_or(offset);
            ledger.observe(&Observed {
                mark: reported(step * 300, offset),
                register: Some(WattHours(register)),
                ..Story::nothing_at(0)
            });
            let most = most_in(PLUG, step * 300 * MICROS);
            prop_assert!(ledger.energy().get() <= most);
        }
        let end = ledger.end_at(reported(length, offset), Some(WattHours(register)));
        prop_assert!(end <= at(length));
        // What is reported of one queue by a clock that was set in between says nothing of the time that passed then.
        if !(is_queued && changes) {
            prop_assert_eq!(ledger.energy().get(), register - begin);
            prop_assert!(at(length).seconds_since(end) <= 60);
        }
    }
}
