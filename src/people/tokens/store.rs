//! Tokens in the database; every query is bounded by the organization.

use diesel::prelude::*;

use super::model::TokenFilter;
use super::model::{Token, TokenStatus, fold};
use super::uses::Uses;
use crate::each;
use crate::fetch_page;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Code};
use crate::store::schema::tokens;
use crate::store::{Conn, Searched, StoreError, StoreResult};
use kernel::spelled::Spelled;
use kernel::{OrganizationId, Page, TokenId, UserId};

/// A physical id that another token has is refused.
fn taken(error: diesel::result::Error) -> ApiError {
    match StoreError::from(error) {
        StoreError::Duplicate(_) => {
            ApiError::new(Code::AlreadyExists, "Another token of your organization has this physicalId")
        }
        other => other.into(),
    }
}

pub(super) fn insert(conn: &mut Conn, token: &Token) -> ApiResult<()> {
    let inserted = diesel::insert_into(tokens::table).values(token).execute(conn);
    inserted.map(drop).map_err(taken)
}

/// The organization's token with this id.
pub fn find(conn: &mut Conn, organization: OrganizationId, id: TokenId) -> StoreResult<Token> {
    Ok(tokens::table
        .filter(tokens::organization_id.eq(organization).and(tokens::id.eq(id)))
        .select(Token::as_select())
        .first(conn)?)
}

/// The organization's token that stations read as this, whatever the case of its letters.
pub(super) fn find_by_tag(conn: &mut Conn, organization: OrganizationId, id_tag: &str) -> StoreResult<Option<Token>> {
    let found = each!(conn, |conn| tokens::table
        .filter(tokens::organization_id.eq(organization).and(tokens::folded_id.eq(fold(id_tag))))
        .select(Token::as_select())
        .first(conn));
    Ok(found.optional()?)
}

/// The type of the organization's token that stations read as this, in OCPP's words; none where no token is known.
pub fn type_of(conn: &mut Conn, organization: OrganizationId, id_tag: &str) -> StoreResult<Option<&'static str>> {
    let token = find_by_tag(conn, organization, id_tag)?;
    Ok(token.map(|token| token.kind.as_str()))
}

/// What stations read of the active tokens of a user, the oldest token first.
pub fn active_numbers_of(conn: &mut Conn, user: UserId) -> StoreResult<Vec<String>> {
    Ok(tokens::table
        .filter(tokens::user_id.eq(user).and(tokens::status.eq(TokenStatus::Active)))
        .order(tokens::created_at)
        .select(tokens::physical_id)
        .load(conn)?)
}

/// How many tokens belong to a user.
pub fn count_of_user(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    Ok(tokens::table.filter(tokens::user_id.eq(user)).count().get_result(conn)?)
}

pub(super) fn update(conn: &mut Conn, token: &Token) -> ApiResult<()> {
    let updated = diesel::update(tokens::table.find(token.id)).set(token).execute(conn);
    updated.map(drop).map_err(taken)
}

/// Deletes it, unless a session was started by it.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, token: &Token) -> ApiResult<()> {
    let sessions = (uses.sessions)(conn, token.id)?;
    if sessions > 0 {
        return Err(ApiError::in_use(format!(
            "The token still has {sessions} session(s); set status to blocked instead"
        )));
    }
    diesel::delete(tokens::table.find(token.id)).execute(conn)?;
    Ok(())
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<TokenFilter>,
) -> ApiResult<Page<Token>> {
    let filter = &query.filter;
    let search = query.search.as_deref();
    let found = search.map(|text| Searched::Tokens.containing(conn, organization, text));
    let filtered = || {
        let mut rows = tokens::table.filter(tokens::organization_id.eq(organization)).into_boxed();
        if let Some(user) = filter.user {
            rows = rows.filter(tokens::user_id.eq(user));
        }
        if let Some(status) = filter.status {
            rows = rows.filter(tokens::status.eq(status));
        }
        if let Some(kind) = filter.kind {
            rows = rows.filter(tokens::type_.eq(kind));
        }
        if let Some(found) = &found {
            rows = rows.filter(found());
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, tokens, filtered(), {
        "physicalId" => tokens::folded_id,
        "expires_at" => tokens::expires_at,
    });
    Ok(Page { rows: rows.select(Token::as_select()).load(conn)?, total, request: query.page })
}
