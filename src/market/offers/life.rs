//! The life of an offer: published, replaced by a version with other prices, cancelled, copied; and what time does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::check::{check_prices, days, problems};
use super::content::{OfferProduct, OfferTariff};
use super::exchange;
use super::model::{OfferStatus, ServiceOffer, ServiceOfferView};
use super::store;
use crate::events::{Change, EventKind};
use crate::http::{ApiError, ApiResult, Fault, Faults};
use crate::input;
use crate::market::networks::{self, NetworkEvseView};
use crate::sites::stations::folded_contract_id;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// An EVSE that nobody put into a group.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct UngroupedEvse {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvseId,
    /// Its id for roaming.
    pub evse_id: String,
}

/// Something that keeps nobody from publishing, but should be known.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct OfferWarning {
    /// `price_zero`: these EVSEs are in no group, so they will cost nothing. `not_exported`: these are closed to roaming, so
    /// partners do not see them.
    #[schema(example = "price_zero")]
    pub code: &'static str,
    /// What a person needs to know.
    pub message: String,
    /// How many EVSEs it is about.
    pub evse_count: usize,
    /// The EVSEs, at most 1000 of them.
    pub evses: Vec<UngroupedEvse>,
}

/// What publishing did, or would do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct Publication {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Whether it was published, or would be.
    pub publishable: bool,
    /// Everything that must be put right first.
    pub problems: Vec<Fault>,
    /// What should be known.
    pub warnings: Vec<OfferWarning>,
    /// The offer as it is now.
    pub offer: ServiceOfferView,
}

/// EVSEs that one warning names.
const MOST_NAMED: usize = 1_000;

pub(super) fn warnings(conn: &mut Conn, organization: OrganizationId) -> StoreResult<Vec<OfferWarning>> {
    let ungrouped = networks::unassigned(conn, organization)?;
    if ungrouped.is_empty() {
        return Ok(Vec::new());
    }
    let evse_count = ungrouped.len();
    let named = ungrouped.into_iter().take(MOST_NAMED);
    Ok(vec![OfferWarning {
        code: "price_zero",
        message: format!("{evse_count} EVSE(s) are in no group: their price is zero while the offer is active"),
        evse_count,
        evses: named.map(|(id, evse_id)| UngroupedEvse { id, evse_id }).collect(),
    }])
}

/// EVSEs of the network's groups that partners do not see.
fn not_exported(evses: &[NetworkEvseView]) -> Option<OfferWarning> {
    let closed = || {
        let grouped = evses.iter().filter(|evse| evse.group.is_some());
        grouped.filter(|evse| !evse.roaming)
    };
    let evse_count = closed().count();
    let named = closed()
        .take(MOST_NAMED)
        .map(|evse| UngroupedEvse { id: evse.id, evse_id: evse.evse_id.clone().unwrap_or_default() });
    (evse_count > 0).then(|| OfferWarning {
        code: "not_exported",
        message: format!("{evse_count} EVSE(s) are closed to roaming: exports leave them out until `roaming` is true"),
        evse_count,
        evses: named.collect(),
    })
}

/// Partners know an EVSE by its `evse_id` alone: each in a group has one, and no two have the same.
fn check_evse_ids(evses: &[NetworkEvseView], faults: &mut Faults) {
    let mut by_id: BTreeMap<String, Vec<&NetworkEvseView>> = BTreeMap::new();
    for evse in evses {
        match &evse.evse_id {
            Some(id) => by_id.entry(folded_contract_id(id)).or_default().push(evse),
            None => {
                let message = format!("the EVSE {} has no evse_id; give it one", evse.id);
                faults.add("network", "invalid", message);
            }
        }
    }
    for alike in by_id.values().filter(|alike| alike.len() > 1) {
        let ids: Vec<String> = alike.iter().map(|evse| evse.id.to_string()).collect();
        let known = alike.iter().find_map(|evse| evse.evse_id.as_deref());
        let message = format!(
            "the EVSEs {} have the same evse_id {}; give each its own",
            ids.join(", "),
            known.unwrap_or_default()
        );
        faults.add("network", "conflict", message);
    }
}

/// An event about an offer.
pub(super) fn record_event(
    conn: &mut Conn,
    moment: &Moment,
    offer: &ServiceOffer,
    kind: EventKind,
) -> StoreResult<ServiceOfferView> {
    let view = ServiceOfferView::new(offer.clone(), moment.now);
    Change::new(conn, offer.organization_id, moment).record(kind, &view)?;
    Ok(view)
}

