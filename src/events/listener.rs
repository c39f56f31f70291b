//! One who listens to the log: what was missed comes from the store, what is new from the feed, each event once and in order.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::feed::{Feed, Line};
use super::retention::require_kept;
use super::{Sight, Wanted, near, store};
use crate::http::{ApiError, ApiResult, Code, Context, Reach};
use crate::store::{StoreError, StoreResult};
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
    reach: Reach,
    /// The cursor up to which nothing more is looked for.
    read: i64,
    /// Events that were read and not asked for yet.
    waiting: VecDeque<Arc<Line>>,
    /// Events that are wanted if they happened within reach.
    unsure: VecDeque<Arc<Line>>,
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
        (organization, sight, reach): (OrganizationId, Sight, Reach),
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
            reach,
            read,
            waiting: VecDeque::new(),
            unsure: VecDeque::new(),
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
            if !self.unsure.is_empty() {
                self.find_near().await.map_err(failed)?;
                continue;
            }
            if self.missed_some {
                self.read_missed().await.map_err(failed)?;
                continue;
            }
            match self.lines.recv().await {
                Ok(line) if !self.wants(&line) => {}
                Ok(line) if self.reach.locations().is_none() => return Ok(line),
                Ok(line) => self.unsure.push_back(line),
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

    /// Finds out which of the events that are unsure happened within reach.
    async fn find_near(&mut self) -> StoreResult<()> {
        let clues: Vec<_> = self.unsure.iter().map(|line| line.clue()).collect();
        let (whereabouts, reach) = (self.context.whereabouts, self.reach.clone());
        let near = self.context.db.read(move |conn| near::are_near(conn, (whereabouts, &reach), &clues)).await?;
        let found = self.unsure.drain(..).zip(near).filter(|(_, is_near)| *is_near).map(|(line, _)| line);
        self.waiting.extend(found);
        Ok(())
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
            let line = Arc::new(Line::new(row)?);
            self.read = line.cursor;
            match self.reach.locations() {
                None => self.waiting.push_back(line),
                Some(_) => self.unsure.push_back(line),
            }
        }
        Ok(())
    }
}

fn failed(error: StoreError) -> Gone {
    tracing::error!(%error, "the log of events could not be read for a listener");
    Gone::Failed
}
