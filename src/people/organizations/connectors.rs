//! What becomes of connectors that a station reports and nobody set up. An organization says it, and a station may have it
//! otherwise.

use diesel::prelude::*;

use crate::store::schema::organizations;
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

/// What applies where no station has it otherwise.
pub fn unknown_connectors(conn: &mut Conn, id: OrganizationId) -> StoreResult<UnknownConnectors> {
    Ok(organizations::table.find(id).select(organizations::unknown_connectors).first(conn)?)
}
