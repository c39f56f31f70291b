//! What operators do with home users: invite them, give them a group, take it and their access away.

use actix_web::{HttpResponse, delete, get, post, put, web};

use super::super::Portal;
use super::super::emails::{Email, EmailKind};
use super::super::model::{GroupUser, HomeUser, HomeUserFilter, HomeUserView, NewHomeUser};
use super::super::store::{self, Purpose};
use super::record_event;
use crate::events::EventKind;
use crate::http::caller::{ReadHomeUsers, WriteGroups, WriteHomeUsers};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Changed, Created, Ctx, Deleted, Faults, Found, IfMatch, PathId};
use crate::load::groups::{self, GroupView};
use crate::people::users::{self, NewUser, User};
use crate::sites::stations::link::Signals;
use crate::store::{Conn, StoreError};
use kernel::*;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_home_users)
        .service(create_home_user)
        .service(get_home_user)
        .service(delete_home_user)
        .service(invite_home_user)
        .service(set_group_user)
        .service(remove_group_user);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "home user")
}

/// Lists home users; `search` finds by name and e-mail address.
#[utoipa::path(tag = "home users", params(ListParameters, HomeUserFilter),
    responses((status = OK, body = ListReply<HomeUserView>), ListErrors))]
#[get("/home_users")]
async fn list_home_users(
    caller: Caller<ReadHomeUsers>,
    ctx: Ctx,
    query: ListQuery<HomeUserFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| store::list(conn, organization, query)).await
}

/// Invites somebody to the portal: the user who has the address, or a new one. The e-mail with the link is sent by the mail
/// server of the configuration; where there is none, this answer shows the link. `GET /users?search=` completes addresses.
#[utoipa::path(tag = "home users", request_body = NewHomeUser,
    responses((status = CREATED, body = Reply<HomeUserView>), WriteErrors))]
#[post("/home_users")]
async fn create_home_user(
    caller: Caller<WriteHomeUsers>,
    ctx: Ctx,
    portal: web::Data<Portal>,
    Body(new): Body<NewHomeUser>,
) -> ApiResult<Created<HomeUserView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let shared = portal.clone();
    let view = ctx
        .db
        .write(move |conn| {
            let user = user_of(conn, &moment, organization, new.clone())?;
            let home = HomeUser::new(&user, &moment);
            store::insert(conn, &home).map_err(invited_before)?;
            record_event(conn, &moment, (&home, &user), EventKind::HomeUserCreated)?;
            invite(conn, &moment, &shared, (home, user))
        })
        .await?;
    portal.notify();
    Ok(Created(view))
}

/// The user with the address, or a new one.
fn user_of(conn: &mut Conn, moment: &Moment, organization: OrganizationId, new: NewHomeUser) -> ApiResult<User> {
    if let Some(user) = users::find_by_email(conn, organization, new.email.as_str())? {
        return Ok(user);
    }
    if let (Some(firstname), Some(lastname)) = (&new.firstname, &new.lastname) {
        let named = NewUser::named(firstname.clone(), lastname.clone(), new.email);
        return users::add(conn, moment, organization, named);
    }
    let mut faults = Faults::default();
    for (field, given) in [("firstname", &new.firstname), ("lastname", &new.lastname)] {
        if given.is_none() {
            let message = "is required, because no user has this address yet";
            faults.add(field, "required", message);
        }
    }
    Err(faults.into())
}

fn invited_before(error: StoreError) -> ApiError {
    match error {
        StoreError::Duplicate(_) => ApiError::conflict("This user was invited before; invite again by …/invitation"),
        other => other.into(),
    }
}

/// Queues the e-mail, or puts the link into the answer where no e-mail can be sent.
fn invite(
    conn: &mut Conn,
    moment: &Moment,
    portal: &Portal,
    (home, user): (HomeUser, User),
) -> ApiResult<HomeUserView> {
    let email = user
        .email
        .clone()
        .ok_or_else(|| ApiError::conflict("The user has no e-mail address to send an invitation to"))?;
    let mut view = record_event(conn, moment, (&home, &user), EventKind::HomeUserInvited)?;
    if portal.mailer.is_some() {
        let queued = Email {
            organization_id: Some(user.organization_id),
            user_id: Some(user.id),
            ..Email::new(EmailKind::Invitation, &email, moment)
        };
        queued.queue(conn)?;
    } else {
        let until = moment.now + portal.links.invitation;
        let secret = store::make_link(conn, (user.id, &email), Purpose::Invitation, until)?;
        let link = portal.links.invitation(user.organization_id, &secret);
        view.invitation_url = Some(link);
    }
    Ok(view)
}

/// Reads a home user.
#[utoipa::path(tag = "home users", params(("id" = UserId, Path, description = "The user")),
    responses((status = OK, body = Reply<HomeUserView>), OneErrors))]
#[get("/home_users/{id}")]
async fn get_home_user(
    caller: Caller<ReadHomeUsers>,
    ctx: Ctx,
    PathId(id): PathId<UserId>,
) -> ApiResult<Found<HomeUserView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| store::find(conn, organization, id));
    let (home, user) = found.await.map_err(missing)?;
    Ok(Found(HomeUserView::new(home, user)))
}

