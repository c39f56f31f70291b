//! Why a limit is what it is, for programs: the engine's reason as a code with its values, in the units of the API. The sentence of the
//! engine says the same in English; pages say this in their reader's language.

use serde::Serialize;

use crate::http::quantities::shown;
use engine::{Bound, Reason, Uncontrolled};
use kernel::{GroupId, Timestamp, Watts};

/// Why a limit is what it is: `code` says which of the reasons, the other fields are its values. Powers are in kW, currents in A for
/// each phase.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub(super) enum Because {
    /// It has all it can take.
    AtMaximum,
    /// It has all that its car has shown to use.
    LearnedDemand {
        /// What the car uses, with a margin, in kW.
        demand: f64,
    },
    /// Its limit rises step by step.
    Rising {
        /// When it may rise again.
        next_at: Timestamp,
    },
    /// It has its share of what there is.
    Shared {
        /// Of what there was too little.
        scarce: Scarce,
        /// How many sessions share it.
        sharing: u32,
    },
    /// A change too small to be worth a message was left out.
    Unchanged {
        /// What the change would have led to, in kW.
        wanted: f64,
    },
    /// It waits, because its minimum does not fit beside those that come first.
    Queued {
        /// Of what there was too little.
        scarce: Scarce,
        /// Its queue position among those that wait for the same group, from 1.
        position: u32,
        /// What it needs, in kW.
        minimum: f64,
    },
    /// Its minimum does not fit even alone.
    MinimumDoesNotFit {
        /// Of what there was too little.
        scarce: Scarce,
        /// What it needs, in kW.
        minimum: f64,
    },
    /// It was stopped and stays off for a while, which spares its contactor.
    OffTime {
        /// Until when.
        until: Timestamp,
    },
    /// It was stopped and starts again when there was room for it long enough.
    WaitingForHeadroom {
        /// When that is, if the room stays.
        until: Timestamp,
    },
    /// It has time, and pauses for those that have less.
    CanWait,
    /// Its maximum is below its minimum.
    Unsatisfiable {
        /// The least worth sending, in kW.
        minimum: f64,
        /// The most it may draw, in kW.
        maximum: f64,
    },
    /// Nobody charges.
    NoSession,
    /// Its car declines what it is offered.
    SuspendedByVehicle {
        /// Until when its minimum is kept for it; null when it only gets what others leave.
        kept_until: Option<Timestamp>,
    },
    /// It is inside exclusion times.
    ExclusionWindow,
    /// It has time, and energy costs less later.
    CheaperLater {
        /// When it goes on.
        until: Timestamp,
    },
    /// It cannot be steered, so power is reserved for it.
    Reserved {
        /// Why it cannot.
        why: Uncontrollable,
        /// How much is reserved, in kW.
        reserved: f64,
    },
    /// Its group is unknown, or hangs below an unknown group.
    NotInTree,
}

/// Of what there was too little, and where.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub(super) enum Scarce {
    /// The power of a group.
    GroupPower {
        /// The group.
        group: GroupId,
        /// What its members may draw, in kW.
        power: f64,
    },
    /// The current of one phase of a group.
    GroupCurrent {
        /// The group.
        group: GroupId,
        /// 1, 2 or 3.
        phase: u8,
        /// What its members may draw on it, in A.
        current: f64,
    },
    /// How far one phase of a group may be ahead of the others.
    GroupImbalance {
        /// The group.
        group: GroupId,
        /// 1, 2 or 3.
        phase: u8,
        /// What its one- and two-phase members may draw on it, in A.
        current: f64,
    },
    /// The power that an external limit leaves the charge station or EVSE of the connector.
    ExternalPower {
        /// The charge station or EVSE.
        #[schema(example = "650000000000000000000001")]
        limited: String,
        /// What its connectors may draw, in kW.
        power: f64,
    },
    /// The current of one phase that an external limit leaves the charge station or EVSE of the connector.
    ExternalCurrent {
        /// The charge station or EVSE.
        #[schema(example = "650000000000000000000001")]
        limited: String,
        /// 1, 2 or 3.
        phase: u8,
        /// What its connectors may draw on it, in A.
        current: f64,
    },
}

