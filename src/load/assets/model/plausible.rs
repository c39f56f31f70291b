//! What hardware can give: readings far beyond the ratings that are known are a slip of units, and are refused; those far
//! below zero, where nothing is known to produce, are stored and warned of. Pure.

use super::reading::Reading;
use kernel::*;

/// How many times the largest rating that is known a reading may be: a short circuit that a fuse bears for a moment.
const TIMES_RATED: i64 = 5;
/// Up to this nothing is beyond hardware, whatever the ratings: a group may be a small part of what a meter sees.
const ALWAYS_PLAUSIBLE: Watts = Watts(100_000);
/// The most that is believed where no rating is known: a connection of 10 MW.
const MOST_UNRATED: Watts = Watts(10_000_000);
/// How far below zero a reading may be beyond what is known to produce.
const BELOW_ZERO: Watts = Watts(1_000);

/// The most that hardware can give at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    most: Watts,
    /// The largest rating that is known.
    rated: Option<Watts>,
}

impl Bound {
    /// Whether it says so much that ratings matter.
    pub(crate) fn matters_to(reading: &Reading) -> bool {
        claims(reading).iter().any(|(_, said)| *said > ALWAYS_PLAUSIBLE)
    }

    /// The bound by these ratings.
    pub(crate) fn of(ratings: impl IntoIterator<Item = Watts>) -> Self {
        let rated = ratings.into_iter().max();
        let most =
            rated.map_or(MOST_UNRATED, |rated| ALWAYS_PLAUSIBLE.max(Watts(rated.get().saturating_mul(TIMES_RATED))));
        Self { most, rated }
    }

    /// What of a reading is beyond it, by the fields that were sent.
    pub(crate) fn broken_by(&self, reading: &Reading, was_sent: impl Fn(&str) -> bool) -> Option<Beyond> {
        let claims = claims(reading);
        let beyond = || claims.into_iter().filter(|(_, said)| *said > self.most);
        let (field, said) = match beyond().find(|(field, _)| was_sent(field)) {
            Some(sent) => sent,
            None => {
                // Computed from what was sent: from currents, their sum.
                let (computed, said) = beyond().next()?;
                let sent = claims.into_iter().find(|(field, _)| was_sent(field));
                (sent.map_or(computed, |(field, _)| field), said)
            }
        };
        Some(Beyond { field, message: self.message(field, said) })
    }

    fn message(&self, field: &str, said: Watts) -> String {
        let most = self.most.kilowatts();
        let why = match self.rated {
            Some(rated) if self.most > ALWAYS_PLAUSIBLE => {
                format!("five times the largest rating known here, {} kW", rated.kilowatts())
            }
            Some(rated) => format!("the largest rating known here is {} kW", rated.kilowatts()),
            None => "no rating is known here".to_owned(),
        };
        let said = said.kilowatts();
        let unit = if field == "current" {
            "currents are in A".to_owned()
        } else {
            format!("power is in kW, so if W were meant, {} is right", said / 1_000.0)
        };
        format!("says {said} kW, more than the {most} kW that hardware can give ({why}): {unit}")
    }
}

/// What is wrong with a reading that no hardware gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The field that says it.
    pub field: &'static str,
    /// What it says, what can be, and what would be right.
    pub message: String,
}