/// Takes the portal away from a user: password, logins and links are gone at once. The user stays.
#[utoipa::path(tag = "home users", params(("id" = UserId, Path, description = "The user")),
    responses((status = OK, body = Reply<HomeUserView>), DeleteErrors))]
#[delete("/home_users/{id}")]
async fn delete_home_user(
    caller: Caller<WriteHomeUsers>,
    ctx: Ctx,
    PathId(id): PathId<UserId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<HomeUserView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    ctx.db
        .write(move |conn| {
            let (home, user) = store::find(conn, organization, id).map_err(missing)?;
            if_match.check(home.updated_at)?;
            let groups = groups::groups_of_user(conn, organization, id)?.len();
            if groups > 0 {
                let message = format!("The user still has {groups} group(s); remove them first");
                return Err(ApiError::in_use(message));
            }
            store::delete(conn, id)?;
            Ok(Deleted(record_event(conn, &moment, (&home, &user), EventKind::HomeUserDeleted)?))
        })
        .await
}

/// Invites somebody again who has not accepted; earlier links stop working.
#[utoipa::path(tag = "home users", params(("id" = UserId, Path, description = "The user")),
    responses((status = OK, body = Reply<HomeUserView>), WriteErrors))]
#[post("/home_users/{id}/invitation")]
async fn invite_home_user(
    caller: Caller<WriteHomeUsers>,
    ctx: Ctx,
    portal: web::Data<Portal>,
    PathId(id): PathId<UserId>,
) -> ApiResult<Changed<HomeUserView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let shared = portal.clone();
    let view = ctx
        .db
        .write(move |conn| {
            let (mut home, user) = store::find(conn, organization, id).map_err(missing)?;
            if home.password_hash.is_some() {
                let message = "The invitation was accepted; a password is reset at the portal";
                return Err(ApiError::conflict(message));
            }
            store::drop_links(conn, id)?;
            home.invited_at = moment.now;
            home.updated_at = moment.version_after(home.updated_at);
            store::update(conn, &home)?;
            invite(conn, &moment, &shared, (home, user))
        })
        .await?;
    portal.notify();
    Ok(Changed(view))
}

/// Gives a group with the algorithm `consumer_tou` to a home user, who gets an e-mail about it. Exactly one user may have it:
/// while it is another's the answer is 409.
#[utoipa::path(tag = "home users", params(("id" = GroupId, Path, description = "The group")),
    request_body = GroupUser, responses((status = OK, body = Reply<GroupView>), WriteErrors))]
#[put("/load_management/groups/{id}/user")]
async fn set_group_user(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    portal: web::Data<Portal>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
    Body(body): Body<GroupUser>,
) -> ApiResult<Changed<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let writes = portal.mailer.is_some();
    let view = ctx
        .db
        .write(move |conn| {
            let group = groups::find_group(conn, organization, id);
            let group = group.map_err(|error| ApiError::missing(error, "group"))?;
            if_match.check(group.updated_at)?;
            let user = invited(conn, organization, body.user)?;
            let is_new = group.user_id != Some(user.id);
            let view = groups::give_to(conn, &moment, group, Some(user.id))?;
            if let (Some(email), true) = (user.email, is_new && writes) {
                let queued = Email {
                    organization_id: Some(organization),
                    user_id: Some(user.id),
                    group_id: Some(id),
                    ..Email::new(EmailKind::Group, &email, &moment)
                };
                queued.queue(conn)?;
            }
            Ok::<_, ApiError>(view)
        })
        .await?;
    portal.notify();
    Ok(Changed(view))
}

fn invited(conn: &mut Conn, organization: OrganizationId, id: UserId) -> ApiResult<User> {
    users::require(conn, organization, id, "user")?;
    match store::find(conn, organization, id) {
        Ok((_, user)) => Ok(user),
        Err(StoreError::NotFound) => {
            let message = "was not invited to the portal; invite by POST /home_users";
            Err(ApiError::field("user", "invalid", message))
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes a group away from its home user, at once; a priority charge that the user started ends.
#[utoipa::path(tag = "home users", params(("id" = GroupId, Path, description = "The group")),
    responses((status = OK, body = Reply<GroupView>), DeleteErrors))]
#[delete("/load_management/groups/{id}/user")]
async fn remove_group_user(
    caller: Caller<WriteGroups>,
    ctx: Ctx,
    signals: web::Data<Signals>,
    PathId(id): PathId<GroupId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<GroupView>> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let view = ctx
        .db
        .write(move |conn| {
            let group = groups::find_group(conn, organization, id);
            let group = group.map_err(|error| ApiError::missing(error, "group"))?;
            if_match.check(group.updated_at)?;
            let Some(user) = group.user_id else {
                return Err(ApiError::not_found("home user of this group"));
            };
            let theirs = crate::home::priority_charges::open_of(conn, id)?;
            if theirs.is_some_and(|charge| charge.user_id == Some(user)) {
                crate::home::priority_charges::end(conn, &moment, id, "Its user was removed from the group")?;
            }
            groups::give_to(conn, &moment, group, None)
        })
        .await?;
    groups::replan(&signals, organization, view.stations());
    Ok(Deleted(view))
}
