//! The log as it grows: one task reads it for all who listen, woken by commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;

use super::store;
use super::veil::veil;
use super::view::EventView;
use crate::http::Context;
use crate::store::{StoreError, StoreResult};
use kernel::{OrganizationId, StationId};

/// Lines that are kept for a listener who is slow; one that is further behind is dropped.
const LINES_KEPT: usize = 1_024;
/// Lines that are read at once.
const LINES_READ: i64 = 500;
/// How often the log is looked at when no commit was noticed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// An event as everybody gets it, written once.
#[derive(Debug)]
pub struct Line {
    pub(super) organization: OrganizationId,
    /// Its place in the log.
    pub cursor: i64,
    pub(super) kind: String,
    /// The station that it is about, where it is about one.
    pub station: Option<StationId>,
    /// The event as JSON.
    text: String,
    /// The same with the number of its card masked, where it has one.
    veiled: Option<String>,
}

impl Line {
    pub(super) fn new(row: store::Row) -> StoreResult<Self> {
        let (organization, cursor, kind) = (row.organization_id, row.cursor, row.type_.clone());
        let station = row.chargestation_id;
        let written = |row: store::Row| {
            serde_json::to_string(&EventView::from(row)).map_err(|error| StoreError::Failed(error.to_string()))
        };
        let veiled = match veil(&kind, &row.data) {
            Some(data) => Some(written(store::Row { data, ..row.clone() })?),
            None => None,
        };
        let text = written(row)?;
        Ok(Self { organization, cursor, kind, station, text, veiled })
    }

    /// What happened, such as `session.started`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether its name begins so.
    pub fn is(&self, beginning: &str) -> bool {
        self.kind.starts_with(beginning)
    }

    /// The event as JSON, for one who sees numbers of cards or does not.
    pub(super) fn text(&self, whole: bool) -> &str {
        let veiled = self.veiled.as_ref().filter(|_| !whole);
        veiled.unwrap_or(&self.text)
    }
}

type Lines = broadcast::Sender<Arc<Line>>;

/// Where to listen; cheap to clone. It is silent when the task has ended.
#[derive(Clone)]
pub struct Feed {
    lines: broadcast::WeakSender<Arc<Line>>,
    sent: Arc<AtomicI64>,
    /// Somebody began to listen.
    came: Arc<Notify>,
}

impl Feed {
    /// Begins to read what is new.
    pub async fn start(context: Context) -> StoreResult<(Self, JoinHandle<()>)> {
        let lines = broadcast::channel(LINES_KEPT).0;
        let read = context.db.read(store::settled_cursor).await?;
        let feed = Self { lines: lines.downgrade(), sent: Arc::new(AtomicI64::new(read)), came: Arc::default() };
        let (sent, came) = (Arc::clone(&feed.sent), Arc::clone(&feed.came));
        let mut commits = context.db.commits();
        let task = tokio::spawn(async move {
            loop {
                commits.mark_unchanged();
                let is_heard = lines.receiver_count() > 0;
                if let Err(error) = pass_on(&context, &lines, &sent).await {
                    tracing::error!(%error, "the log of events could not be read");
                }
                // Where nobody listens no commit is worth a look; whoever comes is.
                let woken = async {
                    if is_heard {
                        let _ = commits.changed().await;
                    } else {
                        came.notified().await;
                    }
                };
                let _ = tokio::time::timeout(LOOKED_AT_EVERY, woken).await;
            }
        });
        Ok((feed, task))
    }

    /// What is sent from now on; `None` when the server stops.
    pub(super) fn listen(&self) -> Option<broadcast::Receiver<Arc<Line>>> {
        let lines = self.lines.upgrade().map(|lines| lines.subscribe());
        self.came.notify_one();
        lines
    }

    /// The cursor up to which everything was sent to whoever listened then; those who listen now get what comes after.
    pub(super) fn sent_up_to(&self) -> i64 {
        self.sent.load(Ordering::Acquire)
    }
}

/// Sends what is new. Where nobody listens nothing is read: whoever comes later looks at the log first.
async fn pass_on(context: &Context, lines: &Lines, sent: &AtomicI64) -> StoreResult<()> {
    let settled = context.db.read(store::settled_cursor).await?;
    if lines.receiver_count() == 0 {
        sent.fetch_max(settled, Ordering::AcqRel);
    }
    loop {
        let after = sent.load(Ordering::Acquire);
        if after >= settled {
            break;
        }
        let rows = context.db.read(move |conn| store::list_all_between(conn, (after, settled), LINES_READ)).await?;
        let Some(last) = rows.last() else { break };
        sent.store(last.cursor, Ordering::Release);
        for row in rows {
            let _ = lines.send(Arc::new(Line::new(row)?)); // nobody listens any more
        }
    }
    Ok(())
}
