//! Keeps a connector for a token (OCPP 1.6 §5.13, OCPP 2 H01).

use super::cancel_reservation::reservation_number;
use super::tokens::{id_token, id_token_of};
use super::wire::{exact, number};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::{LinkError, Reserve};
use ocpp::{v2, v16};

impl Spoken for &Reserve {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let group = self.parent_group.as_deref();
        Ok(WireCall::v16(v16::reserve_now::Request {
            connector_id: number(self.connector, "connector")?,
            expiry_date: self.until,
            id_tag: exact(&self.id_tag, "id_tag")?,
            parent_id_tag: group.map(|group| exact(group, "parent_group")).transpose()?,
            reservation_id: self.reservation,
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::reserve_now::Request {
            id: reservation_number(self.reservation)?,
            expiry_date_time: self.until,
            connector_type: None,
            id_token: id_token_of(&self.id_tag, self.token_type)?,
            evse_id: names.part(Some(self.connector))?.map(|evse| evse.id),
            group_id_token: self.parent_group.as_deref().map(id_token).transpose()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::{Protocol, Timestamp};

    #[test]
    fn a_reservation_is_of_an_evse_in_ocpp_2_and_of_a_connector_in_1_6() {
        let reserve = StationCommand::Reserve(Reserve {
            connector: 3,
            reservation: 5,
            id_tag: "04A1B2C3".to_owned(),
            token_type: Some("ISO15693"),
            parent_group: Some("FLEET".to_owned()),
            until: Timestamp::from_unix_seconds(0),
        });
        assert_eq!(
            said_v16(&reserve),
            json!({"connectorId": 3, "expiryDate": "1970-01-01T00:00:00.000Z", "idTag": "04A1B2C3",
                "parentIdTag": "FLEET", "reservationId": 5})
        );
        assert_eq!(
            said_v2(&reserve, Protocol::V201),
            json!({"id": 5, "expiryDateTime": "1970-01-01T00:00:00.000Z", "evseId": 2,
                "idToken": {"idToken": "04A1B2C3", "type": "ISO15693"},
                "groupIdToken": {"idToken": "FLEET", "type": "Central"}})
        );
    }
}
