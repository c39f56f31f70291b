//! The endpoints of drivers, which need no key.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::DriverAccess;
use super::prices::DriverRate;
use super::views::{DriverConnector, DriverEvse, DriverPlace, DriverSession, DriverStation, by_station};
use crate::charging::sessions::{self, Begun, NewSession, Patience, Presented, Session, Stopping};
use crate::control::actions::Performer;
use crate::http::docs::{DriverErrors, DriverSessionErrors, DriverStartErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::geo::{self, Bounds};
use crate::http::origin::require_own_origin;
use crate::http::query::{FromQuery, Near, QueryReader, read_near};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Code, Ctx, Query, client_address};
use crate::input;
use crate::people::organizations;
use crate::people::tokens::AuthorizationStatus;
use crate::sites::locations::{self, Coordinates, Location};
use crate::sites::stations::link::{SharedLink, Signals};
use crate::sites::stations::{self, Evse, PublicStation, Station};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::text::{Line, Text};
use kernel::*;

/// Stations that are looked at for one list, …
const MOST_LOOKED_AT: i64 = 10_000;
/// … and those that it has.
const MOST_SHOWN: usize = 1_000;

/// Adds these endpoints.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_driver_chargestations)
        .service(get_driver_evse)
        .service(start_driver_session)
        .service(get_driver_session)
        .service(stop_driver_session);
}

/// From where distances are measured.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DriverPosition {
    /// `longitude,latitude`: adds `distance_km` and sorts by it.
    #[param(required = false, value_type = String, pattern = r"^-?\d+(\.\d+)?,-?\d+(\.\d+)?$", example = "4.89,52.37")]
    near: Option<Near>,
    /// Only what is at most this far from `near`.
    #[param(required = false, exclusive_minimum = 0.0)]
    #[expect(dead_code, reason = "only its documentation is used; `near` has it")]
    radius_km: f64,
}

impl FromQuery for DriverPosition {
    fn from_query(reader: &mut QueryReader) -> Self {
        Self { near: read_near(reader), radius_km: 0.0 }
    }
}

/// Lists stations that everybody sees, the nearest first.
///
/// These are public and visible, of every organization; at most 1000. With `near` those without a place are left out.
#[utoipa::path(tag = "driver", security(()), params(DriverPosition),
    responses((status = OK, body = Reply<Vec<DriverStation>>), DriverErrors))]
