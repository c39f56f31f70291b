//! Rates that change with the hour, the day, or what the EVSE and its connector are (eDRV: advanced rates).

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};

use super::model::RateView;
use crate::http::Faults;
use crate::http::fields::{CustomFields, DaysOfWeek, MetaData};
use crate::input;
use crate::store::Json;
use crate::store::schema::rate_schedules;
use kernel::calendar::{TimeOfDay, Weekdays};
use kernel::text::{Name, Note};
use kernel::*;
use pricing::{Conditions, Window};

/// Entries that a layout may have.
const MOST_ENTRIES: usize = 100;

input! {
    /// When an entry of a layout holds; what is absent does not matter.
    #[derive(Serialize, Deserialize)]
    pub struct ScheduleTarget {
        /// When it begins, by the location's clocks; 00:00 when absent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub start_time: Option<TimeOfDay>,
        /// When it is over; one that is not after `start_time` lies on the next day; 24:00 when absent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub end_time: Option<TimeOfDay>,
        /// The days on which it begins; every day when absent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub day_of_week: Option<DaysOfWeek>,
        /// Custom fields that the EVSE or the connector must have.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub custom_fields: Option<CustomFields>,
    }
}

impl ScheduleTarget {
    /// Its hours as conditions of a price.
    pub(super) fn conditions(&self) -> Conditions {
        let second = |time: Option<TimeOfDay>, absent: u32| time.map_or(absent, |time| u32::from(time.minute()) * 60);
        let window = Window {
            weekdays: self.day_of_week.map_or(Weekdays::ALL, |days| days.0),
            from: second(self.start_time, 0),
            to: second(self.end_time, 86_400),
        };
        Conditions { window: Some(window), ..Conditions::default() }
    }

    /// Whether an EVSE or connector with these custom fields is meant.
    pub(super) fn means(&self, fields: &[CustomFields]) -> bool {
        let wanted = self.custom_fields.iter().flat_map(|wanted| &wanted.0);
        wanted.into_iter().all(|(name, text)| fields.iter().any(|fields| fields.0.get(name) == Some(text)))
    }
}

input! {
    /// An entry of a layout.
    #[derive(Serialize, Deserialize)]
    pub struct ScheduleEntry {
        /// When it holds.
        #[schema(inline)]
        pub target: ScheduleTarget,
        /// The rate that holds then.
        pub rate: RateId,
    }
}

#[resource(
    new("A new schedule of rates.", example = json!({
        "active": true, "name": "Day/Night", "currency": "EUR", "default_rate": "650000000000000000000001",
        "layout": [{
            "target": {"start_time": "08:00", "end_time": "20:00", "day_of_week": ["SATURDAY", "SUNDAY"]},
            "rate": "650000000000000000000001"
        }]
    })),
    patch(
        "Changes of a schedule (JSON merge patch); sessions that already started keep the prices they began with.",
        function = merge,
        example = json!({"description": "Since the summer"})
    ),
    view("A schedule as clients see it.")
)]
/// A stored schedule.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rate_schedules, treat_none_as_null = true)]
pub struct RateSchedule {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: RateScheduleId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name)]
    pub name: String,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// In what it is paid.
    #[field(read, new("In what it is paid; all its rates have the same."))]
    pub currency: Currency,
    /// The rate that holds where no entry does.
    #[field(name = "default_rate", read)]
    pub default_rate_id: RateId,
    /// Other rates at certain times; the first that holds counts.
    #[field(read, default, required, hidden, patch("Other rates at certain times; replaced as a whole."))]
    pub layout: Json<Vec<ScheduleEntry>>,
    /// Other rates at certain times.
    #[field(name = "layout", computed)]
    pub layout_with_rates: Vec<ScheduleEntryView>,
    /// Whether it prices sessions.
    #[field(read, default = true, new("Whether it prices sessions; true when absent."))]
    pub active: bool,
    /// How often it was changed, from 1.
    #[field(initial = 1)]
    pub version: i64,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

impl RateSchedule {
    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: RateSchedulePatch, moment: &Moment) -> Result<(), Faults> {
        self.version += 1;
        self.merge(patch, moment)
    }

    /// The rates that it names, with the field that names each.
    pub(super) fn named(&self) -> impl Iterator<Item = (String, RateId)> {
        let entries = self.layout.0.iter().enumerate();
        let entries = entries.map(|(index, entry)| (format!("layout[{index}].rate"), entry.rate));
        std::iter::once(("default_rate".to_owned(), self.default_rate_id)).chain(entries)
    }

    /// What must hold of its own fields.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.layout.0.len() > MOST_ENTRIES {
            let message = format!("has at most {MOST_ENTRIES} entries");
            faults.add("layout", "out_of_range", message);
        }
        for (index, entry) in self.layout.0.iter().enumerate() {
            if entry.target.day_of_week.is_some_and(|days| days.0.is_empty()) {
                let field = format!("layout[{index}].target.day_of_week");
                faults.add(field, "invalid", "names no day");
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// An entry of a layout, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ScheduleEntryView {
    /// When it holds.
    #[schema(inline)]
    pub target: ScheduleTarget,
    /// The whole rate that holds then.
    pub rate: RateView,
}

/// What a connector is priced by, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AnyRateView {
    /// A rate.
    Rate(RateView),
    /// A schedule.
    Schedule(RateScheduleView),
}
