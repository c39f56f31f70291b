//! Whether a token may charge: what a station is answered when somebody presents one.

use diesel::prelude::*;

use super::model::{Token, TokenStatus};
use super::store;
use crate::db::schema::{tokens, users};
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

/// What a station is told of a card for the time when it cannot ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineCard {
    /// What stations read.
    pub id_tag: String,
    /// Whether it may charge.
    pub may_charge: bool,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// The group it belongs to.
    pub parent_group: Option<String>,
}

/// Characters that a card of OCPP 1.6 has at most.
const LONGEST_CARD: usize = 20;
/// Cards that one list has at most.
const MOST_CARDS: i64 = 5_000;

/// The organization's cards for lists that stations keep: expired ones and those too long for OCPP 1.6 are left out.
pub fn offline_cards(
    conn: &mut Conn,
    organization: OrganizationId,
    now: Timestamp,
) -> StoreResult<Vec<OfflineCard>> {
    let rows: Vec<(Token, Option<bool>)> = tokens::table
        .left_join(users::table.on(tokens::user_id.eq(users::id.nullable())))
        .filter(tokens::organization_id.eq(organization))
        .order(tokens::created_at)
        .limit(MOST_CARDS)
        .select((Token::as_select(), users::active.nullable()))
        .load(conn)?;
    let card = |(token, driver_active): (Token, Option<bool>)| {
        let known = Authorization::of(token.clone(), driver_active.unwrap_or(true), now);
        let usable =
            known.status != AuthorizationStatus::Expired && token.physical_id.len() <= LONGEST_CARD;
        usable.then(|| OfflineCard {
            id_tag: token.physical_id,
            may_charge: known.status == AuthorizationStatus::Accepted,
            expires_at: token.expires_at,
            parent_group: token
                .parent_group
                .filter(|group| group.len() <= LONGEST_CARD),
        })
    };
    Ok(rows.into_iter().filter_map(card).collect())
}
