//! One session that runs, with the readings that are in no chunk yet.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::metering::Attribution;
use super::super::model::Session;
use super::super::packed::{PackedReading, Stored};
use super::super::readings::{Reading, Sample};
use super::super::received_events::ReceivedEvents;
use super::journal::Place;
use kernel::*;
use pricing::Point;

/// A report whose readings are in no chunk yet.
#[derive(Debug, Clone)]
pub(in super::super) struct Tail {
    /// Where it stands in the journal; nowhere until its transaction ends.
    place: Option<Place>,
    received_at: Timestamp,
    pub(in super::super) number: i64,
    pub(in super::super) readings: Arc<Vec<Stored>>,
}

/// A session that runs, or did a moment ago.
#[derive(Debug, Clone)]
pub(in super::super) struct Open {
    pub(in super::super) session: Arc<Session>,
    /// Its reports that are in no chunk yet, oldest first.
    pub(in super::super) tail: Vec<Tail>,
    /// The newest time of its station in a chunk, or in an old row.
    pub(in super::super) newest_in_rows: Option<Timestamp>,
    /// The newest time of its station of all.
    pub(in super::super) newest: Option<Timestamp>,
    pub(super) has_chunks: bool,
    /// The last report that its row has taken in.
    pub(super) in_row: i64,
    /// What it is billed by, where that was asked.
    pub(in super::super) points: Option<Arc<Vec<Point>>>,
    /// Which events of its transaction were received, where that was asked.
    pub(in super::super) events: Option<ReceivedEvents>,
}

impl Open {
    /// One of which nothing else is stored.
    pub(super) fn new(session: Session) -> Self {
        let in_row = session.reports;
        Self {
            session: Arc::new(session),
            tail: Vec::new(),
            newest_in_rows: None,
            newest: None,
            has_chunks: false,
            in_row,
            points: None,
            events: None,
        }
    }

    /// Whether its row lacks what was reported lately.
    pub(in super::super) fn is_ahead(&self) -> bool {
        self.in_row < self.session.reports
    }

    /// How many reports, or readings in them, wait for their chunk. One without readings waits, too: the journal has it.
    pub(super) fn waiting(&self) -> usize {
        self.tail.len().max(self.tail_readings().count())
    }

    /// Since when the first of its reports waits.
    pub(in super::super) fn waits_since(&self) -> Option<Timestamp> {
        self.tail.first().map(|report| report.received_at)
    }

    /// Readings that are in no chunk yet.
    pub(in super::super) fn tail_readings(&self) -> impl Iterator<Item = &Stored> {
        self.tail.iter().flat_map(|report| report.readings.iter())
    }

    /// Takes in the readings of a report.
    pub(super) fn take(&mut self, report: Report) {
        let newest = report.stored.iter().map(|reading| reading.station_time).max();
        self.newest = self.newest.max(newest);
        if let Some(points) = &mut self.points {
            Arc::make_mut(points).extend(report.stored.iter().map(point));
        }
        self.tail.push(Tail {
            place: None,
            received_at: report.received_at,
            number: report.number,
            readings: Arc::new(report.stored),
        });
    }

    /// The same for a report that stands in the journal.
    pub(super) fn take_from_journal(&mut self, report: Report, place: Place) {
        self.take(report);
        if let Some(last) = self.tail.last_mut() {
            last.place = Some(place);
        }
    }

    pub(super) fn put_at(&mut self, number: i64, place: Place) {
        if let Some(report) = self.tail.iter_mut().rev().find(|report| report.number == number) {
            report.place = Some(place);
        }
    }

    /// Changes a reading that is in no chunk yet.
    pub(super) fn edit(&mut self, number: i64, index: usize, how: impl FnOnce(&mut Stored)) {
        let report = self.tail.iter_mut().find(|report| report.number == number);
        if let Some(one) = report.and_then(|report| Arc::make_mut(&mut report.readings).get_mut(index)) {
            how(one);
            self.points = None;
        }
    }

    /// Other readings of it are in rows, the newest of this time.
    pub(super) fn know_rows(&mut self, has_chunks: bool, newest: Option<Timestamp>) {
        self.has_chunks |= has_chunks;
        self.newest_in_rows = self.newest_in_rows.max(newest);
        self.newest = self.newest.max(newest);
    }

    pub(super) fn note_late(&mut self, station_time: Timestamp) {
        self.know_rows(true, Some(station_time));
        self.points = None;
    }

    /// Its readings came into a chunk and its row is written; where they stood in the journal.
    pub(super) fn cover(&mut self) -> Vec<Place> {
        let is_chunked = self.tail_readings().next().is_some();
        self.has_chunks |= is_chunked;
        self.newest_in_rows = self.newest;
        self.in_row = self.session.reports;
        self.tail.drain(..).filter_map(|report| report.place).collect()
    }
}

pub(in super::super) const fn point(reading: &Stored) -> Point {
    Point { at: reading.at, energy: reading.delivered, power: reading.reading.power }
}

/// What became of a sample.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) enum Outcome {
    /// It was reported before; what was odd about it may be new.
    Known,
    /// It shows how the session goes on, and is kept nowhere.
    Observed,
    /// It shows how the session goes on; kept at an instant, with the energy by then.
    New(i64, Option<i64>),
    /// It is a part of a reading that waits for its chunk: of which report, and where in that; with the energy by then, and what
    /// is known together.
    Completed(i64, u32, Option<i64>, PackedReading),
}

/// What a station reported of a session in one message.
#[derive(Debug, Clone)]
pub(in super::super) struct Report {
    pub(in super::super) session: SessionId,
    pub(in super::super) number: i64,
    pub(in super::super) received_at: Timestamp,
    pub(in super::super) attribution: Attribution,
    pub(in super::super) samples: Vec<(Sample, Outcome)>,
    pub(in super::super) stored: Vec<Stored>,
}

impl Report {
    pub(in super::super) fn note(&mut self, sample: &Sample, outcome: Outcome) {
        self.samples.push((Sample { evidence: Vec::new(), ..sample.clone() }, outcome));
    }
}

impl Stored {
    /// A sample as it is kept at an instant.
    pub(in super::super) fn of(
        sample: &Sample,
        received_at: Timestamp,
        (at, delivered): (Timestamp, Option<WattHours>),
    ) -> Self {
        Self {
            at,
            context: sample.context.clone(),
            station_time: sample.station_time,
            received_at,
            reading: sample.reading.clone(),
            delivered,
            raw: Arc::clone(&sample.raw),
        }
    }

    /// With what was reported separately of the same instant.
    pub(in super::super) fn completed(&mut self, together: Reading, raw: &str, delivered: Option<WattHours>) {
        self.reading = together;
        self.raw = match (&*self.raw, raw) {
            (raw, "") | ("", raw) => raw.into(),
            (first, second) => format!("{first}\n{second}").into(),
        };
        self.delivered = delivered.or(self.delivered);
    }
}
