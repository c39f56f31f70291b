//! The operators of the caller's organization: who they are, what they may do, and how they are invited.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::accounts::Accounts;
use super::links;
use super::model::*;
use super::role::Role;
use super::{installation, invitations, logins, store};
use crate::events::{Change, EventKind};
use crate::home::portal::Notices;
use crate::http::caller::{ReadOperators, WriteOperators};
use crate::http::docs::{DeleteErrors, ListErrors, OneErrors, WriteErrors};
use crate::http::envelope::Reply;
use crate::http::idempotency::Needs;
use crate::http::list::{self, ListReply};
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{
    Actor, ApiError, ApiResult, Body, Caller, Changed, Code, Created, Ctx, Deleted, Faults, Found, IfMatch, PathId,
    Principal,
};
use crate::store::{Conn, Json, StoreError, StoreResult};
use kernel::{Moment, OperatorId, Patch};

/// Adds the endpoints of this slice for those who have a key or a login.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_operators)
        .service(invite_operator)
        .service(get_operator)
        .service(update_operator)
        .service(delete_operator)
        .service(invite_operator_again)
        .configure(installation::routes);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "operator")
}

/// Records what happened to a person in each organization in which they work, and answers what they are there.
pub(super) fn record_everywhere(
    conn: &mut Conn,
    moment: &Moment,
    account: &Account,
    kind: EventKind,
) -> StoreResult<Vec<Operator>> {
    let mine: Vec<Operator> = store::of_account(conn, account.id)?.into_iter().map(|(operator, _)| operator).collect();
    for operator in &mine {
        let view = OperatorView::new(operator.clone(), account.clone());
        Change::new(conn, operator.organization_id, moment).record(kind, &view)?;
    }
    Ok(mine)
}

/// Refuses to make, change or remove somebody who may do more than the caller: who could would be as strong.
fn within((caller, needs): (&Principal, &Needs), role: Role) -> ApiResult<()> {
    let scopes = role.scopes();
    let beyond: Vec<&str> = scopes.iter().map(String::as_str).filter(|scope| !caller.may(scope)).collect();
    if beyond.is_empty() {
        scopes.iter().for_each(|scope| needs.note(scope));
        return Ok(());
    }
    let message = format!("You lack scopes of the role {role}: {}", beyond.join(", "));
    Err(ApiError::new(Code::Forbidden, message))
}

/// Refuses to leave an organization without anybody who may administer it.
fn keep_an_admin(conn: &mut Conn, before: &Operator, after: Option<&Operator>) -> ApiResult<()> {
    let administers = |operator: &Operator| operator.role == Role::Admin && operator.active;
    if administers(before) && !after.is_some_and(administers) && store::other_admins(conn, before)? == 0 {
        return Err(ApiError::conflict("This is the last operator with the role Admin; give it to another one first"));
    }
    Ok(())
}

/// Lists operators; `search` finds by name and e-mail address.
#[utoipa::path(tag = "operators", params(ListParameters, OperatorFilter),
    responses((status = OK, body = ListReply<OperatorView>), ListErrors))]
#[get("/operators")]
async fn list_operators(
    caller: Caller<ReadOperators>,
    ctx: Ctx,
    query: ListQuery<OperatorFilter>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    list::respond(&ctx, query, move |conn, query| {
        let found = store::list(conn, organization, query)?;
        Ok(found.map(|(operator, account)| OperatorView::new(operator, account)))
    })
    .await
}

/// Invites somebody to the panel.
///
/// The e-mail with the link is sent by the mail server of the configuration; where there is none, this answer shows the link. Who
/// has an account already, at another organization of this server, logs in as usual and finds this one beside it.
#[utoipa::path(tag = "operators", request_body = NewOperator,
    responses((status = CREATED, body = Reply<OperatorView>), WriteErrors))]
