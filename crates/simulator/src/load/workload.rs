//! What stations say under load, as lists of steps.

use std::time::Duration;

use kernel::Protocol;

/// The rhythm of a station whose rhythm nobody named: prime, so that stations do not come to speak at once.
const REAL_RHYTHM: Duration = Duration::from_secs(31);

/// What all stations of a load do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// OCPP 1.6: Heartbeat.
    Heartbeat,
    /// OCPP 1.6: MeterValues of a running transaction.
    MeterValues,
    /// OCPP 1.6: Heartbeat and MeterValues of a running transaction, alternating.
    Mixed,
    /// OCPP 1.6: StartTransaction, MeterValues, StopTransaction, again and again.
    Transactions16,
    /// OCPP 2.0.1: TransactionEvent Started, Updated, Ended, again and again.
    Transactions201,
    /// OCPP 1.6: stations in session, each a MeterValues in the rhythm of the field, evenly staggered.
    Rhythm,
    /// OCPP 1.6: one StartTransaction of each station, all in the same instant.
    Arrival,
    /// OCPP 1.6: connected, and silent.
    Idle,
}

/// One call that a station makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Heartbeat,
    Start,
    /// StatusNotification: the connector is charging.
    Charging,
    Values,
    Stop,
    Started,
    Updated,
    Ended,
}

impl Step {
    /// Under what it is counted.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Heartbeat => "Heartbeat",
            Self::Start => "StartTransaction",
            Self::Charging => "StatusNotification",
            Self::Values => "MeterValues",
            Self::Stop => "StopTransaction",
            Self::Started => "TransactionEvent Started",
            Self::Updated => "TransactionEvent Updated",
            Self::Ended => "TransactionEvent Ended",
        }
    }

    /// Whether what follows makes no sense where this was refused.
    pub(super) const fn begins(self) -> bool {
        matches!(self, Self::Start | Self::Started)
    }
}

impl Workload {
    /// What its stations speak.
    pub const fn version(self) -> Protocol {
        match self {
            Self::Transactions201 => Protocol::V201,
            _ => Protocol::V16,
        }
    }

    /// How many stations there are where nobody said.
    pub const fn stations(self) -> usize {
        match self {
            Self::Rhythm => 6_000,
            Self::Arrival => 5_000,
            Self::Idle => 1_000,
            _ => 50,
        }
    }

    /// Time from one message of a station to its next where nobody said; without one the next follows the answer.
    pub const fn every(self) -> Option<Duration> {
        match self {
            Self::Rhythm => Some(REAL_RHYTHM),
            _ => None,
        }
    }

    /// Whether there is an end to it: everything is said once.
    pub(super) const fn is_single(self) -> bool {
        matches!(self, Self::Arrival)
    }

    /// What is said before anything is measured.
    pub(super) const fn preparation(self) -> &'static [Step] {
        match self {
            Self::MeterValues | Self::Mixed | Self::Rhythm => &[Step::Start, Step::Charging],
            _ => &[],
        }
    }

    /// What is said, again and again where it is not [`single`](Self::is_single).
    pub(super) const fn steps(self) -> &'static [Step] {
        match self {
            Self::Heartbeat => &[Step::Heartbeat],
            Self::MeterValues | Self::Rhythm => &[Step::Values],
            Self::Mixed => &[Step::Heartbeat, Step::Values],
            Self::Transactions16 => &[Step::Start, Step::Values, Step::Stop],
            Self::Transactions201 => &[Step::Started, Step::Updated, Step::Ended],
            Self::Arrival => &[Step::Start],
            Self::Idle => &[],
        }
    }
}
