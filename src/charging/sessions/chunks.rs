//! Chunks: readings of one session, or of one connector without a session, packed into rows.
//!
//! Readings of a session that runs come here by dozens from its journal (see [`super::open`]), all of one session together when it
//! has ended. What is reported late, and what belongs to no session, is put into the newest chunk that has room. Rows
//! from before there were chunks are read beside them ([`super::old_readings`]) until they are chunks, too ([`super::moving`]).
//!
//! The readings of one chunk lie within [`SPAN`], so that those of a time are found without looking at all that came later.

use std::time::Duration;

use diesel::prelude::*;

use super::packed::{Stored, pack_readings, unpack_readings};
use crate::cached_insert;
use crate::store::schema::reading_chunks;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Readings that a chunk of late or loose ones has at most.
const MOST_LATE: i64 = 100;
/// How far readings of a chunk lie apart, by our clock and by that of their station: less than this.
const SPAN: Duration = Duration::from_secs(24 * 3_600);
/// Readings of a session that are made one chunk at most: they are unpacked and packed while others wait to write.
const MOST_MERGED: usize = 2_000;
/// Chunks that one query names.
const AT_ONCE: usize = 100;

/// Whose readings: those of a session, or those of a connector that belong to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) connector: ConnectorId,
    pub(super) session: Option<SessionId>,
}

#[derive(AsChangeset)]
#[diesel(table_name = reading_chunks, treat_none_as_default_value = false)]
struct NewChunk {
    connector_id: ConnectorId,
    session_id: Option<SessionId>,
    last_report: i64,
    readings: i64,
    first_at: Timestamp,
    last_at: Timestamp,
    first_station_time: Timestamp,
    last_station_time: Timestamp,
    body: Vec<u8>,
}

cached_insert! {
    /// Stores a chunk.
    InsertChunk of NewChunk in reading_chunks by connector_id: [
        session_id, last_report, readings, first_at, last_at, first_station_time, last_station_time, body,
    ]
}

impl NewChunk {
    fn of(whose: Whose, last_report: i64, readings: &[Stored]) -> StoreResult<Self> {
        let times = Times::of(readings).unwrap_or_default();
        Ok(Self {
            connector_id: whose.connector,
            session_id: whose.session,
            last_report,
            readings: i64::try_from(readings.len()).unwrap_or(i64::MAX),
            first_at: times.at.0,
            last_at: times.at.1,
            first_station_time: times.station.0,
            last_station_time: times.station.1,
            body: pack_readings(readings)?,
        })
    }
}

/// The first and the last time of readings, by our clock and by that of their station.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    at: (Timestamp, Timestamp),
    station: (Timestamp, Timestamp),
}

impl Times {
    const fn of_one(reading: &Stored) -> Self {
        Self { at: (reading.at, reading.at), station: (reading.station_time, reading.station_time) }
    }

    fn of(readings: &[Stored]) -> Option<Self> {
        readings.iter().map(Self::of_one).reduce(Self::with)
    }

    fn with(self, other: Self) -> Self {
        let both =
            |one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)| (one.0.min(other.0), one.1.max(other.1));
        Self { at: both(self.at, other.at), station: both(self.station, other.station) }
    }

    /// Whether one chunk can have them.
    fn is_short(self) -> bool {
        self.at.1.since(self.at.0) < SPAN && self.station.1.since(self.station.0) < SPAN
    }
}

