//! Counts what the server asks its store for requests of the API.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use evenwatt::store::{Lane, StoreError};

use super::TestApp;

/// The queries of the one thread that reads for the API: the server is started with `EVENWATT_STORE_READERS=1`.
pub struct Queries(Arc<Mutex<Vec<String>>>);

impl Queries {
    pub async fn of(app: &TestApp) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&asked);
        let db = app.running.context.db.in_lane(Lane::Api);
        let watched = db.read(move |conn| {
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event {
                    noted.lock().expect("no test panicked here").push(query.to_string());
                }
            });
            Ok::<_, StoreError>(())
        });
        watched.await.expect("a reader");
        Self(asked)
    }

    pub fn forget(&self) {
        self.0.lock().expect("no test panicked here").clear();
    }

    /// How many there were since; what begins and ends transactions is none.
    pub fn count(&self) -> usize {
        let asked = self.0.lock().expect("no test panicked here");
        asked.iter().filter(|query| query.starts_with("SELECT")).count()
    }
}
