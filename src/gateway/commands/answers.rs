//! What the answers of stations mean.
//!
//! Most answers have a `status`. An action whose answers say it otherwise has an [`AnswerRule`] in the file of its command,
//! and is known here by it, since it may also be sent by hand.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    WireCall, change_configuration, clear_charging_profile, device, get_composite_schedule, get_configuration,
    get_diagnostics, get_local_list_version, send_cost, spoken, update_firmware,
};
use crate::sites::stations::link::{Enforced, Outcome, StationCommand};
use kernel::Protocol;

/// Statuses of OCPP 1.6 that agree.
const AGREED_V16: [&str; 4] = ["Accepted", "Unlocked", "Scheduled", "RebootRequired"];
/// Statuses of OCPP 2 that agree.
const AGREED_V2: [&str; 6] = ["Accepted", "AcceptedCanceled", "Unlocked", "Scheduled", "RebootRequired", "Unpublished"];

/// Actions of OCPP 1.6 whose answers are more than a status.
const RULES_V16: [AnswerRule; 6] = [
    clear_charging_profile::ANSWER,
    get_composite_schedule::ANSWER_V16,
    get_configuration::ANSWER_V16,
    get_diagnostics::ANSWER_V16,
    get_local_list_version::ANSWER,
    update_firmware::ANSWER_V16,
];
/// Actions of OCPP 2 whose answers are more than a status, besides those of the device model.
const RULES_V2: [AnswerRule; 7] = [
    change_configuration::ANSWER_V2,
    clear_charging_profile::ANSWER,
    get_composite_schedule::ANSWER_V2,
    get_configuration::ANSWER_V2,
    get_configuration::REPORT_ANSWER_V2,
    get_local_list_version::ANSWER,
    send_cost::ANSWER_V2,
];

/// How the answers of one action are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerRule {
    action: &'static str,
    /// Answers carry no status: they are an agreement by being there. Of all other actions, one without is none.
    without_status: bool,
    /// The status of an answer that there is nothing of the kind, which is what was asked for.
    nothing_there: Option<&'static str>,
    /// The list of results and the status in each, where there is one for each part of the question.
    results: Option<(&'static str, &'static str)>,
    /// Reads the limit that the station enforces now.
    enforced: Option<fn(&RawValue) -> Option<Enforced>>,
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

    fn agrees(&self, status: &str, agreed: &[&str]) -> bool {
        agreed.contains(&status) || self.nothing_there == Some(status)
    }

    /// The status of an answer. Of several results it is the first that is no agreement, else that of the first.
    fn status<'a>(&self, data: &'a Value, agreed: &[&str]) -> Option<&'a str> {
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

/// What the answer to a command means.
pub fn outcome(command: &StationCommand, call: &WireCall, version: Protocol, raw: &RawValue) -> Outcome {
    let action = call.action.as_str();
    let (agreed, rules, more): (&[&str], &[AnswerRule], &[AnswerRule]) = match version {
        Protocol::V16 => (&AGREED_V16, &RULES_V16, &[]),
        Protocol::V201 | Protocol::V21 => (&AGREED_V2, &RULES_V2, &device::ANSWERS_V2),
    };
    let data: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let plain = AnswerRule::of("");
    let rule = rules.iter().chain(more).find(|rule| rule.action == action).unwrap_or(&plain);
    let status = rule.status(&data, agreed).map(str::to_owned);
    let accepted = match &status {
        Some(status) => rule.agrees(status, agreed),
        None => rule.without_status,
    };
    let enforced = rule.enforced.and_then(|read| read(raw));
    let data = spoken(command).data(Answer { action, raw, data });
    Outcome { enforced, ..Outcome::answered(accepted, status, data) }
}
