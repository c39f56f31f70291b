//! What wakes a tree: requests are gathered, so that a hundred signals cost one cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::rows::Rows;
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
    /// Stations that reported readings: of them the sessions are new.
    pub metered: BTreeSet<StationId>,
    /// Something of whole groups is new: their assets.
    pub top: bool,
    /// All that the stores had a moment ago.
    pub looked: Option<Look>,
    /// The stores may have something new of any station.
    pub whole: bool,
    /// What meters of connectors showed, in the order of receipt.
    pub shown: BTreeMap<ConnectorId, Vec<Shown>>,
    /// Connectors whose cars reported their charging needs: each is sent its limit again, whether that changed or not (K15.FR.03).
    pub wished: BTreeSet<ConnectorId>,
    /// What happened at connectors that are not set up, in the same order.
    pub strays: BTreeMap<(StationId, u32), Vec<Stray>>,
}

/// All that the stores had of a tree, read for it ([`super::look`]).
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub rows: Rows,
    /// How often the tree itself had read when that began.
    pub reads: u64,
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

    /// Whether nothing happened but that stations reported readings.
    pub(super) fn are_readings_only(&self) -> bool {
        !self.metered.is_empty() && !self.top && !self.whole && !self.everything && self.changed.is_empty()
    }

    /// Every station of which the stores have something new.
    pub(super) fn stations(&self) -> BTreeSet<StationId> {
        self.changed.union(&self.metered).copied().collect()
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
    /// How often the tree began and ended to read, so odd while it does.
    reads: AtomicU64,
    /// How many stations it read last.
    stations: AtomicUsize,
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

    /// Rings because everything was looked at; what woke the tree, if something did, stays what it was.
    pub(super) fn look(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        self.woken.notify_one();
    }

    /// Whether nothing rang but a look at everything: there is nothing to wait for.
    pub(super) fn is_look_only(&self) -> bool {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).trigger.is_none()
    }

    /// The tree begins to read.
    pub(super) fn begin_to_read(&self) {
        self.reads.fetch_add(1, Ordering::SeqCst);
    }

    /// It has read so many stations.
    pub(super) fn end_to_read(&self, stations: usize) {
        self.stations.store(stations, Ordering::SeqCst);
        self.reads.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it read; `None` while it does.
    pub(super) fn reads(&self) -> Option<u64> {
        Some(self.reads.load(Ordering::SeqCst)).filter(|reads| reads.is_multiple_of(2))
    }

    /// How many stations it read last.
    pub(super) fn stations(&self) -> usize {
        self.stations.load(Ordering::SeqCst)
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
