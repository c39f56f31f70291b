//! Logins and their refresh tokens: each token works once and brings the next. One that comes twice was stolen by somebody,
//! so the whole login ends. Only tabs of one browser, which share a cookie, may be so close together that both send it.

use std::time::Duration;

use diesel::prelude::*;

use super::secrets;
use crate::store::schema::{home_logins, home_refresh_tokens as tokens, home_users, users};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// How long after its use a cookie is believed once more: the other tab had sent it before it got the next one.
const TABS_WITHIN: Duration = Duration::from_secs(30);

/// How a refresh token came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// In the body, from a client that keeps it itself.
    Body,
    /// As the cookie of a browser.
    Cookie,
}

/// A login that goes on.
#[derive(Debug, Clone)]
pub(super) struct Continued {
    pub organization: OrganizationId,
    pub user: UserId,
    pub login: HomeLoginId,
    pub expires_at: Timestamp,
    /// The next refresh token; none where another tab was given it.
    pub refresh: Option<String>,
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
    Ok(Continued { organization, user, login, expires_at, refresh: Some(hand_out(conn, login)?) })
}

fn hand_out(conn: &mut Conn, login: HomeLoginId) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::insert_into(tokens::table)
        .values((tokens::hash.eq(secrets::hash(&secret)), tokens::login_id.eq(login)))
        .execute(conn)?;
    Ok(secret)
}

/// Takes a refresh token and hands out the next.
pub(super) fn refresh(conn: &mut Conn, now: Timestamp, (carrier, secret): (Carrier, &str)) -> StoreResult<Refreshed> {
    let hash = secrets::hash(secret);
    let known: Option<(HomeLoginId, Option<Timestamp>)> =
        tokens::table.find(&hash).select((tokens::login_id, tokens::used_at)).first(conn).optional()?;
    let Some((login, used_at)) = known else {
        return Ok(Refreshed::Refused);
    };
    let Some(Going { organization, user, expires_at, .. }) = find(conn, login, now)? else {
        return Ok(Refreshed::Refused);
    };
    // Of two that come at the same time, one finds it used.
    let unused = tokens::table.find(&hash).filter(tokens::used_at.is_null());
    let taken = diesel::update(unused).set(tokens::used_at.eq(now)).execute(conn)?;
    if taken == 0 {
        // On PostgreSQL two writers may have read it unused: that is just now.
        let is_just_used = now.since(used_at.unwrap_or(now)) < TABS_WITHIN;
        if carrier == Carrier::Cookie && is_just_used {
            return Ok(Refreshed::Continued(Continued { organization, user, login, expires_at, refresh: None }));
        }
        end(conn, login)?;
        return Ok(Refreshed::Reused { organization, user });
    }
    let refresh = Some(hand_out(conn, login)?);
    Ok(Refreshed::Continued(Continued { organization, user, login, expires_at, refresh }))
}

/// Whose refresh token this is, and of which login, while it can still be used.
pub(super) fn find_by_refresh(
    conn: &mut Conn,
    secret: &str,
    now: Timestamp,
) -> StoreResult<Option<(HomeLoginId, Going)>> {
    let unused = tokens::table.find(secrets::hash(secret)).filter(tokens::used_at.is_null());
    let known: Option<HomeLoginId> = unused.select(tokens::login_id).first(conn).optional()?;
    let Some(login) = known else {
        return Ok(None);
    };
    Ok(find(conn, login, now)?.map(|of| (login, of)))
}

/// Whose a login is.
#[derive(Debug, Clone, Copy, Queryable)]
pub(super) struct Going {
    pub organization: OrganizationId,
    pub user: UserId,
    /// When the user was first invited.
    pub invited_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whose login this is, while it goes on and its user may log in.
pub(super) fn find(conn: &mut Conn, login: HomeLoginId, now: Timestamp) -> StoreResult<Option<Going>> {
    Ok(home_logins::table
        .inner_join(home_users::table.inner_join(users::table))
        .filter(home_logins::id.eq(login))
        .filter(home_logins::expires_at.gt(now))
        .filter(users::active.eq(true))
        .select((home_users::organization_id, home_users::id, home_users::created_at, home_logins::expires_at))
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
