//! The log as it grows: one task reads it for all who listen, woken by commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;

use super::near::Clue;
use super::veil::veil;
use super::view::EventView;
use super::{Sight, store};
use crate::http::Context;
use crate::store::{StoreError, StoreResult};
use kernel::{OrganizationId, RawId, StationId};

/// Lines that are kept for a listener who is slow; one that is further behind is dropped.
const LINES_KEPT: usize = 1_024;
/// Lines that are read at once.
const LINES_READ: i64 = 500;
/// How often the log is looked at when no commit was noticed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// Every sight there is.
const SIGHTS: [Sight; 4] = [
    Sight { cards: true, names: true },
    Sight { cards: false, names: true },
    Sight { cards: true, names: false },
    Sight::NEITHER,
];

/// An event as everybody gets it, written once.
#[derive(Debug)]
pub struct Line {
    pub(super) organization: OrganizationId,
    /// Its place in the log.
    pub cursor: i64,
    pub(super) kind: String,
    /// The station that it is about, where it is about one.
    pub station: Option<StationId>,
    /// Who caused it: the number of the kind, and the id where there is one.
    pub(super) actor: Option<(i16, Option<RawId>)>,
    /// What it has that some do not see.
    has: Sight,
    /// The event as JSON, for each sight of what it has.
    texts: Vec<(Sight, String)>,
}

impl Line {
    pub(super) fn new(row: store::Row) -> StoreResult<Self> {
        let (organization, cursor, kind) = (row.organization_id, row.cursor, row.type_.clone());
        let station = row.chargestation_id;
        let actor = row.actor.map(|number| (number, row.actor_id().and_then(|id| id.parse().ok())));
        let written = |row: store::Row| {
            serde_json::to_string(&EventView::from(row)).map_err(|error| StoreError::Failed(error.to_string()))
        };
        let has = Sight { cards: veil(&kind, &row.data).is_some(), names: row.actor_name.is_some() };
        let mut texts = Vec::with_capacity(1);
        for sight in SIGHTS.into_iter().filter(|sight| sight.within(has) == *sight) {
            texts.push((sight, written(row.clone().seen(sight))?));
        }
        Ok(Self { organization, cursor, kind, station, actor, has, texts })
    }

    /// By what it is known where it happened.
    pub(super) fn clue(&self) -> Option<Clue> {
        let event: Said<'_> = serde_json::from_str(self.text(Sight::NEITHER)).ok()?;
        Clue::of(&event.object, self.station, event.data.get())
    }

    /// What happened, such as `session.started`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether its name begins so.
    pub fn is(&self, beginning: &str) -> bool {
        self.kind.starts_with(beginning)
    }

    /// The event as JSON, for one with this sight.
    pub(super) fn text(&self, sight: Sight) -> &str {
        let wanted = sight.within(self.has);
        let fitting = self.texts.iter().find(|(sight, _)| *sight == wanted);
        fitting.map_or("", |(_, text)| text)
    }
}

/// What a written event says of its object.
#[derive(Deserialize)]
struct Said<'a> {
    object: String,
    #[serde(borrow)]
    data: &'a RawValue,
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
