//! Power out of two values of a register, where a station reports nothing else.

use std::time::Duration;

use kernel::{Timestamp, WattHours, Watts};

/// Two values that are closer together show little: a register of whole Wh errs by 720 W over five seconds.
const CLOSEST: Duration = Duration::from_secs(5);

/// The average power between two values of a register, each with its receipt. Nothing where they are less than five
/// seconds apart, where the register fell, and where it rose by more than `most`, which no plug there can give.
pub fn power_between(earlier: (Timestamp, WattHours), later: (Timestamp, WattHours), most: Watts) -> Option<Watts> {
    let span = later.0.since(earlier.0);
    let rise = later.1.get().checked_sub(earlier.1.get())?;
    if span < CLOSEST || rise < 0 {
        return None;
    }
    let micros = i128::try_from(span.as_micros()).ok()?;
    let watts = i128::from(rise) * 3_600_000_000 / micros;
    i64::try_from(watts).ok().map(Watts).filter(|power| *power <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(seconds: i64, from: i64, to: i64) -> Option<Watts> {
        let at = Timestamp::from_unix_seconds;
        power_between((at(0), WattHours(from)), (at(seconds), WattHours(to)), Watts(24_200))
    }

    #[test]
    fn a_register_that_rises_shows_its_power() {
        // 24 Wh in 8 s are 24 x 450 W.
        assert_eq!(between(8, 1_000, 1_024), Some(Watts(10_800)));
        assert_eq!(between(3_600, 0, 0), Some(Watts(0)));
    }

    #[test]
    fn what_is_too_close_or_impossible_shows_nothing() {
        assert_eq!(between(4, 0, 10), None);
        assert_eq!(between(60, 1_000, 999), None);
        assert_eq!(between(60, 0, 1_000_000), None);
        assert_eq!(between(60, i64::MIN, i64::MAX), None);
        assert_eq!(between(-60, 0, 10), None);
    }
}
