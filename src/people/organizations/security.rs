//! How stations prove who they are, and what a new station gets of it where nothing else is said.

use diesel::prelude::*;

use crate::store::schema::organizations;
use crate::store::{Conn, StoreResult};
use kernel::OrganizationId;

crate::spelled! {
    /// How a station proves who it is.
    pub enum SecurityType {
        /// Not at all: it knows its endpoint.
        None = "none",
        /// HTTP Basic with a password.
        BasicAuth = "basic_auth",
        /// A TLS client certificate that names its endpoint or the serial number that was entered for it.
        ClientCertificate = "client_certificate",
    }
}
crate::text_column!(spelled SecurityType);

/// What a new station of an organization gets.
pub fn default_security(conn: &mut Conn, organization: OrganizationId) -> StoreResult<SecurityType> {
    Ok(organizations::table.find(organization).select(organizations::default_security).first(conn)?)
}
