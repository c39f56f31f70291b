//! What the answers of OCPP 2 stations mean.

use serde_json::Value;
use serde_json::value::RawValue;

use super::variables;
use crate::gateway::command::WireCall;
use crate::sites::stations::link::{Command, Enforced, Outcome};
use kernel::{Milliamps, Watts};
use ocpp::v2::{ChargingRateUnit, get_composite_schedule};

/// Statuses that agree.
const AGREED: [&str; 6] = ["Accepted", "AcceptedCanceled", "Unlocked", "Scheduled", "RebootRequired", "Unpublished"];
/// Actions whose answers carry no status: they are an agreement by being there. Of all others, one without is none.
const WITHOUT_STATUS: [&str; 4] = ["CostUpdated", "GetLocalListVersion", "GetTransactionStatus", "GetVariables"];

/// Answers that there is nothing of the kind, which is what was asked for.
const NOTHING_THERE: [(&str, &str); 8] = [
    ("ClearChargingProfile", "Unknown"),
    ("ClearVariableMonitoring", "NotFound"),
    ("GetBaseReport", "EmptyResultSet"),
    ("GetChargingProfiles", "NoProfiles"),
    ("GetDERControl", "NotFound"),
    ("GetDisplayMessages", "Unknown"),
    ("GetMonitoringReport", "EmptyResultSet"),
    ("GetReport", "EmptyResultSet"),
];

/// The status of an answer. Of several results it is the first that is no agreement, else that of the first.
fn status_of<'a>(action: &str, data: &'a Value) -> Option<&'a str> {
    let (results, status) = match action {
        "SetVariables" => ("setVariableResult", "attributeStatus"),
        "SetVariableMonitoring" => ("setMonitoringResult", "status"),
        "ClearVariableMonitoring" => ("clearMonitoringResult", "status"),
        _ => return data.get("status").and_then(Value::as_str),
    };
    let results = data.get(results).and_then(Value::as_array);
    let mut statuses = results.into_iter().flatten().filter_map(|result| result.get(status).and_then(Value::as_str));
    let refused = statuses.clone().find(|status| !agrees(action, status));
    refused.or_else(|| statuses.next())
}

fn agrees(action: &str, status: &str) -> bool {
    AGREED.contains(&status) || NOTHING_THERE.contains(&(action, status))
}

/// What an answer means.
pub fn outcome(command: &Command, wire: &WireCall, raw: &RawValue) -> Outcome {
    let action = wire.action.as_str();
    let data: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let status = status_of(action, &data).map(str::to_owned);
    let accepted = match &status {
        Some(status) => agrees(action, status),
        None => WITHOUT_STATUS.contains(&action),
    };
    let enforced = (action == "GetCompositeSchedule").then(|| enforced(raw)).flatten();
    let data = match command {
        Command::GetConfiguration { keys } if action == "GetVariables" => variables::read(raw, keys),
        _ => data,
    };
    Outcome { enforced, ..Outcome::answered(accepted, status, data) }
}

/// The first limit of a composite schedule, which is the one that applies now.
fn enforced(raw: &RawValue) -> Option<Enforced> {
    let answer: get_composite_schedule::Response = serde_json::from_str(raw.get()).ok()?;
    let schedule = answer.schedule?;
    let period = schedule.charging_schedule_period.first()?;
    let limit = period.limit.as_ref()?.milli()?;
    Some(match schedule.charging_rate_unit {
        ChargingRateUnit::W => Enforced::Power(Watts(limit / 1000)),
        ChargingRateUnit::A | ChargingRateUnit::Unknown(_) => Enforced::Current(Milliamps(limit)),
    })
}
