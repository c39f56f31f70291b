//! The endpoints of service offers.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post};

use super::exchange::{self, ExportFilter};
use super::life::{self, Cancellation, PriceUpdate, Publication};
use super::model::*;
use super::ocpi::{self, OcpiExport, OcpiFilter, OcpiImport};
use super::oicp::{self, OicpExport, OicpImport};
use super::partner::{self, PartnerFilter, PartnerOffer};
use super::prices::{self, EvsePrice, PriceFilter};
use super::store;
use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadServiceOffers, WriteServiceOffers};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, PartErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{
    ApiError, ApiResult, Body, Caller, Changed, Code, Created, Ctx, Deleted, Faults, Found, IfMatch, PathId, Query,
};
use crate::market::networks;
use crate::store::{Conn, StoreError};
use kernel::*;

/// Adds the endpoints of this slice. The paths with words come before those with ids.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_service_offers)
        .service(create_service_offer)
        .service(import_oicp_offer)
        .service(import_ocpi_offer)
        .service(get_service_offer)
        .service(update_service_offer)
        .service(delete_service_offer)
        .service(publish_service_offer)
        .service(cancel_service_offer)
        .service(copy_service_offer)
        .service(update_service_offer_prices)
        .service(list_service_offer_versions)
        .service(list_service_offer_prices)
        .service(get_partner_offer)
        .service(export_oicp_offer)
        .service(export_ocpi_offer);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "service offer")
}

/// Lists service offers, every version of each.
#[utoipa::path(tag = "service offers", params(ListParameters, ServiceOfferFilter),
    responses((status = OK, body = ListReply<ServiceOfferView>), ListErrors))]
#[get("/service_offers")]
async fn list_service_offers(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    query: ListQuery<ServiceOfferFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    list::respond(&ctx, query, move |conn, query| {
        let page = store::list(conn, organization, now, query)?;
        Ok(page.map(|offer| ServiceOfferView::new(offer, now)))
    })
    .await
}

/// Stores a draft and records it as an event.
fn create(conn: &mut Conn, offer: &ServiceOffer, moment: &Moment) -> ApiResult<ServiceOfferView> {
    networks::require(conn, offer.organization_id, offer.network_id, "network")?;
    store::insert(conn, offer)?;
    Ok(life::record_event(conn, moment, offer, EventKind::ServiceOfferCreated)?)
}

/// Creates a service offer, as a draft.
#[utoipa::path(tag = "service offers", request_body = NewServiceOffer,
    responses((status = CREATED, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers")]
async fn create_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    Body(new): Body<NewServiceOffer>,
) -> ApiResult<Created<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let offer = ServiceOffer::new(new, organization, &moment);
    ctx.answer(move |conn| create(conn, &offer, &moment).map(Created)).await
}

/// Creates a draft from pricing product data and EVSE pricing of OICP 2.3.
#[utoipa::path(tag = "service offers", request_body = OicpImport,
    responses((status = CREATED, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers/import/oicp")]
async fn import_oicp_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    Body(received): Body<OicpImport>,
) -> ApiResult<Created<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        let network = networks::require(conn, organization, received.network, "network")?;
        let evses = exchange::evses(conn, organization, network.id)?;
        let new = oicp::import(&received, &evses)?;
        let offer = ServiceOffer::new(new, organization, &moment);
        create(conn, &offer, &moment).map(Created)
    })
    .await
}

/// Creates a draft from tariffs of OCPI 2.2.1 or 2.3.0.
#[utoipa::path(tag = "service offers", request_body = OcpiImport,
    responses((status = CREATED, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers/import/ocpi")]
async fn import_ocpi_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    Body(received): Body<OcpiImport>,
) -> ApiResult<Created<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let offer = ServiceOffer::new(ocpi::import(&received)?, organization, &moment);
    ctx.answer(move |conn| create(conn, &offer, &moment).map(Created)).await
}

/// Reads a service offer.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    responses((status = OK, body = Reply<ServiceOfferView>), OneErrors))]
#[get("/service_offers/{id}")]
async fn get_service_offer(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
) -> ApiResult<Found<ServiceOfferView>> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| store::find(conn, organization, id));
    let offer = read.await.map_err(missing)?;
    Ok(Found(ServiceOfferView::new(offer, now)))
}

/// Changes a draft (JSON merge patch); what was published never changes.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    request_body = ServiceOfferPatch, responses((status = OK, body = Reply<ServiceOfferView>), WriteErrors))]
#[patch("/service_offers/{id}")]
async fn update_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    if_match: IfMatch,
    Body(patch): Body<ServiceOfferPatch>,
) -> ApiResult<Changed<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.db
        .write(move |conn| {
            let mut offer = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(offer.updated_at)?;
            life::require_draft(&offer, moment.now)?;
            offer.apply(patch.clone(), &moment)?;
            networks::require(conn, organization, offer.network_id, "network")?;
            store::update(conn, &offer)?;
            let view = life::record_event(conn, &moment, &offer, EventKind::ServiceOfferUpdated)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a draft.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    responses((status = OK, body = Reply<ServiceOfferView>), DeleteErrors))]
#[delete("/service_offers/{id}")]
async fn delete_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.db
        .write(move |conn| {
            let offer = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(offer.updated_at)?;
            life::require_draft(&offer, moment.now)?;
            store::delete(conn, &offer)?;
            let view = life::record_event(conn, &moment, &offer, EventKind::ServiceOfferDeleted)?;
            Ok(Deleted(view))
        })
        .await
}

