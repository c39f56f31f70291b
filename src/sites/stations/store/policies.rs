//! What applies at a station: what it or its location says, else its organization.

use diesel::prelude::*;

use crate::each;
use crate::people::organizations::{self, CardPolicy, UnknownCards, UnknownConnectors};
use crate::sites::locations;
use crate::store::schema::chargestations;
use crate::store::{Conn, StoreResult};
use kernel::{LocationId, OrganizationId, StationId};

/// What cards get: what the location says, else the organization. Where not everybody may charge (`public` is false), unknown
/// cards may not, whatever these say.
pub fn card_policy(conn: &mut Conn, station: StationId) -> StoreResult<CardPolicy> {
    let (organization, location, public): (OrganizationId, Option<LocationId>, bool) =
        each!(conn, |conn| chargestations::table
            .find(station)
            .select((chargestations::organization_id, chargestations::location_id, chargestations::public))
            .first(conn))?;
    let usual = organizations::card_policy(conn, organization)?;
    let (unknown, concurrent) = match location {
        Some(location) => locations::card_rules(conn, location)?,
        None => (None, None),
    };
    Ok(CardPolicy {
        unknown: if public { unknown.unwrap_or(usual.unknown) } else { UnknownCards::Refuse },
        concurrent: concurrent.unwrap_or(usual.concurrent),
    })
}

/// What becomes of connectors that nobody set up: what the station says, else the organization.
pub fn unknown_connectors(conn: &mut Conn, station: StationId) -> StoreResult<UnknownConnectors> {
    let (organization, own): (OrganizationId, Option<UnknownConnectors>) = chargestations::table
        .find(station)
        .select((chargestations::organization_id, chargestations::unknown_connectors))
        .first(conn)?;
    match own {
        Some(own) => Ok(own),
        None => organizations::unknown_connectors(conn, organization),
    }
}
