//! Objects in place of the ids that a session and a reservation both have: its station, its connector, its driver.

use serde::Serialize;

use crate::filters;
use crate::http::caller::{ReadConnectors, ReadStations, ReadUsers};
use crate::http::include::{Shown, include};
use crate::http::{ApiResult, Caller, Context};
use crate::people::users;
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Timestamp};

filters! {
    /// What is put in place of an id.
    pub struct ChargingIncludes {
        /// Put the whole charge station in place of its id.
        pub include_chargestation: bool,
        /// Put the whole connector in place of its id.
        pub include_connector: bool,
        /// Put the whole user in place of its id.
        pub include_user: bool,
    }
}

/// Where the server is, and when: what the view of a station depends on.
#[derive(Debug, Clone)]
pub struct ServerNow {
    base: String,
    now: Timestamp,
}

impl From<&Context> for ServerNow {
    fn from(context: &Context) -> Self {
        Self { base: context.websocket_url.clone(), now: context.clock.now() }
    }
}

impl ChargingIncludes {
    /// Refuses what the caller could not read by itself.
    pub fn permit<P>(&self, caller: &Caller<P>) -> ApiResult<()> {
        caller.may_include::<ReadStations>("include_chargestation", self.include_chargestation)?;
        caller.may_include::<ReadConnectors>("include_connector", self.include_connector)?;
        caller.may_include::<ReadUsers>("include_user", self.include_user)
    }

    /// Puts objects in place of the ids of these rows.
    pub fn put<V: Serialize>(
        &self,
        conn: &mut Conn,
        organization: OrganizationId,
        server: &ServerNow,
        rows: &mut [Shown<V>],
    ) -> StoreResult<()> {
        if self.include_chargestation == Some(true) {
            let here = (server.base.as_str(), server.now);
            include(rows, "chargestation", |ids| stations::views_of(conn, organization, ids, here))?;
        }
        if self.include_connector == Some(true) {
            include(rows, "connector", |ids| stations::connector_views(conn, organization, ids))?;
        }
        if self.include_user == Some(true) {
            include(rows, "user", |ids| users::find_many(conn, organization, ids))?;
        }
        Ok(())
    }
}
