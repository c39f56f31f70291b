//! Whether a location is open, by its wall clock.

use chrono::{Datelike, Timelike};

use super::model::{Location, OpeningHours, minutes};
use kernel::{TimeZone, Timestamp};

impl OpeningHours {
    /// Whether it is open at this instant; no hours at all mean always, a day without any means closed.
    pub fn contain(&self, at: Timestamp, zone: TimeZone) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let local = at.to_chrono().with_timezone(&zone.0);
        let day = local.weekday().num_days_from_sunday().to_string();
        let now = local.hour() * 60 + local.minute();
        let windows = self.0.get(&day).into_iter().flatten();
        windows.into_iter().any(|window| {
            let (from, to) = (minutes(&window.start_time), minutes(&window.end_time));
            from.zip(to).is_some_and(|(from, to)| (from..to).contains(&now))
        })
    }
}

impl Location {
    /// Whether it is open at this instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.opening_hours.0.contain(at, self.time_zone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hours_are_those_of_the_wall_clock() {
        let hours: OpeningHours = serde_json::from_value(json!({
            "1": [{"startTime": "08:00", "endTime": "12:00"}, {"startTime": "13:00", "endTime": "24:00"}]
        }))
        .expect("hours");
        let open = |at: &str| {
            let zone = "Europe/Amsterdam".parse().expect("a zone");
            hours.contain(at.parse().expect("an instant"), zone)
        };
        assert!(open("2026-11-23T07:00:00Z")); // a Monday, 08:00
        assert!(!open("2026-11-23T06:59:59Z"));
        assert!(!open("2026-11-23T11:30:00Z")); // 12:30
        assert!(open("2026-11-23T22:59:00Z")); // 23:59
        assert!(!open("2026-11-24T10:00:00Z")); // a Tuesday
        assert!(OpeningHours::default().contain(Timestamp::default(), TimeZone::default()));
    }
}
