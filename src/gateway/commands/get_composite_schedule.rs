//! Asks for the limits that will apply (OCPP 1.6 §5.7, OCPP 2 K08).

use serde_json::value::RawValue;

use super::answer_rule::AnswerRule;
use super::wire::number;
use super::{Manner, Names, Spoken, WireCall, profile};
use crate::sites::stations::link::{Enforced, LinkError};
use kernel::{Milliamps, Watts};
use ocpp::v16::charging_profile::RateUnit;
use ocpp::{v2, v16};

pub(super) const ANSWER_V16: AnswerRule = AnswerRule::of("GetCompositeSchedule").enforced(enforced_v16);
pub(super) const ANSWER_V2: AnswerRule = AnswerRule::of("GetCompositeSchedule").enforced(enforced_v2);

pub(super) struct GetCompositeSchedule {
    pub(super) connector: i32,
    pub(super) seconds: i32,
    pub(super) in_amps: Option<bool>,
}

impl Spoken for GetCompositeSchedule {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::get_composite_schedule::Request {
            connector_id: number(self.connector, "connectorId")?,
            duration: number(self.seconds, "duration")?,
            charging_rate_unit: self.in_amps.map(|amps| if amps { RateUnit::Amperes } else { RateUnit::Watts }),
        }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::get_composite_schedule::Request {
            duration: i64::from(self.seconds),
            charging_rate_unit: self.in_amps.map(profile::unit),
            evse_id: names.evse_id(self.connector)?,
        }))
    }
}

/// The first limit of a composite schedule, which is the one that applies now.
fn enforced_v16(raw: &RawValue) -> Option<Enforced> {
    let answer: v16::get_composite_schedule::Response = serde_json::from_str(raw.get()).ok()?;
    let schedule = answer.charging_schedule?;
    let limit = schedule.charging_schedule_period.first()?.limit;
    Some(match schedule.charging_rate_unit {
        RateUnit::Amperes => Enforced::Current(Milliamps(i64::from(limit.0) * 100)),
        RateUnit::Watts => Enforced::Power(Watts(i64::from(limit.0) / 10)),
    })
}

/// The same of OCPP 2.
fn enforced_v2(raw: &RawValue) -> Option<Enforced> {
    let answer: v2::get_composite_schedule::Response = serde_json::from_str(raw.get()).ok()?;
    let schedule = answer.schedule?;
    let period = schedule.charging_schedule_period.first()?;
    let limit = period.limit.as_ref()?.milli()?;
    Some(match schedule.charging_rate_unit {
        v2::ChargingRateUnit::W => Enforced::Power(Watts(limit / 1000)),
        v2::ChargingRateUnit::A | v2::ChargingRateUnit::Unknown(_) => Enforced::Current(Milliamps(limit)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{answered_v2, answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn the_first_limit_of_the_answer_is_what_the_station_enforces_now() {
        let ask = StationCommand::GetCompositeSchedule { connector: 3, seconds: 60, in_amps: Some(true) };
        assert_eq!(said_v16(&ask), json!({"connectorId": 3, "duration": 60, "chargingRateUnit": "A"}));
        assert_eq!(said_v2(&ask, Protocol::V201), json!({"duration": 60, "chargingRateUnit": "A", "evseId": 2}));
        let periods = json!([{"startPeriod": 0, "limit": 16.5}, {"startPeriod": 30, "limit": 6}]);
        let schedule = json!({"chargingRateUnit": "A", "chargingSchedulePeriod": periods});
        let outcome = answered_v16(&ask, &json!({"status": "Accepted", "chargingSchedule": schedule}));
        assert_eq!((outcome.accepted, outcome.enforced), (true, Some(Enforced::Current(Milliamps(16_500)))));
        let schedule = json!({"evseId": 2, "duration": 60, "scheduleStart": "2026-05-01T08:30:00.000Z",
            "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11040}]});
        let outcome = answered_v2(&ask, Protocol::V201, &json!({"status": "Accepted", "schedule": schedule}));
        assert_eq!((outcome.accepted, outcome.enforced), (true, Some(Enforced::Power(Watts(11_040)))));
    }
}