#[post("/operators")]
async fn invite_operator(
    caller: Caller<WriteOperators>,
    ctx: Ctx,
    accounts: web::Data<Accounts>,
    Body(new): Body<NewOperator>,
) -> ApiResult<Created<OperatorView>> {
    within((&caller.principal, &Needs::here()), new.role)?;
    let shared = accounts.clone();
    let answer = ctx
        .change(caller.organization())
        .answer(move |change| {
            let (operator, account) = invitations::create(change, &new)?;
            let url = invite(change, &shared, &account)?;
            Ok(Created(OperatorView { invitation_url: url, ..OperatorView::new(operator, account) }))
        })
        .await?;
    accounts.notify();
    Ok(answer)
}

/// Queues the e-mail, or answers the link where no e-mail can be sent and there is something to accept.
fn invite(change: &mut Change<'_>, accounts: &Accounts, account: &Account) -> ApiResult<Option<String>> {
    let Some(email) = &account.email else {
        return Ok(None);
    };
    if accounts.notices.is_some() {
        let whom = (change.organization, account.id);
        Notices::queue_invitation(change.conn, whom, email, change.moment)?;
        return Ok(None);
    }
    invitations::require_own(change.conn, account, change.organization)?;
    Ok(invitations::link(change.conn, account, (&accounts.links, change.moment))?)
}

/// Reads an operator.
#[utoipa::path(tag = "operators", params(("id" = OperatorId, Path, description = "The operator")),
    responses((status = OK, body = Reply<OperatorView>), OneErrors))]
#[get("/operators/{id}")]
async fn get_operator(
    caller: Caller<ReadOperators>,
    ctx: Ctx,
    PathId(id): PathId<OperatorId>,
) -> ApiResult<Found<OperatorView>> {
    let organization = caller.organization();
    let found = ctx.db.read(move |conn| store::find(conn, organization, id));
    let (operator, account) = found.await.map_err(missing)?;
    Ok(Found(OperatorView::new(operator, account)))
}

/// Changes role and access of an operator (JSON merge patch); it holds from the next request on.
#[utoipa::path(tag = "operators", params(("id" = OperatorId, Path, description = "The operator")),
    request_body = OperatorPatch, responses((status = OK, body = Reply<OperatorView>), WriteErrors))]
#[patch("/operators/{id}")]
async fn update_operator(
    caller: Caller<WriteOperators>,
    ctx: Ctx,
    accounts: web::Data<Accounts>,
    PathId(id): PathId<OperatorId>,
    if_match: IfMatch,
    Body(patch): Body<OperatorPatch>,
) -> ApiResult<Changed<OperatorView>> {
    patch.require_values()?;
    let (needs, principal) = (Needs::here(), caller.principal);
    let changed = ctx.change(principal.organization).write(move |change| {
        let (before, mut account) = store::find(change.conn, change.organization, id).map_err(missing)?;
        within((&principal, &needs), before.role)?;
        if_match.check(before.updated_at)?;
        let mut operator = before.clone();
        if let Some(role) = patch.role.value() {
            within((&principal, &needs), *role)?;
            operator.role = *role;
        }
        match &patch.locations {
            Patch::Absent => {}
            Patch::Null => operator.locations = None,
            Patch::Value(SomeLocations(locations)) => operator.locations = Some(Json(locations.clone())),
        }
        invitations::require_locations(change.conn, &operator)?;
        if let Some(active) = patch.active.value() {
            operator.active = *active;
        }
        keep_an_admin(change.conn, &before, Some(&operator))?;
        operator.updated_at = change.moment.version_after(before.updated_at);
        store::update(change.conn, &operator)?;
        if patch.totp == Patch::Value(false) {
            take_second_factor(change, &operator, &mut account)?;
        }
        if !operator.active {
            logins::end_of(change.conn, id)?;
        }
        let view = OperatorView::new(operator, account);
        change.record(EventKind::OperatorUpdated, &view)?;
        Ok::<_, ApiError>(view)
    });
    let view = changed.await?;
    accounts.changed();
    Ok(Changed(view))
}

