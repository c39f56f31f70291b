//! Links that open an account once: to accept an invitation, to choose another password, or to be logged in at once.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::model::Account;
use super::{logins, oidc};
use crate::store::schema::{operator_accounts as accounts, operator_links as links};
use crate::store::{Conn, StoreResult, secrets};
use kernel::*;

crate::spelled! {
    /// What a link is for.
    pub enum Purpose {
        /// To accept an invitation.
        Invitation = "invitation",
        /// To choose another password.
        PasswordReset = "password_reset",
        /// To be logged in: made on the machine of the server only.
        Login = "login",
    }
}
crate::text_column!(spelled Purpose);

/// What is stored of a secret: it is too long to be guessed from this.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Makes a link for one use and answers its secret; earlier ones stay good.
pub(super) fn make_link(
    conn: &mut Conn,
    account: AccountId,
    purpose: Purpose,
    until: Timestamp,
) -> StoreResult<String> {
    let secret = secrets::draw();
    diesel::insert_into(links::table)
        .values((
            links::hash.eq(hash(&secret)),
            links::account_id.eq(account),
            links::purpose.eq(purpose),
            links::expires_at.eq(until),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// Whose link it is, while it is good.
pub(super) fn find(conn: &mut Conn, secret: &str, purpose: Purpose, now: Timestamp) -> StoreResult<Option<Account>> {
    Ok(links::table
        .inner_join(accounts::table)
        .filter(links::hash.eq(hash(secret)))
        .filter(links::purpose.eq(purpose))
        .filter(links::expires_at.gt(now))
        .select(Account::as_select())
        .first(conn)
        .optional()?)
}

/// Makes all links to an account worthless; answers how many there were.
pub(super) fn drop_all(conn: &mut Conn, account: AccountId) -> StoreResult<usize> {
    Ok(diesel::delete(links::table.filter(links::account_id.eq(account))).execute(conn)?)
}

/// Forgets links, logins and requests to login providers that are over.
pub fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    oidc::requests::tidy(conn, now)?;
    diesel::delete(links::table.filter(links::expires_at.le(now))).execute(conn)?;
    logins::tidy(conn, now)
}
