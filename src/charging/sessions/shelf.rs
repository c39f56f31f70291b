//! Where readings are: those of a session that runs in memory, until they come into its chunks; all others in chunks at once.

use std::collections::HashMap;
use std::sync::Arc;

use super::chunks::{self, Chunk, Whose};
use super::metering::Attribution;
use super::model::Session;
use super::old_readings;
use super::open::{self, OpenSessions, Outcome, Report, point};
use super::packed::Stored;
use super::readings::{Reading, Sample};
use crate::store::{Conn, StoreResult};
use kernel::*;
use pricing::Point;

/// Where the readings of a report go.
pub(super) enum Shelf {
    /// Into the memory of their session, and the journal.
    Memory(Arc<OpenSessions>),
    /// Into chunks at once.
    Rows,
}

impl Shelf {
    /// That of a session.
    pub(super) fn of(session: &Session) -> StoreResult<Self> {
        let memory = open::to_change()?.filter(|open| session.is_open() && open.get(session.id).is_some());
        Ok(memory.map_or(Self::Rows, Self::Memory))
    }

    /// A report of a session begins.
    pub(super) fn begin(&self, session: &Session, received_at: Timestamp, attribution: Attribution) {
        if let Self::Memory(open) = self {
            open.begin(Report {
                session: session.id,
                number: session.reports.saturating_add(1),
                received_at,
                attribution,
                samples: Vec::new(),
                stored: Vec::new(),
            });
        }
    }

    /// What became of a sample that is not kept.
    pub(super) fn note(&self, session: SessionId, sample: &Sample, outcome: Outcome) {
        if let Self::Memory(open) = self {
            open.with_report(session, |report| report.note(sample, outcome));
        }
    }

    /// Keeps a reading.
    pub(super) fn add(&self, conn: &mut Conn, whose: Whose, sample: &Sample, reading: Stored) -> StoreResult<()> {
        match (self, whose.session) {
            (Self::Memory(open), Some(session)) => {
                open.with_report(session, |report| {
                    report.note(sample, Outcome::New(reading.at.micros(), reading.delivered.map(WattHours::get)));
                    report.stored.push(reading);
                });
                Ok(())
            }
            _ => add_late(conn, whose, reading),
        }
    }

    /// Completes a reading by what was reported separately.
    pub(super) fn complete(
        &self,
        conn: &mut Conn,
        session: SessionId,
        known: Known,
        sample: &Sample,
        delivered: Option<WattHours>,
    ) -> StoreResult<()> {
        if let Self::Memory(open) = self {
            let place = match known.place {
                Place::Memory { session: whose, number, index } if whose == session => Some((number, index)),
                _ => None,
            };
            let outcome = match place {
                Some((number, index)) => {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    Outcome::Completed(number, index, delivered.map(WattHours::get), known.together.packed())
                }
                None => Outcome::Observed,
            };
            open.with_report(session, |report| report.note(sample, outcome));
            if place.is_none() {
                open.write_now(session); // the journal cannot say it
            }
        }
        complete(conn, known, sample, delivered)
    }

    /// The report ends; where nothing in it was news it is forgotten.
    pub(super) fn end(&self, session: &mut Session, is_news: bool) {
        if is_news {
            session.reports = session.reports.saturating_add(1);
        } else if let Self::Memory(open) = self {
            open.drop_report(session.id);
        }
    }
}

/// Keeps a reading that shows nothing of how a session goes on.
pub(super) fn add_late(conn: &mut Conn, whose: Whose, reading: Stored) -> StoreResult<()> {
    let station_time = reading.station_time;
    let memory = open::to_change()?;
    chunks::add_late(conn, whose, reading)?;
    if let Some((open, session)) = memory.zip(whose.session) {
        open.note_late(session, station_time);
    }
    Ok(())
}

/// Where a reading is that was stored.
enum Place {
    /// In memory, in a report with this number.
    Memory { session: SessionId, number: i64, index: usize },
    /// In a chunk.
    Chunk { chunk: Box<Chunk>, index: usize },
    /// In a row from before there were chunks.
    Old(Whose),
}

/// What is stored of the same instant.
pub(super) struct Known {
    place: Place,
    stored: Stored,
    /// The same with what is reported now.
    pub(super) together: Reading,
}

impl Known {
    /// Whether what is reported now was reported before.
    pub(super) fn is_complete(&self) -> bool {
        self.together == self.stored.reading
    }
}

