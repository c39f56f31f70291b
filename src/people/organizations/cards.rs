//! What cards get that are not simply known: those that no token knows, and those that are in use at another connector. An organization
//! says it, and a location may say otherwise.

use diesel::prelude::*;

use crate::store::schema::{chargestations, locations, organizations};
use crate::store::{Conn, StoreResult};
use kernel::*;

crate::spelled! {
    /// What a card gets that no token knows.
    pub enum UnknownCards {
        /// It may not charge (the default).
        Refuse = "refuse",
        /// It may charge, at the prices of the connector; who pays is up to you.
        Accept = "accept",
        /// It may charge, and its session has no price.
        FreeVending = "free_vending",
    }
}

crate::spelled! {
    /// What a card gets that is in use at another connector.
    pub enum ConcurrentCards {
        /// It may charge there as well (the default).
        Accept = "accept",
        /// It may not: stations are answered ConcurrentTx.
        Refuse = "refuse",
    }
}
crate::text_column!(spelled UnknownCards, ConcurrentCards);

/// What applies at a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardPolicy {
    /// For cards that no token knows.
    pub unknown: UnknownCards,
    /// For cards that are in use at another connector.
    pub concurrent: ConcurrentCards,
}

/// What applies at a station: what its location says, else its organization. Where not everybody may charge (`public` is
/// false), unknown cards may not, whatever these say.
pub fn card_policy(conn: &mut Conn, station: StationId) -> StoreResult<CardPolicy> {
    let (organization, location, public): (OrganizationId, Option<LocationId>, bool) = chargestations::table
        .find(station)
        .select((chargestations::organization_id, chargestations::location_id, chargestations::public))
        .first(conn)?;
    let of_all: (UnknownCards, ConcurrentCards) = organizations::table
        .find(organization)
        .select((organizations::unknown_cards, organizations::concurrent_cards))
        .first(conn)?;
    let of_place: (Option<UnknownCards>, Option<ConcurrentCards>) = match location {
        Some(location) => locations::table
            .find(location)
            .select((locations::unknown_cards, locations::concurrent_cards))
            .first(conn)?,
        None => (None, None),
    };
    let unknown = of_place.0.unwrap_or(of_all.0);
    Ok(CardPolicy {
        unknown: if public { unknown } else { UnknownCards::Refuse },
        concurrent: of_place.1.unwrap_or(of_all.1),
    })
}
