//! The examples of OCPI's tariffs module (mod_tariffs) and of step_size (mod_cdrs), with the sums printed there.

use super::*;

const START: &str = "2026-04-27T07:30:00Z"; // a Monday, 09:30 in Amsterdam

fn energy() -> Component {
    price(Kind::Energy, "0.25", "10")
}

fn start_fee() -> Component {
    price(Kind::Flat, "0.50", "20")
}

fn twenty_kilowatt_hours() -> Timeline {
    Timeline::of(START, &[(2 * HOUR, 20_000)])
}

#[test]
fn a_price_per_kilowatt_hour_alone_with_a_start_fee_and_with_a_minimum() {
    let session = twenty_kilowatt_hours();
    assert_sums(&ocpi_tariff(vec![always(vec![energy()])]), &session, "5.00", "5.50");
    let with_start = ocpi_tariff(vec![always(vec![start_fee(), energy()])]);
    assert_sums(&with_start, &session, "5.50", "6.10");
    // The minimum of 0.55 with tax; below 2 kWh it is what is billed.
    let with_minimum = Tariff { minimum: Some(decimal("0.55")), ..ocpi_tariff(vec![always(vec![energy()])]) };
    assert_eq!(sums(&with_minimum, &session).1, "5.50");
    let short = Timeline::of(START, &[(HOUR, 1_500)]);
    assert_eq!(sums(&with_minimum, &short).1, "0.55");
}

#[test]
fn parking_is_billed_by_the_quarter_of_an_hour() {
    // 40 minutes of parking are billed as 45: 1.50; 7.00 and 7.90 in all.
    let parking = stepped(900, price(Kind::ParkingTime, "2.00", "20"));
    let tariff = ocpi_tariff(vec![always(vec![start_fee(), energy(), parking])]);
    let session = Timeline::of(START, &[(2 * HOUR, 20_000), (40 * MINUTE, 0)]);
    assert_sums(&tariff, &session, "7.00", "7.90");
}

#[test]
fn charging_time_alone_and_followed_by_parking() {
    let time = stepped(60, price(Kind::Time, "2.00", "10"));
    let charging = Timeline::of(START, &[(150 * MINUTE, 20_000)]);
    assert_sums(&ocpi_tariff(vec![always(vec![time])]), &charging, "5.00", "5.50");
    // 2.5 h × 3.00 = 7.50 and 45 instead of 42 minutes × 5.00 = 3.75; taxes 0.75 and 0.75.
    let time = stepped(60, price(Kind::Time, "3.00", "10"));
    let parking = stepped(300, price(Kind::ParkingTime, "5.00", "20"));
    let session = Timeline::of(START, &[(150 * MINUTE, 20_000), (42 * MINUTE, 0)]);
    assert_sums(&ocpi_tariff(vec![always(vec![time, parking])]), &session, "11.25", "12.75");
    // 1.90 an hour with 5.2 %: 4.75 and 0.247.
    let time = stepped(300, price(Kind::Time, "1.90", "5.2"));
    assert_sums(&ocpi_tariff(vec![always(vec![time])]), &charging, "4.75", "5.00");
}

#[test]
fn energy_is_billed_by_the_hundred_watt_hours() {
    // 20.45 kWh are billed as 20.5: at 0.22 the page says 4.51 and 4.96.
    let energy = stepped(100, price(Kind::Energy, "0.22", "10"));
    let session = Timeline::of(START, &[(2 * HOUR, 20_450)]);
    assert_sums(&ocpi_tariff(vec![always(vec![energy])]), &session, "4.51", "4.96");
}

/// The complex example, by power: charging below and above 32 kW, parking by weekday and hour.
fn complex() -> Tariff {
    let (workdays, weekend) = (days(&["mon", "tue", "wed", "thu", "fri"]), days(&["sat", "sun"]));
    let below = Conditions { below_power: Some(Watts(32_000)), ..Conditions::default() };
    let above = |weekdays| Conditions { above_power: Some(Watts(32_000)), ..hours(weekdays, 0, 24) };
    let time = |step, amount| vec![stepped(step, price(Kind::Time, amount, "20"))];
    let parking = |amount| vec![stepped(300, price(Kind::ParkingTime, amount, "10"))];
    ocpi_tariff(vec![
        always(vec![price(Kind::Flat, "2.50", "15")]),
        when(below, time(900, "1.00")),
        when(above(workdays), time(600, "2.00")),
        when(above(weekend), time(600, "1.25")),
        when(hours(workdays, 9, 18), parking("5.00")),
        when(hours(days(&["sat"]), 10, 17), parking("6.00")),
    ])
}

