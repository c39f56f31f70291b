//! What an offer is, and how far it is.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::content::*;
use crate::filters;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::merging::{Changes, merged};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::service_offers;
use crate::{input, patch};
use kernel::text::{Line, Text};
use kernel::*;

crate::spelled! {
    /// How far an offer is; time moves it on.
    pub enum OfferStatus {
        /// It may change.
        Draft = "draft",
        /// Published, not valid yet.
        Pending = "pending",
        /// Valid.
        Active = "active",
        /// It was ended before its time.
        Cancelled = "cancelled",
        /// Its time is over, or a newer version replaced it.
        Expired = "expired",
    }
}
crate::text_column!(spelled OfferStatus);

/// What an offer is called.
pub(super) type OfferName = Text<1, 255>;

input! {
    /// A new offer, as a draft: what is still missing may follow until it is published.
    #[schema(example = json!({
        "name": "City centre 2030", "network": "650000000000000000000001",
        "tariffs": [
            {"name": "Day", "currency": "EUR", "components": [
                {"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 0.49},
                {"type": "PARKING", "reference_unit": "MINUTE", "price": 0.05, "grace_period": 30, "fee_start": "CHARGING_END"}]},
            {"name": "Night", "currency": "EUR", "components": [
                {"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 0.39}]}
        ],
        "products": [{"group": "650000000000000000000001", "currency": "EUR", "time_plans": [{
            "days_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"],
            "slots": [{"start_time": "00:00:00", "end_time": "07:59:59", "tariff": "Night"},
                {"start_time": "08:00:00", "end_time": "23:59:59", "tariff": "Day", "color": "Iceberg"}]
        }]}],
        "offer_to_all": true, "valid_from": "2030-01-01T00:00:00Z", "unlimited": true,
        "minimum_term": 30, "cancellation_period": 42, "lead_time": 15
    }))]
    pub(crate) struct NewServiceOffer {
        /// What you call it.
        pub name: OfferName,
        /// The network whose EVSEs are offered.
        pub network: EvseNetworkId,
        /// Description.
        pub description: Option<Line>,
        /// Authorization (charging; when absent) or Reservation.
        pub service_type: Option<ServiceType>,
        /// The tariffs.
        pub tariffs: Option<Vec<OfferTariff>>,
        /// Which tariff holds when, for each group.
        pub products: Option<Vec<OfferProduct>>,
        /// Which slot prices a session that crosses into another; by_time when absent.
        pub slot_rule: Option<SlotRule>,
        /// Whether every partner may take it, also future ones.
        pub offer_to_all: Option<bool>,
        /// The partners that may take it, where not all may.
        pub partners: Option<Vec<PartnerId>>,
        /// From when it is valid.
        pub valid_from: Option<Timestamp>,
        /// Until when; not of an unlimited offer.
        pub valid_to: Option<Timestamp>,
        /// Whether it has no end of its own.
        pub unlimited: Option<bool>,
        /// The shortest subscription, 1 to 90 days.
        #[schema(minimum = 1, maximum = 90)]
        pub minimum_term: Option<i64>,
        /// Days between a cancellation and the end.
        #[schema(minimum = 1)]
        pub cancellation_period: Option<i64>,
        /// Days before the end in which partners are notified; of limited offers only.
        #[schema(minimum = 0)]
        pub period_of_notice: Option<i64>,
        /// What partners are sent then.
        pub period_of_notice_message: Option<Line>,
        /// Days before new prices hold, at least 15; of unlimited offers only.
        #[schema(minimum = 15)]
        pub lead_time: Option<i64>,
        /// Whether a partner has to be accepted.
        pub two_step: Option<bool>,
        /// What a partner has to send for that.
        pub two_step_fields: Option<Vec<MasterDataField>>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a draft (JSON merge patch).
    #[schema(example = json!({"description": "With the new car park"}))]
    pub(crate) struct ServiceOfferPatch {
        /// What you call it.
        pub name: OfferName,
        /// The network whose EVSEs are offered.
        pub network: EvseNetworkId,
        /// Description.
        pub description: Line,
        /// Authorization or Reservation.
        pub service_type: ServiceType,
        /// The tariffs; replaced as a whole.
        pub tariffs: Vec<OfferTariff>,
        /// Which tariff holds when, for each group; replaced as a whole.
        pub products: Vec<OfferProduct>,
        /// Which slot prices a session that crosses into another.
        pub slot_rule: SlotRule,
        /// Whether every partner may take it.
        pub offer_to_all: bool,
        /// The partners that may take it; replaced as a whole.
        pub partners: Vec<PartnerId>,
        /// From when it is valid.
        pub valid_from: Timestamp,
        /// Until when.
        pub valid_to: Timestamp,
        /// Whether it has no end of its own.
        pub unlimited: bool,
        /// The shortest subscription, in days.
        pub minimum_term: i64,
        /// Days between a cancellation and the end.
        pub cancellation_period: i64,
        /// Days before the end in which partners are notified.
        pub period_of_notice: i64,
        /// What partners are sent then.
        pub period_of_notice_message: Line,
        /// Days before new prices hold.
        pub lead_time: i64,
        /// Whether a partner has to be accepted.
        pub two_step: bool,
        /// What a partner has to send for that; replaced as a whole.
        pub two_step_fields: Vec<MasterDataField>,
        /// JSON of your own.
        pub meta_data: Changes<MetaData>,
    }
}

