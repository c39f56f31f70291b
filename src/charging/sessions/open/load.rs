//! Making sessions of their rows, their chunks and the journal: at the start, and wherever the owner's memory is not at hand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diesel::prelude::*;

use super::super::model::{Session, SessionStatus};
use super::super::{chunks, old_readings};
use super::entry::Open;
use super::journal::{self, Place};
use super::{Committed, replay};
use crate::store::schema::sessions;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Sessions that one question names.
const AT_ONCE: usize = 1_000;

/// All sessions that are open, as they are stored. Rows of the journal that none of them needs are deleted.
pub(super) fn all(conn: &mut Conn) -> StoreResult<Committed> {
    let rows: Vec<Session> = sessions::table
        .filter(sessions::status.eq_any([SessionStatus::Created, SessionStatus::Started]))
        .select(Session::as_select())
        .load(conn)?;
    let (opened, journal) = opened(conn, rows)?;
    let needless: Vec<Place> = journal.iter().filter(|(_, needed)| **needed == 0).map(|(place, _)| *place).collect();
    journal::remove(conn, &needless)?;
    let mut committed = Committed { is_loaded: true, ..Committed::default() };
    for open in opened.into_values() {
        committed.insert(Arc::new(open));
    }
    committed.journal = journal.into_iter().filter(|(_, needed)| *needed > 0).collect();
    Ok(committed)
}

/// Sessions as their rows, the chunks and the journal have them, and how many reports each row of the journal is needed for.
pub(super) fn opened(
    conn: &mut Conn,
    rows: Vec<Session>,
) -> StoreResult<(HashMap<SessionId, Open>, BTreeMap<Place, usize>)> {
    let ids: Vec<SessionId> = rows.iter().map(|session| session.id).collect();
    let mut opened: HashMap<SessionId, Open> = rows.into_iter().map(|row| (row.id, Open::new(row))).collect();
    let mut chunked = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        for (session, summary) in chunks::summaries(conn, some)? {
            chunked.insert(session, summary.last_report.unwrap_or_default());
            if let Some(open) = opened.get_mut(&session) {
                open.know_rows(true, summary.newest);
            }
        }
        for (session, newest) in old_readings::newest(conn, some)? {
            if let Some(open) = opened.get_mut(&session) {
                open.know_rows(false, newest);
            }
        }
    }
    let (records, damaged) = journal::read(conn)?;
    // What is damaged is never needless.
    let mut journal: BTreeMap<Place, usize> = damaged.into_iter().map(|place| (place, 1)).collect();
    for found in records {
        let needed = journal.entry(found.place).or_default();
        let session = found.report.session;
        let last = chunked.get(&session).copied().unwrap_or_default();
        if let Some(open) = opened.get_mut(&session).filter(|_| found.report.number > last) {
            *needed += 1;
            replay::take_in(conn, open, found)?;
        }
    }
    Ok((opened, journal))
}

/// Finds out what else is stored of a session that was not known in memory.
pub(super) fn complete(conn: &mut Conn, open: &mut Open) -> StoreResult<()> {
    let id = [open.session.id];
    for (_, summary) in chunks::summaries(conn, &id)? {
        open.know_rows(true, summary.newest);
    }
    for (_, newest) in old_readings::newest(conn, &id)? {
        open.know_rows(false, newest);
    }
    Ok(())
}
