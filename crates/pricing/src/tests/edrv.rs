//! eDRV's rates and schedules, and the edges of time.

use super::*;

/// A Monday.
const MONDAY_10: &str = "2026-04-27T08:00:00Z"; // 10:00 in Amsterdam

#[test]
fn edrvs_sample_ten_kilowatt_hours_with_tax() {
    // 10 kWh × 0.10 = 1.00, and 10 % tax on it: 1.10.
    let rate = edrv_rate(vec![price(Kind::Energy, "0.10", "10")]);
    let session = Timeline::of(MONDAY_10, &[(HOUR, 10_000)]);
    assert_sums(&rate, &session, "1.00", "1.10");
    assert_eq!(lines(&rate, &session), [line(Kind::Energy, "10", "1.00")]);
}

#[test]
fn all_four_components_add_up() {
    // FLAT 1.00; 12.345 kWh × 0.32 = 3.9504; 2.25 h × 1.20 = 2.70; 0.75 h × 4.00 = 3.00: 10.6504 before tax.
    // Tax 21 % on all of it: 2.236584. Each sum is rounded once: 10.65 + 2.24.
    let with_tax = |kind, amount| price(kind, amount, "21");
    let rate = edrv_rate(vec![
        with_tax(Kind::Flat, "1.00"),
        with_tax(Kind::Energy, "0.32"),
        with_tax(Kind::Time, "1.20"),
        with_tax(Kind::ParkingTime, "4.00"),
    ]);
    let session = Timeline::of(MONDAY_10, &[(2 * HOUR + 15 * MINUTE, 12_345), (45 * MINUTE, 0)]);
    assert_sums(&rate, &session, "10.65", "12.89");
}

#[test]
fn the_grace_period_of_parking_is_free_and_only_once() {
    // 15 minutes of grace; parked for 10, charged, parked for 20: 15 of 30 minutes are billed, at 6.00 an hour.
    let parking = Component { grace_seconds: 900, ..price(Kind::ParkingTime, "6.00", "0") };
    let rate = edrv_rate(vec![parking]);
    let parked =
        |before: u64, after: u64| Timeline::of(MONDAY_10, &[(before * MINUTE, 0), (HOUR, 7_000), (after * MINUTE, 0)]);
    assert_sums(&rate, &parked(10, 20), "1.50", "1.50");
    assert_sums(&rate, &parked(10, 5), "0.00", "0.00");
    assert_sums(&rate, &parked(0, 16), "0.10", "0.10");
}

#[test]
fn a_session_of_no_length_costs_its_flat_fee() {
    let rate = edrv_rate(vec![
        price(Kind::Flat, "0.50", "20"),
        price(Kind::Energy, "0.25", "10"),
        price(Kind::Time, "2.00", "10"),
    ]);
    let session = Timeline::of(MONDAY_10, &[]);
    assert_sums(&rate, &session, "0.50", "0.60");
    let energy_only = edrv_rate(vec![price(Kind::Energy, "0.25", "10")]);
    assert_sums(&energy_only, &session, "0.00", "0.00");
    assert!(lines(&energy_only, &session).is_empty());
}

#[test]
fn the_minimum_amount_is_reached_by_a_line_of_its_own() {
    // 1 kWh × 0.25 = 0.25, and 10 % of it 0.025, rounded 0.03. To 1.00 with tax, 0.72 is missing.
    let rate = Tariff { minimum: Some(decimal("1")), ..edrv_rate(vec![price(Kind::Energy, "0.25", "10")]) };
    let short = Timeline::of(MONDAY_10, &[(HOUR, 1_000)]);
    assert_eq!(lines(&rate, &short), [line(Kind::Energy, "1", "0.25"), line(Kind::Minimum, "1", "0.72")]);
    assert_eq!(sums(&rate, &short).1, "1.00");
    assert_sums(&rate, &Timeline::of(MONDAY_10, &[(HOUR, 20_000)]), "5.00", "5.50");
}

/// eDRV's Day/Night: 0.40 from 08:00 to 20:00, else 0.20.
fn day_and_night() -> Tariff {
    let energy = |amount| vec![price(Kind::Energy, amount, "0")];
    let day = when(hours(Weekdays::ALL, 8, 20), energy("0.40"));
    tariff(Selection::WholeElement, vec![day, always(energy("0.20"))])
}

#[test]
fn a_schedule_splits_a_session_by_local_time() {
    // 19:00 to 22:00 in Amsterdam with 9 kWh: 3 kWh at 0.40 = 1.20, then 6 kWh at 0.20 = 1.20.
    let session = Timeline::of("2026-04-27T17:00:00Z", &[(3 * HOUR, 9_000)]);
    assert_eq!(lines(&day_and_night(), &session), [line(Kind::Energy, "3", "1.20"), line(Kind::Energy, "6", "1.20")]);
}

#[test]
fn a_session_over_midnight_and_two_days_has_a_line_for_each_period() {
    // Monday 19:00 to Wednesday 09:00, 38 hours at 1 kW: 1 h day, 12 h night, 12 h day, 12 h night, 1 h day.
    let session = Timeline::of("2026-04-27T17:00:00Z", &[(38 * HOUR, 38_000)]);
    let expected = [("1", "0.40"), ("12", "2.40"), ("12", "4.80"), ("12", "2.40"), ("1", "0.40")];
    let expected = expected.map(|(quantity, sum)| line(Kind::Energy, quantity, sum));
    assert_eq!(lines(&day_and_night(), &session), expected);
}

