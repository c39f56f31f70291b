//! What a charging profile is, and what may be said about one.

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};

use crate::filters;
use crate::http::Faults;
use crate::http::fields::MetaData;
use crate::http::quantities::LimitUnit;
use crate::input;
use crate::store::Json;
use crate::store::schema::charging_profiles;
use kernel::text::{Code, Name};
use kernel::*;

/// Turning points that one schedule may have.
const MOST_PERIODS: usize = 100;
/// The highest stack level.
const HIGHEST_LEVEL: i32 = 1_000;
/// The longest duration: a week.
const LONGEST_MINUTES: i32 = 7 * 24 * 60;

crate::spelled! {
    /// Whether a schedule comes once or again and again.
    pub enum ProfileType {
        /// Once.
        OneTime = "one_time",
        /// Again and again.
        Recurring = "recurring",
    }
}

crate::spelled! {
    /// How often a schedule comes again.
    pub enum Recurrence {
        /// Each day at the same time by the wall clock of the location.
        Daily = "daily",
        /// Each week on the same day.
        Weekly = "weekly",
    }
}

crate::text_column!(spelled ProfileType, Recurrence, LimitUnit);

input! {
    /// A turning point of a schedule.
    #[derive(Copy, Serialize, Deserialize)]
    pub struct Period {
        /// Seconds after the schedule's start.
        #[schema(minimum = 0, example = 0)]
        pub start: u32,
        /// The limit from then on, in W or in A a phase.
        #[schema(minimum = 0, example = 16)]
        pub limit: f64,
    }
}

#[resource(
    new(
        "A new charging profile.",
        function = begin,
        example = json!({
            "name": "Quiet nights", "type": "recurring", "recurrence": "daily", "start_schedule": "2026-01-01T22:00:00Z",
            "duration_minutes": 480, "unit": "current", "periods": [{"start": 0, "limit": 10}], "evses": []
        })
    ),
    patch(
        "Changes of a charging profile (JSON merge patch).",
        function = merge,
        example = json!({"stack_level": 2, "active": true})
    ),
    view("A charging profile as clients see it.")
)]
/// A stored charging profile.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = charging_profiles, treat_none_as_null = true)]
pub struct Profile {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: ChargingProfileId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name, new(example = "Quiet nights"))]
    pub name: String,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// Whether it applies.
    #[field(read, default = true, new("Whether it applies; true when absent."))]
    pub active: bool,
    /// Of those that apply at an instant, the highest counts.
    #[field(
        read,
        default,
        new("Of those that apply at an instant, the highest counts; 0 when absent.", minimum = 0, maximum = 1000)
    )]
    pub stack_level: i32,
    /// one_time or recurring.
    #[field(name = "type", read)]
    #[diesel(column_name = type_)]
    pub kind: ProfileType,
    /// daily or weekly; of a recurring one only.
    #[field(read, view("daily or weekly."))]
    pub recurrence: Option<Recurrence>,
    /// When the schedule starts.
    #[field(
        name = "start_schedule",
        read,
        new("When the schedule starts; a recurring one starts again at this time by the wall clock of the location.")
    )]
    pub starts_at: Timestamp,
    /// How long it lasts.
    #[field(
        read,
        new(
            "How long it lasts, at most a week; a recurring one until it starts again, any other for ever when absent.",
            minimum = 1,
            maximum = 10080
        )
    )]
    pub duration_minutes: Option<i32>,
    /// From when it counts.
    #[field(read)]
    pub valid_from: Option<Timestamp>,
    /// Until when it counts.
    #[field(read)]
    pub valid_to: Option<Timestamp>,
    /// power (W) or current (A).
    #[field(read)]
    pub unit: LimitUnit,
    /// The turning points.
    #[field(
        read,
        new("The turning points: the first at 0, each after the one before."),
        patch("The turning points; replaced as a whole.")
    )]
    pub periods: Json<Vec<Period>>,
    /// The EVSEs it is attached to.
    #[field(computed, read, patch("The EVSEs it is attached to; replaced as a whole."))]
    pub evses: Vec<EvseId>,
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

impl Profile {
    /// The profile that `new` describes, but for the EVSEs.
    pub(super) fn new(new: NewProfile, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        Self::begin(new, organization_id, moment).checked(Faults::default())
    }

    /// Applies a patch, but for the EVSEs; what must not be empty refuses null.
    pub(super) fn apply(mut self, patch: ProfilePatch, moment: &Moment) -> Result<Self, Faults> {
        let faults = self.merge(patch, moment).err().unwrap_or_default();
        self.checked(faults)
    }

    fn checked(self, mut faults: Faults) -> Result<Self, Faults> {
        let wrong = |wrong: bool, field: &str, must: &str, faults: &mut Faults| {
            if wrong {
                faults.add(field, "out_of_range", must);
            }
        };
        let recurs = self.recurrence.is_some();
        let must = "must be daily or weekly of a recurring profile, and absent of any other";
        wrong((self.kind == ProfileType::Recurring) != recurs, "recurrence", must, &mut faults);
        let level = (0..=HIGHEST_LEVEL).contains(&self.stack_level);
        wrong(!level, "stack_level", "must be between 0 and 1000", &mut faults);
        let length = self.duration_minutes;
        let outside = length.is_some_and(|length| !(1..=LONGEST_MINUTES).contains(&length));
        wrong(outside, "duration_minutes", "must be between 1 and 10080", &mut faults);
        let backwards = self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from >= to);
        wrong(backwards, "valid_to", "must be after valid_from", &mut faults);
        let periods = &self.periods.0;
        let count = (1..=MOST_PERIODS).contains(&periods.len());
        wrong(!count, "periods", "must have 1 to 100 turning points", &mut faults);
        let first = periods.first().is_some_and(|first| first.start != 0);
        wrong(first, "periods[0].start", "must be 0", &mut faults);
        let ordered = periods.is_sorted_by(|one, next| one.start < next.start);
        wrong(!ordered, "periods", "must each start after the one before", &mut faults);
        let sane = periods.iter().all(|period| (0.0..=1e7).contains(&period.limit));
        wrong(!sane, "periods", "must have limits between 0 and 10000000", &mut faults);
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }
}

impl ProfileView {
    /// The view of a profile and what it is attached to.
    pub(super) fn new(profile: Profile, evses: Vec<EvseId>) -> Self {
        Self::of(profile, ProfileComputed { evses })
    }
}

filters! {
    /// Filters of charging profiles.
    pub(crate) struct ProfileFilter {
        /// Only those attached to this EVSE.
        pub evse: EvseId,
        /// Only those that apply, or only those that do not.
        pub active: bool,
        /// Only those of this type.
        #[param(inline)]
        pub kind as "type": ProfileType,
    }
}
