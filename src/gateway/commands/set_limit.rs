//! Limits what a connector or a whole station may draw (OCPP 1.6 §5.16, OCPP 2 K01), in the form that the station takes: which
//! one that is, the [variants](crate::gateway::profile_variants) and the [strategy](crate::gateway::limit_strategy) know.

use super::{Manner, Names, Spoken, WireCall, profile};
use crate::gateway::profile_variants::say_limit;
use crate::sites::stations::link::{LimitPurpose, LinkError, SetLimit};
use ocpp::session::{CoalesceKey, Priority};

impl Spoken for &SetLimit {
    fn v16(&self, manner: Manner) -> Result<WireCall, LinkError> {
        profile::v16(&say_limit(self, manner.variant, manner.now))
    }

    fn v2(&self, manner: Manner, names: &Names) -> Result<WireCall, LinkError> {
        profile::v2(&say_limit(self, manner.variant, manner.now), names)
    }

    /// One that lowers overtakes everything, one that raises waits for the rest; a newer one of its kind replaces it.
    fn urgency(&self) -> (Priority, Option<CoalesceKey>) {
        let priority = if self.lowers { Priority::Lowering } else { Priority::Raising };
        let what = match self.purpose {
            LimitPurpose::Live => "live limit",
            LimitPurpose::Fallback => "fallback limit",
            LimitPurpose::Default => "default limit",
            LimitPurpose::Transaction(_) => "transaction limit",
        };
        let connector = u32::try_from(self.connector).unwrap_or(0);
        (priority, Some(CoalesceKey { what, connector }))
    }

