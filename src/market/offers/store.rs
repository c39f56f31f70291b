//! Offers in the database.

use diesel::prelude::*;

use super::model::{OfferStatus, ServiceOffer, ServiceOfferFilter};
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::market::networks;
use crate::store::query::{contains, lower};
use crate::store::schema::service_offers;
use crate::store::{Conn, StoreResult};
use kernel::*;

pub(super) fn insert(conn: &mut Conn, offer: &ServiceOffer) -> StoreResult<()> {
    diesel::insert_into(service_offers::table).values(offer).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: ServiceOfferId) -> StoreResult<ServiceOffer> {
    Ok(service_offers::table
        .filter(service_offers::organization_id.eq(organization).and(service_offers::id.eq(id)))
        .select(ServiceOffer::as_select())
        .first(conn)?)
}

pub(super) fn update(conn: &mut Conn, offer: &ServiceOffer) -> StoreResult<()> {
    diesel::update(service_offers::table.find(offer.id)).set(offer).execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, offer: &ServiceOffer) -> StoreResult<()> {
    diesel::delete(service_offers::table.find(offer.id)).execute(conn)?;
    Ok(())
}

/// All versions of an offer, the first one first.
pub(super) fn versions(conn: &mut Conn, original: ServiceOfferId) -> StoreResult<Vec<ServiceOffer>> {
    Ok(service_offers::table
        .filter(service_offers::original_id.eq(original))
        .order(service_offers::version)
        .select(ServiceOffer::as_select())
        .load(conn)?)
}

/// The published offers for a network that are not over, the oldest first.
pub(super) fn running(conn: &mut Conn, network: EvseNetworkId, now: Timestamp) -> StoreResult<Vec<ServiceOffer>> {
    Ok(service_offers::table
        .filter(service_offers::network_id.eq(network))
        .filter(service_offers::published_at.is_not_null())
        .filter(service_offers::ends_at.is_null().or(service_offers::ends_at.gt(now)))
        .order(service_offers::id)
        .select(ServiceOffer::as_select())
        .load(conn)?)
}

/// The oldest published offer, with its name, that is not over and shows one of these EVSEs to partners.
pub fn showing(conn: &mut Conn, evses: &[EvseId], now: Timestamp) -> StoreResult<Option<(ServiceOfferId, String)>> {
    let networks = networks::networks_of(conn, evses)?;
    Ok(service_offers::table
        .filter(service_offers::network_id.eq_any(networks))
        .filter(service_offers::published_at.is_not_null())
        .filter(service_offers::ends_at.is_null().or(service_offers::ends_at.gt(now)))
        .order(service_offers::id)
        .select((service_offers::id, service_offers::name))
        .first(conn)
        .optional()?)
}

/// How many offers there are for a network, drafts among them.
pub fn count_of_network(conn: &mut Conn, network: EvseNetworkId) -> StoreResult<i64> {
    Ok(service_offers::table.filter(service_offers::network_id.eq(network)).count().get_result(conn)?)
}

/// Published offers whose last event may not show how far they are by now.
pub(super) fn unreported(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<ServiceOffer>> {
    let began = service_offers::told_status.eq(OfferStatus::Pending).and(service_offers::valid_from.le(now));
    let ended = service_offers::told_status
        .eq_any([OfferStatus::Pending, OfferStatus::Active])
        .and(service_offers::ends_at.le(now));
    Ok(service_offers::table.filter(began.or(ended)).limit(100).select(ServiceOffer::as_select()).load(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    now: Timestamp,
    query: &ListQuery<ServiceOfferFilter>,
) -> ApiResult<Page<ServiceOffer>> {
    let filtered = || {
        let mut rows = service_offers::table.filter(service_offers::organization_id.eq(organization)).into_boxed();
        if let Some(status) = query.filter.status {
            let over = service_offers::ends_at.le(now);
            let running = service_offers::ends_at.is_null().or(service_offers::ends_at.gt(now));
            let published = service_offers::published_at.is_not_null();
            rows = match status {
                OfferStatus::Draft => rows.filter(service_offers::published_at.is_null()),
                OfferStatus::Pending => rows.filter(published.and(running).and(service_offers::valid_from.gt(now))),
                OfferStatus::Active => rows.filter(published.and(running).and(service_offers::valid_from.le(now))),
                OfferStatus::Cancelled => rows.filter(published.and(over).and(service_offers::cancelled.eq(true))),
                OfferStatus::Expired => rows.filter(published.and(over).and(service_offers::cancelled.eq(false))),
            };
        }
        if let Some(network) = query.filter.network {
            rows = rows.filter(service_offers::network_id.eq(network));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(lower(service_offers::name.nullable()).like(pattern).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, service_offers, filtered(), {
        "name" => service_offers::name,
        "valid_from" => service_offers::valid_from,
        "version" => service_offers::version,
    });
    Ok(Page { rows: rows.select(ServiceOffer::as_select()).load(conn)?, total, request: query.page })
}