filters! {
    /// Whether it is in earnest.
    pub(crate) struct PublishOptions {
        /// Only report every problem, and which EVSEs would cost nothing.
        pub dry_run: bool,
    }
}

/// Publishes a draft, which makes its network active; with `dry_run=true` only reports what would happen.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer"), PublishOptions),
    responses((status = OK, body = Reply<Publication>), WriteErrors))]
#[post("/service_offers/{id}/publish")]
async fn publish_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Query(options): Query<PublishOptions>,
) -> ApiResult<HttpResponse> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let dry_run = options.dry_run.unwrap_or(false);
    let publication = ctx.db.write(move |conn| {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        life::publish(conn, offer, dry_run, &moment)
    });
    let message = if dry_run { "Nothing was published" } else { "Published" };
    Ok(reply(StatusCode::OK, message, publication.await?))
}

/// Ends a published offer before its time, by its terms.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    request_body = Cancellation, responses((status = OK, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers/{id}/cancel")]
async fn cancel_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Body(wish): Body<Cancellation>,
) -> ApiResult<Changed<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        life::cancel(conn, offer, &wish, &moment).map(Changed)
    })
    .await
}

/// Makes a draft that says the same.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    responses((status = CREATED, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers/{id}/copy")]
async fn copy_service_offer(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
) -> ApiResult<Created<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        let copy = life::copy(offer, &moment);
        create(conn, &copy, &moment).map(Created)
    })
    .await
}

/// Gives an unlimited offer new prices, as a version that takes over at its date.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer")),
    request_body = PriceUpdate, responses((status = CREATED, body = Reply<ServiceOfferView>), WriteErrors))]
#[post("/service_offers/{id}/price_updates")]
async fn update_service_offer_prices(
    caller: Caller<WriteServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Body(update): Body<PriceUpdate>,
) -> ApiResult<Created<ServiceOfferView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        life::update_prices(conn, offer, &update, &moment).map(Created)
    })
    .await
}

/// Lists all versions of an offer, the first one first.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "Any version of the offer")),
    responses((status = OK, body = Reply<Vec<ServiceOfferView>>), OneErrors))]
#[get("/service_offers/{id}/versions")]
async fn list_service_offer_versions(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let read = ctx.db.read(move |conn| {
        let offer = store::find(conn, organization, id)?;
        store::versions(conn, offer.original_id)
    });
    let versions = read.await.map_err(missing)?;
    let views: Vec<ServiceOfferView> = versions.into_iter().map(|offer| ServiceOfferView::new(offer, now)).collect();
    Ok(reply(StatusCode::OK, "Found", views))
}

/// Lists what every EVSE costs at an instant; one that is in no group costs nothing.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer"), ListParameters,
    PriceFilter), responses((status = OK, body = ListReply<EvsePrice>), PartErrors))]
#[get("/service_offers/{id}/prices")]
async fn list_service_offer_prices(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    query: ListQuery<PriceFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    list::respond(&ctx, query, move |conn, query| {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        prices::list(conn, offer, now, query)
    })
    .await
}

/// Reads an offer as a partner sees it; drafts, and offers to others, are not there.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer"), PartnerFilter),
    responses((status = OK, body = Reply<PartnerOffer>), OneErrors))]
#[get("/service_offers/{id}/partner_view")]
async fn get_partner_offer(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Query(filter): Query<PartnerFilter>,
) -> ApiResult<HttpResponse> {
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let partner = filter.partner.as_deref().map(str::parse).transpose();
    let partner = partner.map_err(|()| {
        let mut faults = Faults::default();
        faults.add("partner", "invalid", "must be a provider id such as DE-XYZ");
        ApiError::faulty(Code::InvalidQuery, faults)
    })?;
    let read = ctx.db.read(move |conn| -> ApiResult<_> {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        if !partner::may_see(&offer, partner.as_ref(), now) {
            return Err(ApiError::not_found("service offer for this partner"));
        }
        Ok(partner::view(conn, offer, now)?)
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

/// Exports an offer as pricing product data and EVSE pricing of OICP 2.3; EVSEs with `roaming: false` are left out.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer"), ExportFilter),
    responses((status = OK, body = Reply<OicpExport>), WriteErrors))]
#[get("/service_offers/{id}/export/oicp")]
async fn export_oicp_offer(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Query(filter): Query<ExportFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| -> ApiResult<_> {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        let evses = exchange::exported(conn, organization, offer.network_id)?;
        oicp::export(&offer, &evses, filter.operator.as_deref())
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

/// Exports an offer as tariffs of OCPI 2.2.1 or 2.3.0; EVSEs with `roaming: false` are left out.
#[utoipa::path(tag = "service offers", params(("id" = ServiceOfferId, Path, description = "The offer"), OcpiFilter),
    responses((status = OK, body = Reply<OcpiExport>), WriteErrors))]
#[get("/service_offers/{id}/export/ocpi")]
async fn export_ocpi_offer(
    caller: Caller<ReadServiceOffers>,
    ctx: Ctx,
    PathId(id): PathId<ServiceOfferId>,
    Query(filter): Query<OcpiFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| -> ApiResult<_> {
        let offer = store::find(conn, organization, id).map_err(missing)?;
        let evses = exchange::exported(conn, organization, offer.network_id)?;
        ocpi::export(&offer, &evses, &filter)
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}
