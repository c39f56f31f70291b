//! The endpoints of tokens.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::model::{NewToken, Token, TokenFilter, TokenPatch, TokenView};
use super::store;
use super::uses::Uses;
use crate::events::EventKind;
use crate::filters;
use crate::http::caller::{ReadTokens, ReadUsers, WriteTokens};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::{Reference, Reply};
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId, Query};
use crate::people::users;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{OrganizationId, TokenId, UserId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_tokens).service(create_token).service(get_token).service(update_token).service(delete_token);
}

filters! {
    /// What is put in place of an id.
    pub(crate) struct TokenIncludes {
        /// Put the whole user in place of its id.
        pub include_user: bool,
    }
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "token")
}

fn include_users(conn: &mut Conn, organization: OrganizationId, views: &mut [TokenView]) -> StoreResult<()> {
    let ids: Vec<UserId> = views
        .iter()
        .filter_map(|view| match view.user {
            Some(Reference::Id(id)) => Some(id),
            _ => None,
        })
        .collect();
    let users = users::find_many(conn, organization, &ids)?;
    for view in views {
        if let Some(Reference::Id(id)) = &view.user
            && let Some(user) = users.get(id)
        {
            view.user = Some(Reference::Whole(user.clone()));
        }
    }
    Ok(())
}

/// Lists tokens.
#[utoipa::path(tag = "tokens", params(ListParameters, TokenFilter),
    responses((status = OK, body = ListReply<TokenView>), ListErrors))]
#[get("/tokens")]
async fn list_tokens(caller: Caller<ReadTokens>, ctx: Ctx, query: ListQuery<TokenFilter>) -> ApiResult<HttpResponse> {
    caller.may_include::<ReadUsers>("include_user", query.filter.include_user)?;
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        let mut page = store::list(conn, organization, query)?.map(TokenView::from);
        if query.filter.include_user == Some(true) {
            include_users(conn, organization, &mut page.rows)?;
        }
        Ok(page)
    })
    .await
}

/// Creates a token.
#[utoipa::path(tag = "tokens", request_body = NewToken,
    responses((status = CREATED, body = Reply<TokenView>), WriteErrors))]
#[post("/tokens")]
async fn create_token(
    caller: Caller<WriteTokens>,
    ctx: Ctx,
    Body(new): Body<NewToken>,
) -> ApiResult<Created<TokenView>> {
    let change = ctx.change(caller.organization());
    let token = Token::new(new, change.organization, &change.moment);
    change
        .answer(move |change| {
            if let Some(user) = token.user_id {
                users::require(change.conn, change.organization, user, "user")?;
            }
            store::insert(change.conn, &token)?;
            let view = TokenView::from(token.clone());
            change.record(EventKind::TokenCreated, &view)?;
            Ok(Created(view))
        })
        .await
}

/// Reads a token.
#[utoipa::path(tag = "tokens", params(("id" = TokenId, Path, description = "The token"), TokenIncludes),
    responses((status = OK, body = Reply<TokenView>), OneErrors))]
#[get("/tokens/{id}")]
async fn get_token(
    caller: Caller<ReadTokens>,
    ctx: Ctx,
    PathId(id): PathId<TokenId>,
    Query(includes): Query<TokenIncludes>,
) -> ApiResult<Found<TokenView>> {
    caller.may_include::<ReadUsers>("include_user", includes.include_user)?;
    let organization = caller.organization();
    ctx.db
        .read(move |conn| {
            let token = store::find(conn, organization, id).map_err(missing)?;
            let mut view = [TokenView::from(token)];
            if includes.include_user == Some(true) {
                include_users(conn, organization, &mut view)?;
            }
            let [view] = view;
            Ok(Found(view))
        })
        .await
}

/// Changes a token (JSON merge patch).
#[utoipa::path(tag = "tokens", params(("id" = TokenId, Path, description = "The token")),
    request_body = TokenPatch, responses((status = OK, body = Reply<TokenView>), WriteErrors))]
#[patch("/tokens/{id}")]
async fn update_token(
    caller: Caller<WriteTokens>,
    ctx: Ctx,
    PathId(id): PathId<TokenId>,
    if_match: IfMatch,
    Body(patch): Body<TokenPatch>,
) -> ApiResult<Changed<TokenView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut token = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(token.updated_at)?;
            if let Some(user) = patch.user.value() {
                users::require(change.conn, change.organization, *user, "user")?;
            }
            token.apply(patch.clone(), change.moment)?;
            store::update(change.conn, &token)?;
            let view = TokenView::from(token);
            change.record(EventKind::TokenUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a token that started no session.
#[utoipa::path(tag = "tokens", params(("id" = TokenId, Path, description = "The token")),
    responses((status = OK, body = Reply<TokenView>), DeleteErrors))]
#[delete("/tokens/{id}")]
async fn delete_token(
    caller: Caller<WriteTokens>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<TokenId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<TokenView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let token = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(token.updated_at)?;
            store::delete(change.conn, &uses, &token)?;
            let view = TokenView::from(token);
            change.record(EventKind::TokenDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
