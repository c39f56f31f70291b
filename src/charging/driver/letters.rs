//! The e-mail by which drivers log in.

use super::logins::{self, LINK_LASTS};
use crate::home::portal::{DriverLetters, Letter};
use crate::people::{organizations, users};
use crate::store::{Conn, StoreResult};
use kernel::Timestamp;

/// Writes e-mails to drivers, with links to pages of this server.
#[derive(Debug, Clone)]
pub struct DriverLinks {
    /// Where the pages are, such as `https://charge.example.com`.
    pub url: String,
    /// Who an e-mail is from to somebody whom several organizations know.
    pub name: String,
}

impl DriverLinks {
    /// Browsers send no server what follows the `#`, and no log has it.
    fn login(&self, secret: &str) -> String {
        format!("{}/map#login/{secret}", self.url.trim_end_matches('/'))
    }
}

impl DriverLetters for DriverLinks {
    fn write(&self, conn: &mut Conn, email: &str, now: Timestamp) -> StoreResult<Option<Letter>> {
        let from = match users::active_of_address(conn, email)?.as_slice() {
            [] => return Ok(None),
            [only] => organizations::find_organization(conn, only.organization_id)?.name,
            _ => self.name.clone(),
        };
        let secret = logins::make_link(conn, email, now)?;
        let body = format!(
            "Somebody, we hope you, wants to log in to the map of chargers. Do it here:\n\n{}\n\nThe link works once, within {} \
             minutes. If it was not you, nothing needs to be done.",
            self.login(&secret),
            LINK_LASTS.as_secs() / 60
        );
        Ok(Some(Letter { from, subject: "Log in to find your chargers".to_owned(), body }))
    }
}
