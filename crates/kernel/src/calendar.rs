//! Weekly windows of local time: `22:00` to `06:00` on workdays in Amsterdam, right also when clocks change.
//!
//! A window is read off the wall clock: on the day when clocks go back the doubled hour is inside twice, on the day when
//! they go forward the missing one never. Whoever follows a window looks again at the next full minute
//! ([`next_minute`]): no time zone changes its clocks within one.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::{TimeZone, Timestamp};

/// Days of the week by their numbers, Sunday first as eDRV counts them.
const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// All seven.
    pub const ALL: Self = Self(0b111_1111);

    /// Whether it has this day, counted from Sunday as 0.
    pub const fn contains(self, day: u32) -> bool {
        day < 7 && self.0 & (1 << day) != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days with these names, the first three letters being enough; the name that is none, where there is one.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        names.into_iter().try_fold(Self(0), |days, name| {
            let lower = name.to_lowercase();
            let day = NAMES.iter().position(|known| *known == lower || (lower.len() == 3 && known.starts_with(&lower)));
            day.map(|day| Self(days.0 | 1 << day)).ok_or(name)
        })
    }

    /// The names of its days.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(NAMES).filter_map(move |(day, name)| self.contains(day).then_some(name))
    }
}

impl Serialize for Weekdays {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        Self::from_names(names.iter().map(String::as_str))
            .map_err(|name| serde::de::Error::custom(format!("{name} is no day of the week")))
    }
}

/// A time of day to the minute, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Minutes since midnight.
    pub const fn minute(self) -> u16 {
        self.0
    }
}

/// A text that is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day such as 07:30, from 00:00 to 24:00")]
pub struct InvalidTimeOfDay;

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;
    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let (hours, minutes) = text.split_once(':').ok_or(InvalidTimeOfDay)?;
        let number = |digits: &str| -> Result<u16, InvalidTimeOfDay> {
            let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
            two.then(|| digits.parse().ok()).flatten().ok_or(InvalidTimeOfDay)
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= DAY).then_some(Self(total)).ok_or(InvalidTimeOfDay)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// From one time of day to another, on some days. One that ends when or before it begins ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyWindow {
    /// The days on which it begins.
    pub weekdays: Weekdays,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it is over.
    pub to: TimeOfDay,
}

impl WeeklyWindow {
    /// Whether this instant is inside, by the wall clocks of the zone.
    pub fn contains(&self, at: Timestamp, zone: TimeZone) -> bool {
        let local = at.to_chrono().with_timezone(&zone.0);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0);
        let today = local.weekday().num_days_from_sunday();
        let yesterday = (today + 6) % 7;
        let (from, to) = (self.from.0, self.to.0);
        if from < to {
            return self.weekdays.contains(today) && (from..to).contains(&minute);
        }
        (self.weekdays.contains(today) && minute >= from) || (self.weekdays.contains(yesterday) && minute < to)
    }
}

/// The days that these windows cover from midnight to midnight, by the wall clock.
pub fn whole_days(windows: &[WeeklyWindow]) -> Weekdays {
    let parts = |day: u32| {
        let yesterday = (day + 6) % 7;
        let mut parts: Vec<(u16, u16)> = Vec::new();
        for window in windows {
            let (from, to) = (window.from.0, window.to.0);
            let over_midnight = from >= to;
            if window.weekdays.contains(day) {
                parts.push((from, if over_midnight { DAY } else { to }));
            }
            if over_midnight && window.weekdays.contains(yesterday) {
                parts.push((0, to));
            }
        }
        parts.sort_unstable();
        parts
    };
    let is_whole = |day: &u32| {
        let reached = parts(*day).into_iter().fold(
            0,
            |reached: u16, (from, to)| {
                if from > reached { reached } else { reached.max(to) }
            },
        );
        reached >= DAY
    };
    Weekdays((0..7).filter(is_whole).fold(0, |days, day| days | 1 << day))
}

