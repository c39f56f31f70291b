//! How a connector or an EVSE is doing, as people ask: from what the station reports and what the operator says.

use super::station::OperationalStatus;
use kernel::Timestamp;

crate::spelled! {
    /// How a connector is doing, in OCPP 1.6's words.
    pub enum ConnectorStatus {
        /// Free for a new driver.
        Available = "Available",
        /// Taken, no session yet (OCPP 2: Occupied).
        Preparing = "Preparing" | "Occupied",
        /// Charging.
        Charging = "Charging",
        /// The station offers no energy.
        SuspendedEvse = "SuspendedEVSE",
        /// The car takes no energy.
        SuspendedEv = "SuspendedEV",
        /// Done, but not free yet.
        Finishing = "Finishing",
        /// Reserved.
        Reserved = "Reserved",
        /// Not to be used.
        Unavailable = "Unavailable",
        /// Broken.
        Faulted = "Faulted",
    }
}

crate::spelled! {
    /// How something is doing, in the words of the Tridens pages.
    pub enum DetailedStatus {
        /// Free for a new driver.
        Available = "Available",
        /// Taken, no session yet.
        Preparing = "Preparing",
        /// Charging.
        Charging = "Charging",
        /// The station offers no energy.
        SuspendedEvse = "SuspendedEVSE",
        /// The car takes no energy.
        SuspendedEv = "SuspendedEV",
        /// Done, but not free yet.
        Finishing = "Finishing",
        /// Reserved.
        Reserved = "Reserved",
        /// Not to be used.
        Unavailable = "Unavailable",
        /// Broken.
        Faulted = "Faulted",
        /// Discarded.
        Closed = "Closed",
    }
}

/// What an EVSE is doing, by the first of these that one of its connectors does: what keeps it busy, else the best.
const FIRST: [DetailedStatus; 10] = {
    use DetailedStatus as Status;
    [
        Status::Charging,
        Status::SuspendedEvse,
        Status::SuspendedEv,
        Status::Finishing,
        Status::Preparing,
        Status::Reserved,
        Status::Available,
        Status::Unavailable,
        Status::Faulted,
        Status::Closed,
    ]
};

impl DetailedStatus {
    /// The same of a connector, where a connector can have it.
    const fn of_connector(self) -> Option<ConnectorStatus> {
        Some(match self {
            Self::Available => ConnectorStatus::Available,
            Self::Preparing => ConnectorStatus::Preparing,
            Self::Charging => ConnectorStatus::Charging,
            Self::SuspendedEvse => ConnectorStatus::SuspendedEvse,
            Self::SuspendedEv => ConnectorStatus::SuspendedEv,
            Self::Finishing => ConnectorStatus::Finishing,
            Self::Reserved => ConnectorStatus::Reserved,
            Self::Unavailable => ConnectorStatus::Unavailable,
            Self::Faulted => ConnectorStatus::Faulted,
            Self::Closed => return None,
        })
    }

    /// What connectors of an EVSE do that does so: one does this, and none of those before it; none where it is closed.
    pub fn of_evse(self) -> Option<(ConnectorStatus, Vec<ConnectorStatus>)> {
        let before = FIRST.into_iter().take_while(|status| *status != self);
        let before = before.filter_map(Self::of_connector).collect();
        Some((self.of_connector()?, before))
    }
}

impl From<ConnectorStatus> for DetailedStatus {
    fn from(status: ConnectorStatus) -> Self {
        match status {
            ConnectorStatus::Available => Self::Available,
            ConnectorStatus::Preparing => Self::Preparing,
            ConnectorStatus::Charging => Self::Charging,
            ConnectorStatus::SuspendedEvse => Self::SuspendedEvse,
            ConnectorStatus::SuspendedEv => Self::SuspendedEv,
            ConnectorStatus::Finishing => Self::Finishing,
            ConnectorStatus::Reserved => Self::Reserved,
            ConnectorStatus::Unavailable => Self::Unavailable,
            ConnectorStatus::Faulted => Self::Faulted,
        }
    }
}

/// How the station of a connector stands.
#[derive(Debug, Clone, Copy)]
pub struct StationState {
    /// Operative, Inoperative or Closed.
    pub operational: OperationalStatus,
    /// Whether it is connected.
    pub online: bool,
    /// When it was last heard of.
    pub heard_at: Option<Timestamp>,
}

impl StationState {
    /// Since when nothing is known of a part of it that was last heard of at `heard_at`; null while it is connected.
    pub fn unknown_since(self, heard_at: Option<Timestamp>, created_at: Timestamp) -> Option<Timestamp> {
        let last = self.heard_at.max(heard_at);
        (!self.online).then(|| last.unwrap_or(created_at))
    }
}

impl Default for StationState {
    fn default() -> Self {
        Self { operational: OperationalStatus::Operative, online: true, heard_at: None }
    }
}

/// Both statuses of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// In use, out of use, discarded.
    pub operational: OperationalStatus,
    /// How it is doing.
    pub detailed: DetailedStatus,
}

impl Condition {
    /// Of a connector that does this, and is in use or not, at a station with this status.
    pub(crate) fn of_connector(status: ConnectorStatus, active: bool, station: OperationalStatus) -> Self {
        if station == OperationalStatus::Closed {
            return Self { operational: OperationalStatus::Closed, detailed: DetailedStatus::Closed };
        }
        let down = matches!(status, ConnectorStatus::Unavailable | ConnectorStatus::Faulted);
        let works = station == OperationalStatus::Operative && active && !down;
        Self {
            operational: if works { OperationalStatus::Operative } else { OperationalStatus::Inoperative },
            detailed: status.into(),
        }
    }

    /// Of an EVSE with these connectors: what keeps it busy, else the best of them.
    pub(crate) fn of_evse(connectors: impl Iterator<Item = Self>) -> Option<Self> {
        connectors.min_by_key(|one| FIRST.iter().position(|status| *status == one.detailed))
    }
}
