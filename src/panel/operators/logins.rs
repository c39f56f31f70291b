//! Logins: a secret in a cookie, and what it opens. One that nobody uses for a while is over, and so is every one after some days.

use std::time::Duration;

use diesel::prelude::*;

use super::links::hash;
use super::model::{Account, Operator};
use crate::store::schema::{operator_accounts as accounts, operator_logins as logins, operators};
use crate::store::{Conn, StoreResult, secrets};
use kernel::*;

/// How often it is noted that a login is used.
const TOUCHED_EVERY: Duration = Duration::from_secs(60);

/// How long logins last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasting {
    /// From the first request on, however often it is used.
    pub altogether: Duration,
    /// From the last request on.
    pub unused: Duration,
}

/// A login that goes on.
#[derive(Clone)]
pub(super) struct Login {
    pub id: OperatorLoginId,
    pub operator: Operator,
    pub account: Account,
    seen_at: Timestamp,
}

impl Login {
    /// Whether it should be noted that it is used.
    pub(super) fn is_to_be_touched(&self, now: Timestamp) -> bool {
        now.since(self.seen_at) >= TOUCHED_EVERY
    }
}

/// Begins a login at an organization, and answers its secret.
pub(super) fn begin(conn: &mut Conn, moment: &Moment, operator: &Operator, lasts: Lasting) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::insert_into(logins::table)
        .values((
            logins::id.eq(moment.id::<OperatorLoginId>()),
            logins::secret_hash.eq(hash(&secret)),
            logins::account_id.eq(operator.account_id),
            logins::operator_id.eq(operator.id),
            logins::created_at.eq(moment.now),
            logins::seen_at.eq(moment.now),
            logins::expires_at.eq(moment.now + lasts.altogether),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// The login with this secret, while it goes on and its operator may log in.
pub(super) fn find(conn: &mut Conn, secret: &str, now: Timestamp, lasts: Lasting) -> StoreResult<Option<Login>> {
    let found: Option<(OperatorLoginId, Timestamp, Operator, Account)> = logins::table
        .inner_join(operators::table.inner_join(accounts::table))
        .filter(logins::secret_hash.eq(hash(secret)))
        .filter(logins::expires_at.gt(now))
        .filter(logins::seen_at.gt(now - lasts.unused))
        .filter(operators::active.eq(true))
        .select((logins::id, logins::seen_at, Operator::as_select(), Account::as_select()))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, seen_at, operator, account)| Login { id, operator, account, seen_at }))
}

pub(super) fn touch(conn: &mut Conn, id: OperatorLoginId, now: Timestamp) -> StoreResult<()> {
    diesel::update(logins::table.find(id)).set(logins::seen_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Makes it a login at another organization of the same account.
pub(super) fn move_to(conn: &mut Conn, id: OperatorLoginId, operator: OperatorId) -> StoreResult<()> {
    diesel::update(logins::table.find(id)).set(logins::operator_id.eq(operator)).execute(conn)?;
    Ok(())
}

pub(super) fn end(conn: &mut Conn, id: OperatorLoginId) -> StoreResult<()> {
    diesel::delete(logins::table.find(id)).execute(conn)?;
    Ok(())
}

/// Ends all logins of an account, but for one.
pub(super) fn end_others(conn: &mut Conn, account: AccountId, but: Option<OperatorLoginId>) -> StoreResult<()> {
    let mine = logins::table.filter(logins::account_id.eq(account));
    match but {
        Some(but) => diesel::delete(mine.filter(logins::id.ne(but))).execute(conn)?,
        None => diesel::delete(mine).execute(conn)?,
    };
    Ok(())
}

/// Ends the logins of an operator: those at this organization.
pub(super) fn end_of(conn: &mut Conn, operator: OperatorId) -> StoreResult<()> {
    diesel::delete(logins::table.filter(logins::operator_id.eq(operator))).execute(conn)?;
    Ok(())
}

/// Forgets those that are over.
pub(super) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    diesel::delete(logins::table.filter(logins::expires_at.le(now))).execute(conn)?;
    Ok(())
}