/// Publishes a draft, or with `dry_run` only reports what would happen.
pub(super) fn publish(
    conn: &mut Conn,
    mut offer: ServiceOffer,
    dry_run: bool,
    moment: &Moment,
) -> ApiResult<Publication> {
    require_draft(&offer, moment.now)?;
    let groups = networks::groups_of(conn, offer.network_id)?;
    let mut faults = problems(&offer, &groups, moment.now);
    check_alone(conn, &offer, moment.now, &mut faults)?;
    let evses = exchange::evses(conn, offer.organization_id, offer.network_id)?;
    check_evse_ids(&evses, &mut faults);
    let mut warnings = warnings(conn, offer.organization_id)?;
    warnings.extend(not_exported(&evses));
    let publishable = faults.is_empty();
    if dry_run {
        return Ok(Publication {
            dry_run,
            publishable,
            problems: faults.0,
            warnings,
            offer: ServiceOfferView::new(offer, moment.now),
        });
    }
    faults.into_body_error()?;
    offer.published_at = Some(moment.now);
    offer.ends_at = offer.content.0.valid_to;
    offer.reported_status = OfferStatus::Pending;
    offer.updated_at = moment.version_after(offer.updated_at);
    store::update(conn, &offer)?;
    networks::activate(conn, offer.organization_id, offer.network_id, moment)?;
    let view = record_event(conn, moment, &offer, EventKind::ServiceOfferPublished)?;
    Ok(Publication { dry_run, publishable, problems: Vec::new(), warnings, offer: view })
}

pub(super) fn require_draft(offer: &ServiceOffer, now: Timestamp) -> ApiResult<()> {
    match offer.status_at(now) {
        OfferStatus::Draft => Ok(()),
        status => Err(ApiError::conflict(format!(
            "The offer is {status}: what was published never changes; copy it, update its prices or cancel it"
        ))),
    }
}

/// At any time there is one offer to all for a network, and one of a service to a partner.
fn check_alone(conn: &mut Conn, offer: &ServiceOffer, now: Timestamp, faults: &mut Faults) -> StoreResult<()> {
    let content = &offer.content.0;
    let begins_later =
        |one: &ServiceOffer, end: Option<Timestamp>| end.zip(one.valid_from).is_some_and(|(end, from)| from >= end);
    for other in store::running(conn, offer.network_id, now)? {
        if begins_later(offer, other.ends_at) || begins_later(&other, content.valid_to) {
            continue;
        }
        let theirs = &other.content.0;
        if content.offer_to_all && theirs.offer_to_all {
            let message =
                format!("\"{}\" is offered to all for this network at the same time; cancel it first", other.name);
            faults.add("offer_to_all", "conflict", message);
        }
        if content.service_type != theirs.service_type {
            continue;
        }
        for (index, partner) in content.partners.iter().enumerate() {
            if theirs.partners.iter().any(|taken| taken.is(partner)) {
                let message = format!(
                    "\"{}\" is offered to {} for this network at the same time; cancel it first",
                    other.name, partner.0
                );
                faults.add(format!("partners[{index}]"), "conflict", message);
            }
        }
    }
    Ok(())
}

input! {
    /// New prices of a published offer.
    #[schema(example = json!({
        "update_date": "2030-06-01T00:00:00Z",
        "tariffs": [{"name": "Always", "currency": "EUR", "components": [
            {"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 0.52}]}],
        "products": [{"group": "650000000000000000000001", "currency": "EUR", "time_plans": [{
            "days_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"],
            "slots": [{"start_time": "00:00:00", "end_time": "23:59:59", "tariff": "Always"}]
        }]}]
    }))]
    pub(crate) struct PriceUpdate {
        /// From when they hold: the lead time of the offer from now, or later.
        pub update_date: Timestamp,
        /// All tariffs.
        pub tariffs: Vec<OfferTariff>,
        /// All products.
        pub products: Vec<OfferProduct>,
    }
}

/// Makes the version with new prices, which takes over at its date.
pub(super) fn update_prices(
    conn: &mut Conn,
    mut offer: ServiceOffer,
    update: &PriceUpdate,
    moment: &Moment,
) -> ApiResult<ServiceOfferView> {
    let status = offer.status_at(moment.now);
    let running = matches!(status, OfferStatus::Pending | OfferStatus::Active);
    let content = &offer.content.0;
    if !running || !content.unlimited {
        let message = format!(
            "The offer is {status} and {}: only unlimited offers that are pending or active get new prices",
            if content.unlimited { "unlimited" } else { "limited" }
        );
        return Err(ApiError::conflict(message));
    }
    if offer.next_id.is_some() || offer.ends_at.is_some() {
        let message = "The offer has an end already: update or cancel its newest version";
        return Err(ApiError::conflict(message));
    }
    let mut faults = Faults::default();
    let lead_time = content.lead_time.unwrap_or(0);
    let from = offer.valid_from.unwrap_or(moment.now);
    if update.update_date < moment.now + days(lead_time) {
        let message = format!("must be at least {lead_time} days from now, the offer's lead time");
        faults.add("update_date", "out_of_range", message);
    } else if update.update_date <= from {
        faults.add("update_date", "out_of_range", "must lie after valid_from");
    }
    let groups = networks::groups_of(conn, offer.network_id)?;
    check_prices(&update.tariffs, &update.products, &groups, &mut faults);
    let evses = exchange::evses(conn, offer.organization_id, offer.network_id)?;
    check_evse_ids(&evses, &mut faults);
    faults.into_body_error()?;

    let mut content = content.clone();
    content.tariffs.clone_from(&update.tariffs);
    content.products.clone_from(&update.products);
    let next = ServiceOffer {
        id: moment.id(),
        content: Json(content),
        published_at: Some(moment.now),
        valid_from: Some(update.update_date),
        reported_status: OfferStatus::Pending,
        version: offer.version + 1,
        previous_id: Some(offer.id),
        created_at: moment.now,
        updated_at: moment.now,
        ..offer.clone()
    };
    store::insert(conn, &next)?;
    offer.next_id = Some(next.id);
    offer.ends_at = Some(update.update_date);
    offer.updated_at = moment.version_after(offer.updated_at);
    store::update(conn, &offer)?;
    record_event(conn, moment, &offer, EventKind::ServiceOfferUpdated)?;
    Ok(record_event(conn, moment, &next, EventKind::ServiceOfferPriceUpdated)?)
}

