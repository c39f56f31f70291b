//! What a reservation is, and what may be said about one.

use std::time::Duration;

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};

use super::includes::ChargingIncludes;
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::http::{ApiError, ApiResult};
use crate::people::users::UserView;
use crate::sites::stations::{ConnectorView, StationView};
use crate::store::Json;
use crate::store::schema::reservations;
use crate::{events, filters, input};
use kernel::text::Text;
use kernel::*;

/// A connector is kept for a short while only.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

crate::spelled! {
    /// How far a reservation got.
    pub enum ReservationStatus {
        /// The station was asked.
        Requested = "requested",
        /// The station keeps the connector.
        Active = "active",
        /// Its holder charges.
        Used = "used",
        /// Its time is over.
        Expired = "expired",
        /// Somebody gave it up.
        Cancelled = "cancelled",
        /// The station refused.
        Failed = "failed",
    }
}
crate::text_column!(spelled ReservationStatus);

impl ReservationStatus {
    /// The ones that keep others away.
    pub(super) const OPEN: [Self; 2] = [Self::Requested, Self::Active];
}

input! {
    /// A new reservation.
    #[schema(example = json!({
        "connector": "650000000000000000000001", "id_tag": "04A2B3C4D5E680", "duration_minutes": 30
    }))]
    pub(crate) struct NewReservation {
        /// Which connector; others of its EVSE are kept as well where they cannot be used at the same time.
        pub connector: ConnectorId,
        /// For which token.
        pub token: Option<TokenId>,
        /// For what stations read, in place of `token`: 20 characters at most where the station speaks OCPP 1.6, 36 with 2.0.1,
        /// 255 with 2.1.
        pub id_tag: Option<Text<1, 255>>,
        /// For which driver.
        pub user: Option<UserId>,
        /// Until when, at most 24 hours ahead.
        pub expires_at: Option<Timestamp>,
        /// For how many minutes, in place of `expires_at`.
        #[schema(minimum = 1, maximum = 1440)]
        pub duration_minutes: Option<u32>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

/// A connector that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Kept {
    /// Which one.
    pub connector: ConnectorId,
    /// The station's number of it.
    pub number: i32,
    /// By which number the station knows the reservation.
    pub reservation_id: i64,
}

#[resource(
    patch(
        "Changes of a reservation (JSON merge patch).",
        function = merge,
        example = json!({"meta_data": {"booking": "4711"}})
    ),
    view("A reservation as clients see it.")
)]
/// A stored reservation.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reservations, treat_none_as_null = true)]
pub struct Reservation {
    /// Its id.
    #[field(name = "_id")]
    pub id: ReservationId,
    #[field(hidden)]
    pub organization_id: OrganizationId,
    /// Its station.
    #[field(
        name = "chargestation",
        view(
            "Its station: an id, or with `include_chargestation=true` the whole station.",
            value_type = Reference<StationId, StationView>
        )
    )]
    pub chargestation_id: StationId,
    /// Its EVSE.
    #[field(name = "evse")]
    pub evse_id: EvseId,
    /// The connector that was asked for.
    #[field(
        name = "connector",
        view(
            "The connector that was asked for: an id, or with `include_connector=true` the whole connector.",
            value_type = Reference<ConnectorId, ConnectorView>
        )
    )]
    pub connector_id: ConnectorId,
    /// Every connector that is kept.
    pub kept: Json<Vec<Kept>>,
    /// For what stations read; an API key without the scope `read:tokens` sees its last four characters only.
    pub id_tag: String,
    #[field(hidden)]
    pub parent_group: Option<String>,
    /// For which token.
    #[field(name = "token")]
    pub token_id: Option<TokenId>,
    /// For which driver.
    #[field(
        name = "user",
        view(
            "For which driver: an id, or with `include_user=true` the whole user.",
            value_type = Option<Reference<UserId, UserView>>
        )
    )]
    pub user_id: Option<UserId>,
    /// The session it was used for.
    #[field(name = "session")]
    pub session_id: Option<SessionId>,
    /// requested, active, used, expired, cancelled or failed.
    pub status: ReservationStatus,
    /// Why it failed.
    pub reason: Option<String>,
    /// Until when.
    #[field(read, patch("Until when, at most 24 hours ahead; the station is notified."))]
    pub expires_at: Timestamp,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", version)]
    pub updated_at: Timestamp,
}

impl NewReservation {
    /// Until when.
    pub(super) fn end(&self, now: Timestamp) -> ApiResult<Timestamp> {
        let (field, end) = match (self.expires_at, self.duration_minutes) {
            (Some(end), None) => ("expires_at", end),
            (None, Some(minutes)) => {
                let span = Duration::from_secs(u64::from(minutes) * 60);
                ("duration_minutes", now + span)
            }
            _ => {
                let must = "give either expires_at or duration_minutes";
                return Err(ApiError::field("expires_at", "required", must));
            }
        };
        check_end(field, end, now)?;
        Ok(end)
    }
}

/// A reservation ends in the future, but soon.
fn check_end(field: &str, end: Timestamp, now: Timestamp) -> ApiResult<()> {
    if end > now && end <= now + LONGEST {
        Ok(())
    } else {
        Err(ApiError::field(field, "out_of_range", "must lie in the future, at most 24 hours ahead"))
    }
}

impl Reservation {
    /// Whether it keeps others away.
    pub fn is_open(&self) -> bool {
        ReservationStatus::OPEN.contains(&self.status)
    }

    /// Whether a token may use it: the same one, or one of the same group. Letter case does not matter.
    pub(super) fn is_for(&self, id_tag: &str, parent_group: Option<&str>) -> bool {
        let same_group = self.parent_group.as_deref().zip(parent_group);
        self.id_tag.eq_ignore_ascii_case(id_tag)
            || same_group.is_some_and(|(own, other)| own.eq_ignore_ascii_case(other))
    }

    pub(super) fn keeps(&self, connector: ConnectorId) -> bool {
        self.kept.0.iter().any(|one| one.connector == connector)
    }

    pub(super) fn apply(&mut self, patch: ReservationPatch, moment: &Moment) -> ApiResult<()> {
        if let Some(end) = patch.expires_at.value() {
            check_end("expires_at", *end, moment.now)?;
        }
        Ok(self.merge(patch, moment)?)
    }
}

impl ReservationView {
    /// As one sees it who may, or may not, read tokens.
    pub(super) fn seen(mut self, whole: bool) -> Self {
        if !whole {
            self.id_tag = events::masked(&self.id_tag);
        }
        self
    }
}

filters! {
    /// Filters of reservations.
    pub(crate) struct ReservationFilter {
        /// Only those of this station.
        pub chargestation: StationId,
        /// Only those of this EVSE.
        pub evse: EvseId,
        /// Only those that were asked for at this connector.
        pub connector: ConnectorId,
        /// Only those of this driver.
        pub user: UserId,
        /// Only those that got this far.
        #[param(inline)]
        pub status: ReservationStatus,
        /// Only those that were not over at this instant.
        pub from: Timestamp,
        /// Only those that were made before this instant.
        pub to: Timestamp,
        /// Put the whole charge station in place of its id.
        pub include_chargestation: bool,
        /// Put the whole connector in place of its id.
        pub include_connector: bool,
        /// Put the whole user in place of its id.
        pub include_user: bool,
    }
}

impl ReservationFilter {
    /// What is put in place of ids.
    pub(super) const fn includes(&self) -> ChargingIncludes {
        let Self { include_chargestation, include_connector, include_user, .. } = *self;
        ChargingIncludes { include_chargestation, include_connector, include_user }
    }
}
