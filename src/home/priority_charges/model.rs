//! What a priority charge is.

use std::time::Duration;

use diesel::prelude::*;
use resource::resource;

use crate::filters;
use crate::http::{ApiError, ApiResult, Code};
use crate::input;
use crate::store::schema::priority_charges;
use kernel::*;

/// A priority charge lasts at most this long, in minutes.
const LONGEST_MINUTES: u32 = 24 * 60;

crate::spelled! {
    /// How far a priority charge got.
    pub enum PriorityStatus {
        /// It is approved and waits for a car.
        Waiting = "waiting",
        /// Its group charges.
        Active = "active",
        /// It is over.
        Ended = "ended",
        /// It was not allowed.
        Denied = "denied",
        /// It could not be carried out.
        Error = "error",
    }
}
crate::text_column!(spelled PriorityStatus);

crate::spelled! {
    /// The answer to whoever asked for a priority charge.
    pub enum Answer {
        /// The group charges, or will when a car comes.
        Approved = "approved",
        /// It does not, and must not.
        Denied = "denied",
        /// It does not, because something failed.
        Error = "error",
    }
}

impl PriorityStatus {
    /// Those that go before exclusion times.
    pub(super) const OPEN: [Self; 2] = [Self::Waiting, Self::Active];

    const fn answer(self) -> Answer {
        match self {
            Self::Waiting | Self::Active | Self::Ended => Answer::Approved,
            Self::Denied => Answer::Denied,
            Self::Error => Answer::Error,
        }
    }
}

input! {
    /// A request for a priority charge.
    #[schema(example = json!({"minutes": 240}))]
    pub struct NewPriorityCharge {
        /// How long it lasts at most, also while it waits for a car; 1440 (a day) when absent.
        #[schema(minimum = 1, maximum = 1440)]
        pub minutes: Option<u32>,
    }
}

impl NewPriorityCharge {
    /// How long it lasts at most.
    pub fn lasts(&self) -> ApiResult<Duration> {
        let minutes = self.minutes.unwrap_or(LONGEST_MINUTES);
        if (1..=LONGEST_MINUTES).contains(&minutes) {
            return Ok(Duration::from_secs(u64::from(minutes) * 60));
        }
        let message = format!("must be between 1 and {LONGEST_MINUTES}");
        Err(ApiError::field("minutes", "out_of_range", message))
    }
}

#[resource(view("A priority charge as clients see it."))]
/// A stored priority charge.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = priority_charges, treat_none_as_null = true)]
pub struct PriorityCharge {
    /// Its id.
    #[field(name = "_id")]
    pub id: PriorityChargeId,
    #[field(hidden)]
    pub organization_id: OrganizationId,
    /// The group.
    #[field(name = "group")]
    pub group_id: GroupId,
    /// The home user who asked for it; null when the operator did.
    #[field(name = "user")]
    pub user_id: Option<UserId>,
    /// What the request was answered: approved, denied or error.
    #[field(computed = |charge| charge.status.answer())]
    pub answer: Answer,
    /// How far it got: waiting, active or ended; denied or error where it was not approved.
    pub status: PriorityStatus,
    /// Why it was not approved, or why it ended.
    pub reason: Option<String>,
    /// The session it began with.
    #[field(name = "session")]
    pub session_id: Option<SessionId>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it found a car.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it was asked for.
    #[field(name = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", version)]
    pub updated_at: Timestamp,
}

impl PriorityCharge {
    /// The error for whoever asked, where it was not approved.
    pub fn refusal(&self) -> Option<ApiError> {
        let code = match self.status.answer() {
            Answer::Approved => return None,
            Answer::Denied => Code::PriorityChargeDenied,
            Answer::Error => Code::StationOffline,
        };
        Some(ApiError::new(code, self.reason.clone().unwrap_or_default()))
    }
}

filters! {
    /// Filters of priority charges.
    pub(crate) struct PriorityFilter {
        /// Only those that this home user asked for.
        pub user: UserId,
        /// Only those that began with this session.
        pub session: SessionId,
        /// Only those that got this far.
        #[param(inline)]
        pub status: PriorityStatus,
    }
}
