//! Lets go of a plug (OCPP 1.6 §5.18, OCPP 2 F05).

use super::wire::number;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

/// At the connector with this number.
pub(super) struct UnlockConnector(pub(super) i32);

impl Spoken for UnlockConnector {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::unlock_connector::Request { connector_id: number(self.0, "connector")? }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        let evse = names.evse(self.0)?;
        let connector_id = evse.connector_id.unwrap_or(1);
        Ok(WireCall::v2(v2::unlock_connector::Request { evse_id: evse.id, connector_id }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_connector_has_the_number_within_its_evse_in_ocpp_2() {
        let unlock = StationCommand::UnlockConnector { connector: 3 };
        assert_eq!(said_v16(&unlock), json!({"connectorId": 3}));
        assert_eq!(said_v2(&unlock, Protocol::V201), json!({"evseId": 2, "connectorId": 2}));
    }
}
