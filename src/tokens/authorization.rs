//! Whether a token may charge: what a station is answered when somebody presents one.

use diesel::prelude::*;

use super::model::{Token, TokenStatus};
use super::store;
use crate::db::schema::users;
use crate::db::{Conn, StoreResult};
use crate::kernel::{OrganizationId, Timestamp, TokenId, UserId};

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

impl Authorization {
    /// Nobody knows it.
    const INVALID: Self = Self {
        status: AuthorizationStatus::Invalid,
        expires_at: None,
        parent_group: None,
        token: None,
        user: None,
    };

    fn of(token: Token, driver_active: bool, now: Timestamp) -> Self {
        let status = if token.status == TokenStatus::Blocked || !driver_active {
            AuthorizationStatus::Blocked
        } else if token.expires_at.is_some_and(|end| end <= now) {
            AuthorizationStatus::Expired
        } else {
            AuthorizationStatus::Accepted
        };
        Self {
            status,
            expires_at: token.expires_at,
            parent_group: token.parent_group,
            token: Some(token.id),
            user: token.user_id,
        }
    }
}

/// What is known of a token, whatever the case of its letters.
pub fn authorize(
    conn: &mut Conn,
    organization: OrganizationId,
    id_tag: &str,
    now: Timestamp,
) -> StoreResult<Authorization> {
    let Some(token) = store::find_by_tag(conn, organization, id_tag)? else {
        return Ok(Authorization::INVALID);
    };
    let driver_active: bool = match token.user_id {
        Some(user) => users::table.find(user).select(users::active).first(conn)?,
        None => true,
    };
    Ok(Authorization::of(token, driver_active, now))
}
