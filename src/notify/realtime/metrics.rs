//! What running sessions measure, sent to one listener: each session when it measured something new.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::charging::sessions::{self, Session, SessionView};
use crate::http::{Context, Reach};
use crate::sites::stations;
use crate::store::{StoreError, StoreResult};
use clock::Ticks;
use kernel::{OrganizationId, SessionId, StationId, Timestamp};

/// Which sessions to watch, and how often to look.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Whose.
    pub organization: OrganizationId,
    /// Where.
    pub reach: Reach,
    /// This one, or all.
    pub session: Option<SessionId>,
    /// Time between two looks.
    pub every: Duration,
}

/// What a listener knows of running sessions.
pub(super) struct Watch {
    context: Context,
    wanted: Wanted,
    looks: Ticks,
    /// The version of each session that was sent last.
    sent: HashMap<SessionId, Timestamp>,
}

/// A message of a session's metrics, in the form of an event; it is in no log, so it has no id and no cursor.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    object: &'static str,
    data: &'a SessionView,
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

impl Watch {
    pub(super) fn new(context: Context, wanted: Wanted) -> Self {
        let (looks, sent) = (context.clock.ticks(wanted.every), HashMap::new());
        Self { context, wanted, looks, sent }
    }

    /// Waits for the next look; the first one comes at once.
    pub(super) async fn due(&mut self) {
        self.looks.tick().await;
    }

    /// Messages of the sessions that changed since the last look.
    pub(super) async fn look(&mut self) -> StoreResult<Vec<String>> {
        let Wanted { organization, session, reach, .. } = self.wanted.clone();
        let read = self.context.db.read(move |conn| -> StoreResult<Vec<Session>> {
            let mut running = sessions::running(conn, organization, session)?;
            if reach.locations().is_some() {
                let at: Vec<StationId> = running.iter().map(|session| session.chargestation_id).collect();
                let at = stations::locations_of(conn, &at)?;
                let place = |session: &Session| at.get(&session.chargestation_id).copied().flatten();
                running.retain(|session| place(session).is_some_and(|place| reach.includes(place)));
            }
            Ok(running)
        });
        let running = read.await?;
        let now = self.context.clock.now();
        let sent = running.iter().map(|session| (session.id, session.updated_at));
        let before = std::mem::replace(&mut self.sent, sent.collect());
        let news = |session: &Session| before.get(&session.id) != Some(&session.updated_at);
        let news = running.into_iter().filter(news);
        news.map(|session| message(&SessionView::from(session).veiled(), now)).collect()
    }
}

fn message(session: &SessionView, now: Timestamp) -> StoreResult<String> {
    serde_json::to_string(&Message { kind: "session.metrics", object: "session", data: session, created_at: now })
        .map_err(|error| StoreError::Failed(error.to_string()))
}
