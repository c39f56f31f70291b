//! The endpoints of charging profiles.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::model::{NewProfile, Profile, ProfileFilter, ProfilePatch, ProfileView};
use super::{push, store};
use crate::control::actions::Performer;
use crate::events::{Change, EventKind};
use crate::http::caller::{ReadProfiles, WriteProfiles};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Code, Created, Ctx, Deleted, Found, IfMatch, PathId};
use crate::sites::stations::link::{SharedLink, Signal, SignalKind, Signals};
use crate::store::{StoreError, cause};
use kernel::{ChargingProfileId, EvseId, OrganizationId, StationId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_charging_profiles)
        .service(create_charging_profile)
        .service(get_charging_profile)
        .service(update_charging_profile)
        .service(delete_charging_profile);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "charging profile")
}

/// The view, after its event was recorded, and the stations that the change concerns.
fn recorded(
    change: &mut Change<'_>,
    (profile, before): (Profile, &[EvseId]),
    kind: EventKind,
) -> ApiResult<(ProfileView, Vec<StationId>)> {
    let now = store::evses_of(change.conn, profile.id)?;
    let stations = store::stations_of(change.conn, &[before, &now].concat())?;
    let view = ProfileView::new(profile, now);
    change.record(kind, &view)?;
    Ok((view, stations))
}

/// Who must hear of a change: balancing and provisioning by a signal, and connectors that have no profile any more.
struct Audience {
    performer: web::Data<Performer>,
    link: web::Data<SharedLink>,
    signals: web::Data<Signals>,
}

impl FromRequest for Audience {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let all = || {
            Some(Self {
                performer: request.app_data::<web::Data<Performer>>()?.clone(),
                link: request.app_data::<web::Data<SharedLink>>()?.clone(),
                signals: request.app_data::<web::Data<Signals>>()?.clone(),
            })
        };
        let missing = || ApiError::new(Code::Internal, Code::Internal.meaning());
        std::future::ready(all().ok_or_else(missing))
    }
}

impl Audience {
    fn notify(self, organization: OrganizationId, stations: Vec<StationId>) {
        for station in stations {
            self.signals.notify(Signal { organization, station, kind: SignalKind::Reconfigured });
            if !self.link.is_online(station) {
                continue; // it is notified when it connects
            }
            let performer = self.performer.clone();
            actix_web::rt::spawn(cause::along(async move {
                if let Err(error) = push::forget_idle(&performer, organization, station).await {
                    tracing::info!(%error, %station, "a station was not asked to clear its profiles");
                }
            }));
        }
    }
}

/// Lists charging profiles.
#[utoipa::path(tag = "charging profiles", params(ListParameters, ProfileFilter),
    responses((status = OK, body = ListReply<ProfileView>), ListErrors))]
#[get("/charging_profiles")]
async fn list_charging_profiles(
    caller: Caller<ReadProfiles>,
    ctx: Ctx,
    query: ListQuery<ProfileFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list(conn, organization, query)).await
}

/// Creates a charging profile and sends it to the stations of its EVSEs.
#[utoipa::path(tag = "charging profiles", request_body = NewProfile,
    responses((status = CREATED, body = Reply<ProfileView>), WriteErrors))]
#[post("/charging_profiles")]
async fn create_charging_profile(
    caller: Caller<WriteProfiles>,
    ctx: Ctx,
    audience: Audience,
    Body(new): Body<NewProfile>,
) -> ApiResult<Created<ProfileView>> {
    let organization = caller.organization();
    let change = ctx.change(organization);
    let evses = new.evses.clone().unwrap_or_default();
    let profile = Profile::new(new, organization, &change.moment)?;
    let stored = change.answer_and(move |change| {
        store::insert(change.conn, &profile)?;
        store::attach(change.conn, &profile, &evses)?;
        let (view, stations) = recorded(change, (profile.clone(), &[]), EventKind::ChargingProfileCreated)?;
        Ok((Created(view), stations))
    });
    let (view, stations) = stored.await?;
    audience.notify(organization, stations);
    Ok(view)
}

/// Reads a charging profile.
#[utoipa::path(tag = "charging profiles", params(("id" = ChargingProfileId, Path, description = "The profile")),
    responses((status = OK, body = Reply<ProfileView>), OneErrors))]
#[get("/charging_profiles/{id}")]
async fn get_charging_profile(
    caller: Caller<ReadProfiles>,
    ctx: Ctx,
    PathId(id): PathId<ChargingProfileId>,
) -> ApiResult<Found<ProfileView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| {
        let profile = store::find(conn, organization, id)?;
        let evses = store::evses_of(conn, id)?;
        Ok(ProfileView::new(profile, evses))
    });
    Ok(Found(found.await.map_err(missing)?))
}

/// Changes a charging profile (JSON merge patch) and sends it to the stations it concerns.
#[utoipa::path(tag = "charging profiles", params(("id" = ChargingProfileId, Path, description = "The profile")),
    request_body = ProfilePatch, responses((status = OK, body = Reply<ProfileView>), WriteErrors))]
#[patch("/charging_profiles/{id}")]
async fn update_charging_profile(
    caller: Caller<WriteProfiles>,
    ctx: Ctx,
    audience: Audience,
    PathId(id): PathId<ChargingProfileId>,
    if_match: IfMatch,
    Body(patch): Body<ProfilePatch>,
) -> ApiResult<Changed<ProfileView>> {
    let organization = caller.organization();
    let stored = ctx.change(organization).write(move |change| {
        let profile = store::find(change.conn, change.organization, id).map_err(missing)?;
        if_match.check(profile.updated_at)?;
        let before = store::evses_of(change.conn, id)?;
        let profile = profile.apply(patch.clone(), change.moment)?;
        store::update(change.conn, &profile)?;
        if !patch.evses.is_absent() {
            let wanted = patch.evses.value().cloned().unwrap_or_default();
            store::attach(change.conn, &profile, &wanted)?;
        }
        recorded(change, (profile, &before), EventKind::ChargingProfileUpdated)
    });
    let (view, stations) = stored.await?;
    audience.notify(organization, stations);
    Ok(Changed(view))
}

/// Deletes a charging profile and clears it at the stations of its EVSEs.
#[utoipa::path(tag = "charging profiles", params(("id" = ChargingProfileId, Path, description = "The profile")),
    responses((status = OK, body = Reply<ProfileView>), DeleteErrors))]
#[delete("/charging_profiles/{id}")]
async fn delete_charging_profile(
    caller: Caller<WriteProfiles>,
    ctx: Ctx,
    audience: Audience,
    PathId(id): PathId<ChargingProfileId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<ProfileView>> {
    let organization = caller.organization();
    let stored = ctx.change(organization).write(move |change| {
        let profile = store::find(change.conn, change.organization, id).map_err(missing)?;
        if_match.check(profile.updated_at)?;
        let found = recorded(change, (profile, &[]), EventKind::ChargingProfileDeleted)?;
        store::delete(change.conn, id)?;
        Ok::<_, ApiError>(found)
    });
    let (view, stations) = stored.await?;
    audience.notify(organization, stations);
    Ok(Deleted(view))
}
