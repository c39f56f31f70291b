//! What a group may draw at an instant: its capacity, unless a schedule or somebody outside says less.

use serde::{Deserialize, Serialize};

use crate::http::quantities::Kilowatts;
use crate::input;
use kernel::calendar::{TimeOfDay, Weekdays, WeeklyWindow};
use kernel::text::Line;
use kernel::*;

/// Entries that one list of schedules may have.
const MOST_ENTRIES: usize = 200;

input! {
    /// A capacity for some hours of some days of the week, in the location's time zone.
    #[derive(Serialize, Deserialize)]
    pub struct WeeklyCapacity {
        /// The days on which it begins; every day when absent.
        #[serde(default)]
        pub weekdays: Option<Weekdays>,
        /// When it begins.
        pub from: TimeOfDay,
        /// When it is over; one that is not after `from` lies on the next day.
        pub to: TimeOfDay,
        /// What the group may draw then, in kW.
        pub maximum_capacity: Kilowatts,
    }
}

input! {
    /// A capacity from one instant to another.
    #[derive(Serialize, Deserialize)]
    pub struct DatedCapacity {
        /// When it begins.
        pub from: Timestamp,
        /// When it is over.
        pub to: Timestamp,
        /// What the group may draw then, in kW.
        pub maximum_capacity: Kilowatts,
    }
}

input! {
    /// Capacities that apply at certain times. A dated one goes before a weekly one, and in each list the first that applies counts;
    /// none lifts a group above its own `maximum_capacity`.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    pub struct CapacitySchedules {
        /// Weekly ones.
        pub weekly: Option<Vec<WeeklyCapacity>>,
        /// Dated ones.
        pub dated: Option<Vec<DatedCapacity>>,
    }
}

input! {
    /// A cap from outside, such as a grid operator's, that goes before everything else until it ends.
    #[schema(example = json!({"maximum_capacity": 12.5, "until": "2030-01-01T18:00:00Z", "reason": "Grid operator"}))]
    #[derive(Serialize, Deserialize)]
    pub struct ExternalCap {
        /// What the group may draw, in kW.
        pub maximum_capacity: Kilowatts,
        /// When it ends by itself.
        pub until: Timestamp,
        /// Who wants it, and why.
        #[serde(default)]
        pub reason: Option<Line>,
    }
}

crate::spelled! {
    /// What decided the capacity that applies.
    pub enum CapacitySource {
        /// The group's own.
        MaximumCapacity = "maximum_capacity",
        /// A weekly schedule.
        Weekly = "weekly",
        /// A dated schedule.
        Dated = "dated",
        /// A cap from outside.
        ExternalCap = "external_cap",
    }
}

impl WeeklyCapacity {
    fn window(&self) -> WeeklyWindow {
        WeeklyWindow { weekdays: self.weekdays.unwrap_or(Weekdays::ALL), from: self.from, to: self.to }
    }
}

impl CapacitySchedules {
    /// What is wrong with it: the field and why.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        let (weekly, dated) = (self.weekly.as_deref(), self.dated.as_deref());
        let (weekly, dated) = (weekly.unwrap_or_default(), dated.unwrap_or_default());
        for (list, length) in [("weekly", weekly.len()), ("dated", dated.len())] {
            if length > MOST_ENTRIES {
                return Some((list.to_owned(), format!("has at most {MOST_ENTRIES} entries")));
            }
        }
        let no_day = weekly.iter().position(|one| one.weekdays.is_some_and(Weekdays::is_empty));
        if let Some(index) = no_day {
            return Some((format!("weekly[{index}].weekdays"), "names no day".to_owned()));
        }
        let backwards = dated.iter().position(|one| one.to <= one.from)?;
        Some((format!("dated[{backwards}].to"), "must be after `from`".to_owned()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.weekly.as_ref().is_none_or(Vec::is_empty) && self.dated.as_ref().is_none_or(Vec::is_empty)
    }

    /// What one of them allows at this instant; dates go before weeks.
    pub(super) fn capacity_at(&self, now: Timestamp, zone: TimeZone) -> Option<(Watts, CapacitySource)> {
        let dated = self.dated.iter().flatten();
        let dated = dated
            .filter(|one| (one.from..one.to).contains(&now))
            .map(|one| (one.maximum_capacity.0, CapacitySource::Dated));
        let weekly = self.weekly.iter().flatten();
        let weekly = weekly
            .filter(|one| one.window().contains(now, zone))
            .map(|one| (one.maximum_capacity.0, CapacitySource::Weekly));
        dated.chain(weekly).next()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::Faults;
    use crate::http::fields::{Field, Path};

    fn read<T: Field>(body: &Value) -> T {
        let mut faults = Faults::default();
        T::read(body, Path::Root, &mut faults).expect("a valid body")
    }

    #[test]
    fn faults_name_the_entry() {
        let fault = |body: Value| read::<CapacitySchedules>(&body).fault();
        let dated = json!({"from": "2026-11-23T16:30:00Z", "to": "2026-11-23T16:30:00Z", "maximum_capacity": 1});
        assert_eq!(
            fault(json!({"dated": [dated]})),
            Some(("dated[0].to".to_owned(), "must be after `from`".to_owned()))
        );
        let weekly = json!({"weekdays": [], "from": "10:00", "to": "11:00", "maximum_capacity": 1});
        let fault = fault(json!({"weekly": [weekly]})).expect("a fault");
        assert_eq!(fault.0, "weekly[0].weekdays");
    }
}