#[get("/chargestations")]
async fn list_driver_chargestations(ctx: Ctx, Query(position): Query<DriverPosition>) -> ApiResult<HttpResponse> {
    let near = position.near;
    let read = ctx.db.read(move |conn| {
        let bounds = near.and_then(|near| Some(Bounds::around(near, near.radius_km?)));
        let rows = stations::public_stations(conn, bounds, MOST_LOOKED_AT)?;
        let at: Vec<LocationId> = rows.iter().filter_map(|row| row.location_id).collect();
        let places = locations::find_many(conn, &at)?;
        let mut seen: Vec<DriverStation> = rows
            .into_iter()
            .map(|row| {
                let place = row.location_id.and_then(|id| places.get(&id));
                station_of(row, place, near)
            })
            .filter(|station| is_within(station, near))
            .collect();
        seen.sort_by(|one, other| one.distance_km.unwrap_or(0.0).total_cmp(&other.distance_km.unwrap_or(0.0)));
        seen.truncate(MOST_SHOWN);
        let ids: Vec<StationId> = seen.iter().map(|station| station.id).collect();
        let evses = stations::evses_of_stations(conn, &ids)?;
        let mut connectors = by_station(&evses, &stations::views_of_stations(conn, &ids)?);
        for station in &mut seen {
            station.connectors = connectors.remove(&station.id).unwrap_or_default();
        }
        Ok::<_, StoreError>(seen)
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

fn station_of(row: PublicStation, place: Option<&Location>, near: Option<Near>) -> DriverStation {
    let own = row.longitude.zip(row.latitude).map(|(longitude, latitude)| Coordinates { longitude, latitude });
    let coordinates = own.or_else(|| place.map(|place| place.coordinates));
    let distance = |place: Coordinates| Some(geo::distance_km(near?, place.longitude, place.latitude));
    DriverStation {
        id: row.id,
        name: row.name,
        online: row.online,
        location: place.map(DriverPlace::from),
        distance_km: coordinates.and_then(distance),
        coordinates,
        connectors: Vec::new(),
    }
}

fn is_within(station: &DriverStation, near: Option<Near>) -> bool {
    let Some(near) = near else {
        return true;
    };
    let radius = near.radius_km.unwrap_or(f64::INFINITY);
    station.distance_km.is_some_and(|distance| distance <= radius)
}

/// An EVSE that a code leads to, with its station.
struct Charger {
    evse: Evse,
    station: Station,
    place: Option<Location>,
    connectors: Vec<DriverConnector>,
}

fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "There is no charger with this code")
}

impl Charger {
    fn find(conn: &mut Conn, code: &str) -> ApiResult<Self> {
        let (evse, named) = stations::find_by_code(conn, code)?.ok_or_else(unknown)?;
        let organization = evse.organization_id;
        let station = stations::find_station(conn, organization, evse.chargestation_id)?;
        if !station.may_connect() {
            return Err(unknown());
        }
        let place = station.location_id.map(|id| locations::find(conn, organization, id)).transpose()?;
        let views = stations::views_of_stations(conn, &[station.id])?;
        let mut connectors = DriverConnector::of_evse(&evse, &views);
        if let Some(named) = named {
            connectors.retain(|connector| connector.id() == named);
        }
        Ok(Self { evse, station, place, connectors })
    }

    fn view(self, conn: &mut Conn, now: Timestamp) -> StoreResult<DriverEvse> {
        let first = self.connectors.first().map(DriverConnector::id);
        let tariff = match first {
            Some(connector) => sessions::tariff_of(conn, self.evse.organization_id, connector, now)?,
            None => None,
        };
        let status = stations::status_of_evse(conn, self.evse.id)?;
        let organization = organizations::find_organization(conn, self.evse.organization_id)?;
        Ok(DriverEvse {
            code: self.evse.code,
            name: self.evse.name.or(self.station.name),
            status,
            online: self.station.online,
            organization: organization.into(),
            location: self.place.as_ref().map(DriverPlace::from),
            connectors: self.connectors,
            rate: tariff.and_then(|(tariff, zone)| DriverRate::at(&tariff, now, zone)),
        })
    }

    /// The connector that is meant: the one that is named, else the only one, else the only one with a car.
    fn connector(&self, wanted: Option<ConnectorId>) -> ApiResult<ConnectorId> {
        if let Some(wanted) = wanted {
            let found = self.connectors.iter().any(|connector| connector.id() == wanted);
            let missing = || ApiError::field("connector", "not_found", "is no connector of this charger");
            return found.then_some(wanted).ok_or_else(missing);
        }
        let only = |all: &[&DriverConnector]| match all {
            [one] => Some(one.id()),
            _ => None,
        };
        let all: Vec<_> = self.connectors.iter().collect();
        let plugged_in: Vec<_> = all.iter().copied().filter(|connector| connector.is_plugged_in()).collect();
        only(&all)
            .or_else(|| only(&plugged_in))
            .ok_or_else(|| ApiError::field("connector", "required", "is needed: this charger has several"))
    }
}

/// Reads what a driver sees who stands before an EVSE.
///
/// Its price is the one that holds now for who starts now. The code is that of the EVSE, as its QR code has it; those of stations
/// that are not for everybody lead nowhere.
#[utoipa::path(tag = "driver", security(()), params(("code" = String, Path, description = "The code of the EVSE")),
    responses((status = OK, body = Reply<DriverEvse>), DriverErrors))]
#[get("/evses/{code}")]
async fn get_driver_evse(ctx: Ctx, code: web::Path<String>) -> ApiResult<HttpResponse> {
    let (now, code) = (ctx.clock.now(), code.into_inner());
    let read = ctx.db.read(move |conn| {
        let charger = Charger::find(conn, &code)?;
        if !charger.station.is_for_everybody() {
            return Err(unknown());
        }
        Ok(charger.view(conn, now)?)
    });
    Ok(reply(StatusCode::OK, "Found", read.await?))
}

