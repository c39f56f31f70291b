//! The envelope as the 1.6 JSON specification has it, and as stations send it.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn call(text: &str) -> (String, String, String) {
    match parse(text) {
        Ok(Frame::Call { id, action, payload }) => {
            (id.as_json().to_owned(), action.into_owned(), payload.get().to_owned())
        }
        other => panic!("{text} gave {other:?}"),
    }
}

fn answer_with(text: &str) -> (String, ErrorCode) {
    match parse(text) {
        Err(Malformed::AnswerWith { id, error }) => (id.as_json().to_owned(), error.code),
        other => panic!("{text} gave {other:?}"),
    }
}

#[test]
fn a_call_keeps_its_payload_raw() {
    assert_eq!(
        call(" [ 2 , \"19223201\" ,\n\"Heartbeat\", { \"a\" : 1.10 } ] "),
        ("\"19223201\"".into(), "Heartbeat".into(), "{ \"a\" : 1.10 }".into())
    );
}

#[test]
fn a_numeric_message_id_is_echoed_as_a_number() {
    let Ok(Frame::Call { id, .. }) = parse(r#"[2,4711,"Heartbeat",{}]"#) else { panic!("a call") };
    assert_eq!(id.text(), "4711");
    assert_eq!(write_result(&id, "{}"), "[3,4711,{}]");
}

#[test]
fn a_message_id_over_36_characters_is_accepted_and_echoed() {
    let long = "x".repeat(37);
    let text = format!(r#"[2,"{long}","Heartbeat",{{}}]"#);
    let Ok(Frame::Call { id, .. }) = parse(&text) else { panic!("a call") };
    assert_eq!(write_result(&id, "{}"), format!(r#"[3,"{long}",{{}}]"#));
}

#[test]
fn an_error_may_lack_its_details_or_more() {
    for (text, code, description) in [
        (r#"[4,"1","NotSupported","no",{"a":1}]"#, ErrorCode::NotSupported, "no"),
        (r#"[4,"1","NotSupported","no"]"#, ErrorCode::NotSupported, "no"),
        (r#"[4,"1","FormatViolation","",null]"#, ErrorCode::FormationViolation, ""),
        (r#"[4,"1","Odd","why",{}]"#, ErrorCode::GenericError, "why"),
        (r#"[4,"1"]"#, ErrorCode::GenericError, ""),
    ] {
        let Ok(Frame::Refusal { id, error }) = parse(text) else { panic!("{text}") };
        assert_eq!((id.text().as_ref(), error.code, error.description.as_str()), ("1", code, description));
    }
}

#[test]
fn what_is_no_array_is_answered_with_id_minus_one() {
    for text in ["", "hello", "{}", "[", "[]", "[2", r#"[2,"#, r#"[2,null,"Heartbeat",{}]"#, "\u{0}"] {
        assert_eq!(answer_with(text), ("\"-1\"".into(), ErrorCode::FormationViolation), "{text:?}");
    }
}

#[test]
fn a_call_that_breaks_off_is_answered_with_its_own_id() {
    for text in [
        r#"[2,"7"]"#,
        r#"[2,"7","Heartbeat"]"#,
        r#"[2,"7",5,{}]"#,
        r#"[2,"7","BootNotification",{"chargePointVendor":"#,
        r#"[2,"7","Heartbeat",{}] trailing"#,
    ] {
        assert_eq!(answer_with(text), ("\"7\"".into(), ErrorCode::FormationViolation), "{text}");
    }
}

#[test]
fn a_broken_answer_ends_our_call_and_is_not_answered() {
    for text in [r#"[3,"7"]"#, r#"[3,"7",{"configurationKey":[{]}"#] {
        assert!(matches!(parse(text), Err(Malformed::BrokenAnswer { id, .. }) if id.text() == "7"), "{text}");
    }
}

#[test]
fn an_unknown_message_type_is_ignored() {
    assert_eq!(parse(r#"[9,"7",{}]"#).expect_err("no frame"), Malformed::UnknownType);
}

#[test]
fn written_frames_read_back_and_never_carry_null() {
    let text = write_call("a\"b", "Reset", r#"{"type":"Soft"}"#);
    assert_eq!(text, r#"[2,"a\"b","Reset",{"type":"Soft"}]"#);
    assert_eq!(call(&text).0, r#""a\"b""#);

    let mut error = CallError::new(ErrorCode::FormationViolation, "say \"please\"");
    error.details.insert("nothing".into(), json!(null));
    error.details.insert("field".into(), json!("idTag"));
    let id = MessageId("\"1\"".into());
    assert_eq!(
        write_error(&id, &error, Protocol::V16),
        r#"[4,"1","FormationViolation","say \"please\"",{"field":"idTag"}]"#
    );
    assert_eq!(
        write_error(&id, &CallError::new(ErrorCode::FormationViolation, ""), Protocol::V201),
        r#"[4,"1","FormatViolation","",{}]"#
    );
}

proptest! {
    #[test]
    fn no_text_whatsoever_makes_the_parser_panic(text in ".{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn every_cut_of_a_call_is_answered_or_ignored(end in 0_usize..60) {
        let whole = r#"[2,"19","StatusNotification",{"connectorId":1,"status":"é"}]"#;
        if let Some(cut) = whole.get(..end.min(whole.len() - 1)) {
            let answered = matches!(parse(cut), Err(Malformed::AnswerWith { .. }));
            prop_assert!(answered, "{cut}");
        }
    }
}
