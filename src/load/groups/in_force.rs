//! What holds for a group at an instant: its capacity, and whether its connectors may charge.

use super::capacity::CapacitySource;
use super::exclusion::{ExclusionTimes, ExclusionWindow, GroupExclusionTimes};
use super::model::{Algorithm, Group};
use kernel::*;

impl From<Group> for GroupExclusionTimes {
    fn from(group: Group) -> Self {
        let ExclusionTimes { windows, timezone } = group.exclusion_times.0;
        Self { windows, timezone, version: group.updated_at }
    }
}

impl Group {
    /// What it may draw at this instant before the buffer, and what decided that. `zone` is its location's.
    pub fn capacity_at(&self, now: Timestamp, zone: TimeZone) -> (Watts, CapacitySource) {
        let cap = self.external_cap.as_ref().map(|cap| &cap.0);
        let cap = cap.filter(|cap| now < cap.until).map(|cap| (cap.maximum_capacity.0, CapacitySource::ExternalCap));
        let scheduled = || self.capacity_schedules.0.capacity_at(now, zone);
        match cap.or_else(scheduled) {
            Some((capacity, source)) if capacity < self.maximum_capacity => (capacity, source),
            _ => (self.maximum_capacity, CapacitySource::MaximumCapacity),
        }
    }

    /// The least that it may have to do with, now or later, without this server being asked: what fallbacks must stay within.
    pub fn lowest_capacity(&self, now: Timestamp) -> Watts {
        let schedules = &self.capacity_schedules.0;
        let weekly = schedules.weekly.iter().flatten();
        let dated = schedules.dated.iter().flatten().filter(|one| one.to > now);
        let cap = self.external_cap.iter().map(|cap| &cap.0);
        weekly
            .map(|one| one.maximum_capacity)
            .chain(dated.map(|one| one.maximum_capacity))
            .chain(cap.filter(|cap| cap.until > now).map(|cap| cap.maximum_capacity))
            .map(|capacity| capacity.0)
            .fold(self.maximum_capacity, Watts::min)
    }

    /// When the capacity may change by itself: with schedules at the next full minute, with a cap when that ends.
    pub fn capacity_changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let cap = self.external_cap.as_ref().map(|cap| cap.0.until);
        let minute = (!self.capacity_schedules.0.is_empty()).then(|| calendar::next_minute(now));
        cap.filter(|until| *until > now).into_iter().chain(minute).min()
    }
}

impl Group {
    /// Whether it is a home user's: with exclusion times and priority charges.
    pub fn is_home(&self) -> bool {
        self.algorithm == Algorithm::ConsumerTou
    }

    /// Whether its connectors must not charge at this instant. `zone` is its location's.
    pub fn excludes(&self, at: Timestamp, zone: TimeZone) -> bool {
        self.is_home() && self.exclusion_times.0.contain(at, zone)
    }

    /// When that may change by itself: at the next full minute, where a window counts.
    pub fn exclusion_changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let windows = &self.exclusion_times.0.windows;
        let follows = self.is_home() && windows.iter().any(ExclusionWindow::counts);
        follows.then(|| calendar::next_minute(now))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::Faults;
    use crate::http::fields::{Field, Path};
    use crate::store::Json;

    fn read<T: Field>(body: &Value) -> T {
        let mut faults = Faults::default();
        T::read(body, Path::Root, &mut faults).expect("a valid body")
    }

    fn group() -> Group {
        let new = json!({"name": "G", "maximum_capacity": 100, "location": "650000000000000000000001"});
        let moment = Moment::new(Timestamp::from_unix_seconds(0), std::sync::Arc::new(clock::RandomIds::new()));
        let mut group = Group::new(read(&new), moment.id(), &moment);
        group.capacity_schedules = Json(read(&json!({
            "weekly": [
                {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "17:00", "to": "20:00", "maximum_capacity": 40},
                {"from": "22:00", "to": "06:00", "maximum_capacity": 80}
            ],
            "dated": [{"from": "2026-11-23T16:30:00Z", "to": "2026-11-23T17:30:00Z", "maximum_capacity": 10}]
        })));
        group
    }

    fn at(group: &Group, at: &str) -> (i64, CapacitySource) {
        let zone = "Europe/Amsterdam".parse().expect("a zone");
        let (watts, source) = group.capacity_at(at.parse().expect("an instant"), zone);
        (watts.get() / 1_000, source)
    }

    #[test]
    fn a_cap_goes_before_dates_dates_before_weeks_and_weeks_before_the_capacity() {
        let mut group = group();
        assert_eq!(at(&group, "2026-11-23T12:00:00Z"), (100, CapacitySource::MaximumCapacity));
        assert_eq!(at(&group, "2026-11-23T16:00:00Z"), (40, CapacitySource::Weekly)); // 17:00 in Amsterdam
        assert_eq!(at(&group, "2026-11-23T16:30:00Z"), (10, CapacitySource::Dated));
        assert_eq!(at(&group, "2026-11-23T17:30:00Z"), (40, CapacitySource::Weekly));
        assert_eq!(at(&group, "2026-11-23T23:30:00Z"), (80, CapacitySource::Weekly));
        let cap = json!({"maximum_capacity": 25, "until": "2026-11-23T16:45:00Z", "reason": "Grid"});
        group.external_cap = Some(Json(read(&cap)));
        assert_eq!(at(&group, "2026-11-23T16:40:00Z"), (25, CapacitySource::ExternalCap));
        assert_eq!(at(&group, "2026-11-23T16:45:00Z"), (10, CapacitySource::Dated));
    }

    #[test]
    fn nothing_lifts_a_group_above_its_capacity() {
        let mut group = group();
        group.maximum_capacity = Watts(30_000);
        assert_eq!(at(&group, "2026-11-23T16:00:00Z"), (30, CapacitySource::MaximumCapacity));
        assert_eq!(at(&group, "2026-11-23T16:30:00Z"), (10, CapacitySource::Dated));
    }
}