    fn transaction(&self) -> Option<i64> {
        match self.purpose {
            LimitPurpose::Transaction(number) => Some(number),
            _ => self.transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::commands::testing::{names, said_in};
    use crate::gateway::commands::{build, spoken};
    use crate::gateway::profile_variants::is_possible;
    use crate::sites::stations::link::StationCommand;
    use kernel::{Millivolts, PhaseSet, Protocol, Timestamp, Watts};

    const MANNER: Manner = Manner { variant: 0, now: Timestamp::from_unix_seconds(1_000) };

    fn live(limit: Watts) -> SetLimit {
        SetLimit {
            connector: 1,
            limit,
            purpose: LimitPurpose::Live,
            voltage: Millivolts(230_000),
            phases: PhaseSet::ALL,
            offered: PhaseSet::ALL,
            transaction: Some(7),
            sole: true,
            in_amps: true,
            duration_seconds: Some(300),
            lowers: true,
            escalate: false,
        }
    }

    fn said_v16(limit: &SetLimit, variant: usize) -> Value {
        said_in(&StationCommand::SetLimit(limit.clone()), Manner { variant, ..MANNER }, None)
    }

    fn profile_v16(limit: Watts, variant: usize) -> Value {
        said_v16(&live(limit), variant)["csChargingProfiles"].clone()
    }

    fn said_v2(connector: i32, variant: usize, version: Protocol) -> Value {
        let limit = SetLimit { connector, sole: false, ..live(Watts(11_150)) };
        said_in(&StationCommand::SetLimit(limit), Manner { variant, ..MANNER }, Some(&names(version)))
    }

    #[test]
    fn a_live_limit_rounds_down_to_tenths_of_an_amp_and_lives_from_a_minute_ago() {
        let profile = profile_v16(Watts(11_150), 0);
        let schedule = &profile["chargingSchedule"];
        assert_eq!(schedule["chargingSchedulePeriod"][0]["limit"].to_string(), "16.1");
        assert_eq!((&schedule["chargingRateUnit"], &schedule["duration"]), (&json!("A"), &json!(360)));
        assert_eq!(schedule["startSchedule"], "1970-01-01T00:15:40.000Z");
        assert_eq!(profile["stackLevel"], 2);
        assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
    }

    #[test]
    fn the_variants_change_level_and_unit_and_never_let_a_replaced_fallback_run_out() {
        let low = profile_v16(Watts(7_000), 1);
        assert_eq!((&low["stackLevel"], low["chargingSchedule"].get("duration")), (&json!(0), None));
        let watts = profile_v16(Watts(7_000), 2);
        assert_eq!(watts["chargingSchedule"]["chargingRateUnit"], "W");
        assert_eq!(watts["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64(), Some(7000.0));
    }

    #[test]
    fn stations_that_take_no_default_get_limits_of_the_transaction_or_of_the_whole_station() {
        let limit = live(Watts(11_040));
        let of_transaction = profile_v16(Watts(11_040), 4);
        assert_eq!(of_transaction["chargingProfilePurpose"], "TxProfile");
        assert_eq!(of_transaction["transactionId"], 7);
        let for_ever = of_transaction["chargingSchedule"].get("duration").is_none();
        assert!(for_ever, "nothing is below it");
        let payload = said_v16(&limit, 6);
        let purpose = &payload["csChargingProfiles"]["chargingProfilePurpose"];
        assert_eq!((&payload["connectorId"], purpose), (&json!(0), &json!("ChargePointMaxProfile")));

        let possible = |transaction, sole| {
            let limit = StationCommand::SetLimit(SetLimit { transaction, sole, ..limit.clone() });
            (0..8).filter(|variant| is_possible(&limit, *variant)).collect::<Vec<_>>()
        };
        assert_eq!(possible(None, false), [0, 1, 2, 3]);
        assert_eq!(possible(Some(7), false), [0, 1, 2, 3, 4, 5]);
        assert_eq!(possible(None, true), [0, 1, 2, 3, 6, 7]);
    }

    #[test]
    fn in_ocpp_2_it_is_a_default_profile_of_its_evse_and_ends_offline_where_that_can_be_said() {
        let old = said_v2(1, 0, Protocol::V201);
        let profile = &old["chargingProfile"];
        assert_eq!((&old["evseId"], &profile["id"]), (&json!(1), &json!(10_001)));
        assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
        let schedule = &profile["chargingSchedule"][0];
        assert_eq!(schedule["chargingSchedulePeriod"][0]["limit"].to_string(), "16.1");
        assert_eq!(schedule["duration"], 360);
        assert_eq!(profile.get("maxOfflineDuration"), None);
        let new = said_v2(1, 0, Protocol::V21);
        assert_eq!(new["chargingProfile"]["maxOfflineDuration"], 360);
    }

    #[test]
    fn connectors_that_share_an_evse_share_its_profiles_and_limit_their_transactions() {
        let limit = SetLimit { connector: 3, ..live(Watts(11_150)) };
        assert!(names(Protocol::V201).shares_its_evse(&limit));
        let said = said_v2(3, 4, Protocol::V201);
        let profile = &said["chargingProfile"];
        assert_eq!((&said["evseId"], &profile["id"]), (&json!(2), &json!(10_002)));
        assert_eq!(
            (&profile["chargingProfilePurpose"], &profile["transactionId"]),
            (&json!("TxProfile"), &json!("tx-7"))
        );
    }

    #[test]
    fn one_that_lowers_overtakes_and_a_newer_one_of_its_kind_replaces_it() {
        let urgency = |limit: SetLimit| spoken(&StationCommand::SetLimit(limit)).urgency();
        let key = |what| Some(CoalesceKey { what, connector: 1 });
        let limit = live(Watts(7_000));
        assert_eq!(urgency(limit.clone()), (Priority::Lowering, key("live limit")));
        assert_eq!(urgency(SetLimit { lowers: false, ..limit.clone() }), (Priority::Raising, key("live limit")));
        let fallback = SetLimit { purpose: LimitPurpose::Fallback, ..limit };
        assert_eq!(urgency(fallback), (Priority::Lowering, key("fallback limit")));
    }

    #[test]
    fn a_limit_of_a_transaction_needs_the_stations_name_of_it() {
        let limit = SetLimit { purpose: LimitPurpose::Transaction(9), ..live(Watts(7_000)) };
        let limit = StationCommand::SetLimit(limit);
        assert_eq!(spoken(&limit).transaction(), Some(9));
        let nameless = Names { transaction: None, ..names(Protocol::V201) };
        assert!(build(&limit, MANNER, Some(&nameless)).is_err());
    }
}
