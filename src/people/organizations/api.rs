//! The endpoints of the caller's organization and its API keys.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::api_key_cache::ApiKeyCache;
use super::model::*;
use super::{logo, store};
use crate::events::EventKind;
use crate::http::caller::{ReadApiKeys, ReadOrganization, WriteApiKeys, WriteOrganization};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::idempotency::Needs;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{
    Actor, ApiError, ApiResult, Body, Caller, Changed, Code, Created, Ctx, Deleted, Found, IfMatch, PathId, Principal,
};
use crate::store::Conn;
use kernel::ApiKeyId;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(get_organization)
        .service(update_organization)
        .configure(logo::routes)
        .service(list_api_keys)
        .service(create_api_key)
        .service(get_api_key)
        .service(update_api_key)
        .service(delete_api_key)
        .service(rotate_api_key);
}

/// Reads the caller's organization.
#[utoipa::path(tag = "organization", responses((status = OK, body = Reply<OrganizationView>), OneErrors))]
#[get("/organization")]
async fn get_organization(caller: Caller<ReadOrganization>, ctx: Ctx) -> ApiResult<Found<OrganizationView>> {
    let id = caller.organization();
    Ok(Found(ctx.db.read(move |conn| store::find_organization(conn, id)).await?.into()))
}

/// Changes the caller's organization (JSON merge patch).
#[utoipa::path(tag = "organization", request_body = OrganizationPatch,
    responses((status = OK, body = Reply<OrganizationView>), WriteErrors))]
#[patch("/organization")]
async fn update_organization(
    caller: Caller<WriteOrganization>,
    ctx: Ctx,
    if_match: IfMatch,
    Body(patch): Body<OrganizationPatch>,
) -> ApiResult<Changed<OrganizationView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut organization = store::find_organization(change.conn, change.organization)?;
            if_match.check(organization.updated_at)?;
            organization.apply(patch.clone(), change.moment)?;
            store::update_organization(change.conn, &organization)?;
            let view = OrganizationView::from(organization);
            change.record(EventKind::OrganizationUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Lists API keys; the keys themselves are never shown again.
#[utoipa::path(tag = "api keys", params(ListParameters, ApiKeyFilter),
    responses((status = OK, body = ListReply<ApiKeyView>), ListErrors))]
#[get("/api_keys")]
async fn list_api_keys(
    caller: Caller<ReadApiKeys>,
    ctx: Ctx,
    query: ListQuery<ApiKeyFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        Ok(store::page_of_keys(conn, organization, query)?.map(ApiKeyView::from))
    })
    .await
}

/// Creates an API key; this answer is the only place that shows it.
#[utoipa::path(tag = "api keys", request_body = NewApiKey,
    responses((status = CREATED, body = Reply<ApiKeyView>), WriteErrors))]
#[post("/api_keys")]
async fn create_api_key(
    caller: Caller<WriteApiKeys>,
    ctx: Ctx,
    Body(new): Body<NewApiKey>,
) -> ApiResult<Created<ApiKeyView>> {
    within((&caller.principal, &Needs::here()), &new.scopes.clone().unwrap_or_else(Scopes::all))?;
    let change = ctx.change(caller.organization());
    let (key, secret) = ApiKey::new(new, change.organization, &change.moment);
    change
        .answer(move |change| {
            store::insert_key(change.conn, &key)?;
            let view = ApiKeyView::from(key.clone());
            change.record(EventKind::ApiKeyCreated, &view)?;
            Ok(Created(ApiKeyView::with_secret(key.clone(), secret.clone())))
        })
        .await
}

fn missing(error: crate::store::StoreError) -> ApiError {
    ApiError::missing(error, "API key")
}

/// Refuses scopes that the caller lacks: a key that could make, change or remove a stronger one would be as strong.
fn within((caller, needs): (&Principal, &Needs), scopes: &Scopes) -> ApiResult<()> {
    let beyond: Vec<_> = scopes.0.iter().filter(|one| !caller.may(one)).collect();
    if beyond.is_empty() {
        scopes.0.iter().for_each(|scope| needs.note(scope));
        return Ok(());
    }
    let beyond = beyond.into_iter().map(String::as_str).collect::<Vec<_>>();
    Err(ApiError::new(Code::Forbidden, format!("Your own API key lacks scopes of this one: {}", beyond.join(", "))))
}

