//! Identities: who somebody is to a provider, by its issuer and the name that it gives to nobody else, linked to an account.

use diesel::prelude::*;

use crate::panel::operators::model::Account;
use crate::store::schema::{operator_accounts as accounts, operator_identities as identities};
use crate::store::{Conn, StoreResult};
use kernel::{AccountId, Timestamp};

/// The account that belongs to a person of a provider.
pub(super) fn find(conn: &mut Conn, issuer: &str, subject: &str) -> StoreResult<Option<Account>> {
    Ok(identities::table
        .inner_join(accounts::table)
        .filter(identities::issuer.eq(issuer))
        .filter(identities::subject.eq(subject))
        .select(Account::as_select())
        .first(conn)
        .optional()?)
}

/// Whether somebody of this provider uses the account.
pub(super) fn is_used(conn: &mut Conn, issuer: &str, account: AccountId) -> StoreResult<bool> {
    let mine = identities::table.filter(identities::account_id.eq(account)).filter(identities::issuer.eq(issuer));
    Ok(diesel::select(diesel::dsl::exists(mine)).get_result(conn)?)
}

/// Links a person of a provider to an account.
pub(super) fn link(
    conn: &mut Conn,
    (issuer, subject): (&str, &str),
    account: AccountId,
    now: Timestamp,
) -> StoreResult<()> {
    diesel::insert_into(identities::table)
        .values((
            identities::issuer.eq(issuer),
            identities::subject.eq(subject),
            identities::account_id.eq(account),
            identities::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets who of any provider uses an account.
pub(in crate::panel::operators) fn drop_all(conn: &mut Conn, account: AccountId) -> StoreResult<()> {
    diesel::delete(identities::table.filter(identities::account_id.eq(account))).execute(conn)?;
    Ok(())
}