/// What was stored of the same instant, of a session or of any.
pub(super) fn known(
    conn: &mut Conn,
    connector: ConnectorId,
    whose: Option<SessionId>,
    sample: &Sample,
) -> StoreResult<Option<Known>> {
    /// Readings that are looked at: clocks that stand still show one time for all.
    const MOST_OF_ONE_TIME: usize = 20;
    let is_same = |one: &Stored| one.station_time == sample.station_time && one.context == sample.context;
    let (mut found, may_be_in_rows) = in_memory(connector, whose, sample.station_time, is_same)?;
    if may_be_in_rows {
        for chunk in chunks::around(conn, connector, whose, sample.station_time)? {
            for (index, stored) in chunk.readings.iter().enumerate().filter(|(_, one)| is_same(one)) {
                found.push((Place::Chunk { chunk: Box::new(chunk.clone()), index }, stored.clone()));
            }
        }
        let old = old_readings::around(conn, connector, whose, sample.station_time)?;
        let same = old.into_iter().filter(|(_, stored)| is_same(stored));
        found.extend(same.map(|(whose, stored)| (Place::Old(whose), stored)));
    }
    found.sort_by_key(|(_, stored)| std::cmp::Reverse(stored.order()));
    let fits = found.into_iter().take(MOST_OF_ONE_TIME).filter_map(|(place, stored)| {
        let together = stored.reading.with(&sample.reading)?;
        Some(Known { place, stored, together })
    });
    let fits: Vec<Known> = fits.collect();
    let received_before = fits.iter().position(Known::is_complete);
    Ok(fits.into_iter().nth(received_before.unwrap_or(0)))
}

/// What is in memory of the same instant, and whether more of it may be in rows.
fn in_memory(
    connector: ConnectorId,
    whose: Option<SessionId>,
    station_time: Timestamp,
    is_same: impl Fn(&Stored) -> bool,
) -> StoreResult<(Vec<(Place, Stored)>, bool)> {
    let Some(memory) = open::to_change()? else {
        return Ok((Vec::new(), true));
    };
    let mut found = Vec::new();
    let sessions = match whose {
        Some(session) => memory.get(session).into_iter().collect(),
        None => memory.at_connector(connector),
    };
    let may_be_in_rows = match (whose, sessions.first()) {
        (Some(_), Some(open)) => open.newest_in_rows >= Some(station_time),
        _ => true,
    };
    for one in &sessions {
        let session = one.session.id;
        if one.newest >= Some(station_time) {
            for report in &one.tail {
                let same = report.readings.iter().enumerate().filter(|(_, stored)| is_same(stored));
                found.extend(
                    same.map(|(index, stored)| {
                        (Place::Memory { session, number: report.number, index }, stored.clone())
                    }),
                );
            }
        }
        memory.with_report(session, |report| {
            let same = report.stored.iter().enumerate().filter(|(_, stored)| is_same(stored));
            found.extend(
                same.map(|(index, stored)| (Place::Memory { session, number: report.number, index }, stored.clone())),
            );
        });
    }
    Ok((found, may_be_in_rows))
}

/// Puts what was reported separately into the reading of the same instant.
pub(super) fn complete(
    conn: &mut Conn,
    known: Known,
    sample: &Sample,
    delivered: Option<WattHours>,
) -> StoreResult<()> {
    let Known { place, mut stored, together } = known;
    stored.completed(together, &sample.raw, delivered);
    match place {
        Place::Memory { session, number, index } => {
            if let Some(memory) = open::to_change()? {
                let is_in_report = memory.with_report(session, |report| {
                    let is_here = report.number == number;
                    if let Some(one) = report.stored.get_mut(index).filter(|_| is_here) {
                        one.clone_from(&stored);
                    }
                    is_here
                });
                if is_in_report != Some(true) {
                    memory.edit(session, number, index, |one| *one = stored);
                }
            }
            Ok(())
        }
        Place::Chunk { mut chunk, index } => {
            if let Some(one) = chunk.readings.get_mut(index) {
                *one = stored;
            }
            chunk.rewrite(conn)?;
            forget_points(chunk.session())
        }
        Place::Old(whose) => {
            old_readings::rewrite(conn, whose.connector, &stored)?;
            forget_points(whose.session)
        }
    }
}

/// A reading of a session in a row is another: what it is billed by is read again.
fn forget_points(session: Option<SessionId>) -> StoreResult<()> {
    if let Some((memory, session)) = open::to_change()?.zip(session) {
        memory.remember_points(session, None);
    }
    Ok(())
}

/// All readings of a session, by when they lie in it.
pub(super) fn readings_of(conn: &mut Conn, session: &Session, connector: ConnectorId) -> StoreResult<Vec<Stored>> {
    // First what is in memory: what comes into a chunk meanwhile is there then.
    let waiting = open::of(conn, session)?;
    let (mut readings, chunks) = conn.at_one_instant(|conn| {
        let old = old_readings::of_session(conn, connector, session.id)?;
        StoreResult::Ok((old, chunks::of_session(conn, session.id)?))
    })?;
    let last = chunks.iter().map(|chunk| chunk.last_report).max().unwrap_or_default();
    readings.extend(chunks.into_iter().flat_map(|chunk| chunk.readings));
    let tail = waiting.iter().flat_map(|open| &open.tail).filter(|report| report.number > last);
    readings.extend(tail.flat_map(|report| report.readings.iter().cloned()));
    readings.extend(being_reported(session));
    readings.sort_by_key(Stored::order);
    Ok(readings)
}

