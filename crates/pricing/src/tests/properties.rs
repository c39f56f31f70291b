//! What holds for every bill, whatever the tariff and the session.

use proptest::prelude::*;

use super::*;

fn component(kind: Kind) -> impl Strategy<Value = Component> {
    (0_i64..2_000_000, 0_i64..3_000, 0_i64..7_200, 0_i64..2_000).prop_map(
        move |(millionths, tax, grace_seconds, step)| Component {
            price: Decimal::new(millionths, 6),
            tax: Decimal::new(tax, 2),
            grace_seconds,
            step,
            ..price(kind, "0", "0")
        },
    )
}

fn element() -> impl Strategy<Value = Element> {
    let kinds = [Kind::Flat, Kind::Energy, Kind::Time, Kind::ParkingTime, Kind::BlockingFee];
    let components = proptest::sample::subsequence(kinds.to_vec(), 1..=5)
        .prop_flat_map(|kinds| kinds.into_iter().map(component).collect::<Vec<_>>());
    let window = proptest::option::of((0_u32..86_400, 1_u32..=86_400).prop_map(|(from, to)| Window {
        weekdays: Weekdays::ALL,
        from,
        to,
    }));
    let energy = proptest::option::of((0_i64..50_000).prop_map(WattHours));
    (components, window, energy).prop_map(|(components, window, below_energy)| {
        let when = Conditions { window, below_energy, ..Conditions::default() };
        Element { when, ..always(components) }
    })
}

fn any_tariff() -> impl Strategy<Value = Tariff> {
    let selection = prop_oneof![Just(Selection::WholeElement), Just(Selection::EachKind)];
    let currency = prop_oneof![Just("EUR"), Just("JPY"), Just("KWD")];
    let minimum = proptest::option::of((0_i64..5_000).prop_map(|cents| Decimal::new(cents, 2)));
    let elements = proptest::collection::vec(element(), 1..5);
    (selection, currency, elements, minimum, any::<bool>()).prop_map(
        |(selection, currency, elements, minimum, decided_at_start)| Tariff {
            currency: currency.parse().expect("a currency"),
            minimum,
            decided_at_start,
            ..tariff(selection, elements)
        },
    )
}

fn any_session() -> impl Strategy<Value = Timeline> {
    let parts = proptest::collection::vec((0_u64..40_000, 0_i64..30_000), 0..8);
    // Around both changes of the clocks, and on ordinary days.
    let starts = ["2026-03-28T20:11:07Z", "2026-10-24T20:59:59Z", "2026-06-01T00:00:00Z"];
    (proptest::sample::select(starts.to_vec()), parts).prop_map(|(start, parts)| Timeline::of(start, &parts))
}

proptest! {
    #[test]
    fn rounding_never_loses_or_makes_a_cent(tariff in any_tariff(), session in any_session()) {
        let cost = cost(&tariff, &session, amsterdam());
        let sum = |amount: fn(&Line) -> Decimal| cost.lines.iter().map(amount).sum::<Decimal>();
        prop_assert_eq!(sum(|line| line.before_tax), cost.before_tax);
        prop_assert_eq!(sum(|line| line.total_tax), cost.total_tax);
        prop_assert_eq!(sum(|line| line.total), cost.total);
        prop_assert_eq!(cost.before_tax + cost.total_tax, cost.total);
        for line in &cost.lines {
            prop_assert!(line.before_tax >= Decimal::ZERO && line.total_tax >= Decimal::ZERO);
            prop_assert_eq!(line.before_tax + line.total_tax, line.total);
            prop_assert_eq!(cost.currency.round(line.total), line.total);
        }
        prop_assert!(tariff.minimum.is_none_or(|least| cost.total >= cost.currency.round(least)));
    }

    #[test]
    fn every_watt_hour_is_billed_once(session in any_session(), tariff in any_tariff()) {
        let energy = |name: &str| Element { name: name.to_owned(), ..always(vec![price(Kind::Energy, "1", "0")]) };
        // The same price everywhere: whatever the windows cut, the energy is all of it.
        let mut elements: Vec<Element> = tariff.elements.iter()
            .map(|element| Element { when: element.when.clone(), ..energy("some") })
            .collect();
        elements.push(energy("rest"));
        let whole = Tariff { elements, minimum: None, ..tariff };
        let billed: Decimal = cost(&whole, &session, amsterdam()).lines.iter().map(|line| line.quantity).sum();
        let drawn: i64 = session.stretches.iter().map(|stretch| stretch.energy.get()).sum();
        prop_assert_eq!(billed, Decimal::new(drawn, 3));
    }

    #[test]
    fn a_bill_only_grows_when_the_session_goes_on(session in any_session(), seconds in 1_u64..40_000, energy in 0_i64..30_000) {
        let tariff = edrv_rate(vec![
            price(Kind::Flat, "1", "19"), price(Kind::Energy, "0.3333", "19"),
            price(Kind::Time, "1.777", "7"), price(Kind::ParkingTime, "2.22", "0"),
        ]);
        let mut longer = session.clone();
        longer.stretches.push(Stretch {
            from: session.end(),
            to: session.end() + std::time::Duration::from_secs(seconds),
            energy: WattHours(energy),
            charging: energy > 0,
        });
        let (short, long) = (cost(&tariff, &session, amsterdam()), cost(&tariff, &longer, amsterdam()));
        prop_assert!(long.total >= short.total);
    }
}
