//! Accounts and operators in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::model::{Account, Operator, OperatorFilter};
use super::role::Role;
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::people::organizations::{self, Organization};
use crate::store::query::{contains, lower};
use crate::store::schema::{operator_accounts as accounts, operator_identities as identities, operators};
use crate::store::{Conn, StoreResult};
use kernel::*;

pub(super) fn insert_account(conn: &mut Conn, account: &Account) -> StoreResult<()> {
    diesel::insert_into(accounts::table).values(account).execute(conn)?;
    Ok(())
}

pub(super) fn update_account(conn: &mut Conn, account: &Account) -> StoreResult<()> {
    diesel::update(accounts::table.find(account.id)).set(account).execute(conn)?;
    Ok(())
}

pub(super) fn find_account(conn: &mut Conn, id: AccountId) -> StoreResult<Account> {
    Ok(accounts::table.find(id).select(Account::as_select()).first(conn)?)
}

pub(super) fn find_by_email(conn: &mut Conn, email: &str) -> StoreResult<Option<Account>> {
    Ok(accounts::table.filter(accounts::email.eq(email)).select(Account::as_select()).first(conn).optional()?)
}

/// Notes that the code of this step was used; false where that was one before.
pub(super) fn use_step(conn: &mut Conn, id: AccountId, step: i64) -> StoreResult<bool> {
    let earlier = accounts::table.filter(accounts::id.eq(id).and(accounts::totp_step.lt(step)));
    Ok(diesel::update(earlier).set(accounts::totp_step.eq(step)).execute(conn)? > 0)
}

pub(super) fn touch_account(conn: &mut Conn, id: AccountId, now: Timestamp) -> StoreResult<()> {
    diesel::update(accounts::table.find(id)).set(accounts::last_login_at.eq(now)).execute(conn)?;
    Ok(())
}

pub(super) fn insert(conn: &mut Conn, operator: &Operator) -> StoreResult<()> {
    diesel::insert_into(operators::table).values(operator).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, operator: &Operator) -> StoreResult<()> {
    diesel::update(operators::table.find(operator.id)).set(operator).execute(conn)?;
    Ok(())
}

/// Deletes an operator; an account that is in no organization any more goes with the last.
pub(super) fn delete(conn: &mut Conn, operator: &Operator) -> StoreResult<()> {
    diesel::delete(operators::table.find(operator.id)).execute(conn)?;
    let others: i64 =
        operators::table.filter(operators::account_id.eq(operator.account_id)).count().get_result(conn)?;
    if others == 0 {
        diesel::delete(accounts::table.find(operator.account_id)).execute(conn)?;
    }
    Ok(())
}

/// The organization's operator with this id.
pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: OperatorId) -> StoreResult<(Operator, Account)> {
    Ok(operators::table
        .inner_join(accounts::table)
        .filter(operators::organization_id.eq(organization))
        .filter(operators::id.eq(id))
        .select((Operator::as_select(), Account::as_select()))
        .first(conn)?)
}

/// What a person is where they may log in, with the organizations; the oldest first.
pub(super) fn of_account(conn: &mut Conn, account: AccountId) -> StoreResult<Vec<(Operator, Organization)>> {
    let mine: Vec<Operator> = operators::table
        .filter(operators::account_id.eq(account).and(operators::active.eq(true)))
        .order((operators::created_at, operators::id))
        .select(Operator::as_select())
        .load(conn)?;
    let mut both = Vec::with_capacity(mine.len());
    for operator in mine {
        let organization = organizations::find_organization(conn, operator.organization_id)?;
        both.push((operator, organization));
    }
    Ok(both)
}

/// What a person is in each organization where they may log in.
pub(super) fn roles_of(conn: &mut Conn, account: AccountId) -> StoreResult<BTreeMap<OrganizationId, Role>> {
    let mine: Vec<(OrganizationId, Role)> = operators::table
        .filter(operators::account_id.eq(account).and(operators::active.eq(true)))
        .select((operators::organization_id, operators::role))
        .load(conn)?;
    Ok(mine.into_iter().collect())
}

/// What a person is, or was, in an organization.
pub(super) fn find_in(
    conn: &mut Conn,
    account: AccountId,
    organization: OrganizationId,
) -> StoreResult<Option<Operator>> {
    Ok(operators::table
        .filter(operators::account_id.eq(account).and(operators::organization_id.eq(organization)))
        .select(Operator::as_select())
        .first(conn)
        .optional()?)
}

/// How many others may administer an organization.
pub(super) fn other_admins(conn: &mut Conn, operator: &Operator) -> StoreResult<i64> {
    Ok(operators::table
        .filter(operators::organization_id.eq(operator.organization_id))
        .filter(operators::role.eq(Role::Admin).and(operators::active.eq(true)))
        .filter(operators::id.ne(operator.id))
        .count()
        .get_result(conn)?)
}

/// The account of the first start, until somebody chose an address for it.
pub(super) fn find_unaddressed(conn: &mut Conn) -> StoreResult<Option<Account>> {
    let waiting = accounts::email.is_null().and(accounts::password_hash.is_null());
    Ok(accounts::table.filter(waiting).select(Account::as_select()).first(conn).optional()?)
}

/// Whether anybody may log in to this server.
pub(super) fn is_anybody_in(conn: &mut Conn) -> StoreResult<bool> {
    let known = accounts::id.eq_any(identities::table.select(identities::account_id));
    let able = operators::table
        .inner_join(accounts::table)
        .filter(operators::active.eq(true).and(accounts::password_hash.is_not_null().or(known)))
        .select(operators::id);
    Ok(diesel::select(diesel::dsl::exists(able)).get_result(conn)?)
}

/// Whether there is any operator on this server.
pub(super) fn is_any(conn: &mut Conn) -> StoreResult<bool> {
    Ok(diesel::select(diesel::dsl::exists(operators::table.select(operators::id))).get_result(conn)?)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<OperatorFilter>,
) -> ApiResult<Page<(Operator, Account)>> {
    let filtered = || {
        let mut rows = operators::table
            .inner_join(accounts::table)
            .filter(operators::organization_id.eq(organization))
            .into_boxed();
        if let Some(role) = query.filter.role {
            rows = rows.filter(operators::role.eq(role));
        }
        if let Some(active) = query.filter.active {
            rows = rows.filter(operators::active.eq(active));
        }
        if let Some(text) = &query.search {
            let (name, email) = (lower(accounts::name.nullable()), lower(accounts::email));
            let named = name.like(contains(text)).escape('\\');
            rows = rows.filter(named.or(email.like(contains(text)).escape('\\')));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, operators, filtered(), {
        "name" => accounts::name,
        "email" => accounts::email,
        "role" => operators::role,
    });
    let found: Vec<(Operator, Account)> = rows.select((Operator::as_select(), Account::as_select())).load(conn)?;
    Ok(Page { rows: found, total, request: query.page })
}
