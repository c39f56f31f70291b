//! Sessions of drivers: started with a card or by a login, seen and stopped by whoever started them.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::super::DriverAccess;
use super::super::account::{Anybody, LoggedIn, note};
use super::super::own_sessions::{OwnSession, Places};
use super::super::views::DriverSession;
use super::chargers::{Charger, unknown};
use crate::charging::sessions::{self, Begun, NewSession, Patience, PeriodFilter, Presented, Session, Stopping};
use crate::control::actions::Performer;
use crate::http::audit::Noted;
use crate::http::docs::{DriverListErrors, DriverSessionErrors, DriverStartErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::list::{self, ListReply};
use crate::http::origin::require_own_origin;
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, Ctx, client_address};
use crate::input;
use crate::people::organizations;
use crate::people::tokens::AuthorizationStatus;
use crate::sites::stations;
use crate::sites::stations::link::{SharedLink, Signals};
use crate::store::StoreError;
use kernel::text::{Line, Text};
use kernel::*;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(start_driver_session)
        .service(get_driver_session)
        .service(stop_driver_session)
        .service(list_driver_sessions);
}

input! {
    /// What a driver starts with.
    #[schema(example = json!({"id_tag": "04A1B2C3D4"}))]
    pub(crate) struct NewDriverSession {
        /// Where; needed where the charger has several and not one alone has a car.
        pub connector: Option<ConnectorId>,
        /// The number of the card; a driver who is logged in may leave it out.
        pub id_tag: Option<Text<1, 255>>,
    }
}

/// Starts a session with a card, or as the driver who is logged in.
///
/// The card gets what it would get at the reader of the charger. The answer sets a cookie, which alone opens the session. Without
/// `id_tag` the session is that of the user as whom the organization of the charger knows the driver, as by `POST /v1.1/sessions`
/// with `user`; every browser with a login of the driver opens it.
/// After five cards that are not accepted an address is locked for a minute, then for longer and longer; so is an EVSE after
/// fifty in an hour. A charger that is not for everybody starts with cards that are known there; for all others it does not
/// exist (404).
#[utoipa::path(tag = "driver", security(()), params(("code" = String, Path, description = "The code of the EVSE")),
    request_body = NewDriverSession, responses((status = CREATED, body = Reply<DriverSession>), DriverStartErrors))]
#[post("/evses/{code}/sessions")]
async fn start_driver_session(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    driver: Anybody,
    (link, performer): (web::Data<SharedLink>, web::Data<Performer>),
    code: web::Path<String>,
    Body(given): Body<NewDriverSession>,
) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    if given.id_tag.is_none() && driver.0.is_none() {
        // Whatever the code: which chargers there are is not shown by this.
        return Err(card_needed("is required, unless a driver is logged in"));
    }
    let code = code.into_inner();
    let charger = ctx.db.read(move |conn| Charger::find(conn, &code)).await?;
    let organization = charger.evse.organization_id;
    note_user(&request, &driver, organization);
    let (connector, user) = match &given.id_tag {
        Some(card) => {
            let (from, card) = (client_address(&request), card.to_string());
            admit_card(&ctx, &access, from, charger, (card, given.connector)).await?
        }
        None => admit_driver(&ctx, &driver, charger, given.connector).await?,
    };
    let new = NewSession {
        connector,
        user,
        target: None,
        kind: None,
        departure_time: None,
        energy_need: None,
        id_tag: given.id_tag.and_then(|card| Line::try_from(card.to_string()).ok()),
        meta_data: None,
    };
    let session = sessions::start_session((ctx.clone(), link, performer), organization, new).await?;
    let mut response = answer(StatusCode::CREATED, "Created", session.clone());
    access.cookies.set(&mut response, &request, &session, ctx.clock.now());
    Ok(response)
}

/// Notes who asks, where an organization knows the driver who is logged in.
fn note_user(request: &HttpRequest, driver: &Anybody, organization: OrganizationId) {
    if let Some(user) = driver.user_of(organization) {
        note(&Noted::of(request), user);
    }
}

fn card_needed(why: &str) -> ApiError {
    ApiError::field("id_tag", "required", why)
}

/// The connector, and the user that a driver who is logged in is at a charger.
async fn admit_driver(
    ctx: &Ctx,
    driver: &Anybody,
    charger: Charger,
    wanted: Option<ConnectorId>,
) -> ApiResult<(ConnectorId, Option<UserId>)> {
    if !driver.sight().sees(&charger.station) {
        return Err(unknown());
    }
    let organization = charger.evse.organization_id;
    let Some(user) = driver.user_of(organization) else {
        let named = ctx.db.read(move |conn| organizations::find_organization(conn, organization)).await?.name;
        return Err(card_needed(&format!("is required here: {named} has no user with your address")));
    };
    Ok((charger.connector(wanted)?, Some(user.id)))
}

