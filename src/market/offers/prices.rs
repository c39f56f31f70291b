//! What every EVSE costs at an instant, and what a session at one costs.

use serde::Serialize;

use super::content::OfferComponent;
use super::model::{OfferStatus, ServiceOffer};
use super::store;
use crate::filters;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::market::networks::{self, NetworkEvseFilter, NetworkEvseView, Scope};
use crate::sites::stations::PowerType;
use crate::store::{Conn, StoreResult};
use kernel::*;
use pricing::{Tariff, wall_clock};

filters! {
    /// When and of which EVSEs.
    pub(crate) struct PriceFilter {
        /// The instant; now when absent, or of a draft or pending offer the start of its validity.
        pub at: Timestamp,
        /// Only those at this location.
        pub location: LocationId,
        /// Only those with this kind of power.
        #[param(inline)]
        pub power_type: PowerType,
        /// Only those in this group.
        pub group: EvseGroupId,
    }
}

/// What an EVSE costs at an instant, before tax.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct EvsePrice {
    /// The EVSE.
    #[serde(rename = "_id")]
    pub id: EvseId,
    /// Its id for roaming.
    pub evse_id: Option<String>,
    /// Where it stands.
    pub location: Option<LocationId>,
    /// The group in which it is.
    pub group: Option<EvseGroupId>,
    /// What the group is called.
    pub group_name: Option<String>,
    /// The instant.
    pub at: Timestamp,
    /// The version of the offer that holds then.
    pub version: i64,
    /// The tariff that holds then.
    pub tariff: Option<String>,
    /// In what it is paid.
    pub currency: Option<Currency>,
    /// Its prices; none means that it costs nothing.
    pub components: Vec<OfferComponent>,
    /// Why it costs nothing.
    pub warning: Option<&'static str>,
}

impl EvsePrice {
    fn new(offer: &ServiceOffer, evse: NetworkEvseView, at: Timestamp) -> Self {
        let content = &offer.content.0;
        let product = content.products.iter().find(|product| Some(product.group) == evse.group);
        let (weekday, second) = wall_clock(at, evse.zone);
        let slot = product.and_then(|product| product.slot_at(weekday, second));
        let tariff = slot.and_then(|slot| {
            let mut tariffs = content.tariffs.iter();
            tariffs.find(|tariff| tariff.name == slot.tariff)
        });
        let warning = match (evse.group, tariff) {
            (None, _) => Some("The EVSE is in no group, so its price is zero"),
            (Some(_), None) => Some("The offer says nothing of this group and hour"),
            (Some(_), Some(_)) => None,
        };
        Self {
            id: evse.id,
            evse_id: evse.evse_id,
            location: evse.location,
            group: evse.group,
            group_name: evse.group_name,
            at,
            version: offer.version,
            tariff: tariff.map(|tariff| tariff.name.to_string()),
            currency: tariff.map(|tariff| tariff.currency),
            components: tariff.map_or_else(Vec::new, |tariff| tariff.components.clone()),
            warning,
        }
    }
}

/// The version of an offer that holds at an instant. A draft may be asked about any instant.
fn version_at(conn: &mut Conn, offer: ServiceOffer, at: Timestamp) -> ApiResult<ServiceOffer> {
    if offer.published_at.is_none() {
        return Ok(offer);
    }
    let versions = store::versions(conn, offer.original_id)?;
    let holds = |version: &ServiceOffer| version.status_at(at) == OfferStatus::Active;
    versions.into_iter().find(holds).ok_or_else(|| {
        let mut faults = Faults::default();
        faults.add("at", "out_of_range", "the offer is not valid then");
        ApiError::faulty(Code::InvalidQuery, faults)
    })
}

/// A page of EVSEs with what each costs.
pub(super) fn list(
    conn: &mut Conn,
    offer: ServiceOffer,
    now: Timestamp,
    query: &ListQuery<PriceFilter>,
) -> ApiResult<Page<EvsePrice>> {
    let from = offer.valid_from.filter(|from| *from > now);
    let at = query.filter.at.or(from).unwrap_or(now);
    let offer = version_at(conn, offer, at)?;
    let filter = NetworkEvseFilter {
        location: query.filter.location,
        power_type: query.filter.power_type,
        group: query.filter.group,
        ..NetworkEvseFilter::default()
    };
    let (organization, scope) = (offer.organization_id, Scope::Priced(offer.network_id));
    let page = networks::list_evses(conn, organization, scope, &query.with_filter(filter))?;
    Ok(page.map(|evse| EvsePrice::new(&offer, evse, at)))
}

/// What a session is to cost under an offer.
#[derive(Debug, Clone)]
pub struct Priced {
    /// The offer.
    pub offer: ServiceOfferId,
    /// Its version.
    pub version: i64,
    /// Its prices for the EVSE's group.
    pub tariff: Tariff,
}

/// The prices of an EVSE under the offer to all that is active for its network, where there is one.
pub fn tariff_of(conn: &mut Conn, evse: EvseId, at: Timestamp) -> StoreResult<Option<Priced>> {
    let Some((network, group)) = networks::group_of(conn, evse)? else {
        return Ok(None);
    };
    let offers = store::running(conn, network, at)?;
    let active =
        offers.into_iter().find(|offer| offer.content.0.offer_to_all && offer.status_at(at) == OfferStatus::Active);
    Ok(active.and_then(|offer| {
        let content = &offer.content.0;
        let mut products = content.products.iter();
        let product = products.find(|product| product.group == group)?;
        Some(Priced {
            offer: offer.id,
            version: offer.version,
            tariff: product.tariff(&content.tariffs, content.slot_rule),
        })
    }))
}
