//! The QR code of an EVSE: its code, and the connector's where connectors work at the same time.

use actix_web::{HttpResponse, get};
use qrcode::render::svg;
use qrcode::{Color, QrCode};

use crate::filters;
use crate::http::caller::ReadEvses;
use crate::http::docs::OneErrors;
use crate::http::error::Faults;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Code, Ctx, PathId, Query};
use crate::sites::stations::store::{connectors, evses};
use crate::store::Conn;
use kernel::{ConnectorId, EvseId, OrganizationId};

/// Adds these endpoints.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_evse_qr_svg).service(get_evse_qr_png);
}

filters! {
    /// Which connector.
    pub(crate) struct QrParameters {
        /// The connector; needed where several work at the same time.
        pub connector: ConnectorId,
    }
}

/// Stands between the code of an EVSE and that of its connector.
const SEPARATOR: char = '*';
/// Pixels of a module.
const SCALE: usize = 8;
/// Modules of white around the code, as the standard asks for.
const QUIET: usize = 4;

fn wrong(message: &str) -> ApiError {
    let mut faults = Faults::default();
    faults.add("connector", "invalid", message);
    ApiError::faulty(Code::InvalidQuery, faults)
}

/// What the code says.
fn text(conn: &mut Conn, organization: OrganizationId, id: EvseId, wanted: Option<ConnectorId>) -> ApiResult<String> {
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
    if !evse.simultaneous || own.len() < 2 {
        return Ok(evse.code);
    }
    let connector = chosen.ok_or_else(|| wrong("is needed: several connectors work at the same time"))?;
    let code = connector.code.clone().unwrap_or_else(|| connector.number.to_string());
    Ok(format!("{}{SEPARATOR}{code}", evse.code))
}

async fn qr_code(
    ctx: &Ctx,
    organization: OrganizationId,
    id: EvseId,
    wanted: Option<ConnectorId>,
) -> ApiResult<QrCode> {
    let text = ctx.db.read(move |conn| text(conn, organization, id, wanted)).await?;
    QrCode::new(text).map_err(|_| ApiError::conflict("The code is too long for a QR code"))
}

/// The QR code of an EVSE as SVG.
#[utoipa::path(tag = "evses", params(("id" = EvseId, Path, description = "The EVSE"), QrParameters),
    responses((status = OK, content_type = "image/svg+xml", body = String, description = "The picture"), OneErrors))]
#[get("/evses/{id}/qr.svg")]
async fn get_evse_qr_svg(
    caller: Caller<ReadEvses>,
    ctx: Ctx,
    PathId(id): PathId<EvseId>,
    Query(parameters): Query<QrParameters>,
) -> ApiResult<HttpResponse> {
    let code = qr_code(&ctx, caller.organization(), id, parameters.connector).await?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(256, 256).build();
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(picture))
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
    let code = qr_code(&ctx, caller.organization(), id, parameters.connector).await?;
    let picture = png(&code).map_err(|error| crate::store::StoreError::Failed(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type("image/png").body(picture))
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
