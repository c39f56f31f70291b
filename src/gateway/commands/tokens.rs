//! Tokens in the words of OCPP 2, which wants their type.

use serde_json::json;

use super::wire::{by_hand, exact};
use crate::sites::stations::link::LinkError;
use ocpp::v2::{IdToken, IdTokenKind};

/// A token of unknown type: the digits of an RFID card's number as readers report it, else a token of ours.
pub fn id_token(tag: &str) -> Result<IdToken, LinkError> {
    let is_hex = tag.chars().all(|digit| digit.is_ascii_hexdigit());
    Ok(IdToken {
        id_token: exact(tag, "id_tag")?,
        r#type: if is_hex && matches!(tag.len(), 8 | 14 | 20) { IdTokenKind::Iso14443 } else { IdTokenKind::Central },
        additional_info: None,
    })
}

/// A token of this type, where it is known.
pub(super) fn id_token_of(tag: &str, token_type: Option<&str>) -> Result<IdToken, LinkError> {
    let guessed = id_token(tag)?;
    Ok(match token_type {
        Some(known) => IdToken { r#type: by_hand(&json!(known), "type")?, ..guessed },
        None => guessed,
    })
}
