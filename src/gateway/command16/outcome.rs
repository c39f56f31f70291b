//! What the answers of OCPP 1.6 stations mean.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::sites::stations::link::{Enforced, Outcome};
use kernel::{Milliamps, Watts};
use ocpp::v16::charging_profile::RateUnit;
use ocpp::v16::get_composite_schedule;

/// Statuses that agree.
const AGREED: [&str; 4] = ["Accepted", "Unlocked", "Scheduled", "RebootRequired"];
/// Actions whose answers carry no status: they are an agreement by being there. Of all others, one without is none.
const WITHOUT_STATUS: [&str; 4] = ["GetConfiguration", "GetDiagnostics", "GetLocalListVersion", "UpdateFirmware"];

/// A station that knows no such profile has what it was asked for.
fn is_nothing_to_clear(action: &str, status: &str) -> bool {
    action == "ClearChargingProfile" && status == "Unknown"
}

/// What an answer means.
pub fn outcome(action: &str, raw: &RawValue) -> Outcome {
    let data: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let status = data.get("status").and_then(Value::as_str).map(str::to_owned);
    let accepted = match &status {
        Some(status) => AGREED.contains(&status.as_str()) || is_nothing_to_clear(action, status),
        None => WITHOUT_STATUS.contains(&action),
    };
    let enforced = (action == "GetCompositeSchedule").then(|| enforced(raw)).flatten();
    let data = if action == "GetConfiguration" { configuration(&data) } else { data };
    Outcome { enforced, ..Outcome::answered(accepted, status, data) }
}

/// The first limit of a composite schedule, which is the one that applies now.
fn enforced(raw: &RawValue) -> Option<Enforced> {
    let answer: get_composite_schedule::Response = serde_json::from_str(raw.get()).ok()?;
    let schedule = answer.charging_schedule?;
    let limit = schedule.charging_schedule_period.first()?.limit;
    Some(match schedule.charging_rate_unit {
        RateUnit::Amperes => Enforced::Current(Milliamps(i64::from(limit.0) * 100)),
        RateUnit::Watts => Enforced::Power(Watts(i64::from(limit.0) / 10)),
    })
}

/// `{variables: {key: {value, readonly}}, unknown: […]}` of a GetConfiguration answer.
fn configuration(answer: &Value) -> Value {
    let mut variables = Map::new();
    for setting in answer.get("configurationKey").and_then(Value::as_array).into_iter().flatten() {
        if let Some(key) = setting.get("key").and_then(Value::as_str) {
            let value = setting.get("value").cloned().unwrap_or_default();
            let readonly = setting.get("readonly").cloned().unwrap_or(Value::Bool(false));
            variables.insert(key.to_owned(), json!({"value": value, "readonly": readonly}));
        }
    }
    json!({"variables": variables, "unknown": answer.get("unknownKey").cloned().unwrap_or(json!([]))})
}