/// A key of the caller's organization that the caller may change: it can do nothing that the caller's cannot.
fn find_within(conn: &mut Conn, (caller, needs): (&Principal, &Needs), id: ApiKeyId) -> ApiResult<ApiKey> {
    let key = store::find_key(conn, caller.organization, id).map_err(missing)?;
    within((caller, needs), &key.scopes.0)?;
    Ok(key)
}

/// Reads an API key.
#[utoipa::path(tag = "api keys", params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = OK, body = Reply<ApiKeyView>), OneErrors))]
#[get("/api_keys/{id}")]
async fn get_api_key(
    caller: Caller<ReadApiKeys>,
    ctx: Ctx,
    PathId(id): PathId<ApiKeyId>,
) -> ApiResult<Found<ApiKeyView>> {
    let organization = caller.organization();
    let key = ctx.db.read(move |conn| store::find_key(conn, organization, id)).await.map_err(missing)?;
    Ok(Found(key.into()))
}

/// Changes an API key (JSON merge patch); `active: false` revokes it.
#[utoipa::path(tag = "api keys", params(("id" = ApiKeyId, Path, description = "The key")),
    request_body = ApiKeyPatch, responses((status = OK, body = Reply<ApiKeyView>), WriteErrors))]
#[patch("/api_keys/{id}")]
async fn update_api_key(
    caller: Caller<WriteApiKeys>,
    ctx: Ctx,
    api_key_cache: web::Data<ApiKeyCache>,
    PathId(id): PathId<ApiKeyId>,
    if_match: IfMatch,
    Body(patch): Body<ApiKeyPatch>,
) -> ApiResult<Changed<ApiKeyView>> {
    let (needs, change) = (Needs::here(), ctx.change(caller.organization()));
    let principal = caller.principal;
    let view = change
        .write(move |change| {
            let mut key = find_within(change.conn, (&principal, &needs), id)?;
            if let Some(scopes) = patch.scopes.value() {
                within((&principal, &needs), scopes)?;
            }
            if_match.check(key.updated_at)?;
            key.apply(patch.clone(), change.moment)?;
            store::update_key(change.conn, &key)?;
            let view = ApiKeyView::from(key);
            change.record(EventKind::ApiKeyUpdated, &view)?;
            Ok::<_, ApiError>(view)
        })
        .await?;
    api_key_cache.forget();
    Ok(Changed(view))
}

/// Deletes an API key.
#[utoipa::path(tag = "api keys", params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = OK, body = Reply<ApiKeyView>), DeleteErrors))]
#[delete("/api_keys/{id}")]
async fn delete_api_key(
    caller: Caller<WriteApiKeys>,
    ctx: Ctx,
    api_key_cache: web::Data<ApiKeyCache>,
    PathId(id): PathId<ApiKeyId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<ApiKeyView>> {
    if caller.principal.actor == Actor::ApiKey(id) {
        return Err(ApiError::conflict("A key cannot delete itself; use another key"));
    }
    let (needs, change) = (Needs::here(), ctx.change(caller.organization()));
    let principal = caller.principal;
    let view = change
        .write(move |change| {
            let key = find_within(change.conn, (&principal, &needs), id)?;
            if_match.check(key.updated_at)?;
            store::delete_key(change.conn, id)?;
            let view = ApiKeyView::from(key);
            change.record(EventKind::ApiKeyDeleted, &view)?;
            Ok::<_, ApiError>(view)
        })
        .await?;
    api_key_cache.forget();
    Ok(Deleted(view))
}

/// Replaces the secret of an API key; the old one stops working at once.
#[utoipa::path(tag = "api keys", params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = OK, body = Reply<ApiKeyView>), WriteErrors))]
#[post("/api_keys/{id}/rotate")]
async fn rotate_api_key(
    caller: Caller<WriteApiKeys>,
    ctx: Ctx,
    api_key_cache: web::Data<ApiKeyCache>,
    PathId(id): PathId<ApiKeyId>,
) -> ApiResult<Changed<ApiKeyView>> {
    let (needs, change) = (Needs::here(), ctx.change(caller.organization()));
    let principal = caller.principal;
    let answer = change
        .answer(move |change| {
            let mut key = find_within(change.conn, (&principal, &needs), id)?;
            let secret = key.rotate(change.moment);
            store::update_key(change.conn, &key)?;
            let view = ApiKeyView::from(key.clone());
            change.record(EventKind::ApiKeyUpdated, &view)?;
            Ok(Changed(ApiKeyView::with_secret(key, secret)))
        })
        .await?;
    api_key_cache.forget();
    Ok(answer)
}
