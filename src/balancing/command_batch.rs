//! Commands to a station, and what their answer is about.

use engine::transition::Ticket;

use super::state::Confirmed;
use crate::sites::stations::link::StationCommand;
use kernel::*;

/// One thing to say.
#[derive(Debug, Clone)]
pub(super) struct CommandBatch {
    /// To whom.
    pub station: StationId,
    /// What.
    pub commands: Vec<StationCommand>,
    /// What the answer is about.
    pub about: About,
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The live limit of a connector.
    Live(ConnectorId, Ticket),
    /// What a connector is sent whose power is reserved.
    Least(ConnectorId, Ticket),
    /// Its safe default.
    Fallback(ConnectorId, Watts),
    /// A connector that left.
    Release(ConnectorId),
    /// A session that is stopped; its end is what shows it.
    Stop,
    /// A car that is started again, whose session this ended.
    Again(ConnectorId, SessionId),
    /// The limit that a station says it enforces.
    ReadBack(ConnectorId, Confirmed),
}
