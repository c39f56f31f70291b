//! What all connections share: the store, the signals, who is connected, and the settings.

use std::sync::Arc;
use std::time::Duration;

use super::attempts::AttemptLimiter;
use super::authority::Authority;
use super::connections::Connections;
use super::recorder::Recorder;
use super::refusals::Refusals;
use super::throttle::Throttle;
use crate::http::Context;
use crate::sites::stations::link::Signals;
use kernel::Protocol;

/// How the gateway treats connections; documented in `default.toml`.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Seconds between heartbeats, sent to stations that boot.
    pub heartbeat_seconds: u32,
    /// How often a silent socket is pinged.
    pub ping_every: Duration,
    /// How long it may stay silent after a ping.
    pub pong_within: Duration,
    /// How long a station may take to answer.
    pub call_timeout: Duration,
    /// Largest message, in one frame or many, compressed or not.
    pub message_bytes: usize,
    /// Whether messages are compressed for stations that offer it.
    pub compresses: bool,
    /// What is spoken with a station that names no sub-protocol; none: its socket is closed.
    pub without_header: Option<Protocol>,
}

/// Everything a connection needs of the server; cheap to clone.
#[derive(Clone)]
pub struct GatewayDependencies {
    /// Store, clock and ids.
    pub context: Context,
    /// Where it reports what stations did.
    pub signals: Signals,
    /// Who is connected.
    pub connections: Connections,
    /// Who signs the certificates of stations.
    pub authority: Option<Arc<Authority>>,
    /// How much each station said lately.
    pub throttle: Throttle,
    /// What was said lately.
    pub recorder: Recorder,
    /// Who guessed lately.
    pub attempts: Arc<AttemptLimiter>,
    /// Attempts to connect that were refused lately.
    pub refusals: Arc<Refusals>,
    /// How connections are treated.
    pub settings: GatewaySettings,
}
