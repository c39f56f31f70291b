//! Chargers as drivers find them: on the map, and by the code of an EVSE.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, web};

use super::super::account::Anybody;
use super::super::prices::DriverRate;
use super::super::views::{DriverConnector, DriverEvse, DriverPlace, DriverStation, by_station};
use crate::charging::sessions;
use crate::http::docs::DriverErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::geo::{self, Bounds};
use crate::http::query::{FromQuery, Near, QueryReader, read_near};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Code, Ctx, Query};
use crate::people::organizations;
use crate::sites::locations::{self, Coordinates, Location};
use crate::sites::stations::{self, Evse, PublicStation, Station};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

/// Stations that are looked at for one list, …
const MOST_LOOKED_AT: i64 = 10_000;
/// … and those that it has.
const MOST_SHOWN: usize = 1_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list_driver_chargestations).service(get_driver_evse);
}

/// From where distances are measured.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DriverPosition {
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

/// Lists stations that the driver sees, the nearest first.
///
/// These are public and visible, of every organization; at most 1000. With `near` those without a place are left out. A driver who is
/// logged in also sees what else is visible of the organizations that know the driver, and where the driver is in the private group
/// all of it.
#[utoipa::path(tag = "driver", security(()), params(DriverPosition),
    responses((status = OK, body = Reply<Vec<DriverStation>>), DriverErrors))]
#[get("/chargestations")]
async fn list_driver_chargestations(
    ctx: Ctx,
    driver: Anybody,
    Query(position): Query<DriverPosition>,
) -> ApiResult<HttpResponse> {
    let (near, sight) = (position.near, driver.sight());
    let read = ctx.db.read(move |conn| {
        let bounds = near.and_then(|near| Some(Bounds::around(near, near.radius_km?)));
        let rows = stations::public_stations(conn, &sight, bounds, MOST_LOOKED_AT)?;
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
    Ok(seen_by(&driver, reply(StatusCode::OK, "Found", read.await?)))
}

/// What is shown to one driver is kept by no cache.
fn seen_by(driver: &Anybody, mut response: HttpResponse) -> HttpResponse {
    if driver.0.is_some() {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn station_of(row: PublicStation, place: Option<&Location>, near: Option<Near>) -> DriverStation {
    let own = row.longitude.zip(row.latitude).map(|(longitude, latitude)| Coordinates { longitude, latitude });
    let coordinates = own.or_else(|| place.map(|place| place.coordinates));
    let distance = |place: Coordinates| Some(geo::distance_km(near?, place.longitude, place.latitude));
    DriverStation {
        id: row.id,
        name: row.name,
        online: row.online,
        public: row.public,
        visible: row.visible,
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
pub(super) struct Charger {
    pub evse: Evse,
    pub station: Station,
    place: Option<Location>,
    connectors: Vec<DriverConnector>,
}

pub(super) fn unknown() -> ApiError {
    ApiError::new(Code::NotFound, "There is no charger with this code")
}

impl Charger {
    pub(super) fn find(conn: &mut Conn, code: &str) -> ApiResult<Self> {
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
            public: self.station.public,
            visible: self.station.visible,
            organization: organization.into(),
            location: self.place.as_ref().map(DriverPlace::from),
            connectors: self.connectors,
            rate: tariff.and_then(|(tariff, zone)| DriverRate::at(&tariff, now, zone)),
        })
    }

    /// The connector that is meant: the one that is named, else the only one, else the only one with a car.
    pub(super) fn connector(&self, wanted: Option<ConnectorId>) -> ApiResult<ConnectorId> {
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
/// that the driver does not see lead nowhere.
#[utoipa::path(tag = "driver", security(()), params(("code" = String, Path, description = "The code of the EVSE")),
    responses((status = OK, body = Reply<DriverEvse>), DriverErrors))]
#[get("/evses/{code}")]
async fn get_driver_evse(ctx: Ctx, driver: Anybody, code: web::Path<String>) -> ApiResult<HttpResponse> {
    let (now, code, sight) = (ctx.clock.now(), code.into_inner(), driver.sight());
    let read = ctx.db.read(move |conn| {
        let charger = Charger::find(conn, &code)?;
        if !sight.sees(&charger.station) {
            return Err(unknown());
        }
        Ok(charger.view(conn, now)?)
    });
    Ok(seen_by(&driver, reply(StatusCode::OK, "Found", read.await?)))
}