/// What an offer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub description: Option<String>,
    pub service_type: ServiceType,
    pub tariffs: Vec<OfferTariff>,
    pub products: Vec<OfferProduct>,
    pub slot_rule: SlotRule,
    pub offer_to_all: bool,
    pub partners: Vec<PartnerId>,
    pub valid_to: Option<Timestamp>,
    pub unlimited: bool,
    pub minimum_term: Option<i64>,
    pub cancellation_period: Option<i64>,
    pub period_of_notice: Option<i64>,
    pub period_of_notice_message: Option<String>,
    pub lead_time: Option<i64>,
    pub two_step: bool,
    pub two_step_fields: Vec<MasterDataField>,
}

/// A stored offer: one version of it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service_offers, treat_none_as_null = true)]
pub struct ServiceOffer {
    pub id: ServiceOfferId,
    pub organization_id: OrganizationId,
    pub network_id: EvseNetworkId,
    pub name: String,
    pub content: Json<Content>,
    pub published_at: Option<Timestamp>,
    pub valid_from: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub cancelled: bool,
    #[diesel(column_name = told_status)]
    pub reported_status: OfferStatus,
    pub version: i64,
    pub original_id: ServiceOfferId,
    pub previous_id: Option<ServiceOfferId>,
    pub next_id: Option<ServiceOfferId>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ServiceOffer {
    /// The draft that `new` describes.
    pub(super) fn new(new: NewServiceOffer, organization_id: OrganizationId, moment: &Moment) -> Self {
        let id: ServiceOfferId = moment.id();
        Self {
            id,
            organization_id,
            network_id: new.network,
            name: new.name.into(),
            content: Json(Content {
                description: new.description.map(String::from),
                service_type: new.service_type.unwrap_or(ServiceType::Authorization),
                tariffs: new.tariffs.unwrap_or_default(),
                products: new.products.unwrap_or_default(),
                slot_rule: new.slot_rule.unwrap_or(SlotRule::ByTime),
                offer_to_all: new.offer_to_all.unwrap_or(false),
                partners: new.partners.unwrap_or_default(),
                valid_to: new.valid_to,
                unlimited: new.unlimited.unwrap_or(false),
                minimum_term: new.minimum_term,
                cancellation_period: new.cancellation_period,
                period_of_notice: new.period_of_notice,
                period_of_notice_message: new.period_of_notice_message.map(String::from),
                lead_time: new.lead_time,
                two_step: new.two_step.unwrap_or(false),
                two_step_fields: new.two_step_fields.unwrap_or_default(),
            }),
            published_at: None,
            valid_from: new.valid_from,
            ends_at: None,
            cancelled: false,
            reported_status: OfferStatus::Draft,
            version: 1,
            original_id: id,
            previous_id: None,
            next_id: None,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: ServiceOfferPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let content = &mut self.content.0;
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.network.set(&mut self.network_id, "network", &mut faults);
        patch.description.map(String::from).apply(&mut content.description);
        patch.service_type.apply_or(&mut content.service_type, ServiceType::Authorization);
        patch.tariffs.apply_or(&mut content.tariffs, Vec::new());
        patch.products.apply_or(&mut content.products, Vec::new());
        patch.slot_rule.apply_or(&mut content.slot_rule, SlotRule::ByTime);
        patch.offer_to_all.apply_or(&mut content.offer_to_all, false);
        patch.partners.apply_or(&mut content.partners, Vec::new());
        patch.valid_from.apply(&mut self.valid_from);
        patch.valid_to.apply(&mut content.valid_to);
        patch.unlimited.apply_or(&mut content.unlimited, false);
        patch.minimum_term.apply(&mut content.minimum_term);
        patch.cancellation_period.apply(&mut content.cancellation_period);
        patch.period_of_notice.apply(&mut content.period_of_notice);
        patch.period_of_notice_message.map(String::from).apply(&mut content.period_of_notice_message);
        patch.lead_time.apply(&mut content.lead_time);
        patch.two_step.apply_or(&mut content.two_step, false);
        patch.two_step_fields.apply_or(&mut content.two_step_fields, Vec::new());
        let meta_data = merged(patch.meta_data, Some(&self.meta_data.0), "meta_data", &mut faults);
        meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// How far it is at this instant.
    pub fn status_at(&self, now: Timestamp) -> OfferStatus {
        let (Some(_), Some(valid_from)) = (self.published_at, self.valid_from) else {
            return OfferStatus::Draft;
        };
        match self.ends_at {
            Some(end) if end <= now && self.cancelled => OfferStatus::Cancelled,
            Some(end) if end <= now => OfferStatus::Expired,
            _ if now < valid_from => OfferStatus::Pending,
            _ => OfferStatus::Active,
        }
    }
}

/// An offer as you see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct ServiceOfferView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ServiceOfferId,
    /// draft, pending, active, cancelled or expired.
    pub status: OfferStatus,
    /// What you call it.
    pub name: String,
    /// The network whose EVSEs are offered.
    pub network: EvseNetworkId,
    /// Description.
    pub description: Option<String>,
    /// Authorization or Reservation.
    pub service_type: ServiceType,
    /// The tariffs.
    pub tariffs: Vec<OfferTariff>,
    /// Which tariff holds when, for each group.
    pub products: Vec<OfferProduct>,
    /// Which slot prices a session that crosses into another.
    pub slot_rule: SlotRule,
    /// Whether every partner may take it.
    pub offer_to_all: bool,
    /// The partners that may take it.
    pub partners: Vec<PartnerId>,
    /// From when it is valid.
    pub valid_from: Option<Timestamp>,
    /// Until when it was meant to be.
    pub valid_to: Option<Timestamp>,
    /// Whether it has no end of its own.
    pub unlimited: bool,
    /// When it ends or ended: its validity, its cancellation, or the start of its next version.
    pub ends_at: Option<Timestamp>,
    /// The shortest subscription, in days.
    pub minimum_term: Option<i64>,
    /// Days between a cancellation and the end.
    pub cancellation_period: Option<i64>,
    /// Days before the end in which partners are notified.
    pub period_of_notice: Option<i64>,
    /// What partners are sent then.
    pub period_of_notice_message: Option<String>,
    /// Days before new prices hold.
    pub lead_time: Option<i64>,
    /// Whether a partner has to be accepted.
    pub two_step: bool,
    /// What a partner has to send for that.
    pub two_step_fields: Vec<MasterDataField>,
    /// Which version it is, from 1.
    pub version: i64,
    /// The first version.
    pub original: ServiceOfferId,
    /// The version before.
    pub previous: Option<ServiceOfferId>,
    /// The version after.
    pub next: Option<ServiceOfferId>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl ServiceOfferView {
    /// The view of an offer at this instant.
    pub(super) fn new(offer: ServiceOffer, now: Timestamp) -> Self {
        let status = offer.status_at(now);
        let Content {
            description,
            service_type,
            tariffs,
            products,
            slot_rule,
            offer_to_all,
            partners,
            valid_to,
            unlimited,
            minimum_term,
            cancellation_period,
            period_of_notice,
            period_of_notice_message,
            lead_time,
            two_step,
            two_step_fields,
        } = offer.content.0;
        Self {
            id: offer.id,
            status,
            name: offer.name,
            network: offer.network_id,
            description,
            service_type,
            tariffs,
            products,
            slot_rule,
            offer_to_all,
            partners,
            valid_from: offer.valid_from,
            valid_to,
            unlimited,
            ends_at: offer.ends_at,
            minimum_term,
            cancellation_period,
            period_of_notice,
            period_of_notice_message,
            lead_time,
            two_step,
            two_step_fields,
            version: offer.version,
            original: offer.original_id,
            previous: offer.previous_id,
            next: offer.next_id,
            published_at: offer.published_at,
            meta_data: offer.meta_data.0,
            created_at: offer.created_at,
            updated_at: offer.updated_at,
        }
    }
}

impl Versioned for ServiceOfferView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of offers.
    pub(crate) struct ServiceOfferFilter {
        /// Only those that are this far.
        #[param(inline)]
        pub status: OfferStatus,
        /// Only those for this network.
        pub network: EvseNetworkId,
    }
}
