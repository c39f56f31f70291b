//! What becomes of connectors that a station reports and nobody set up. An organization says it, and a station may have it
//! otherwise.

use diesel::prelude::*;

use crate::store::schema::{chargestations, organizations};
use crate::store::{Conn, StoreResult};
use kernel::*;

crate::spelled! {
    /// What becomes of a connector that a station reports and nobody set up.
    pub enum UnknownConnectors {
        /// It is warned of, and what it draws is reserved (the default).
        Report = "report",
        /// It is created like the largest connector of its station.
        Create = "create",
    }
}
crate::text_column!(spelled UnknownConnectors);

/// What applies at a station: what it says itself, else its organization.
pub fn unknown_connectors(conn: &mut Conn, station: StationId) -> StoreResult<UnknownConnectors> {
    let (organization, own): (OrganizationId, Option<UnknownConnectors>) = chargestations::table
        .find(station)
        .select((chargestations::organization_id, chargestations::unknown_connectors))
        .first(conn)?;
    if let Some(own) = own {
        return Ok(own);
    }
    Ok(organizations::table.find(organization).select(organizations::unknown_connectors).first(conn)?)
}
