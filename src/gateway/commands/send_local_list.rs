//! Replaces or changes the list of tokens that may charge while offline (OCPP 1.6 §5.15, OCPP 2 D01).

use serde_json::{Value, json};

use super::tokens::{id_token, id_token_of};
use super::wire::by_hand;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::v2::{Authorization, IdTokenInfo, UpdateKind};
use ocpp::v16::UpdateType;
use ocpp::{v2, v16};

pub(super) struct SendLocalList<'a> {
    pub(super) version: i32,
    pub(super) full: bool,
    pub(super) entries: &'a [Value],
}

impl Spoken for SendLocalList<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        let cards = self.entries.iter().map(|entry| by_hand(entry, "localAuthorizationList"));
        let cards = cards.collect::<Result<Vec<_>, _>>()?;
        Ok(WireCall::v16(v16::send_local_list::Request {
            list_version: i64::from(self.version),
            local_authorization_list: Some(cards).filter(|cards| !cards.is_empty()),
            update_type: if self.full { UpdateType::Full } else { UpdateType::Differential },
        }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        let cards = self.entries.iter().map(card).collect::<Result<Vec<_>, _>>()?;
        Ok(WireCall::v2(v2::send_local_list::Request {
            local_authorization_list: Some(cards).filter(|cards| !cards.is_empty()),
            version_number: i64::from(self.version),
            update_type: if self.full { UpdateKind::Full } else { UpdateKind::Differential },
        }))
    }
}

/// An entry of a local list, in the form of any version.
fn card(entry: &Value) -> Result<Authorization, LinkError> {
    let Some(tag) = entry.get("idTag").and_then(Value::as_str) else {
        return by_hand(entry, "localAuthorizationList");
    };
    let id_token = id_token_of(tag, entry.get("type").and_then(Value::as_str))?;
    let Some(info) = entry.get("idTagInfo") else {
        return Ok(Authorization { id_token, id_token_info: None });
    };
    let group = info.get("parentIdTag").and_then(Value::as_str);
    let mut said = json!({"status": info.get("status"), "cacheExpiryDateTime": info.get("expiryDate")});
    if let Some(fields) = said.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let mut id_token_info: IdTokenInfo = by_hand(&said, "idTagInfo")?;
    id_token_info.group_id_token = group.map(self::id_token).transpose()?;
    Ok(Authorization { id_token, id_token_info: Some(id_token_info) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_local_list_is_read_in_the_form_of_any_version() {
        let list = StationCommand::SendLocalList {
            version: 3,
            full: true,
            entries: vec![
                json!({"idTag": "04A1B2C3", "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}),
                json!({"idToken": {"idToken": "x", "type": "KeyCode"}}),
                json!({"idTag": "12345678", "type": "KeyCode", "idTagInfo": {"status": "Accepted"}}),
                json!({"idTag": "12345678", "type": "eMAID"}),
            ],
        };
        let said = said_v2(&list, Protocol::V201);
        let cards = &said["localAuthorizationList"];
        assert_eq!(cards[0]["idToken"], json!({"idToken": "04A1B2C3", "type": "ISO14443"}));
        assert_eq!(cards[0]["idTokenInfo"]["groupIdToken"]["idToken"], "FLEET");
        assert_eq!(cards[1]["idToken"]["type"], "KeyCode");
        assert_eq!(cards[2]["idToken"], json!({"idToken": "12345678", "type": "KeyCode"}));
        assert_eq!(cards[3]["idToken"]["type"], "eMAID");
    }

    #[test]
    fn a_list_without_entries_is_left_out() {
        let list = StationCommand::SendLocalList { version: 1, full: false, entries: Vec::new() };
        assert_eq!(said_v16(&list), json!({"listVersion": 1, "updateType": "Differential"}));
        assert_eq!(said_v2(&list, Protocol::V201), json!({"versionNumber": 1, "updateType": "Differential"}));
    }
}