#[test]
fn the_complex_example_on_a_monday_and_on_a_saturday() {
    // Monday 09:30, 147 minutes of charging, 42 of parking. mod_tariffs prints 8.75 with charging rounded up to 150
    // minutes; by the rule of mod_cdrs only the parking that follows is rounded: 2.50 + 2.45 + 3.75 = 8.70, taxes
    // 0.375 + 0.49 + 0.375 = 1.24.
    let monday = Timeline::of(START, &[(147 * MINUTE, 9_000), (42 * MINUTE, 0)]);
    assert_sums(&complex(), &monday, "8.70", "9.94");
    // Saturday 13:30, 114 minutes above 32 kW, 71 of parking billed as 75. It prints 12.50 with 120 minutes; with 114:
    // 2.50 + 2.375 + 7.50 = 12.375, taxes 0.375 + 0.475 + 0.75 = 1.60.
    let saturday = Timeline::of("2026-05-02T11:30:00Z", &[(114 * MINUTE, 76_000), (71 * MINUTE, 0)]);
    assert_sums(&complex(), &saturday, "12.38", "13.98");
}

#[test]
fn the_first_kilowatt_hour_and_the_first_hour_of_parking_are_free() {
    let below_energy = Conditions { below_energy: Some(WattHours(1_000)), ..Conditions::default() };
    // 20 kWh, the first free: 3.80.
    let tariff = ocpi_tariff(vec![
        when(below_energy, vec![price(Kind::Energy, "0", "0")]),
        always(vec![price(Kind::Energy, "0.20", "0")]),
    ]);
    assert_eq!(
        lines(&tariff, &twenty_kilowatt_hours()),
        [line(Kind::Energy, "1", "0.00"), line(Kind::Energy, "19", "3.80")]
    );
    // By duration of the session: free for an hour, 2.00 until the fourth, then 3.00. Five hours: 6.00 + 3.00.
    let until = |seconds: i64| Conditions { below_seconds: Some(seconds), ..Conditions::default() };
    let parking = |amount| vec![price(Kind::ParkingTime, amount, "0")];
    let tariff = ocpi_tariff(vec![
        when(until(3_600), parking("0")),
        when(until(4 * 3_600), parking("2.00")),
        always(parking("3.00")),
    ]);
    assert_sums(&tariff, &Timeline::of(START, &[(5 * HOUR, 0)]), "9.00", "9.00");
}

#[test]
fn energy_is_priced_by_the_power_at_which_it_flowed() {
    // 1 kWh at 6 kW for 0.20, 40 kWh at 48 kW for 0.50, 0.5 kWh at 4 kW for 0.20: 20.30.
    let below = |kilowatts: i64| Conditions { below_power: Some(Watts(kilowatts * 1_000)), ..Conditions::default() };
    let energy = |amount| vec![price(Kind::Energy, amount, "0")];
    let tariff =
        ocpi_tariff(vec![when(below(16), energy("0.20")), when(below(32), energy("0.35")), always(energy("0.50"))]);
    let session = Timeline::of(START, &[(10 * MINUTE, 1_000), (50 * MINUTE, 40_000), (450, 500)]);
    assert_eq!(
        lines(&tariff, &session),
        [line(Kind::Energy, "1", "0.20"), line(Kind::Energy, "40", "20.00"), line(Kind::Energy, "0.5", "0.10")]
    );
}

/// One price before 17:00, another after, both in steps.
fn at_seventeen(kind: Kind, step: i64, before: &str, after: &str) -> Tariff {
    let early = when(hours(Weekdays::ALL, 0, 17), vec![stepped(step, price(kind, before, "0"))]);
    ocpi_tariff(vec![early, always(vec![stepped(step, price(kind, after, "0"))])])
}

#[test]
fn steps_round_the_total_once_at_the_last_price() {
    // 4.3 kWh before 17:00 and 1.1 after, in steps of 500 Wh: 5.5 in all, so 1.2 after.
    let tariff = at_seventeen(Kind::Energy, 500, "0.20", "0.27");
    let session = Timeline::of("2026-04-27T14:17:00Z", &[(43 * MINUTE, 4_300), (11 * MINUTE, 1_100)]);
    assert_eq!(lines(&tariff, &session), [line(Kind::Energy, "4.3", "0.86"), line(Kind::Energy, "1.2", "0.32")]);
    // 6 minutes before and 22 after, in steps of 10: 30 in all, so 24 after: 0.50 + 2.80.
    let tariff = at_seventeen(Kind::Time, 600, "5.00", "7.00");
    let session = Timeline::of("2026-04-27T14:54:00Z", &[(28 * MINUTE, 5_000)]);
    assert_sums(&tariff, &session, "3.30", "3.30");
}

#[test]
fn charging_time_is_not_rounded_where_parking_is() {
    // 21 minutes at 1.00 = 0.35, then 16 minutes billed as 20 at 2.00 = 0.67.
    let tariff = ocpi_tariff(vec![always(vec![
        stepped(600, price(Kind::Time, "1.00", "0")),
        stepped(600, price(Kind::ParkingTime, "2.00", "0")),
    ])]);
    let session = Timeline::of(START, &[(21 * MINUTE, 4_000), (16 * MINUTE, 0)]);
    assert_eq!(
        lines(&tariff, &session),
        [line(Kind::Time, "0.35", "0.35"), line(Kind::ParkingTime, "0.333333", "0.67")]
    );
}