/// Readings as chunks have them: in each so many at most, within [`SPAN`].
fn divided(readings: &[Stored], most: usize) -> Vec<Vec<Stored>> {
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(Stored::order);
    let mut parts: Vec<(Times, Vec<Stored>)> = Vec::new();
    for one in sorted {
        let own = Times::of_one(&one);
        // Any part: a clock of a station that jumps to and fro does not make a chunk of each reading.
        match parts.iter_mut().rev().find(|(times, part)| part.len() < most && times.with(own).is_short()) {
            Some((times, part)) => {
                *times = times.with(own);
                part.push(one);
            }
            None => parts.push((own, vec![one])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// A chunk as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) id: i64,
    whose: Whose,
    /// The newest report of its session that is in it; 0 where it is beside those.
    pub(super) last_report: i64,
    pub(super) readings: Vec<Stored>,
}

impl Chunk {
    /// Stores it again, with other readings.
    pub(super) fn rewrite(&self, conn: &mut Conn) -> StoreResult<()> {
        let row = NewChunk::of(self.whose, self.last_report, &self.readings)?;
        diesel::update(reading_chunks::table.find(self.id)).set(&row).execute(conn)?;
        Ok(())
    }
}

type Row = (i64, ConnectorId, Option<SessionId>, i64, Vec<u8>);

const ROW: (
    reading_chunks::id,
    reading_chunks::connector_id,
    reading_chunks::session_id,
    reading_chunks::last_report,
    reading_chunks::body,
) = (
    reading_chunks::id,
    reading_chunks::connector_id,
    reading_chunks::session_id,
    reading_chunks::last_report,
    reading_chunks::body,
);

/// Unpacks rows; one that cannot be read is named, kept, and left out.
fn unpacked(rows: Vec<Row>) -> Vec<Chunk> {
    let chunk = |(id, connector, session, last_report, body): Row| match unpack_readings(&body) {
        Ok(readings) => Some(Chunk { id, whose: Whose { connector, session }, last_report, readings }),
        Err(error) => {
            tracing::error!(%error, chunk = id, %connector, "a chunk of readings cannot be read and is left out");
            None
        }
    };
    rows.into_iter().filter_map(chunk).collect()
}

/// Stores readings as a chunk of their own, or as several where they lie too far apart for one.
pub(super) fn add(conn: &mut Conn, whose: Whose, last_report: i64, readings: &[Stored]) -> StoreResult<()> {
    let most = whose.session.map_or(usize::try_from(MOST_LATE).unwrap_or_default(), |_| MOST_MERGED);
    for part in divided(readings, most) {
        let row = NewChunk::of(whose, last_report, &part)?;
        InsertChunk(&row).save(conn)?;
    }
    Ok(())
}

/// Stores a reading beside the reports of its session.
pub(super) fn add_late(conn: &mut Conn, whose: Whose, reading: Stored) -> StoreResult<()> {
    let mut late = reading_chunks::table
        .filter(reading_chunks::connector_id.eq(whose.connector))
        .filter(reading_chunks::last_report.eq(0))
        .filter(reading_chunks::readings.lt(MOST_LATE))
        .filter(reading_chunks::first_at.gt(reading.at - SPAN))
        .filter(reading_chunks::first_at.lt(reading.at + SPAN)) // the index has no last one
        .filter(reading_chunks::last_at.lt(reading.at + SPAN))
        .filter(reading_chunks::first_station_time.gt(reading.station_time - SPAN))
        .filter(reading_chunks::last_station_time.lt(reading.station_time + SPAN))
        .into_boxed();
    late = match whose.session {
        Some(session) => late.filter(reading_chunks::session_id.eq(session)),
        None => late.filter(reading_chunks::session_id.is_null()),
    };
    let newest: Option<Row> = late.order(reading_chunks::id.desc()).select(ROW).first(conn).optional()?;
    match unpacked(newest.into_iter().collect()).pop() {
        Some(mut chunk) => {
            chunk.readings.push(reading);
            chunk.rewrite(conn)
        }
        None => add(conn, whose, 0, &[reading]),
    }
}

/// The chunks of a session.
pub(super) fn of_session(conn: &mut Conn, session: SessionId) -> StoreResult<Vec<Chunk>> {
    let rows = reading_chunks::table
        .filter(reading_chunks::session_id.eq(session))
        .order(reading_chunks::id)
        .select(ROW)
        .load(conn)?;
    Ok(unpacked(rows))
}

/// How many readings a session has in chunks.
pub(super) fn count_of_session(conn: &mut Conn, session: SessionId) -> StoreResult<usize> {
    let own = reading_chunks::table.filter(reading_chunks::session_id.eq(session));
    let readings: Vec<i64> = own.select(reading_chunks::readings).load(conn)?;
    Ok(usize::try_from(readings.iter().sum::<i64>()).unwrap_or_default())
}

/// Chunks of a session that have its first readings by when they lie in it, so many at least, where it has more.
pub(super) fn first_of_session(conn: &mut Conn, session: SessionId, most: usize) -> StoreResult<Vec<Chunk>> {
    let all: Vec<(i64, Timestamp)> = reading_chunks::table
        .filter(reading_chunks::session_id.eq(session))
        .order((reading_chunks::first_at, reading_chunks::id))
        .select((reading_chunks::id, reading_chunks::first_at))
        .load(conn)?;
    let mut found = Vec::new();
    first_of(conn, &all, most, |chunk| {
        let instants = chunk.readings.iter().map(|one| one.at).collect();
        found.push(chunk);
        instants
    })?;
    Ok(found)
}

/// Unpacks chunks, of which the ids are here in the order in which they begin, until `take` has answered the instants of so many
/// readings, and no chunk after these has an earlier one.
fn first_of(
    conn: &mut Conn,
    chunks: &[(i64, Timestamp)],
    most: usize,
    mut take: impl FnMut(Chunk) -> Vec<Timestamp>,
) -> StoreResult<()> {
    let mut instants: Vec<Timestamp> = Vec::new();
    for some in chunks.chunks(AT_ONCE) {
        if instants.len() >= most {
            instants.sort_unstable();
            instants.truncate(most);
            let last = instants.last();
            if some.first().is_none_or(|(_, begin)| last.is_none_or(|last| begin > last)) {
                break;
            }
        }
        let ids = some.iter().map(|(id, _)| *id);
        let rows = reading_chunks::table.filter(reading_chunks::id.eq_any(ids)).order(reading_chunks::id);
        for chunk in unpacked(rows.select(ROW).load(conn)?) {
            instants.extend(take(chunk));
        }
    }
    Ok(())
}

/// The chunk of a session that was written last.
pub(super) fn newest_of_session(conn: &mut Conn, session: SessionId) -> StoreResult<Option<Chunk>> {
    let row: Option<Row> = reading_chunks::table
        .filter(reading_chunks::session_id.eq(session))
        .order(reading_chunks::id.desc())
        .select(ROW)
        .first(conn)
        .optional()?;
    Ok(unpacked(row.into_iter().collect()).pop())
}

/// Chunks that may have a reading with this time of the station: of a session, or of all that was read at a connector.
pub(super) fn around(
    conn: &mut Conn,
    connector: ConnectorId,
    session: Option<SessionId>,
    station_time: Timestamp,
) -> StoreResult<Vec<Chunk>> {
    let mut rows = reading_chunks::table
        .filter(reading_chunks::first_station_time.le(station_time))
        .filter(reading_chunks::last_station_time.ge(station_time))
        .filter(reading_chunks::last_station_time.lt(station_time + SPAN))
        .into_boxed();
    rows = match session {
        Some(session) => rows.filter(reading_chunks::session_id.eq(session)),
        None => rows.filter(reading_chunks::connector_id.eq(connector)),
    };
    Ok(unpacked(rows.order(reading_chunks::id).select(ROW).load(conn)?))
}

/// Gives `take` readings of connectors from an instant until another, with their chunk: at least the first ones, until it has
/// answered of so many that they count.
pub(super) fn first_between(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
    most: usize,
    mut take: impl FnMut(&Chunk, &Stored) -> bool,
) -> StoreResult<()> {
    let all: Vec<(i64, Timestamp)> = reading_chunks::table
        .filter(reading_chunks::connector_id.eq_any(connectors))
        .filter(reading_chunks::first_at.gt(from - SPAN))
        .filter(reading_chunks::first_at.lt(to))
        .filter(reading_chunks::last_at.ge(from))
        .order((reading_chunks::first_at, reading_chunks::id))
        .select((reading_chunks::id, reading_chunks::first_at))
        .load(conn)?;
    first_of(conn, &all, most, |chunk| {
        let wanted = chunk.readings.iter().filter(|one| one.at >= from && one.at < to && take(&chunk, one));
        wanted.map(|one| one.at).collect()
    })
}

impl Chunk {
    /// Of which session it is.
    pub(super) const fn session(&self) -> Option<SessionId> {
        self.whose.session
    }

    /// At which connector it was measured.
    pub(super) const fn connector(&self) -> ConnectorId {
        self.whose.connector
    }
}

/// Makes one chunk of all that a session has; one of more readings than are worth that keeps its chunks.
pub(super) fn merge(conn: &mut Conn, whose: Whose, last_report: i64, newest: &[Stored]) -> StoreResult<()> {
    let Some(session) = whose.session else {
        return add(conn, whose, last_report, newest);
    };
    if count_of_session(conn, session)? > MOST_MERGED {
        return add(conn, whose, last_report, newest);
    }
    let chunks = of_session(conn, session)?;
    let mut readings: Vec<Stored> = chunks.iter().flat_map(|chunk| chunk.readings.iter().cloned()).collect();
    readings.extend_from_slice(newest);
    replace(conn, &chunks, last_report, (whose, &readings))
}

/// Puts readings in place of chunks.
pub(super) fn replace(
    conn: &mut Conn,
    chunks: &[Chunk],
    last_report: i64,
    (whose, readings): (Whose, &[Stored]),
) -> StoreResult<()> {
    let ids: Vec<i64> = chunks.iter().map(|chunk| chunk.id).collect();
    for some in ids.chunks(AT_ONCE) {
        diesel::delete(reading_chunks::table.filter(reading_chunks::id.eq_any(some))).execute(conn)?;
    }
    add(conn, whose, last_report, readings)
}

/// What is stored of a session in chunks.
#[derive(Queryable)]
pub(super) struct Summary {
    session: Option<SessionId>,
    /// The newest report in them.
    pub(super) last_report: Option<i64>,
    /// The newest time of its station.
    pub(super) newest: Option<Timestamp>,
}

/// What is stored in chunks of those of these sessions that have some.
pub(super) fn summaries(conn: &mut Conn, sessions: &[SessionId]) -> StoreResult<Vec<(SessionId, Summary)>> {
    use diesel::dsl::max;
    let found: Vec<Summary> = reading_chunks::table
        .filter(reading_chunks::session_id.eq_any(sessions))
        .group_by(reading_chunks::session_id)
        .select((reading_chunks::session_id, max(reading_chunks::last_report), max(reading_chunks::last_station_time)))
        .load(conn)?;
    Ok(found.into_iter().filter_map(|one| Some((one.session?, one))).collect())
}

/// The connector that comes next by its id and has chunks.
pub(super) fn next_connector(conn: &mut Conn, from: &str) -> StoreResult<Option<ConnectorId>> {
    Ok(reading_chunks::table
        .filter(reading_chunks::connector_id.ge(from))
        .order(reading_chunks::connector_id)
        .select(reading_chunks::connector_id)
        .first(conn)
        .optional()?)
}

/// Deletes the chunks of a session; answers how many readings that were.
pub(super) fn forget_of_session(conn: &mut Conn, session: SessionId) -> StoreResult<usize> {
    let own = || reading_chunks::table.filter(reading_chunks::session_id.eq(session));
    let readings: Vec<i64> = own().select(reading_chunks::readings).load(conn)?;
    diesel::delete(own()).execute(conn)?;
    Ok(usize::try_from(readings.iter().sum::<i64>()).unwrap_or_default())
}

/// Deletes readings of a connector that belong to no session and are older than an instant, also out of chunks that have younger
/// ones; answers how many.
pub(super) fn forget_loose(conn: &mut Conn, connector: ConnectorId, before: Timestamp) -> StoreResult<usize> {
    let begun = || {
        reading_chunks::table
            .filter(reading_chunks::connector_id.eq(connector))
            .filter(reading_chunks::session_id.is_null())
            .filter(reading_chunks::first_at.lt(before))
    };
    let whole = || begun().filter(reading_chunks::last_at.lt(before));
    let readings: Vec<i64> = whole().select(reading_chunks::readings).load(conn)?;
    diesel::delete(whole()).execute(conn)?;
    let mut gone = usize::try_from(readings.iter().sum::<i64>()).unwrap_or_default();
    for mut chunk in unpacked(begun().order(reading_chunks::id).select(ROW).load(conn)?) {
        let all = chunk.readings.len();
        chunk.readings.retain(|one| one.at >= before);
        gone += all - chunk.readings.len();
        chunk.rewrite(conn)?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(hours: u64, station_hours: u64) -> Stored {
        let after = |hours: u64| Timestamp::default() + Duration::from_secs(hours * 3_600);
        Stored {
            at: after(hours),
            context: "Periodic".into(),
            station_time: after(station_hours),
            received_at: after(hours),
            reading: super::super::readings::Reading::default(),
            delivered: None,
            raw: "".into(),
        }
    }

    fn hours(readings: &[Stored], most: usize) -> Vec<Vec<i64>> {
        let hour = |one: &Stored| one.at.unix_seconds() / 3_600;
        divided(readings, most).iter().map(|part| part.iter().map(hour).collect()).collect()
    }

    #[test]
    fn a_chunk_has_readings_of_less_than_a_day_by_either_clock() {
        let by_ours = [reading(30, 30), reading(0, 0), reading(23, 23), reading(24, 24)];
        assert_eq!(hours(&by_ours, 9), [vec![0, 23], vec![24, 30]]);
        // The station's clock is a thousand hours behind at each second reading.
        let by_theirs = [reading(1, 1_001), reading(2, 2), reading(3, 1_003), reading(4, 4)];
        assert_eq!(hours(&by_theirs, 9), [vec![1, 3], vec![2, 4]]);
        assert_eq!(hours(&by_theirs, 1), [vec![1], vec![2], vec![3], vec![4]]);
    }
}
