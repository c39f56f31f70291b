//! Starts to charge (OCPP 1.6 §5.11, OCPP 2 F01 and F02).

use super::tokens::id_token_of;
use super::wire::{exact, optional_number};
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

pub(super) struct StartCharging<'a> {
    pub(super) connector: Option<i32>,
    pub(super) id_tag: &'a str,
    pub(super) token_type: Option<&'a str>,
    pub(super) request: i64,
}

impl Spoken for StartCharging<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::remote_start_transaction::Request {
            connector_id: optional_number(self.connector, "connector")?,
            id_tag: exact(self.id_tag, "id_tag")?,
            charging_profile: None,
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::request_start_transaction::Request {
            evse_id: names.part(self.connector)?.map(|evse| evse.id),
            group_id_token: None,
            id_token: id_token_of(self.id_tag, self.token_type)?,
            remote_start_id: self.request,
            charging_profile: None,
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
    fn a_token_is_sent_with_its_type_which_is_guessed_where_it_is_not_known() {
        for (token_type, sent) in [(Some("KeyCode"), "KeyCode"), (None, "ISO14443")] {
            let id_tag = "12345678".to_owned();
            let start = StationCommand::StartCharging { connector: None, id_tag, token_type, request: 1 };
            let said = said_v2(&start, Protocol::V201);
            assert_eq!(said["idToken"], json!({"idToken": "12345678", "type": sent}));
            assert_eq!(said["remoteStartId"], 1);
            assert_eq!(said_v16(&start), json!({"idTag": "12345678"}));
        }
    }
}
