//! What the answers of OCPP 2 stations mean.

use serde_json::Value;
use serde_json::value::RawValue;

use super::variables;
use crate::kernel::{Milliamps, Watts};
use crate::ocpp::command::WireCall;
use crate::ocpp::v2::{ChargingRateUnit, get_composite_schedule};
use crate::stations::link::{Command, Enforced, Outcome};

/// Statuses that agree.
const AGREED: [&str; 6] = [
    "Accepted",
    "AcceptedCanceled",
    "Unlocked",
    "Scheduled",
    "RebootRequired",
    "Unpublished",
];
/// Actions whose answers carry no status: they are an agreement by being there. Of all others, one without is none.
const WITHOUT_STATUS: [&str; 4] = [
    "CostUpdated",
    "GetLocalListVersion",
    "GetTransactionStatus",
    "GetVariables",
];

/// A station that knows no such profile has what it was asked for.
fn is_nothing_to_clear(action: &str, status: &str) -> bool {
    action == "ClearChargingProfile" && status == "Unknown"
}

/// What an answer means.
pub fn outcome(command: &Command, wire: &WireCall, raw: &RawValue) -> Outcome {
    let action = wire.action.as_str();
    let data: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let single = (action == "SetVariables")
        .then(|| data.pointer("/setVariableResult/0/attributeStatus"))
        .flatten();
    let status = single.or_else(|| data.get("status"));
    let status = status.and_then(Value::as_str).map(str::to_owned);
    let accepted = match &status {
        Some(status) => AGREED.contains(&status.as_str()) || is_nothing_to_clear(action, status),
        None => WITHOUT_STATUS.contains(&action),
    };
    let enforced = (action == "GetCompositeSchedule")
        .then(|| enforced(raw))
        .flatten();
    let data = match command {
        Command::GetConfiguration { keys } if action == "GetVariables" => {
            variables::read(raw, keys)
        }
        _ => data,
    };
    Outcome {
        accepted,
        status,
        data,
        outlives: false,
        ends_with_transaction: false,
        in_watts: false,
        enforced,
    }
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
