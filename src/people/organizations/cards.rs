//! What cards get that are not simply known: those that no token knows, and those that are in use at another connector. An organization
//! says it, and a location may say otherwise.

use diesel::prelude::*;

use crate::each;
use crate::store::schema::organizations;
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

/// What applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardPolicy {
    /// For cards that no token knows.
    pub unknown: UnknownCards,
    /// For cards that are in use at another connector.
    pub concurrent: ConcurrentCards,
}

/// What applies where no location says otherwise.
pub fn card_policy(conn: &mut Conn, id: OrganizationId) -> StoreResult<CardPolicy> {
    let (unknown, concurrent) = each!(conn, |conn| organizations::table
        .find(id)
        .select((organizations::unknown_cards, organizations::concurrent_cards))
        .first(conn))?;
    Ok(CardPolicy { unknown, concurrent })
}
