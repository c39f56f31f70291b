//! Why a limit is what it is: the rule, the group that binds, and a sentence for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::snapshot::Uncontrolled;
use kernel::{GroupId, Milliamps, Timestamp, Watts};

/// Which of a group's limits stopped a member, with what there was to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Bound {
    /// The power of the group.
    Power {
        /// What its members may draw.
        available: Watts,
    },
    /// The current of one phase.
    Current {
        /// 1, 2 or 3.
        phase: u8,
        /// What its members may draw on it.
        available: Milliamps,
    },
    /// How far one phase may be ahead of the others.
    Imbalance {
        /// 1, 2 or 3.
        phase: u8,
        /// What its one- and two-phase members may draw on it.
        available: Milliamps,
    },
    /// The power that somebody else leaves a station or EVSE.
    #[serde(rename = "power_from_elsewhere")]
    ExternalPower {
        /// What its members may draw.
        available: Watts,
    },
    /// The current of one phase that somebody else leaves a station or EVSE.
    #[serde(rename = "current_from_elsewhere")]
    ExternalCurrent {
        /// 1, 2 or 3.
        phase: u8,
        /// What its members may draw on it.
        available: Milliamps,
    },
}

impl Bound {
    /// Whether it is no limit of a group.
    const fn is_external(&self) -> bool {
        matches!(self, Self::ExternalPower { .. } | Self::ExternalCurrent { .. })
    }
}

/// The rule that decided a limit, with what it needs to be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Reason {
    /// It has all it can take.
    AtMaximum,
    /// It has all that its car has shown to use.
    LearnedDemand {
        /// What the car uses, with a margin.
        demand: Watts,
    },
    /// Its limit rises step by step.
    Rising {
        /// When it may rise again.
        next_at: Timestamp,
    },
    /// It shares what a group has.
    Shared {
        /// The group that binds.
        node: GroupId,
        /// Which of its limits.
        bound: Bound,
        /// How many sessions share it.
        sharing: u32,
    },
    /// A change too small to be worth a message was left out.
    Unchanged {
        /// What the change would have led to.
        wanted: Watts,
    },
    /// Its minimum does not fit beside those that come first.
    #[serde(rename = "waiting_for_turn")]
    Queued {
        /// The group that binds.
        node: GroupId,
        /// Which of its limits.
        bound: Bound,
        /// Its queue position among those that wait for the same group, from 1.
        position: u32,
        /// What it needs.
        minimum: Watts,
    },
    /// Its minimum does not fit even alone.
    MinimumDoesNotFit {
        /// The group that binds.
        node: GroupId,
        /// Which of its limits.
        bound: Bound,
        /// What it needs.
        minimum: Watts,
    },
    /// It was stopped and has its off-time, which spares its contactor.
    #[serde(rename = "resting")]
    OffTime {
        /// Until when.
        until: Timestamp,
    },
    /// It was stopped and starts again when there was room for it long enough.
    WaitingForHeadroom {
        /// When that is, if the room stays.
        until: Timestamp,
    },
    /// It has time, and others have not.
    CanWait,
    /// Its maximum is below its minimum.
    Unsatisfiable {
        /// The least worth sending.
        minimum: Watts,
        /// The most it may draw.
        maximum: Watts,
    },
    /// Nobody charges.
    NoSession,
    /// Its car declines what it is offered.
    SuspendedByVehicle {
        /// Until when its minimum is kept for it; `None` when it only gets what is left over.
        kept_until: Option<Timestamp>,
    },
    /// It is inside a window in which it must not charge.
    ExclusionWindow,
    /// It has time, and energy costs less later.
    CheaperLater {
        /// When it goes on.
        until: Timestamp,
    },
    /// It cannot be steered, so its power is reserved.
    Reserved {
        /// Why it cannot.
        why: Uncontrolled,
        /// What is reserved.
        reserved: Watts,
    },
    /// Its group is not part of a tree.
    NotInTree,
}

impl Reason {
    /// The name of the rule, for machines and manuals.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::AtMaximum => "maximum",
            Self::LearnedDemand { .. } => "learned-demand",
            Self::Rising { .. } => "slow-raise",
            Self::Shared { .. } => "max-min-share",
            Self::Unchanged { .. } => "message-economy",
            Self::Queued { .. } | Self::MinimumDoesNotFit { .. } | Self::Unsatisfiable { .. } => "minimum-or-nothing",
            Self::OffTime { .. } => "off-time",
            Self::WaitingForHeadroom { .. } => "stable-headroom",
            Self::CanWait => "deadline-pause",
            Self::NoSession => "no-session",
            Self::SuspendedByVehicle { .. } => "suspended-by-vehicle",
            Self::ExclusionWindow => "exclusion-window",
            Self::CheaperLater { .. } => "cheaper-hours",
            Self::Reserved { .. } => "reservation",
            Self::NotInTree => "not-in-tree",
        }
    }

    /// The group that binds, where one does.
    pub const fn node(&self) -> Option<GroupId> {
        match self {
            Self::Shared { node, bound, .. }
            | Self::Queued { node, bound, .. }
            | Self::MinimumDoesNotFit { node, bound, .. }
                if !bound.is_external() =>
            {
                Some(*node)
            }
            _ => None,
        }
    }

    /// A sentence that a person understands, for a connector with this limit.
    pub fn explain(&self, limit: Watts) -> String {
        format!("{}: {} (rule {}).", Kilowatts(limit), Because(self), self.rule())
    }
}