#[test]
fn a_flat_fee_is_the_one_of_the_start() {
    let flat = |amount| vec![price(Kind::Flat, amount, "0")];
    let day = when(hours(Weekdays::ALL, 8, 20), flat("3.00"));
    let tariff = tariff(Selection::WholeElement, vec![day, always(flat("1.00"))]);
    let evening = Timeline::of("2026-04-27T17:59:00Z", &[(2 * HOUR, 9_000)]);
    assert_sums(&tariff, &evening, "3.00", "3.00");
}

#[test]
fn the_start_may_decide_for_the_whole_session() {
    let fixed = Tariff { decided_at_start: true, ..day_and_night() };
    let session = Timeline::of("2026-04-27T17:00:00Z", &[(3 * HOUR, 9_000)]);
    assert_sums(&fixed, &session, "3.60", "3.60");
}

/// 6.00 an hour of charging from 02:00 to 03:00, else 1.20.
fn early_morning() -> Tariff {
    let time = |amount| vec![price(Kind::Time, amount, "0")];
    let early = when(hours(Weekdays::ALL, 2, 3), time("6.00"));
    tariff(Selection::WholeElement, vec![early, always(time("1.20"))])
}

#[test]
fn when_clocks_go_back_the_doubled_hour_is_billed_twice() {
    // 2026-10-25, 01:00 to 04:00 by the wall clock is four hours: 1, then 02:00 to 03:00 twice, then 1.
    let night = Timeline::of("2026-10-24T23:00:00Z", &[(4 * HOUR, 4_000)]);
    assert_eq!(
        lines(&early_morning(), &night),
        [line(Kind::Time, "1", "1.20"), line(Kind::Time, "2", "12.00"), line(Kind::Time, "1", "1.20")]
    );
}

#[test]
fn when_clocks_go_forward_the_missing_hour_is_never_billed() {
    // 2026-03-29, 01:00 to 04:00 by the wall clock is two hours: 02:00 to 03:00 does not exist.
    let night = Timeline::of("2026-03-29T00:00:00Z", &[(2 * HOUR, 2_000)]);
    assert_eq!(lines(&early_morning(), &night), [line(Kind::Time, "2", "2.40")]);
}

#[test]
fn a_window_that_begins_in_the_missing_hour_begins_after_it() {
    // 02:30 to 05:00 on that day: the clock jumps from 02:00 to 03:00, so it holds from 03:00, 01:00 UTC, for two hours.
    let when_late = Conditions {
        window: Some(Window { weekdays: Weekdays::ALL, from: 2 * 3_600 + 1_800, to: 5 * 3_600 }),
        ..Conditions::default()
    };
    let time = |amount| vec![price(Kind::Time, amount, "0")];
    let tariff = tariff(Selection::WholeElement, vec![when(when_late, time("6.00")), always(time("1.20"))]);
    let night = Timeline::of("2026-03-29T00:00:00Z", &[(4 * HOUR, 4_000)]);
    assert_eq!(
        lines(&tariff, &night),
        [line(Kind::Time, "1", "1.20"), line(Kind::Time, "2", "12.00"), line(Kind::Time, "1", "1.20")]
    );
}

#[test]
fn yen_have_no_cents_and_dinars_have_three() {
    // 3.333 kWh × 0.25 = 0.83325.
    let session = Timeline::of(MONDAY_10, &[(HOUR, 3_333)]);
    for (code, total) in [("JPY", "1"), ("EUR", "0.83"), ("KWD", "0.833")] {
        let rate =
            Tariff { currency: code.parse().expect("a currency"), ..edrv_rate(vec![price(Kind::Energy, "0.25", "0")]) };
        let cost = cost(&rate, &session, amsterdam());
        assert_eq!(cost.total, decimal(total), "{code}");
    }
}

#[test]
fn readings_become_a_timeline_that_never_loses_energy() {
    let at = |seconds: u64| -> kernel::Timestamp {
        let start: kernel::Timestamp = MONDAY_10.parse().expect("an instant");
        start + std::time::Duration::from_secs(seconds)
    };
    let point = |seconds: u64, energy: i64, power: i64| Point {
        at: at(seconds),
        energy: Some(WattHours(energy)),
        power: Some(Watts(power)),
    };
    // An hour at 7 kW, half an hour of nothing; the register stumbles once, and the stop says a little more.
    let points =
        [point(1_800, 3_500, 7_000), point(2_700, 3_400, 7_000), point(3_600, 7_000, 0), point(5_400, 7_000, 0)];
    let timeline = Timeline::from_points((at(0), at(5_460)), WattHours(7_002), points);
    let rate = edrv_rate(vec![
        price(Kind::Energy, "1.00", "0"),
        price(Kind::Time, "1.00", "0"),
        price(Kind::ParkingTime, "1.00", "0"),
    ]);
    let reported: Vec<_> = lines(&rate, &timeline).into_iter().map(|(kind, quantity, _)| (kind, quantity)).collect();
    // The last minute drew 2 Wh, 120 W on average: charging.
    assert_eq!(
        reported,
        [
            (Kind::Energy, "7.002".to_owned()),
            (Kind::Time, "1.016667".to_owned()),
            (Kind::ParkingTime, "0.5".to_owned())
        ]
    );
}
