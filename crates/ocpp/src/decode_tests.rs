//! Every tolerance and every refusal, on a small message of our own.

use proptest::prelude::*;

use super::*;
use crate::tenths::Tenths;
use crate::text::{Exact, Label};
use crate::wire::Repair;

crate::choice! {
    /// How warm it is, as a station sees it.
    open enum Mood { Fine, TooHot = "Too.Hot" }
}
crate::choice! {
    /// A value of ours.
    enum Verdict { Accepted, Rejected }
}
crate::message! {
    /// One item of a list.
    struct Item {
        /// When.
        at: Timestamp,
        /// How much.
        value: String,
    }
}
crate::message! {
    /// A message with everything.
    struct Sample {
        /// An identifier.
        id_tag: Exact<4>,
        /// A number.
        connector_id: u32,
        /// A description.
        model: Option<Label<3>>,
        /// A time.
        timestamp: Option<Timestamp>,
        /// An open choice.
        mood: Option<Mood>,
        /// A closed choice.
        verdict: Option<Verdict>,
        /// A truth value.
        r#type: Option<bool>,
        /// A limit.
        limit: Option<Tenths>,
        /// A list.
        items: Option<Vec<Item>>,
    }
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn read(json: &str) -> Result<Decoded<Sample>, CallError> {
    decode(&RawValue::from_string(json.to_owned()).expect("JSON"), NOW, Protocol::V16)
}

fn with(fields: &str) -> String {
    format!(r#"{{"idTag":"A1","connectorId":1{fields}}}"#)
}

/// What was repaired, and what would be written after the required fields.
fn repaired(fields: &str) -> (Vec<(String, Repair)>, String) {
    let Decoded { value, deviations } = read(&with(fields)).expect("repaired");
    let deviations = deviations.into_iter().map(|deviation| (deviation.path, deviation.repair));
    let text = serde_json::to_string(&value).expect("JSON");
    let rest = text
        .strip_prefix(r#"{"idTag":"A1","connectorId":1"#)
        .and_then(|rest| rest.strip_suffix('}'))
        .expect("the required fields first");
    (deviations.collect(), rest.to_owned())
}

fn refused(json: &str) -> String {
    read(json).expect_err("refused").to_string()
}

#[test]
fn what_keeps_to_the_specification_has_no_deviations() {
    let json = with(
        r#","model":"abc","timestamp":"2026-05-01T08:30:00.000Z","mood":"Too.Hot","verdict":"Accepted","type":true,"limit":16.1,"items":[]"#,
    );
    let Decoded { value, deviations } = read(&json).expect("valid");
    assert_eq!(deviations, []);
    assert_eq!(serde_json::to_string(&value).expect("JSON"), json);
}

#[test]
fn each_fault_of_a_station_is_repaired_and_noted() {
    for (fields, path, repair, written) in [
        (
            r#","timestamp":"2026-05-01T08:30:00""#,
            "timestamp",
            Repair::TimeWithoutZone,
            r#","timestamp":"2026-05-01T08:30:00.000Z""#,
        ),
        (
            r#","timestamp":"2026-05-01T10:30:00+0200""#,
            "timestamp",
            Repair::OddTime,
            r#","timestamp":"2026-05-01T08:30:00.000Z""#,
        ),
        (r#","timestamp":"soon""#, "timestamp", Repair::UnreadableTime, r#","timestamp":"2023-11-14T22:13:20.000Z""#),
        (r#","model":"abcdef""#, "model", Repair::TooLong(3), r#","model":"abc""#),
        (r#","model":12"#, "model", Repair::NotText, r#","model":"12""#),
        (r#","mood":"Grumpy""#, "mood", Repair::UnknownValue, r#","mood":"Grumpy""#),
        (r#","mood":"too_hot""#, "mood", Repair::OtherSpelling, r#","mood":"Too.Hot""#),
        (r#","Mood":"Fine","type":"true""#, "mood", Repair::OtherSpelling, r#","mood":"Fine","type":true"#),
        (r#","type":" TRUE ""#, "type", Repair::Quoted, r#","type":true"#),
        (r#","limit":"16.1""#, "limit", Repair::Quoted, r#","limit":16.1"#),
        (r#","limit":16.19"#, "limit", Repair::Rounded, r#","limit":16.1"#),
        (
            r#","verdict":"Perhaps""#,
            "verdict",
            Repair::LeftOut(Problem::NotAllowed("one of Accepted, Rejected".into())),
            "",
        ),
        (
            r#","items":{"at":"2026-05-01T08:30:00Z","value":"1"}"#,
            "items",
            Repair::NotAList,
            r#","items":[{"at":"2026-05-01T08:30:00.000Z","value":"1"}]"#,
        ),
        (r#","items":[{"value":"1"}]"#, "items[0].at", Repair::LeftOut(Problem::Missing), r#","items":[]"#),
        (r#","model":null,"limit":"1""#, "model", Repair::Null, r#","limit":1"#),
        (r#","colour":"red","limit":"1""#, "limit", Repair::Quoted, r#","limit":1"#),
    ] {
        let (deviations, text) = repaired(fields);
        assert_eq!(deviations.first(), Some(&(path.to_owned(), repair)), "{fields}");
        assert_eq!(text, written, "{fields}");
    }
}

#[test]
fn an_identifier_is_never_cut() {
    let Decoded { value, deviations } = read(r#"{"idTag":"A1B2C3","connectorId":"1"}"#).expect("repaired");
    assert_eq!(value.id_tag.as_str(), "A1B2C3");
    assert_eq!(deviations[0].raw, "\"A1B2C3\"");
    assert_eq!(
        refused(r#"{"idTag":"A1B2C3D4E5","connectorId":1}"#),
        "PropertyConstraintViolation: idTag must be at most 4 characters"
    );
}

#[test]
fn what_is_beyond_repair_gets_the_code_of_the_specification() {
    for (json, error) in [
        (r#"{"connectorId":1}"#, "OccurenceConstraintViolation: idTag is missing"),
        (
            r#"{"idTag":"A1","connectorId":"one"}"#,
            "TypeConstraintViolation: connectorId must be an integer that is not negative",
        ),
        (
            r#"{"idTag":"A1","connectorId":-1}"#,
            "PropertyConstraintViolation: connectorId must be an integer that is not negative",
        ),
        (
            r#"{"idTag":{},"connectorId":[]}"#,
            "TypeConstraintViolation: idTag must be a text, not an object or a list; connectorId must be an integer that is not negative",
        ),
        ("[1,2]", "FormationViolation: the payload must be a JSON object"),
        ("7", "FormationViolation: the payload must be a JSON object"),
    ] {
        assert_eq!(refused(json), error);
    }
}

#[test]
fn a_check_names_everything_that_is_wrong_at_once() {
    let json = r#"{"idTag":"A1B2C3","limit":16.15,"model":null,"colour":"red","items":[{"at":"now","value":1}]}"#;
    let raw = RawValue::from_string(json.to_owned()).expect("JSON");
    assert_eq!(
        check::<Sample>(&raw, Protocol::V16).expect_err("faulty"),
        [
            "connectorId is missing",
            "idTag has more than 4 characters",
            "model must be left out instead of null",
            "limit has more decimal places than allowed",
            "items[0].at is no time",
            "items[0].value must be a text",
            "colour is not a field of this message",
        ]
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![
            Just("idTag"),
            Just("connectorId"),
            Just("items"),
            Just("at"),
            Just("value"),
            Just("limit"),
            Just("mood"),
            Just("timestamp"),
        ]
        .prop_map(String::from);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_written_so_that_it_is_accepted_again(json in any_json()) {
        if let Ok(Decoded { value, .. }) = read(&json.to_string()) {
            let written = serde_json::to_string(&value).expect("JSON");
            let again = read(&written).expect("accepted again");
            prop_assert_eq!(again.value, value);
        }
    }
}
