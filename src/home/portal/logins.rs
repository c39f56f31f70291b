//! Logins and their refresh tokens: each token works once and brings the next. One that comes twice was stolen by somebody,
//! so the whole login ends.

use std::time::Duration;

use diesel::prelude::*;

use super::secrets;
use crate::store::schema::{home_logins, home_refresh_tokens as tokens, home_users, users};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// A login that goes on.
#[derive(Debug, Clone)]
pub(super) struct Continued {
    pub organization: OrganizationId,
    pub user: UserId,
    pub login: HomeLoginId,
    pub expires_at: Timestamp,
    /// The next refresh token.
    pub refresh: String,
}

/// What became of a refresh token.
#[derive(Debug, Clone)]
pub(super) enum Refreshed {
    Continued(Continued),
    /// It is unknown, or its login is over.
    Refused,
    /// It was used before: its login has been ended.
    Reused {
        organization: OrganizationId,
        user: UserId,
    },
}

/// Begins a login.
pub(super) fn begin(
    conn: &mut Conn,
    moment: &Moment,
    (organization, user): (OrganizationId, UserId),
    lasts: Duration,
) -> StoreResult<Continued> {
    let (login, expires_at) = (moment.id::<HomeLoginId>(), moment.now + lasts);
    diesel::insert_into(home_logins::table)
        .values((
            home_logins::id.eq(login),
            home_logins::user_id.eq(user),
            home_logins::created_at.eq(moment.now),
            home_logins::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(Continued { organization, user, login, expires_at, refresh: hand_out(conn, login)? })
}

fn hand_out(conn: &mut Conn, login: HomeLoginId) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::insert_into(tokens::table)
        .values((tokens::hash.eq(secrets::hash(&secret)), tokens::login_id.eq(login)))
        .execute(conn)?;
    Ok(secret)
}

/// Takes a refresh token and hands out the next.
pub(super) fn refresh(conn: &mut Conn, now: Timestamp, secret: &str) -> StoreResult<Refreshed> {
    let hash = secrets::hash(secret);
    let known: Option<HomeLoginId> = tokens::table.find(&hash).select(tokens::login_id).first(conn).optional()?;
    let Some(login) = known else {
        return Ok(Refreshed::Refused);
    };
    let Some((organization, user, expires_at)) = find(conn, login, now)? else {
        return Ok(Refreshed::Refused);
    };
    // Of two that come at the same time, one finds it used.
    let unused = tokens::table.find(&hash).filter(tokens::used_at.is_null());
    let taken = diesel::update(unused).set(tokens::used_at.eq(now)).execute(conn)?;
    if taken == 0 {
        end(conn, login)?;
        return Ok(Refreshed::Reused { organization, user });
    }
    Ok(Refreshed::Continued(Continued { organization, user, login, expires_at, refresh: hand_out(conn, login)? }))
}

/// Whose login this is and when it ends, while it goes on and its user may log in.
pub(super) fn find(
    conn: &mut Conn,
    login: HomeLoginId,
    now: Timestamp,
) -> StoreResult<Option<(OrganizationId, UserId, Timestamp)>> {
    Ok(home_logins::table
        .inner_join(home_users::table.inner_join(users::table))
        .filter(home_logins::id.eq(login))
        .filter(home_logins::expires_at.gt(now))
        .filter(users::active.eq(true))
        .select((home_users::organization_id, home_users::id, home_logins::expires_at))
        .first(conn)
        .optional()?)
}

/// Ends a login with all its tokens.
pub(super) fn end(conn: &mut Conn, login: HomeLoginId) -> StoreResult<()> {
    diesel::delete(home_logins::table.find(login)).execute(conn)?;
    Ok(())
}

/// Ends all logins of a user.
pub(super) fn end_all(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    diesel::delete(home_logins::table.filter(home_logins::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// Forgets those that are over.
pub(super) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    diesel::delete(home_logins::table.filter(home_logins::expires_at.le(now))).execute(conn)?;
    Ok(())
}
