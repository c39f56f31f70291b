//! Numbers of cards in JSON, so that they can be hidden: however their fields are spelled, whatever stands in them, in texts
//! that are JSON themselves and in what meters sign.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Map, Value};

use super::spelled::{letters, same_spelling};

/// What stands in place of a text in which a number may be, and cannot be separated from the rest.
pub const HIDDEN: &str = "(hidden)";

/// The fields that hold a number, in OCPP's words and in ours, by their letters.
const FIELDS: [&str; 9] = [
    "idtag",
    "parentidtag",
    "groupidtag",
    "idtoken",
    "groupidtoken",
    "additionalidtoken",
    "parentgroup",
    "physicalid",
    "emaid",
];

/// Other words of messages with numbers in them, by their letters.
const TEXTS_WITH_CARDS: [&str; 4] = ["ocmf", "signeddata", "signedmeterdata", "customerinformation"];

/// Beside such a text, the fields with this name hold whatever a station knows of a customer.
const OF_CUSTOMERS: [(&str, &str); 2] =
    [("NotifyCustomerInformation", "data"), ("chargestation.customer_information", "report")];

/// What OCMF begins with, and the same in base64.
const OCMF: (&str, &str) = ("ocmf|", "T0NNRn");

/// How a number is shown instead of as it is.
type Shown<'a> = &'a dyn Fn(&str) -> String;

