//! Whether a token may charge: what a station is answered when somebody presents one.

use diesel::prelude::*;

use super::model::{Token, TokenStatus, TokenType};
use super::store;
use crate::people::users;
use crate::store::schema::tokens;
use crate::store::{Conn, StoreResult};
use kernel::*;

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
    /// No: it is in use at another connector.
    Concurrent,
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
    /// Whether no token knows it.
    pub is_unknown: bool,
    /// Whether what it charges costs nothing: free vending.
    pub is_free: bool,
}

impl Authorization {
    /// Nobody knows it.
    const INVALID: Self = Self {
        status: AuthorizationStatus::Invalid,
        expires_at: None,
        parent_group: None,
        token: None,
        user: None,
        is_unknown: true,
        is_free: false,
    };

    /// What is said where no card that can be read was presented to the reader.
    pub const fn without_card(status: AuthorizationStatus) -> Self {
        Self { status, is_unknown: false, ..Self::INVALID }
    }

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
            is_unknown: false,
            is_free: false,
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
        Some(user) => users::is_active(conn, user)?,
        None => true,
    };
    Ok(Authorization::of(token, driver_active, now))
}

/// What a station is sent about a card for the time when it cannot ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineCard {
    /// What stations read.
    pub id_tag: String,
    /// What kind of token it is.
    pub kind: TokenType,
    /// Whether it may charge.
    pub may_charge: bool,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// The group it belongs to.
    pub parent_group: Option<String>,
}

/// Cards that one list has at most.
const MOST_CARDS: i64 = 5_000;

/// The organization's cards for lists that stations keep: expired ones and those of more characters than the station's protocol
/// has room for are left out.
pub fn offline_cards(
    conn: &mut Conn,
    organization: OrganizationId,
    longest: usize,
    now: Timestamp,
) -> StoreResult<Vec<OfflineCard>> {
    let fits = |number: &str| number.chars().count() <= longest;
    let rows: Vec<Token> = tokens::table
        .filter(tokens::organization_id.eq(organization))
        .order(tokens::created_at)
        .limit(MOST_CARDS)
        .select(Token::as_select())
        .load(conn)?;
    let drivers: Vec<UserId> = rows.iter().filter_map(|token| token.user_id).collect();
    let inactive = users::inactive_of(conn, &drivers)?;
    let card = |token: Token| {
        let driver_active = token.user_id.is_none_or(|user| !inactive.contains(&user));
        let known = Authorization::of(token.clone(), driver_active, now);
        let usable = known.status != AuthorizationStatus::Expired && fits(&token.physical_id);
        usable.then(|| OfflineCard {
            id_tag: token.physical_id,
            kind: token.kind,
            may_charge: known.status == AuthorizationStatus::Accepted,
            expires_at: token.expires_at,
            parent_group: token.parent_group.filter(|group| fits(group)),
        })
    };
    Ok(rows.into_iter().filter_map(card).collect())
}
