//! Cards that are presented to a reader: whether one may charge there, as its token, the location and the sessions of the card
//! have it.

use serde::Serialize;

use super::store;
use crate::events::{Change, EventKind};
use crate::people::organizations::{ConcurrentCards, UnknownCards};
use crate::people::tokens::{self, Authorization, AuthorizationStatus};
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::*;

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
    let mut known = tokens::authorize(conn, presented.organization, presented.id_tag, now)?;
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
    let running = store::running_with_card(conn, presented.organization, presented.id_tag)?;
    Ok(running.iter().any(|session| {
        let name = session.transaction_name.as_deref();
        let may_go_on = |begun: Begun<'_>| begun.is_or_ends(name, session.connector_id);
        session.chargestation_id != presented.station || !presented.begins.is_none_or(may_go_on)
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
pub fn record_unknown_card(
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
