//! The journal: what was reported of sessions, a row for each commit, until it is in their chunks.

use std::borrow::Cow;
use std::sync::Arc;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::metering::Attribution;
use super::super::model::Session;
use super::super::packed::{PackedReading, Stored};
use super::super::readings::{Reading, Sample};
use super::entry::{Outcome, Report};
use crate::cached_insert;
use crate::store::packing::{self, Effort};
use crate::store::schema::session_journal;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::id::RawId;
use kernel::*;

/// Rows that are deleted by one statement.
const AT_ONCE: usize = 500;

/// Where a report stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Place {
    /// The run of the server that wrote it.
    pub(super) incarnation: RawId,
    pub(super) seq: i64,
}

/// A report as it is packed.
#[derive(Serialize, Deserialize)]
struct Record {
    session: [u8; 12],
    number: i64,
    received_at: i64,
    /// When the session changed, and when that was reported last, after it.
    updated_at: i64,
    reported_at: Option<i64>,
    attribution: u8,
    samples: Vec<PackedSample>,
}

#[derive(Serialize, Deserialize)]
struct PackedSample {
    at: i64,
    station_time: i64,
    context: Cow<'static, str>,
    flags: Vec<String>,
    reading: PackedReading,
    raw: Arc<str>,
    outcome: Outcome,
}

/// A report as it goes into the journal; the session is as it is after it.
pub(super) fn record(report: &Report, session: &Session) -> StoreResult<Vec<u8>> {
    let sample = |(sample, outcome): &(Sample, Outcome)| PackedSample {
        at: sample.at.micros(),
        station_time: sample.station_time.micros(),
        context: sample.context.clone(),
        flags: sample.flags.clone(),
        reading: sample.reading.packed(),
        raw: Arc::clone(&sample.raw),
        outcome: outcome.clone(),
    };
    let record = Record {
        session: *report.session.raw().as_bytes(),
        number: report.number,
        received_at: report.received_at.micros(),
        updated_at: session.updated_at.micros(),
        reported_at: session.reported_at.map(Timestamp::micros),
        attribution: report.attribution.number(),
        samples: report.samples.iter().map(sample).collect(),
    };
    packing::encoded(&record)
}

/// A report as it was read from the journal.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) report: Report,
    pub(super) updated_at: Timestamp,
    pub(super) reported_at: Option<Timestamp>,
}

impl Found {
    fn of(record: Record, place: Place) -> StoreResult<Self> {
        let attribution = Attribution::of_number(record.attribution)
            .ok_or_else(|| StoreError::Failed(format!("attribution {} is unknown", record.attribution)))?;
        let received_at = Timestamp::from_micros(record.received_at);
        let mut stored = Vec::new();
        let sample = |packed: PackedSample| {
            let sample = Sample {
                at: Timestamp::from_micros(packed.at),
                station_time: Timestamp::from_micros(packed.station_time),
                context: packed.context,
                reading: Reading::unpacked(packed.reading),
                raw: packed.raw,
                flags: packed.flags,
                evidence: Vec::new(),
            };
            if let Outcome::New(at, delivered) = packed.outcome {
                let kept = (Timestamp::from_micros(at), delivered.map(WattHours));
                stored.push(Stored::of(&sample, received_at, kept));
            }
            (sample, packed.outcome)
        };
        let samples = record.samples.into_iter().map(sample).collect();
        let report = Report {
            session: RawId::from_bytes(record.session).into(),
            number: record.number,
            received_at,
            attribution,
            samples,
            stored,
        };
        Ok(Self {
            place,
            report,
            updated_at: Timestamp::from_micros(record.updated_at),
            reported_at: record.reported_at.map(Timestamp::from_micros),
        })
    }
}

/// The number of the next row of a run.
pub(super) fn next_seq(conn: &mut Conn, incarnation: RawId) -> StoreResult<i64> {
    let own = session_journal::table.filter(session_journal::incarnation.eq(incarnation.to_string()));
    let last: Option<i64> = own.select(diesel::dsl::max(session_journal::seq)).first(conn)?;
    Ok(last.unwrap_or_default().saturating_add(1))
}

struct Row {
    incarnation: String,
    seq: i64,
    body: Vec<u8>,
}

cached_insert! {
    /// Stores a row of the journal.
    InsertRow of Row in session_journal by incarnation: [seq, body]
}

/// Writes a row.
pub(super) fn append(conn: &mut Conn, place: Place, records: &[&[u8]]) -> StoreResult<()> {
    let body = packing::compressed(&records.concat(), Effort::Little)?;
    let row = Row { incarnation: place.incarnation.to_string(), seq: place.seq, body };
    InsertRow(&row).save(conn)
}

/// Deletes rows that nothing needs any more.
pub(super) fn remove(conn: &mut Conn, places: &[Place]) -> StoreResult<()> {
    for of_one in places.chunk_by(|one, other| one.incarnation == other.incarnation) {
        for some in of_one.chunks(AT_ONCE) {
            let incarnation = some.first().map(|place| place.incarnation.to_string()).unwrap_or_default();
            let seqs: Vec<i64> = some.iter().map(|place| place.seq).collect();
            let rows = session_journal::table
                .filter(session_journal::incarnation.eq(incarnation))
                .filter(session_journal::seq.eq_any(seqs));
            diesel::delete(rows).execute(conn)?;
        }
    }
    Ok(())
}

/// All that is in the journal, of each session in the order of its reports, and the rows that cannot be read: they are named and
/// kept, and what can be read of them counts.
pub(super) fn read(conn: &mut Conn) -> StoreResult<(Vec<Found>, Vec<Place>)> {
    let rows: Vec<(String, i64, Vec<u8>)> = session_journal::table
        .order((session_journal::incarnation, session_journal::seq))
        .select((session_journal::incarnation, session_journal::seq, session_journal::body))
        .load(conn)?;
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    for (incarnation, seq, body) in rows {
        let Ok(run) = incarnation.parse() else {
            tracing::error!(incarnation, seq, "a row of the journal of sessions is of no run and is left as it is");
            continue;
        };
        let place = Place { incarnation: run, seq };
        if let Err(error) = read_row(place, &body, &mut found) {
            tracing::error!(%error, incarnation, seq, "a row of the journal of sessions cannot be read and is left as it is");
            damaged.push(place);
        }
    }
    // A clock that was put back between two runs turns the order of their rows around.
    found.sort_by_key(|one| one.report.number);
    Ok((found, damaged))
}

fn read_row(place: Place, body: &[u8], found: &mut Vec<Found>) -> StoreResult<()> {
    let bytes = packing::decompressed(body)?;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (record, after) = packing::first_of::<Record>(rest)?;
        found.push(Found::of(record, place)?);
        rest = after;
    }
    Ok(())
}
