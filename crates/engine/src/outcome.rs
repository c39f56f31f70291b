//! What the engine answers: a limit for every connector with its reason, and the budget of every group.

use serde::{Deserialize, Serialize};

use super::reason::Reason;
use super::snapshot::QueueState;
use kernel::{ConnectorId, GroupId, Milliamps, Timestamp, Watts};

/// The limits that apply from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The instant it was made for.
    pub now: Timestamp,
    /// One limit for every member of the snapshot, sorted by connector.
    pub limits: Vec<Limit>,
    /// The budget of every group, sorted by group.
    pub nodes: Vec<NodeBudget>,
    /// When planning again may change something although nothing happened in between.
    #[serde(rename = "next_turn_at")]
    pub next_change_at: Option<Timestamp>,
}

impl Plan {
    /// Whether somebody could take more than there is.
    pub fn is_scarce(&self) -> bool {
        self.limits.iter().any(|limit| matches!(limit.reason, Reason::Shared { .. }))
    }

    /// The limit of a connector.
    pub fn limit_of(&self, connector: ConnectorId) -> Option<&Limit> {
        let at = self.limits.binary_search_by_key(&connector, |limit| limit.connector);
        at.ok().and_then(|index| self.limits.get(index))
    }
}

/// What one connector may draw, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The connector.
    pub connector: ConnectorId,
    /// What it may draw; zero for a connector that cannot be steered, whose draw is reserved instead.
    pub limit: Watts,
    /// Why not more.
    pub reason: Reason,
    /// What its session must bring to the next plan; `None` where there is no session.
    #[serde(rename = "turn")]
    pub queue_state: Option<QueueState>,
}

impl Limit {
    /// The limit and its reason as a sentence.
    pub fn explain(&self) -> String {
        self.reason.explain(self.limit)
    }
}

/// Where the power of a group went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeBudget {
    /// The group.
    pub node: GroupId,
    /// Its limit without buffer and uncontrolled load: what everything below it may draw.
    pub capacity: Watts,
    /// What is reserved for members that cannot be steered.
    pub reserved: Watts,
    /// What is left for the others, never below zero.
    pub available: Watts,
    /// What they were given.
    pub granted: Watts,
    /// The same for each phase, where phases are watched.
    pub currents: Option<[CurrentBudget; 3]>,
}

/// Where the current of one phase of a group went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CurrentBudget {
    /// What the members that can be steered may draw.
    pub available: Milliamps,
    /// What they were given, rounded up.
    pub granted: Milliamps,
}
