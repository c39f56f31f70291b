//! What a station of OCPP 2 calls its parts and transactions.
//!
//! Everybody else counts connectors over the whole station and transactions over all stations.

use super::wire::{exact, invalid, number};
use crate::sites::stations::Layout;
use crate::sites::stations::link::{LinkError, SetLimit};
use kernel::Protocol;
use ocpp::text::Exact;
use ocpp::v2::Evse;

/// Our profile ids begin at multiples of this, and connectors are counted from there.
const PROFILE_RANGE: i32 = 10_000;

/// How this station is spoken to.
#[derive(Debug, Clone)]
pub struct Names {
    /// Which version it speaks.
    pub version: Protocol,
    /// Where its connectors are.
    pub layout: Layout,
    /// Its name of the transaction that the command is about.
    pub transaction: Option<String>,
}

impl Names {
    /// The EVSE of the connector with this number, and the connector's number within it.
    pub(super) fn evse(&self, connector: i32) -> Result<Evse, LinkError> {
        let outlet = self.layout.outlet(connector);
        let outlet = outlet.ok_or_else(|| invalid(format!("there is no connector {connector}")))?;
        Ok(Evse { id: number(outlet.evse, "evse")?, connector_id: Some(number(outlet.within, "connector")?) })
    }

    /// The number of the EVSE alone; 0 is the whole station.
    pub(super) fn evse_id(&self, connector: i32) -> Result<u32, LinkError> {
        match connector {
            0 => Ok(0),
            connector => Ok(self.evse(connector)?.id),
        }
    }

    /// The EVSE of a connector, or nothing for the whole station.
    pub(super) fn part(&self, connector: Option<i32>) -> Result<Option<Evse>, LinkError> {
        let part = connector.filter(|number| *number != 0);
        part.map(|connector| self.evse(connector)).transpose()
    }

    /// Whether a limit is for a connector whose EVSE has others, too.
    pub fn shares_its_evse(&self, limit: &SetLimit) -> bool {
        let outlet = self.layout.outlet(limit.connector);
        outlet.is_some_and(|outlet| self.layout.is_shared(outlet.evse))
    }

    /// The station's name of the transaction.
    pub(super) fn transaction<const MAX: usize>(&self) -> Result<Exact<MAX>, LinkError> {
        let name = self.transaction.as_deref();
        let name = name.ok_or_else(|| invalid("the station does not know this transaction"))?;
        exact(name, "transaction")
    }

    /// Profiles belong to EVSEs here, so connectors that share one share their profiles: those of the first.
    pub(super) fn profile(&self, id: i32) -> i64 {
        let connector = id % PROFILE_RANGE;
        let evse = self.layout.outlet(connector).map(|outlet| outlet.evse);
        let mut outlets = self.layout.outlets().iter();
        let first = outlets.find(|one| Some(one.evse) == evse);
        i64::from(id - connector + first.map_or(connector, |first| first.number))
    }
}
