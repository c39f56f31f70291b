//! Sessions that run, in memory: what their stations report every minute changes them there, and is stored in a journal.
//!
//! The owner of the store's memory changes them, in step with its commits; all others see what was committed. What a station
//! reports of a session is one report, with a number within the session. The reports of one commit are one row of the journal,
//! which is on the disk before anybody is answered ([`journal`]). From there readings come into chunks ([`super::chunks`]) in the
//! transaction that takes them out of the journal and writes the row of their session. After a crash the row, the chunks and the
//! journal make the session again ([`load`]): what a row has not taken in is taken in once more, in the same way.

mod entry;
mod journal;
mod load;
mod replay;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

pub(super) use entry::{Open, Outcome, Report, point};
use journal::Place;

use super::chunks::{self, Whose};
use super::model::Session;
use super::packed::Stored;
use super::received_events::ReceivedEvents;
use crate::store::memory::{self, Memory};
use crate::store::{Conn, StoreResult};
use kernel::id::RawId;
use kernel::*;

/// Readings of a session, or reports, that wait for their chunk at most.
const CHUNK: usize = 30;
/// How long they wait at most.
pub(super) const WAIT: Duration = Duration::from_secs(1_800);
/// How long a session that is over is known: longer than any query runs that began before its end.
const LINGER: Duration = Duration::from_secs(60);

/// The sessions that run, of one store.
pub struct OpenSessions {
    /// By which the rows of this server's run are known.
    incarnation: RawId,
    committed: RwLock<Committed>,
    changing: Mutex<Changing>,
    latest: Mutex<HashMap<ConnectorId, Latest>>,
}

/// The session that began last at a connector, where it began before the eyes of this memory, so that no later one is unknown.
#[derive(Clone, Copy)]
struct Latest {
    begun_at: Timestamp,
    /// None where that is not certain.
    session: Option<SessionId>,
}

/// What is committed.
#[derive(Default)]
struct Committed {
    /// Whether all that is stored was read.
    is_loaded: bool,
    sessions: HashMap<SessionId, Arc<Open>>,
    at_connectors: HashMap<ConnectorId, Vec<SessionId>>,
    at_stations: HashMap<StationId, Vec<SessionId>>,
    /// Those that are over, the first one first.
    over: VecDeque<(Instant, SessionId)>,
    /// Reports that each row of the journal is still needed for.
    journal: BTreeMap<Place, usize>,
}

/// What the transaction under way changes.
#[derive(Default)]
struct Changing {
    sessions: HashMap<SessionId, Arc<Open>>,
    /// Those that were not there before, or not at this connector.
    moved: Vec<SessionId>,
    /// Those that were deleted.
    gone: Vec<SessionId>,
    /// Sessions whose row and chunk have to be written, whatever their size.
    due: HashSet<SessionId>,
    /// Reports that are being taken in; they go with their session.
    reports: Vec<Report>,
    /// What goes into the journal.
    records: Vec<(SessionId, i64, Vec<u8>)>,
    /// Places in the journal that this transaction makes needless.
    covered: Vec<Place>,
    written: Option<(Place, usize)>,
    next_seq: i64,
    mark: Option<Mark>,
}

/// How things were when a change began that may be undone alone.
#[derive(Default)]
struct Mark {
    sessions: HashMap<SessionId, Option<Arc<Open>>>,
    moved: usize,
    records: usize,
    due: HashSet<SessionId>,
}

impl OpenSessions {
    /// Those of a server; `run` is an id that no other run of one has.
    pub fn new(run: RawId) -> Self {
        Self { incarnation: run, committed: RwLock::default(), changing: Mutex::default(), latest: Mutex::default() }
    }

    fn committed(&self) -> RwLockReadGuard<'_, Committed> {
        self.committed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session as the transaction under way, or else the last commit, has it.
    pub(super) fn get(&self, id: SessionId) -> Option<Arc<Open>> {
        if memory::is_owned_here()
            && let Some(changed) = self.changing().sessions.get(&id)
        {
            return Some(Arc::clone(changed));
        }
        self.committed().sessions.get(&id).cloned()
    }