impl OperatorPatch {
    /// Nothing of an operator can be empty, and nobody sets up a second factor for another.
    fn require_values(&self) -> ApiResult<()> {
        let mut faults = Faults::default();
        for (field, is_null) in [("role", self.role == Patch::Null), ("active", self.active == Patch::Null)] {
            if is_null {
                faults.add(field, "required", "cannot be null");
            }
        }
        if !matches!(self.totp, Patch::Absent | Patch::Value(false)) {
            faults.add("totp", "invalid", "can only be false; a second factor is set up by its owner");
        }
        faults.into_body_error()
    }
}

/// Takes a second factor away. It belongs to the person, so that one organization alone must not weaken another.
fn take_second_factor(change: &mut Change<'_>, operator: &Operator, account: &mut Account) -> ApiResult<()> {
    if account.installation_admin {
        let message = "belongs to an installation-wide admin; run: evenwatt operator reset";
        return Err(ApiError::field("totp", "invalid", message));
    }
    let mine = store::of_account(change.conn, account.id)?;
    if mine.iter().any(|(other, _)| other.id != operator.id) {
        let message = "belongs to somebody who also works for another organization; run: evenwatt operator reset";
        return Err(ApiError::field("totp", "invalid", message));
    }
    account.take_second_factor();
    account.updated_at = change.moment.version_after(account.updated_at);
    Ok(store::update_account(change.conn, account)?)
}

/// Deletes an operator; their logins end at once.
#[utoipa::path(tag = "operators", params(("id" = OperatorId, Path, description = "The operator")),
    responses((status = OK, body = Reply<OperatorView>), DeleteErrors))]
#[delete("/operators/{id}")]
async fn delete_operator(
    caller: Caller<WriteOperators>,
    ctx: Ctx,
    accounts: web::Data<Accounts>,
    PathId(id): PathId<OperatorId>,
    if_match: IfMatch,
) -> ApiResult<Deleted<OperatorView>> {
    if caller.principal.actor == Actor::Operator(id) {
        return Err(ApiError::conflict("Nobody can delete themselves; another operator can"));
    }
    let (needs, principal) = (Needs::here(), caller.principal);
    let deleted = ctx.change(principal.organization).write(move |change| {
        let (operator, account) = store::find(change.conn, change.organization, id).map_err(missing)?;
        within((&principal, &needs), operator.role)?;
        if_match.check(operator.updated_at)?;
        keep_an_admin(change.conn, &operator, None)?;
        logins::end_of(change.conn, id)?;
        store::delete(change.conn, &operator)?;
        let view = OperatorView::new(operator, account);
        change.record(EventKind::OperatorDeleted, &view)?;
        Ok::<_, ApiError>(view)
    });
    let view = deleted.await?;
    accounts.changed();
    Ok(Deleted(view))
}

/// Invites an operator again who has not accepted; earlier links stop working.
#[utoipa::path(tag = "operators", params(("id" = OperatorId, Path, description = "The operator")),
    responses((status = OK, body = Reply<OperatorView>), WriteErrors))]
#[post("/operators/{id}/invitation")]
async fn invite_operator_again(
    caller: Caller<WriteOperators>,
    ctx: Ctx,
    accounts: web::Data<Accounts>,
    PathId(id): PathId<OperatorId>,
) -> ApiResult<Changed<OperatorView>> {
    let (needs, principal, shared) = (Needs::here(), caller.principal, accounts.clone());
    let answer = ctx
        .change(principal.organization)
        .answer(move |change| {
            let (mut operator, account) = store::find(change.conn, change.organization, id).map_err(missing)?;
            within((&principal, &needs), operator.role)?;
            if account.has_accepted() {
                return Err(ApiError::conflict("The invitation was accepted; a password is reset at the panel"));
            }
            links::drop_all(change.conn, account.id)?;
            operator.invited_at = change.moment.now;
            operator.updated_at = change.moment.version_after(operator.updated_at);
            store::update(change.conn, &operator)?;
            let url = invite(change, &shared, &account)?;
            let view = OperatorView::new(operator, account);
            change.record(EventKind::OperatorUpdated, &view)?;
            Ok(Changed(OperatorView { invitation_url: url, ..view }))
        })
        .await?;
    accounts.notify();
    Ok(answer)
}
