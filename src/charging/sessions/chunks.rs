//! Chunks: readings of one session, or of one connector without a session, packed into rows.
//!
//! Readings of a session that runs come here by dozens from its journal (see [`super::open`]), all of one session together when it
//! has ended. What is reported late, and what belongs to no session, is put into the newest chunk that has room. Rows
//! from before there were chunks are read beside them ([`super::old_readings`]).

use std::time::Duration;

use diesel::prelude::*;

use super::packed::{Stored, pack_readings, unpack_readings};
use crate::store::schema::reading_chunks;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Readings that a chunk of late or loose ones has at most.
const MOST_LATE: i64 = 100;
/// And how far they lie apart at most: they are forgotten together.
const FAR: Duration = Duration::from_secs(24 * 3_600);
/// Readings of a session that ended that are made one chunk at most: they are unpacked and packed while others wait to write.
const MOST_MERGED: usize = 2_000;

/// Whose readings: those of a session, or those of a connector that belong to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) connector: ConnectorId,
    pub(super) session: Option<SessionId>,
}

#[derive(Insertable, AsChangeset)]
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

impl NewChunk {
    fn of(whose: Whose, last_report: i64, readings: &[Stored]) -> StoreResult<Self> {
        let times = || readings.iter().map(|one| one.at);
        let shown = || readings.iter().map(|one| one.station_time);
        Ok(Self {
            connector_id: whose.connector,
            session_id: whose.session,
            last_report,
            readings: i64::try_from(readings.len()).unwrap_or(i64::MAX),
            first_at: times().min().unwrap_or_default(),
            last_at: times().max().unwrap_or_default(),
            first_station_time: shown().min().unwrap_or_default(),
            last_station_time: shown().max().unwrap_or_default(),
            body: pack_readings(readings)?,
        })
    }
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

/// Stores readings as a chunk of their own.
pub(super) fn add(conn: &mut Conn, whose: Whose, last_report: i64, readings: &[Stored]) -> StoreResult<()> {
    let row = NewChunk::of(whose, last_report, readings)?;
    diesel::insert_into(reading_chunks::table).values(&row).execute(conn)?;
    Ok(())
}

/// Stores a reading beside the reports of its session.
pub(super) fn add_late(conn: &mut Conn, whose: Whose, reading: Stored) -> StoreResult<()> {
    let mut late = reading_chunks::table
        .filter(reading_chunks::connector_id.eq(whose.connector))
        .filter(reading_chunks::last_report.eq(0))
        .filter(reading_chunks::readings.lt(MOST_LATE))
        .filter(reading_chunks::first_at.gt(reading.at - FAR))
        .filter(reading_chunks::last_at.lt(reading.at + FAR))
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

/// The chunks of a session that begin first and together have so many readings.
pub(super) fn first_of_session(conn: &mut Conn, session: SessionId, most: usize) -> StoreResult<Vec<Chunk>> {
    let all: Vec<(i64, i64)> = reading_chunks::table
        .filter(reading_chunks::session_id.eq(session))
        .order((reading_chunks::first_at, reading_chunks::id))
        .select((reading_chunks::id, reading_chunks::readings))
        .load(conn)?;
    let mut room = i64::try_from(most).unwrap_or(i64::MAX);
    let first = all.into_iter().take_while(|(_, readings)| {
        let has_room = room > 0;
        room = room.saturating_sub(*readings);
        has_room
    });
    let ids: Vec<i64> = first.map(|(id, _)| id).collect();
    Ok(unpacked(reading_chunks::table.filter(reading_chunks::id.eq_any(ids)).select(ROW).load(conn)?))
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
        .into_boxed();
    rows = match session {
        Some(session) => rows.filter(reading_chunks::session_id.eq(session)),
        None => rows.filter(reading_chunks::connector_id.eq(connector)),
    };
    Ok(unpacked(rows.order(reading_chunks::id).select(ROW).load(conn)?))
}

/// Chunks of connectors that may have readings from an instant until another.
pub(super) fn between(
    conn: &mut Conn,
    connectors: &[ConnectorId],
    (from, to): (Timestamp, Timestamp),
) -> StoreResult<Vec<Chunk>> {
    let rows = reading_chunks::table
        .filter(reading_chunks::connector_id.eq_any(connectors))
        .filter(reading_chunks::last_at.ge(from))
        .filter(reading_chunks::first_at.lt(to))
        .order(reading_chunks::id)
        .select(ROW)
        .load(conn)?;
    Ok(unpacked(rows))
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
    let ids: Vec<i64> = chunks.iter().map(|chunk| chunk.id).collect();
    let mut readings: Vec<Stored> = chunks.into_iter().flat_map(|chunk| chunk.readings).collect();
    readings.extend_from_slice(newest);
    readings.sort_by_key(Stored::order);
    diesel::delete(reading_chunks::table.filter(reading_chunks::id.eq_any(ids))).execute(conn)?;
    add(conn, whose, last_report, &readings)
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

/// Deletes chunks of a connector that belong to no session and are older than an instant; answers how many readings that were.
pub(super) fn forget_loose(conn: &mut Conn, connector: ConnectorId, before: Timestamp) -> StoreResult<usize> {
    let loose = || {
        reading_chunks::table
            .filter(reading_chunks::connector_id.eq(connector))
            .filter(reading_chunks::session_id.is_null())
            .filter(reading_chunks::last_at.lt(before))
    };
    let readings: Vec<i64> = loose().select(reading_chunks::readings).load(conn)?;
    diesel::delete(loose()).execute(conn)?;
    Ok(usize::try_from(readings.iter().sum::<i64>()).unwrap_or_default())
}
