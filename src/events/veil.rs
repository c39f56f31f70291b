//! Numbers of cards in what is told: whole for those who may read tokens, for all others only enough to tell them apart.

use serde_json::Value;

/// Characters that are shown of a number.
const SHOWN: usize = 4;
/// A number that is not longer would be guessed from what is shown.
const SHORTEST: usize = 8;

/// A card's number for one who may not read it: its last four characters, where it has enough.
pub fn masked(number: &str) -> String {
    let length = number.chars().count();
    let hidden = if length > SHORTEST {
        length - SHOWN
    } else {
        length
    };
    let shown: String = number.chars().skip(hidden).collect();
    format!("****{shown}")
}

/// The data of an event of this kind with its card's number masked; nothing where it has none.
pub(super) fn veil(kind: &str, data: &str) -> Option<String> {
    let of_a_card = |start: &&str| kind.starts_with(*start);
    if !["session.", "reservation.", "token.unknown"]
        .iter()
        .any(of_a_card)
    {
        return None;
    }
    let read: Value = serde_json::from_str(data).ok()?;
    let number = read.get("id_tag")?.as_str()?;
    let field = |number: &str| format!("\"id_tag\":{}", Value::from(number));
    Some(data.replacen(&field(number), &field(&masked(number)), 1))
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
    fn only_what_is_told_of_the_use_of_cards_is_veiled() {
        let data = r#"{"a":1,"id_tag":"04\"A2B3C4D5","meta_data":{"id_tag":"04\"A2B3C4D5"}}"#;
        let veiled = r#"{"a":1,"id_tag":"****C4D5","meta_data":{"id_tag":"04\"A2B3C4D5"}}"#;
        assert_eq!(veil("session.started", data).as_deref(), Some(veiled));
        assert_eq!(veil("token.unknown", data).as_deref(), Some(veiled));
        assert_eq!(veil("reservation.created", data).as_deref(), Some(veiled));
        assert_eq!(veil("token.created", data), None);
        assert_eq!(veil("session.ended", r#"{"id_tag":null}"#), None);
    }
}
