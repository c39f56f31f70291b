//! Tokens: who may charge.

use diesel::prelude::*;

use crate::db::schema::{tokens, users};
use crate::db::{Conn, StoreResult};
use crate::kernel::*;

/// Whether a token may charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// Yes.
    Accepted,
    /// No: it or its driver was blocked.
    Blocked,
    /// No: its time is over.
    Expired,
    /// No: nobody knows it.
    Invalid,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Whether it may charge.
    pub status: AuthorizationStatus,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// The group it belongs to.
    pub parent_group: Option<String>,
    /// Its id.
    pub token: Option<TokenId>,
    /// Its driver.
    pub user: Option<UserId>,
}

/// What is known of a token, whatever the case of its letters.
pub fn authorize(
    conn: &mut Conn,
    organization: OrganizationId,
    id_tag: &str,
    now: Timestamp,
) -> StoreResult<Authorization> {
    let found: Option<(
        TokenId,
        Option<UserId>,
        String,
        Option<Timestamp>,
        Option<String>,
    )> = tokens::table
        .filter(
            tokens::organization_id
                .eq(organization)
                .and(tokens::folded_id.eq(id_tag.to_lowercase())),
        )
        .select((
            tokens::id,
            tokens::user_id,
            tokens::status,
            tokens::expires_at,
            tokens::parent_group,
        ))
        .first(conn)
        .optional()?;
    let Some((token, user, status, expires_at, parent_group)) = found else {
        let status = AuthorizationStatus::Invalid;
        return Ok(Authorization {
            status,
            expires_at: None,
            parent_group: None,
            token: None,
            user: None,
        });
    };
    let driver_active: bool = match user {
        Some(user) => users::table.find(user).select(users::active).first(conn)?,
        None => true,
    };
    let status = if status != "active" || !driver_active {
        AuthorizationStatus::Blocked
    } else if expires_at.is_some_and(|end| end <= now) {
        AuthorizationStatus::Expired
    } else {
        AuthorizationStatus::Accepted
    };
    Ok(Authorization {
        status,
        expires_at,
        parent_group,
        token: Some(token),
        user,
    })
}
