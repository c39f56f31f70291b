//! The endpoints of logos: an organization sets its own, and everybody may fetch it, for pages show it before a login.
//!
//! What is served is what was judged to be a picture, under the type of its bytes; whatever else were in it, no browser would run it:
//! the answer says not to guess its type, and its policy allows nothing.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue,
};
use actix_web::{HttpRequest, HttpResponse, delete, get, put};
use sha2::{Digest as _, Sha256};

use super::model::OrganizationView;
use super::picture;
use super::store::{self, Logo};
use crate::events::EventKind;
use crate::http::caller::WriteOrganization;
use crate::http::docs::{DeleteErrors, LogoErrors, NewLogoErrors};
use crate::http::envelope::Reply;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Changed, Ctx, IfMatch, PathId, Raw, has};
use crate::json_schema;
use kernel::OrganizationId;
use kernel::spelled::Spelled as _;

/// Bytes that a logo may have: more than a picture of this size needs, and little for the store and for who fetches it.
const LARGEST: usize = 256 * 1024;

/// Nothing is loaded, nothing runs, nothing is framed, and it has no origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
);
/// Another logo has another address; who keeps the address without a version sees it within minutes.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// Pages of others may show it.
const RESOURCE_POLICY: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));

/// A picture in the OpenAPI document.
enum PictureBytes {}

json_schema!(PictureBytes, {"type": "string", "format": "binary"});

/// Adds the endpoints that change a logo.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(set_logo).service(delete_logo);
}

/// Adds the endpoint that needs no key.
pub fn open_routes(config: &mut ServiceConfig) {
    config.service(get_logo);
}

/// Sets the logo of the caller's organization.
///
/// The body is the picture itself: PNG, JPEG or WebP, at most 256 KiB and 2048 pixels a side. Its kind is found by its bytes, whatever
/// `Content-Type` says. SVG is refused, because it may carry scripts, and so is a file in which something stands behind the picture.
#[utoipa::path(tag = "organization",
    request_body(description = "The picture", content(
        (PictureBytes = "image/png"), (PictureBytes = "image/jpeg"), (PictureBytes = "image/webp")
    )),
    responses((status = OK, body = Reply<OrganizationView>), NewLogoErrors))]
#[put("/organization/logo")]
async fn set_logo(
    caller: Caller<WriteOrganization>,
    ctx: Ctx,
    if_match: IfMatch,
    Raw(bytes): Raw<LARGEST>,
) -> ApiResult<Changed<OrganizationView>> {
    let kind = picture::judge(&bytes).map_err(|fault| ApiError::field("logo", "invalid", fault.to_string()))?;
    let hash = hex::encode(Sha256::digest(&bytes));
    ctx.change(caller.organization())
        .write(move |change| {
            let mut organization = store::find_organization(change.conn, change.organization)?;
            if_match.check(organization.updated_at)?;
            let now = change.moment.now;
            let logo = Logo {
                organization_id: organization.id,
                media_type: kind,
                hash: hash.clone(),
                bytes: bytes.to_vec(),
                updated_at: now,
            };
            store::replace_logo(change.conn, &logo)?;
            organization.logo_hash = Some(logo.hash);
            organization.updated_at = change.moment.version_after(organization.updated_at);
            store::update_organization(change.conn, &organization)?;
            let view = OrganizationView::from(organization);
            change.record(EventKind::OrganizationUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Takes the logo of the caller's organization away.
#[utoipa::path(tag = "organization", responses((status = OK, body = Reply<OrganizationView>), DeleteErrors))]
#[delete("/organization/logo")]
async fn delete_logo(
    caller: Caller<WriteOrganization>,
    ctx: Ctx,
    if_match: IfMatch,
) -> ApiResult<Changed<OrganizationView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut organization = store::find_organization(change.conn, change.organization)?;
            if_match.check(organization.updated_at)?;
            organization.logo_hash.take().ok_or_else(missing)?;
            store::delete_logo(change.conn, organization.id)?;
            organization.updated_at = change.moment.version_after(organization.updated_at);
            store::update_organization(change.conn, &organization)?;
            let view = OrganizationView::from(organization);
            change.record(EventKind::OrganizationUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

fn missing() -> ApiError {
    ApiError::not_found("logo")
}

/// Fetches an organization's logo; it needs no key.
///
/// Its address is in `logo` of what shows the organization. The answer has a strong `ETag`; `If-None-Match` is answered with 304.
#[utoipa::path(tag = "organization", security(()),
    params(("id" = OrganizationId, Path, description = "The organization")),
    responses(
        (status = OK, description = "The picture", content(
            (PictureBytes = "image/png"), (PictureBytes = "image/jpeg"), (PictureBytes = "image/webp")
        )),
        LogoErrors
    ))]
#[get("")]
async fn get_logo(request: HttpRequest, ctx: Ctx, PathId(id): PathId<OrganizationId>) -> ApiResult<HttpResponse> {
    let logo = ctx.db.read(move |conn| store::find_logo(conn, id)).await;
    let logo = logo.map_err(|error| ApiError::missing(error, "logo"))?;
    let tag = format!("\"{}\"", logo.hash);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((ETAG, tag.as_str()))
        .insert_header((CACHE_CONTROL, KEPT))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(RESOURCE_POLICY);
    if has(&request, &tag) {
        return Ok(response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    let name = format!("inline; filename=\"logo.{}\"", logo.media_type.extension());
    Ok(response.insert_header((CONTENT_DISPOSITION, name)).content_type(logo.media_type.as_str()).body(logo.bytes))
}
