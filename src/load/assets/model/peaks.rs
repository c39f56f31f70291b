//! The highest load behind a smart meter on each of its last days: what counts once the meter is silent.

use serde::{Deserialize, Serialize};

use kernel::{Timestamp, Watts};

/// Days that count beside today.
const DAYS: i64 = 7;
const SECONDS_A_DAY: i64 = 24 * 3_600;

/// The highest load of each day, oldest first; days of UTC, since nobody is billed by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Peaks(Vec<(i64, Watts)>);

impl Peaks {
    /// Notes a load; false where there was a higher one on that day.
    pub fn note(&mut self, now: Timestamp, load: Watts) -> bool {
        let day = now.unix_seconds().div_euclid(SECONDS_A_DAY);
        match self.0.last_mut() {
            Some((last, highest)) if *last >= day => {
                let higher = load > *highest;
                *highest = load.max(*highest);
                higher
            }
            _ => {
                self.0.retain(|(past, _)| day - past <= DAYS);
                self.0.push((day, load));
                true
            }
        }
    }

    /// The highest load of the last days on which there was one: a meter that was silent for long is taken as it was then.
    pub fn highest(&self) -> Option<Watts> {
        let last = self.0.last()?.0;
        let days = self.0.iter().filter(|(day, _)| last - day <= DAYS);
        days.map(|(_, load)| *load).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_unix_seconds(day * SECONDS_A_DAY + 3_600)
    }

    #[test]
    fn the_highest_of_a_week_counts_and_what_is_older_is_forgotten() {
        let mut peaks = Peaks::default();
        assert_eq!(peaks.highest(), None);
        assert!(peaks.note(day(20_000), Watts(30_000)));
        assert!(!peaks.note(day(20_000), Watts(10_000)));
        assert!(peaks.note(day(20_003), Watts(12_000)));
        assert!(peaks.note(day(20_007), Watts(9_000)));
        assert_eq!(peaks.highest(), Some(Watts(30_000)));
        assert!(peaks.note(day(20_008), Watts(8_000)));
        assert_eq!(peaks.highest(), Some(Watts(12_000)));
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_day_of_its_own() {
        let mut peaks = Peaks::default();
        peaks.note(day(20_010), Watts(5_000));
        assert!(peaks.note(day(20_000), Watts(6_000)));
        assert_eq!(peaks.0.len(), 1);
    }
}
