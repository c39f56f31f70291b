//! Links that log a driver in once, and the logins that they begin. Of both only hashes of their secrets are kept.

use std::time::Duration;

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::store::schema::{driver_links, driver_logins};
use crate::store::{Conn, StoreResult, secrets};
use kernel::{Moment, Timestamp};

/// How long a link works, from when its e-mail is sent.
pub(super) const LINK_LASTS: Duration = Duration::from_secs(15 * 60);
/// How long a login goes on.
pub(super) const LOGIN_LASTS: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Logins of an address that go on at a time: the oldest one ends when there is another.
const MOST_LOGINS: i64 = 20;

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Makes the link of an address and answers its secret; the one before does not work any more.
pub(super) fn make_link(conn: &mut Conn, email: &str, now: Timestamp) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::delete(driver_links::table.find(email)).execute(conn)?;
    diesel::insert_into(driver_links::table)
        .values((
            driver_links::email.eq(email),
            driver_links::hash.eq(hash(&secret)),
            driver_links::expires_at.eq(now + LINK_LASTS),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// Uses a link up: the address that it proves, while it is good.
pub(super) fn take_link(conn: &mut Conn, secret: &str, now: Timestamp) -> StoreResult<Option<String>> {
    let good = driver_links::table.filter(driver_links::hash.eq(hash(secret))).filter(driver_links::expires_at.gt(now));
    let Some(email) = good.select(driver_links::email).first::<String>(conn).optional()? else {
        return Ok(None);
    };
    let mine = driver_links::table.filter(driver_links::hash.eq(hash(secret)));
    // Of two who use it at the same time one finds it gone.
    let taken = diesel::delete(mine).execute(conn)?;
    Ok((taken == 1).then_some(email))
}

/// Begins a login with an address that was proven, and answers its secret.
pub(super) fn begin(conn: &mut Conn, email: &str, moment: &Moment) -> StoreResult<String> {
    let secret = secrets::draw();
    let beyond: Vec<String> = driver_logins::table
        .filter(driver_logins::email.eq(email))
        .order((driver_logins::created_at.desc(), driver_logins::hash))
        .offset(MOST_LOGINS - 1)
        .limit(MOST_LOGINS)
        .select(driver_logins::hash)
        .load(conn)?;
    diesel::delete(driver_logins::table.filter(driver_logins::hash.eq_any(beyond))).execute(conn)?;
    diesel::insert_into(driver_logins::table)
        .values((
            driver_logins::hash.eq(hash(&secret)),
            driver_logins::email.eq(email),
            driver_logins::created_at.eq(moment.now),
            driver_logins::expires_at.eq(moment.now + LOGIN_LASTS),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// The address that the login with this secret proved, while it goes on.
pub(super) fn find(conn: &mut Conn, secret: &str, now: Timestamp) -> StoreResult<Option<String>> {
    let going = driver_logins::table.find(hash(secret)).filter(driver_logins::expires_at.gt(now));
    Ok(going.select(driver_logins::email).first(conn).optional()?)
}

/// Ends a login.
pub(super) fn end(conn: &mut Conn, secret: &str) -> StoreResult<()> {
    diesel::delete(driver_logins::table.find(hash(secret))).execute(conn)?;
    Ok(())
}

/// Forgets links and logins that are over.
pub fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    diesel::delete(driver_links::table.filter(driver_links::expires_at.le(now))).execute(conn)?;
    diesel::delete(driver_logins::table.filter(driver_logins::expires_at.le(now))).execute(conn)?;
    Ok(())
}