/// Why a connector cannot be steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Uncontrollable {
    /// Its charge station is not connected.
    Offline,
    /// Its charge station refused the limit.
    Rejected,
    /// Its charge station did not answer.
    TimedOut,
    /// Its charge station draws more than it may.
    NotObeying,
    /// It is not known what its charge station enforces.
    Unproven,
}

impl From<&Reason> for Because {
    fn from(reason: &Reason) -> Self {
        let kilowatts = |power: &Watts| power.kilowatts();
        match reason {
            Reason::AtMaximum => Self::AtMaximum,
            Reason::LearnedDemand { demand } => Self::LearnedDemand { demand: kilowatts(demand) },
            Reason::Rising { next_at } => Self::Rising { next_at: *next_at },
            Reason::Shared { node, bound, sharing } => {
                Self::Shared { scarce: Scarce::new(*bound, *node), sharing: *sharing }
            }
            Reason::Unchanged { wanted } => Self::Unchanged { wanted: kilowatts(wanted) },
            Reason::Queued { node, bound, position, minimum } => {
                Self::Queued { scarce: Scarce::new(*bound, *node), position: *position, minimum: kilowatts(minimum) }
            }
            Reason::MinimumDoesNotFit { node, bound, minimum } => {
                Self::MinimumDoesNotFit { scarce: Scarce::new(*bound, *node), minimum: kilowatts(minimum) }
            }
            Reason::OffTime { until } => Self::OffTime { until: *until },
            Reason::WaitingForHeadroom { until } => Self::WaitingForHeadroom { until: *until },
            Reason::CanWait => Self::CanWait,
            Reason::Unsatisfiable { minimum, maximum } => {
                Self::Unsatisfiable { minimum: kilowatts(minimum), maximum: kilowatts(maximum) }
            }
            Reason::NoSession => Self::NoSession,
            Reason::SuspendedByVehicle { kept_until } => Self::SuspendedByVehicle { kept_until: *kept_until },
            Reason::ExclusionWindow => Self::ExclusionWindow,
            Reason::CheaperLater { until } => Self::CheaperLater { until: *until },
            Reason::Reserved { why, reserved } => Self::Reserved { why: (*why).into(), reserved: kilowatts(reserved) },
            Reason::NotInTree => Self::NotInTree,
        }
    }
}

impl Scarce {
    /// What external limits are put on is a node of the plan, named by the id of its station or EVSE.
    fn new(bound: Bound, node: GroupId) -> Self {
        let (group, limited) = (node, node.to_string());
        match bound {
            Bound::Power { available } => Self::GroupPower { group, power: available.kilowatts() },
            Bound::Current { phase, available } => Self::GroupCurrent { group, phase, current: shown(available.get()) },
            Bound::Imbalance { phase, available } => {
                Self::GroupImbalance { group, phase, current: shown(available.get()) }
            }
            Bound::ExternalPower { available } => Self::ExternalPower { limited, power: available.kilowatts() },
            Bound::ExternalCurrent { phase, available } => {
                Self::ExternalCurrent { limited, phase, current: shown(available.get()) }
            }
        }
    }
}

