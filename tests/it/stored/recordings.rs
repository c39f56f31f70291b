//! Recordings that were made long ago: charging sessions and messages of stations, replayed with the same outcome.

use std::process::Command;

use serde_json::{Value, json};

use super::comparison::differences;
use super::{file, unpacked};

/// What the program prints.
fn prints(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn printed(command: &str) -> Vec<Value> {
    let printed = std::fs::read_to_string(file("printed.json")).expect("a stored file");
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    printed[command].as_array().expect("a list").clone()
}

/// Without how long planning took.
fn outcome(printed: &str) -> Value {
    match serde_json::from_str::<Value>(printed) {
        Ok(mut report) => {
            let fields = report.as_object_mut().expect("an object");
            fields.retain(|name, _| !name.starts_with("plan_us"));
            report
        }
        Err(_) => {
            let figures = printed.lines().filter(|line| !line.starts_with("plan, "));
            let figure = |line: &str| line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
            json!(figures.map(figure).collect::<Vec<_>>())
        }
    }
}

#[test]
fn a_recorded_day_has_the_outcome_that_it_had() {
    for run in printed("replay") {
        let arguments: Vec<&str> =
            run["arguments"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let then = outcome(run["printed"].as_str().expect("a text"));
        assert_eq!(differences(&then, &outcome(&prints(&arguments))), [""; 0], "{arguments:?}");
    }
}

/// A line for each message of the station: its action, whether it was answered as then, and the answer without the time of day.
fn lines(printed: &str) -> Vec<Value> {
    let line = |line: &str| {
        let (action, rest) = line.split_once(": ").expect("an action");
        let (verdict, answer) = rest.split_once(": ").expect("a verdict");
        let mut answer: Value = serde_json::from_str(answer).expect("a frame");
        if let Some(fields) = answer.get_mut(2).and_then(Value::as_object_mut) {
            fields.remove("currentTime");
        }
        json!([action, verdict, answer])
    };
    printed.lines().map(line).collect()
}

#[test]
fn recorded_messages_are_answered_as_they_were() {
    for run in printed("replay-messages") {
        let bundle = run["bundle"].as_str().expect("a name");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bundle.json");
        std::fs::write(&path, unpacked(bundle)).expect("a copy");
        let now = prints(&["replay-messages", path.to_str().expect("UTF-8")]);
        let then = lines(run["printed"].as_str().expect("a text"));
        assert!(then.len() > 5);
        assert_eq!(lines(&now), then, "{bundle}");
    }
}
