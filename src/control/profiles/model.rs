//! What a charging profile is, and what may be said about one.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::filters;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::quantities::LimitUnit;
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::charging_profiles;
use crate::{input, patch};
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

input! {
    /// A new charging profile.
    #[schema(example = json!({
        "name": "Quiet nights", "type": "recurring", "recurrence": "daily", "start_schedule": "2026-01-01T22:00:00Z",
        "duration_minutes": 480, "unit": "current", "periods": [{"start": 0, "limit": 10}], "evses": []
    }))]
    pub struct NewProfile {
        /// Display name.
        #[schema(example = "Quiet nights")]
        pub name: Name,
        /// A code of your own.
        pub code: Option<Code>,
        /// Whether it applies; true when absent.
        pub active: Option<bool>,
        /// Of those that apply at an instant, the highest counts; 0 when absent.
        #[schema(minimum = 0, maximum = 1000)]
        pub stack_level: Option<i32>,
        /// one_time or recurring.
        pub kind as "type": ProfileType,
        /// daily or weekly; of a recurring one only.
        pub recurrence: Option<Recurrence>,
        /// When the schedule starts; a recurring one starts again at this time by the wall clock of the location.
        pub starts_at as "start_schedule": Timestamp,
        /// How long it lasts, at most a week; a recurring one until it starts again, any other for ever when absent.
        #[schema(minimum = 1, maximum = 10080)]
        pub duration_minutes: Option<i32>,
        /// From when it counts.
        pub valid_from: Option<Timestamp>,
        /// Until when it counts.
        pub valid_to: Option<Timestamp>,
        /// power (W) or current (A).
        pub unit: LimitUnit,
        /// The turning points: the first at 0, each after the one before.
        pub periods: Vec<Period>,
        /// The EVSEs it is attached to.
        pub evses: Option<Vec<EvseId>>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a charging profile (JSON merge patch).
    #[schema(example = json!({"stack_level": 2, "active": true}))]
    pub struct ProfilePatch {
        /// Display name.
        pub name: Name,
        /// A code of your own.
        pub code: Code,
        /// Whether it applies.
        pub active: bool,
        /// Of those that apply at an instant, the highest counts.
        pub stack_level: i32,
        /// one_time or recurring.
        pub kind as "type": ProfileType,
        /// daily or weekly; of a recurring one only.
        pub recurrence: Recurrence,
        /// When the schedule starts.
        pub starts_at as "start_schedule": Timestamp,
        /// How long it lasts.
        pub duration_minutes: i32,
        /// From when it counts.
        pub valid_from: Timestamp,
        /// Until when it counts.
        pub valid_to: Timestamp,
        /// power (W) or current (A).
        pub unit: LimitUnit,
        /// The turning points; replaced as a whole.
        pub periods: Vec<Period>,
        /// The EVSEs it is attached to; replaced as a whole.
        pub evses: Vec<EvseId>,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored charging profile.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = charging_profiles, treat_none_as_null = true)]
pub struct Profile {
    pub id: ChargingProfileId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub code: Option<String>,
    pub active: bool,
    pub stack_level: i32,
    pub type_: ProfileType,
    pub recurrence: Option<Recurrence>,
    pub starts_at: Timestamp,
    pub duration_minutes: Option<i32>,
    pub valid_from: Option<Timestamp>,
    pub valid_to: Option<Timestamp>,
    pub unit: LimitUnit,
    pub periods: Json<Vec<Period>>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Profile {
    /// The profile that `new` describes.
    pub(super) fn new(new: NewProfile, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        let profile = Self {
            id: moment.id(),
            organization_id,
            name: new.name.into(),
            code: new.code.map(String::from),
            active: new.active.unwrap_or(true),
            stack_level: new.stack_level.unwrap_or(0),
            type_: new.kind,
            recurrence: new.recurrence,
            starts_at: new.starts_at,
            duration_minutes: new.duration_minutes,
            valid_from: new.valid_from,
            valid_to: new.valid_to,
            unit: new.unit,
            periods: Json(new.periods),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        };
        profile.checked(Faults::default())
    }

    /// Applies a patch, but for the EVSEs; what must not be empty refuses null.
    pub(super) fn apply(mut self, patch: ProfilePatch, moment: &Moment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.code.map(String::from).apply(&mut self.code);
        patch.active.apply_or(&mut self.active, true);
        patch.stack_level.apply_or(&mut self.stack_level, 0);
        patch.kind.set(&mut self.type_, "type", &mut faults);
        patch.recurrence.apply(&mut self.recurrence);
        patch.starts_at.set(&mut self.starts_at, "start_schedule", &mut faults);
        patch.duration_minutes.apply(&mut self.duration_minutes);
        patch.valid_from.apply(&mut self.valid_from);
        patch.valid_to.apply(&mut self.valid_to);
        patch.unit.set(&mut self.unit, "unit", &mut faults);
        patch.periods.map(Json).set(&mut self.periods, "periods", &mut faults);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
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
        wrong((self.type_ == ProfileType::Recurring) != recurs, "recurrence", must, &mut faults);
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

/// A charging profile as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProfileView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ChargingProfileId,
    /// Display name.
    pub name: String,
    /// A code of your own.
    pub code: Option<String>,
    /// Whether it applies.
    pub active: bool,
    /// Of those that apply at an instant, the highest counts.
    pub stack_level: i32,
    /// one_time or recurring.
    #[serde(rename = "type")]
    pub kind: ProfileType,
    /// daily or weekly.
    pub recurrence: Option<Recurrence>,
    /// When the schedule starts.
    pub start_schedule: Timestamp,
    /// How long it lasts.
    pub duration_minutes: Option<i32>,
    /// From when it counts.
    pub valid_from: Option<Timestamp>,
    /// Until when it counts.
    pub valid_to: Option<Timestamp>,
    /// power (W) or current (A).
    pub unit: LimitUnit,
    /// The turning points.
    pub periods: Vec<Period>,
    /// The EVSEs it is attached to.
    pub evses: Vec<EvseId>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl ProfileView {
    /// The view of a profile and what it is attached to.
    pub(super) fn new(profile: Profile, evses: Vec<EvseId>) -> Self {
        Self {
            id: profile.id,
            name: profile.name,
            code: profile.code,
            active: profile.active,
            stack_level: profile.stack_level,
            kind: profile.type_,
            recurrence: profile.recurrence,
            start_schedule: profile.starts_at,
            duration_minutes: profile.duration_minutes,
            valid_from: profile.valid_from,
            valid_to: profile.valid_to,
            unit: profile.unit,
            periods: profile.periods.0,
            evses,
            meta_data: profile.meta_data.0,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
        }
    }
}

impl Versioned for ProfileView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of charging profiles.
    pub struct ProfileFilter {
        /// Only those attached to this EVSE.
        pub evse: EvseId,
        /// Only those that apply, or only those that do not.
        pub active: bool,
        /// Only those of this type.
        #[param(inline)]
        pub kind as "type": ProfileType,
    }
}
