//! Which limit applies when: pure, by the wall clock of the location.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDateTime, TimeZone as _};

use super::model::{Period, Profile, Recurrence};
use kernel::{TimeZone, Timestamp};

/// The first instant at which a wall clock shows this; where clocks jump over it, an hour later.
fn instant(local: NaiveDateTime, zone: TimeZone) -> Option<Timestamp> {
    let found = |local| zone.0.from_local_datetime(&local).earliest();
    let late = local.checked_add_signed(chrono::TimeDelta::hours(1));
    let at: DateTime<_> = found(local).or_else(|| late.and_then(found))?;
    Some(Timestamp::from_unix_seconds(at.timestamp()))
}

impl Profile {
    /// When the round that this instant lies in began, and when the next one begins.
    fn round(&self, at: Timestamp, zone: TimeZone) -> Option<(Timestamp, Option<Timestamp>)> {
        if at < self.starts_at {
            return None;
        }
        let every = match self.recurrence {
            None => return Some((self.starts_at, None)),
            Some(Recurrence::Daily) => 1,
            Some(Recurrence::Weekly) => 7,
        };
        let first = self.starts_at.to_chrono().with_timezone(&zone.0).naive_local();
        let now = at.to_chrono().with_timezone(&zone.0).naive_local();
        let days = u64::try_from((now.date() - first.date()).num_days()).unwrap_or(0);
        let round = |number: u64| instant(first.checked_add_days(Days::new(number * every))?, zone);
        let number = days / every;
        let began = round(number)?;
        if began <= at {
            return Some((began, round(number + 1)));
        }
        Some((round(number.checked_sub(1)?)?, Some(began)))
    }

    fn is_valid(&self, at: Timestamp) -> bool {
        self.active && self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to)
    }

    fn length(&self) -> Option<Duration> {
        let minutes = u64::try_from(self.duration_minutes?).ok()?;
        Some(Duration::from_secs(minutes * 60))
    }

    /// The period that applies at this instant.
    fn period_at(&self, at: Timestamp, zone: TimeZone) -> Option<Period> {
        let (began, _) = self.round(at, zone)?;
        let since = at.since(began);
        if !self.is_valid(at) || self.length().is_some_and(|length| since >= length) {
            return None;
        }
        let begun = |period: &&Period| u64::from(period.start) <= since.as_secs();
        self.periods.0.iter().rfind(begun).copied()
    }

    /// The next instant after this one at which something may change.
    fn next_change(&self, at: Timestamp, zone: TimeZone) -> Option<Timestamp> {
        let bounds = [Some(self.starts_at), self.valid_from, self.valid_to];
        let mut changes: Vec<Timestamp> = bounds.into_iter().flatten().collect();
        if let Some((began, next)) = self.round(at, zone) {
            changes.extend(next);
            changes.extend(self.length().map(|length| began + length));
            let starts = self.periods.0.iter().map(|one| u64::from(one.start));
            changes.extend(starts.map(|start| began + Duration::from_secs(start)));
        }
        changes.into_iter().filter(|change| *change > at).min()
    }
}

/// The period that counts at this instant, and the profile it belongs to: the highest stack level, then the newest.
pub(super) fn counting(profiles: &[Profile], at: Timestamp, zone: TimeZone) -> Option<(&Profile, Period)> {
    let applying = profiles.iter().filter_map(|profile| Some((profile, profile.period_at(at, zone)?)));
    applying.max_by_key(|(profile, _)| (profile.stack_level, profile.id))
}

/// The next instant after this one at which something may change.
pub(super) fn next_change(profiles: &[Profile], at: Timestamp, zone: TimeZone) -> Option<Timestamp> {
    let changes = profiles.iter();
    changes.filter_map(|profile| profile.next_change(at, zone)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::profiles::model::NewProfile;
    use crate::http::Faults;
    use crate::http::fields::{Field, Path};
    use kernel::{CountingIds, Moment};
    use serde_json::{Value, json};

    fn profile(body: Value) -> Profile {
        let ids = std::sync::Arc::new(CountingIds::default());
        let moment = Moment::new(Timestamp::default(), ids);
        let mut faults = Faults::default();
        let new = NewProfile::read(&body, Path::Root, &mut faults).expect("valid");
        Profile::new(new, moment.id(), &moment).expect("valid")
    }

    fn limits(profiles: &[Profile], instants: &[&str]) -> Vec<Option<f64>> {
        let zone: TimeZone = "Europe/Amsterdam".parse().expect("a zone");
        let limit = |at: &&str| {
            let at = at.parse().expect("an instant");
            counting(profiles, at, zone).map(|(_, period)| period.limit)
        };
        instants.iter().map(limit).collect()
    }

    #[test]
    fn a_day_recurs_by_the_wall_clock_also_when_clocks_change() {
        let night = profile(json!({
            "name": "Night", "type": "recurring", "recurrence": "daily", "unit": "current",
            "start_schedule": "2026-10-01T20:00:00Z", "duration_minutes": 480, // 22:00 in Amsterdam
            "periods": [{"start": 0, "limit": 16}, {"start": 3600, "limit": 10}], "evses": []
        }));
        let all = [night];
        assert_eq!(
            limits(
                &all,
                &[
                    "2026-10-01T19:59:59Z",
                    "2026-10-02T20:00:00Z",
                    "2026-10-02T21:00:00Z",
                    "2026-10-03T03:59:59Z",
                    "2026-10-03T04:00:00Z"
                ]
            ),
            [None, Some(16.0), Some(10.0), Some(10.0), None]
        );
        // In winter 22:00 is 21:00 UTC.
        assert_eq!(limits(&all, &["2026-11-02T20:59:00Z", "2026-11-02T21:00:00Z"]), [None, Some(16.0)]);
    }

    #[test]
    fn the_highest_stack_level_counts_while_it_is_valid() {
        let base = |name: &str, level: i32, limit: f64| {
            json!({"name": name, "type": "one_time", "unit": "power", "start_schedule": "2026-01-01T00:00:00Z",
                "stack_level": level, "periods": [{"start": 0, "limit": limit}], "evses": []})
        };
        let mut above = base("Above", 3, 5000.0);
        above["valid_to"] = json!("2026-02-01T00:00:00Z");
        let all = [profile(above), profile(base("Below", 1, 9000.0))];
        assert_eq!(
            limits(&all, &["2025-12-31T23:59:59Z", "2026-01-15T00:00:00Z", "2026-02-01T00:00:00Z"]),
            [None, Some(5000.0), Some(9000.0)]
        );
        let zone = TimeZone::default();
        let middle = "2026-01-15T00:00:00Z".parse().expect("an instant");
        let change = next_change(&all, middle, zone).map(|at| at.to_string());
        assert_eq!(change.as_deref(), Some("2026-02-01T00:00:00.000Z"));
    }
}
