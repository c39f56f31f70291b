//! Whether a token may charge: what a station is answered when somebody presents one.

use diesel::prelude::*;
use serde::Serialize;

use super::model::{Token, TokenStatus, TokenType, fold};
use super::store;
use crate::events::{Change, EventKind};
use crate::people::organizations::{ConcurrentCards, UnknownCards};
use crate::sites::stations;
use crate::store::query::lower;
use crate::store::schema::{sessions, tokens, users};
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
        Some(user) => users::table.find(user).select(users::active).first(conn)?,
        None => true,
    };
    Ok(Authorization::of(token, driver_active, now))
}

/// A card that is presented to a reader.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// What it begins. A card that is only shown may be about to end what runs at the station.
    pub begins: Option<Begun<'a>>,
    /// What was read.
    pub id_tag: &'a str,
}

/// A transaction that a card begins, or goes on with.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// Where, as far as that is known.
    pub at: Option<ConnectorId>,
    /// The station's own name of it, where it has one.
    pub name: Option<&'a str>,
}

impl Begun<'_> {
    /// Whether a session at the same station is this one, or gives way to it.
    fn is_or_ends(self, name: Option<&str>, connector: Option<ConnectorId>) -> bool {
        let is_it = self.name.is_some() && self.name == name;
        is_it
            || match (self.at, connector) {
                (Some(here), Some(there)) => here == there,
                (Some(_), None) => true,
                (None, there) => there.is_none() && self.name.is_none(),
            }
    }
}

/// What is known of a card, and what the location where it is presented makes of that.
pub fn judge(conn: &mut Conn, presented: Presented<'_>, now: Timestamp) -> StoreResult<Authorization> {
    let mut known = authorize(conn, presented.organization, presented.id_tag, now)?;
    let policy = stations::card_policy(conn, presented.station)?;
    if known.is_unknown {
        let (status, is_free) = match policy.unknown {
            UnknownCards::Refuse => (AuthorizationStatus::Invalid, false),
            UnknownCards::Accept => (AuthorizationStatus::Accepted, false),
            UnknownCards::FreeVending => (AuthorizationStatus::Accepted, true),
        };
        (known.status, known.is_free) = (status, is_free);
    }
    if known.status == AuthorizationStatus::Accepted
        && policy.concurrent == ConcurrentCards::Refuse
        && !presented.id_tag.is_empty()
        && is_in_use_elsewhere(conn, presented)?
    {
        known.status = AuthorizationStatus::Concurrent;
    }
    Ok(known)
}

/// Whether a session of this card runs at another station or, where it begins one, another connector.
fn is_in_use_elsewhere(conn: &mut Conn, presented: Presented<'_>) -> StoreResult<bool> {
    let running: Vec<(StationId, Option<ConnectorId>, Option<String>)> = sessions::table
        .filter(sessions::organization_id.eq(presented.organization))
        .filter(sessions::status.eq("started"))
        .filter(lower(sessions::id_tag).eq(fold(presented.id_tag)))
        .select((sessions::chargestation_id, sessions::connector_id, sessions::transaction_name))
        .load(conn)?;
    Ok(running.iter().any(|(station, connector, name)| {
        let may_go_on = |begun: Begun<'_>| begun.is_or_ends(name.as_deref(), *connector);
        *station != presented.station || !presented.begins.is_none_or(may_go_on)
    }))
}

/// What the event says of a card that no token knows.
#[derive(Serialize)]
struct UnknownCard<'a> {
    chargestation: StationId,
    connector: Option<ConnectorId>,
    session: Option<SessionId>,
    id_tag: &'a str,
    accepted: bool,
}

/// Records that a card that no token knows was presented to a reader, so that it can be enrolled by tapping.
pub fn tell_unknown(
    conn: &mut Conn,
    moment: &Moment,
    presented: Presented<'_>,
    known: &Authorization,
    session: Option<SessionId>,
) -> StoreResult<()> {
    if !known.is_unknown || presented.id_tag.is_empty() {
        return Ok(());
    }
    let card = UnknownCard {
        chargestation: presented.station,
        connector: presented.begins.and_then(|begun| begun.at),
        session,
        id_tag: presented.id_tag,
        accepted: known.status == AuthorizationStatus::Accepted,
    };
    Change::new(conn, presented.organization, moment).record_at(presented.station, EventKind::TokenUnknown, &card)
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
    let rows: Vec<(Token, Option<bool>)> = tokens::table
        .left_join(users::table.on(tokens::user_id.eq(users::id.nullable())))
        .filter(tokens::organization_id.eq(organization))
        .order(tokens::created_at)
        .limit(MOST_CARDS)
        .select((Token::as_select(), users::active.nullable()))
        .load(conn)?;
    let card = |(token, driver_active): (Token, Option<bool>)| {
        let known = Authorization::of(token.clone(), driver_active.unwrap_or(true), now);
        let usable = known.status != AuthorizationStatus::Expired && fits(&token.physical_id);
        usable.then(|| OfflineCard {
            id_tag: token.physical_id,
            kind: token.type_,
            may_charge: known.status == AuthorizationStatus::Accepted,
            expires_at: token.expires_at,
            parent_group: token.parent_group.filter(|group| fits(group)),
        })
    };
    Ok(rows.into_iter().filter_map(card).collect())
}