input! {
    /// When an offer is to end.
    #[schema(example = json!({"cancellation_to": "2030-12-31T23:00:00Z"}))]
    pub(crate) struct Cancellation {
        /// When it ends; as soon as its terms allow when absent.
        pub cancellation_to: Option<Timestamp>,
    }
}

/// Ends a published offer before its time. One that is not valid yet ends at once; where it was a price update, the
/// version before goes on.
pub(super) fn cancel(
    conn: &mut Conn,
    mut offer: ServiceOffer,
    wish: &Cancellation,
    moment: &Moment,
) -> ApiResult<ServiceOfferView> {
    if offer.next_id.is_some() {
        let message = "A newer version takes over: cancel that one";
        return Err(ApiError::conflict(message));
    }
    let end = match offer.status_at(moment.now) {
        OfferStatus::Pending if wish.cancellation_to.is_some() => {
            let message = "must be absent: the offer is not valid yet, and ends at once";
            return Err(ApiError::field("cancellation_to", "invalid", message));
        }
        OfferStatus::Pending => moment.now,
        OfferStatus::Active if offer.cancelled => {
            return Err(ApiError::conflict("The offer is cancelled already"));
        }
        OfferStatus::Active => {
            let period = offer.content.0.cancellation_period.unwrap_or(0);
            let earliest = moment.now + days(period);
            let end = wish.cancellation_to.unwrap_or(earliest);
            if end < earliest {
                let message = format!("must be at least {period} days from now, by its terms");
                return Err(ApiError::field("cancellation_to", "out_of_range", message));
            }
            end
        }
        status => return Err(ApiError::conflict(format!("The offer is {status}"))),
    };
    if offer.ends_at.is_some_and(|present| present <= end) {
        return Err(ApiError::conflict("The offer ends by itself before that"));
    }
    if let (Some(previous), OfferStatus::Pending) = (offer.previous_id, offer.status_at(moment.now)) {
        let mut previous = store::find(conn, offer.organization_id, previous)?;
        previous.next_id = None;
        previous.ends_at = previous.content.0.valid_to;
        previous.updated_at = moment.version_after(previous.updated_at);
        store::update(conn, &previous)?;
        record_event(conn, moment, &previous, EventKind::ServiceOfferUpdated)?;
    }
    offer.cancelled = true;
    offer.ends_at = Some(end);
    offer.updated_at = moment.version_after(offer.updated_at);
    let over = offer.status_at(moment.now) == OfferStatus::Cancelled;
    if over {
        offer.reported_status = OfferStatus::Cancelled;
    }
    store::update(conn, &offer)?;
    let kind = if over { EventKind::ServiceOfferCancelled } else { EventKind::ServiceOfferUpdated };
    Ok(record_event(conn, moment, &offer, kind)?)
}

/// A draft that says the same, without the start of its validity where that is over.
pub(super) fn copy(offer: ServiceOffer, moment: &Moment) -> ServiceOffer {
    let id: ServiceOfferId = moment.id();
    let name: String = offer.name.chars().take(248).collect();
    ServiceOffer {
        id,
        name: format!("{name} (copy)"),
        published_at: None,
        valid_from: offer.valid_from.filter(|from| *from > moment.now),
        ends_at: None,
        cancelled: false,
        reported_status: OfferStatus::Draft,
        version: 1,
        original_id: id,
        previous_id: None,
        next_id: None,
        created_at: moment.now,
        updated_at: moment.now,
        ..offer
    }
}

/// Records offers that became active, expired or cancelled by time.
pub fn record_changes(conn: &mut Conn, moment: &Moment) -> StoreResult<()> {
    for mut offer in store::unreported(conn, moment.now)? {
        let status = offer.status_at(moment.now);
        if status == offer.reported_status {
            continue;
        }
        offer.reported_status = status;
        store::update(conn, &offer)?;
        let kind = match status {
            OfferStatus::Active => EventKind::ServiceOfferActivated,
            OfferStatus::Cancelled => EventKind::ServiceOfferCancelled,
            OfferStatus::Expired => EventKind::ServiceOfferExpired,
            OfferStatus::Draft | OfferStatus::Pending => continue,
        };
        record_event(conn, moment, &offer, kind)?;
    }
    Ok(())
}
