//! Numbers of cards in what is sent: whole for those who may read tokens, for all others only enough to distinguish them.

use serde_json::Value;

use kernel::cards::hide_cards;

/// Characters that are shown of a number.
const SHOWN: usize = 4;
/// A number that is not longer would be guessed from what is shown.
const SHORTEST: usize = 8;

/// A card's number for one who may not read it: its last four characters, where it has enough.
pub fn masked(number: &str) -> String {
    let length = number.chars().count();
    let hidden = if length > SHORTEST { length - SHOWN } else { length };
    let shown: String = number.chars().skip(hidden).collect();
    format!("****{shown}")
}

/// The fields with a card's number in events of a kind that is called so, or begins so.
const FIELDS: [(&str, &[&str]); 3] =
    [("session.", &["id_tag"]), ("reservation.", &["id_tag"]), ("token.unknown", &["id_tag"])];
/// What actions and the words of stations begin with; cards may be anywhere in them, in the protocol's own form.
const OF_STATIONS: [&str; 4] = ["chargestation.", "connector.", "session.", "reservation."];
/// The fields by which those are known.
const IN_PROTOCOL_FORM: [&str; 2] = ["\"response_data\":", "\"payload\":"];

/// The data of an event of this kind with the numbers of cards masked; nothing where it has none.
pub(super) fn veil(kind: &str, data: &str) -> Option<String> {
    let is_in_protocol_form = OF_STATIONS.iter().any(|start| kind.starts_with(start))
        && IN_PROTOCOL_FORM.iter().any(|field| data.contains(field));
    if is_in_protocol_form {
        let read: Value = serde_json::from_str(data).ok()?;
        let mut hidden = read.clone();
        hide_cards(&mut hidden, &masked);
        return (hidden != read).then(|| hidden.to_string());
    }
    let (_, names) = FIELDS.iter().find(|(start, _)| kind.starts_with(start))?;
    let read: Value = serde_json::from_str(data).ok()?;
    let mut veiled = None;
    for name in *names {
        if let Some(number) = read.get(name).and_then(Value::as_str) {
            let field = |number: &str| format!("\"{name}\":{}", Value::from(number));
            let text = veiled.as_deref().unwrap_or(data);
            veiled = Some(text.replacen(&field(number), &field(&masked(number)), 1));
        }
    }
    veiled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_its_end_where_it_is_long_enough() {
        assert_eq!(masked("04A2B3C4D5E680"), "****E680");
        assert_eq!(masked("0411AA22"), "****");
        assert_eq!(masked(""), "****");
        assert_eq!(masked("ÄÖÜäöüß€€"), "****üß€€");
    }

    #[test]
    fn only_what_is_reported_of_the_use_of_cards_is_veiled() {
        let data = r#"{"a":1,"id_tag":"04\"A2B3C4D5","meta_data":{"id_tag":"04\"A2B3C4D5"}}"#;
        let veiled = r#"{"a":1,"id_tag":"****C4D5","meta_data":{"id_tag":"04\"A2B3C4D5"}}"#;
        assert_eq!(veil("session.started", data).as_deref(), Some(veiled));
        assert_eq!(veil("token.unknown", data).as_deref(), Some(veiled));
        assert_eq!(veil("reservation.created", data).as_deref(), Some(veiled));
        assert_eq!(veil("user.created", data), None);
        assert_eq!(veil("session.ended", r#"{"id_tag":null}"#), None);
    }

    #[test]
    fn what_is_asked_of_stations_and_reported_by_them_is_veiled() {
        let data = r#"{"data":{"command":"Raw","payload":{"idTag":"04A2B3C4D5"}},"response_data":null}"#;
        let veiled = r#"{"data":{"command":"Raw","payload":{"idTag":"****C4D5"}},"response_data":null}"#;
        for kind in ["chargestation.ocpp.requested", "session.start.accepted", "reservation.reserve.rejected"] {
            assert_eq!(veil(kind, data).as_deref(), Some(veiled), "{kind}");
        }
        let notified = r#"{"message":"NotifyCustomerInformation","payload":{"data":"Ann"}}"#;
        let veiled = r#"{"message":"NotifyCustomerInformation","payload":{"data":"(hidden)"}}"#;
        assert_eq!(veil("chargestation.notified", notified).as_deref(), Some(veiled));
        assert_eq!(veil("chargestation.reset.accepted", r#"{"response_data":{"a":1}}"#), None);
    }
}
