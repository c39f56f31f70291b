//! What metrics show of the store: how long its queues are, and what was not done.

use super::super::error::StoreError;
use super::Db;

impl Db {
    /// How much waits in each queue at this instant.
    pub fn queue_lengths(&self) -> Vec<(&'static str, usize)> {
        let waiting = |queues: &super::WriteSenders| queues.wakes.len() + queues.patient.len() + queues.api.len();
        let mut writes = waiting(&self.owner);
        if !std::sync::Arc::ptr_eq(&self.owner, &self.others) {
            writes += waiting(&self.others);
        }
        let mut lengths = vec![("writes", writes)];
        lengths.extend(self.reads.queue_lengths());
        lengths
    }
}

/// The error of who finds a queue full, counted.
pub(in crate::store) fn full(queue: &'static str) -> StoreError {
    metrics::counter!("evenwatt_store_refused_total", "queue" => queue).increment(1);
    StoreError::Busy
}

/// An error by which a write ends that was to be stored, counted.
pub(super) fn counted(error: StoreError) -> StoreError {
    let kind = match error {
        StoreError::Busy => "busy",
        StoreError::NotHeld => "not_held",
        _ => "failed",
    };
    metrics::counter!("evenwatt_store_errors_total", "kind" => kind).increment(1);
    error
}