/// The first readings of a session by when they lie in it, so many at most. Where its chunks have more than that, what is in no chunk
/// yet is later.
pub(super) fn first_readings_of(
    conn: &mut Conn,
    session: &Session,
    connector: ConnectorId,
    most: usize,
) -> StoreResult<Vec<Stored>> {
    let of_all = chunks::count_of_session(conn, session.id)?;
    let mut readings = match of_all <= most {
        true => readings_of(conn, session, connector)?,
        false => conn.at_one_instant(|conn| {
            let mut readings = old_readings::of_session(conn, connector, session.id)?;
            let first = chunks::first_of_session(conn, session.id, most)?;
            readings.extend(first.into_iter().flat_map(|chunk| chunk.readings));
            StoreResult::Ok(readings)
        })?,
    };
    readings.sort_by_key(Stored::order);
    readings.truncate(most);
    Ok(readings)
}

/// What was received of a session last: what is in no chunk yet, and the newest chunk.
pub(super) fn latest_of(conn: &mut Conn, session: &Session) -> StoreResult<Vec<Stored>> {
    let waiting = open::of(conn, session)?;
    let newest = chunks::newest_of_session(conn, session.id)?;
    let mut readings: Vec<Stored> = newest.into_iter().flat_map(|chunk| chunk.readings).collect();
    readings.extend(waiting.iter().flat_map(|open| open.tail_readings().cloned()));
    Ok(readings)
}

/// Readings of the report that is being taken in.
fn being_reported(session: &Session) -> Vec<Stored> {
    if !crate::store::memory::is_owned_here() {
        return Vec::new();
    }
    let memory = open::known();
    memory.and_then(|open| open.with_report(session.id, |report| report.stored.clone())).unwrap_or_default()
}

/// What a session is billed by.
pub(super) fn points(conn: &mut Conn, session: &Session, connector: ConnectorId) -> StoreResult<Vec<Point>> {
    let memory = open::known().filter(|_| crate::store::memory::is_owned_here());
    let Some(memory) = memory.filter(|open| open.get(session.id).is_some()) else {
        return Ok(readings_of(conn, session, connector)?.iter().map(point).collect());
    };
    let reported = || being_reported(session).iter().map(point).collect::<Vec<_>>();
    let known = memory.get(session.id).and_then(|open| open.points.clone());
    let mut points = match known {
        Some(points) => points.to_vec(),
        None => {
            let all = readings_of(conn, session, connector)?;
            let reported = being_reported(session);
            let before = all.iter().filter(|one| !reported.contains(one));
            let points: Vec<Point> = before.map(point).collect();
            memory.remember_points(session.id, Some(Arc::new(points.clone())));
            points
        }
    };
    points.extend(reported());
    Ok(points)
}

/// Readings of power at connectors from an instant until before another, oldest first, `most` at most.
pub(super) fn powers_between(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> StoreResult<Vec<(Whose, Stored)>> {
    let waiting: Vec<_> = match open::known() {
        Some(open) => connectors.iter().flat_map(|connector| open.at_connector(*connector)).collect(),
        None => Vec::new(),
    };
    let mut in_chunks: HashMap<SessionId, i64> = HashMap::new();
    let mut found = conn.at_one_instant(|conn| {
        let mut found = old_readings::between(conn, connectors, (from, to), most)?;
        chunks::first_between(conn, connectors, (from, to), most, |chunk, one| {
            if let Some(session) = chunk.session() {
                let last = in_chunks.entry(session).or_default();
                *last = chunk.last_report.max(*last);
            }
            let counts = one.reading.power.is_some();
            if counts {
                found.push((Whose { connector: chunk.connector(), session: chunk.session() }, one.clone()));
            }
            counts
        })?;
        StoreResult::Ok(found)
    })?;
    let in_time = |one: &Stored| one.at >= from && one.at < to && one.reading.power.is_some();
    for open in waiting {
        let Some(connector) = open.session.connector_id else { continue };
        let last = in_chunks.get(&open.session.id).copied().unwrap_or_default();
        let tail = open.tail.iter().filter(|report| report.number > last);
        let readings = tail.flat_map(|report| report.readings.iter()).filter(|one| in_time(one));
        let whose = Whose { connector, session: Some(open.session.id) };
        found.extend(readings.map(|one| (whose, one.clone())));
    }
    found.sort_by_key(|(_, one)| one.order());
    found.truncate(most);
    Ok(found)
}
