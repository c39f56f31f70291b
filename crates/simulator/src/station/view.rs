//! What can be seen of a station from outside, for reports and the demo's picture.

use kernel::Watts;

use super::{Phase, Station};

/// What can be seen of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorView {
    /// Counted from 1.
    pub number: u32,
    /// Its status in OCPP's words.
    pub status: String,
    /// The battery of its car in percent; `None` without a car.
    pub battery_percent: Option<i64>,
    /// Whether a transaction runs.
    pub in_transaction: bool,
    /// What the profiles it acknowledged allow, or all its outlet gives.
    pub limit: Watts,
    /// What its car draws.
    pub draw: Watts,
}

/// What can be seen of a station.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StationView {
    /// Whether its socket is open.
    pub connected: bool,
    /// Whether its boot was accepted.
    pub accepted: bool,
    /// Profiles it keeps.
    pub profiles: usize,
    /// Its connectors.
    pub connectors: Vec<ConnectorView>,
}

impl Station {
    /// What can be seen of it.
    pub fn view(&self) -> StationView {
        let connectors = self.connectors.iter().map(|one| ConnectorView {
            number: one.number,
            status: one.status.as_str().to_owned(),
            battery_percent: one.car.as_ref().map(|car| car.percent()),
            in_transaction: one.transaction.is_some(),
            limit: one.outlet.power(one.limit),
            draw: one.draw(),
        });
        StationView {
            connected: self.phase != Phase::Offline,
            accepted: matches!(self.phase, Phase::Accepted(_)),
            profiles: self.profiles.count(),
            connectors: connectors.collect(),
        }
    }
}