    /// Those of `ids` and of what changed just now, of which `wanted` is true; oldest first.
    fn select(
        &self,
        ids: impl FnOnce(&Committed) -> Vec<SessionId>,
        wanted: impl Fn(&Session) -> bool,
    ) -> Vec<Arc<Open>> {
        let mut found: Vec<Arc<Open>> = Vec::new();
        if memory::is_owned_here() {
            let changing = self.changing();
            let committed = self.committed();
            let mut ids = ids(&committed);
            ids.extend(&changing.moved);
            ids.sort_unstable();
            ids.dedup();
            let one = |id: &SessionId| changing.sessions.get(id).or_else(|| committed.sessions.get(id)).cloned();
            found.extend(ids.iter().filter_map(one));
        } else {
            let committed = self.committed();
            let ids = ids(&committed);
            found.extend(ids.iter().filter_map(|id| committed.sessions.get(id).cloned()));
        }
        found.retain(|open| open.session.is_open() && wanted(&open.session));
        found.sort_by_key(|open| (open.session.created_at, open.session.id));
        found
    }

    /// Those that are open at a connector.
    pub(super) fn at_connector(&self, connector: ConnectorId) -> Vec<Arc<Open>> {
        let there = |committed: &Committed| committed.at_connectors.get(&connector).cloned().unwrap_or_default();
        self.select(there, |session| session.connector_id == Some(connector))
    }

    /// Those that are open at a station.
    pub(super) fn at_station(&self, station: StationId) -> Vec<Arc<Open>> {
        let there = |committed: &Committed| committed.at_stations.get(&station).cloned().unwrap_or_default();
        self.select(there, |session| session.chargestation_id == station)
    }

    /// Those that are open and of which `wanted` is true.
    pub(super) fn all(&self, wanted: impl Fn(&Session) -> bool) -> Vec<Arc<Open>> {
        self.select(|committed| committed.sessions.keys().copied().collect(), wanted)
    }

    /// Whether all that is stored is known here.
    pub(super) fn is_loaded(&self) -> bool {
        self.committed().is_loaded
    }

    /// Changes what is known of a session; the owner does.
    fn change(&self, id: SessionId, how: impl FnOnce(&mut Open, &mut Changing)) {
        let mut changing = self.changing();
        let known = match changing.sessions.get(&id) {
            Some(changed) => Some(Arc::clone(changed)),
            None => self.committed().sessions.get(&id).cloned(),
        };
        let Some(known) = known else { return };
        let before = changing.sessions.remove(&id);
        let mut open = Arc::unwrap_or_clone(known);
        how(&mut open, &mut changing);
        changing.keep_mark(id, before);
        changing.sessions.insert(id, Arc::new(open));
    }

    fn latest(&self) -> MutexGuard<'_, HashMap<ConnectorId, Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a session began just now, or came to its connector, which it may have done before others began there. Its
    /// transaction may still be rolled back: then more is asked of the store than need be.
    pub(super) fn note_begin(&self, session: &Session) {
        let Some((connector, begun_at)) = session.connector_id.zip(session.begun_at) else { return };
        let known = self.get(session.id);
        let came = known.is_some_and(|open| open.session.begun_at == Some(begun_at));
        let own = Latest { begun_at, session: (!came).then_some(session.id) };
        let mut latest = self.latest();
        let known = latest.entry(connector).or_insert(own);
        if known.begun_at < begun_at {
            *known = own;
        } else if known.begun_at == begun_at && known.session != own.session {
            known.session = None;
        }
    }

    /// Whether no session began at the connector of this one since it did.
    pub(super) fn is_latest(&self, session: &Session) -> bool {
        let Some(connector) = session.connector_id else { return false };
        let latest = self.latest();
        latest.get(&connector).is_some_and(|latest| latest.session == Some(session.id))
    }