/// Shows every number of a card as `shown` says.
pub fn hide_cards(value: &mut Value, shown: Shown<'_>) {
    match value {
        Value::Array(items) => {
            hide_customers(items.iter_mut().collect());
            items.iter_mut().for_each(|item| hide_cards(item, shown));
        }
        Value::Object(fields) => {
            hide_customers(fields.values_mut().collect());
            hide_fields(fields, shown);
        }
        Value::String(text) => {
            if let Some(hidden) = without_cards(text, shown) {
                *text = hidden;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text that cannot be read, such as the beginning of a message, may have a number of a card in it.
pub fn may_hold_cards(text: &str) -> bool {
    let plain = letters(text);
    let mut words = FIELDS.iter().chain(&TEXTS_WITH_CARDS);
    // An escaped letter can be any.
    words.any(|word| plain.contains(word)) || text.contains("\\u") || text.contains(OCMF.1)
}

fn hide_fields(fields: &mut Map<String, Value>, shown: Shown<'_>) {
    let is_signed = fields.iter().any(|(name, value)| {
        let said = value.as_str().unwrap_or_default();
        same_spelling(name, "format") && same_spelling(said, "SignedData")
    });
    for (name, field) in fields.iter_mut() {
        let name = letters(name);
        if FIELDS.contains(&name.as_str()) {
            hide_card(field, shown);
        } else if name == "signedmeterdata" || is_signed && name == "value" {
            hide_signed(field, shown);
        } else {
            hide_cards(field, shown);
        }
    }
}

/// A number, or whatever stands in its place: nothing of it is shown but what kind of token it is.
fn hide_card(field: &mut Value, shown: Shown<'_>) {
    match field {
        Value::Null => {}
        Value::String(number) if number.is_empty() => {}
        Value::String(number) => *field = shown(number).into(),
        Value::Bool(_) | Value::Number(_) => *field = shown(&field.to_string()).into(),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_card(item, shown)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if !(same_spelling(name, "type") && is_kind(field)) {
                    hide_card(field, shown);
                }
            }
        }
    }
}

/// `Central`, `ISO14443`, …: a word, not a number.
fn is_kind(field: &Value) -> bool {
    let is_word = |kind: &str| kind.chars().all(|letter| letter.is_ascii_alphabetic());
    let is_known = |kind: &str| ["ISO14443", "ISO15693"].contains(&kind);
    field.as_str().is_some_and(|kind| is_word(kind) || is_known(kind))
}

/// Among values that stand side by side: what is reported of customers, where one of them says that it is.
fn hide_customers(values: Vec<&mut Value>) {
    let word = |value: &Value, word: &str| value.as_str().is_some_and(|text| same_spelling(text, word));
    let reporting = OF_CUSTOMERS.iter().find(|(name, _)| values.iter().any(|value| word(value, name)));
    let Some((_, reported)) = reporting else { return };
    for value in values {
        let fields = value.as_object_mut().into_iter().flatten();
        for (_, field) in fields.filter(|(name, field)| same_spelling(name, reported) && !field.is_null()) {
            *field = HIDDEN.into();
        }
    }
}

/// What a meter signed. OCMF names the card as its `ID`; other formats may have it anywhere.
fn hide_signed(field: &mut Value, shown: Shown<'_>) {
    match field {
        Value::String(text) if text.is_empty() => {}
        Value::String(text) if is_ocmf(text) || is_json(text) => {
            if let Some(hidden) = without_cards(text, shown) {
                *text = hidden;
            }
        }
        Value::String(text) => *text = HIDDEN.to_owned(),
        other => hide_cards(other, shown),
    }
}

fn is_ocmf(text: &str) -> bool {
    text.to_ascii_lowercase().contains(OCMF.0) || text.trim_start().starts_with(OCMF.1)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

/// The text with its numbers hidden; nothing where it has none.
fn without_cards(text: &str, shown: Shown<'_>) -> Option<String> {
    if is_json(text)
        && let Ok(read) = serde_json::from_str::<Value>(text)
    {
        let mut hidden = read.clone();
        hide_cards(&mut hidden, shown);
        return (hidden != read).then(|| hidden.to_string());
    }
    if is_ocmf(text) {
        let hidden = plain_ocmf(text, shown).or_else(|| encoded_ocmf(text, shown));
        return Some(hidden.unwrap_or_else(|| HIDDEN.to_owned()));
    }
    is_said_of_a_card(text).then(|| HIDDEN.to_owned())
}

/// `idTag=04A2B3`, `card 04A2B3 as idTag`: not where only the field is named, as errors do.
fn is_said_of_a_card(text: &str) -> bool {
    let plain = letters(text);
    if !FIELDS.iter().any(|name| plain.contains(name)) {
        return false;
    }
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    text.contains('=') || words.any(|word| word.len() >= 4 && word.contains(|letter: char| letter.is_ascii_digit()))
}

/// `OCMF|{…}|{…}`, alone or within more; nothing where it cannot be read.
fn plain_ocmf(text: &str, shown: Shown<'_>) -> Option<String> {
    let begin = text.to_ascii_lowercase().find(OCMF.0)? + OCMF.0.len();
    let (before, rest) = text.split_at_checked(begin)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let mut payload = values.next()?.ok()?;
    let after = rest.get(values.byte_offset()..)?;
    for (name, field) in payload.as_object_mut()? {
        if same_spelling(name, "ID") {
            hide_card(field, shown);
        }
    }
    hide_cards(&mut payload, shown);
    let after = if is_ocmf(after) { plain_ocmf(after, shown)? } else { after.to_owned() };
    Some(format!("{before}{payload}{after}"))
}

/// The same in base64, as OCPP 2 has it.
fn encoded_ocmf(text: &str, shown: Shown<'_>) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()?;
    let hidden = plain_ocmf(&String::from_utf8(bytes).ok()?, shown)?;
    Some(STANDARD.encode(hidden))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(mut value: Value) -> Value {
        hide_cards(&mut value, &|number| format!("<{}>", number.len()));
        value
    }

    #[test]
    fn numbers_are_hidden_whatever_the_spelling_of_their_field() {
        for name in ["idTag", "idtag", "IdTag", "id_tag", "ID-Tag", "parentIdTag", "groupIdToken", "physicalId"] {
            assert_eq!(hidden(json!({name: "04A2B3"})), json!({name: "<6>"}), "{name}");
        }
        assert_eq!(hidden(json!({"idTagInfo": {"status": "Accepted"}})), json!({"idTagInfo": {"status": "Accepted"}}));
    }

    #[test]
    fn numbers_are_hidden_whatever_stands_in_their_place() {
        for (said, shown) in [
            (json!(4711), json!("<4>")),
            (json!(["04A2", 17]), json!(["<4>", "<2>"])),
            (json!({"x": "04A2"}), json!({"x": "<4>"})),
            (json!({"idToken": "04A2", "type": "ISO14443"}), json!({"idToken": "<4>", "type": "ISO14443"})),
            (json!({"idToken": "04A2", "type": "04A2B3"}), json!({"idToken": "<4>", "type": "<6>"})),
            (
                json!({"additionalInfo": [{"additionalIdToken": "04A2", "type": "Own"}]}),
                json!({"additionalInfo": [{"additionalIdToken": "<4>", "type": "Own"}]}),
            ),
            (json!(""), json!("")),
            (json!(null), json!(null)),
        ] {
            assert_eq!(hidden(json!({"idToken": said})), json!({"idToken": shown}));
        }
    }

    #[test]
    fn texts_that_are_json_are_read() {
        assert_eq!(hidden(json!({"data": r#"{"a": 1, "idTag":"04A2"}"#})), json!({"data": r#"{"a":1,"idTag":"<4>"}"#}));
        assert_eq!(hidden(json!({"data": r#"{"a":  1}"#})), json!({"data": r#"{"a":  1}"#}));
        assert_eq!(hidden(json!({"data": r#""{\"idTag\":\"04A2\"}""#})), json!({"data": r#""{\"idTag\":\"<4>\"}""#}));
        assert_eq!(hidden(json!("idTag=ALICE;x")), json!(HIDDEN));
        assert_eq!(hidden(json!("idTag 04A2 is unknown")), json!(HIDDEN));
        assert_eq!(
            hidden(json!("idTag must have at most 20 characters")),
            json!("idTag must have at most 20 characters")
        );
    }

    #[test]
    fn the_card_in_what_a_meter_signed_is_hidden() {
        let ocmf = r#"OCMF|{"FV":"1.0","ID":"04A2|B3","IT":"ISO14443"}|{"SD":"3045"}"#;
        let shown = r#"OCMF|{"FV":"1.0","ID":"<7>","IT":"ISO14443"}|{"SD":"3045"}"#;
        assert_eq!(
            hidden(json!({"format": "SignedData", "value": ocmf})),
            json!({"format": "SignedData", "value": shown})
        );
        assert_eq!(hidden(json!({"data": ocmf})), json!({"data": shown}));
        let twice = format!("<a>{ocmf}</a><b>{ocmf}</b>");
        assert_eq!(hidden(json!(twice)), json!(format!("<a>{shown}</a><b>{shown}</b>")));
        let (encoded, said) = (STANDARD.encode(ocmf), STANDARD.encode(shown));
        assert_eq!(hidden(json!({"signedMeterData": encoded})), json!({"signedMeterData": said}));
        assert_eq!(hidden(json!({"signedMeterData": "MDRBMkIz"})), json!({"signedMeterData": HIDDEN}));
        assert_eq!(hidden(json!("OCMF|{&quot;ID&quot;:&quot;04A2B3&quot;}|")), json!(HIDDEN));
        assert_eq!(hidden(json!({"format": "Raw", "value": "1000"})), json!({"format": "Raw", "value": "1000"}));
    }

    #[test]
    fn what_is_reported_of_customers_is_hidden_whole() {
        let frame = json!([2, "1", "NotifyCustomerInformation", {"data": "Ann, 04A2B3", "seqNo": 0}]);
        assert_eq!(hidden(frame), json!([2, "1", "NotifyCustomerInformation", {"data": HIDDEN, "seqNo": 0}]));
        let event = json!({"message": "NotifyCustomerInformation", "payload": {"data": "04A2B3"}});
        assert_eq!(hidden(event)["payload"], json!({"data": HIDDEN}));
        let action = json!({"type": "chargestation.customer_information", "response_data": {"report": "04A2B3"}});
        assert_eq!(hidden(action)["response_data"], json!({"report": HIDDEN}));
    }

    #[test]
    fn what_cannot_be_read_is_suspected() {
        for text in [r#"[2,"1","A",{"id_tag":"04"#, r#"{"id\u0054ag":"04"#, "T0NNRnx7", r#"{"signedMeterData":"#] {
            assert!(may_hold_cards(text), "{text}");
        }
        assert!(!may_hold_cards("[2,"));
    }
}