input! {
    /// What a driver starts with.
    #[schema(example = json!({"id_tag": "04A1B2C3D4"}))]
    pub(crate) struct NewDriverSession {
        /// Where; needed where the charger has several and not one alone has a car.
        pub connector: Option<ConnectorId>,
        /// The number of the card.
        pub id_tag: Text<1, 255>,
    }
}

/// Starts a session with a card.
///
/// The card gets what it would get at the reader of the charger. The answer sets a cookie, which alone opens the session.
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
    (link, performer): (web::Data<SharedLink>, web::Data<Performer>),
    code: web::Path<String>,
    Body(given): Body<NewDriverSession>,
) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    let code = code.into_inner();
    let charger = ctx.db.read(move |conn| Charger::find(conn, &code)).await?;
    let organization = charger.evse.organization_id;
    let (connector, user) = admit(&ctx, &access, client_address(&request), charger, &given).await?;
    let new = NewSession {
        connector,
        user,
        target: None,
        kind: None,
        departure_time: None,
        energy_need: None,
        id_tag: Line::try_from(given.id_tag.to_string()).ok(),
        meta_data: None,
    };
    let session = sessions::start_session((ctx.clone(), link, performer), organization, new).await?;
    let mut response = answer(StatusCode::CREATED, "Created", session.clone());
    access.cookies.set(&mut response, &request, &session, ctx.clock.now());
    Ok(response)
}

/// The connector and the driver of a card that may charge at a charger.
async fn admit(
    ctx: &Ctx,
    access: &DriverAccess,
    address: IpAddr,
    charger: Charger,
    given: &NewDriverSession,
) -> ApiResult<(ConnectorId, Option<UserId>)> {
    let (now, evse) = (ctx.clock.now(), charger.evse.id);
    access.attempts.take(address, evse, now).map_err(|until| {
        let message = "Too many cards that were not accepted; wait, or hold the card to the reader";
        ApiError::new(Code::TooManyRequests, message).retry_after(until.since(now).as_secs() + 1)
    })?;
    let connector = charger.connector(given.connector);
    let begins = Begun { at: connector.as_ref().ok().copied(), name: None };
    let (organization, station) = (charger.evse.organization_id, charger.station.id);
    let id_tag = given.id_tag.to_string();
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

/// The session at a charger, where the request has its cookie; anybody else's does not exist.
async fn own_session(
    request: &HttpRequest,
    ctx: &Ctx,
    access: &DriverAccess,
    (code, id): (String, String),
) -> ApiResult<Session> {
    let missing = || ApiError::not_found("session that this browser started");
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
    let opens = access.cookies.opens(request, &session, ctx.clock.now());
    opens.then_some(session).ok_or_else(missing)
}

/// Reads the own session; it needs the cookie that starting it set.
#[utoipa::path(tag = "driver", security(()),
    params(("code" = String, Path, description = "The code of the EVSE"), ("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<DriverSession>), DriverSessionErrors))]
#[get("/evses/{code}/sessions/{id}")]
async fn get_driver_session(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    path: web::Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let session = own_session(&request, &ctx, &access, path.into_inner()).await?;
    Ok(answer(StatusCode::OK, "Found", session))
}

/// Stops the own session; it needs the cookie that starting it set.
///
/// It is `ended` when the station says so.
#[utoipa::path(tag = "driver", security(()),
    params(("code" = String, Path, description = "The code of the EVSE"), ("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<DriverSession>), DriverSessionErrors))]
#[post("/evses/{code}/sessions/{id}/stop")]
async fn stop_driver_session(
    request: HttpRequest,
    ctx: Ctx,
    access: web::Data<DriverAccess>,
    (performer, signals, patience): (web::Data<Performer>, web::Data<Signals>, web::Data<Patience>),
    path: web::Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    require_own_origin(&request, &ctx.public_url())?;
    let session = own_session(&request, &ctx, &access, path.into_inner()).await?;
    let stopping = Stopping::new((ctx, performer), (signals, patience), session.organization_id, session.id);
    let (session, said) = stopping.stop(false).await?;
    Ok(answer(StatusCode::OK, said, session))
}