/// The power that each field of a reading claims, whichever way it flows.
fn claims(reading: &Reading) -> [(&'static str, Watts); 3] {
    let phases = reading.phase_power.iter().flatten();
    let largest = phases.map(|power| magnitude(*power)).max();
    let driven = reading.current.iter().zip(&reading.voltage);
    let driven = driven.filter_map(|(current, voltage)| {
        let product = i128::from((*current)?.get()) * i128::from((*voltage)?.get());
        Some(magnitude(Watts(i64::try_from(product / 1_000_000).unwrap_or(i64::MAX))))
    });
    [
        ("power", magnitude(reading.power)),
        ("phase_power", largest.unwrap_or_default()),
        ("current", driven.max().unwrap_or_default()),
    ]
}

fn magnitude(power: Watts) -> Watts {
    Watts(power.get().saturating_abs())
}

/// Whether `load` is further below zero than what produces there can explain.
pub fn is_below_zero(load: Watts, produced: Watts) -> bool {
    let tolerated = BELOW_ZERO.max(Watts(produced.get() / 10));
    load < -(produced + tolerated)
}

/// The same in words.
pub fn sent_below_zero(load: Watts, produced: Watts) -> String {
    format!(
        "says that {} kW are fed in, where {} kW are known to be produced: only these count; add what produces as an asset, or change the sign",
        (-load).kilowatts(),
        produced.kilowatts()
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(power: i64) -> Reading {
        Reading {
            at: Timestamp::from_unix_seconds(1_777_000_000),
            power: Watts(power),
            phase_power: [None; 3],
            current: [None; 3],
            voltage: [None; 3],
            energy: None,
        }
    }

    fn field(bound: Bound, reading: &Reading, sent: &[&str]) -> Option<&'static str> {
        let beyond = bound.broken_by(reading, |field| sent.contains(&field));
        beyond.map(|beyond| beyond.field)
    }

    #[test]
    fn five_times_what_is_rated_and_a_hundred_kilowatts_always_can_be() {
        let small = Bound::of([Watts(3_000), Watts(11_000)]);
        assert_eq!(field(small, &reading(100_000), &["power"]), None);
        assert_eq!(field(small, &reading(100_001), &["power"]), Some("power"));
        assert_eq!(field(small, &reading(-100_001), &["power"]), Some("power"));
        let large = Bound::of([Watts(150_000)]);
        assert_eq!(field(large, &reading(750_000), &["power"]), None);
        assert_eq!(field(large, &reading(750_001), &["power"]), Some("power"));
        let unrated = Bound::of([]);
        assert_eq!(field(unrated, &reading(10_000_000), &["power"]), None);
        assert_eq!(field(unrated, &reading(10_000_001), &["power"]), Some("power"));
    }

    #[test]
    fn the_field_that_was_sent_is_the_one_that_is_named() {
        let bound = Bound::of([Watts(30_000)]);
        let driven = Reading {
            phase_power: [Some(Watts(230_000)); 3],
            current: [Some(Milliamps(1_000_000)); 3],
            voltage: [Some(Millivolts(230_000)); 3],
            ..reading(690_000)
        };
        assert_eq!(field(bound, &driven, &["current"]), Some("current"));
        assert_eq!(field(bound, &driven, &["phase_power"]), Some("phase_power"));
        // 3 × 69 kW: no phase is beyond 150 kW, their sum is.
        let together =
            Reading { phase_power: [Some(Watts(69_000)); 3], current: [Some(Milliamps(300_000)); 3], ..driven };
        let together = Reading { power: Watts(207_000), ..together };
        assert_eq!(field(bound, &together, &["current"]), Some("current"));
    }

    #[test]
    fn a_slip_of_units_is_reported_with_what_would_be_right() {
        let beyond = Bound::of([Watts(30_000)]).broken_by(&reading(6_000_000), |_| true);
        assert_eq!(
            beyond.map(|beyond| beyond.message).as_deref(),
            Some(
                "says 6000 kW, more than the 150 kW that hardware can give (five times the largest rating known here, \
                 30 kW): power is in kW, so if W were meant, 6 is right"
            )
        );
    }

    #[test]
    fn a_kilowatt_and_a_tenth_below_what_is_produced_is_no_wonder() {
        assert!(!is_below_zero(Watts(-1_000), Watts(0)));
        assert!(is_below_zero(Watts(-1_001), Watts(0)));
        assert!(!is_below_zero(Watts(-33_000), Watts(30_000)));
        assert!(is_below_zero(Watts(-33_001), Watts(30_000)));
    }

    proptest! {
        #[test]
        fn what_is_rated_is_always_believed(rated in 1..5_000_000_i64, share in 0..=100_i64, sign in prop::bool::ANY) {
            let said = rated * share / 100;
            let said = if sign { said } else { -said };
            let bound = Bound::of([Watts(rated)]);
            prop_assert_eq!(bound.broken_by(&reading(said), |_| true), None);
        }

        #[test]
        fn one_more_rating_refuses_nothing_that_was_believed(one in 0..9_000_000_i64, more in 0..9_000_000_i64, said in 0..60_000_000_i64) {
            let (before, after) = (Bound::of([Watts(one)]), Bound::of([Watts(one), Watts(more)]));
            let believed = |bound: Bound| bound.broken_by(&reading(said), |_| true).is_none();
            prop_assert!(!believed(before) || believed(after));
        }

        #[test]
        fn whoever_is_not_worth_a_look_breaks_no_bound(said in -2_000_000..2_000_000_i64, rated in 0..1_000_000_i64) {
            let reading = reading(said);
            let refused = Bound::of([Watts(rated)]).broken_by(&reading, |_| true).is_some();
            prop_assert!(!refused || Bound::matters_to(&reading));
        }
    }
}
