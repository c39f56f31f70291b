//! Slot tables of Hubject's next-generation pricing: inclusive ends, prices by the minute, fees that start at an event.

use super::*;

/// A slot as offers write it, its last second inclusive: `09:00:00` to `17:59:59`.
fn slot(name: &str, weekdays: Weekdays, from: u32, last: u32, components: Vec<Component>) -> Element {
    Element {
        name: name.to_owned(),
        when: Conditions { window: Some(Window { weekdays, from, to: last + 1 }), ..Conditions::default() },
        components,
    }
}

fn by_minute(kind: Kind, counted: Counted, amount: &str) -> Component {
    Component { counted, unit: Unit::Minute, ..price(kind, amount, "0") }
}

/// Workdays in three slots, the weekend in one.
fn offer() -> Tariff {
    let (workdays, weekend) = (days(&["mon", "tue", "wed", "thu", "fri"]), days(&["sat", "sun"]));
    let (nine, six, day) = (32_400, 64_800, 86_400);
    let normal = || vec![price(Kind::Flat, "0.35", "0"), price(Kind::Energy, "0.39", "0")];
    let peak = vec![
        price(Kind::Flat, "0.35", "0"),
        price(Kind::Energy, "0.59", "0"),
        by_minute(Kind::Time, Counted::Charging, "0.02"),
    ];
    tariff(
        Selection::WholeElement,
        vec![
            slot("Normal", workdays, 0, nine - 1, normal()),
            slot("Peak", workdays, nine, six - 1, peak),
            slot("Normal", workdays, six, day - 1, normal()),
            slot("Normal", weekend, 0, day - 1, normal()),
        ],
    )
}

#[test]
fn a_session_across_slots_pays_each_slot_its_price() {
    // Monday 17:30 to 18:30 with 22 kWh: 11 kWh × 0.59 = 6.49, 30 min × 0.02 = 0.60, 11 kWh × 0.39 = 4.29, start 0.35.
    let session = Timeline::of("2026-04-27T15:30:00Z", &[(HOUR, 22_000)]);
    assert_eq!(
        lines(&offer(), &session),
        [
            line(Kind::Flat, "1", "0.35"),
            line(Kind::Energy, "11", "6.49"),
            line(Kind::Time, "30", "0.60"),
            line(Kind::Energy, "11", "4.29")
        ]
    );
    assert_sums(&offer(), &session, "11.73", "11.73");
}

#[test]
fn the_last_second_of_a_slot_belongs_to_it() {
    // 08:59:00 to 09:01:00 at 60 kW: 1 kWh in each of the two minutes.
    let session = Timeline::of("2026-04-27T06:59:00Z", &[(2 * MINUTE, 2_000)]);
    let energy: Vec<_> = lines(&offer(), &session).into_iter().filter(|(kind, ..)| *kind == Kind::Energy).collect();
    assert_eq!(energy, [line(Kind::Energy, "1", "0.39"), line(Kind::Energy, "1", "0.59")]);
}

#[test]
fn friday_night_runs_into_the_weekend_without_a_gap() {
    // Friday 23:00 to Saturday 01:00, 20 kWh at 0.39 on both sides of midnight.
    let session = Timeline::of("2026-05-01T21:00:00Z", &[(2 * HOUR, 20_000)]);
    assert_sums(&offer(), &session, "8.15", "8.15"); // 0.35 + 20 × 0.39
}

#[test]
fn fees_start_at_the_plug_or_at_the_end_of_charging() {
    // Charged from 0:00 to 1:00, paused for 10 minutes, charged for 20 more, then stood there for 45 minutes.
    let session = Timeline::of(
        "2026-04-27T08:00:00Z",
        &[(60 * MINUTE, 11_000), (10 * MINUTE, 0), (20 * MINUTE, 3_000), (45 * MINUTE, 0)],
    );
    let one = |component| tariff(Selection::WholeElement, vec![always(vec![component])]);
    let fee = |kind, counted, grace_minutes: i64| Component {
        grace_seconds: grace_minutes * 60,
        ..by_minute(kind, counted, "0.10")
    };
    // Parking from the end of charging: 45 minutes; with 15 of grace 30.
    let after = |grace| one(fee(Kind::ParkingTime, Counted::AfterCharging, grace));
    assert_sums(&after(0), &session, "4.50", "4.50");
    assert_sums(&after(15), &session, "3.00", "3.00");
    // Parking from the start of the session: 135 minutes.
    let start = one(fee(Kind::ParkingTime, Counted::Connected, 0));
    assert_sums(&start, &session, "13.50", "13.50");
    // A blocking fee after two hours: 15 minutes.
    let blocking = one(fee(Kind::BlockingFee, Counted::Connected, 120));
    assert_sums(&blocking, &session, "1.50", "1.50");
}
