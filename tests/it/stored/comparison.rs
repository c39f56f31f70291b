//! Two documents side by side: what was there then is there now, and says the same.
//!
//! Fields may have come since. A sentence for a person may have other words, but has the same numbers.

use serde_json::Value;

/// Where what is said now differs from what was said then, a line each.
pub fn differences(then: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", then, now, &mut found);
    found
}

fn compare(path: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, then) in then {
                let path = format!("{path}.{name}");
                match now.get(name) {
                    Some(now) => compare(&path, then, now, found),
                    None => found.push(format!("{path} is gone; it was {then}")),
                }
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            for (index, (then, now)) in then.iter().zip(now).enumerate() {
                compare(&format!("{path}[{index}]"), then, now, found);
            }
        }
        (Value::Number(then), Value::Number(now)) if then.as_f64() == now.as_f64() => {}
        (Value::String(then), Value::String(now)) if is_sentence(path, then) && numbers(then) == numbers(now) => {}
        (then, now) if then == now => {}
        (then, now) => found.push(format!("{path} was {then} and is {now}")),
    }
}

/// Fields with sentences for a person; some have a code instead.
const SENTENCES: [&str; 3] = ["reason", "message", "warning"];

/// Whether a text is for a person.
fn is_sentence(path: &str, text: &str) -> bool {
    SENTENCES.iter().any(|name| path.ends_with(name)) && text.split_whitespace().count() > 3
}

/// The numbers and ids in a text, in order of their digits.
fn numbers(text: &str) -> Vec<&str> {
    let words =
        text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '.' || character == '-'));
    let mut numbers: Vec<&str> = words
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with(|character: char| character.is_ascii_digit() || character == '-'))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_lost_field_another_number_and_another_code_are_found() {
    let then =
        serde_json::json!({"a": [1, 2.0], "rule": "off-time", "reason": "5 kW: its share of the 30 kW (rule x)."});
    let same =
        serde_json::json!({"a": [1.0, 2], "b": 1, "rule": "off-time", "reason": "It gets 5 kW of the 30 kW (rule x)."});
    assert_eq!(differences(&then, &same), [""; 0]);
    let other = serde_json::json!({"a": [1, 3], "rule": "rest", "reason": "It gets 6 kW of the 30 kW (rule x)."});
    assert_eq!(differences(&then, &other).len(), 3);
    assert_eq!(differences(&then, &serde_json::json!({"a": [1]})).len(), 3);
}
