//! The cheapest hours: when one car charges, given what energy costs when, how much it needs and when it leaves.
//!
//! Energy may be taken in any part of an hour, so the cheapest hours first is the best there is (a fractional knapsack):
//! exchanging energy for some of an hour that was left out never costs less. Among hours of one price the earliest comes
//! first, and an hour that is needed in part is used from its beginning, so that a plan which is made anew while it is
//! carried out stays the same. Whatever is needed and fits is charged; what does not fit is said.

use serde::{Deserialize, Serialize};

use kernel::{Timestamp, WattHours, Watts};

/// Watt-microseconds in a watt-hour: energy is counted in these, so that nothing is rounded on the way.
const HOUR: i128 = 3_600_000_000;
/// Watt-hours in a kilowatt-hour.
const KILO: i128 = 1_000;

/// A stretch of time in which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// The most that may be drawn in it; zero where charging is not allowed.
    pub most: Watts,
    /// What a kilowatt-hour costs, in millionths of the currency; `None` where nobody knows yet.
    pub price: Option<i64>,
}

/// A stretch in which the car charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// With how much.
    pub power: Watts,
    /// What a kilowatt-hour costs, in millionths of the currency.
    pub price: Option<i64>,
}

/// What energy costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// The energy whose price is known, in millionths of the currency, rounded to the nearest.
    pub millionths: i64,
    /// The energy whose price is not.
    pub unpriced: WattHours,
}

/// When a car charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timetable {
    /// In order of time.
    pub charges: Vec<Charge>,
    /// What cannot be delivered in time, rounded up; zero when the car is ready.
    pub missing: WattHours,
    /// What this costs.
    pub cost: Cost,
    /// What charging as soon as it is allowed would cost.
    pub at_once: Cost,
}

impl Timetable {
    /// When the car is to go on, if it is not to charge now and is to charge later.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.charges.iter().find(|charge| charge.to > now)?;
        (ahead.from > now).then_some(ahead.from)
    }
}

/// Charges this energy in the cheapest of these hours, which do not overlap. Hours in which less than `least` may be drawn
/// are not used: a car cannot be given so little.
pub fn cheapest(hours: &[Hours], need: WattHours, least: Watts) -> Timetable {
    let mut usable: Vec<Hours> =
        hours.iter().filter(|one| one.most > Watts::ZERO && one.most >= least && one.to > one.from).copied().collect();
    usable.sort_by_key(|one| one.from);
    let (_, at_once, _) = fill(&usable, need);
    usable.sort_by_key(|one| (one.price.is_none(), one.price, one.from));
    let (mut charges, cost, missing) = fill(&usable, need);
    charges.sort_by_key(|charge| charge.from);
    Timetable { charges: joined(charges), missing, cost, at_once }
}

/// Charges in these hours, in their order, until there is enough.
fn fill(hours: &[Hours], need: WattHours) -> (Vec<Charge>, Cost, WattHours) {
    let mut left = i128::from(need.get().max(0)) * HOUR;
    let (mut charges, mut paid, mut unpriced) = (Vec::new(), 0, 0);
    for one in hours {
        if left <= 0 {
            break;
        }
        let power = i128::from(one.most.get());
        let span = i128::from(one.to.micros()) - i128::from(one.from.micros());
        let taken = left.min(power * span);
        let used = span.min((taken + power - 1) / power);
        match one.price {
            Some(price) => paid += taken * i128::from(price),
            None => unpriced += taken,
        }
        charges.push(Charge {
            from: one.from,
            to: Timestamp::from_micros(one.from.micros().saturating_add(whole(used))),
            power: one.most,
            price: one.price,
        });
        left -= taken;
    }
    let cost =
        Cost { millionths: nearest(paid, HOUR * KILO), unpriced: WattHours(whole((unpriced + HOUR - 1) / HOUR)) };
    (charges, cost, WattHours(whole((left + HOUR - 1) / HOUR)))
}

/// The same with what follows each other at one power and price made one.
fn joined(charges: Vec<Charge>) -> Vec<Charge> {
    let mut joined: Vec<Charge> = Vec::with_capacity(charges.len());
    for charge in charges {
        match joined.last_mut() {
            Some(last) if last.to == charge.from && (last.power, last.price) == (charge.power, charge.price) => {
                last.to = charge.to;
            }
            _ => joined.push(charge),
        }
    }
    joined
}

fn nearest(sum: i128, unit: i128) -> i64 {
    whole((sum + unit / 2).div_euclid(unit))
}

