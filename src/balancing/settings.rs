//! How often trees are looked at, and how long what is sent holds.

use std::num::NonZeroU32;
use std::time::Duration;

/// How often and how long; see `[balancing]` in `default.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often a tree is looked at when nothing happens.
    pub tick: Duration,
    /// How long a live limit holds without being refreshed.
    pub limit_seconds: u32,
    /// How long changes are gathered before a tree is planned again.
    pub settle: Duration,
    /// Plans kept for a tree.
    pub plans_kept: u32,
}

impl Settings {
    /// Settings in the units of the configuration.
    pub fn new(tick_seconds: NonZeroU32, limit_seconds: NonZeroU32, settle_milliseconds: u64, plans_kept: u32) -> Self {
        Self {
            tick: Duration::from_secs(tick_seconds.get().into()),
            limit_seconds: limit_seconds.get(),
            settle: Duration::from_millis(settle_milliseconds),
            plans_kept,
        }
    }
}
