//! The input of the engine: the tree of limits, the connectors below it and how to share, frozen at one instant.
//!
//! A snapshot is plain data. It is stored beside every plan, so that planning it again gives the same bytes.

use serde::{Deserialize, Serialize};

use kernel::{ConnectorId, GroupId, Milliamps, Millivolts, PhaseSet, Timestamp, WattHours, Watts};

/// The whole of a number that is counted in parts per million.
pub const MILLION: u32 = 1_000_000;

/// Everything a plan depends on, but for the time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The groups, in any order; together they form one or more trees.
    pub nodes: Vec<Node>,
    /// The connectors, in any order.
    pub members: Vec<Member>,
    /// How to queue, keep on and damp.
    pub settings: Settings,
}

/// A node of the grid whose members together must stay below a limit: a group, or a part of one that somebody else limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The group; where somebody else's limit holds, the id of the station or EVSE.
    pub id: GroupId,
    /// The group it hangs below; `None` for the grid connection.
    pub parent: Option<GroupId>,
    /// What a person calls it.
    pub name: String,
    /// The limit in force now, before the buffer.
    pub limit: Watts,
    /// The part of every limit that is never handed out, in millionths.
    pub buffer_ppm: u32,
    /// The hard rating of the feeder, up to which local production may lift what is available; `None` means no lift.
    pub rating: Option<Watts>,
    /// What else draws here and cannot be steered; negative when more is produced than consumed.
    pub uncontrolled_load: Watts,
    /// The limit of each phase before the buffer, where phases are watched.
    pub phase_limits: Option<[Milliamps; 3]>,
    /// The uncontrolled load of each phase.
    pub phase_load: [Milliamps; 3],
    /// How far two phases may be apart, where the grid operator asks for it.
    pub imbalance_limit: Option<Milliamps>,
    /// How its own members share.
    pub algorithm: Algorithm,
    /// Under [`Algorithm::Deadline`]: cars that have time may be paused for those that have not.
    #[serde(default)]
    pub allow_pause: bool,
    /// It is no group but a station or an EVSE, below its group, whose limit somebody else set.
    #[serde(default)]
    #[serde(rename = "from_elsewhere")]
    pub is_external: bool,
}

impl Node {
    /// A root with this limit, no buffer, no other load, no watched phases and equal shares.
    pub fn new(id: GroupId, limit: Watts) -> Self {
        Self {
            id,
            parent: None,
            name: String::new(),
            limit,
            buffer_ppm: 0,
            rating: None,
            uncontrolled_load: Watts::ZERO,
            phase_limits: None,
            phase_load: [Milliamps::ZERO; 3],
            imbalance_limit: None,
            algorithm: Algorithm::EqualShare,
            allow_pause: false,
            is_external: false,
        }
    }
}

/// How the members of a group share what is left above their minimums, and who waits when those do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// The same for everybody; the least served is next.
    #[default]
    EqualShare,
    /// In proportion to each member's weight; the least served for its weight is next.
    Priority,
    /// The same for everybody; who came first is next, without rotation.
    FirstCome,
    /// More for those who have less time for what they need, above a minimum for all that fit.
    /// Nobody is paused, unless [`Node::allow_pause`] says so.
    Deadline,
}

/// A connector that takes part in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The connector.
    pub connector: ConnectorId,
    /// The group it hangs below.
    pub node: GroupId,
    /// The least power that is worth sending: the largest of the group's, the connector's and the pilot's minimum.
    pub minimum: Watts,
    /// The most it may draw.
    pub maximum: Watts,
    /// Limits are multiples of this, for example 0.1 A on all its phases.
    pub step: Watts,
    /// Voltage between a phase and neutral.
    pub voltage: Millivolts,
    /// The phases of the grid it draws from, after rotation.
    pub phases: PhaseSet,
    /// Whether it is known which phases of the grid these are; when not, each phase must have room for its current.
    pub rotation_known: bool,
    /// Its part under [`Algorithm::Priority`], at least 1.
    pub weight: u32,
    /// Who gets a minimum first.
    pub class: PriorityClass,
    /// The limit it was given by the plan before; zero when there was none.
    pub current: Watts,
    /// What it is doing.
    pub state: MemberState,
}

