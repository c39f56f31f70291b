//! What the answers of stations mean.
//!
//! Most answers have a `status`. An action whose answers say it otherwise has an [`AnswerRule`] in the file of its command,
//! and is known here by it, since it may also be sent by hand.

use serde_json::Value;
use serde_json::value::RawValue;

use super::answer_rule::{Answer, AnswerRule};
use super::{
    WireCall, change_configuration, clear_charging_profile, device, get_composite_schedule, get_configuration,
    get_diagnostics, get_local_list_version, send_cost, spoken, update_firmware,
};
use crate::sites::stations::link::{Outcome, StationCommand};
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
