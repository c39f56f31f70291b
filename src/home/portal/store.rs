//! Home users and the links to them in the database.

use diesel::prelude::*;

use super::model::{HomeUser, HomeUserFilter, HomeUserView};
use super::secrets;
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::people::users::User;
use crate::store::schema::{home_links, home_users, users};
use crate::store::{Conn, Searched, StoreError, StoreResult};
use kernel::*;

crate::spelled! {
    /// What a link is for.
    pub enum Purpose {
        /// To accept an invitation.
        Invitation = "invitation",
        /// To choose another password.
        PasswordReset = "password_reset",
    }
}
crate::text_column!(spelled Purpose);

pub(super) fn insert(conn: &mut Conn, home: &HomeUser) -> StoreResult<()> {
    diesel::insert_into(home_users::table).values(home).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, home: &HomeUser) -> StoreResult<()> {
    diesel::update(home_users::table.find(home.id)).set(home).execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    diesel::delete(home_users::table.find(user)).execute(conn)?;
    Ok(())
}

/// The organization's home user with this id.
pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: UserId) -> StoreResult<(HomeUser, User)> {
    Ok(home_users::table
        .inner_join(users::table)
        .filter(home_users::organization_id.eq(organization))
        .filter(home_users::id.eq(id))
        .select((HomeUser::as_select(), User::as_select()))
        .first(conn)?)
}

/// Who may log in with this address; none where several operators know it and nobody says which is meant.
pub(super) fn find_by_email(
    conn: &mut Conn,
    email: &str,
    organization: Option<OrganizationId>,
) -> StoreResult<Option<HomeUser>> {
    let mut rows = home_users::table
        .inner_join(users::table)
        .filter(users::email.eq(email))
        .filter(users::active.eq(true))
        .filter(home_users::password_hash.is_not_null())
        .into_boxed();
    if let Some(organization) = organization {
        rows = rows.filter(home_users::organization_id.eq(organization));
    }
    let found: Vec<HomeUser> = rows.limit(2).select(HomeUser::as_select()).load(conn)?;
    match found.as_slice() {
        [one] => Ok(Some(one.clone())),
        _ => Ok(None),
    }
}

/// Makes a link for one use and answers its secret; earlier ones for the same purpose stay good.
pub(super) fn make_link(
    conn: &mut Conn,
    (user, email): (UserId, &str),
    purpose: Purpose,
    expires_at: Timestamp,
) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::insert_into(home_links::table)
        .values((
            home_links::hash.eq(secrets::hash(&secret)),
            home_links::user_id.eq(user),
            home_links::purpose.eq(purpose),
            home_links::email.eq(email),
            home_links::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// Whom a link is for, while it is good and its user still has the address it was sent to.
pub(super) fn find_link(
    conn: &mut Conn,
    secret: &str,
    purpose: Purpose,
    now: Timestamp,
) -> StoreResult<Option<(HomeUser, User)>> {
    let found: Result<(HomeUser, User, String), StoreError> = home_links::table
        .inner_join(home_users::table.inner_join(users::table))
        .filter(home_links::hash.eq(secrets::hash(secret)))
        .filter(home_links::purpose.eq(purpose))
        .filter(home_links::expires_at.gt(now))
        .filter(users::active.eq(true))
        .select((HomeUser::as_select(), User::as_select(), home_links::email))
        .first(conn)
        .map_err(StoreError::from);
    let found = crate::store::error::optional(found)?;
    Ok(found.filter(|(_, user, email)| user.email.as_ref() == Some(email)).map(|(home, user, _)| (home, user)))
}

/// Makes all links to a user worthless; answers how many there were.
pub(super) fn drop_links(conn: &mut Conn, user: UserId) -> StoreResult<usize> {
    Ok(diesel::delete(home_links::table.filter(home_links::user_id.eq(user))).execute(conn)?)
}

/// Forgets links that are over.
pub(super) fn tidy_links(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    diesel::delete(home_links::table.filter(home_links::expires_at.le(now))).execute(conn)?;
    Ok(())
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<HomeUserFilter>,
) -> ApiResult<Page<HomeUserView>> {
    let search = query.search.as_deref();
    let found = search.map(|text| Searched::Users.containing(conn, organization, text));
    let filtered = || {
        let mut rows = home_users::table
            .inner_join(users::table)
            .filter(home_users::organization_id.eq(organization))
            .into_boxed();
        match query.filter.accepted {
            Some(true) => rows = rows.filter(home_users::accepted_at.is_not_null()),
            Some(false) => rows = rows.filter(home_users::accepted_at.is_null()),
            None => {}
        }
        if let Some(found) = &found {
            rows = rows.filter(found());
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, home_users, filtered(), {
        "email" => users::email,
        "lastname" => users::lastname,
    });
    let found: Vec<(HomeUser, User)> = rows.select((HomeUser::as_select(), User::as_select())).load(conn)?;
    Ok(Page {
        rows: found.into_iter().map(|(home, user)| HomeUserView::new(home, user)).collect(),
        total,
        request: query.page,
    })
}