impl Member {
    /// An idle three-phase connector at 230 V without steps.
    pub fn new(connector: ConnectorId, node: GroupId, minimum: Watts, maximum: Watts) -> Self {
        Self {
            connector,
            node,
            minimum,
            maximum,
            step: Watts(1),
            voltage: Millivolts(230_000),
            phases: PhaseSet::ALL,
            rotation_known: true,
            weight: 1,
            class: PriorityClass::Normal,
            current: Watts::ZERO,
            state: MemberState::Idle { exposure: Watts::ZERO },
        }
    }

    /// Its session, when it has one that can be steered.
    pub const fn session(&self) -> Option<&Session> {
        match &self.state {
            MemberState::Active(session) | MemberState::Suspended { session, .. } => Some(session),
            MemberState::Idle { .. } | MemberState::Uncontrolled { .. } => None,
        }
    }

    /// What it may draw whatever the plan says; every group above it must do without.
    pub fn reserved(&self) -> Watts {
        match self.state {
            MemberState::Idle { exposure } => exposure.at_least_zero(),
            MemberState::Uncontrolled { reserved, .. } => reserved.at_least_zero(),
            MemberState::Active(_) | MemberState::Suspended { .. } => Watts::ZERO,
        }
    }

    /// Its class, after its driver asked for a priority charge.
    pub fn effective_class(&self) -> PriorityClass {
        match self.session() {
            Some(session) if session.priority_charge => PriorityClass::Urgent,
            _ => self.class,
        }
    }
}

/// Classes get their minimums in this order; a later one never takes a minimum from an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorityClass {
    /// A priority charge.
    Urgent,
    /// Everybody.
    #[default]
    Normal,
    /// Only what would be lost otherwise.
    Surplus,
}

/// What a connector is doing, as far as power goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum MemberState {
    /// No session: it is given an explicit zero.
    Idle {
        /// What a car could draw that is plugged in now; reserved while it is not zero.
        #[serde(rename = "worst")]
        exposure: Watts,
    },
    /// A session that draws or could draw.
    Active(Session),
    /// A session whose car declines what it is offered.
    Suspended {
        /// Since when.
        since: Timestamp,
        /// The session.
        session: Session,
    },
    /// It cannot be steered now.
    Uncontrolled {
        /// What it may really draw; reserved in every group above it.
        reserved: Watts,
        /// Why it cannot.
        why: Uncontrolled,
    },
}

/// Why a connector cannot be steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncontrolled {
    /// The station is not connected.
    Offline,
    /// The station refused the limit.
    Rejected,
    /// The station did not answer.
    TimedOut,
    /// The station draws more than it was allowed.
    NotObeying,
    /// It is not known yet what the station enforces.
    Unproven,
}

/// A charging session as the queue sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// When it started.
    pub arrived_at: Timestamp,
    /// The energy it has been given.
    pub attained: WattHours,
    /// What the plan before said about its queue position; [`QueueState::default`] for a new session.
    #[serde(rename = "turn")]
    pub queue_state: QueueState,
    /// When it must be ready and with how much, where somebody said so.
    pub deadline: Option<Deadline>,
    /// The most the car has shown it can use, learnt from its meter.
    pub learned_demand: Option<Watts>,
    /// Its driver asked to be first; this also overrides an exclusion window.
    pub priority_charge: bool,
    /// It is inside a window in which it must not charge.
    pub excluded: bool,
    /// It waits for cheaper hours, unless its driver asked to be first.
    #[serde(default)]
    pub waits_until: Option<Timestamp>,
}

impl Session {
    /// A session that starts now and has no wishes.
    pub fn new(arrived_at: Timestamp) -> Self {
        Self {
            arrived_at,
            attained: WattHours::ZERO,
            queue_state: QueueState::default(),
            deadline: None,
            learned_demand: None,
            priority_charge: false,
            excluded: false,
            waits_until: None,
        }
    }
}

