//! Exclusion times: the hours in which a home user's group does not charge, by the wall clock where it stands.

use serde::{Deserialize, Serialize};

use crate::http::{Faults, Versioned};
use crate::input;
use kernel::calendar::{TimeOfDay, Weekdays, WeeklyWindow};
use kernel::*;

/// Windows that a group may have.
const MOST_WINDOWS: usize = 50;

input! {
    /// Hours without charging.
    #[derive(Serialize, Deserialize)]
    pub struct ExclusionWindow {
        /// The days on which it begins; every day when absent.
        #[serde(default)]
        pub weekdays: Option<Weekdays>,
        /// When it begins.
        pub from: TimeOfDay,
        /// When it is over; one that is not after `from` lies on the next day.
        pub to: TimeOfDay,
        /// Whether it counts; true when absent.
        #[serde(default)]
        pub enabled: Option<bool>,
    }
}

input! {
    /// When the connectors of a group do not charge. Sessions stay open meanwhile, and go on by themselves afterwards.
    #[schema(example = json!({"windows": [
        {"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "from": "16:30", "to": "19:30"},
        {"from": "23:00", "to": "01:00", "enabled": false}
    ]}))]
    #[derive(Default, Serialize, Deserialize)]
    pub struct ExclusionTimes {
        /// The windows; they may overlap.
        pub windows: Vec<ExclusionWindow>,
        /// Whose clocks they follow; those of the group's location when absent.
        #[serde(default)]
        pub timezone: Option<TimeZone>,
    }
}

/// Something about exclusion times that is allowed, but hardly meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExclusionWarning {
    /// `excluded_all_day`: on these days no car charges at all.
    #[schema(example = "excluded_all_day")]
    pub code: &'static str,
    /// What a person needs to know.
    pub message: String,
    /// The days.
    pub weekdays: Weekdays,
}

/// The exclusion times of a group as clients see them: what `PUT` takes, with the version of the group.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupExclusionTimes {
    /// The windows.
    pub(super) windows: Vec<ExclusionWindow>,
    /// Whose clocks they follow; those of the group's location where it is null.
    pub(super) timezone: Option<TimeZone>,
    #[serde(skip)]
    pub(super) version: Timestamp,
}

impl Versioned for GroupExclusionTimes {
    fn version(&self) -> Timestamp {
        self.version
    }
}

impl ExclusionWindow {
    pub(super) fn counts(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    fn window(&self) -> WeeklyWindow {
        WeeklyWindow { weekdays: self.weekdays.unwrap_or(Weekdays::ALL), from: self.from, to: self.to }
    }
}

impl ExclusionTimes {
    /// What must be true besides the form of its fields.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.windows.len() > MOST_WINDOWS {
            let message = format!("has at most {MOST_WINDOWS} windows");
            faults.add("windows", "out_of_range", message);
        }
        for (index, window) in self.windows.iter().enumerate() {
            if window.weekdays.is_some_and(Weekdays::is_empty) {
                let field = format!("windows[{index}].weekdays");
                faults.add(field, "invalid", "names no day");
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The same with everything said that was left out.
    pub(super) fn spelled_out(mut self) -> Self {
        for window in &mut self.windows {
            window.weekdays.get_or_insert(Weekdays::ALL);
            window.enabled.get_or_insert(true);
        }
        self
    }

    /// What should be known of them: days that are excluded from midnight to midnight.
    pub fn warnings(&self) -> Vec<ExclusionWarning> {
        let counting = self.windows.iter().filter(|window| window.counts());
        let windows: Vec<WeeklyWindow> = counting.map(ExclusionWindow::window).collect();
        let weekdays = calendar::whole_days(&windows);
        if weekdays.is_empty() {
            return Vec::new();
        }
        let days: Vec<&str> = weekdays.names().collect();
        let message = format!(
            "The exclusion times cover all day on {}: no car charges then, except by a priority charge; a window whose `from` is its \
             `to` lasts 24 hours",
            days.join(", ")
        );
        vec![ExclusionWarning { code: "excluded_all_day", message, weekdays }]
    }

    /// Whether this instant is inside a window that counts. `local` is the time zone of the location.
    pub fn contain(&self, at: Timestamp, local: TimeZone) -> bool {
        let zone = self.timezone.unwrap_or(local);
        let mut windows = self.windows.iter().filter(|window| window.counts());
        windows.any(|window| window.window().contains(at, zone))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields::{Field, Path};

    fn times(body: &Value) -> ExclusionTimes {
        ExclusionTimes::read(body, Path::Root, &mut Faults::default()).expect("a valid body")
    }

    fn inside(times: &ExclusionTimes, at: &str) -> bool {
        let amsterdam = "Europe/Amsterdam".parse().expect("a zone");
        times.contain(at.parse().expect("an instant"), amsterdam)
    }

    #[test]
    fn any_window_that_counts_excludes() {
        let times = times(&json!({"windows": [
            {"from": "16:30", "to": "19:30", "weekdays": ["mon"]},
            {"from": "22:00", "to": "01:00"},
            {"from": "00:00", "to": "24:00", "enabled": false}
        ]}));
        assert!(inside(&times, "2026-11-23T15:30:00Z"), "Monday 16:30");
        assert!(!inside(&times, "2026-11-23T18:30:00Z"), "Monday 19:30");
        assert!(!inside(&times, "2026-11-24T15:30:00Z"), "Tuesday");
        assert!(inside(&times, "2026-11-24T23:59:59Z"), "over midnight");
    }

    #[test]
    fn a_time_zone_of_its_own_goes_before_the_locations() {
        let lisbon = json!({"timezone": "Europe/Lisbon", "windows": [{"from": "10:00", "to": "11:00"}]});
        let times = times(&lisbon);
        assert!(inside(&times, "2026-11-23T10:30:00Z") && !inside(&times, "2026-11-23T09:30:00Z"));
        let stored = serde_json::to_value(&times).expect("writes");
        assert_eq!(stored["timezone"], "Europe/Lisbon");
        let read: ExclusionTimes = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, times);
    }

    #[test]
    fn the_nights_when_clocks_change_are_an_hour_shorter_and_longer() {
        let night = times(&json!({"windows": [{"from": "01:00", "to": "04:00"}]}));
        let minutes = |day: &str| {
            let midnight: Timestamp = day.parse().expect("an instant");
            let zone = "Europe/Amsterdam".parse().expect("a zone");
            let minute = |count: i64| Timestamp::from_unix_seconds(midnight.unix_seconds() + count * 60);
            (0..24 * 60).filter(|count| night.contain(minute(*count), zone)).count()
        };
        assert_eq!(minutes("2026-03-28T23:00:00Z"), 120, "forward");
        assert_eq!(minutes("2026-10-24T22:00:00Z"), 240, "back");
        assert_eq!(minutes("2026-11-22T23:00:00Z"), 180);
    }

    #[test]
    fn faults_name_the_window() {
        let no_day = json!({"windows": [
            {"from": "01:00", "to": "02:00"}, {"weekdays": [], "from": "01:00", "to": "02:00"}
        ]});
        let faults = times(&no_day).check().expect_err("names no day");
        assert_eq!(faults.0[0].field, "windows[1].weekdays");
    }
}
