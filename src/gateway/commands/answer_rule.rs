//! How the answers of one action are read, where they are more than a status.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::sites::stations::link::Enforced;

/// How the answers of one action are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerRule {
    pub(super) action: &'static str,
    /// Answers carry no status: they are an agreement by being there. Of all other actions, one without is none.
    pub(super) without_status: bool,
    /// The status of an answer that there is nothing of the kind, which is what was asked for.
    nothing_there: Option<&'static str>,
    /// The list of results and the status in each, where there is one for each part of the question.
    results: Option<(&'static str, &'static str)>,
    /// Reads the limit that the station enforces now.
    pub(super) enforced: Option<fn(&RawValue) -> Option<Enforced>>,
}

impl AnswerRule {
    /// A plain status, to begin with.
    pub(super) const fn of(action: &'static str) -> Self {
        Self { action, without_status: false, nothing_there: None, results: None, enforced: None }
    }

    pub(super) const fn without_status(self) -> Self {
        Self { without_status: true, ..self }
    }

    pub(super) const fn nothing_there(self, status: &'static str) -> Self {
        Self { nothing_there: Some(status), ..self }
    }

    pub(super) const fn results(self, list: &'static str, status: &'static str) -> Self {
        Self { results: Some((list, status)), ..self }
    }

    pub(super) const fn enforced(self, read: fn(&RawValue) -> Option<Enforced>) -> Self {
        Self { enforced: Some(read), ..self }
    }

    pub(super) fn agrees(&self, status: &str, agreed: &[&str]) -> bool {
        agreed.contains(&status) || self.nothing_there == Some(status)
    }

    /// The status of an answer. Of several results it is the first that is no agreement, else that of the first.
    pub(super) fn status<'a>(&self, data: &'a Value, agreed: &[&str]) -> Option<&'a str> {
        let Some((list, field)) = self.results else {
            return data.get("status").and_then(Value::as_str);
        };
        let results = data.get(list).and_then(Value::as_array).into_iter().flatten();
        let mut statuses = results.filter_map(|result| result.get(field).and_then(Value::as_str));
        let refused = statuses.clone().find(|status| !self.agrees(status, agreed));
        refused.or_else(|| statuses.next())
    }
}

/// A station's answer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// What was called.
    pub action: &'a str,
    /// The answer as it came.
    pub raw: &'a RawValue,
    /// The same, read.
    pub data: Value,
}
