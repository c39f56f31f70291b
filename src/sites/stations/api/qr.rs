//! QR codes: of an EVSE the URL of the page where drivers charge there, which ends in the code of the EVSE, and that of the connector
//! where connectors work at the same time; of a station the URL that is entered at the charger.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, get};
use qrcode::render::svg;
use qrcode::{Color, QrCode};

use crate::filters;
use crate::http::caller::{ReadEvses, ReadStations};
use crate::http::docs::OneErrors;
use crate::http::error::Faults;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Code, Ctx, PathId, Query};
use crate::sites::stations::model::evse::Evse;
use crate::sites::stations::model::station::StationView;
use crate::sites::stations::store::{connectors, evses, public, station_view, stations};
use crate::store::Conn;
use kernel::{ConnectorId, EvseId, OrganizationId, StationId};

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_evse_qr_svg).service(get_evse_qr_png).service(get_chargestation_qr_svg);
}

filters! {
    /// Which connector.
    pub(crate) struct QrParameters {
        /// The connector; needed where several work at the same time.
        pub connector: ConnectorId,
        /// Whether a browser is to save the picture and not to show it.
        pub download: bool,
    }
}

filters! {
    /// What is done with the picture.
    pub(crate) struct PictureParameters {
        /// Whether a browser is to save the picture and not to show it.
        pub download: bool,
    }
}

/// Pixels of a module.
const SCALE: usize = 8;
/// Modules of white around the code, as the standard asks for.
const QUIET: usize = 4;

fn wrong(message: &str) -> ApiError {
    let mut faults = Faults::default();
    faults.add("connector", "invalid", message);
    ApiError::faulty(Code::InvalidQuery, faults)
}

/// What the page of the EVSE is called.
fn code(conn: &mut Conn, organization: OrganizationId, id: EvseId, wanted: Option<ConnectorId>) -> ApiResult<String> {
    let evse = evses::find(conn, organization, id).map_err(|error| ApiError::missing(error, "EVSE"))?;
    let mut own = connectors::connectors_of_station(conn, evse.chargestation_id)?;
    own.retain(|connector| connector.evse_id == id);
    let chosen = match wanted {
        Some(wanted) => {
            let found = own.iter().find(|connector| connector.id == wanted);
            Some(found.ok_or_else(|| wrong("is no connector of this EVSE"))?)
        }
        None => None,
    };
    let named = public::find_by_code(conn, &evse.code)?;
    let is_unique = named.is_some_and(|(found, _)| found.id == id);
    let shown = Evse { code: if is_unique { evse.code.clone() } else { id.to_string() }, ..evse };
    match chosen {
        None if shown.simultaneous && own.len() > 1 => {
            Err(wrong("is needed: several connectors work at the same time"))
        }
        None => Ok(shown.code),
        Some(connector) => Ok(shown.code_at(&connector.code_or_number(), own.len())),
    }
}

/// The part of a path that says this text.
fn segment(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' | b'*' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The page where drivers charge at the EVSE with this code.
fn page(ctx: &Ctx, code: &str) -> String {
    format!("{}/e/{}", ctx.public_url(), segment(code))
}

fn qr_code(text: &str) -> ApiResult<QrCode> {
    QrCode::new(text).map_err(|_| ApiError::conflict("The text is too long for a QR code"))
}

fn svg(code: &QrCode) -> String {
    code.render::<svg::Color<'_>>().min_dimensions(256, 256).build()
}

/// A picture, to be saved by this name where that is asked for.
fn answer(kind: &'static str, download: Option<bool>, name: &str, picture: impl Into<Vec<u8>>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if download == Some(true) {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
        let name: String = name.chars().map(plain).collect();
        response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    }
    response.content_type(kind).body(picture.into())
}

/// The QR code of an EVSE as SVG.
///
/// It says `<public URL>/e/<code>`, the page where drivers see the price and charge. Codes that were printed as text alone lead to
/// the same EVSE, where a driver types them.
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE"), QrParameters),
    responses((status = OK, content_type = "image/svg+xml", body = String, description = "The picture"), OneErrors))]
#[get("/evses/{id}/qr.svg")]
async fn get_evse_qr_svg(
    caller: Caller<ReadEvses>,
    ctx: Ctx,
    PathId(id): PathId<EvseId>,
    Query(parameters): Query<QrParameters>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let code = ctx.db.read(move |conn| code(conn, organization, id, parameters.connector)).await?;
    let picture = svg(&qr_code(&page(&ctx, &code))?);
    Ok(answer("image/svg+xml", parameters.download, &format!("{code}.svg"), picture))
}

/// The QR code of an EVSE as PNG.
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE"), QrParameters),
    responses((status = OK, content_type = "image/png", body = Vec<u8>, description = "The picture"), OneErrors))]
#[get("/evses/{id}/qr.png")]
async fn get_evse_qr_png(
    caller: Caller<ReadEvses>,
    ctx: Ctx,
    PathId(id): PathId<EvseId>,
    Query(parameters): Query<QrParameters>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let code = ctx.db.read(move |conn| code(conn, organization, id, parameters.connector)).await?;
    let picture = png(&qr_code(&page(&ctx, &code))?);
    let picture = picture.map_err(|error| crate::store::StoreError::Failed(error.to_string()))?;
    Ok(answer("image/png", parameters.download, &format!("{code}.png"), picture))
}

/// The connection URL of a charge station as a QR code, SVG.
///
/// It is what is entered at the charger: `connection_url` of the station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), PictureParameters),
    responses((status = OK, content_type = "image/svg+xml", body = String, description = "The picture"), OneErrors))]
#[get("/chargestations/{id}/qr.svg")]
async fn get_chargestation_qr_svg(
    caller: Caller<ReadStations>,
    ctx: Ctx,
    PathId(id): PathId<StationId>,
    Query(parameters): Query<PictureParameters>,
) -> ApiResult<HttpResponse> {
    let (organization, base, now) = (caller.organization(), ctx.websocket_url.clone(), ctx.clock.now());
    let read = ctx.db.read(move |conn| -> ApiResult<StationView> {
        let station = stations::find_station(conn, organization, id);
        let station = station.map_err(|error| ApiError::missing(error, "charge station"))?;
        Ok(station_view(conn, station, &base, now)?)
    });
    let station = read.await?;
    let picture = svg(&qr_code(&station.connection_url)?);
    Ok(answer("image/svg+xml", parameters.download, &format!("{id}.svg"), picture))
}

/// A picture in grey, a byte a pixel.
fn png(code: &QrCode) -> Result<Vec<u8>, png::EncodingError> {
    let (colors, modules) = (code.to_colors(), code.width());
    let side = (modules + 2 * QUIET) * SCALE;
    let dark = |x: usize, y: usize| {
        let (column, row) = ((x / SCALE).checked_sub(QUIET), (y / SCALE).checked_sub(QUIET));
        let inside = column.zip(row).filter(|(column, row)| *column < modules && *row < modules);
        inside.and_then(|(column, row)| colors.get(row * modules + column)) == Some(&Color::Dark)
    };
    let pixels: Vec<u8> =
        (0..side * side).map(|index| if dark(index % side, index / side) { 0 } else { 255 }).collect();
    let width = u32::try_from(side).unwrap_or(0);
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stays_one_segment_of_a_path() {
        assert_eq!(segment("K3M9X7PA*2"), "K3M9X7PA*2");
        assert_eq!(segment("Hof 7/ä?"), "Hof%207%2F%C3%A4%3F");
    }
}
