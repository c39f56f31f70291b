//! The endpoints of configuration templates.

use actix_web::{HttpResponse, delete, get, patch, post};

use super::model::{NewTemplate, Template, TemplateFilter, TemplatePatch, TemplateView};
use super::store;
use crate::events::{Change, EventKind};
use crate::http::caller::{ReadTemplates, WriteTemplates};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId};
use crate::sites::locations;
use crate::store::{Conn, StoreError};
use kernel::TemplateId;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_configuration_templates)
        .service(create_configuration_template)
        .service(get_configuration_template)
        .service(update_configuration_template)
        .service(delete_configuration_template);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "configuration template")
}

/// The view, after its event was recorded.
fn recorded(change: &mut Change<'_>, template: Template, kind: EventKind) -> ApiResult<TemplateView> {
    let view = TemplateView::from(template);
    change.record(kind, &view)?;
    Ok(view)
}

fn check_location(conn: &mut Conn, template: &Template) -> ApiResult<()> {
    match template.location_id {
        Some(id) => locations::require(conn, template.organization_id, id, "location").map(drop),
        None => Ok(()),
    }
}

/// Lists configuration templates.
#[utoipa::path(tag = "configuration templates", params(ListParameters, TemplateFilter),
    responses((status = OK, body = ListReply<TemplateView>), ListErrors))]
#[get("/configuration_templates")]
async fn list_configuration_templates(
    caller: Caller<ReadTemplates>,
    ctx: Ctx,
    query: ListQuery<TemplateFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(TemplateView::from)))
        .await
}

/// Creates a configuration template; stations get it when they next connect.
#[utoipa::path(tag = "configuration templates", request_body = NewTemplate,
    responses((status = CREATED, body = Reply<TemplateView>), WriteErrors))]
#[post("/configuration_templates")]
async fn create_configuration_template(
    caller: Caller<WriteTemplates>,
    ctx: Ctx,
    Body(new): Body<NewTemplate>,
) -> ApiResult<Created<TemplateView>> {
    let change = ctx.change(caller.organization());
    let template = Template::new(new, change.organization, &change.moment)?;
    change
        .answer(move |change| {
            check_location(change.conn, &template)?;
            store::insert(change.conn, &template)?;
            recorded(change, template.clone(), EventKind::ConfigurationTemplateCreated).map(Created)
        })
        .await
}

/// Reads a configuration template.
#[utoipa::path(tag = "configuration templates", params(("id" = TemplateId, Path, description = "The template")),
    responses((status = OK, body = Reply<TemplateView>), OneErrors))]
#[get("/configuration_templates/{id}")]
async fn get_configuration_template(
    caller: Caller<ReadTemplates>,
    ctx: Ctx,
    PathId(id): PathId<TemplateId>,
) -> ApiResult<Found<TemplateView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| store::find(conn, organization, id));
    Ok(Found(found.await.map_err(missing)?.into()))
}

/// Changes a configuration template (JSON merge patch).
#[utoipa::path(tag = "configuration templates", params(("id" = TemplateId, Path, description = "The template")),
    request_body = TemplatePatch, responses((status = OK, body = Reply<TemplateView>), WriteErrors))]
#[patch("/configuration_templates/{id}")]
async fn update_configuration_template(
    caller: Caller<WriteTemplates>,
    ctx: Ctx,
    PathId(id): PathId<TemplateId>,
    if_match: IfMatch,
    Body(patch): Body<TemplatePatch>,
) -> ApiResult<Changed<TemplateView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let template = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(template.updated_at)?;
            let template = template.apply(patch.clone(), change.moment)?;
            check_location(change.conn, &template)?;
            store::update(change.conn, &template)?;
            recorded(change, template, EventKind::ConfigurationTemplateUpdated).map(Changed)
        })
        .await
}

/// Deletes a configuration template; what it set stays set.
#[utoipa::path(tag = "configuration templates", params(("id" = TemplateId, Path, description = "The template")),
    responses((status = OK, body = Reply<TemplateView>), DeleteErrors))]
#[delete("/configuration_templates/{id}")]
async fn delete_configuration_template(
    caller: Caller<WriteTemplates>,
    ctx: Ctx,
    PathId(id): PathId<TemplateId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<TemplateView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let template = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(template.updated_at)?;
            store::delete(change.conn, id)?;
            recorded(change, template, EventKind::ConfigurationTemplateDeleted).map(Deleted)
        })
        .await
}
