//! Installs limits that change with time, below everything that balancing installs (OCPP 1.6 §5.16, OCPP 2 K01).

use super::{Manner, Names, Spoken, WireCall, profile};
use crate::gateway::profile_variants::say_schedule;
use crate::sites::stations::link::{LinkError, SetSchedule};

impl Spoken for &SetSchedule {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        profile::v16(&say_schedule(self))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        profile::v2(&say_schedule(self), names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::{Millivolts, PhaseSet, Protocol, Timestamp, Watts};

    #[test]
    fn its_steps_are_amps_on_the_lowest_level_for_ever() {
        let schedule = StationCommand::SetSchedule(SetSchedule {
            connector: 1,
            start: Timestamp::from_unix_seconds(0),
            steps: vec![(0, Watts(11_040)), (3_600, Watts(0))],
            voltage: Millivolts(230_000),
            phases: PhaseSet::ALL,
            in_amps: true,
        });
        // 11,040 W over three phases of 230 V are 16 A.
        let first = json!({"startPeriod": 0, "limit": 16, "numberPhases": 3});
        let second = json!({"startPeriod": 3600, "limit": 0, "numberPhases": 3});
        let start = "1970-01-01T00:00:00.000Z";
        let body = json!({"startSchedule": start, "chargingRateUnit": "A", "chargingSchedulePeriod": [first, second]});
        let said = said_v16(&schedule);
        assert_eq!(said["csChargingProfiles"]["chargingSchedule"], body);
        assert_eq!(said["csChargingProfiles"]["stackLevel"], 0);
        let said = said_v2(&schedule, Protocol::V201);
        let schedule = &said["chargingProfile"]["chargingSchedule"][0];
        assert_eq!(schedule["chargingSchedulePeriod"], json!([first, second]));
        assert_eq!((&schedule["startSchedule"], schedule.get("duration")), (&json!(start), None));
    }
}