/// What a driver or a fleet needs of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When it leaves.
    pub departure: Timestamp,
    /// The energy of the whole session by then.
    pub energy: WattHours,
}

/// What the queue remembers of a session from one plan to the next; each plan hands out the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueState {
    /// Since when it has power, without a break.
    #[serde(rename = "held_since")]
    pub on_since: Option<Timestamp>,
    /// Since when it waits, without a break.
    pub waiting_since: Option<Timestamp>,
    /// When it was last stopped in favour of others or of safety.
    pub stopped_at: Option<Timestamp>,
    /// Since when it could have been started again, without a break.
    pub fits_since: Option<Timestamp>,
    /// When its limit last rose.
    pub raised_at: Option<Timestamp>,
}

/// How to queue, keep on and damp. The defaults add nothing to the plain contract of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The minimum on-time of a session that was started.
    #[serde(rename = "hold_seconds")]
    pub minimum_on_seconds: u32,
    /// The off-time of a session that was stopped.
    pub off_seconds: u32,
    /// A session that waited for this many minimum on-times goes to the front of its class.
    #[serde(rename = "ageing_holds")]
    pub ageing_on_times: u32,
    /// How long a car that declines power keeps its minimum.
    pub suspended_grace_seconds: u32,
    /// A stopped session starts again only when its minimum fitted for this long.
    pub restart_after_seconds: u32,
    /// The most a limit rises in one interval; `None` means at once.
    pub raise_step: Option<Watts>,
    /// The interval of `raise_step`.
    pub raise_interval_seconds: u32,
    /// Raises smaller than this are not made.
    pub dead_band: Watts,
    /// Under [`Algorithm::Deadline`]: who could lose the least time is next, because departures come from a system and not
    /// from a guess.
    pub trusted_departures: bool,
    /// How long a session without a departure is taken to stay.
    pub default_stay_seconds: u32,
    /// What a session without a departure is taken to need.
    pub default_energy: WattHours,
    /// The part of a group's power that may stay unused to save messages, in millionths.
    pub suppression_ppm: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            minimum_on_seconds: 1_800,
            off_seconds: 600,
            ageing_on_times: 3,
            suspended_grace_seconds: 300,
            restart_after_seconds: 0,
            raise_step: None,
            raise_interval_seconds: 10,
            dead_band: Watts::ZERO,
            trusted_departures: false,
            default_stay_seconds: 4 * 3_600,
            default_energy: WattHours(20_000),
            suppression_ppm: 0,
        }
    }
}

/// What kind of current a connector delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrentKind {
    /// Alternating: the car rectifies, and its pilot signal cannot say less than 6 A.
    Ac,
    /// Direct: the station rectifies.
    Dc,
}

/// The lowest current the pilot signal of IEC 61851-1 can announce.
pub const LEAST_PILOT_CURRENT: Milliamps = Milliamps(6_000);

/// The least power worth sending: the largest of `minimums` and, for AC, of 6 A on each phase in use.
pub fn least_power(kind: CurrentKind, voltage: Millivolts, phases: PhaseSet, minimums: &[Watts]) -> Watts {
    let pilot = match kind {
        CurrentKind::Ac => LEAST_PILOT_CURRENT.to_power(voltage, phases),
        CurrentKind::Dc => Watts::ZERO,
    };
    minimums.iter().copied().fold(pilot, Watts::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_amps_on_three_phases_beat_a_smaller_group_minimum() {
        let volt = Millivolts(230_000);
        let minimums = [Watts(2_500), Watts(1_000)];
        assert_eq!(least_power(CurrentKind::Ac, volt, PhaseSet::ALL, &minimums), Watts(4_140));
        assert_eq!(least_power(CurrentKind::Ac, volt, PhaseSet::L2, &minimums), Watts(2_500));
        assert_eq!(least_power(CurrentKind::Dc, volt, PhaseSet::ALL, &minimums), Watts(2_500));
    }
}
