//! Puts a connector, or with 0 the whole station, into or out of use (OCPP 1.6 §5.2, OCPP 2 G03 and G04).

use super::wire::number;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::v2::OperationalStatus;
use ocpp::v16::AvailabilityType;
use ocpp::{v2, v16};

pub(super) struct ChangeAvailability {
    pub(super) connector: i32,
    pub(super) operative: bool,
}

impl Spoken for ChangeAvailability {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::change_availability::Request {
            connector_id: number(self.connector, "connectorId")?,
            r#type: if self.operative { AvailabilityType::Operative } else { AvailabilityType::Inoperative },
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::change_availability::Request {
            evse: names.part(Some(self.connector))?,
            operational_status: if self.operative {
                OperationalStatus::Operative
            } else {
                OperationalStatus::Inoperative
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn connector_0_is_the_whole_station() {
        let all = StationCommand::ChangeAvailability { connector: 0, operative: false };
        assert_eq!(said_v16(&all), json!({"connectorId": 0, "type": "Inoperative"}));
        assert_eq!(said_v2(&all, Protocol::V201), json!({"operationalStatus": "Inoperative"}));
    }
}
