//! One who listens to the log: what was missed comes from the store, what is new from the feed, each event once and in order.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::feed::{Feed, Line};
use super::retention::require_kept;
use super::{Sight, Wanted, store};
use crate::http::{ApiError, ApiResult, Code, Context};
use crate::store::StoreResult;
use kernel::OrganizationId;

/// Missed events that are read at once.
const MISSED_AT_ONCE: i64 = 200;

/// A place in the log of an organization from which to go on.
pub struct Listener {
    feed: Feed,
    context: Context,
    organization: OrganizationId,
    sight: Sight,
    wanted: Wanted,
    /// The cursor up to which nothing more is looked for.
    read: i64,
    /// Events that were read and not asked for yet.
    waiting: VecDeque<Arc<Line>>,
    /// The store may have events that were not read and will not be sent again.
    missed_some: bool,
    lines: broadcast::Receiver<Arc<Line>>,
}

/// Why nothing more is heard; whoever comes back with the last cursor misses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// More happened than is kept for one who is slow.
    TooSlow,
    /// The server stops.
    Stopping,
    /// The log could not be read.
    Failed,
}

impl Listener {
    /// Listens to such events after a cursor, to what happens from now on where there is none, for one with this sight.
    pub async fn open(
        feed: &Feed,
        context: &Context,
        (organization, sight): (OrganizationId, Sight),
        wanted: Wanted,
        after: Option<i64>,
    ) -> ApiResult<Self> {
        let stopping = || ApiError::new(Code::Busy, "The server stops");
        let lines = feed.listen().ok_or_else(stopping)?;
        let read = match after {
            Some(after) => {
                let kept = move |conn: &mut _| require_kept(conn, organization, after);
                context.db.read(kept).await?;
                after
            }
            None => context.db.read(store::settled_cursor).await?,
        };
        Ok(Self {
            feed: feed.clone(),
            context: context.clone(),
            organization,
            sight,
            wanted,
            read,
            waiting: VecDeque::new(),
            missed_some: true,
            lines,
        })
    }

    /// The next event, once there is one. A call that is given up loses nothing.
    pub async fn next(&mut self) -> Result<Arc<Line>, Gone> {
        loop {
            if let Some(line) = self.ready() {
                return Ok(line);
            }
            if self.missed_some {
                self.read_missed().await.map_err(|error| {
                    tracing::error!(%error, "the log of events could not be read for a listener");
                    Gone::Failed
                })?;
                continue;
            }
            match self.lines.recv().await {
                Ok(line) if self.wants(&line) => return Ok(line),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Err(Gone::TooSlow),
                Err(broadcast::error::RecvError::Closed) => return Err(Gone::Stopping),
            }
        }
    }

    /// The event as JSON, as this listener sees it.
    pub fn text<'a>(&self, line: &'a Line) -> &'a str {
        line.text(self.sight)
    }

    /// An event that need not be waited for.
    pub fn ready(&mut self) -> Option<Arc<Line>> {
        self.waiting.pop_front()
    }

    fn wants(&self, line: &Line) -> bool {
        line.cursor > self.read && line.organization == self.organization && self.wanted.fit(line)
    }

    /// Reads on in the store. It listens anew first: what the store does not have yet is sent after that.
    async fn read_missed(&mut self) -> StoreResult<()> {
        self.lines = self.lines.resubscribe();
        let (organization, after, wanted) = (self.organization, self.read, self.wanted.clone());
        let sent = self.feed.sent_up_to();
        let rows = self.context.db.read(move |conn| {
            let until = store::settled_cursor(conn)?.max(sent);
            let between = (after, until);
            store::list_between(conn, organization, between, &wanted, MISSED_AT_ONCE)
        });
        let rows = rows.await?;
        self.missed_some = i64::try_from(rows.len()) == Ok(MISSED_AT_ONCE);
        for row in rows {
            let line = Line::new(row)?;
            self.read = line.cursor;
            self.waiting.push_back(Arc::new(line));
        }
        Ok(())
    }
}