    /// Takes over a session as it was changed. `in_row` says whether its row has all of it.
    pub(super) fn put(&self, conn: &mut Conn, session: Arc<Session>, in_row: bool) -> StoreResult<()> {
        let id = session.id;
        if let Some(open) = self.get(id) {
            let place = |session: &Session| (session.begun_at, session.connector_id);
            if place(&open.session) != place(&session) {
                self.note_begin(&session);
            }
        } else {
            if !session.is_open() {
                return Ok(());
            }
            let mut open = Open::new(Session::clone(&session));
            if session.reports > 0 {
                load::complete(conn, &mut open)?;
            }
            let mut changing = self.changing();
            changing.keep_mark(id, None);
            changing.sessions.insert(id, Arc::new(open));
            changing.moved.push(id);
        }
        let mut own = Vec::new();
        for report in self.changing().reports.extract_if(.., |report| report.session == id) {
            own.push((journal::record(&report, &session)?, report));
        }
        self.change(id, |open, changing| {
            for (record, report) in own {
                changing.records.push((id, report.number, record));
                open.take(report);
            }
            if open.session.connector_id != session.connector_id || open.session.is_open() != session.is_open() {
                changing.moved.push(id);
            }
            if in_row {
                open.in_row = session.reports;
            }
            open.session = session;
        });
        Ok(())
    }

    /// A report that begins to be taken in.
    pub(super) fn begin(&self, report: Report) {
        self.changing().reports.push(report);
    }

    /// The report that is being taken in of a session.
    pub(super) fn with_report<T>(&self, session: SessionId, how: impl FnOnce(&mut Report) -> T) -> Option<T> {
        self.changing().reports.iter_mut().rev().find(|report| report.session == session).map(how)
    }

    /// Nothing in the report was new.
    pub(super) fn drop_report(&self, session: SessionId) {
        let mut changing = self.changing();
        if let Some(last) = changing.reports.iter().rposition(|report| report.session == session) {
            changing.reports.remove(last);
        }
    }

    /// Changes a reading that waits for its chunk.
    pub(super) fn edit(&self, session: SessionId, number: i64, index: usize, how: impl FnOnce(&mut Stored)) {
        self.change(session, |open, _| open.edit(number, index, how));
    }

    /// The row and the chunk of a session are written with this transaction.
    pub(super) fn write_now(&self, session: SessionId) {
        self.change(session, |open, changing| {
            changing.due.insert(open.session.id);
        });
    }

    /// A chunk of a session was written beside its reports.
    pub(super) fn note_late(&self, session: SessionId, station_time: Timestamp) {
        self.change(session, |open, _| open.note_late(station_time));
    }

    /// A session that is over was deleted.
    pub(super) fn remove(&self, session: SessionId) {
        self.changing().gone.push(session);
    }

    /// Remembers which events were received of a session.
    pub(super) fn remember_events(&self, session: SessionId, events: Option<ReceivedEvents>) {
        self.change(session, |open, _| open.events = events);
    }

    /// Remembers what a session is billed by, or that it has to be read again.
    pub(super) fn remember_points(&self, session: SessionId, points: Option<Arc<Vec<pricing::Point>>>) {
        self.change(session, |open, _| open.points = points);
    }

    /// Sessions whose readings have waited long enough, or whose row lacks something that a list is to be sorted by.
    pub(super) fn to_write(&self, wanted: impl Fn(&Open) -> bool, most: usize) -> Vec<SessionId> {
        let committed = self.committed();
        let behind = committed.sessions.values().filter(|open| wanted(open));
        behind.take(most).map(|open| open.session.id).collect()
    }

