//! How patient to be with stations, and what distinguishes one message to them from another.

use serde::{Deserialize, Serialize};

/// How patient to be with stations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendPolicy {
    /// How long after its acknowledgement a cut is visible on the cable, unless the meter shows it earlier.
    pub settle_seconds: u32,
    /// How often a message is tried before its station counts as uncontrolled.
    pub tries: u32,
    /// The pause before the second try; it doubles with every further one.
    pub back_off_seconds: u32,
    /// How old an acknowledged limit gets before it is sent again; `None` when limits do not run out.
    pub refresh_seconds: Option<u32>,
}

impl Default for SendPolicy {
    fn default() -> Self {
        Self { settle_seconds: 5, tries: 3, back_off_seconds: 5, refresh_seconds: None }
    }
}

/// Distinguishes one message from another; later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub u64);