/// The part of the sentence after the colon.
struct Because<'a>(&'a Reason);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reason::AtMaximum => f.write_str("all it can take"),
            Reason::LearnedDemand { demand } => {
                write!(f, "its car has not used more than {}", Kilowatts(*demand))
            }
            Reason::Rising { next_at } => {
                write!(f, "its limit rises step by step, next at {next_at}")
            }
            Reason::Shared { node, bound, sharing } => {
                write!(f, "its share of {} for {sharing} session(s)", Scarce(*bound, *node))
            }
            Reason::Unchanged { wanted } => {
                write!(f, "a change to {} is not worth a message", Kilowatts(*wanted))
            }
            Reason::Queued { node, bound, position, minimum } => write!(
                f,
                "it waits as number {position} in the queue, because its minimum of {} does not fit beside the others into {}",
                Kilowatts(*minimum),
                Scarce(*bound, *node)
            ),
            Reason::MinimumDoesNotFit { node, bound, minimum } => write!(
                f,
                "its minimum of {} does not fit into {} even alone",
                Kilowatts(*minimum),
                Scarce(*bound, *node)
            ),
            Reason::OffTime { until } => write!(f, "it was stopped and stays off until {until}"),
            Reason::WaitingForHeadroom { until } => {
                write!(f, "it starts again at {until} if there is room for it until then")
            }
            Reason::CanWait => f.write_str("it has time, and pauses for those that have less"),
            Reason::Unsatisfiable { minimum, maximum } => {
                write!(f, "it needs at least {} but may draw at most {}", Kilowatts(*minimum), Kilowatts(*maximum))
            }
            Reason::NoSession => f.write_str("nobody charges here"),
            Reason::SuspendedByVehicle { kept_until: Some(until) } => {
                write!(f, "its car pauses, and the minimum is kept for it until {until}")
            }
            Reason::SuspendedByVehicle { kept_until: None } => {
                f.write_str("its car pauses, and it gets its minimum only when others leave it")
            }
            Reason::ExclusionWindow => f.write_str("it must not charge at this time of day"),
            Reason::CheaperLater { until } => {
                write!(f, "it has time, and waits for cheaper hours until {until}")
            }
            Reason::Reserved { why, reserved } => {
                write!(f, "{}, so {} is reserved for it", Cause(*why), Kilowatts(*reserved))
            }
            Reason::NotInTree => f.write_str("its group is unknown or hangs below an unknown group"),
        }
    }
}

/// What there was too little of, and where.
struct Scarce(Bound, GroupId);

impl fmt::Display for Scarce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bound, node) = self;
        match bound {
            Bound::Power { available } => {
                write!(f, "the {} of group {node}", Kilowatts(*available))
            }
            Bound::Current { phase, available } => {
                let amps = Amps(*available);
                write!(f, "the {amps} on phase {phase} of group {node}")
            }
            Bound::Imbalance { phase, available } => {
                let amps = Amps(*available);
                write!(f, "the {amps} by which phase {phase} of group {node} may be ahead")
            }
            Bound::ExternalPower { available } => {
                let power = Kilowatts(*available);
                write!(f, "the {power} that an external limit leaves {node}")
            }
            Bound::ExternalCurrent { phase, available } => {
                write!(f, "the {} on phase {phase} that an external limit leaves {node}", Amps(*available))
            }
        }
    }
}

/// Why a connector cannot be steered.
struct Cause(Uncontrolled);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Uncontrolled::Offline => "its station is offline",
            Uncontrolled::Rejected => "its station refused the limit",
            Uncontrolled::TimedOut => "its station did not answer",
            Uncontrolled::NotObeying => "its station draws more than it may",
            Uncontrolled::Unproven => "it is not known what its station enforces",
        })
    }
}

/// Prints 6250 W as `6.25 kW`, without floats.
struct Kilowatts(Watts);

impl fmt::Display for Kilowatts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        thousandths(self.0.get(), "kW", f)
    }
}

/// Prints 16,000 mA as `16 A`.
struct Amps(Milliamps);

impl fmt::Display for Amps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        thousandths(self.0.get(), "A", f)
    }
}

fn thousandths(count: i64, unit: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, rest) = (count / 1_000, (count % 1_000).unsigned_abs());
    let decimals = format!("{rest:03}");
    match decimals.trim_end_matches('0') {
        "" => write!(f, "{whole} {unit}"),
        decimals => write!(f, "{whole}.{decimals} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::RawId;

    #[test]
    fn sentences_name_the_group_the_figures_and_the_rule() {
        let node = GroupId::from(RawId::from_bytes([1; 12]));
        let bound = Bound::Power { available: Watts(30_000) };
        let shared = Reason::Shared { node, bound, sharing: 5 };
        assert_eq!(
            shared.explain(Watts(6_000)),
            "6 kW: its share of the 30 kW of group 010101010101010101010101 for 5 session(s) (rule max-min-share)."
        );
        let bound = Bound::Current { phase: 2, available: Milliamps(10_500) };
        let waiting = Reason::Queued { node, bound, position: 2, minimum: Watts(4_140) };
        assert_eq!(
            waiting.explain(Watts(0)),
            "0 kW: it waits as number 2 in the queue, because its minimum of 4.14 kW does not fit beside the others into \
             the 10.5 A on phase 2 of group 010101010101010101010101 (rule minimum-or-nothing)."
        );
    }

    #[test]
    fn reasons_survive_json() {
        let reason = Reason::Reserved { why: Uncontrolled::Offline, reserved: Watts(11_000) };
        let text = serde_json::to_string(&reason).expect("serializes");
        assert_eq!(text, r#"{"because":"reserved","why":"offline","reserved":11000}"#);
        assert_eq!(serde_json::from_str::<Reason>(&text).expect("reads"), reason);
    }
}