/// The connector and the driver of a card that may charge at a charger.
async fn admit_card(
    ctx: &Ctx,
    access: &DriverAccess,
    address: IpAddr,
    charger: Charger,
    (id_tag, wanted): (String, Option<ConnectorId>),
) -> ApiResult<(ConnectorId, Option<UserId>)> {
    let (now, evse) = (ctx.clock.now(), charger.evse.id);
    access.attempts.take(address, evse, now).map_err(|until| {
        let message = "Too many cards that were not accepted; wait, or hold the card to the reader";
        ApiError::new(Code::TooManyRequests, message).retry_after(until.since(now).as_secs() + 1)
    })?;
    let connector = charger.connector(wanted);
    let begins = Begun { at: connector.as_ref().ok().copied(), name: None };
    let (organization, station) = (charger.evse.organization_id, charger.station.id);
    let judged = ctx.db.read(move |conn| {
        let presented = Presented { organization, station, begins: Some(begins), id_tag: &id_tag };
        sessions::judge(conn, presented, now)
    });
    let known = judged.await?;
    let for_everybody = charger.station.is_for_everybody();
    let accepted = known.status == AuthorizationStatus::Accepted && (for_everybody || !known.is_unknown);
    match accepted {
        true => access.attempts.accepted(address, evse),
        false if for_everybody => return Err(ApiError::field("id_tag", "invalid", "is not accepted here")),
        false => return Err(unknown()),
    }
    Ok((connector?, known.user))
}

/// An answer that no cache may keep.
fn answer(status: StatusCode, said: &str, session: Session) -> HttpResponse {
    let mut response = reply(status, said, DriverSession::from(session));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The session at a charger, where the request has its cookie, or it is that of the driver who is logged in; anybody else's does not
/// exist.
async fn own_session(
    request: &HttpRequest,
    ctx: &Ctx,
    (access, driver): (&DriverAccess, &Anybody),
    (code, id): (String, String),
) -> ApiResult<Session> {
    let missing = || ApiError::not_found("session that this browser or your account started");
    let id: SessionId = id.parse().map_err(|_| missing())?;
    let read = ctx.db.read(move |conn| {
        let (evse, _) = stations::find_by_code(conn, &code)?.ok_or(StoreError::NotFound)?;
        let session = sessions::find_session(conn, evse.organization_id, id)?;
        let here = session.chargestation_id == evse.chargestation_id;
        here.then_some(session).ok_or(StoreError::NotFound)
    });
    let session = read.await.map_err(|error| match error {
        StoreError::NotFound => missing(),
        other => other.into(),
    })?;
    note_user(request, driver, session.organization_id);
    let is_own = driver.0.as_ref().is_some_and(|account| account.owns(&session));
    let opens = is_own || access.cookies.opens(request, &session, ctx.clock.now());
    opens.then_some(session).ok_or_else(missing)
}

/// Reads the own session.
///
/// It needs the cookie that starting it set, or that of a login of its driver.
#[utoipa::path(tag = "driver", security(()),
    params(("code" = String, Path, description = "The code of the EVSE"), ("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<DriverSession>), DriverSessionErrors))]
#[get("/evses/{code}/sessions/{id}")]
async fn get_driver_session(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    driver: Anybody,
    path: web::Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let session = own_session(&request, &ctx, (&access, &driver), path.into_inner()).await?;
    Ok(answer(StatusCode::OK, "Found", session))
}

/// Stops the own session.
///
/// It needs the cookie that starting it set, or that of a login of its driver. It is `ended` when the station says so.
#[utoipa::path(tag = "driver", security(()),
    params(("code" = String, Path, description = "The code of the EVSE"), ("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<DriverSession>), DriverSessionErrors))]
#[post("/evses/{code}/sessions/{id}/stop")]
async fn stop_driver_session(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    driver: Anybody,
    (performer, signals, patience): (web::Data<Performer>, web::Data<Signals>, web::Data<Patience>),
    path: web::Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    let session = own_session(&request, &ctx, (&access, &driver), path.into_inner()).await?;
    let stopping = Stopping::new((ctx, performer), (signals, patience), session.organization_id, session.id);
    let (session, said) = stopping.stop(false).await?;
    Ok(answer(StatusCode::OK, said, session))
}

/// Lists the sessions of the driver who is logged in, with every operator that knows the driver.
///
/// `format=csv` answers a file with all of them.
#[utoipa::path(tag = "driver", security(()), params(ListParameters, PeriodFilter),
    responses((status = OK, body = ListReply<OwnSession>), DriverListErrors))]
#[get("/sessions")]
async fn list_driver_sessions(
    LoggedIn(account): LoggedIn,
    ctx: Ctx,
    query: ListQuery<PeriodFilter>,
) -> ApiResult<HttpResponse> {
    let ids = account.ids();
    let listed = list::respond(&ctx, query, move |conn, query| {
        let page = sessions::sessions_of_users(conn, &ids, query)?;
        let places = Places::of(conn, &page.rows)?;
        Ok(page.map(|session| places.view(session)))
    });
    let mut response = listed.await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
