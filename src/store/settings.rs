//! How the store is reached.

use std::time::Duration;

use super::connection::{StoreUrl, Synchronous};

/// How the store is reached and how many threads serve it.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where the data lives.
    pub url: StoreUrl,
    /// Threads that read for the API.
    pub readers: usize,
    /// Threads that read for stations.
    pub station_readers: usize,
    /// How long a query of the API may take, from the moment it is asked.
    pub query_limit: Duration,
    /// Threads that write; SQLite always has one, because its writers wait on each other unfairly.
    pub writers: usize,
    /// Closures that may wait in each queue before callers get the error that the store is busy.
    pub queue: usize,
    /// How hard SQLite syncs.
    pub synchronous: Synchronous,
}

impl StoreSettings {
    /// The defaults for this store.
    pub fn new(url: StoreUrl) -> Self {
        Self {
            url,
            readers: 2,
            station_readers: 2,
            query_limit: Duration::from_secs(10),
            writers: 4,
            queue: 20_000,
            synchronous: Synchronous::Full,
        }
    }
}