/// The next instant with a full minute.
pub fn next_minute(now: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds((now.unix_seconds().div_euclid(60) + 1) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(weekdays: &[&str], from: &str, to: &str) -> WeeklyWindow {
        WeeklyWindow {
            weekdays: Weekdays::from_names(weekdays.iter().copied()).expect("days"),
            from: from.parse().expect("a time"),
            to: to.parse().expect("a time"),
        }
    }

    fn inside(window: &WeeklyWindow, at: &str) -> bool {
        let amsterdam = "Europe/Amsterdam".parse().expect("a zone");
        window.contains(at.parse().expect("an instant"), amsterdam)
    }

    #[test]
    fn a_window_follows_the_wall_clock_in_summer_and_winter() {
        let office = window(&["monday", "Fri"], "07:00", "19:00");
        assert!(inside(&office, "2026-11-23T06:00:00Z")); // a Monday in winter: 07:00
        assert!(!inside(&office, "2026-11-23T05:59:59Z"));
        assert!(inside(&office, "2026-07-06T05:00:00Z")); // a Monday in summer: 07:00
        assert!(!inside(&office, "2026-07-06T17:00:00Z"));
        assert!(!inside(&office, "2026-11-24T12:00:00Z"), "a Tuesday");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins() {
        let night = window(&["fri"], "22:00", "06:00");
        assert!(inside(&night, "2026-11-20T21:00:00Z")); // Friday 22:00
        assert!(inside(&night, "2026-11-21T04:59:00Z")); // Saturday 05:59
        assert!(!inside(&night, "2026-11-21T05:00:00Z"));
        assert!(!inside(&night, "2026-11-21T21:00:00Z"), "Saturday night");
        assert!(!inside(&night, "2026-11-20T04:00:00Z"), "Friday morning");
    }

    #[test]
    fn equal_ends_mean_a_whole_day() {
        let day = window(&["sat"], "12:00", "12:00");
        assert!(inside(&day, "2026-11-21T11:00:00Z") && inside(&day, "2026-11-22T10:59:00Z"));
        assert!(!inside(&day, "2026-11-21T10:59:00Z") && !inside(&day, "2026-11-22T11:00:00Z"));
        let all = window(&["sat"], "00:00", "24:00");
        assert!(inside(&all, "2026-11-20T23:00:00Z") && !inside(&all, "2026-11-21T23:00:00Z"));
    }

    #[test]
    fn the_doubled_hour_is_inside_twice_and_the_missing_one_never() {
        let early = window(&["sunday"], "02:30", "02:45");
        assert!(inside(&early, "2026-10-25T00:30:00Z"), "02:30 for the first time");
        assert!(inside(&early, "2026-10-25T01:30:00Z"), "02:30 again");
        let spring = (0..120).map(|minute| {
            let at = Timestamp::from_unix_seconds(1_774_746_000 + minute * 60); // 2026-03-29 01:00 UTC ± an hour
            early.contains(at, "Europe/Amsterdam".parse().expect("a zone"))
        });
        assert!(spring.into_iter().all(|inside| !inside));
    }

    #[test]
    fn texts_are_checked_and_come_back() {
        let text = r#"{"weekdays":["monday","sunday"],"from":"07:00","to":"24:00"}"#;
        let read: WeeklyWindow = serde_json::from_str(text).expect("reads");
        let written = serde_json::to_value(read).expect("writes");
        assert_eq!(written["weekdays"], serde_json::json!(["sunday", "monday"]));
        assert_eq!(written["to"], "24:00");
        for wrong in ["7:00", "24:01", "12:60", "noon", "+1:00", "12:00:00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert_eq!(Weekdays::from_names(["mon", "moonday"]), Err("moonday"));
    }

    #[test]
    fn the_next_minute_is_full() {
        let now = Timestamp::from_micros(1_800_000_030_500_000);
        assert_eq!(next_minute(now), Timestamp::from_unix_seconds(1_800_000_060));
        assert_eq!(next_minute(next_minute(now)), Timestamp::from_unix_seconds(1_800_000_120));
    }
}