    /// Writes chunks and rows that are due.
    fn write_due(&self, conn: &mut Conn, changing: &mut Changing) -> StoreResult<()> {
        let due =
            |open: &Open| open.waiting() >= CHUNK || !open.session.is_open() || changing.due.contains(&open.session.id);
        let due: Vec<SessionId> =
            changing.sessions.values().filter(|open| due(open)).map(|open| open.session.id).collect();
        for id in due {
            let Some(open) = changing.sessions.get_mut(&id).map(Arc::make_mut) else { continue };
            let last = open.session.reports;
            let readings: Vec<Stored> = open.tail_readings().cloned().collect();
            if let (Some(connector), false) = (open.session.connector_id, readings.is_empty()) {
                let whose = Whose { connector, session: Some(id) };
                if open.session.is_open() || !open.has_chunks {
                    chunks::add(conn, whose, last, &readings)?;
                } else {
                    chunks::merge(conn, whose, last, &readings)?;
                }
            }
            if open.in_row < last {
                super::store::write_metrics(conn, &open.session)?;
            }
            let covered = open.cover();
            changing.covered.extend(covered);
            changing.records.retain(|(session, number, _)| *session != id || *number > last);
        }
        Ok(())
    }
}

impl Changing {
    fn keep_mark(&mut self, id: SessionId, before: Option<Arc<Open>>) {
        if let Some(mark) = &mut self.mark {
            mark.sessions.entry(id).or_insert(before);
        }
    }
}

impl Memory for OpenSessions {
    fn begin(&self, conn: &mut Conn) -> StoreResult<()> {
        if !self.is_loaded() {
            let loaded = load::all(conn)?;
            self.changing().next_seq = journal::next_seq(conn, self.incarnation)?;
            *self.committed.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        }
        Ok(())
    }

    fn mark(&self) {
        let mut changing = self.changing();
        let (moved, records, due) = (changing.moved.len(), changing.records.len(), changing.due.clone());
        changing.reports.clear();
        changing.mark = Some(Mark { sessions: HashMap::new(), moved, records, due });
    }

    fn undo(&self) {
        let mut changing = self.changing();
        let Some(mark) = changing.mark.take() else { return };
        for (id, before) in mark.sessions {
            match before {
                Some(before) => changing.sessions.insert(id, before),
                None => changing.sessions.remove(&id),
            };
        }
        changing.moved.truncate(mark.moved);
        changing.records.truncate(mark.records);
        changing.due = mark.due;
        changing.reports.clear();
    }

    fn before_commit(&self, conn: &mut Conn) -> StoreResult<()> {
        let mut changing = self.changing();
        changing.reports.clear();
        self.write_due(conn, &mut changing)?;
        let mut covered = std::mem::take(&mut changing.covered);
        let needless = {
            let committed = self.committed();
            covered.sort_unstable();
            let is_last = |group: &[Place]| {
                let place = group.first()?;
                let needed = committed.journal.get(place)?;
                (*needed <= group.len()).then_some(*place)
            };
            covered.chunk_by(|one, other| one == other).filter_map(is_last).collect::<Vec<_>>()
        };
        changing.covered = covered;
        journal::remove(conn, &needless)?;
        if changing.records.is_empty() {
            return Ok(());
        }
        let place = Place { incarnation: self.incarnation, seq: changing.next_seq };
        let records = std::mem::take(&mut changing.records);
        let bytes: Vec<&[u8]> = records.iter().map(|(.., bytes)| bytes.as_slice()).collect();
        journal::append(conn, place, &bytes)?;
        changing.written = Some((place, records.len()));
        for (id, number, _) in records {
            if let Some(open) = changing.sessions.get_mut(&id) {
                Arc::make_mut(open).put_at(number, place);
            }
        }
        Ok(())
    }

