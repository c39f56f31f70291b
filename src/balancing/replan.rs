//! What wakes a tree: requests are gathered, so that a hundred signals cost one cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::sites::stations::link::{Shown, SignalKind, Stray};
use kernel::{ConnectorId, StationId};

/// What happened since the last cycle.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    /// What woke the tree first.
    pub trigger: Option<&'static str>,
    /// It must look at once, without waiting for more to happen.
    pub urgent: bool,
    /// Stations that connected or booted: what they enforce is not certain any more.
    pub doubted: BTreeSet<StationId>,
    /// Signals were missed, so no station is certain.
    pub everything: bool,
    /// Stations of which the stores have something new.
    pub changed: BTreeSet<StationId>,
    /// The stores may have something new of any station.
    pub whole: bool,
    /// What meters of connectors showed, in the order of receipt.
    pub shown: BTreeMap<ConnectorId, Vec<Shown>>,
    /// Connectors whose cars reported their charging needs: each is sent its limit again, whether that changed or not (K15.FR.03).
    pub wished: BTreeSet<ConnectorId>,
    /// What happened at connectors that are not set up, in the same order.
    pub strays: BTreeMap<(StationId, u32), Vec<Stray>>,
}

/// Readings of one connector that are gathered for one cycle at most; older ones are dropped.
const MOST_READINGS: usize = 32;

/// Adds to a list that does not grow beyond [`MOST_READINGS`].
fn push<T>(list: &mut Vec<T>, one: T) {
    if list.len() >= MOST_READINGS {
        list.remove(0);
    }
    list.push(one);
}

impl Notes {
    /// Notes what came with a signal of a station.
    pub(super) fn hear(&mut self, station: StationId, kind: SignalKind) {
        match kind {
            SignalKind::Metered(connector, shown) => {
                push(self.shown.entry(connector).or_default(), shown);
            }
            SignalKind::Stray(number, stray) => {
                push(self.strays.entry((station, number)).or_default(), stray);
            }
            SignalKind::Wished(connector) => {
                self.wished.insert(connector);
            }
            _ => {}
        }
    }

    /// Whether it is uncertain what this station enforces.
    pub(super) fn doubts(&self, station: StationId) -> bool {
        self.everything || self.doubted.contains(&station)
    }
}

/// Requests to replan one tree.
#[derive(Debug, Default)]
pub(super) struct ReplanRequests {
    notes: Mutex<Notes>,
    woken: Notify,
}

impl ReplanRequests {
    /// Rings, with something to note.
    pub(super) fn request(&self, trigger: &'static str, note: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.trigger.get_or_insert(trigger);
        note(&mut notes);
        drop(notes);
        self.woken.notify_one();
    }

    /// Waits for a request.
    pub(super) async fn requested(&self) {
        self.woken.notified().await;
    }

    /// What was noted, which is then forgotten.
    pub(super) fn take(&self) -> Notes {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until somebody cannot wait, but no longer than this.
    pub(super) async fn urgent_or(&self, longest: impl Future<Output = ()>) {
        let urgent = async {
            while !self.is_urgent() {
                self.requested().await;
            }
        };
        tokio::select! {
            () = urgent => {}
            () = longest => {}
        }
    }

    fn is_urgent(&self) -> bool {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).urgent
    }
}
