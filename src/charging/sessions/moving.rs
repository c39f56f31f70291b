//! Readings that programs before there were chunks stored in rows of their own come into chunks, some at a time, while the server
//! runs. Each step is one transaction of the writer that owns the memory, so it may end after any of them; what is left is moved by
//! the next server. Until then, readings are read from both.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::chunks::{self, Whose};
use super::old_readings::{self, Of, Page};
use super::open;
use super::packed::Stored;
use crate::events::Mark;
use crate::store::schema::sessions;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Rows of a session that is thinned that are moved in one step.
const OF_SESSION: usize = 500;

/// What one step has moved.
#[derive(Debug, Default)]
pub struct Moved {
    /// Readings that came into chunks.
    pub readings: usize,
    /// Rows that cannot be read, and stay.
    pub damaged: usize,
    /// Where the next step goes on; none where it was the last one.
    pub next: Option<Mark>,
}

/// Whether there are rows to move.
pub fn has_old_readings(conn: &mut Conn) -> StoreResult<bool> {
    Ok(old_readings::next_connector(conn, "")?.is_some())
}

/// Moves the rows that come next, about so many at most: connector by connector, by their time.
pub fn move_some(conn: &mut Conn, after: Option<Mark>, most: usize) -> StoreResult<Moved> {
    open::to_change()?; // nobody else changes readings meanwhile
    let mark = after.unwrap_or_default();
    let Some(connector) = old_readings::next_connector(conn, &mark.id)? else {
        return Ok(Moved::default());
    };
    let from = (mark.id == connector.to_string()).then(|| mark.instant());
    let page = old_readings::page(conn, Of::Connector(connector), from, most)?;
    put(conn, Of::Connector(connector), &page)?;
    let next = page.end.map_or_else(|| Mark::after(connector), |end| Mark::at(connector, end));
    Ok(Moved { readings: page.readings.len(), damaged: page.damaged, next: Some(next) })
}

/// Moves rows of a session, where it has some; whether that were all.
pub(super) fn move_some_of(conn: &mut Conn, session: SessionId) -> StoreResult<bool> {
    let page = old_readings::page(conn, Of::Session(session), None, OF_SESSION)?;
    put(conn, Of::Session(session), &page)?;
    Ok(page.end.is_none() || page.readings.is_empty())
}

/// Puts the readings of a page into chunks, and deletes their rows. What names a session that is not there, or has another
/// connector, is found by its connector alone; so it belongs to no session.
fn put(conn: &mut Conn, of: Of, page: &Page) -> StoreResult<()> {
    let named = page.readings.iter().filter_map(|(whose, _)| whose.session);
    let places: HashMap<SessionId, Option<ConnectorId>> = places_of(conn, named.collect())?;
    let mut all: BTreeMap<(ConnectorId, Option<SessionId>), Vec<Stored>> = BTreeMap::new();
    for (Whose { connector, session }, stored) in &page.readings {
        let session = session.filter(|session| places.get(session) == Some(&Some(*connector)));
        all.entry((*connector, session)).or_default().push(stored.clone());
    }
    let memory = open::to_change()?;
    for ((connector, session), readings) in all {
        chunks::add(conn, Whose { connector, session }, 0, &readings)?;
        let newest = readings.iter().map(|one| one.station_time).max();
        if let (Some(memory), Some(session), Some(newest)) = (&memory, session, newest) {
            memory.note_late(session, newest);
        }
    }
    old_readings::remove(conn, of, page)
}

/// The connectors of sessions.
fn places_of(conn: &mut Conn, mut ids: Vec<SessionId>) -> StoreResult<HashMap<SessionId, Option<ConnectorId>>> {
    ids.sort_unstable();
    ids.dedup();
    let rows: Vec<(SessionId, Option<ConnectorId>)> =
        sessions::table.filter(sessions::id.eq_any(ids)).select((sessions::id, sessions::connector_id)).load(conn)?;
    Ok(rows.into_iter().collect())
}
