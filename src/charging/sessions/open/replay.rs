//! Taking in once more what the journal has: in the same way as when it was reported.

use std::sync::Arc;

use super::super::energy::marks_of_one_message;
use super::super::packed::Stored;
use super::super::readings::Reading;
use super::super::{chunks, cost, metering, old_readings};
use super::entry::{Open, Outcome, point};
use super::journal::Found;
use crate::store::{Conn, StoreResult};
use kernel::*;
use pricing::Point;

/// Takes a report of the journal into a session: into what is in no chunk yet, and where the row has not, into what it shows of the
/// session.
pub(super) fn take_in(conn: &mut Conn, open: &mut Open, found: Found) -> StoreResult<()> {
    let Found { place, mut report, updated_at, reported_at } = found;
    let is_news = report.number > open.session.reports;
    let is_due = reported_at != open.session.reported_at;
    if is_news {
        let times = report.samples.iter().map(|(sample, _)| (sample.at, sample.station_time));
        let marks = marks_of_one_message(&times.collect::<Vec<_>>(), report.received_at);
        let session = Arc::make_mut(&mut open.session);
        for ((sample, outcome), mark) in report.samples.iter().zip(marks) {
            session.note_oddities(sample);
            if matches!(outcome, Outcome::Known) {
                continue;
            }
            let (at, _) = metering::observe(conn, session, sample, mark, report.attribution)?;
            if let Outcome::Completed(.., together) = outcome {
                session.complete_report(at, &Reading::unpacked(*together));
            }
        }
        session.reports = report.number;
        session.updated_at = updated_at;
        session.reported_at = reported_at;
    }
    let completions = report.samples.iter().filter_map(|(sample, outcome)| match outcome {
        Outcome::Completed(number, index, delivered, together) => {
            Some((*number, *index, *delivered, *together, sample))
        }
        _ => None,
    });
    for (number, index, delivered, together, sample) in completions {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let complete = |one: &mut Stored| {
            one.completed(Reading::unpacked(together), &sample.raw, delivered.map(WattHours));
        };
        if number == report.number {
            report.stored.get_mut(index).map(complete);
        } else {
            open.edit(number, index, complete);
        }
    }
    let received_at = report.received_at;
    open.take_from_journal(report, place);
    let session = &open.session;
    let was_priced = is_due || session.target.0.cost.is_some();
    if is_news && was_priced && session.cost.is_some() {
        let until = session.latest_at.unwrap_or(received_at);
        let points = points(conn, open)?;
        cost::compute_by(conn, Arc::make_mut(&mut open.session), until, points.to_vec())?;
    }
    Ok(())
}

/// What a session is billed by, of which all is known.
fn points(conn: &mut Conn, open: &mut Open) -> StoreResult<Arc<Vec<Point>>> {
    if let Some(points) = &open.points {
        return Ok(Arc::clone(points));
    }
    let session = &open.session;
    let mut readings = match session.connector_id {
        Some(connector) => old_readings::of_session(conn, connector, session.id)?,
        None => Vec::new(),
    };
    readings.extend(chunks::of_session(conn, session.id)?.into_iter().flat_map(|chunk| chunk.readings));
    let points: Arc<Vec<Point>> = Arc::new(readings.iter().chain(open.tail_readings()).map(point).collect());
    open.points = Some(Arc::clone(&points));
    Ok(points)
}