/// A number that is far from the end of its range, in fewer bits.
fn whole(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const QUARTER: u64 = 900;

    fn at(quarters: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000) + Duration::from_secs(quarters * QUARTER)
    }

    /// Hours one after the other: how many quarters, how many kilowatts, what they cost.
    fn hours(rows: &[(u64, i64, Option<i64>)]) -> Vec<Hours> {
        let mut from = 0;
        let row = |(length, kilowatts, price): &(u64, i64, Option<i64>)| {
            let start = from;
            from += length;
            Hours { from: at(start), to: at(from), most: Watts(kilowatts * 1_000), price: *price }
        };
        rows.iter().map(row).collect()
    }

    fn spans(timetable: &Timetable) -> Vec<(u64, u64)> {
        let quarter = |when: Timestamp| when.since(at(0)).as_secs() / QUARTER;
        let charges = timetable.charges.iter();
        charges.map(|one| (quarter(one.from), quarter(one.to))).collect()
    }

    #[test]
    fn a_car_charges_in_the_cheap_hours_and_is_shown_what_it_saves() {
        let night = hours(&[(8, 10, Some(300_000)), (8, 10, Some(100_000)), (8, 10, Some(200_000))]);
        let plan = cheapest(&night, WattHours(30_000), Watts(1_380));
        assert_eq!(spans(&plan), [(8, 16), (16, 20)]);
        assert_eq!(plan.missing, WattHours(0));
        assert_eq!(plan.cost.millionths, 20 * 100_000 + 10 * 200_000);
        assert_eq!(plan.at_once.millionths, 20 * 300_000 + 10 * 100_000);
        assert_eq!(plan.waits_until(at(0)), Some(at(8)));
        assert_eq!(plan.waits_until(at(9)), None, "it charges");
        assert_eq!(plan.waits_until(at(21)), None, "it is ready");
    }

    #[test]
    fn what_does_not_fit_is_said_and_everything_is_used() {
        let short = hours(&[(4, 7, Some(100_000)), (4, 0, Some(1)), (4, 1, Some(1)), (4, 7, None)]);
        let plan = cheapest(&short, WattHours(20_000), Watts(1_380));
        assert_eq!(spans(&plan), [(0, 4), (12, 16)], "neither without power nor with too little");
        assert_eq!(plan.missing, WattHours(6_000));
        assert_eq!(plan.cost.unpriced, WattHours(7_000));
        assert_eq!(cheapest(&[], WattHours(1), Watts(0)).missing, WattHours(1));
        assert_eq!(cheapest(&short, WattHours(0), Watts(0)).charges, []);
    }

    #[test]
    fn hours_without_a_price_come_last_and_cheap_ones_may_cost_less_than_nothing() {
        let sunny = hours(&[(4, 1, None), (4, 1, Some(500_000)), (4, 1, Some(-20_000))]);
        let plan = cheapest(&sunny, WattHours(1_500), Watts(0));
        assert_eq!(spans(&plan), [(4, 6), (8, 12)]);
        assert_eq!(plan.cost.millionths, -20_000 + 250_000);
    }

    #[test]
    fn a_plan_that_is_made_anew_while_it_is_carried_out_stays_the_same() {
        let flat = hours(&[(4, 4, Some(2)), (8, 4, Some(1)), (4, 4, Some(1))]);
        let first = cheapest(&flat, WattHours(6_000), Watts(1_380));
        assert_eq!(spans(&first), [(4, 10)]);
        // Two quarters later half a kilowatt-hour a quarter has been charged twice.
        let mut rest = flat[1..].to_vec();
        rest[0].from = at(6);
        let later = cheapest(&rest, WattHours(4_000), Watts(1_380));
        assert_eq!(spans(&later), [(6, 10)]);
    }

    /// The least that any way of taking so many units costs, or `None` when there are too few: tries all of them.
    fn least_cost(rows: &[(i64, i64)], need: i64) -> Option<i64> {
        let Some(((units, price), rest)) = rows.split_first() else {
            return (need == 0).then_some(0);
        };
        (0..=(*units).min(need)).filter_map(|taken| Some(taken * price + least_cost(rest, need - taken)?)).min()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// A unit is a quarter of an hour at 4 kW: a kilowatt-hour. With whole units in every hour the best way takes whole units.
        #[test]
        fn i18_a_timetable_costs_what_the_best_of_all_ways_costs(
            rows in prop::collection::vec((1_u64..4, 0_i64..4, -3_i64..6), 0..6),
            need in 0_i64..20,
        ) {
            let all: Vec<_> = rows.iter().map(|(length, power, price)| (*length, power * 4, Some(*price))).collect();
            let units: Vec<_> = rows
                .iter()
                .map(|(length, power, price)| (i64::try_from(*length).expect("few") * power, *price))
                .collect();
            let plan = cheapest(&hours(&all), WattHours(need * 1_000), Watts(1_380));
            let there: i64 = units.iter().map(|(count, _)| count).sum();
            prop_assert_eq!(plan.missing, WattHours((need - there).max(0) * 1_000), "ready whenever that is possible");
            let best = least_cost(&units, need.min(there)).expect("it fits");
            prop_assert_eq!(plan.cost.millionths, best);
            prop_assert!(plan.cost.millionths <= plan.at_once.millionths);
            let charged: i128 = plan.charges.iter()
                .map(|one| i128::from(one.power.get()) * i128::from(one.to.micros() - one.from.micros()))
                .sum();
            prop_assert_eq!(charged, i128::from(need.min(there)) * 1_000 * HOUR);
            prop_assert!(plan.charges.windows(2).all(|pair| pair[0].to <= pair[1].from));
        }
    }
}
