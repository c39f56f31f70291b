//! Configuration that a command pushed: what its station took is what is stored of it.

use serde_json::Value;

use super::commands::variable_name_of;
use crate::sites::stations::link::{Outcome, StationCommand};

/// The keys and values that a command carries, in the order in which a station answers them.
#[derive(Debug)]
pub(super) struct Pushed(Vec<Option<(String, String)>>);

impl Pushed {
    /// Of a change by its own verb, or of one that was said in the station's protocol.
    pub(super) fn of(command: &StationCommand) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Self(match command {
            StationCommand::ChangeConfiguration { key, value } => {
                vec![Some((key.clone(), value.clone()))]
            }
            StationCommand::Raw { action, payload } if action == "ChangeConfiguration" => {
                vec![text(payload.get("key")).zip(text(payload.get("value")))]
            }
            StationCommand::Raw { action, payload } if action == "SetVariables" => {
                let changes = payload.get("setVariableData").and_then(Value::as_array);
                let change = |change: &Value| {
                    let attribute = change.get("attributeType").and_then(Value::as_str);
                    let is_actual = attribute.is_none_or(|attribute| attribute == "Actual");
                    let named = variable_name_of(change).filter(|_| is_actual);
                    named.zip(text(change.get("attributeValue")))
                };
                changes.into_iter().flatten().map(change).collect()
            }
            _ => Vec::new(),
        })
    }

    /// What the station took: it answers variables one by one.
    pub(super) fn taken(self, outcome: &Outcome) -> Vec<(String, String)> {
        let results = outcome.data.get("setVariableResult");
        match results.and_then(Value::as_array) {
            Some(results) => {
                let took = |result: &Value| {
                    let status = result.get("attributeStatus").and_then(Value::as_str);
                    matches!(status, Some("Accepted" | "RebootRequired"))
                };
                let pairs = self.0.into_iter().zip(results);
                pairs.filter_map(|(change, result)| change.filter(|_| took(result))).collect()
            }
            None if outcome.accepted => self.0.into_iter().flatten().collect(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_several_variables_those_count_that_were_taken() {
        let variable = |name: &str, value: &str| json!({"component": {"name": "TxCtrlr"}, "variable": {"name": name}, "attributeValue": value});
        let command = StationCommand::Raw {
            action: "SetVariables".to_owned(),
            payload: json!({"setVariableData": [variable("A", "1"), variable("B", "2"), variable("C", "3")]}),
        };
        let statuses = ["Accepted", "Rejected", "RebootRequired"];
        let results = statuses.map(|status| json!({"attributeStatus": status}));
        let outcome = Outcome::answered(false, None, json!({"setVariableResult": results}));
        let taken = Pushed::of(&command).taken(&outcome);
        let expected = [("TxCtrlr.A", "1"), ("TxCtrlr.C", "3")];
        assert_eq!(taken, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