impl From<Uncontrolled> for Uncontrollable {
    fn from(why: Uncontrolled) -> Self {
        match why {
            Uncontrolled::Offline => Self::Offline,
            Uncontrolled::Rejected => Self::Rejected,
            Uncontrolled::TimedOut => Self::TimedOut,
            Uncontrolled::NotObeying => Self::NotObeying,
            Uncontrolled::Unproven => Self::Unproven,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Milliamps, RawId};
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "010101010101010101010101";

    fn view(reason: &Reason) -> Value {
        serde_json::to_value(Because::from(reason)).expect("JSON")
    }

    /// 1,777,000,000 seconds after 1970.
    fn instant() -> Timestamp {
        "2026-04-24T03:06:40Z".parse().expect("an instant")
    }

    #[test]
    fn each_reason_has_its_code_and_its_values_in_public_units() {
        let node = GroupId::from(RawId::from_bytes([1; 12]));
        let bound = Bound::Power { available: Watts(30_000) };
        let scarce = json!({"of": "group_power", "group": ID, "power": 30.0});
        let (at, shown_at) = (instant(), "2026-04-24T03:06:40.000Z");
        let (minimum, until) = (Watts(4_140), at);
        for (reason, expected) in [
            (Reason::AtMaximum, json!({"code": "at_maximum"})),
            (Reason::LearnedDemand { demand: Watts(6_250) }, json!({"code": "learned_demand", "demand": 6.25})),
            (Reason::Rising { next_at: at }, json!({"code": "rising", "next_at": shown_at})),
            (Reason::Shared { node, bound, sharing: 5 }, json!({"code": "shared", "scarce": scarce, "sharing": 5})),
            (Reason::Unchanged { wanted: Watts(7_001) }, json!({"code": "unchanged", "wanted": 7.001})),
            (
                Reason::Queued { node, bound, position: 2, minimum },
                json!({"code": "queued", "scarce": scarce, "position": 2, "minimum": 4.14}),
            ),
            (
                Reason::MinimumDoesNotFit { node, bound, minimum },
                json!({"code": "minimum_does_not_fit", "scarce": scarce, "minimum": 4.14}),
            ),
            (Reason::OffTime { until }, json!({"code": "off_time", "until": shown_at})),
            (Reason::WaitingForHeadroom { until }, json!({"code": "waiting_for_headroom", "until": shown_at})),
            (Reason::CanWait, json!({"code": "can_wait"})),
            (
                Reason::Unsatisfiable { minimum, maximum: Watts(1_400) },
                json!({"code": "unsatisfiable", "minimum": 4.14, "maximum": 1.4}),
            ),
            (Reason::NoSession, json!({"code": "no_session"})),
            (
                Reason::SuspendedByVehicle { kept_until: Some(at) },
                json!({"code": "suspended_by_vehicle", "kept_until": shown_at}),
            ),
            (
                Reason::SuspendedByVehicle { kept_until: None },
                json!({"code": "suspended_by_vehicle", "kept_until": null}),
            ),
            (Reason::ExclusionWindow, json!({"code": "exclusion_window"})),
            (Reason::CheaperLater { until }, json!({"code": "cheaper_later", "until": shown_at})),
            (
                Reason::Reserved { why: Uncontrolled::Offline, reserved: Watts(11_000) },
                json!({"code": "reserved", "why": "offline", "reserved": 11.0}),
            ),
            (Reason::NotInTree, json!({"code": "not_in_tree"})),
        ] {
            assert_eq!(view(&reason), expected, "{reason:?}");
        }
    }

    #[test]
    fn each_bound_says_what_was_scarce_and_where() {
        let node = GroupId::from(RawId::from_bytes([1; 12]));
        let (power, current) = (Watts(2_300), Milliamps(10_500));
        for (bound, expected) in [
            (Bound::Power { available: power }, json!({"of": "group_power", "group": ID, "power": 2.3})),
            (
                Bound::Current { phase: 2, available: current },
                json!({"of": "group_current", "group": ID, "phase": 2, "current": 10.5}),
            ),
            (
                Bound::Imbalance { phase: 3, available: current },
                json!({"of": "group_imbalance", "group": ID, "phase": 3, "current": 10.5}),
            ),
            (Bound::ExternalPower { available: power }, json!({"of": "external_power", "limited": ID, "power": 2.3})),
            (
                Bound::ExternalCurrent { phase: 1, available: current },
                json!({"of": "external_current", "limited": ID, "phase": 1, "current": 10.5}),
            ),
        ] {
            assert_eq!(view(&Reason::Shared { node, bound, sharing: 1 })["scarce"], expected, "{bound:?}");
        }
    }

    #[test]
    fn each_cause_of_a_connector_that_cannot_be_steered_has_its_word() {
        for (why, expected) in [
            (Uncontrolled::Offline, "offline"),
            (Uncontrolled::Rejected, "rejected"),
            (Uncontrolled::TimedOut, "timed_out"),
            (Uncontrolled::NotObeying, "not_obeying"),
            (Uncontrolled::Unproven, "unproven"),
        ] {
            assert_eq!(view(&Reason::Reserved { why, reserved: Watts(0) })["why"], expected);
        }
    }
}