    fn committed(&self) {
        let mut changing = self.changing();
        let changed = Changing { next_seq: changing.next_seq, ..Changing::default() };
        let Changing { sessions, gone, covered, written, .. } = std::mem::replace(&mut *changing, changed);
        if sessions.is_empty() && gone.is_empty() {
            return;
        }
        let mut committed = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((place, records)) = written {
            changing.next_seq += 1;
            committed.journal.insert(place, records);
        }
        for place in covered {
            if let Some(needed) = committed.journal.get_mut(&place) {
                *needed = needed.saturating_sub(1);
                if *needed == 0 {
                    committed.journal.remove(&place);
                }
            }
        }
        for (_, open) in sessions {
            committed.insert(open);
        }
        for id in gone {
            committed.sessions.remove(&id);
        }
        committed.forget_over();
    }

    fn rolled_back(&self) {
        let mut changing = self.changing();
        *changing = Changing { next_seq: changing.next_seq, ..Changing::default() };
    }

    fn forget(&self) {
        self.latest().clear();
        self.committed.write().unwrap_or_else(PoisonError::into_inner).is_loaded = false;
    }
}

impl Committed {
    fn insert(&mut self, open: Arc<Open>) {
        let (id, station, connector) = (open.session.id, open.session.chargestation_id, open.session.connector_id);
        let is_open = open.session.is_open();
        let before = self.sessions.insert(id, open);
        let was = before.as_ref().map(|open| (open.session.connector_id, open.session.is_open()));
        if was == Some((connector, is_open)) {
            return;
        }
        if let Some((Some(connector), _)) = was {
            remove_from(&mut self.at_connectors, connector, id);
        }
        remove_from(&mut self.at_stations, station, id);
        if is_open {
            self.at_stations.entry(station).or_default().push(id);
            if let Some(connector) = connector {
                self.at_connectors.entry(connector).or_default().push(id);
            }
        } else {
            self.over.push_back((Instant::now(), id));
        }
    }

    /// Forgets sessions that have been over for long.
    fn forget_over(&mut self) {
        while self.over.front().is_some_and(|(since, _)| since.elapsed() > LINGER) {
            let Some((_, id)) = self.over.pop_front() else { break };
            if self.sessions.get(&id).is_some_and(|open| !open.session.is_open()) {
                self.sessions.remove(&id);
            }
        }
    }
}

fn remove_from<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<SessionId>>, key: K, id: SessionId) {
    if let Some(ids) = map.get_mut(&key) {
        ids.retain(|one| *one != id);
        if ids.is_empty() {
            map.remove(&key);
        }
    }
}

/// What is in memory of the sessions of this store, to be read.
pub(super) fn known() -> Option<Arc<OpenSessions>> {
    memory::here::<OpenSessions>().filter(|open| open.is_loaded())
}

/// The same, to be changed; none where rows are all there is.
pub(super) fn to_change() -> StoreResult<Option<Arc<OpenSessions>>> {
    memory::to_change()
}

/// A session with what is in no chunk yet; where it is not in memory, as it is stored.
pub(super) fn of(conn: &mut Conn, session: &Session) -> StoreResult<Option<Arc<Open>>> {
    if let Some(known) = known() {
        return Ok(known.get(session.id));
    }
    let (mut opened, _) = load::opened(conn, vec![session.clone()])?;
    Ok(opened.remove(&session.id).map(Arc::new))
}

/// Puts what is newer than their rows into sessions that were read.
pub(super) fn freshen(conn: &mut Conn, sessions: &mut [Session]) -> StoreResult<()> {
    let Some(known) = known() else {
        let running = sessions.iter().filter(|session| session.is_open()).cloned().collect::<Vec<_>>();
        if running.is_empty() {
            return Ok(());
        }
        let (opened, _) = load::opened(conn, running)?;
        for session in sessions {
            if let Some(open) = opened.get(&session.id) {
                session.clone_from(&open.session);
            }
        }
        return Ok(());
    };
    let is_owner = memory::is_owned_here();
    for session in sessions {
        if let Some(open) = known.get(session.id)
            && (is_owner || open.session.updated_at >= session.updated_at)
        {
            session.clone_from(&open.session);
        }
    }
    Ok(())
}
