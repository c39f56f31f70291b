//! Dynamic charging profiles (K28 of 2.1): their limits and setpoints are changed one by one, or asked for. What a station
//! accepted is kept, so that it can be answered when it asks.

use serde_json::{Map, Value};

use super::commands::WireCall;
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::{StationId, Timestamp};

/// What an accepted call changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new profile, with the limits and setpoints that apply in it.
    Install(i64, Value),
    /// Other limits or setpoints; what is not named stays.
    Update(i64, Value),
    /// The profile is gone.
    Forget(i64),
}

impl Change {
    /// What this call changes, once it was accepted.
    pub fn of(wire: &WireCall) -> Option<Self> {
        let relevant = ["SetChargingProfile", "UpdateDynamicSchedule", "ClearChargingProfile"];
        if !relevant.contains(&wire.action.as_str()) {
            return None;
        }
        let payload: Value = serde_json::from_str(&wire.payload).ok()?;
        let profile = payload.get("chargingProfileId").and_then(Value::as_i64);
        match wire.action.as_str() {
            "SetChargingProfile" => {
                let profile = payload.get("chargingProfile")?;
                let id = profile.get("id")?.as_i64()?;
                if profile.get("chargingProfileKind")? != "Dynamic" {
                    return None;
                }
                let period = profile.pointer("/chargingSchedule/0/chargingSchedulePeriod/0")?;
                Some(Self::Install(id, limits_in(period)))
            }
            "UpdateDynamicSchedule" => Some(Self::Update(profile?, payload.get("scheduleUpdate")?.clone())),
            _ => profile.map(Self::Forget),
        }
    }

    /// Writes it down.
    pub fn store(&self, conn: &mut Conn, station: StationId, now: Timestamp) -> StoreResult<()> {
        match self {
            Self::Install(id, holding) => stations::keep_dynamic_profile(conn, (station, *id), holding, now),
            Self::Update(id, update) => {
                let known = stations::dynamic_profile(conn, (station, *id))?;
                let parts = [known.as_ref(), Some(update)].into_iter().flatten();
                let fields = parts.filter_map(Value::as_object).flatten();
                let holding: Map<_, _> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
                stations::keep_dynamic_profile(conn, (station, *id), &holding.into(), now)
            }
            Self::Forget(id) => stations::forget_dynamic_profile(conn, (station, *id)),
        }
    }
}

/// The limits and setpoints of a period, as an update has them.
fn limits_in(period: &Value) -> Value {
    let fields = period.as_object().into_iter().flatten();
    let is_limit = |name: &str| ["limit", "dischargeLimit", "setpoint"].iter().any(|stem| name.starts_with(stem));
    let limits = fields.filter(|(name, _)| is_limit(name));
    limits.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(action: &str, payload: &Value) -> Option<Change> {
        Change::of(&WireCall { action: action.to_owned(), payload: payload.to_string() })
    }

    #[test]
    fn only_dynamic_profiles_count_and_only_their_limits() {
        let profile = |kind: &str| {
            json!({"evseId": 1, "chargingProfile": {"id": 7, "chargingProfileKind": kind,
                "chargingSchedule": [{"chargingSchedulePeriod": [
                    {"startPeriod": 0, "numberPhases": 3, "limit": 16, "setpoint_L2": 5}]}]}})
        };
        let holding = json!({"limit": 16, "setpoint_L2": 5});
        assert_eq!(change("SetChargingProfile", &profile("Dynamic")), Some(Change::Install(7, holding)));
        assert_eq!(change("SetChargingProfile", &profile("Absolute")), None);
        let update = json!({"chargingProfileId": 7, "scheduleUpdate": {"limit": 6}});
        assert_eq!(change("UpdateDynamicSchedule", &update), Some(Change::Update(7, json!({"limit": 6}))));
        let clear = json!({"chargingProfileId": 7});
        assert_eq!(change("ClearChargingProfile", &clear), Some(Change::Forget(7)));
        assert_eq!(change("Reset", &json!({"type": "OnIdle"})), None);
    }
}
