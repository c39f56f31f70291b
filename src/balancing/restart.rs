//! What is remembered of a car that is to be started again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::charging::sessions::Session;
use kernel::*;

/// How often a station is asked to start a car again that draws nothing in between.
const MOST_TRIES: u32 = 3;
/// How far two tries are apart: a session that waits for its start is given up after 120 s.
const TRY_EVERY: Duration = Duration::from_secs(150);
/// Clocks of stations that nobody warns of are off by this at most.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// What is remembered of a car that is to be started again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Restart {
    /// The session that ended while the limit was 0, and since when it was.
    pub ended: Option<(SessionId, Timestamp)>,
    /// The session that is to go on, and what it had.
    pub waits: Option<(SessionId, WattHours)>,
    /// How often its station was asked, and when it was last.
    tries: u32,
    tried_at: Option<Timestamp>,
    /// What the car had before the session that goes on now.
    pub had: WattHours,
}

impl Restart {
    /// Whether this is the session that waits to go on, and its station has not been asked too often.
    pub(super) fn waits_for(&self, session: SessionId, now: Timestamp) -> bool {
        let is_it = self.waits.is_some_and(|(id, _)| id == session);
        is_it && (self.tries < MOST_TRIES || !self.is_over(now))
    }

    /// Whether the last try had its time.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.tried_at.is_none_or(|at| now.since(at) >= TRY_EVERY)
    }

    pub(super) fn note_try(&mut self, now: Timestamp) {
        self.tries += 1;
        self.tried_at = Some(now);
    }

    /// A session that ended waits, where it is the one that ended at 0 and did not end before.
    pub(super) fn wait_for(&mut self, session: &Session) {
        let is_it = self.ended.is_some_and(|(id, since)| {
            let over = session.ended_at;
            id == session.id && over.is_some_and(|over| over + CLOCKS_DIFFER >= since)
        });
        if !is_it || self.waits.is_some() {
            return;
        }
        if session.energy > WattHours::ZERO {
            (self.tries, self.tried_at) = (0, None);
        }
        self.waits = Some((session.id, session.energy));
    }
}
