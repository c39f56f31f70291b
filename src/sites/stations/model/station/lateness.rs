//! When a station that is connected has been silent for too long. Its socket may still be open: one that stops to answer pings is
//! closed within a minute, but a station whose software hangs may go on to answer them.

use std::time::Duration;

use serde_json::Value;

use super::Station;
use kernel::Timestamp;

/// How much later than its interval a heartbeat may be: what stations said last is written down twice a minute, and their timers
/// are not exact.
pub(in crate::sites::stations) const LATE_MARGIN: Duration = Duration::from_secs(60);
/// The longest interval that is believed.
const LONGEST_INTERVAL: i64 = 24 * 3_600;

/// When a station that was heard at this instant, and leaves so many seconds between heartbeats, is late.
pub(in crate::sites::stations) fn late_at(heard_at: Timestamp, heartbeat_seconds: i64) -> Timestamp {
    let interval = heartbeat_seconds.clamp(1, LONGEST_INTERVAL).unsigned_abs();
    heard_at + Duration::from_secs(interval) + LATE_MARGIN
}

/// The heartbeat interval among configuration keys (OCPP 1.6) or variables (OCPP 2) that were read at a station; 0 says nothing,
/// as it turns heartbeats off.
pub(in crate::sites::stations) fn heartbeat_of(read: &Value) -> Option<i64> {
    let mut entries = read.as_object()?.iter();
    let (_, entry) =
        entries.find(|(name, _)| matches!(name.as_str(), "HeartbeatInterval" | "OCPPCommCtrlr.HeartbeatInterval"))?;
    let value = entry.get("value")?;
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (1..=LONGEST_INTERVAL).contains(&seconds).then_some(seconds)
}

impl Station {
    /// Whether it is connected and silent for too long.
    pub(in crate::sites::stations) fn is_late(&self, now: Timestamp) -> bool {
        self.online && self.late_at.is_some_and(|at| at < now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_heartbeat_may_be_a_minute_late() {
        let heard = Timestamp::from_unix_seconds(1_000);
        assert_eq!(late_at(heard, 300), Timestamp::from_unix_seconds(1_360));
        assert_eq!(late_at(heard, -5), Timestamp::from_unix_seconds(1_061));
        assert_eq!(late_at(heard, i64::MAX), Timestamp::from_unix_seconds(1_000 + 86_400 + 60));
    }

    #[test]
    fn an_interval_is_read_in_both_versions_and_bounded() {
        let named = |name: &str, value: Value| heartbeat_of(&json!({name: {"value": value, "readonly": false}}));
        assert_eq!(named("HeartbeatInterval", json!("900")), Some(900));
        assert_eq!(named("OCPPCommCtrlr.HeartbeatInterval", json!(" 60 ")), Some(60));
        assert_eq!(named("HeartbeatInterval", json!(600)), Some(600));
        for odd in [json!("0"), json!("-1"), json!("86401"), json!("often"), json!(null)] {
            assert_eq!(named("HeartbeatInterval", odd), None);
        }
        assert_eq!(named("MeterValueSampleInterval", json!("60")), None);
    }
}
