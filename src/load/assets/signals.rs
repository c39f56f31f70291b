//! Signals of assets: the same broadcast as that of stations, by group, because an asset belongs to no station.

use tokio::sync::broadcast;

use kernel::{AssetId, GroupId, OrganizationId};

/// Signals that a slow listener may fall behind by; it then looks at everything anew.
const SIGNALS_KEPT: usize = 8_192;

/// Something that changed what is known of a group's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetSignal {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The group whose power the asset concerns. An asset that moves to another group concerns both.
    pub group: GroupId,
    /// The asset.
    pub asset: AssetId,
    /// What happened.
    pub change: AssetChange,
}

/// What happened to an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetChange {
    /// It was created, changed, moved or deleted.
    Reconfigured,
    /// It has a newer reading.
    Read,
    /// Its battery was turned on or off.
    Switched,
}

/// Sends signals to everybody who listens.
#[derive(Debug, Clone)]
pub struct AssetSignals(broadcast::Sender<AssetSignal>);

impl Default for AssetSignals {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_KEPT).0)
    }
}

impl AssetSignals {
    /// Sends a signal; nobody listening is fine.
    pub fn notify(&self, signal: AssetSignal) {
        let _ = self.0.send(signal);
    }
    /// Starts to listen.
    pub fn listen(&self) -> broadcast::Receiver<AssetSignal> {
        self.0.subscribe()
    }
}
