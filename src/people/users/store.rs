//! Users in the database; every query is bounded by the organization.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::model::UserFilter;
use super::model::{User, UserView};
use super::uses::Uses;
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Code};
use crate::store::schema::users;
use crate::store::{Conn, Searched, StoreError, StoreResult};
use kernel::{OrganizationId, Page, UserId};

/// Users that are looked up in one query.
const AT_ONCE: usize = 500;
/// Organizations that one address is looked for in: nobody drives with more operators.
const MOST_OF_ADDRESS: i64 = 100;

/// An e-mail address that another user has is refused.
fn taken(error: diesel::result::Error) -> ApiError {
    match StoreError::from(error) {
        StoreError::Duplicate(_) => {
            ApiError::new(Code::AlreadyExists, "Another user of your organization has this email")
        }
        other => other.into(),
    }
}

pub(super) fn insert(conn: &mut Conn, user: &User) -> ApiResult<()> {
    let inserted = diesel::insert_into(users::table).values(user).execute(conn);
    inserted.map(drop).map_err(taken)
}

/// The organization's user with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: UserId) -> StoreResult<User> {
    Ok(users::table
        .filter(users::organization_id.eq(organization).and(users::id.eq(id)))
        .select(User::as_select())
        .first(conn)?)
}

/// The organization's user with this e-mail address.
pub fn find_by_email(conn: &mut Conn, organization: OrganizationId, email: &str) -> StoreResult<Option<User>> {
    Ok(users::table
        .filter(users::organization_id.eq(organization))
        .filter(users::email.eq(email))
        .select(User::as_select())
        .first(conn)
        .optional()?)
}

/// The active users of all organizations who have this e-mail address, at most one of each.
pub fn active_of_address(conn: &mut Conn, email: &str) -> StoreResult<Vec<User>> {
    Ok(users::table
        .filter(users::email.eq(email))
        .filter(users::active.eq(true))
        .order(users::organization_id)
        .limit(MOST_OF_ADDRESS)
        .select(User::as_select())
        .load(conn)?)
}

/// The same as [`find`] for a reference in a body: an unknown id is a fault of that field.
pub fn require(conn: &mut Conn, organization: OrganizationId, id: UserId, field: &str) -> ApiResult<User> {
    match find(conn, organization, id) {
        Err(StoreError::NotFound) => {
            Err(ApiError::field(field, "not_found", "there is no such user in your organization"))
        }
        other => Ok(other?),
    }
}

/// The views of these users, for rows that include them.
pub fn find_many(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[UserId],
) -> StoreResult<BTreeMap<UserId, UserView>> {
    let found: Vec<User> = users::table
        .filter(users::organization_id.eq(organization).and(users::id.eq_any(ids.to_vec())))
        .select(User::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|user| (user.id, user.into())).collect())
}

/// Whether a user is active; the tokens of one who is not are refused.
pub fn is_active(conn: &mut Conn, id: UserId) -> StoreResult<bool> {
    Ok(each!(conn, |conn| users::table.find(id).select(users::active).first(conn))?)
}

/// Those of these users who are not active.
pub fn inactive_of(conn: &mut Conn, ids: &[UserId]) -> StoreResult<BTreeSet<UserId>> {
    let mut inactive = BTreeSet::new();
    for some in ids.chunks(AT_ONCE) {
        let found: Vec<UserId> =
            users::table.filter(users::id.eq_any(some)).filter(users::active.eq(false)).select(users::id).load(conn)?;
        inactive.extend(found);
    }
    Ok(inactive)
}

/// Whether a user of the organization also sees what is not visible to everybody; none where there is no such user.
pub fn is_in_private_group(conn: &mut Conn, organization: OrganizationId, id: UserId) -> StoreResult<Option<bool>> {
    Ok(users::table
        .filter(users::organization_id.eq(organization).and(users::id.eq(id)))
        .select(users::private_group)
        .first(conn)
        .optional()?)
}

pub(super) fn update(conn: &mut Conn, user: &User) -> ApiResult<()> {
    let updated = diesel::update(users::table.find(user.id)).set(user).execute(conn);
    updated.map(drop).map_err(taken)
}

/// Deletes it, unless something still belongs to it.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, user: &User) -> ApiResult<()> {
    let tokens = (uses.tokens)(conn, user.id)?;
    let sessions = (uses.sessions)(conn, user.id)?;
    let groups = (uses.groups)(conn, user.id)?;
    if tokens + sessions + groups > 0 {
        return Err(ApiError::in_use(format!(
            "The user still has {tokens} token(s), {sessions} session(s) and {groups} group(s); set active to false instead"
        )));
    }
    diesel::delete(users::table.find(user.id)).execute(conn)?;
    Ok(())
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<UserFilter>,
) -> ApiResult<Page<User>> {
    let search = query.search.as_deref();
    let found = search.map(|text| Searched::Users.containing(conn, organization, text));
    let filtered = || {
        let mut rows = users::table.filter(users::organization_id.eq(organization)).into_boxed();
        if let Some(active) = query.filter.active {
            rows = rows.filter(users::active.eq(active));
        }
        if let Some(role) = &query.filter.role {
            rows = rows.filter(users::role.eq(role.clone()));
        }
        if let Some(found) = &found {
            rows = rows.filter(found());
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, users, filtered(), {
        "firstname" => users::firstname,
        "lastname" => users::lastname,
        "email" => users::email,
    });
    Ok(Page { rows: rows.select(User::as_select()).load(conn)?, total, request: query.page })
}
