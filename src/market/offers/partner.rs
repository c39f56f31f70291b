//! An offer as a partner sees it: prices by group and day, and nothing of drafts or of offers to others.

use serde::Serialize;

use super::content::*;
use super::model::{Content, OfferStatus, ServiceOffer};
use crate::filters;
use crate::market::networks;
use crate::store::{Conn, StoreResult};
use kernel::calendar::Weekdays;
use kernel::*;

filters! {
    /// Who is looking.
    pub(crate) struct PartnerFilter {
        /// The partner's provider id, such as DE-XYZ; nobody in particular when absent.
        pub partner: String,
    }
}

crate::spelled! {
    /// Who may take an offer.
    pub enum OfferType {
        /// Everybody.
        OfferToAll = "OFFER_TO_ALL",
        /// Named partners.
        Bilateral = "BILATERAL",
    }
}

/// A tariff in its hours.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct PartnerTariff {
    /// Its name.
    pub name: String,
    /// The first second.
    pub start_time: SlotTime,
    /// The last second.
    pub end_time: SlotTime,
    /// Its prices, before tax.
    pub components: Vec<OfferComponent>,
}

/// The tariffs of a day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct PartnerDay {
    /// The day, such as MONDAY.
    pub day: String,
    /// Its tariffs, in their order.
    pub tariffs: Vec<PartnerTariff>,
}

/// What a group costs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct PartnerPricing {
    /// The group.
    pub group: EvseGroupId,
    /// What it is called.
    pub group_name: String,
    /// In what it is paid.
    pub currency: Currency,
    /// Day by day.
    pub days: Vec<PartnerDay>,
}

/// An offer as a partner sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct PartnerOffer {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ServiceOfferId,
    /// What it is called.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// OFFER_TO_ALL or BILATERAL.
    pub offer_type: OfferType,
    /// pending or active.
    pub status: OfferStatus,
    /// Authorization or Reservation.
    pub service_type: ServiceType,
    /// Which version it is.
    pub version: i64,
    /// From when it is valid.
    pub valid_from: Option<Timestamp>,
    /// When it ends, where that is known.
    pub ends_at: Option<Timestamp>,
    /// The shortest subscription, in days.
    pub minimum_term: Option<i64>,
    /// Days between a cancellation and the end.
    pub cancellation_period: Option<i64>,
    /// Days before the end in which partners are notified.
    pub period_of_notice: Option<i64>,
    /// What they are sent then.
    pub period_of_notice_message: Option<String>,
    /// Days before new prices hold.
    pub lead_time: Option<i64>,
    /// What you have to send to be accepted.
    pub two_step_fields: Vec<MasterDataField>,
    /// What each group costs.
    pub pricing_details: Vec<PartnerPricing>,
}

/// Whether a partner may see an offer.
pub(super) fn may_see(offer: &ServiceOffer, partner: Option<&PartnerId>, now: Timestamp) -> bool {
    let published = matches!(offer.status_at(now), OfferStatus::Pending | OfferStatus::Active);
    let content = &offer.content.0;
    let named = partner.is_some_and(|one| content.partners.iter().any(|other| other.is(one)));
    published && (content.offer_to_all || named)
}

/// What a partner sees.
pub(super) fn view(conn: &mut Conn, offer: ServiceOffer, now: Timestamp) -> StoreResult<PartnerOffer> {
    let groups = networks::groups_of(conn, offer.network_id)?;
    let content = &offer.content.0;
    let details = content.products.iter().filter_map(|product| {
        let group = groups.iter().find(|group| group.id == product.group)?;
        Some(PartnerPricing {
            group: group.id,
            group_name: group.name.clone(),
            currency: product.currency,
            days: days(content, product),
        })
    });
    let pricing_details = details.collect();
    let offer_type = if content.offer_to_all { OfferType::OfferToAll } else { OfferType::Bilateral };
    let status = offer.status_at(now);
    let content = offer.content.0;
    Ok(PartnerOffer {
        id: offer.id,
        name: offer.name,
        description: content.description,
        offer_type,
        status,
        service_type: content.service_type,
        version: offer.version,
        valid_from: offer.valid_from,
        ends_at: offer.ends_at,
        minimum_term: content.minimum_term,
        cancellation_period: content.cancellation_period,
        period_of_notice: content.period_of_notice,
        period_of_notice_message: content.period_of_notice_message,
        lead_time: content.lead_time,
        two_step_fields: content.two_step_fields,
        pricing_details,
    })
}

fn days(content: &Content, product: &OfferProduct) -> Vec<PartnerDay> {
    let day = |(number, name): (u32, &str)| {
        let plans = product.time_plans.iter();
        let slots = plans.filter(|plan| plan.days_of_week.0.contains(number)).flat_map(|plan| &plan.slots);
        let mut tariffs: Vec<PartnerTariff> = slots
            .filter_map(|slot| {
                let mut tariffs = content.tariffs.iter();
                let tariff = tariffs.find(|tariff| tariff.name == slot.tariff)?;
                Some(PartnerTariff {
                    name: tariff.name.to_string(),
                    start_time: slot.start_time,
                    end_time: slot.end_time,
                    components: tariff.components.clone(),
                })
            })
            .collect();
        tariffs.sort_by_key(|tariff| tariff.start_time);
        PartnerDay { day: name.to_uppercase(), tariffs }
    };
    (0..).zip(Weekdays::ALL.names()).map(day).collect()
}
