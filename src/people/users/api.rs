//! The endpoints of users.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::model::{Favorites, NewUser, User, UserFilter, UserPatch, UserView};
use super::store;
use super::uses::Uses;
use crate::events::{Change, EventKind};
use crate::http::caller::{ReadUsers, WriteUsers};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Found, IfMatch, PathId};
use crate::store::{Conn, StoreError};
use kernel::{Moment, OrganizationId, UserId};

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_users).service(create_user).service(get_user).service(update_user).service(delete_user);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "user")
}

/// A favorite must be a station of the same organization.
fn check_favorites(conn: &mut Conn, uses: &Uses, organization: OrganizationId, favorites: &Favorites) -> ApiResult<()> {
    for (index, station) in favorites.0.iter().enumerate() {
        let field = format!("favorite_chargestations[{index}]");
        (uses.require_station)(conn, organization, *station, &field)?;
    }
    Ok(())
}

/// Lists users; `search` finds by name and e-mail address, for completion while a person types.
#[utoipa::path(tag = "users", params(ListParameters, UserFilter),
    responses((status = OK, body = ListReply<UserView>), ListErrors))]
#[get("/users")]
async fn list_users(caller: Caller<ReadUsers>, ctx: Ctx, query: ListQuery<UserFilter>) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| Ok(store::list(conn, organization, query)?.map(UserView::from))).await
}

/// Creates a user.
#[utoipa::path(tag = "users", request_body = NewUser,
    responses((status = CREATED, body = Reply<UserView>), WriteErrors))]
#[post("/users")]
async fn create_user(
    caller: Caller<WriteUsers>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    Body(new): Body<NewUser>,
) -> ApiResult<Created<UserView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.answer(move |conn| {
        if let Some(favorites) = &new.favorite_chargestations {
            check_favorites(conn, &uses, organization, favorites)?;
        }
        let user = add(conn, &moment, organization, new.clone())?;
        Ok(Created(user.into()))
    })
    .await
}

/// Creates a user of an organization, whose favorite stations are known to be there.
pub fn add(conn: &mut Conn, moment: &Moment, organization: OrganizationId, new: NewUser) -> ApiResult<User> {
    let user = User::new(new, organization, moment);
    store::insert(conn, &user)?;
    let view = UserView::from(user.clone());
    Change::new(conn, organization, moment).record(EventKind::UserCreated, &view)?;
    Ok(user)
}

/// Reads a user.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")),
    responses((status = OK, body = Reply<UserView>), OneErrors))]
#[get("/users/{id}")]
async fn get_user(caller: Caller<ReadUsers>, ctx: Ctx, PathId(id): PathId<UserId>) -> ApiResult<Found<UserView>> {
    let organization = caller.organization();
    let user = ctx.db.read(move |conn| store::find(conn, organization, id)).await;
    user.map(|user| Found(user.into())).map_err(missing)
}

/// Changes a user (JSON merge patch).
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")),
    request_body = UserPatch, responses((status = OK, body = Reply<UserView>), WriteErrors))]
#[patch("/users/{id}")]
async fn update_user(
    caller: Caller<WriteUsers>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<UserId>,
    if_match: IfMatch,
    Body(patch): Body<UserPatch>,
) -> ApiResult<Changed<UserView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let mut user = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(user.updated_at)?;
            if let Some(favorites) = patch.favorite_chargestations.value() {
                check_favorites(change.conn, &uses, change.organization, favorites)?;
            }
            user.apply(patch.clone(), change.moment)?;
            store::update(change.conn, &user)?;
            let view = UserView::from(user);
            change.record(EventKind::UserUpdated, &view)?;
            Ok(Changed(view))
        })
        .await
}

/// Deletes a user to whom no tokens and no sessions belong.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")),
    responses((status = OK, body = Reply<UserView>), DeleteErrors))]
#[delete("/users/{id}")]
async fn delete_user(
    caller: Caller<WriteUsers>,
    ctx: Ctx,
    uses: web::Data<Uses>,
    PathId(id): PathId<UserId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<UserView>> {
    ctx.change(caller.organization())
        .write(move |change| {
            let user = store::find(change.conn, change.organization, id).map_err(missing)?;
            if_match.check(user.updated_at)?;
            store::delete(change.conn, &uses, &user)?;
            let view = UserView::from(user);
            change.record(EventKind::UserDeleted, &view)?;
            Ok(Deleted(view))
        })
        .await
}
